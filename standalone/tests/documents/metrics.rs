//! The tables of metrics, and that the registry says what processes show.

use std::collections::{BTreeMap, BTreeSet};

use runtime::metrics::{GROUPS, Metric, MetricKind, metrics};

use super::language::{Language, code, table};
use super::page::hold;
use super::running::{Page, Shown, ingest_page, larkfire_page, worker_page};

/// What the spool counts is there where there is one, and `larkfire` on its own queue has none.
const OF_THE_SPOOL: &str = "larkfire_spool_";

/// What is of the process around a role.
const OF_THE_PROCESS: [&str; 6] = [
    "larkfire_admin_open_connections",
    "larkfire_admin_displaced_connections_total",
    "larkfire_config_reloads_total",
    "larkfire_config_last_reload_successful",
    "larkfire_tls_certificate_expires_timestamp_seconds",
    "larkfire_build_info",
];

/// What a process is to show of a metric, without the values of its labels.
fn said(metric: &Metric) -> (String, String, Vec<String>) {
    let mut labels: Vec<_> = metric.label_names().into_iter().map(str::to_owned).collect();
    labels.sort_unstable();
    (metric.help.en.to_owned(), kind(metric).to_owned(), labels)
}

fn shown(shown: &Shown) -> (String, String, Vec<String>) {
    (shown.help.clone(), shown.kind.clone(), shown.labels.keys().cloned().collect())
}

const fn kind(metric: &Metric) -> &'static str {
    match metric.kind {
        MetricKind::Counter => "counter",
        MetricKind::Gauge => "gauge",
        MetricKind::Histogram => "histogram",
    }
}

fn assert_shows(page: &Page, expected: impl Fn(&Metric) -> bool, whose: &str) {
    let shows: BTreeMap<_, _> = page.iter().map(|(name, one)| (name.as_str(), shown(one))).collect();
    let says: BTreeMap<_, _> =
        metrics().filter(|metric| expected(metric)).map(|metric| (metric.name, said(metric))).collect();
    let names = |map: &BTreeMap<&'static str, _>| map.keys().copied().collect::<BTreeSet<_>>();
    let unsaid: Vec<_> = shows.keys().filter(|name| !says.contains_key(*name)).collect();
    let unseen: Vec<_> = names(&says).into_iter().filter(|name| !shows.contains_key(name)).collect();
    assert!(
        unsaid.is_empty() && unseen.is_empty(),
        "{whose}: not in the registry {unsaid:?}, not shown {unseen:?}"
    );
    for (name, says) in says {
        assert_eq!(shows[name], says, "{name} of {whose}");
    }
}

#[tokio::test]
async fn each_role_shows_the_metrics_the_registry_says_it_shows() {
    let of_a_role = |metric: &Metric| !OF_THE_PROCESS.contains(&metric.name);
    let ingest = |metric: &Metric| metric.shown_by.ingest() && of_a_role(metric);
    assert_shows(&ingest_page().await, ingest, "ingest");
    assert_shows(&worker_page().await, |metric| metric.shown_by.worker() && of_a_role(metric), "worker");
}

#[tokio::test]
async fn larkfire_shows_all_of_them() {
    let page = larkfire_page().await;
    assert_shows(&page, |metric| !metric.name.starts_with(OF_THE_SPOOL), "larkfire");
}

#[test]
fn no_metric_stands_there_twice_and_each_is_explained_in_both_languages() {
    let chinese = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
    let mut names = BTreeSet::new();
    for Metric { name, help, advice, .. } in metrics() {
        assert!(names.insert(name), "{name} stands there twice");
        assert!(!chinese(help.en) && chinese(help.zh), "{name}");
        assert!(advice.is_empty() || (!chinese(advice.en) && chinese(advice.zh)), "{name}");
    }
}

#[tokio::test]
async fn the_tables_of_metrics_are_those_of_the_registry_with_the_values_processes_show() {
    let mut page = ingest_page().await;
    page.extend(worker_page().await);
    page.extend(larkfire_page().await);
    for language in Language::ALL {
        let head = match language {
            Language::English => ["metric", "type", "labels", "shown by", "meaning"],
            Language::Chinese => ["指标", "类型", "标签", "由谁提供", "含义"],
        };
        let groups = GROUPS.map(|group| {
            let rows = group.metrics.iter().map(|metric| row(metric, &page, language));
            format!("## {}\n\n{}", language.say(group.title), table(&head, rows))
        });
        hold(&format!("{}metrics.md", language.folder()), &groups.join("\n"));
    }
}

fn row(metric: &Metric, page: &Page, language: Language) -> Vec<String> {
    let shown = page.get(metric.name).unwrap_or_else(|| panic!("{} is not shown", metric.name));
    let labels = metric.labels.iter().map(|label| {
        let values = match label.from_configuration {
            Some(words) => language.say(words).to_owned(),
            None => {
                language.list(&shown.labels[label.name].iter().map(|value| code(value)).collect::<Vec<_>>())
            }
        };
        match language {
            Language::English => format!("{}: {values}", code(label.name)),
            Language::Chinese => format!("{}：{values}", code(label.name)),
        }
    });
    let help = language.say(metric.help);
    let advice = language.say(metric.advice);
    let meaning = match language {
        Language::English => format!("{help} {advice}"),
        Language::Chinese => format!("{help}{advice}"),
    };
    vec![
        code(metric.name),
        kind(metric).to_owned(),
        labels.collect::<Vec<_>>().join("<br>"),
        language.roles(metric.shown_by).to_owned(),
        meaning.trim_end().to_owned(),
    ]
}
