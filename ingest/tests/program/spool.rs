//! The program with a spool, a broker that goes away, and no mercy: what was answered 202 is on the queue.
#![expect(clippy::unwrap_used, clippy::panic, reason = "code of tests: what goes wrong ends the test")]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use model::envelope::{decode, lines};
use queue::Subscription;
use queue::rabbitmq::topology::Names;
use serde_json::json;
use tempfile::TempDir;
use testkit::chaos_proxy::ChaosProxy;
use testkit::http::{self, Answer};
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{self, Leftovers};
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// Groups that alerts are sent for at the same time, each in its order.
const GROUPS: usize = 8;
/// Bytes that make an envelope larger than 1 KiB and smaller than 20 000 bytes.
const PADDING: usize = 10_000;

/// An ingest behind a proxy to the broker.
struct Harness {
    broker: ChaosProxy,
    launch: Launch,
    process: Process,
    listen: SocketAddr,
    admin: SocketAddr,
    names: Names,
    folder: TempDir,
    _leftovers: Leftovers,
}

/// A sender that posts one numbered alert after another, and what it was promised.
type Promised = Vec<usize>;

impl Harness {
    /// One with these further lines of configuration, in which FOLDER is a directory of the test's own.
    async fn with(settings: &str) -> Self {
        let broker = ChaosProxy::start("127.0.0.1:5672".parse().unwrap()).await;
        let folder = tempfile::tempdir().unwrap();
        let prefix = unique_prefix();
        let listen = free_address();
        let admin = free_address();
        let text = format!(
            "listen: {listen}\nadmin_listen: {admin}\nqueue: {{ url: 'amqp://guest:guest@{}/%2f', prefix: {prefix} }}\n{}\n",
            broker.address(),
            settings.replace("FOLDER", &folder.path().display().to_string()),
        );
        let file = folder.path().join("larkfire.yaml");
        std::fs::write(&file, text).unwrap();
        let launch = Launch::program(env!("CARGO_BIN_EXE_larkfire-ingest"))
            .argument("--config")
            .argument(file)
            .directory(folder.path());
        let names = Names::new(prefix, 1);
        let topology = names.topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.into_iter().map(|queue| queue.name))
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let process = launch.start();
        let harness = Self { broker, launch, process, listen, admin, names, folder, _leftovers: leftovers };
        harness.wait_for_readiness(200).await;
        harness
    }

    fn spool(&self) -> std::path::PathBuf {
        self.folder.path().join("spool")
    }

    async fn wait_for_readiness(&self, status: u16) {
        let url = format!("http://{}/readyz", self.admin);
        wait_until(PATIENCE, &format!("/readyz to say {status}"), async || match http::get(&url).await {
            Ok(answer) if answer.status == status => Ok(()),
            other => Err(other.map(|answer| answer.text().to_owned())),
        })
        .await;
    }

    async fn metric(&self, name: &str) -> String {
        let answer = http::get(&format!("http://{}/metrics", self.admin)).await.unwrap();
        let line = answer.text().lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {}", answer.text())).to_owned()
    }

    async fn post(&self, group: usize, number: usize, padding: usize) -> Answer {
        post(self.listen, group, number, padding).await.unwrap()
    }

    async fn wait_until_drained(&self) {
        wait_until(PATIENCE, "the spool to be drained", async || {
            let bytes = self.metric("larkfire_spool_bytes").await;
            if bytes == "0" { Ok(()) } else { Err(bytes) }
        })
        .await;
    }

    /// The numbers on the queue by group, in their order and without repeats.
    async fn on_the_queue(&self) -> BTreeMap<usize, Vec<usize>> {
        let queue = &self.names.queues(Subscription::Alerts)[0];
        let mut found: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for body in rabbitmq::drain(queue, Duration::from_secs(2)).await {
            for line in lines(&body) {
                let envelope = decode(line).unwrap();
                let group = found.entry(envelope.group_key.parse().unwrap()).or_default();
                let number = envelope.alerts[0].labels.get("number").unwrap().parse().unwrap();
                if !group.contains(&number) {
                    group.push(number);
                }
            }
        }
        found
    }
}

async fn post(
    listen: SocketAddr,
    group: usize,
    number: usize,
    padding: usize,
) -> Result<Answer, http::HttpError> {
    let labels = json!({ "alertname": "Numbered", "number": number.to_string() });
    let body = json!({
        "version": "4", "status": "firing", "groupKey": group.to_string(), "receiver": "default",
        "alerts": [{ "status": "firing", "labels": labels, "annotations": { "padding": "x".repeat(padding) },
                     "startsAt": "2026-01-15T10:30:00Z", "fingerprint": format!("{number:016x}") }]
    });
    http::post_json(&format!("http://{listen}/api/alert"), &body).await
}

/// One sender for each group, until told to stop.
struct Senders {
    tasks: JoinSet<Promised>,
    promised: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
}

