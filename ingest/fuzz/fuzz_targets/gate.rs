//! Headers as strangers write them: the gate may not panic, and nobody gets through it without a credential.
#![no_main]

use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use ingest::gate::{Gate, Origin};
use ingest::source::Endpoint;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use config::{GateConfig, HmacConfig, Secret};

/// The fuzzer writes a line for each: the name's place in this list, then the value.
const NAMES: [&str; 7] = [
    "authorization",
    "x-grafana-alerting-signature",
    "x-grafana-alerting-timestamp",
    "x-signature",
    "x-timestamp",
    "x-forwarded-for",
    "forwarded",
];
/// No fuzzer guesses it.
const SECRET: &str = "6f1d8b0e5c3a49d7a2e4c19b7f30d865";

fuzz_target!(|data: &[u8]| {
    let lines = data.split(|byte| *byte == b'\n').filter_map(|line| {
        let (place, value) = line.split_first()?;
        let name = NAMES[usize::from(*place) % NAMES.len()];
        Some((HeaderName::from_static(name), HeaderValue::from_bytes(value).ok()?))
    });
    let headers: HeaderMap = lines.fold(HeaderMap::new(), |mut headers, (name, value)| {
        headers.append(name, value);
        headers
    });
    let mut hmac = HmacConfig::default();
    hmac.secrets = vec![Secret::new(SECRET)];
    let gate = Gate::new(&GateConfig {
        api_keys: vec![Secret::new(SECRET)],
        basic_auth: vec![Secret::new(format!("ops:{SECRET}"))],
        hmac,
        allowed_ips: vec!["192.0.2.1".parse().expect("an address")],
        trusted_proxies: vec!["10.0.0.0/8".parse().expect("a network")],
        ..GateConfig::default()
    });
    let stranger = Origin::known("203.0.113.9".parse().expect("an address"));
    assert!(
        !gate.admits_origin(gate.origin(stranger, &headers)),
        "a stranger's headers made him somebody else"
    );
    let proxy = Origin::known("10.0.0.1".parse().expect("an address"));
    let behind = gate.origin(proxy, &headers);
    assert!(behind.known || !gate.admits_origin(behind), "somebody unknown was admitted");
    let now = Timestamp::from_second(1_700_000_000).expect("a time");
    let checked = gate.check_credentials(&headers, Endpoint::Any, None, now);
    assert!(checked.and_then(|standing| gate.prove(&standing, data)).is_err(), "a guess was right");
});
