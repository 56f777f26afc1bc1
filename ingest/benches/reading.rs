//! From a body to the lines for the queue, format by format; and what the gate takes.
#![expect(clippy::expect_used, reason = "a benchmark that cannot begin has nobody to tell but its reader")]

use std::hint::black_box;

use config::{GateConfig, HmacConfig, Secret};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HeaderValue};
use ingest::gate::Gate;
use ingest::source::{Context, Endpoint, parse, text_of};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::Fingerprint;
use model::envelope::{EnvelopeId, encode};
use testkit::bodies;

/// As many keys as are in use while they are exchanged.
const KEYS: [&str; 2] = ["new-key", "old-key"];

fn context() -> Context {
    let received_at = Timestamp::UNIX_EPOCH;
    let id = EnvelopeId::new(received_at, [7; 10]);
    Context {
        id,
        received_at,
        endpoint: Endpoint::Any,
        timezone: TimeZone::UTC,
        origin: String::new(),
        ignore_labels: [].into(),
        keep_labels: [].into(),
        people: Vec::new(),
        sources: [].into(),
        named_source: None,
    }
}

/// As ingest does it: what was read is written at once, and never owned.
fn read_and_write(body: &[u8], context: &Context) -> usize {
    let text = text_of(body);
    let parsed = parse(&text, context).expect("a body that is understood");
    encode(&parsed.envelope).expect("an envelope that can be written").len()
}

fn reading(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("body to lines");
    let context = context();
    for (source, golden) in [("alertmanager", bodies::ALERTMANAGER), ("grafana", bodies::GRAFANA)] {
        for alerts in [1, 10, 100] {
            let body = bodies::group(golden, alerts);
            group.throughput(Throughput::Elements(alerts as u64));
            group.bench_with_input(BenchmarkId::new(source, alerts), body.as_bytes(), |bencher, body| {
                bencher.iter(|| read_and_write(black_box(body), &context));
            });
        }
    }
    for (source, golden) in [
        ("grafana_legacy", bodies::GRAFANA_LEGACY),
        ("custom", bodies::CUSTOM),
        ("loki_feishu", bodies::LOKI_FEISHU),
    ] {
        group.throughput(Throughput::Elements(1));
        group.bench_with_input(BenchmarkId::new(source, 1), golden.as_bytes(), |bencher, body| {
            bencher.iter(|| read_and_write(black_box(body), &context));
        });
    }
    group.finish();
}

fn fingerprint(criterion: &mut Criterion) {
    let labels = [
        ("alertname", "NodeDiskFull"),
        ("instance", "10.4.0.7:9100"),
        ("mountpoint", "/var/lib"),
        ("namespace", "storage"),
        ("severity", "critical"),
    ];
    criterion.bench_function("fingerprint of 5 labels", |bencher| {
        bencher.iter(|| Fingerprint::of_pairs(black_box(labels)));
    });
}

fn gate(criterion: &mut Criterion) {
    let api_keys = KEYS.map(Secret::new).to_vec();
    let secrets = KEYS.map(Secret::new).to_vec();
    let config = GateConfig {
        api_keys,
        hmac: HmacConfig { secrets, ..HmacConfig::default() },
        ..GateConfig::default()
    };
    let gate = Gate::new(&config);
    let mut group = criterion.benchmark_group("gate");
    for (name, value) in [
        ("the older of two keys", Some("Bearer old-key")),
        ("a wrong key", Some("Bearer x")),
        ("nothing", None),
    ] {
        let mut headers = HeaderMap::new();
        headers.extend(value.map(|value| (AUTHORIZATION, HeaderValue::from_static(value))));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                gate.check_credentials(black_box(&headers), Endpoint::Any, None, Timestamp::UNIX_EPOCH)
                    .is_ok()
            });
        });
    }
    group.finish();
}

criterion_group!(benches, reading, fingerprint, gate);
criterion_main!(benches);
