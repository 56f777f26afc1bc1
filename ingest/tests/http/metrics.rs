//! What is counted, and that a scrape can be relied on from the start.

use std::process::Stdio;

use prometheus::TextEncoder;
use shared::envelope::Source;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::client::{CUSTOM, post};
use crate::house::House;

#[tokio::test]
async fn requests_and_alerts_are_counted_by_source_and_outcome() {
    let house = House::open();
    post(house.address, CUSTOM).await;
    post(house.address, CUSTOM).await;
    post(house.address, "{}").await;
    post(house.address, "{").await;
    for (labels, count) in [
        (r#"code="accepted",source="custom""#, 2.0),
        (r#"code="unknown_format",source="alertmanager""#, 1.0),
        (r#"code="not_json",source="unknown""#, 1.0),
        (r#"code="queue_busy",source="grafana""#, 0.0),
    ] {
        let counted = house.metric(&format!("larkfire_ingest_requests_total{{{labels}}}"));
        assert!((counted - count).abs() < f64::EPSILON, "{labels}: {counted}");
    }
    for (name, count) in [
        (r#"larkfire_ingest_alerts_accepted_total{source="custom"}"#, 2.0),
        ("larkfire_ingest_accept_duration_seconds_count", 2.0),
    ] {
        assert!((house.metric(name) - count).abs() < f64::EPSILON, "{name}");
    }
}

#[tokio::test]
async fn every_series_is_there_from_the_first_scrape() {
    let house = House::open();
    for source in Source::ALL.map(Source::as_str) {
        house.metric(&format!("larkfire_ingest_alerts_accepted_total{{source=\"{source}\"}}"));
        house.metric(&format!("larkfire_ingest_requests_total{{code=\"memory_full\",source=\"{source}\"}}"));
    }
    house.metric("larkfire_ingest_open_connections");
}

#[tokio::test]
async fn the_names_keep_to_prometheus_conventions() {
    let house = House::open();
    let text = TextEncoder::new().encode_to_string(&house.registry.gather()).unwrap();
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("promtool: {error}"));
    let mut stdin = promtool.stdin.take().unwrap();
    stdin.write_all(text.as_bytes()).await.unwrap();
    drop(stdin);
    let output = promtool.wait_with_output().await.unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
