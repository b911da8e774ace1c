//! Calls and sessions that this peer opens to Kith.

use std::str::FromStr;
use std::sync::atomic::Ordering;

use futures::AsyncReadExt;
use libp2p::{PeerId, Stream, StreamProtocol};
use libp2p_stream::Control;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use crate::frames::{
    CALL_PROTOCOL, CANCEL, ERROR, Fault, Frame, MORE, PING, PONG, REQUEST, RESPONSE, error_json, field, from_json, hex,
    read_frame, read_metadata, request, to_json, unhex, write_metadata,
};
use crate::serve::{Writer, split};
use crate::session::SessionEnd;

/// The bytes that all programs of these tests agree on.
fn pattern(size: usize) -> Vec<u8> {
    (0..size).map(|at| (at * 31 + (at >> 8)) as u8).collect()
}

fn digest(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

fn sizes(command: &Json) -> Vec<usize> {
    command["sizes"]
        .as_array()
        .map_or(vec![], |list| list.iter().map(|size| size.as_u64().unwrap_or(0) as usize).collect())
}

fn request_frame(command: &Json, id: u32, flags: u16, payload: Vec<u8>) -> Frame {
    let call_id = command["callId"].as_str().and_then(unhex).unwrap_or_else(|| rand::random::<[u8; 16]>().to_vec());
    let metadata =
        if command["metadata"].is_object() { from_json(&command["metadata"]) } else { from_json(&json!({})) };
    Frame {
        flags,
        argument: command["deadlineMs"].as_u64().unwrap_or(0) as u32,
        metadata: request(&call_id, command["method"].as_str().unwrap_or_default(), metadata),
        payload,
        ..Frame::new(REQUEST, id)
    }
}

/// What one answer says, for the test.
fn answer_of(frame: &Frame) -> Result<Json, String> {
    let said = |fault: Fault| fault.to_string();
    match frame.kind {
        ERROR => Ok(json!({ "refused": error_json(&frame.metadata).map_err(said)? })),
        RESPONSE => {
            let metadata = to_json(&read_metadata(&frame.metadata).map_err(said)?);
            Ok(json!({ "metadata": metadata, "bytes": frame.payload.len(), "sha256": digest(&frame.payload) }))
        }
        other => Err(format!("type {other} is no answer")),
    }
}

pub async fn run(mut control: Control, command: &Json) -> Result<Json, String> {
    let peer = PeerId::from_str(command["peer"].as_str().unwrap_or_default()).map_err(|error| error.to_string())?;
    let stream =
        control.open_stream(peer, StreamProtocol::new(CALL_PROTOCOL)).await.map_err(|error| error.to_string())?;
    match command["do"].as_str() {
        Some("call") => call(stream, command).await,
        Some("cancel") => cancel(stream, command).await,
        Some("session") => session(stream, command).await,
        _ => hostile(stream, command).await,
    }
}

/// Calls side by side on one stream: one for each size of payload. Answers may come in any order.
async fn call(stream: Stream, command: &Json) -> Result<Json, String> {
    let (mut reader, writer) = split(stream);
    let sizes = sizes(command);
    let write = async {
        for (at, size) in sizes.iter().enumerate() {
            let frame = request_frame(command, at as u32 + 1, 0, pattern(*size));
            writer.frame(frame).await.map_err(|error| error.to_string())?;
        }
        Ok::<(), String>(())
    };
    let read = async {
        let mut answers = vec![Json::Null; sizes.len()];
        for _ in &sizes {
            let frame = read_frame(&mut reader).await.map_err(|fault| fault.to_string())?;
            match answers.get_mut((frame.id as usize).wrapping_sub(1)) {
                Some(place) if place.is_null() => *place = answer_of(&frame)?,
                _ => return Err(format!("an answer to request {}", frame.id)),
            }
        }
        Ok(answers)
    };
    let ((), answers) = tokio::try_join!(write, read)?;
    writer.close().await;
    Ok(json!({ "answers": answers }))
}

/// A call that is given up as soon as it was made; then the stream still serves.
async fn cancel(stream: Stream, command: &Json) -> Result<Json, String> {
    let (mut reader, writer) = split(stream);
    let probe = b"kith-rs!".to_vec();
    for frame in [
        request_frame(command, 1, 0, vec![]),
        Frame::new(CANCEL, 1),
        Frame { payload: probe.clone(), ..Frame::new(PING, 0) },
    ] {
        writer.frame(frame).await.map_err(|error| error.to_string())?;
    }
    let frame = read_frame(&mut reader).await.map_err(|fault| fault.to_string())?;
    writer.close().await;
    Ok(json!({ "pong": frame.kind == PONG && frame.payload == probe }))
}

/// Opens a session, sends messages, reads as many back, ends it.
async fn session(stream: Stream, command: &Json) -> Result<Json, String> {
    let (mut reader, writer) = split(stream);
    writer.frame(request_frame(command, 1, MORE, vec![])).await.map_err(|error| error.to_string())?;
    let accepted = read_frame(&mut reader).await.map_err(|fault| fault.to_string())?;
    if accepted.kind == ERROR {
        return answer_of(&accepted);
    }
    if accepted.kind != RESPONSE || accepted.flags != MORE {
        return Err("the session was not accepted".to_owned());
    }
    let payload = pattern(sizes(command).first().copied().unwrap_or(0));
    let (end, mut received) = SessionEnd::new(writer.clone());
    let send = async {
        for at in 0..command["count"].as_u64().unwrap_or(0) {
            if !end.send(write_metadata(&from_json(&json!({ "n": at }))), payload.clone()).await {
                return;
            }
        }
        end.end().await;
    };
    let check = async {
        let (mut messages, mut same) = (0u64, true);
        while let Some(frame) = received.recv().await {
            let metadata = read_metadata(&frame.metadata).unwrap_or(ciborium::Value::Null);
            let number = field(&metadata, "n").map(to_json);
            same = same && number == Some(json!(messages)) && frame.payload == payload;
            messages += 1;
        }
        (messages, same)
    };
    let (fault, (), (messages, same)) = tokio::join!(end.read(&mut reader, true), send, check);
    close(writer).await;
    match fault {
        Some(why) => Err(why),
        None => Ok(json!({ "messages": messages, "same": same, "grants": end.grants.load(Ordering::SeqCst) })),
    }
}

async fn close(writer: Writer) {
    writer.close().await;
}

/// What no peer may do; tells how Kith ended it.
async fn hostile(stream: Stream, command: &Json) -> Result<Json, String> {
    let (mut reader, writer) = split(stream);
    let mut head = request_frame(command, 1, 0, vec![]).encode();
    match command["kind"].as_str() {
        // 16 MiB and one byte
        Some("oversize") => head[20..24].copy_from_slice(&[1, 0, 0, 1]),
        Some("huge") => head[16..24].fill(0xff),
        Some("garbage") => head = pattern(4096),
        other => return Err(format!("nothing hostile is called {other:?}")),
    }
    writer.bytes(&head).await.map_err(|error| error.to_string())?;
    let mut byte = [0u8];
    match reader.read(&mut byte).await {
        // This yamux reads a reset as an end; only one that was reset takes no more bytes either.
        Ok(0) => Ok(json!({ "cut": true, "reset": writer.bytes(&[0]).await.is_err() })),
        Ok(_) => Ok(json!({ "cut": false })),
        Err(error) => Ok(json!({ "cut": true, "reset": true, "why": error.to_string() })),
    }
}
