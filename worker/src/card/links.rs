//! Where to look further, and what to call it.

use shared::alert::Alert;
use shared::config::LinksConfig;
use shared::envelope::Envelope;

use super::View;
use super::words::Words;
use crate::link::{self, Arrival, Kind};

/// The links of an alert, each with what to call it.
pub(super) fn of(view: &View<'_>, envelope: &Envelope<'_>, alert: &Alert<'_>) -> Vec<(&'static str, String)> {
    let links = link::of(alert, Arrival::of(envelope, view.now), view.links);
    links.into_iter().map(|link| (name(link.kind, view.words), link.url)).collect()
}

/// The address of a page an envelope brings along, if it may be shown.
pub(super) fn page(candidate: &str, links: &LinksConfig) -> Option<String> {
    link::page(candidate, &links.rewrites)
}

pub(super) const fn name(kind: Kind, words: &Words) -> &'static str {
    match kind {
        Kind::Logs => words.logs,
        Kind::Errors => words.errors,
        Kind::Source => words.source,
        Kind::Dashboard => words.dashboard,
        Kind::Panel => words.panel,
        Kind::Runbook => words.runbook,
        Kind::Image => words.image,
        Kind::Silence => words.silence,
    }
}
