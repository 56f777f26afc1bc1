//! Where to look further, and what to call it. Pure.

use model::alert::Alert;
use model::envelope::Envelope;

use super::i18n::Words;
use super::view::View;
use crate::link::{self, Link, LinkContext, LinkKind};

/// The links of an alert.
pub(super) fn of(view: &View<'_>, envelope: &Envelope<'_>, alert: &Alert<'_>) -> Vec<Link> {
    link::of(alert, LinkContext::of(envelope, view.now), view.links)
}

/// What to call a link.
pub(super) const fn name(kind: LinkKind, words: &Words) -> &'static str {
    match kind {
        LinkKind::Logs => words.logs,
        LinkKind::Errors => words.errors,
        LinkKind::Source => words.source,
        LinkKind::Dashboard => words.dashboard,
        LinkKind::Panel => words.panel,
        LinkKind::Runbook => words.runbook,
        LinkKind::Image => words.image,
        LinkKind::Silence => words.silence,
    }
}
