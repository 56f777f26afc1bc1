//! What holds for every body, whoever wrote it: the properties of `ingest/tests/properties.rs` and a limit on memory.

use ingest::source::{Context, Endpoint, parse, text_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::Alert;
use model::envelope::{ENVELOPE_ALERTS_MAX, ENVELOPE_BYTES_MAX, EnvelopeId, decode, encode};

/// What a body may take at its most, in bytes, as a multiple of its length and beside that: the shortest alert has 18
/// bytes and takes some hundreds.
const MEMORY_MULTIPLE: u64 = 64;
const MEMORY_BESIDE: u64 = 1024 * 1024;
/// What one alert may take on the wire: its labels and annotations are bounded, and JSON writes a byte as six at most.
const ALERT_BYTES_MAX: usize = 1024 * 1024;
/// Reasons go into answers and logs.
const REASON_BYTES_MAX: usize = 1024;

/// Panics unless the body is refused with a reason, or becomes lines that keep their limits and say the same.
pub fn holds(body: &[u8], endpoint: Endpoint) {
    holds_in(body, &context(endpoint));
}

/// The same of a body that comes in another way, or where there are formats of an operator's own.
pub fn holds_in(body: &[u8], context: &Context) {
    let used = allocation_counter::measure(|| become_lines(body, context));
    let room = MEMORY_MULTIPLE * body.len() as u64 + MEMORY_BESIDE;
    assert!(used.bytes_max <= room, "{} bytes for a body of {}", used.bytes_max, body.len());
    compare(body, context);
}

/// What is known of a request whose address says nothing more.
pub fn context(endpoint: Endpoint) -> Context {
    let received_at = Timestamp::UNIX_EPOCH;
    Context {
        id: EnvelopeId::new(received_at, [7; 10]),
        received_at,
        endpoint,
        timezone: TimeZone::UTC,
        origin: String::new(),
        ignore_labels: [].into(),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    }
}

fn become_lines(body: &[u8], context: &Context) {
    let text = text_of(body);
    if let Ok(parsed) = parse(&text, context) {
        encode(&parsed.envelope).expect("our own types can be written");
    }
}

fn compare(body: &[u8], context: &Context) {
    let text = text_of(body);
    let parsed = match parse(&text, context) {
        Ok(parsed) => parsed,
        Err(error) => {
            let reason = error.to_string();
            assert!((1..=REASON_BYTES_MAX).contains(&reason.len()), "{reason}");
            return;
        }
    };
    let mut alerts = Vec::new();
    for line in &encode(&parsed.envelope).expect("our own types can be written") {
        let part = decode(&line.bytes).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!((part.source, part.alerts.len()), (parsed.envelope.source, line.alerts));
        assert!(line.alerts <= ENVELOPE_ALERTS_MAX);
        let bytes_max = if line.alerts == 1 { ALERT_BYTES_MAX } else { ENVELOPE_BYTES_MAX };
        assert!(line.bytes.len() <= bytes_max, "{} alerts in {} bytes", line.alerts, line.bytes.len());
        alerts.extend(part.alerts.into_iter().map(Alert::into_owned));
    }
    assert_eq!(alerts, parsed.envelope.alerts);
}
