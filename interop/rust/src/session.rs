//! One end of a session, once it was accepted: order, windows and ends of both directions.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use futures::AsyncRead;
use tokio::sync::{Notify, mpsc};

use crate::frames::{CANCEL, DATA, END, ERROR, Fault, Frame, PING, PONG, WINDOW, WINDOW_BYTES, error_json, read_frame};
use crate::serve::Writer;

pub struct SessionEnd {
    writer: Writer,
    messages: std::sync::Mutex<Option<mpsc::UnboundedSender<Frame>>>,
    out: AtomicUsize,
    sequence: AtomicUsize,
    over: AtomicBool,
    room: Notify,
    /// Windows that the other side granted.
    pub grants: AtomicUsize,
}

impl SessionEnd {
    pub fn new(writer: Writer) -> (Self, mpsc::UnboundedReceiver<Frame>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let end = SessionEnd {
            writer,
            messages: std::sync::Mutex::new(Some(sender)),
            out: AtomicUsize::new(0),
            sequence: AtomicUsize::new(0),
            over: AtomicBool::new(false),
            room: Notify::new(),
            grants: AtomicUsize::new(0),
        };
        (end, receiver)
    }

    /// Waits while the window is full. False when the session is over.
    pub async fn send(&self, metadata: Vec<u8>, payload: Vec<u8>) -> bool {
        loop {
            let room = self.room.notified();
            if self.over.load(Ordering::SeqCst) {
                return false;
            }
            if self.out.load(Ordering::SeqCst) < WINDOW_BYTES {
                break;
            }
            room.await;
        }
        let sequence = self.sequence.fetch_add(1, Ordering::SeqCst) as u32;
        let frame = Frame { sequence, metadata, payload, ..Frame::new(DATA, 1) };
        self.out.fetch_add(frame.cost(), Ordering::SeqCst);
        self.writer.frame(frame).await.is_ok()
    }

    /// No more messages from this side.
    pub async fn end(&self) {
        if !self.over.load(Ordering::SeqCst) && self.writer.frame(Frame::new(END, 1)).await.is_err() {
            self.finish();
        }
    }

    fn finish(&self) {
        self.over.store(true, Ordering::SeqCst);
        self.room.notify_one();
        self.ended();
    }

    fn ended(&self) -> bool {
        self.messages.lock().expect("nobody panics with it").take().is_some()
    }

    /// Reads until an error, the stream's end, or, where this side opened the session, the other side's end. Returns what
    /// was wrong.
    pub async fn read<R: AsyncRead + Unpin>(&self, reader: &mut R, opener: bool) -> Option<String> {
        let fault = self.read_all(reader, opener).await;
        if fault.is_some() {
            self.finish();
        }
        fault
    }

    async fn read_all<R: AsyncRead + Unpin>(&self, reader: &mut R, opener: bool) -> Option<String> {
        let (mut held, mut next, mut ended) = (0, 0, false);
        loop {
            let frame = match read_frame(reader).await {
                Ok(frame) => frame,
                Err(Fault::End) if ended => return None,
                Err(fault) => return Some(fault.to_string()),
            };
            match frame.kind {
                DATA => {
                    if ended || frame.sequence != next {
                        return Some(format!("data {} came instead of {next}", frame.sequence));
                    }
                    next += 1;
                    held += frame.cost();
                    if let Some(messages) = &*self.messages.lock().expect("nobody panics with it") {
                        // Nobody reads on once the test has what it wants.
                        let _ = messages.send(frame);
                    }
                    // Granted in steps of a megabyte, as bytes are taken.
                    if held >= WINDOW_BYTES / 4 {
                        let window = Frame { argument: held as u32, ..Frame::new(WINDOW, 1) };
                        if let Err(error) = self.writer.frame(window).await {
                            return Some(error.to_string());
                        }
                        held = 0;
                    }
                }
                WINDOW => {
                    if self.out.load(Ordering::SeqCst) < frame.argument as usize {
                        return Some("more was granted than is out".to_owned());
                    }
                    self.out.fetch_sub(frame.argument as usize, Ordering::SeqCst);
                    self.grants.fetch_add(1, Ordering::SeqCst);
                    self.room.notify_one();
                }
                END => {
                    ended = true;
                    self.ended();
                    if opener {
                        return None;
                    }
                }
                CANCEL => return Some("cancelled".to_owned()),
                ERROR => {
                    return Some(
                        error_json(&frame.metadata).map_or_else(|fault| fault.to_string(), |it| it.to_string()),
                    );
                }
                PING => {
                    let pong = Frame { payload: frame.payload, ..Frame::new(PONG, 0) };
                    if let Err(error) = self.writer.frame(pong).await {
                        return Some(error.to_string());
                    }
                }
                PONG => {}
                other => return Some(format!("type {other} has no place in a session")),
            }
        }
    }
}
