//! Bodies of the custom format.
#![no_main]

use ingest::source::Endpoint;
use larkfire_fuzz::{holds, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::{Map, Value};

fuzz_target!(|body: &[u8]| holds(body, Endpoint::Any));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, steer)
});

fn steer(fields: &mut Map<String, Value>) {
    for other in ["alerts", "evalMatches", "ruleId", "ruleName", "ruleUrl", "rule_url"] {
        fields.remove(other);
    }
    for own in ["message", "sender_id"] {
        fields.entry(own).or_insert_with(|| "服务: order".into());
    }
}
