//! What an alert says of itself: a name, a summary and a description, each thing once. Pure.

use model::alert::Alert;

/// How long a title gets, in characters; a phone shows about 40 of them, a desktop 80.
pub(super) const TITLE_CHARACTERS_MAX: usize = 100;
/// Annotations that sum up, best first.
const SUMMARIES: [&str; 2] = ["summary", "title"];
/// Annotations that explain, best first.
const DESCRIPTIONS: [&str; 6] = ["description", "message", "details", "text", "info", "content"];

/// What an alert says of itself; each thing once.
#[derive(Clone, Copy)]
pub(super) struct AlertText<'a> {
    /// What it is called.
    pub(super) name: &'a str,
    pub(super) summary: &'a str,
    pub(super) description: &'a str,
}

/// Whether there is nothing in a text to be seen.
pub(super) fn is_blank(text: &str) -> bool {
    text.chars().all(char::is_whitespace)
}

/// Of an alert with labels and annotations.
pub(super) fn annotated<'a>(alert: &'a Alert<'a>) -> AlertText<'a> {
    let annotation = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| alert.annotations.get(name));
        values.find(|value| !is_blank(value)).unwrap_or_default()
    };
    let summary = annotation(&SUMMARIES);
    let named = alert.labels.get("alertname").filter(|name| !is_blank(name));
    let name = named.unwrap_or(summary);
    let description = annotation(&DESCRIPTIONS);
    let once = |text: &'a str, others: &[&str]| if others.contains(&text) { "" } else { text };
    AlertText { name, summary: once(summary, &[name]), description: once(description, &[name, summary]) }
}

/// Of a message: its first line that says something, and the rest. A title that is too long for the header is
/// repeated below it.
pub(super) fn message(annotated: AlertText<'_>) -> AlertText<'_> {
    let AlertText { name, summary, description } = annotated;
    let title = if summary.is_empty() { name } else { summary };
    let is_cut = title.chars().nth(TITLE_CHARACTERS_MAX).is_some();
    AlertText { name: title, summary: if is_cut { title } else { "" }, description }
}
