//! What is posted to Feishu's addresses: a stranger is never believed, whatever he sends.
#![no_main]

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use ingest::fuzzing::{callback, lark};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

/// No fuzzer guesses it.
const SECRET: &str = "6f1d8b0e5c3a49d7a2e4c19b7f30d865";
const NAMES: [&str; 3] = ["x-lark-request-timestamp", "x-lark-request-nonce", "x-lark-signature"];

// The first three lines are headers, the rest is the body.
fuzz_target!(|data: &[u8]| {
    let mut parts = data.splitn(NAMES.len() + 1, |byte| *byte == b'\n');
    let mut headers = HeaderMap::new();
    for name in NAMES {
        let Some(value) = parts.next() else { return };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let body = parts.next().unwrap_or_default();
    for config in [lark(Some(SECRET), Some(SECRET)), lark(Some(SECRET), None), lark(None, Some(SECRET))] {
        assert!(!callback(&config, &headers, body, Timestamp::UNIX_EPOCH), "a stranger was believed");
    }
});
