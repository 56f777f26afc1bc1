//! The cards, drawn in the words of those who would be told.

use std::fmt::Write;
use std::sync::Arc;

use jiff::Timestamp;
use shared::config::Config;
use shared::envelope::{Envelope, Line, decode};
use worker::card::{Besides, Card, Item, Style, Worded, Wording, build_with};
use worker::feishu::CARD_BYTES_MAX;
use worker::preview::render;
use worker::receiver::PREVIEW;
use worker::routing::{Parting, Router};
use worker::wordings::ByReceiver;

use super::ExplainError;

/// Envelopes whose cards are drawn in full; of a storm the first ones say enough.
const CARDS_DRAWN_MAX: usize = 3;

/// Each envelope's card, once for each template that its receivers' cards go by.
pub(super) fn draw(
    told: &mut String,
    lines: &[Line],
    (config, router): (&Config, &Router),
    now: Timestamp,
    coloured: bool,
) -> Result<(), ExplainError> {
    let style =
        Style { timezone: config.timezone.clone(), locale: config.locale, links: config.links.clone() };
    let words = ByReceiver::new(&config.templates, &config.receivers, config.template.as_deref())?;
    for (number, line) in lines.iter().enumerate().take(CARDS_DRAWN_MAX) {
        let envelope = decode(line.bytes.trim_ascii_end())?;
        let items = Item::all_of(&envelope);
        for (receiver, wording) in readers(&words, router, &envelope) {
            let worded = wording.map(|wording| Worded::new(wording, receiver));
            let besides = Besides { worded: worded.as_ref(), ..Besides::default() };
            let card = build_with(&items, &style, (now, CARD_BYTES_MAX), besides);
            let place = (number + 1, lines.len());
            // Writing to a string cannot fail, here and below.
            let _written = write!(told, "{}", heading(place, &card, wording.map(|wording| wording.name())));
            for (part, error) in worded.map(Worded::into_failures).unwrap_or_default() {
                let part = part.as_str();
                let _written = write!(told, "\n  its {part} failed ({error}): these are the built-in words");
            }
            let _written = writeln!(told, "{}", render(&card, coloured));
        }
    }
    Ok(())
}

fn heading((number, all): (usize, usize), card: &Card, template: Option<&str>) -> String {
    let bytes = serde_json::to_vec(card).map_or(0, |json| json.len());
    let words = template.map(|name| format!(", in the words of template {name}")).unwrap_or_default();
    format!("card {number} of {all}, {bytes} of {CARD_BYTES_MAX} bytes{words}:")
}

/// One receiver for each template, and that; the first receiver for the built-in words.
fn readers<'r>(
    words: &'r ByReceiver,
    router: &'r Router,
    envelope: &Envelope<'_>,
) -> Vec<(&'r str, Option<&'r Arc<Wording>>)> {
    let names = router.names();
    let name = |receiver: Option<usize>| receiver.and_then(|place| names.get(place)).map(String::as_str);
    let receivers = match router.part(envelope) {
        _ if names.is_empty() => vec![Some(PREVIEW)],
        Parting::Whole(receiver) => vec![name(receiver)],
        Parting::Parts(parts) => parts.into_iter().map(|part| name(part.receiver)).collect(),
    };
    let mut readers: Vec<(&str, Option<&Arc<Wording>>)> = Vec::new();
    for receiver in receivers {
        let (receiver, wording) = receiver.map_or(("", None), |name| (name, words.of(name)));
        let is_new = |(_, known): &(&str, Option<&Arc<Wording>>)| {
            known.map(|known| known.name()) != wording.map(|wording| wording.name())
        };
        if readers.iter().all(is_new) {
            readers.push((receiver, wording));
        }
    }
    readers
}

#[cfg(test)]
mod tests {
    use crate::explain::tests::{ALERT, explained};

    #[test]
    fn a_card_is_drawn_in_the_words_of_each_of_its_readers() {
        let settings = "{ templates: { short: { title: 'DOWN {{ receiver }}' }, broken: { body: '{{ name / 2 }}' } }, \
            receivers: { default: { webhook_url: https://h/x, template: short }, \
            dba: { webhook_url: https://h/y, template: broken }, third: { webhook_url: https://h/z, template: short } }, \
            routes: [{ receivers: [default, dba, third] }] }";
        let told = explained(ALERT, settings).unwrap();
        for part in [
            "bytes, in the words of template short:\n┏━ DOWN default\n",
            "bytes, in the words of template broken:\n  its body failed (line 1: invalid operation): these are the built-in words\n",
            "db-1 does not answer",
        ] {
            assert!(told.contains(part), "{part:?} is missing in:\n{told}");
        }
        assert_eq!(told.matches("card 1 of 1").count(), 2, "{told}");
    }

    #[test]
    fn without_receivers_the_card_is_drawn_as_the_preview_does() {
        let told = explained(ALERT, "{ template: ours, templates: { ours: { title: 'Look: {{ name }}' } } }");
        assert!(told.unwrap().contains("┏━ Look: Down\n"));
    }
}
