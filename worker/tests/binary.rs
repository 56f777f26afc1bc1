//! The binary itself, between a real broker and the preview.

use std::time::Duration;

use bytes::Bytes;
use prometheus::Registry;
use shared::config::{QueueConfig, Secret};
use shared::lifecycle::Lifecycle;
use shared::queue::rabbitmq::RabbitMq;
use shared::queue::rabbitmq::topology::Names;
use shared::queue::{Destination, Headers, Message, Publisher, QueueMetrics};
use testkit::prefix::unique_prefix;
use testkit::process::Launch;
use testkit::rabbitmq::{Leftovers, amqp_url};
use testkit::wait_until::wait_until;
use testkit::{http, ports};

const WITHIN: Duration = Duration::from_secs(20);
const LINE: &str = concat!(
    r#"{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-0123456789ab","received_at":"2024-01-15T10:34:58Z","#,
    r#""source":"alertmanager","receiver":"nobody","group_key":"g","alerts":[{"fingerprint":"abc123","#,
    r#""status":"firing","starts_at":"2024-01-15T10:30:00Z","labels":{"alertname":"DiskFull"}}]}"#
);

fn worker() -> Launch {
    Launch::program(env!("CARGO_BIN_EXE_larkfire-worker")).directory(env!("CARGO_TARGET_TMPDIR"))
}

#[tokio::test]
async fn without_a_broker_to_go_to_it_says_what_to_set() {
    let process = worker().variable("LARKFIRE_ADMIN_LISTEN", ports::free_address().to_string()).start();
    let (status, printed) = process.finish(WITHIN).await;
    assert_eq!(status.code(), Some(64));
    assert!(printed.contains("AMQP_URL"), "{printed}");
}

#[tokio::test]
async fn without_a_webhook_it_previews_what_comes_off_the_broker() {
    let (prefix, admin) = (unique_prefix(), ports::free_address());
    let topology = Names::new(prefix.clone(), 1).topology();
    let _leftovers = Leftovers::new()
        .queues(topology.queues.iter().map(|queue| queue.name.clone()))
        .exchanges(topology.exchanges.iter().map(|exchange| exchange.name.clone()));
    let folder = tempfile::tempdir().unwrap();
    let mut process = worker()
        .directory(folder.path())
        .variable("AMQP_URL", amqp_url())
        .variable("LARKFIRE_QUEUE_PREFIX", &prefix)
        .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
        .start();
    let page = |path: &str| format!("http://{admin}{path}");
    wait_until(WITHIN, "readiness", async || match http::get(&page("/readyz")).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;

    publish(prefix).await;
    let cards = wait_until(WITHIN, "a card", async || {
        let cards = http::get(&page("/preview/cards.json")).await.unwrap().json();
        if cards[0].is_null() { Err("none yet") } else { Ok(cards) }
    })
    .await;
    assert_eq!(cards[0]["card"]["header"]["title"]["content"], "[告警] DiskFull");
    assert!(process.output().contains("┏━ [告警] DiskFull"), "{}", process.output());
    let metrics = http::get(&page("/metrics")).await.unwrap();
    assert!(metrics.text().contains("larkfire_alerts_total{outcome=\"told\"} 1"), "{}", metrics.text());

    process.terminate();
    assert_eq!(process.wait(WITHIN).await.code(), Some(0), "{}", process.output());
}

#[expect(clippy::unwrap_used, reason = "a helper that fails has to fail its test")]
async fn publish(prefix: String) {
    let config = QueueConfig {
        url: Secret::new(amqp_url()),
        prefix,
        shards: 1,
        publish_connections: 1,
        publish_window: 8,
        publish_timeout: Duration::from_secs(10),
        prefetch: 8,
    };
    let (lifecycle, metrics) = (Lifecycle::default(), QueueMetrics::register(&Registry::new()).unwrap());
    let rabbit = RabbitMq::new(&config, &lifecycle, metrics).unwrap();
    let publisher = rabbit.publisher(lifecycle.readiness.condition("publishing"));
    let message = |to| Message { to, body: Bytes::from_static(LINE.as_bytes()), headers: Headers::default() };
    wait_until(WITHIN, "a confirm", async || {
        publisher.publish(vec![message(Destination::Alerts { shard_key: 0 })]).await
    })
    .await;
    lifecycle.drain(WITHIN).await;
}

#[tokio::test]
async fn a_command_says_what_is_wrong_with_it_and_where_to_look() {
    let folder = tempfile::tempdir().unwrap();
    for (words, code, says) in [
        ("dead-letters list", 1, "there is no database at ./data/larkfire.db"),
        ("dead-letters list --reason bored", 64, "expected one of refused, gave_up"),
        ("dead-letters replay --all --rate never", 64, "letters per second"),
        ("trace", 64, "FINGERPRINT|ENVELOPE"),
        (
            "dead-letters replay --help",
            0,
            "what was told or resolved since the\nletter died is not told again",
        ),
    ] {
        let launch = words.split(' ').fold(worker().directory(folder.path()), Launch::argument);
        let (status, printed) = launch.start().finish(WITHIN).await;
        assert_eq!(status.code(), Some(code), "{words}: {printed}");
        assert!(printed.contains(says), "{words}: {printed}");
    }
}
