//! From alerts to a card, and from Feishu's answer to what it means.
#![expect(clippy::expect_used, reason = "a benchmark that cannot begin has nobody to tell but its reader")]

use std::hint::black_box;

use config::{LinksConfig, Locale, SeverityWords};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::tz::TimeZone;
use model::envelope::{Envelope, decode};
use testkit::bodies;
use worker::feishu::{CARD_BYTES_MAX, verdict};
use worker::link;
use worker::render::{self, Item, Style};

/// How many alerts a line has where there are many.
const LINE_ALERTS: usize = 100;

fn style() -> Style {
    let grafana_url = "https://grafana.example/".parse().ok();
    let mut links = LinksConfig { grafana_url, ..LinksConfig::default() };
    links.loki.datasource_uid = Some("loki".to_owned());
    Style { timezone: TimeZone::UTC, locale: Locale::ZhCn, links, severities: SeverityWords::default() }
}

fn cards(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("card");
    let style = style();
    for alerts in [1, 100, 10_000_usize] {
        let lines: Vec<String> = (0..alerts.div_ceil(LINE_ALERTS))
            .map(|number| bodies::line(alerts.min(LINE_ALERTS), number))
            .collect();
        let envelopes: Vec<Envelope<'_>> =
            lines.iter().map(|line| decode(line.as_bytes()).expect("a line of the wire format")).collect();
        let items: Vec<Item<'_>> = envelopes.iter().flat_map(Item::all_of).collect();
        let now = envelopes[0].received_at;
        group.throughput(Throughput::Elements(alerts as u64));
        group.bench_function(BenchmarkId::from_parameter(alerts), |bencher| {
            bencher.iter(|| {
                let card = render::build(black_box(&items), &style, now, CARD_BYTES_MAX);
                serde_json::to_vec(&card).expect("a card that can be written")
            });
        });
    }
    group.finish();
}

fn links(criterion: &mut Criterion) {
    let style = style();
    let line = bodies::line(1, 0);
    let envelope = decode(line.as_bytes()).expect("a line of the wire format");
    let arrival = link::LinkContext::of(&envelope, envelope.received_at);
    criterion.bench_function("links of an alert", |bencher| {
        bencher.iter(|| link::of(black_box(&envelope.alerts[0]), arrival, &style.links));
    });
}

fn verdicts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("verdict");
    for (name, body) in [
        ("taken", r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#),
        ("too many", r#"{"code":11232,"data":{},"msg":"frequency limited psm[lark.oapi.app_platform]"}"#),
        ("a page of a proxy", "<html><body>Bad Gateway</body></html>"),
    ] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| verdict::read(200, black_box(body.as_bytes()), None));
        });
    }
    group.finish();
}

criterion_group!(benches, cards, links, verdicts);
criterion_main!(benches);
