//! What the ledger takes to decide, over an embedded database.
#![expect(clippy::expect_used, reason = "a benchmark that cannot begin has nobody to tell but its reader")]

use std::hint::black_box;
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, DedupConfig};
use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use model::alert::Alert;
use model::envelope::{Envelope, EnvelopeId, decode};
use prometheus::Registry;
use runtime::clock::Clock;
use tempfile::TempDir;
use testkit::bodies;
use tokio::runtime::{Builder, Runtime};
use worker::ledger::{Event, Ledger};
use worker::store::Store;

fn events<'e>(envelope: &'e Envelope<'_>, id: EnvelopeId) -> Vec<Event<'e>> {
    let event = |alert: &'e Alert<'_>| Event {
        receiver: "ops",
        fingerprint: alert.fingerprint.as_str(),
        status: alert.status,
        starts_at: alert.starts_at,
        ends_at: alert.ends_at,
        received_at: envelope.received_at,
        is_repeat: envelope.is_repeat,
        envelope: id,
        forced: false,
    };
    envelope.alerts.iter().map(event).collect()
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn ledger(folder: &TempDir, now: Timestamp) -> Ledger {
    let registry = Registry::new();
    let database = DatabaseConfig {
        url: None,
        tls: ClientTls::default(),
        connections: 1,
        timeout: Duration::from_secs(30),
    };
    let store = Store::open(&database, folder.path(), &registry).expect("a store");
    Ledger::new(store, DedupConfig::default(), Clock::from_fn(move || now), &registry).expect("a ledger")
}

/// What was delivered comes again: the cache answers, as for nearly everything two Alertmanagers send.
fn repeats(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger, delivered already");
    let runtime = runtime();
    let folder = TempDir::new().expect("a folder");
    for alerts in [1, 100] {
        let line = bodies::line(alerts, alerts);
        let envelope = decode(line.as_bytes()).expect("a line of the wire format");
        let ledger = ledger(&folder, envelope.received_at);
        let first = events(&envelope, envelope.id);
        runtime.block_on(async {
            ledger.observe(&first).await;
            ledger.delivered(&first).await;
        });
        let again = events(&envelope, envelope.id.part(1));
        group.throughput(Throughput::Elements(alerts as u64));
        group.bench_function(BenchmarkId::from_parameter(alerts), |bencher| {
            bencher.iter(|| runtime.block_on(ledger.observe(black_box(&again))));
        });
    }
    group.finish();
}

/// What nobody has seen: one look and one write of the database for all of them.
fn news(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("ledger, new");
    let runtime = runtime();
    let folder = TempDir::new().expect("a folder");
    let line = bodies::line(100, 0);
    let envelope = decode(line.as_bytes()).expect("a line of the wire format");
    let ledger = ledger(&folder, envelope.received_at);
    // Each time for another receiver: an alert is new once.
    let mut receivers = 0..u64::MAX;
    group.throughput(Throughput::Elements(100)).sample_size(20);
    group.bench_function("100", |bencher| {
        bencher.iter_batched(
            || receivers.next().map_or_else(String::new, |number| format!("ops-{number}")),
            |receiver| {
                let mut events = events(&envelope, envelope.id);
                for event in &mut events {
                    event.receiver = &receiver;
                }
                runtime.block_on(ledger.observe(black_box(&events)))
            },
            BatchSize::SmallInput,
        );
    });
    group.finish();
}

criterion_group!(benches, repeats, news);
criterion_main!(benches);
