//! Bodies at the addresses of bots and of other bridges, which decide what a body is whose fields leave that open.
#![no_main]

use ingest::source::Endpoint;
use larkfire_fuzz::holds;
use libfuzzer_sys::fuzz_target;

const ENDPOINTS: [Endpoint; 6] = [
    Endpoint::AlertmanagerApi,
    Endpoint::FeishuBot,
    Endpoint::DingtalkBot,
    Endpoint::WecomBot,
    Endpoint::DingtalkBridge,
    Endpoint::PrometheusAlert,
];

// The first byte is the address, by its place in the list; `0` is the first. The rest is the body.
fuzz_target!(|data: &[u8]| {
    if let Some((place, body)) = data.split_first() {
        holds(body, ENDPOINTS[usize::from(place.wrapping_sub(b'0')) % ENDPOINTS.len()]);
    }
});
