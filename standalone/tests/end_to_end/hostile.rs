//! What an alert says is obeyed by no terminal: what the program and its commands print of a payload that holds every
//! character a terminal, a pager or an eye obeys.

use std::path::Path;
use std::time::Duration;

use proptest::prelude::*;
use runtime::plain::is_obeyed;
use serde_json::json;
use tempfile::TempDir;
use testkit::http;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::wait_until::wait_until;

const PATIENCE: Duration = Duration::from_mins(1);
/// Moves the cursor, rings, ends a line and begins one like ours, turns text around, both sets of controls, deletes.
const EVIL: &str = "a\u{1b}[2J\u{1b}]0;t\u{7}\u{9b}31m\r\n2026-11-30T00:00:00Z ERROR forged line\n\u{202e}txt\u{2066}\u{200f}\u{7f}\u{2028}\u{85}\u{feff}b";

fn payload(evil: &str) -> String {
    json!({
        "version": "4", "groupKey": evil, "receiver": evil, "externalURL": evil, "status": "firing",
        "groupLabels": { "alertname": evil }, "commonAnnotations": { "summary": evil },
        "alerts": [{
            "status": "firing", "fingerprint": evil, "generatorURL": evil,
            "labels": { "alertname": evil, "severity": "critical", evil: evil, "namespace": evil, "owner": evil },
            "annotations": { "summary": evil, "description": evil, evil: evil },
        }],
    })
    .to_string()
}

/// Nothing in what was printed is obeyed but line ends, and no line is one that the payload began.
fn assert_tame(printed: &str, what: &str) {
    let obeyed: Vec<_> = printed.chars().filter(|c| is_obeyed(*c) && !matches!(c, '\n' | '\t')).collect();
    assert!(obeyed.is_empty(), "{obeyed:?} in what {what} prints:\n{printed}");
    let forged = printed.lines().find(|line| line.starts_with("2026-11-30T00:00:00Z ERROR"));
    assert!(forged.is_none(), "{what} prints a forged line:\n{printed}");
}

/// A folder with a configuration whose receivers no payload here names.
struct Harness {
    folder: TempDir,
    listen: String,
}

impl Harness {
    fn new() -> Self {
        let [listen, admin] = [free_address(), free_address()].map(|address| address.to_string());
        let folder = tempfile::tempdir().unwrap();
        let text = format!(
            "listen: {listen}\nadmin_listen: {admin}\nlinks: {{ grafana_url: 'https://g.example', loki: {{ datasource_uid: l }} }}\n\
             receivers: {{ a: {{ webhook_url: http://127.0.0.1:9/x }}, b: {{ webhook_url: http://127.0.0.1:9/y }} }}\n"
        );
        std::fs::write(folder.path().join("larkfire.yaml"), text).unwrap();
        Self { folder, listen }
    }

    fn launch(&self, words: &[&str]) -> Process {
        let launch = Launch::program(env!("CARGO_BIN_EXE_larkfire"))
            .argument("--config")
            .argument("larkfire.yaml")
            .variable("RUST_LOG", "larkfire=trace")
            .directory(self.folder.path());
        words.iter().fold(launch, Launch::argument).start()
    }

    async fn printed(&self, words: &[&str]) -> String {
        self.launch(words).finish(PATIENCE).await.1
    }
}

