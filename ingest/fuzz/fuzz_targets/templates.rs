//! Templates and link rules of an operator, and a payload that they are drawn with: the card is drawn, or it is said why not.
#![no_main]

use config::{Environment, parse};
use ingest::source::Endpoint;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::json;
use standalone::explain::{PostAddress, explain};
use worker::preview::Colours;

/// Longer than any card is.
const TOLD_BYTES_MAX: usize = 4 * 1024 * 1024;

// The first line is what the alert says, the rest is the template.
fuzz_target!(|text: &str| {
    let (said, template) = text.split_once('\n').unwrap_or(("x", text));
    let settings = json!({ "template": "t", "templates": { "t": { "title": template, "body": template } } });
    let Ok(config) = parse("larkfire.yaml", &settings.to_string(), Environment::default()) else { return };
    let body = json!({ "alerts": [{ "labels": { "alertname": said }, "annotations": { "summary": said } }] });
    let way = PostAddress { endpoint: Endpoint::Any, receiver: None, origin: None };
    if let Ok(told) = explain(body.to_string().as_bytes(), way, &config, Timestamp::UNIX_EPOCH, Colours::Off) {
        assert!(told.len() <= TOLD_BYTES_MAX);
    }
});
