//! The binary itself, between a real broker and the preview.

use std::time::Duration;

use bytes::Bytes;
use config::{ClientTls, QueueConfig, Secret};
use prometheus::Registry;
use queue::rabbitmq::RabbitMq;
use queue::rabbitmq::topology::Names;
use queue::{Headers, Message, MessageDestination, Publisher, QueueMetrics};
use runtime::lifecycle::Lifecycle;
use sqlx::Connection;
use sqlx::mysql::MySqlConnection;
use testkit::mariadb::TestDatabase;
use testkit::prefix::unique_prefix;
use testkit::process::Launch;
use testkit::rabbitmq::{Leftovers, amqp_url};
use testkit::wait_until::wait_until;
use testkit::{http, ports};

use crate::commands::harness::json_in;

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
    assert!(printed.contains("queue.url: is needed: set AMQP_URL"), "{printed}");
    assert!(printed.contains("receivers: are needed: set FEISHU_WEBHOOK_URL"), "both at once: {printed}");
}

#[tokio::test]
async fn whose_certificates_to_believe_is_named_and_nothing_is_there_so_it_says_where_it_looked() {
    let folder = tempfile::tempdir().unwrap();
    let launch = worker()
        .directory(folder.path())
        .variable("AMQP_URL", amqp_url())
        .variable("LARKFIRE_QUEUE_PREFIX", unique_prefix())
        .variable("LARKFIRE_ADMIN_LISTEN", ports::free_address().to_string())
        .variable("LARKFIRE_PREVIEW", "true")
        .variable("SSL_CERT_FILE", folder.path().join("no-bundle.pem"));
    let (status, printed) = launch.start().finish(WITHIN).await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("no certificate of an authority is to be had from SSL_CERT_FILE="), "{printed}");
    assert!(printed.contains("/no-bundle.pem: put a bundle in PEM format there"), "{printed}");
}

#[tokio::test]
async fn with_a_slip_in_the_name_of_its_webhook_it_does_not_start_and_the_slip_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let launch = worker()
        .directory(folder.path())
        .variable("AMQP_URL", amqp_url())
        .variable("FEISHU_WEBHOOKURL", "https://open.feishu.cn/open-apis/bot/v2/hook/s3cret");
    let (status, printed) = launch.clone().start().finish(WITHIN).await;
    assert_eq!(status.code(), Some(64), "{printed}");
    assert!(printed.contains("receivers: are needed"), "{printed}");
    assert!(
        printed.contains(
            "FEISHU_WEBHOOKURL: is a variable of no setting and sets nothing: is FEISHU_WEBHOOK_URL meant?"
        ),
        "{printed}"
    );
    let launch = launch.argument("check").variable("LARKFIRE_PREVIEW", "true");
    for (option, code) in [("--json", 0), ("--strict", 1)] {
        let (status, printed) = launch.clone().argument(option).start().finish(WITHIN).await;
        assert_eq!(status.code(), Some(code), "{printed}");
        assert!(printed.contains("is FEISHU_WEBHOOK_URL meant?") && !printed.contains("s3cret"), "{printed}");
    }
}

#[tokio::test]
async fn asked_for_a_preview_it_shows_what_comes_off_the_broker_and_says_so() {
    let prefix = unique_prefix();
    let admin = ports::free_address();
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
        .variable("LARKFIRE_PREVIEW", "true")
        .start();
    let page = |path: &str| format!("http://{admin}{path}");
    let health = async |words: &[&str]| {
        let launch = words.iter().fold(worker().argument("health"), Launch::argument);
        launch.variable("LARKFIRE_ADMIN_LISTEN", admin.to_string()).start().finish(WITHIN).await
    };
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
    // Counted once the ledger has it, which is after the card.
    wait_until(WITHIN, "the outcome", async || {
        let answer = http::get(&page("/metrics")).await.unwrap();
        let shown = answer.text().to_owned();
        let is_counted = shown.contains("larkfire_alerts_total{outcome=\"delivered\"} 1");
        if is_counted && shown.contains("larkfire_previewing 1") { Ok(()) } else { Err(shown) }
    })
    .await;

    for words in [&[][..], &["--ready"]] {
        let (status, printed) = health(words).await;
        assert_eq!((status.code(), &*printed), (Some(0), ""), "{words:?}");
    }

    process.terminate();
    assert_eq!(process.wait(WITHIN).await.code(), Some(0), "{}", process.output());
    let (status, printed) = health(&[]).await;
    assert_eq!(status.code(), Some(1));
    assert!(printed.contains(&format!("{admin} does not answer")), "{printed}");
}

