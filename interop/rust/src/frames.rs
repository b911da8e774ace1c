//! The wire format of calls after docs/protocol.md, on its own: shares no code with Kith, so that what both sides agree on
//! is what the document says.

use std::io;

use ciborium::Value;
use futures::{AsyncRead, AsyncReadExt};
use serde_json::{Value as Json, json};

pub const CALL_PROTOCOL: &str = "/kith/call/1.0.0";
pub const HEADER_BYTES: usize = 24;
pub const WINDOW_BYTES: usize = 4 * 1024 * 1024;
const MAX_METADATA: u32 = 64 * 1024;
const MAX_PAYLOAD: u32 = 16 * 1024 * 1024;
pub const MORE: u16 = 1;

pub const REQUEST: u8 = 1;
pub const RESPONSE: u8 = 2;
pub const ERROR: u8 = 3;
pub const DATA: u8 = 4;
pub const END: u8 = 5;
pub const CANCEL: u8 = 6;
pub const WINDOW: u8 = 7;
pub const PING: u8 = 8;
pub const PONG: u8 = 9;

pub const NAMES: [&str; 9] = ["request", "response", "error", "data", "end", "cancel", "window", "ping", "pong"];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub kind: u8,
    pub flags: u16,
    pub id: u32,
    pub sequence: u32,
    pub argument: u32,
    pub metadata: Vec<u8>,
    pub payload: Vec<u8>,
}

impl Frame {
    pub fn new(kind: u8, id: u32) -> Self {
        Frame { kind, id, ..Frame::default() }
    }

    /// What a frame of data takes of the window.
    pub fn cost(&self) -> usize {
        HEADER_BYTES + self.metadata.len() + self.payload.len()
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.cost());
        out.push(1);
        out.push(self.kind);
        out.extend(self.flags.to_be_bytes());
        for field in [self.id, self.sequence, self.argument, self.metadata.len() as u32, self.payload.len() as u32] {
            out.extend(field.to_be_bytes());
        }
        out.extend(&self.metadata);
        out.extend(&self.payload);
        out
    }
}

#[derive(Debug)]
pub enum Fault {
    /// The stream ended between two frames.
    End,
    Garbage(String),
    Oversize(String),
    Link(io::Error),
}

impl Fault {
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::End => "end",
            Fault::Garbage(_) => "garbage",
            Fault::Oversize(_) => "oversize",
            Fault::Link(_) => "link",
        }
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Fault::End => write!(to, "the stream ended"),
            Fault::Garbage(what) | Fault::Oversize(what) => write!(to, "{}: {what}", self.kind()),
            Fault::Link(error) => write!(to, "{error}"),
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Fault::Link(error)
    }
}

struct Rule {
    metadata: u32,
    payload: u32,
    flags: u16,
    id: bool,
    sequence: bool,
    argument: bool,
}

fn rule(kind: u8) -> Option<Rule> {
    let (metadata, payload) = match kind {
        REQUEST => (MAX_METADATA + 512, MAX_PAYLOAD),
        RESPONSE | DATA => (MAX_METADATA, MAX_PAYLOAD),
        ERROR => (4096, 0),
        END | CANCEL | WINDOW => (0, 0),
        PING | PONG => (0, 8),
        _ => return None,
    };
    Some(Rule {
        metadata,
        payload,
        flags: if kind == REQUEST || kind == RESPONSE { MORE } else { 0 },
        id: kind != PING && kind != PONG,
        sequence: kind == DATA,
        argument: kind == REQUEST || kind == WINDOW,
    })
}

pub async fn read_frame<R: AsyncRead + Unpin>(from: &mut R) -> Result<Frame, Fault> {
    let mut head = [0u8; HEADER_BYTES];
    if from.read(&mut head[..1]).await? == 0 {
        return Err(Fault::End);
    }
    from.read_exact(&mut head[1..]).await?;
    let word = |at: usize| u32::from_be_bytes(head[at..at + 4].try_into().expect("four bytes"));
    let flags = u16::from_be_bytes([head[2], head[3]]);
    let (id, sequence, argument) = (word(4), word(8), word(12));
    let (metadata, payload) = (word(16), word(20));
    if head[0] != 1 {
        return Err(Fault::Garbage(format!("version {}", head[0])));
    }
    let kind = head[1];
    let rule = rule(kind).ok_or_else(|| Fault::Garbage(format!("type {kind}")))?;
    if flags & !rule.flags != 0
        || (id != 0) != rule.id
        || (sequence != 0 && !rule.sequence)
        || (argument != 0 && !rule.argument)
    {
        return Err(Fault::Garbage(format!("a field without a meaning in type {kind}")));
    }
    if metadata > rule.metadata || payload > rule.payload {
        return Err(Fault::Oversize(format!("type {kind} with {metadata} and {payload} bytes")));
    }
    let mut frame = Frame { kind, flags, id, sequence, argument, ..Frame::default() };
    frame.metadata = vec![0; metadata as usize];
    from.read_exact(&mut frame.metadata).await?;
    frame.payload = vec![0; payload as usize];
    from.read_exact(&mut frame.payload).await?;
    Ok(frame)
}

