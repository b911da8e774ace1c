//! What the tests see of this peer: JSON lines on standard output.

use std::collections::HashMap;
use std::io::Write;
use std::sync::Mutex;

use serde_json::{Value as Json, json};

#[derive(Default)]
pub struct Shared {
    counts: Mutex<HashMap<&'static str, u64>>,
}

impl Shared {
    pub fn event(&self, value: Json) {
        let mut out = std::io::stdout().lock();
        // Who started this peer is gone when nobody reads: then it ends with its standard input.
        let _ = writeln!(out, "{value}").and_then(|()| out.flush());
    }

    pub fn answer(&self, id: u64, result: Result<Json, String>) {
        let mut value = result.unwrap_or_else(|error| json!({ "error": error }));
        value["id"] = json!(id);
        self.event(value);
    }

    pub fn count(&self, what: &'static str) {
        *self.counts.lock().expect("nobody panics with it").entry(what).or_default() += 1;
    }

    pub fn counts(&self) -> Json {
        json!({ "counts": *self.counts.lock().expect("nobody panics with it") })
    }
}
