//! Announcements: who serves a model, signed.

use std::time::{SystemTime, UNIX_EPOCH};

use ciborium::Value;
use libp2p::identity::{Keypair, PublicKey, ed25519};
use serde_json::{Value as Json, json};

use crate::frames::{field, from_cbor, text, to_cbor, to_json};

const SIGNATURE_PREFIX: &[u8] = b"kith-announcement-v1\0";

/// An announcement of this peer: it serves a whole model.
pub fn announcement(key: &Keypair, model: &[u8]) -> Result<Vec<u8>, String> {
    let public = key.public().try_into_ed25519().map_err(|error| error.to_string())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|error| error.to_string())?.as_millis() as u64;
    let words = |list: &[&str]| Value::Array(list.iter().map(|word| text(word)).collect());
    let map = |entries: Vec<(&str, Value)>| {
        Value::Map(entries.into_iter().map(|(name, value)| (text(name), value)).collect())
    };
    let body = to_cbor(&map(vec![
        ("v", Value::from(1)),
        ("peer", Value::Bytes(public.to_bytes().to_vec())),
        ("seq", Value::from(now)),
        ("exp", Value::from(now + 300_000)),
        ("model", map(vec![("hash", Value::Bytes(model.to_vec())), ("quant", text("Q8_0"))])),
        ("blocks", words(&[])),
        ("tps", Value::from(12_500)),
        ("freeCacheTokens", Value::from(4096)),
        ("maxBatch", Value::from(2)),
        ("protocols", words(&[])),
        ("regions", words(&["eu"])),
        ("serves", words(&["chat"])),
        ("trust", words(&[])),
        ("state", text("online")),
    ]));
    let signature = key.sign(&[SIGNATURE_PREFIX, &body].concat()).map_err(|error| error.to_string())?;
    Ok(to_cbor(&map(vec![("b", Value::Bytes(body)), ("s", Value::Bytes(signature))])))
}

/// Whose announcement these bytes are and what it says; nothing when they are none that its peer signed.
pub fn read(bytes: &[u8]) -> Option<Json> {
    let envelope = from_cbor(bytes).ok()?;
    let body = field(&envelope, "b")?.as_bytes()?;
    let record = from_cbor(body).ok()?;
    let key = ed25519::PublicKey::try_from_bytes(field(&record, "peer")?.as_bytes()?).ok()?;
    if !key.verify(&[SIGNATURE_PREFIX, body].concat(), field(&envelope, "s")?.as_bytes()?) {
        return None;
    }
    let peer = PublicKey::from(key).to_peer_id().to_string();
    Some(
        json!({ "peer": peer, "state": to_json(field(&record, "state")?), "serves": to_json(field(&record, "serves")?) }),
    )
}
