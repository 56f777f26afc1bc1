//! The form of Alertmanager's own pages in which a silence is made, filled in: its matchers are in the fragment of the
//! address, as its page writes and reads them (`SilenceForm/Parsing.elm`, `Utils/Filter.elm`; reference "Alert sources",
//! 2.4). Values are texts of JSON there, names have no quotes. Pure.

use std::fmt::Write;

use config::Rewrite;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::NoLink;
use super::page;

/// What is left as it is: nothing of it means anything in the fragment, in the query within it, in markdown or to
/// whatever looks for addresses in a text.
const ENCODED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b':').remove(b',').remove(b'/');
/// What ends a name for the page that reads it (its `reservedChars`).
const NOT_IN_NAMES: [char; 18] = [
    '{', '}', '!', '=', '~', ',', '\\', '"', '\'', '`', ' ', '\t', '\n', '\u{b}', '\u{c}', '\r', '\u{85}',
    '\u{a0}',
];

/// The address of the form for what has these labels, in the Alertmanager at `sender`.
pub(super) fn form<'l>(
    labels: impl Iterator<Item = (&'l str, &'l str)>,
    sender: &str,
    rewrites: &[Rewrite],
) -> Result<String, NoLink> {
    if sender.is_empty() {
        return Err(NoLink::NoAlertmanager);
    }
    let base = page::safe(sender, rewrites)?;
    if base.contains(['?', '#']) {
        return Err(NoLink::NoAlertmanager);
    }
    let mut filter = String::new();
    let mut is_any_filled = false;
    for (name, value) in labels {
        if name.is_empty() || name.contains(NOT_IN_NAMES) {
            return Err(NoLink::LabelName);
        }
        is_any_filled |= !value.is_empty();
        let separator = if filter.is_empty() { '{' } else { ',' };
        // Writing to a string cannot fail, and a text is always JSON.
        let _written = write!(filter, "{separator}{name}={}", serde_json::Value::from(value));
    }
    // Alertmanager makes no silence that would match what has no labels at all.
    if !is_any_filled {
        return Err(NoLink::NoLabels);
    }
    filter.push('}');
    let filter = utf8_percent_encode(&filter, ENCODED);
    page::short(format!("{}/#/silences/new?filter={filter}", base.trim_end_matches('/')))
}
