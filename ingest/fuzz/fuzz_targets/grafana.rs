//! Bodies of Grafana's unified alerting.
#![no_main]

use ingest::source::Endpoint;
use larkfire_fuzz::{holds, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::{Map, Value, json};

fuzz_target!(|body: &[u8]| holds(body, Endpoint::Any));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, steer)
});

fn steer(fields: &mut Map<String, Value>) {
    fields.entry("alerts").or_insert_with(|| json!([{}]));
    fields.insert("version".to_owned(), "1".into());
}
