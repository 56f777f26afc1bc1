//! Where to look further: logs in Grafana, and the pages an alert brings along. Pure: times are arguments.

pub(crate) mod annotated;
mod explore;
mod logql;
mod loki;
mod page;
#[cfg(test)]
mod tests;
mod window;

use config::{LinksConfig, Rewrite};
use jiff::Timestamp;
use model::alert::Alert;
use model::envelope::{Envelope, Source};
use thiserror::Error;

/// Links one alert gets besides those of its annotations; on a phone that is three rows of buttons.
pub const LINKS_MAX: usize = 6;
/// What an alert with more links than that does without: a picture of what the panel shows, and the panel that is on
/// the dashboard.
const DISPENSABLE: [LinkKind; 2] = [LinkKind::Image, LinkKind::Panel];
/// Where an alert says how it is handled.
pub(crate) const RUNBOOK: &str = "runbook_url";

/// A page to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is there.
    pub kind: LinkKind,
    /// The annotation that says so by its name; `None` where the source has a place of its own for it.
    pub annotation: Option<String>,
    /// Its address, safe in a button and in markdown.
    pub url: String,
}

/// What is behind a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// All lines around the alert.
    Logs,
    /// Those of them that look like errors.
    Errors,
    /// The rule that raised it.
    Source,
    /// The dashboard it belongs to.
    Dashboard,
    /// The panel on it.
    Panel,
    /// What to do about it.
    Runbook,
    /// What the panel looked like.
    Image,
    /// A form that silences it.
    Silence,
    /// What an annotation's name says.
    Annotated,
}

/// How an alert came, as far as its links depend on it.
#[derive(Clone, Copy, Debug)]
pub struct LinkContext {
    /// In which format: a message names interfaces, an alert of Prometheus names ports.
    pub source: Source,
    /// When; stands for the time of an alert without one.
    pub received_at: Timestamp,
    /// The time now; nothing began or ended later.
    pub now: Timestamp,
}

impl LinkContext {
    /// Of the alerts of an envelope.
    pub fn of(envelope: &Envelope<'_>, now: Timestamp) -> Self {
        Self { source: envelope.source, received_at: envelope.received_at, now }
    }
}

/// A query for logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogQuery {
    /// Whether it is for all lines or for errors.
    pub kind: LinkKind,
    /// The query.
    pub logql: String,
    /// Where it leads; `None` if that is too long for a link.
    pub link: Option<Link>,
}

/// Why an alert has no links to logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NoLogs {
    /// It is not known where Grafana is.
    #[error("links.grafana_url is not set")]
    NoGrafana,
    /// No data source is set for everything, and none for the namespace of the alert.
    #[error("there is no Loki data source for its namespace, and none for all")]
    NoDatasource,
    /// Loki takes no query that selects nothing.
    #[error("it has none of the labels that Loki is asked by (links.loki.labels)")]
    NoSelector,
}

/// The links of an alert, to logs first, without repetitions; at most [`LINKS_MAX`] and a few of its annotations.
pub fn of(alert: &Alert<'_>, arrival: LinkContext, config: &LinksConfig) -> Vec<Link> {
    let to_logs = logs(alert, arrival, config).unwrap_or_default();
    let candidates = [
        (LinkKind::Source, alert.generator_url.as_ref()),
        (LinkKind::Dashboard, alert.links.dashboard.as_ref()),
        (LinkKind::Panel, alert.links.panel.as_ref()),
        (LinkKind::Runbook, alert.annotations.get(RUNBOOK).unwrap_or_default()),
        (LinkKind::Image, alert.links.image.as_ref()),
        (LinkKind::Silence, alert.links.silence.as_ref()),
    ];
    let brought = candidates.into_iter().filter_map(|(kind, candidate)| {
        let url = page(candidate, &config.rewrites)?;
        Some(Link { kind, annotation: None, url })
    });
    let mut links: Vec<Link> = Vec::new();
    for link in to_logs.into_iter().filter_map(|query| query.link).chain(brought) {
        if !links.iter().any(|known| known.url == link.url) {
            links.push(link);
        }
    }
    for annotated in annotated::of(alert) {
        let Some(url) = page(annotated.url, &config.rewrites) else { continue };
        if links.iter().any(|known| known.url == url) {
            continue;
        }
        // Of two runbooks the second one is called by its annotation.
        let is_taken = links.iter().any(|known| known.kind == annotated.kind);
        let kind = if is_taken { LinkKind::Annotated } else { annotated.kind };
        links.push(Link { kind, annotation: Some(annotated.name.to_owned()), url });
    }
    for kind in DISPENSABLE {
        if links.iter().filter(|link| link.annotation.is_none()).count() > LINKS_MAX {
            links.retain(|link| link.kind != kind);
        }
    }
    links
}

/// The queries for the logs around an alert, or why there are none.
pub fn logs(alert: &Alert<'_>, arrival: LinkContext, config: &LinksConfig) -> Result<Vec<LogQuery>, NoLogs> {
    loki::queries(alert, arrival, config)
}

/// The address of a page people can reach, if it is one; see [`Link::url`].
pub fn page(candidate: &str, rewrites: &[Rewrite]) -> Option<String> {
    page::safe(candidate, rewrites)
}
