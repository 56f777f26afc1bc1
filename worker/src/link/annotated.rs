//! Annotations that are links by their names: `dashboard`, `playbook`, `grafana_url`. Pure.

use model::alert::Alert;

use super::{LinkKind, RUNBOOK, page};

/// How many annotations of one alert become links; further ones are told as they are.
const ANNOTATED_MAX: usize = 4;
/// Parts of names, and what is behind such a link.
const KINDS: [(&str, LinkKind); 3] =
    [("runbook", LinkKind::Runbook), ("playbook", LinkKind::Runbook), ("dashboard", LinkKind::Dashboard)];
/// What other names of links end with.
const ENDS: [&str; 3] = ["url", "uri", "link"];

/// An annotation that is a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AnnotatedLink<'a> {
    pub(crate) kind: LinkKind,
    /// The annotation's name.
    pub(crate) name: &'a str,
    pub(crate) url: &'a str,
}

/// The annotations that are links, in the order of their names.
pub(crate) fn of<'a>(alert: &'a Alert<'_>) -> impl Iterator<Item = AnnotatedLink<'a>> {
    let annotations = alert.annotations.iter().filter(|(name, _)| *name != RUNBOOK);
    let links = annotations.filter_map(|(name, value)| {
        let url = value.trim();
        let kind = kind_of(name)?;
        // An address with blanks is a text in which an address stands.
        let is_page = !url.contains(char::is_whitespace) && page::safe(url, &[]).is_ok();
        is_page.then_some(AnnotatedLink { kind, name, url })
    });
    links.take(ANNOTATED_MAX)
}

/// Whether the annotation of this name is told as a link.
pub(crate) fn is_link(alert: &Alert<'_>, name: &str) -> bool {
    if name == RUNBOOK {
        return alert.annotations.get(name).is_some_and(|value| page::safe(value, &[]).is_ok());
    }
    kind_of(name).is_some() && of(alert).any(|link| link.name == name)
}

/// What a link is called by the name of its annotation: `grafana_url` leads to `grafana`.
pub(crate) fn title(name: &str) -> &str {
    let lower = name.to_ascii_lowercase();
    let end = ENDS.iter().find(|end| lower.ends_with(**end)).map_or(0, |end| end.len());
    let title = name.get(..name.len() - end).unwrap_or(name).trim_end_matches(['_', '-', '.', ' ']);
    if title.is_empty() { name } else { title }
}

fn kind_of(name: &str) -> Option<LinkKind> {
    let lower = name.to_ascii_lowercase();
    let known = KINDS.iter().find(|(part, _)| lower.contains(part)).map(|(_, kind)| *kind);
    let is_named = || ENDS.iter().any(|end| lower.ends_with(end));
    known.or_else(|| is_named().then_some(LinkKind::Annotated))
}
