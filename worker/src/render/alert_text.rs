//! What an alert says of itself: a name, a summary and a description, each thing once. Pure.

use model::alert::{Alert, Status};

use super::state_reason;

/// How long a title gets, in characters; a phone shows about 40 of them, a desktop 80.
pub(super) const TITLE_CHARACTERS_MAX: usize = 100;
/// Annotations that sum up, best first.
const SUMMARIES: [&str; 2] = ["summary", "title"];
/// Annotations that explain, best first.
const DESCRIPTIONS: [&str; 6] = ["description", "message", "details", "text", "info", "content"];
/// What annotations begin with that are for the end of an alert.
const FOR_ENDS: &str = "resolved";
/// Of those the ones that sum up, best first.
const SUMMARIES_OF_ENDS: [&str; 2] = ["resolved_summary", "resolved_title"];
/// Of those the ones that explain, best first.
const DESCRIPTIONS_OF_ENDS: [&str; 4] =
    ["resolved_description", "resolved_message", "resolved_details", "resolved_text"];

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

/// Whether an annotation is for the end of an alert only.
pub(super) fn is_for_ends(name: &str) -> bool {
    name.get(..FOR_ENDS.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(FOR_ENDS))
}

/// Whether an annotation was written for the beginning of an alert that is over, and another one for its end.
pub(super) fn is_replaced(alert: &Alert<'_>, name: &str) -> bool {
    let has_any = |names: &[&str]| {
        names.iter().any(|name| alert.annotations.get(name).is_some_and(|text| !is_blank(text)))
    };
    let is_over = alert.status == Status::Resolved;
    let is_summary = || SUMMARIES.contains(&name) && has_any(&SUMMARIES_OF_ENDS);
    let is_description = || DESCRIPTIONS.contains(&name) && has_any(&DESCRIPTIONS_OF_ENDS);
    is_over && (is_summary() || is_description())
}

/// Of an alert with labels and annotations.
pub(super) fn annotated<'a>(alert: &'a Alert<'a>) -> AlertText<'a> {
    let annotation = |names: &[&str]| {
        let mut values = names.iter().filter_map(|name| alert.annotations.get(name));
        values.find(|value| !is_blank(value)).unwrap_or_default()
    };
    let is_over = alert.status == Status::Resolved;
    // What was written for the end goes before what was written for the beginning.
    let at_end = |names: &[&str]| Some(annotation(names)).filter(|text| is_over && !text.is_empty());
    let first = annotation(&SUMMARIES);
    let summary = at_end(&SUMMARIES_OF_ENDS).unwrap_or(first);
    let label = |name| alert.labels.get(name).filter(|value| !is_blank(value));
    let alertname = label("alertname");
    // What stands for a rule that could not be asked is called by the rule's name.
    let rule = alertname.filter(|name| state_reason::is_stand_in(name)).and_then(|_| label("rulename"));
    let name = rule.or(alertname).unwrap_or(first);
    let description = at_end(&DESCRIPTIONS_OF_ENDS).unwrap_or_else(|| annotation(&DESCRIPTIONS));
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
