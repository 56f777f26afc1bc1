//! Bodies of the Loki-Feishu format.
#![no_main]

use ingest::source::Endpoint;
use larkfire_fuzz::{holds, mutate};
use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use serde_json::{Map, Value};

fuzz_target!(|body: &[u8]| holds(body, Endpoint::LokiFeishu));

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    mutate(data, size, max_size, seed, steer)
});

fn steer(fields: &mut Map<String, Value>) {
    let others = [
        "alerts",
        "evalMatches",
        "ruleId",
        "ruleName",
        "ruleUrl",
        "rule_url",
        "sender_id",
        "chat_id",
        "metadata",
    ];
    for other in others {
        fields.remove(other);
    }
    fields.entry("message").or_insert_with(|| "服务名称: order\n告警时间 2023-08-01T14:30:00".into());
}
