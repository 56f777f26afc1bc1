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
    admin: String,
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
        Self { folder, listen, admin }
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
    pages_are_tame(&harness.admin, &id).await;
    process.terminate();
    assert_tame(&process.output(), "the program");
}

/// As it stands in an address or a form.
fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// What can be looked at: `EVIL` stands for such words, and `ID` for a dead letter that has them.
const LOOKED_AT: [&str; 28] = [
    "/",
    "/receivers",
    "/firing",
    "/alerts",
    "/dead-letters",
    "/silences",
    "/audit",
    "/try",
    "/preview/cards.json",
    "/dead-letters/ID",
    "/actions/1",
    "/firing?q=EVIL",
    "/alerts?q=EVIL&before=EVIL",
    "/alerts?q=summary%3D%22EVIL%22",
    "/dead-letters?q=EVIL&before=EVIL",
    "/audit?who=EVIL&action=EVIL",
    "/alerts/EVIL",
    "/cards/EVIL",
    "/receivers/EVIL/tests/EVIL",
    "/silences/new?alertmanager=EVIL&matchers=EVIL&length=EVIL",
    "/silences/new?matchers=a%3D%22EVIL%22&length=1h",
    "/oncall/EVIL.ics?token=EVIL",
    "/login?next=EVIL",
    "/nothing/EVIL",
    "/metrics?EVIL",
    "/healthz?EVIL",
    "/readyz?EVIL",
    "/log-level?EVIL",
];
/// What can be posted: the path, and the form.
const POSTED: [(&str, &str); 9] = [
    ("/try", "payload=PAYLOAD&receiver=EVIL"),
    ("/try", "payload=EVIL"),
    ("/receivers/EVIL/test", "reason=EVIL"),
    ("/silences/new", "alertmanager=EVIL&matchers=EVIL&until=EVIL&count=1&reason=EVIL"),
    ("/silences/new", "alertmanager=EVIL&matchers=a%3Db&until=2030-01-01T00:00:00Z&count=1&reason=EVIL"),
    ("/silences/end", "alertmanager=EVIL&id=EVIL&reason=EVIL"),
    ("/dead-letters/replay", "id=EVIL&reason=EVIL"),
    ("/dead-letters/discard", "all=1&q=EVIL&until=2030-01-01T00:00:00Z&count=1&reason=EVIL"),
    ("/nothing/EVIL", "EVIL"),
];
/// What can be asked for with each page.
const ASKED_WITH: [&str; 5] = ["", "format=json", "format=csv", "lang=EVIL", "lang=zh-CN"];

/// Methods, paths and bodies, with such words in each.
fn asked_of_the_admin_port(letter: &str) -> Vec<(&'static str, String, String)> {
    let payload = encoded(&payload(EVIL));
    let filled =
        |text: &str| text.replace("EVIL", &encoded(EVIL)).replace("PAYLOAD", &payload).replace("ID", letter);
    let mut asked = Vec::new();
    for path in LOOKED_AT {
        let sign = if path.contains('?') { '&' } else { '?' };
        let of_path = ASKED_WITH.map(|more| ("GET", filled(&format!("{path}{sign}{more}")), String::new()));
        asked.extend(of_path);
    }
    for (path, form) in POSTED {
        asked.extend(["", "?format=json"].map(|more| ("POST", filled(path) + more, filled(form))));
    }
    let filters = [
        EVIL.to_owned(),
        format!("larkfire=\u{1b}[2Jx,{EVIL}"),
        format!("a[{{b={EVIL}}}]=debug"),
        "a=\u{9b}".to_owned(),
    ];
    for filter in filters {
        asked.push(("PUT", "/log-level".to_owned(), filter.clone()));
        asked.push(("PUT", filled("/log-level?minutes=EVIL"), filter));
        asked.push(("GET", "/log-level".to_owned(), String::new()));
    }
    asked
}

/// Whatever is asked at the admin port with such words, and whatever it shows of the alert and of that letter.
async fn pages_are_tame(admin: &str, letter: &str) {
    let mut repeated = 0;
    for (method, path, body) in asked_of_the_admin_port(letter) {
        let what = format!("{method} {path} {body}");
        let url = format!("http://{admin}{path}");
        let answer = match method {
            "GET" => http::get(&url).await,
            "PUT" => http::put(&url, body).await,
            _ => http::post(&url, &[("content-type", "application/x-www-form-urlencoded")], body).await,
        };
        let answer = answer.unwrap();
        repeated += usize::from(answer.text().contains("\\u202e"));
        let kind = answer.header("content-type").unwrap_or_default();
        if kind.starts_with("text/plain") || kind.starts_with("application/json") {
            assert_tame(answer.text(), &what);
        } else {
            // Where a line ends is nothing to a browser, and a spreadsheet has it within quotes.
            let ends = answer.text().trim_start_matches('\u{feff}').replace(['\r', '\n'], " ");
            assert_tame(&ends, &what);
        }
    }
    assert!(repeated > 20, "{repeated} answers repeat what was asked or told");
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