/// The one encoding of a value: maps in bytewise order of their encoded keys.
pub fn to_cbor(value: &Value) -> Vec<u8> {
    fn ordered(value: &Value) -> Value {
        match value {
            Value::Map(entries) => {
                let mut entries: Vec<_> = entries.iter().map(|(key, item)| (key.clone(), ordered(item))).collect();
                entries.sort_by_key(|(key, _)| {
                    let mut bytes = Vec::new();
                    ciborium::into_writer(key, &mut bytes).expect("memory takes all");
                    bytes
                });
                Value::Map(entries)
            }
            Value::Array(items) => Value::Array(items.iter().map(ordered).collect()),
            other => other.clone(),
        }
    }
    let mut bytes = Vec::new();
    ciborium::into_writer(&ordered(value), &mut bytes).expect("memory takes all");
    bytes
}

pub fn from_cbor(bytes: &[u8]) -> Result<Value, Fault> {
    ciborium::from_reader(bytes).map_err(|error| Fault::Garbage(error.to_string()))
}

/// Metadata off the wire; none at all is the empty map.
pub fn read_metadata(bytes: &[u8]) -> Result<Value, Fault> {
    if bytes.is_empty() { Ok(Value::Map(vec![])) } else { from_cbor(bytes) }
}

/// Metadata to the wire.
pub fn write_metadata(value: &Value) -> Vec<u8> {
    match value {
        Value::Map(entries) if entries.is_empty() => Vec::new(),
        other => to_cbor(other),
    }
}

pub fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

pub fn field<'a>(map: &'a Value, name: &str) -> Option<&'a Value> {
    map.as_map()?.iter().find(|(key, _)| key.as_text() == Some(name)).map(|(_, value)| value)
}

pub fn request(call_id: &[u8], method: &str, metadata: Value) -> Vec<u8> {
    to_cbor(&Value::Map(vec![
        (text("i"), Value::Bytes(call_id.to_vec())),
        (text("m"), text(method)),
        (text("v"), metadata),
    ]))
}

pub fn error(code: &str, message: &str, retry_after: Option<u64>, status: Option<u64>) -> Vec<u8> {
    let mut map = vec![(text("c"), text(code)), (text("m"), text(message))];
    if let Some(seconds) = retry_after {
        map.push((text("r"), Value::from(seconds)));
    }
    if let Some(status) = status {
        map.push((text("s"), Value::from(status)));
    }
    to_cbor(&Value::Map(map))
}

pub fn error_json(bytes: &[u8]) -> Result<Json, Fault> {
    let map = from_cbor(bytes)?;
    let mut out = serde_json::Map::new();
    for (short, long) in [("c", "code"), ("m", "message"), ("r", "retryAfter"), ("s", "status")] {
        if let Some(value) = field(&map, short) {
            out.insert(long.to_owned(), to_json(value));
        }
    }
    Ok(Json::Object(out))
}

/// JSON whose whole numbers are integers, as in CBOR.
pub fn from_json(value: &Json) -> Value {
    match value {
        Json::Null => Value::Null,
        Json::Bool(flag) => Value::Bool(*flag),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(whole), _) => Value::from(whole),
            (None, Some(whole)) => Value::from(whole),
            _ => Value::Float(number.as_f64().unwrap_or_default()),
        },
        Json::String(words) => text(words),
        Json::Array(items) => Value::Array(items.iter().map(from_json).collect()),
        Json::Object(entries) => Value::Map(entries.iter().map(|(key, item)| (text(key), from_json(item))).collect()),
    }
}

pub fn to_json(value: &Value) -> Json {
    match value {
        Value::Bool(flag) => json!(flag),
        Value::Integer(number) => json!(i64::try_from(*number).unwrap_or_default()),
        Value::Float(number) => json!(number),
        Value::Text(words) => json!(words),
        Value::Bytes(bytes) => json!(hex(bytes)),
        Value::Array(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(entries) => Json::Object(
            entries.iter().map(|(key, item)| (key.as_text().unwrap_or_default().to_owned(), to_json(item))).collect(),
        ),
        _ => Json::Null,
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || digits.len() % 2 != 0 {
        return None;
    }
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok()).collect()
}
