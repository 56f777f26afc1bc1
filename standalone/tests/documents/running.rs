//! What `/metrics` shows right after the start: of each role, and of the program that is both.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, Environment, Reloads, parse};
use ingest::spool::Spool;
use prometheus::{Registry, TextEncoder};
use queue::{QueueMetrics, Subscription};
use queue_sqlite::{Limits, SqliteQueue};
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use serde_json::{Value, json};
use testkit::http;
use testkit::ports::free_address;
use testkit::process::Launch;
use testkit::wait_until::wait_until;
use worker::Queue;

const PATIENCE: Duration = Duration::from_secs(30);
/// What a histogram's lines have behind its name.
const OF_HISTOGRAMS: [&str; 3] = ["_bucket", "_sum", "_count"];
/// A histogram's own label.
const BOUND: &str = "le";

/// One metric as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shown {
    pub(crate) help: String,
    pub(crate) kind: String,
    /// Its labels, and the values each has.
    pub(crate) labels: BTreeMap<String, BTreeSet<String>>,
}

/// Metrics by their names.
pub(crate) type Page = BTreeMap<String, Shown>;

/// Settings with one of each thing that metrics are named after.
fn settings(folder: &Path) -> Value {
    json!({
        "data_dir": folder,
        "listen": free_address().to_string(),
        "admin_listen": free_address().to_string(),
        "receivers": { "NAME": { "webhook_url": "http://127.0.0.1:9/hook", "template": "NAME" } },
        "templates": { "NAME": { "title": "t" } },
    })
}

fn read(settings: &Value) -> Config {
    parse("test.yaml", &settings.to_string(), Environment::default()).unwrap()
}

/// A queue of its own for each role, as it counts for itself.
async fn queue(config: &Config, registry: &Registry, lifecycle: &Lifecycle) -> SqliteQueue {
    let metrics = QueueMetrics::register(registry).unwrap();
    SqliteQueue::open(&config.data_dir, Limits::default(), lifecycle, Clock::system(), metrics).await.unwrap()
}

pub(crate) async fn ingest_page() -> Page {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new();
    let lifecycle = Lifecycle::default();
    let mut settings = settings(folder.path());
    settings["spool"] = json!({ "dir": folder.path().join("spool") });
    let config = read(&settings);
    let queue = queue(&config, &registry, &lifecycle).await;
    let spool = Spool::open(config.spool.as_ref(), &registry).unwrap();
    let publisher = spool.over(Arc::new(queue.publisher()), PATIENCE, &lifecycle).unwrap();
    let settings = ingest::Settings::from_config(&config, Reloads::none());
    let _address = ingest::run(settings, Arc::new(publisher), &registry, &lifecycle).unwrap();
    page(&registry, &lifecycle).await
}

pub(crate) async fn worker_page() -> Page {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new();
    let lifecycle = Lifecycle::default();
    let config = read(&settings(folder.path()));
    let queue = queue(&config, &registry, &lifecycle).await;
    let ends = Queue {
        alerts: Box::new(queue.subscribe(Subscription::Alerts)),
        dead: Box::new(queue.subscribe(Subscription::Dead)),
        interactions: Box::new(queue.subscribe(Subscription::Interactions)),
        publisher: Arc::new(queue.publisher()),
    };
    let settings = worker::Settings::from_config(&config, Reloads::none());
    let _pages = worker::start(settings, ends, &registry, Clock::system(), &lifecycle).unwrap();
    page(&registry, &lifecycle).await
}

/// Of `larkfire`, by its admin port.
pub(crate) async fn larkfire_page() -> Page {
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(folder.path());
    let file = folder.path().join("larkfire.yaml");
    std::fs::write(&file, settings.to_string()).unwrap();
    let launch = Launch::program(env!("CARGO_BIN_EXE_larkfire"));
    let process = launch.argument("--config").argument(file).directory(folder.path()).start();
    let url = format!("http://{}/metrics", settings["admin_listen"].as_str().unwrap());
    let text = wait_until(PATIENCE, "the metrics", async || match http::get(&url).await {
        Ok(answer) if answer.status == 200 => Ok(answer.text().to_owned()),
        other => Err(format!("{other:?}")),
    })
    .await;
    process.terminate();
    let (_code, _printed) = process.finish(PATIENCE).await;
    parsed(&text)
}

async fn page(registry: &Registry, lifecycle: &Lifecycle) -> Page {
    let text = TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    let _drained = lifecycle.drain(PATIENCE).await;
    parsed(&text)
}

/// Our own metrics in Prometheus' text format.
fn parsed(text: &str) -> Page {
    let mut page = Page::new();
    for line in text.lines() {
        if let Some((name, help)) = line.strip_prefix("# HELP ").and_then(|rest| rest.split_once(' ')) {
            help.clone_into(&mut page.entry(name.to_owned()).or_default().help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            kind.clone_into(&mut page.entry(name.to_owned()).or_default().kind);
        } else if let Some((name, rest)) = line.split_once('{') {
            let of_histogram = OF_HISTOGRAMS.iter().find_map(|end| name.strip_suffix(end));
            let name = of_histogram.filter(|name| page.contains_key(*name)).unwrap_or(name);
            let shown = page.get_mut(name).unwrap_or_else(|| panic!("nothing was said about {name}"));
            let (labels, _value) = rest.rsplit_once('}').unwrap();
            for (label, value) in labels.split("\",").filter_map(|pair| pair.split_once("=\"")) {
                if label != BOUND {
                    let value = value.trim_end_matches('"').to_owned();
                    let _new = shown.labels.entry(label.to_owned()).or_default().insert(value);
                }
            }
        }
    }
    page.retain(|name, _| name.starts_with("larkfire_"));
    page
}
