//! What is counted, and that a scrape can be relied on from the start.

use std::process::Stdio;

use model::envelope::Source;
use prometheus::TextEncoder;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use crate::client::{CUSTOM, post};
use crate::harness::Harness;

#[tokio::test]
async fn requests_and_alerts_are_counted_by_source_and_outcome() {
    let harness = Harness::open();
    post(harness.address, CUSTOM).await;
    post(harness.address, CUSTOM).await;
    post(harness.address, "{}").await;
    post(harness.address, "{").await;
    for (labels, count) in [
        (r#"code="accepted",source="custom""#, 2.0),
        (r#"code="unknown_format",source="alertmanager""#, 1.0),
        (r#"code="not_json",source="unknown""#, 1.0),
        (r#"code="queue_busy",source="grafana""#, 0.0),
    ] {
        let counted = harness.metric(&format!("larkfire_ingest_requests_total{{{labels}}}"));
        assert!((counted - count).abs() < f64::EPSILON, "{labels}: {counted}");
    }
    for (name, count) in [
        (r#"larkfire_ingest_alerts_accepted_total{source="custom"}"#, 2.0),
        ("larkfire_ingest_accept_duration_seconds_count", 2.0),
    ] {
        assert!((harness.metric(name) - count).abs() < f64::EPSILON, "{name}");
    }
}

#[tokio::test]
async fn every_series_is_there_from_the_first_scrape() {
    let harness = Harness::open();
    for source in Source::ALL.map(Source::as_str) {
        harness.metric(&format!("larkfire_ingest_alerts_accepted_total{{source=\"{source}\"}}"));
        harness
            .metric(&format!("larkfire_ingest_requests_total{{code=\"memory_full\",source=\"{source}\"}}"));
    }
    harness.metric("larkfire_ingest_open_connections");
}

#[tokio::test]
async fn the_names_keep_to_prometheus_conventions() {
    let harness = Harness::open();
    let text = TextEncoder::new().encode_to_string(&harness.registry.gather()).unwrap();
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
