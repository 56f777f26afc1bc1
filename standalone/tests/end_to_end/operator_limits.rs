//! What an operator can have it hold at most: the rows of the table in `docs/security.md` that are the console's and the commands'.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use testkit::http;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;

const PATIENCE: Duration = Duration::from_mins(1);
const MIB: u64 = 1 << 20;
/// The longest payload of this configuration, in bytes.
const BODY_BYTES: usize = 64 << 10;
/// Alerts that pages are made of: more than any of them shows.
const ALERTS: usize = 600;
/// What one page may take while it is made, with what it is made of, in bytes.
const PAGE_BYTES: u64 = 4 * MIB;
/// What everything else takes meanwhile, and what the allocator has not given back.
const BESIDE_BYTES: u64 = 48 * MIB;

/// A `larkfire` whose bot is not there, so that everything stays where it can be looked at.
struct Harness {
    folder: TempDir,
    listen: SocketAddr,
    admin: SocketAddr,
}

impl Harness {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [listen, admin] = [free_address(), free_address()];
        let text = format!(
            "listen: {listen}\nadmin_listen: {admin}\nlimits: {{ body_bytes: {BODY_BYTES} }}\n\
             receivers: {{ default: {{ webhook_url: 'http://127.0.0.1:9/x' }} }}\n"
        );
        std::fs::write(folder.path().join("larkfire.yaml"), text).unwrap();
        Self { folder, listen, admin }
    }

    async fn started(&self) -> Process {
        let process = Launch::program(env!("CARGO_BIN_EXE_larkfire"))
            .argument("--config=larkfire.yaml")
            .directory(self.folder.path())
            .start();
        let ready = self.page("/readyz");
        wait_until(PATIENCE, "larkfire to be ready", async || match http::get(&ready).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        process
    }

    fn page(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin)
    }

    async fn memory(&self) -> u64 {
        let answer = http::get(&self.page("/metrics")).await.unwrap();
        let line = answer.text().lines().find_map(|line| line.strip_prefix("process_resident_memory_bytes "));
        line.unwrap().parse().unwrap()
    }
}

/// A sender's groups until there are so many alerts.
async fn send_alerts(listen: SocketAddr) {
    for group in 0..ALERTS / 50 {
        let alert = |index: usize| json!({ "labels": { "alertname": format!("Full{group}"), "pod": index.to_string() } });
        let alerts: Vec<_> = (0..50).map(alert).collect();
        let body = json!({ "groupKey": group.to_string(), "alerts": alerts });
        let answer = http::post_json(&format!("http://{listen}/api/alert"), &body).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_made_eight_at_a_time_and_are_as_long_as_they_are_at_most() {
    const ASKED: usize = 96;
    const PATHS: [&str; 6] =
        ["/", "/alerts?format=json", "/firing?format=json", "/dead-letters", "/audit", "/alerts"];
    let harness = Harness::new();
    let _process = harness.started().await;
    send_alerts(harness.listen).await;
    let before = harness.memory().await;
    let mut asked = JoinSet::new();
    for path in PATHS.iter().cycle().take(ASKED) {
        let url = harness.page(path);
        asked.spawn(async move { http::get(&url).await.unwrap() });
    }
    let mut made = 0;
    while let Some(answer) = asked.join_next().await {
        let answer = answer.unwrap();
        match answer.status {
            200 => made += 1,
            503 => assert_eq!(answer.header("retry-after"), Some("2"), "{}", answer.text()),
            other => panic!("{other}: {}", answer.text()),
        }
        assert!(answer.body.len() as u64 <= MIB, "a page of {} bytes", answer.body.len());
    }
    assert!(made >= 8, "{made} of {ASKED} pages were made");
    let more = harness.memory().await.saturating_sub(before);
    assert!(more <= 8 * PAGE_BYTES + BESIDE_BYTES, "{more} bytes more for {ASKED} pages");
    println!("{made} of {ASKED} pages at once were made: {} MiB more", more >> 20);
}

/// How a command ended, and all it printed.
fn run(folder: &Path, words: &[&str], input: Stdio) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_larkfire"))
        .arg("--config=larkfire.yaml")
        .args(words)
        .current_dir(folder)
        .stdin(input)
        .output()
        .unwrap();
    (output.status.code(), String::from_utf8([output.stdout, output.stderr].concat()).unwrap())
}

/// A file of so many bytes, most of which are nowhere on the disk.
fn file(folder: &Path, name: &str, bytes: u64) {
    std::fs::File::create(folder.join(name)).unwrap().set_len(bytes).unwrap();
}

#[test]
fn commands_list_ten_thousand_rows_at_most_and_read_files_up_to_their_limit() {
    let harness = Harness::new();
    let folder = harness.folder.path();
    for words in [
        &["dead-letters", "list", "--limit", "10001"][..],
        &["dead-letters", "audit", "--limit", "10001"],
        &["trace", "x", "--limit", "10001"],
        &["audit", "--limit", "10001"],
    ] {
        let (code, printed) = run(folder, words, Stdio::null());
        assert!(code == Some(64) && printed.contains("1..=10000"), "{words:?}: {code:?} {printed}");
    }
    file(folder, "payload", BODY_BYTES as u64 + 1);
    // What is longer than memory is read no further than a byte beyond its limit.
    file(folder, "large", 1 << 40);
    let large = || std::fs::File::open(folder.join("large")).unwrap().into();
    for (words, input, said) in [
        (["explain", "payload"], Stdio::null(), "limits.body_bytes"),
        (["explain", "large"], Stdio::null(), "limits.body_bytes"),
        (["explain", "-"], large(), "limits.body_bytes"),
        (["users import", "large"], Stdio::null(), "are the most"),
        (["migrate dingtalk", "large"], Stdio::null(), "larger than 8 MiB"),
        (["migrate dingtalk", "-"], large(), "larger than 8 MiB"),
    ] {
        let words: Vec<_> = words.iter().flat_map(|word| word.split(' ')).collect();
        let (code, printed) = run(folder, &words, input);
        assert!(code == Some(1) && printed.contains(said), "{words:?}: {code:?} {printed}");
    }
}