#[expect(clippy::unwrap_used, reason = "a helper that fails has to fail its test")]
async fn publish(prefix: String) {
    let config = QueueConfig {
        url: Secret::new(amqp_url()),
        tls: ClientTls::default(),
        prefix,
        shards: 1,
        publish_connections: 1,
        publish_window: 8,
        publish_timeout: Duration::from_secs(10),
        prefetch: 8,
    };
    let lifecycle = Lifecycle::default();
    let metrics = QueueMetrics::register(&Registry::new()).unwrap();
    let rabbit = RabbitMq::new(&config, &lifecycle, metrics).unwrap();
    let publisher = rabbit.publisher(lifecycle.readiness.condition("publishing"));
    let message = |to| Message { to, body: Bytes::from_static(LINE.as_bytes()), headers: Headers::default() };
    wait_until(WITHIN, "a confirm", async || {
        publisher.publish(vec![message(MessageDestination::Alerts { shard_key: 0 })]).await
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
        ("trace", 64, "NAME|FINGERPRINT|ENVELOPE"),
        ("routes test severity", 64, "expected a label, such as severity=critical"),
        ("routes test severity=critical", 0, "goes to the preview: no receiver is configured"),
        ("completions bash", 0, "COMPREPLY"),
        ("man", 0, ".TH larkfire-worker 1"),
        (
            "dead-letters replay --help",
            0,
            "what was delivered or resolved\nsince the letter was written is not delivered again",
        ),
    ] {
        let launch = words.split(' ').fold(worker().directory(folder.path()), Launch::argument);
        let (status, printed) = launch.start().finish(WITHIN).await;
        assert_eq!(status.code(), Some(code), "{words}: {printed}");
        assert!(printed.contains(says), "{words}: {printed}");
    }
}

/// A worker whose queues have a prefix of their own, and a database it may share with others.
struct Installed {
    prefix: String,
    folder: tempfile::TempDir,
    launch: Launch,
    admin: std::net::SocketAddr,
    _leftovers: Leftovers,
}

impl Installed {
    #[expect(clippy::unwrap_used, reason = "a helper that fails has to fail its test")]
    fn on(database: &TestDatabase) -> Self {
        let prefix = unique_prefix();
        let admin = ports::free_address();
        let folder = tempfile::tempdir().unwrap();
        let topology = Names::new(prefix.clone(), 1).topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.iter().map(|queue| queue.name.clone()))
            .exchanges(topology.exchanges.iter().map(|exchange| exchange.name.clone()));
        let launch = worker()
            .directory(folder.path())
            .variable("AMQP_URL", amqp_url())
            .variable("DATABASE_URL", database.url())
            .variable("LARKFIRE_QUEUE_PREFIX", &prefix)
            .variable("LARKFIRE_PREVIEW", "true")
            .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string());
        Self { prefix, folder, launch, admin, _leftovers: leftovers }
    }

    /// One more worker of the same.
    #[expect(clippy::unwrap_used, reason = "a helper that fails has to fail its test")]
    fn and_another(&self) -> (std::net::SocketAddr, tempfile::TempDir, Launch) {
        let admin = ports::free_address();
        let folder = tempfile::tempdir().unwrap();
        let launch = self.launch.clone().directory(folder.path());
        (admin, folder, launch.variable("LARKFIRE_ADMIN_LISTEN", admin.to_string()))
    }

    async fn command(&self, words: &str) -> (Option<i32>, String) {
        let launch =
            words.split(' ').fold(self.launch.clone().directory(self.folder.path()), Launch::argument);
        let (status, printed) = launch.start().finish(WITHIN).await;
        (status.code(), printed)
    }
}

