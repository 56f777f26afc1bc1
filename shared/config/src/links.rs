//! Settings of the links on cards: where Grafana is, how Loki is asked, which addresses people can reach.

mod rewrite;
mod template;
#[cfg(test)]
mod tests;

use std::time::Duration;

use url::Url;

use super::kinds::{Must, duration, number, without_blanks};
use super::reader::{Section, key, key_or};
use rewrite::REWRITES_MAX;

pub use rewrite::{Rewrite, RewritePattern};
pub use template::{Piece, QueryTemplate, ValueOf};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
/// How long the uid of a data source may be, in bytes. Grafana takes 40 characters; up to version 8 its name, which
/// may be longer, stood in its place.
const DATASOURCE_BYTES_MAX: usize = 100;

/// Which label of Loki's is asked for, and the labels of the alert it is read from, the first that is there.
/// A Deployment's pods are mostly labelled with its name; `service` comes last, as exporters put their own into it.
const LABELS: [(&str, &[&str]); 3] = [
    ("namespace", &["namespace"]),
    ("app", &["app", "deployment", "statefulset", "daemonset", "service"]),
    ("pod", &["pod"]),
];
const LOGS: [&str; 1] = ["%{selector}"];
/// Failed calls of the interface a message names, else what looks like an error.
const ERRORS: [&str; 2] = ["%{selector} |= %{endpoint} %{errors}", "%{selector} %{errors}"];
const ERROR_WORDS: [&str; 4] = ["error", "exception", "fatal", "panic"];

/// What links are made with.
#[derive(Clone, Debug, Default)]
pub struct LinksConfig {
    /// Grafana's address as people reach it; `None`: no links to logs.
    pub grafana_url: Option<Url>,
    /// The organisation links name; `None`: the one the reader is in.
    pub org_id: Option<u64>,
    /// The form of links to Explore.
    pub explore: Explore,
    /// What Loki is asked.
    pub loki: LokiConfig,
    /// Addresses that mean something only inside, and what people reach instead, in the order of the file.
    pub rewrites: Vec<Rewrite>,
    /// Labels that tell replicas apart and no alerts (`dedup.ignore_labels`): a link that silences leaves them out.
    pub ignore_labels: Vec<String>,
    /// The console as people reach it (`console.url`), without a slash at its end: a card that lists many leads to its page.
    pub console_url: Option<String>,
}

/// How a link to Grafana's Explore is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Explore {
    /// `?left=`. Every Grafana takes it, those since 10.1 by converting it, which loses nothing of a query for Loki.
    #[default]
    Left,
    /// `?schemaVersion=1&panes=`. What Grafana itself writes since 10.1; older ones open an empty page.
    Panes,
}

/// What Loki is asked.
#[derive(Clone, Debug)]
pub struct LokiConfig {
    /// Grafana's uid of the data source, where no other is meant.
    pub datasource_uid: Option<String>,
    /// Data sources of single namespaces.
    pub datasources: Vec<(String, String)>,
    /// Loki's labels, and the labels of the alert each is read from; the first that is there.
    pub labels: Vec<(String, Vec<String>)>,
    /// Queries for logs; the first of which the alert has every value.
    pub logs: Vec<QueryTemplate>,
    /// Queries for errors; the first of which the alert has every value.
    pub errors: Vec<QueryTemplate>,
    /// What errors are known by, in upper or lower case.
    pub error_words: Vec<String>,
    /// How long before the alert the logs begin.
    pub before: Duration,
    /// How long after it they end.
    pub after: Duration,
}

impl Default for LokiConfig {
    fn default() -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        // A test holds that each of them is a template.
        let read = |texts: &[&str]| texts.iter().filter_map(|text| template::template(text).ok()).collect();
        Self {
            datasource_uid: None,
            datasources: Vec::new(),
            labels: LABELS.iter().map(|(name, from)| ((*name).to_owned(), owned(from))).collect(),
            logs: read(&LOGS),
            errors: read(&ERRORS),
            error_words: owned(&ERROR_WORDS),
            before: 5 * MINUTE,
            after: 5 * MINUTE,
        }
    }
}