#[tokio::test]
async fn whatever_an_alert_says_nothing_that_is_printed_of_it_is_obeyed() {
    let harness = Harness::new();
    let process = harness.launch(&[]);
    let url = format!("http://{}/api/alert", harness.listen);
    wait_until(PATIENCE, "202", async || match http::post(&url, &[], payload(EVIL)).await {
        Ok(answer) if answer.status == 202 => Ok(()),
        other => Err(format!("{other:?}")),
    })
    .await;
    // In a format that is none, too: the log says why.
    let evil = json!(EVIL);
    let refused = http::post(&url, &[("x-forwarded-for", "x")], format!(r#"{{"a":{evil}, {evil}: }}"#)).await;
    assert_eq!(refused.unwrap().status, 400);
    let list = wait_until(PATIENCE, "a dead letter", async || {
        let list = harness.printed(&["dead-letters", "list", "--json"]).await;
        let letters = serde_json::from_str::<serde_json::Value>(&list).map(|list| list["letters"].clone());
        match letters {
            Ok(serde_json::Value::Array(letters)) if !letters.is_empty() => Ok((list, letters)),
            _ => Err(list),
        }
    })
    .await;
    let (list, letters) = list;
    assert_tame(&list, "dead-letters list --json");
    assert!(list.contains("\\u202e"), "the same is said: {list}");
    let id = letters[0]["id"].to_string().replace('"', "");
    let fingerprint = letters[0]["summary"].to_string();
    for words in [
        &["dead-letters", "list"][..],
        &["dead-letters", "show", &id],
        &["dead-letters", "show", &id, "--json"],
        &["trace", &fingerprint],
        &["audit"],
        &["dead-letters", "discard", &id, "--yes"],
        &["audit", "--json"],
    ] {
        assert_tame(&harness.printed(words).await, &words.join(" "));
    }
    process.terminate();
    assert_tame(&process.output(), "the program");
}

fn explained(folder: &Path, body: &str) -> String {
    std::fs::write(folder.join("payload.json"), body).unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_larkfire"))
        .args(["--config", "larkfire.yaml", "explain", "payload.json"])
        .current_dir(folder)
        .output()
        .unwrap();
    String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
}

#[test]
fn explain_obeys_nothing_either() {
    let harness = Harness::new();
    for body in [payload(EVIL), EVIL.to_owned(), json!({ "message": EVIL, "sender_id": EVIL }).to_string()] {
        assert_tame(&explained(harness.folder.path(), &body), "explain");
    }
}

/// Command lines that repeat what is typed, and files that hold it; some of them are for one of the programs only.
fn typed() -> Vec<Vec<String>> {
    let option = format!("--{EVIL}");
    let label = format!("a={EVIL}");
    let lines: [&[&str]; 31] = [
        &[EVIL],
        &[&option],
        &["check", EVIL],
        &["check", "--config", EVIL],
        &["--config", EVIL],
        &["--config", "evil.yaml"],
        &["health", "--config", "evil.yaml"],
        &["check", "--config", "evil.yaml"],
        &["check", "--json", "--config", "evil.yaml"],
        &["trace", "x", "--config", "evil.yaml"],
        &["explain", "payload.json", "--config", "evil.yaml"],
        &["health", &option],
        &["completions", EVIL],
        &["explain", EVIL],
        &["explain", "payload.json", "--receiver", EVIL],
        &["migrate", EVIL, "x"],
        &["migrate", "dingtalk", EVIL],
        &["migrate", "dingtalk", "evil.yaml"],
        &["dead-letters", EVIL],
        &["dead-letters", "show", EVIL],
        &["dead-letters", "list", "--reason", EVIL],
        &["dead-letters", "list", "--label", EVIL],
        &["dead-letters", "list", "--since", EVIL],
        &["trace", EVIL],
        &["cards", "show", EVIL],
        &["routes", "test", EVIL],
        &["routes", "test", &label],
        &["users", "import", EVIL],
        &["users", "import", "evil.csv"],
        &["users", "remove", EVIL],
        &["send-test", EVIL],
    ];
    lines.iter().map(|line| line.iter().map(|word| (*word).to_owned()).collect()).collect()
}

#[test]
fn what_is_typed_is_repeated_and_not_obeyed_by_any_of_the_three_programs() {
    let harness = Harness::new();
    let folder = harness.folder.path();
    let evil = json!(EVIL);
    std::fs::write(
        folder.join("evil.yaml"),
        format!("{evil}: 1\nlisten: {evil}\ntargets: {{ {evil}: 1 }}\n"),
    )
    .unwrap();
    std::fs::write(folder.join("evil.csv"), format!("username,mobile\n\"{EVIL}\",\"{EVIL}\"\n")).unwrap();
    std::fs::write(folder.join("payload.json"), payload(EVIL)).unwrap();
    let mut repeated = 0;
    for role in ["larkfire", "larkfire-ingest", "larkfire-worker"] {
        let program = folder.join(role);
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_larkfire"), &program).unwrap();
        for words in typed() {
            let output = std::process::Command::new(&program)
                .args(&words)
                .env("LARKFIRE_CONFIG", "larkfire.yaml")
                .current_dir(folder)
                .output()
                .unwrap();
            let printed = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
            assert_tame(&printed, &format!("{role} {words:?}"));
            assert!(!printed.is_empty(), "{role} {words:?} says nothing");
            repeated += usize::from(printed.contains("\\u202e"));
        }
    }
    assert!(repeated > 40, "{repeated} lines repeat what was typed");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn explain_obeys_nothing_of_any_text(text in "[\\x00-\\x20\\x7f-\\u{9f}\\u{200e}-\\u{202e}\\u{2066}-\\u{2069}a-z\\[;]{1,40}") {
        let harness = Harness::new();
        assert_tame(&explained(harness.folder.path(), &payload(&text)), "explain");
    }
}
