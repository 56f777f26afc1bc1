//! What an alert says in annotations of any name, besides what stands elsewhere on the card. Pure.

use super::alert_text::{AlertText, is_for_ends, is_replaced};
use super::escape::{clean, clean_line};
use super::i18n::Words;
use super::item::{Item, ORIGIN};
use super::state_reason::STATE_REASON;
use crate::link::annotated;
use crate::people::person::is_somebodys_number;

/// What was measured: an annotation, as a label would make each measurement an alert of its own.
pub(super) const VALUE: &str = "value";
/// How many labels ingest did not keep.
const LABELS_LEFT_OUT: &str = "labels_left_out";
/// How many annotations it did not keep.
const ANNOTATIONS_LEFT_OUT: &str = "annotations_left_out";
/// How much of an annotation's name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 40;

/// Whether an annotation of this name and value is told by itself: it is in no text and no link of the card.
fn is_note(item: &Item<'_>, alert_text: &AlertText<'_>, name: &str, value: &str) -> bool {
    let is_elsewhere = [VALUE, ORIGIN].contains(&name)
        || [alert_text.name, alert_text.summary, alert_text.description]
            .iter()
            .any(|text| text.trim() == value.trim());
    let is_not_shown = name.starts_with("__")
        || value.trim().is_empty()
        || is_somebodys_number(name, value)
        || (is_for_ends(name) && item.is_firing())
        || is_replaced(item.alert, name);
    let is_said = name == STATE_REASON && item.state_reason().is_some();
    !is_elsewhere && !is_not_shown && !is_said && !annotated::is_link(item.alert, name)
}

/// The annotations that are told by themselves.
pub(super) fn of<'e>(item: &Item<'e>) -> impl Iterator<Item = (&'e str, &'e str)> + use<'e> {
    let item = *item;
    let alert_text = item.text();
    let notes = move || {
        let annotations = item.alert.annotations.iter();
        annotations.filter(move |(name, value)| is_note(&item, &alert_text, name, value))
    };
    let is_count = |(name, _): &(&str, &str)| [LABELS_LEFT_OUT, ANNOTATIONS_LEFT_OUT].contains(name);
    // What is missing comes after what is there.
    notes().filter(move |note| !is_count(note)).chain(notes().filter(is_count))
}

/// An annotation as people read it, as clean text.
pub(super) fn line(words: &Words, name: &str, value: &str, characters_max: usize) -> String {
    let count = value.trim().parse();
    match (name, count) {
        (LABELS_LEFT_OUT, Ok(count)) => words.labels_not_kept(count),
        (ANNOTATIONS_LEFT_OUT, Ok(count)) => words.annotations_not_kept(count),
        (_, Ok(_) | Err(_)) => {
            let name = clean_line(name, NAME_CHARACTERS_MAX);
            format!("{name}{}{}", words.colon, clean(value, characters_max))
        }
    }
}
