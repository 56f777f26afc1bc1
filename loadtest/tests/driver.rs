//! The driver itself, on small loads with whatever binaries were built: what it measures here means nothing.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;
use testkit::process::Launch;

/// How long a small run may take on a busy machine.
const WITHIN: Duration = Duration::from_mins(2);

const STEADY: &str = "
kind = \"profile\"
about = \"a little of everything\"
rounds = 1
settle_seconds = 60

[sending]
requests = 200
requests_per_second = 200
alerts_per_request = 2
alert_bytes = 800
connections = 8
sends_each = 2

[goals]
card_max_ms = 60_000
";

/// Writes a scenario, runs it, and returns exit code, output, and the results if there are any.
async fn run(folder: &Path, scenario: &str) -> (Option<i32>, String, Option<(Value, String)>) {
    let file = folder.join("small.toml");
    std::fs::write(&file, scenario).unwrap();
    let (status, printed) = launch(folder, &file).start().finish(WITHIN).await;
    let kept = |name: &str| std::fs::read_to_string(folder.join(name)).ok();
    let results = kept("small.json").zip(kept("small.html"));
    (status.code(), printed, results.map(|(json, page)| (serde_json::from_str(&json).unwrap(), page)))
}

fn launch(folder: &Path, file: &Path) -> Launch {
    let mut launch = Launch::program(env!("CARGO_BIN_EXE_loadtest"))
        .argument(file)
        .argument("--as-built")
        .argument("--keep")
        .argument(folder);
    for name in ["TEST_AMQP_URL", "TEST_MYSQL_URL"] {
        if let Ok(value) = std::env::var(name) {
            launch = launch.variable(name, value);
        }
    }
    launch
}

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[tokio::test]
async fn a_small_load_is_delivered_to_the_last_alert_and_shown_as_table_json_and_page() {
    let folder = folder();
    let (code, printed, results) = run(folder.path(), STEADY).await;
    let Some((json, page)) = results else { panic!("no results: {printed}") };
    assert_eq!(code, Some(0), "{printed}");
    let verdict = &json["rounds"][0]["verdict"];
    for (name, count) in [
        ("accepted", 400),
        ("promised", 200),
        ("delivered", 200),
        ("duplicate", 200),
        ("lost", 0),
        ("doubled", 0),
    ] {
        assert_eq!(verdict[name], count, "{name} in {verdict}");
    }
    assert!(verdict["cards"].as_u64().is_some_and(|cards| cards > 0), "{verdict}");
    let figures = json["figures"].as_array().unwrap();
    let card = figures.iter().find(|figure| figure["name"] == "due to card, max, ms").unwrap();
    assert!(card["median"].as_f64().is_some_and(|ms| ms > 0.0) && card["met"] == true, "{card}");
    assert!(printed.contains("round 1: held: lost 0, doubled 0, over budget 0"), "{printed}");
    assert!(page.contains("<svg") && !page.contains("http://127"), "a page that needs nothing else");
}

#[tokio::test]
async fn what_is_not_told_in_time_is_lost_and_fails_the_run() {
    let folder = folder();
    let throttled = STEADY.replace("settle_seconds = 60", "settle_seconds = 1")
        + "\n[[fault]]\nwhat = \"feishu-throttles\"\nat_seconds = 0\nfor_seconds = 600\n";
    let (code, printed, results) = run(folder.path(), &throttled).await;
    assert_eq!(code, Some(1), "{printed}");
    let Some((json, _)) = results else { panic!("no results: {printed}") };
    assert_eq!(
        (&json["rounds"][0]["verdict"]["lost"], &json["rounds"][0]["holds"]),
        (&200.into(), &false.into())
    );
    assert!(printed.contains("BROKEN: lost 200"), "{printed}");
}

#[tokio::test]
async fn everything_is_killed_in_the_middle_and_nothing_that_was_accepted_is_lost() {
    let folder = folder();
    let file = folder.path().join("small.toml");
    std::fs::write(&file, STEADY.replace("requests = 200\n", "requests = 1_000\n")).unwrap();
    let process =
        launch(folder.path(), &file).argument("--kill").argument("ingest,worker,database,broker").start();
    let (status, printed) = process.finish(WITHIN).await;
    assert_eq!(status.code(), Some(0), "{printed}");
    for service in ["Ingest", "Worker", "Database", "Broker"] {
        assert!(printed.contains(&format!("({service})")), "{service} was not killed: {printed}");
    }
    let json = std::fs::read_to_string(folder.path().join("small-killed.json")).unwrap();
    let json: Value = serde_json::from_str(&json).unwrap();
    let verdict = &json["rounds"][0]["verdict"];
    assert_eq!(verdict["lost"], 0, "{verdict}");
    assert!(verdict["promised"].as_u64().is_some_and(|promised| promised > 0), "{verdict}");
}

#[tokio::test]
async fn what_has_no_middle_cannot_be_killed_in_it() {
    let folder = folder();
    let process = launch(folder.path(), Path::new("accept")).argument("--kill").argument("broker").start();
    let (status, printed) = process.finish(WITHIN).await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("--kill is for profiles, and accept is none"), "{printed}");
}

#[tokio::test]
async fn whoever_stops_it_gets_no_results_and_is_told_that_nothing_is_left() {
    let folder = folder();
    let file = folder.path().join("small.toml");
    let endless = STEADY.replace("requests = 200\n", "requests = 100_000\n");
    std::fs::write(&file, endless).unwrap();
    let process = launch(folder.path(), &file).start();
    process.wait_for_line("  sent ", WITHIN).await;
    process.terminate();
    let (status, printed) = process.finish(WITHIN).await;
    assert_eq!(status.code(), Some(1), "{printed}");
    assert!(printed.contains("interrupted; what was set up has been removed"), "{printed}");
    assert!(!folder.path().join("small.json").exists());
}

#[tokio::test]
async fn a_wrong_scenario_is_refused_by_file_and_key_before_anything_starts() {
    let folder = folder();
    let (code, printed, results) = run(folder.path(), &STEADY.replace("alert_bytes", "alert_byte")).await;
    assert_eq!((code, results), (Some(1), None));
    assert!(printed.contains("small.toml") && printed.contains("alert_byte"), "{printed}");
}