impl Senders {
    fn start(listen: SocketAddr) -> Self {
        let mut tasks = JoinSet::new();
        let promised = Arc::new(AtomicUsize::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        for group in 0..GROUPS {
            let count = Arc::clone(&promised);
            let stop = Arc::clone(&stop);
            tasks.spawn(async move {
                // The group comes with the result: a set of tasks ends in any order.
                let mut promised = vec![group];
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // Each is sent once, so only what was promised counts.
                    if post(listen, group, number, 0).await.is_ok_and(|answer| answer.status == 202) {
                        promised.push(number);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                }
                promised
            });
        }
        Self { tasks, promised, stop }
    }

    /// Waits until that many more were promised.
    async fn more(&self, count: usize) {
        let before = self.promised.load(Ordering::Relaxed);
        wait_until(PATIENCE, &format!("{count} more promises"), async || {
            let now = self.promised.load(Ordering::Relaxed);
            if now >= before + count { Ok(()) } else { Err(now - before) }
        })
        .await;
    }

    /// What was promised, by group.
    async fn finish(self) -> BTreeMap<usize, Promised> {
        self.stop.store(true, Ordering::Relaxed);
        let by_group = |mut numbers: Promised| (numbers.remove(0), numbers);
        self.tasks.join_all().await.into_iter().map(by_group).collect()
    }
}

fn spool_files(folder: &Path) -> usize {
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "spool")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_promised_while_the_broker_was_away_comes_out_in_order_after_a_kill() {
    let mut harness = Harness::with("spool: { dir: FOLDER/spool }").await;
    let senders = Senders::start(harness.listen);
    senders.more(100).await;
    harness.broker.cut();
    senders.more(200).await;
    harness.wait_for_readiness(200).await;
    harness.process.kill().await;
    harness.process = harness.launch.start();
    senders.more(200).await;
    harness.process.kill().await;
    assert!(spool_files(&harness.spool()) >= 2, "each start begins a file of its own");
    harness.process = harness.launch.start();
    senders.more(100).await;
    harness.broker.restore();
    // Nothing stops while it is replayed.
    senders.more(100).await;
    let promised = senders.finish().await;
    harness.wait_until_drained().await;
    assert_eq!(spool_files(&harness.spool()), 0);

    let found = harness.on_the_queue().await;
    for (group, promised) in promised {
        let kept: Vec<_> = found[&group].iter().copied().filter(|number| promised.contains(number)).collect();
        assert_eq!(kept, promised, "group {group}");
    }
    let output = harness.process.output();
    assert!(
        output.contains("alerts that go to the queue first") && output.contains("the queue has everything")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_spool_is_a_503_that_says_when_to_come_again() {
    let harness = Harness::with("spool: { dir: FOLDER/spool, max_bytes: 1MiB }").await;
    harness.broker.cut();
    let mut promised = Vec::new();
    let refused = loop {
        let answer = harness.post(0, promised.len(), PADDING).await;
        if answer.status != 202 {
            break answer;
        }
        promised.push(promised.len());
        assert!(promised.len() <= 1000, "1 MiB holds 1 000 of these at most");
    };
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{}", refused.text());
    let bytes: u64 = harness.metric("larkfire_spool_bytes").await.parse().unwrap();
    assert!(((1 << 20) - 20_000..=1 << 20).contains(&bytes), "{bytes} of 1 MiB are used");
    harness.process.wait_for_line("the spool is full", PATIENCE).await;
    harness.wait_for_readiness(503).await;

    harness.broker.restore();
    harness.wait_for_readiness(200).await;
    harness.wait_until_drained().await;
    assert_eq!(harness.post(0, promised.len(), PADDING).await.status, 202);
    promised.push(promised.len());
    assert_eq!(harness.on_the_queue().await[&0], promised);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_spool_a_cut_broker_is_a_503_and_not_ready_until_it_is_back() {
    let harness = Harness::with("").await;
    assert_eq!(harness.post(0, 0, 0).await.status, 202);
    harness.broker.cut();
    let refused = harness.post(0, 1, 0).await;
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")), "{}", refused.text());
    harness.wait_for_readiness(503).await;
    harness.broker.restore();
    harness.wait_for_readiness(200).await;
    assert_eq!(harness.post(0, 2, 0).await.status, 202);
    assert!(!harness.spool().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spool_in_use_by_another_process_is_a_failed_start() {
    let harness = Harness::with("spool: { dir: FOLDER/spool }").await;
    let mut second = harness
        .launch
        .clone()
        .variable("LARKFIRE_LISTEN", "127.0.0.1:0")
        .variable("LARKFIRE_ADMIN_LISTEN", "127.0.0.1:0")
        .start();
    assert_eq!(second.wait(PATIENCE).await.code(), Some(1));
    second.wait_for_line("is in use by another process", PATIENCE).await;
}
