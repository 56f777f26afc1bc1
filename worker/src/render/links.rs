//! Where to look further, and what to call it. Pure.

use std::borrow::Cow;

use model::alert::Alert;
use model::envelope::Envelope;

use super::escape::clean_line;
use super::i18n::Words;
use super::view::View;
use crate::link::{self, Link, LinkContext, LinkKind, annotated};

/// The links of an alert.
pub(super) fn of(view: &View<'_>, envelope: &Envelope<'_>, alert: &Alert<'_>) -> Vec<Link> {
    link::of(alert, LinkContext::of(envelope, view.now), view.links)
}

/// How much of an annotation's name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 40;

/// What to call a link, as clean text.
pub(super) fn name(link: &Link, words: &Words) -> Cow<'static, str> {
    let name = match link.kind {
        LinkKind::Annotated => {
            let annotation = link.annotation.as_deref().unwrap_or_default();
            return clean_line(annotated::title(annotation), NAME_CHARACTERS_MAX).into();
        }
        LinkKind::Logs => words.logs,
        LinkKind::Errors => words.errors,
        LinkKind::Source => words.source,
        LinkKind::Dashboard => words.dashboard,
        LinkKind::Panel => words.panel,
        LinkKind::Runbook => words.runbook,
        LinkKind::Image => words.image,
        LinkKind::Silence => words.silence,
    };
    name.into()
}