/// The card of what was published.
const CARD: &str = "┏━ [告警] DiskFull";

async fn tells(process: &mut testkit::process::Process) {
    wait_until(WITHIN, "a card", async || {
        if process.output().contains(CARD) { Ok(()) } else { Err(process.output()) }
    })
    .await;
}

/// Waits until the database belongs to an installation.
#[expect(clippy::unwrap_used, reason = "a helper that fails has to fail its test")]
async fn claimed(database: &TestDatabase) {
    let mut connection = MySqlConnection::connect(&database.url()).await.unwrap();
    wait_until(WITHIN, "an owner", async || {
        let owners = sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM larkfire_installation");
        let owners = owners.fetch_one(&mut connection).await.map_err(|error| error.to_string())?;
        if owners == 1 { Ok(()) } else { Err(format!("{owners} owners")) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_installation_on_one_database_refuses_until_it_has_adopted_it() {
    let database = TestDatabase::create().await;
    let first = Installed::on(&database);
    let second = Installed::on(&database);
    let mut running = first.launch.start();
    publish(first.prefix.clone()).await;
    tells(&mut running).await;
    // Where the database takes its time, alerts are delivered before it is claimed.
    claimed(&database).await;

    publish(second.prefix.clone()).await;
    let (status, printed) = second.launch.start().finish(WITHIN).await;
    assert_eq!(status.code(), Some(1), "{printed}");
    let owner = format!("with the prefix {:?}; this one is", first.prefix);
    for part in ["belongs to another installation, on RabbitMQ's cluster ", &owner, "run adopt-database"] {
        assert!(printed.contains(part), "{part:?} is missing in {printed}");
    }
    assert!(!printed.contains(CARD), "nothing is delivered by another's ledger: {printed}");
    let (code, printed) = second.command("check --online").await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("FAILED: database: the database of database.url"), "{printed}");

    let (admin, _folder, twin) = first.and_another();
    let mut twin = twin.start();
    for admin in [first.admin, admin] {
        let readyz = format!("http://{admin}/readyz");
        wait_until(WITHIN, "a worker of the first that is ready", async || match http::get(&readyz).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
    }
    for process in [&mut running, &mut twin] {
        process.terminate();
        assert_eq!(process.wait(WITHIN).await.code(), Some(0), "{}", process.output());
    }

    let (code, printed) = second.command("adopt-database --as ann").await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains(&first.prefix) && printed.contains(&second.prefix), "{printed}");
    let adopted = async |by: &Installed| {
        let (code, printed) = by.command("adopt-database --as ann --json").await;
        (code, json_in(&printed))
    };
    let (code, again) = adopted(&second).await;
    assert_eq!((code, &again["adopted"]), (Some(0), &false.into()), "{again}");
    let (code, back) = adopted(&first).await;
    assert_eq!(
        (code, &back["adopted"], &back["before"]),
        (Some(0), &true.into(), &again["installation"]),
        "{back}"
    );
    let (code, anew) = adopted(&second).await;
    assert_eq!((code, &anew["installation"]), (Some(0), &again["installation"]), "{anew}");
    let (_, printed) = second.command("audit --since 1h --who ann --action adopt-database").await;
    assert!(printed.contains("ann") && printed.contains("adopt-database"), "{printed}");
    for other in ["audit --who bob", "audit --action silence"] {
        let (_, printed) = second.command(other).await;
        assert!(printed.contains("nobody has done that"), "{printed}");
    }
    let (code, printed) = second.command("check --online").await;
    assert_eq!(code, Some(0), "{printed}");
    let mut running = second.launch.start();
    // The first one's ledger goes on: this very envelope was delivered by it.
    let metrics = format!("http://{}/metrics", second.admin);
    wait_until(WITHIN, "what waited on its queue", async || match http::get(&metrics).await {
        Ok(page) if page.text().contains("larkfire_alerts_redelivered_total 1") => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    running.terminate();
    assert_eq!(running.wait(WITHIN).await.code(), Some(0), "{}", running.output());
}
