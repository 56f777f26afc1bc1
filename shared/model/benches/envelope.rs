//! The wire format, both ways.
#![expect(clippy::expect_used, reason = "a benchmark that cannot begin has nobody to tell but its reader")]

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use model::envelope::{decode, encode};
use testkit::bodies;

fn both_ways(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("line");
    for alerts in [1, 10, 100] {
        let line = bodies::line(alerts, 0);
        let envelope = decode(line.as_bytes()).expect("a line of the wire format");
        group.throughput(Throughput::Elements(alerts as u64));
        group.bench_function(BenchmarkId::new("decode", alerts), |bencher| {
            bencher.iter(|| decode(black_box(line.as_bytes())).is_ok());
        });
        group.bench_function(BenchmarkId::new("encode", alerts), |bencher| {
            bencher.iter(|| encode(black_box(&envelope)).expect("an envelope that can be written"));
        });
        group.bench_function(BenchmarkId::new("copy", alerts), |bencher| {
            bencher.iter(|| black_box(&envelope).clone().into_owned());
        });
    }
    group.finish();
}

criterion_group!(benches, both_ways);
criterion_main!(benches);