pub(super) fn links(section: Section<'_>) -> LinksConfig {
    let links = LinksConfig {
        grafana_url: section.value(key_or("grafana_url", "GRAFANA_URL"), page),
        org_id: section.value(key("org_id"), number(1..=u64::MAX)),
        explore: section.value(key("explore"), explore).unwrap_or_default(),
        loki: loki(section.section("loki")),
        rewrites: section.rules("rewrite", REWRITES_MAX, rewrite::rule),
        ignore_labels: Vec::new(),
        console_url: None,
    };
    section.finish();
    links
}

/// What is set and does nothing, as something beside it is missing.
pub(super) fn note(links: &LinksConfig) -> Option<String> {
    let datasource = links.loki.datasource_uid.is_some() || !links.loki.datasources.is_empty();
    match (&links.grafana_url, datasource) {
        (Some(_), false) => {
            Some("GRAFANA_URL is set, but no LOKI_DATASOURCE_UID: cards have no links to logs".to_owned())
        }
        (None, true) => {
            Some("a Loki data source is set, but no GRAFANA_URL: cards have no links to logs".to_owned())
        }
        (Some(_), true) | (None, false) => None,
    }
}

fn loki(section: Section<'_>) -> LokiConfig {
    let default = LokiConfig::default();
    let or = |set: Vec<QueryTemplate>, default| if set.is_empty() { default } else { set };
    let labels = section.lists("labels", loki_label, alert_label);
    let words = section.values(key("error_words"), alert_label);
    let time = |name| section.value(key(name), duration(Duration::ZERO..=12 * HOUR));
    let loki = LokiConfig {
        datasource_uid: section.value(key_or("datasource_uid", "LOKI_DATASOURCE_UID"), datasource),
        datasources: section.pairs("datasources", alert_label, datasource),
        labels: if labels.is_empty() { default.labels } else { labels },
        logs: or(section.texts("logs", template::template), default.logs),
        errors: or(section.texts("errors", template::template), default.errors),
        error_words: if words.is_empty() { default.error_words } else { words },
        before: time("before").unwrap_or(default.before),
        after: time("after").unwrap_or(default.after),
    };
    section.finish();
    loki
}

fn explore(text: &str) -> Result<Explore, Must> {
    match text {
        "left" => Ok(Explore::Left),
        "panes" => Ok(Explore::Panes),
        _ => Err("left or panes".to_owned()),
    }
}

/// An address to which a path can be added. Not with a password: cards would show it to everybody.
fn page(text: &str) -> Result<Url, Must> {
    without_blanks(text, "a web address")?;
    let usable = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    let must = "a web address without user, query and fragment, such as https://grafana.example.com";
    Url::parse(text).ok().filter(usable).ok_or_else(|| must.to_owned())
}

fn datasource(text: &str) -> Result<String, Must> {
    let usable = (1..=DATASOURCE_BYTES_MAX).contains(&text.len()) && !text.contains(char::is_control);
    let must = format!(
        "the uid of a data source, which Grafana shows in its address; at most {DATASOURCE_BYTES_MAX} bytes"
    );
    usable.then(|| text.to_owned()).ok_or(must)
}

/// Only names that LogQL takes without quotes.
fn loki_label(text: &str) -> Result<String, Must> {
    let begins_well = !text.starts_with(|c: char| c.is_ascii_digit()) && !text.is_empty();
    let usable = begins_well && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    usable
        .then(|| text.to_owned())
        .ok_or_else(|| "the name of a label in Loki: letters, digits and _".to_owned())
}

fn alert_label(text: &str) -> Result<String, Must> {
    (!text.is_empty()).then(|| text.to_owned()).ok_or_else(|| "a text with something in it".to_owned())
}
