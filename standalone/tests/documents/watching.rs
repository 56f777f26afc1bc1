//! The rules and the dashboard in `deploy/`: that they are right, that each rule fires, and that they name what processes show.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::running::{Page, ingest_page, larkfire_page, worker_page};

/// Labels that Prometheus adds to whatever it scrapes.
const OF_THE_SCRAPE: [&str; 3] = ["job", "instance", "le"];
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_sum", "_count"];
const RULES: &str = "prometheus/alerts.yaml";
const RULE_TESTS: &str = "prometheus/alerts_test.yaml";
const DASHBOARD: &str = "grafana/larkfire.json";

fn deploy(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(file)
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn promtool(words: &[&str], file: &Path) {
    let done = Command::new("promtool").args(words).arg(file).output().unwrap();
    let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{words:?}: {said}");
}

/// A metric that is asked for.
struct Selection {
    name: String,
    /// Its labels, each with the values that are written out: `label="value|value"`.
    matchers: Vec<(String, Vec<String>)>,
}

/// What a text asks for of our metrics.
fn selections(text: &str) -> Vec<Selection> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(begin) = rest.find("larkfire_") {
        rest = &rest[begin..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let inside = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let matchers =
            inside.map(|(inside, _)| inside).unwrap_or_default().split(", ").filter_map(|matcher| {
                let (label, value) = matcher.split_once('=')?;
                let value = value.trim_start_matches('~').trim_matches('"');
                let values = value.split('|').map(str::to_owned).collect();
                Some((label.trim_end_matches('!').to_owned(), values))
            });
        found.push(Selection { name, matchers: matchers.collect() });
    }
    found
}

/// Every expression of the dashboard.
fn expressions() -> Vec<String> {
    let dashboard: Value = serde_json::from_str(&read(&deploy(DASHBOARD))).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

fn base(name: &str) -> &str {
    OF_HISTOGRAMS.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name)
}

/// Holds that what is selected is shown, with these labels and values.
fn assert_shown(page: &Page, whose: &str, text: &str) {
    let is_of_process =
        text.starts_with("process_") || text.contains("(process_") || text.starts_with("sum(up");
    assert!(is_of_process || !selections(text).is_empty(), "{whose} selects nothing of ours: {text}");
    for Selection { name, matchers } in selections(text) {
        let shown = page.get(&name).or_else(|| page.get(base(&name)));
        let shown = shown.unwrap_or_else(|| panic!("{whose} names {name}, which no process shows"));
        for (label, values) in matchers.iter().filter(|(label, _)| !OF_THE_SCRAPE.contains(&label.as_str())) {
            let known =
                shown.labels.get(label).unwrap_or_else(|| panic!("{whose}: {name} has no label {label}"));
            // Receivers are the operator's names.
            if label == "receiver" {
                continue;
            }
            let unknown: Vec<_> = values.iter().filter(|value| !known.contains(*value)).collect();
            assert!(unknown.is_empty(), "{whose}: {label} of {name} is never {unknown:?}, but {known:?}");
        }
    }
}

#[tokio::test]
async fn rules_and_dashboard_name_only_what_processes_show() {
    let mut page = ingest_page().await;
    page.extend(worker_page().await);
    for (name, shown) in larkfire_page().await {
        page.entry(name).or_insert(shown);
    }
    for file in [RULES, RULE_TESTS] {
        assert_shown(&page, file, &read(&deploy(file)));
    }
    for expression in expressions() {
        assert_shown(&page, DASHBOARD, &expression);
    }
}

#[test]
fn each_rule_is_right_fires_where_it_is_meant_to_and_leads_to_the_runbook() {
    promtool(&["check", "rules"], &deploy(RULES));
    promtool(&["test", "rules"], &deploy(RULE_TESTS));
    let rules = read(&deploy(RULES));
    let tests = read(&deploy(RULE_TESTS));
    let runbook = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/operations.md"));
    let after = |mark: &'static str| {
        rules.lines().filter_map(move |line| line.trim_start().strip_prefix(mark)).map(str::trim)
    };
    for alert in after("- alert: ") {
        assert!(tests.contains(&format!("name: {alert} fires\n")), "{alert} is not seen to fire");
        let calm = format!("name: {alert} does not fire where all is well\n");
        assert!(alert == "LarkfireWatchdog" || tests.contains(&calm), "{alert} is not seen to be quiet");
    }
    assert_eq!(after("- alert: ").count(), after("runbook: ").count(), "each has a place in the runbook");
    for place in after("runbook: ") {
        let anchor =
            place.strip_prefix("docs/operations.md#").unwrap_or_else(|| panic!("{place} is elsewhere"));
        assert!(runbook.contains(&format!("<a id=\"{anchor}\"></a>")), "the runbook has no {anchor}");
    }
}

#[test]
fn each_expression_of_the_dashboard_can_be_asked_and_no_two_panels_lie_on_one_another() {
    let mut rules = "groups:\n  - name: dashboard\n    rules:\n".to_owned();
    for (number, expression) in expressions().iter().enumerate() {
        let expression =
            expression.replace("$__rate_interval", "5m").replace("$job", "x").replace('\'', "''");
        writeln!(rules, "      - {{ record: 'dashboard:{number}', expr: '{expression}' }}").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.yaml");
    fs::write(&file, rules).unwrap();
    promtool(&["check", "rules"], &file);

    let dashboard: Value = serde_json::from_str(&read(&deploy(DASHBOARD))).unwrap();
    let mut taken = BTreeSet::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        let place = |name: &str| panel["gridPos"][name].as_u64().unwrap();
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(x < 24 && taken.insert((x, y)), "{} lies on another panel", panel["title"]);
            }
        }
    }
}
