//! What reading a body costs in memory, however it is made. In a program of its own, because its allocator counts.

use std::iter::repeat_n;

use ingest::expansion::expansion_bytes;
use ingest::source::{Context, Endpoint, parse, text_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::envelope::{EnvelopeId, encode};

/// The shortest alert that differs from others has 18 bytes and takes some hundreds; its line on the queue, 120.
const MULTIPLE_MAX: u64 = 64;
/// What real bodies take: the body's text is borrowed, and written once for the queue.
const REAL_MULTIPLE_MAX: u64 = 4;
/// What is expected of them before they are read. Of small alerts more than of others: each has maps of its own.
const EXPECTED_MULTIPLE_MAX: u64 = 7;
/// What any body may take beside that, in bytes: what is lent to alerts that have nothing of their own.
const BESIDE_BYTES: u64 = 1024 * 1024;

/// The most that was allocated at once, in bytes, from the body to the lines for the queue.
fn peak(body: &[u8], endpoint: Endpoint) -> u64 {
    let received_at = Timestamp::UNIX_EPOCH;
    let id = EnvelopeId::new(received_at, [7; 10]);
    let context = Context {
        id,
        received_at,
        endpoint,
        timezone: TimeZone::UTC,
        origin: String::new(),
        ignore_labels: [].into(),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    };
    let used = allocation_counter::measure(|| {
        let text = text_of(body);
        let _lines = parse(&text, &context).map(|parsed| encode(&parsed.envelope));
    });
    used.bytes_max
}

fn group(fields: &str, alert: &str, times: usize) -> String {
    format!("{{{fields}\"alerts\":[{}]}}", repeat_n(alert, times).collect::<Vec<_>>().join(","))
}

fn message(text: &str, times: usize) -> String {
    format!(r#"{{"sender_id":"x","message":"{}"}}"#, text.repeat(times))
}

/// As many pairs as labels may have, and as long as they may be.
fn pairs(name: &str) -> String {
    let pairs = (0..64).map(|index| format!(r#""n{index}":"{}""#, "x".repeat(500)));
    format!(r#""{name}":{{{}}},"#, pairs.collect::<Vec<_>>().join(","))
}

/// Bodies that are cheap to send and made to be dear to read.
fn nasty() -> Vec<(&'static str, String)> {
    let lent = [pairs("commonLabels"), pairs("commonAnnotations"), pairs("groupLabels")].concat();
    let address = format!(r#""externalURL":"http://{}","#, "x".repeat(8000));
    let values = format!(r#"{{"valueString":"{}"}}"#, "[ var='' value=1 ], ".repeat(10_000));
    let numbers = (0..64).map(|index| format!(r#""n{index}":{index}"#)).collect::<Vec<_>>().join(",");
    vec![
        ("alerts about nothing", group("", "{}", 99_000)),
        ("alerts known by a number", group("", r#"{"fingerprint":1}"#, 99_000)),
        ("alerts with one label", group("", r#"{"labels":{"a":1}}"#, 99_000)),
        ("alerts of Grafana", group(r#""orgId":1,"#, r#"{"labels":{"a":1},"values":{"a":1}}"#, 50_000)),
        ("alerts with numbers", group("", &format!(r#"{{"labels":{{{numbers}}}}}"#), 1000)),
        ("alerts that are lent everything", group(&lent, r#"{"fingerprint":1}"#, 99_000)),
        ("alerts about nothing that are lent everything", group(&lent, "{}", 99_000)),
        ("a long address in each part", group(&address, r#"{"fingerprint":1}"#, 99_000)),
        ("value strings", group(r#""orgId":1,"#, &values, 3)),
        ("series", format!(r#"{{"ruleName":"x","evalMatches":[{}{{}}]}}"#, "{},".repeat(300_000))),
        ("names", format!(r#"{{"message":"x","at_name":"{}"}}"#, "a,".repeat(500_000))),
        ("known words", message("服务名称 x\\n", 100_000)),
        ("short lines", message("a\\n", 100_000)),
        ("half pairs", message(r"\ud83d", 100_000)),
        ("control characters", message(r"\u0001", 100_000)),
        ("brackets that open", "[".repeat(1_000_000)),
        ("objects that open", r#"{"alerts":[{"labels":"#.repeat(50_000)),
        ("bytes that are no text", "\u{1}".repeat(1_000_000)),
    ]
}

#[test]
fn no_body_takes_more_than_its_length_allows() {
    let mut bodies: Vec<_> = nasty().into_iter().map(|(name, body)| (name, body.into_bytes())).collect();
    bodies.push(("bytes that are no UTF-8", vec![0xff; 1_000_000]));
    for (name, body) in bodies {
        for endpoint in [Endpoint::Any, Endpoint::LokiFeishu] {
            let peak = peak(&body, endpoint);
            let room = MULTIPLE_MAX * body.len() as u64 + BESIDE_BYTES;
            assert!(peak <= room, "{name}: {peak} bytes for a body of {} at {endpoint:?}", body.len());
        }
    }
}

#[test]
fn no_body_takes_more_than_is_expected_of_it_before_it_is_read() {
    for (name, body) in nasty() {
        let peak = peak(body.as_bytes(), Endpoint::Any);
        let expected = expansion_bytes(body.as_bytes()) as u64 + BESIDE_BYTES;
        assert!(peak <= expected, "{name}: {peak} bytes, and {expected} were expected");
    }
}

#[test]
fn a_group_as_alertmanager_sends_it_takes_a_few_times_its_length() {
    let body = include_str!("golden/alertmanager-firing.json");
    let value: serde_json::Value = serde_json::from_str(body).expect("a golden body is JSON");
    let large = group(r#""version":"4","#, &value["alerts"][0].to_string(), 5000);
    let expected = expansion_bytes(large.as_bytes()) as u64;
    assert!(
        expected <= EXPECTED_MULTIPLE_MAX * large.len() as u64,
        "{expected} bytes expected of a body of {}",
        large.len()
    );
    let peak = peak(large.as_bytes(), Endpoint::Any);
    assert!(peak <= REAL_MULTIPLE_MAX * large.len() as u64, "{peak} bytes for a body of {}", large.len());
}
