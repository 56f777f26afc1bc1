//! What Loki is asked about an alert: everything around it, and what went wrong there. Pure.

use config::{LinksConfig, LokiConfig, QueryTemplate, ValueOf};
use model::alert::Alert;
use model::envelope::Source;

use super::logql::{self, Facts};
use super::{Link, LinkContext, LinkKind, LogQuery, NoLogs, explore, page, window};

/// A longer value is left out of a query, in bytes: Kubernetes has no name of this length, and no link the room.
const VALUE_BYTES_MAX: usize = 256;
/// The label that decides the data source.
const NAMESPACE: &str = "namespace";
const POD: &str = "pod";
const SERVICE: &str = "service";
/// The label of the interface a message names (接口名称).
const ENDPOINT: &str = "endpoint";
/// The label of the condition it names (触发条件), and the words in it that lines are searched for.
const TRIGGER: &str = "trigger";
const KEYWORDS: [&str; 3] = ["ERROR", "Exception", "exception"];

/// Both queries, with the links they become.
pub(super) fn queries(
    alert: &Alert<'_>,
    arrival: LinkContext<'_>,
    config: &LinksConfig,
) -> Result<Vec<LogQuery>, NoLogs> {
    let loki = &config.loki;
    if config.grafana_url.is_none() {
        return Err(NoLogs::NoGrafana);
    }
    let uid = datasource(alert, loki).ok_or(NoLogs::NoDatasource)?;
    let value = |of: &ValueOf| match of {
        ValueOf::Endpoint => endpoint(alert, arrival.source),
        ValueOf::Label(name) => value(alert, name),
    };
    let facts = Facts { matchers: matchers(alert, loki), errors: errors(alert, loki), value: &value };
    if facts.matchers.is_empty() {
        return Err(NoLogs::NoSelector);
    }
    let window = window::around(alert, arrival, loki.before, loki.after);
    let first = |kind, templates: &[QueryTemplate]| {
        let logql = templates.iter().find_map(|template| logql::filled(template, &facts))?;
        let url = explore::url(config, uid, &logql, window).and_then(|url| page(&url, &config.rewrites).ok());
        Some(LogQuery { kind, logql, link: url.map(|url| Link { kind, annotation: None, url }) })
    };
    Ok([first(LinkKind::Logs, &loki.logs), first(LinkKind::Errors, &loki.errors)]
        .into_iter()
        .flatten()
        .collect())
}

/// The uid of the data source that has the logs of the alert's namespace.
fn datasource<'c>(alert: &Alert<'_>, loki: &'c LokiConfig) -> Option<&'c str> {
    let namespace = alert.labels.get(NAMESPACE);
    let own = loki.datasources.iter().find(|(name, _)| Some(name.as_str()) == namespace);
    own.map(|(_, uid)| uid).or(loki.datasource_uid.as_ref()).map(String::as_str)
}

/// Loki's labels with the values the alert gives them. None is empty: that would match lines without the label.
fn matchers<'a>(alert: &'a Alert<'_>, loki: &'a LokiConfig) -> Vec<(&'a str, &'a str)> {
    let matcher = |(label, from): &'a (String, Vec<String>)| {
        let mut named = from.iter().filter(|name| !is_exporters_own(alert, name));
        named.find_map(|name| value(alert, name)).map(|value| (label.as_str(), value))
    };
    loki.labels.iter().filter_map(matcher).collect()
}

/// Whether the label is a service that is not the pod's: kube-state-metrics tells of every pod, and puts its own name
/// into `service`. With it the query would find nothing, and without it the pod says enough.
fn is_exporters_own(alert: &Alert<'_>, name: &str) -> bool {
    let (Some(service), Some(pod)) = (value(alert, name), value(alert, POD)) else { return false };
    name == SERVICE && !pod.starts_with(service)
}

/// The interface of a message. An alert of Prometheus has the name of a port under this label.
fn endpoint<'a>(alert: &'a Alert<'_>, source: Source) -> Option<&'a str> {
    source.is_of_messages().then(|| value(alert, ENDPOINT)).flatten()
}

/// A filter for errors: by the keyword of the condition, else by what errors usually look like.
fn errors(alert: &Alert<'_>, loki: &LokiConfig) -> String {
    let trigger = alert.labels.get(TRIGGER).unwrap_or_default();
    match KEYWORDS.iter().find(|keyword| trigger.contains(**keyword)) {
        Some(keyword) => logql::contains(keyword),
        None => logql::contains_any(&loki.error_words),
    }
}

/// The value of a label, if it is fit for a query.
fn value<'a>(alert: &'a Alert<'_>, name: &str) -> Option<&'a str> {
    alert.labels.get(name).filter(|value| !value.trim().is_empty() && value.len() <= VALUE_BYTES_MAX)
}
