//! What this peer answers to calls and sessions that Kith opens.

use std::collections::HashMap;
use std::sync::Arc;

use futures::io::{BufReader, ReadHalf, WriteHalf};
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::{PeerId, Stream};
use serde_json::json;
use tokio::sync::Mutex;

use crate::control::Shared;
use crate::frames::{
    CANCEL, ERROR, Frame, MORE, PING, PONG, REQUEST, RESPONSE, error, field, from_cbor, read_frame, write_metadata,
};
use crate::session::SessionEnd;

/// The half of a stream that frames are written to, by one task at a time.
#[derive(Clone)]
pub struct Writer(Arc<Mutex<WriteHalf<Stream>>>);

impl Writer {
    pub fn new(half: WriteHalf<Stream>) -> Self {
        Writer(Arc::new(Mutex::new(half)))
    }

    pub async fn frame(&self, frame: Frame) -> std::io::Result<()> {
        self.bytes(&frame.encode()).await
    }

    pub async fn bytes(&self, bytes: &[u8]) -> std::io::Result<()> {
        let mut half = self.0.lock().await;
        half.write_all(bytes).await?;
        half.flush().await
    }

    pub async fn close(&self) {
        // What is closed already stays so.
        let _ = self.0.lock().await.close().await;
    }
}

pub fn split(stream: Stream) -> (BufReader<ReadHalf<Stream>>, Writer) {
    let (reader, writer) = stream.split();
    (BufReader::with_capacity(64 * 1024, reader), Writer::new(writer))
}

/// A stream that the other side opened: its calls one after the other, or its one session.
pub async fn serve(shared: Arc<Shared>, peer: PeerId, stream: Stream) {
    let (mut reader, writer) = split(stream);
    let mut waiting = HashMap::new();
    loop {
        let frame = match read_frame(&mut reader).await {
            Ok(frame) => frame,
            Err(fault) => {
                shared.event(json!({ "event": "stream_over", "peer": peer.to_string(), "why": fault.to_string() }));
                break;
            }
        };
        let done = match frame.kind {
            PING => {
                shared.count("framePings");
                writer.frame(Frame { payload: frame.payload, ..Frame::new(PONG, 0) }).await
            }
            PONG => Ok(()),
            CANCEL => {
                if waiting.remove(&frame.id).is_some() {
                    shared.event(json!({ "event": "cancelled", "peer": peer.to_string() }));
                }
                Ok(())
            }
            REQUEST if frame.flags == MORE => {
                serve_session(&shared, reader, writer, frame).await;
                return;
            }
            REQUEST => answer(&shared, frame, &mut waiting, &writer).await,
            _ => break,
        };
        if done.is_err() {
            break;
        }
    }
    writer.close().await;
}

fn unknown(id: u32) -> Frame {
    Frame {
        metadata: error("swarm_unknown_method", "There is no such method.", None, Some(404)),
        ..Frame::new(ERROR, id)
    }
}

async fn answer(shared: &Shared, frame: Frame, waiting: &mut HashMap<u32, ()>, writer: &Writer) -> std::io::Result<()> {
    let invalid = |what: &str| std::io::Error::new(std::io::ErrorKind::InvalidData, what.to_owned());
    let request = from_cbor(&frame.metadata).map_err(|fault| invalid(&fault.to_string()))?;
    if field(&request, "i").and_then(|id| id.as_bytes()).map(Vec::len) != Some(16) {
        return Err(invalid("the call has no id"));
    }
    match field(&request, "m").and_then(|method| method.as_text()).unwrap_or_default() {
        "interop/reverse" => {
            shared.count("calls");
            let mut metadata = field(&request, "v").cloned().ok_or_else(|| invalid("no metadata"))?;
            if let Some(map) = metadata.as_map_mut() {
                map.push(("bytes".into(), (frame.payload.len() as u64).into()));
                map.push(("deadline".into(), (frame.argument > 0).into()));
            }
            let mut payload = frame.payload;
            payload.reverse();
            writer.frame(Frame { metadata: write_metadata(&metadata), payload, ..Frame::new(RESPONSE, frame.id) }).await
        }
        "interop/refuse" => {
            let metadata = error("interop_refused", "Refused, as asked for.", Some(7), Some(429));
            writer.frame(Frame { metadata, ..Frame::new(ERROR, frame.id) }).await
        }
        "interop/oversize" => {
            let mut head = Frame::new(RESPONSE, frame.id).encode();
            // One byte more than an answer may have.
            head[20..24].copy_from_slice(&[1, 0, 0, 1]);
            writer.bytes(&head).await
        }
        "interop/wait" => {
            waiting.insert(frame.id, ());
            shared.event(json!({ "event": "waiting" }));
            Ok(())
        }
        // Kith asks for a lane; without one all goes over streams.
        method => {
            if method == "/kith/lane/1" {
                shared.count("lanes");
            }
            writer.frame(unknown(frame.id)).await
        }
    }
}

/// Sends back each message of a session; the opener ends it.
async fn serve_session(shared: &Shared, mut reader: BufReader<ReadHalf<Stream>>, writer: Writer, frame: Frame) {
    let method = from_cbor(&frame.metadata).ok().and_then(|request| field(&request, "m").cloned());
    if method.as_ref().and_then(|method| method.as_text()) != Some("interop/mirror") {
        // The opener closes a stream whose session was refused, whatever becomes of this frame.
        let _ = writer.frame(unknown(1)).await;
        writer.close().await;
        return;
    }
    shared.count("sessions");
    let accepted = writer.frame(Frame { flags: MORE, ..Frame::new(RESPONSE, 1) }).await;
    let (end, mut received) = SessionEnd::new(writer.clone());
    let mirror = async {
        while let Some(message) = received.recv().await {
            if !end.send(message.metadata, message.payload).await {
                return;
            }
        }
        end.end().await;
        writer.close().await;
    };
    // Windows are granted to this side beyond the other's end, until it closes the stream.
    let (fault, ()) = tokio::join!(end.read(&mut reader, false), mirror);
    if let Some(why) = fault.or(accepted.err().map(|error| error.to_string())) {
        shared.event(json!({ "event": "session_over", "why": why }));
    }
}
