//! Writes each golden frame from its description and reads each from its bytes.

use futures::io::Cursor;
use serde_json::{Value as Json, json};

use crate::frames::{Frame, NAMES, error, from_json, hex, read_frame, read_metadata, request, unhex, write_metadata};

pub async fn check(path: &str) -> Result<Json, String> {
    let golden = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    let golden: Json = serde_json::from_str(&golden).map_err(|error| error.to_string())?;
    let list = |name: &str| golden[name].as_array().cloned().unwrap_or_default();
    let bytes = |value: &Json| value.as_str().map_or(Some(vec![]), unhex).ok_or("a value is no hex".to_owned());
    let number = |value: &Json| value.as_u64().unwrap_or(0);
    for want in list("frames") {
        let name = want["name"].as_str().unwrap_or_default();
        let kind = NAMES.iter().position(|known| want["type"] == *known).ok_or(format!("{name}: no type"))?;
        let metadata = if let Some(of) = want.get("request") {
            request(&bytes(&of["callId"])?, of["method"].as_str().unwrap_or_default(), from_json(&of["metadata"]))
        } else if let Some(of) = want.get("error") {
            error(
                of["code"].as_str().unwrap_or_default(),
                of["message"].as_str().unwrap_or_default(),
                of["retryAfter"].as_u64(),
                of["status"].as_u64(),
            )
        } else {
            want.get("metadata").map_or(vec![], |value| write_metadata(&from_json(value)))
        };
        let frame = Frame {
            kind: kind as u8 + 1,
            flags: number(&want["flags"]) as u16,
            id: number(&want["id"]) as u32,
            sequence: number(&want["sequence"]) as u32,
            argument: number(&want["argument"]) as u32,
            metadata,
            payload: bytes(&want["payload"])?,
        };
        if want["hex"] != hex(&frame.encode()) {
            return Err(format!("{name}: wrote {}, not {}", hex(&frame.encode()), want["hex"]));
        }
        let read =
            read_frame(&mut Cursor::new(bytes(&want["hex"])?)).await.map_err(|fault| format!("{name}: {fault}"))?;
        if read != frame {
            return Err(format!("{name}: read another frame: {read:?}"));
        }
        if let Some(described) = want.get("metadata") {
            let metadata = read_metadata(&read.metadata).map_err(|fault| format!("{name}: {fault}"))?;
            if crate::frames::to_json(&metadata) != *described {
                return Err(format!("{name}: read other metadata: {metadata:?}"));
            }
        }
    }
    for bad in list("refused") {
        match read_frame(&mut Cursor::new(bytes(&bad["hex"])?)).await {
            Err(fault) if bad["kind"] == fault.kind() => {}
            other => return Err(format!("{}: not refused as {} but {other:?}", bad["name"], bad["kind"])),
        }
    }
    Ok(json!({ "frames": list("frames").len(), "refused": list("refused").len() }))
}
