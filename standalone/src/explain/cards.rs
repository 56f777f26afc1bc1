//! The cards, drawn in the words of those who would be told.

use std::fmt::Write;
use std::sync::Arc;

use config::{BOT_MARK, CardFormat, Config};
use jiff::Timestamp;
use model::envelope::{Envelope, Line, decode};
use worker::feishu::CARD_BYTES_MAX;
use worker::preview::{Colours, render};
use worker::receiver::PREVIEW;
use worker::render::{AppliedTemplate, Besides, Card, CardTemplate, Item, Style, build_with};
use worker::routing::{Parting, Router};
use worker::templates::ByReceiver;

use super::ExplainError;
use super::rows::Rows;

/// Envelopes whose cards are drawn in full; of a storm the first ones say enough.
const CARDS_DRAWN_MAX: usize = 3;

/// Each envelope's card, once for each template and format that its receivers' cards go by.
pub(super) fn draw(
    told: &mut Rows,
    lines: &[Line],
    config: &Config,
    router: &Router,
    now: Timestamp,
    colours: Colours,
) -> Result<(), ExplainError> {
    let style = Style {
        timezone: config.timezone.clone(),
        locale: config.locale,
        links: config.links.clone(),
        severities: config.severities.clone(),
    };
    let words = ByReceiver::new(&config.templates, &config.receivers, config.template.as_deref())?;
    for (number, line) in lines.iter().enumerate().take(CARDS_DRAWN_MAX) {
        let envelope = decode(line.bytes.trim_ascii_end())?;
        let items = Item::all_of(&envelope);
        for CardReader { receiver, template, format } in readers(&words, router, &envelope, config) {
            let worded = template.map(|template| AppliedTemplate::new(template, receiver));
            let besides = Besides { format, worded: worded.as_ref(), ..Besides::default() };
            let card = build_with(&items, &style, now, CARD_BYTES_MAX, besides).content;
            // Writing to a string cannot fail, here and below.
            let _written = writeln!(
                told,
                "{}",
                heading(number + 1, lines.len(), &card, template.map(|template| template.name()))
            );
            for (part, error) in worded.map(AppliedTemplate::into_failures).unwrap_or_default() {
                let part = part.as_str();
                let _written = writeln!(told, "  its {part} failed ({error}): these are the built-in words");
            }
            told.draw(render(&card, colours).trim_start_matches('\n'));
        }
    }
    Ok(())
}

fn heading(number: usize, all: usize, card: &Card, template: Option<&str>) -> String {
    let bytes = serde_json::to_vec(card).map_or(0, |json| json.len());
    let words = template.map(|name| format!(", in the words of template {name}")).unwrap_or_default();
    let format = card.format.as_str();
    format!("card {number} of {all}, card JSON {format}, {bytes} of {CARD_BYTES_MAX} bytes{words}:")
}

/// Whoever sees a card as others do not.
struct CardReader<'r> {
    receiver: &'r str,
    template: Option<&'r Arc<CardTemplate>>,
    format: CardFormat,
}

/// One receiver for each template and format; the first receiver for the built-in words.
fn readers<'r>(
    words: &'r ByReceiver,
    router: &'r Router,
    envelope: &Envelope<'_>,
    config: &Config,
) -> Vec<CardReader<'r>> {
    let names = router.names();
    let name = |receiver: Option<usize>| receiver.and_then(|place| names.get(place)).map(String::as_str);
    let receivers = match router.part(envelope) {
        _ if names.is_empty() => vec![Some(PREVIEW)],
        Parting::Whole(receiver) => vec![name(receiver)],
        Parting::Parts(parts) => parts.into_iter().map(|part| name(part.receiver)).collect(),
    };
    let mut readers: Vec<CardReader<'_>> = Vec::new();
    for receiver in receivers {
        let (receiver, template) = receiver.map_or(("", None), |name| (name, words.of(name)));
        let reader = CardReader { receiver, template, format: format_of(receiver, config) };
        let is_like = |known: &CardReader<'_>| {
            let name = |reader: &CardReader<'_>| reader.template.map(|template| template.name().to_owned());
            name(known) == name(&reader) && known.format == reader.format
        };
        if !readers.iter().any(is_like) {
            readers.push(reader);
        }
    }
    readers
}

/// What the cards of a receiver, or of one of its bots, are written in.
fn format_of(receiver: &str, config: &Config) -> CardFormat {
    let name = receiver.split_once(BOT_MARK).map_or(receiver, |(name, _)| name);
    let own = config.receivers.iter().find(|receiver| receiver.name == name);
    own.map_or(config.cards.format, |receiver| receiver.card_format)
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
    fn a_card_is_drawn_in_each_format_that_one_of_its_readers_has() {
        let settings = "{ cards: { format: 2.0 }, receivers: { default: { webhook_url: https://h/x, card_format: 1.0 }, \
            dba: { webhook_url: https://h/y }, third: { webhook_url: https://h/z } }, \
            routes: [{ receivers: [default, dba, third] }] }";
        let told = explained(ALERT, settings).unwrap();
        for part in
            ["card 1 of 1, card JSON 1.0, ", "card 1 of 1, card JSON 2.0, ", "\n┏━ [", "\n┏━ Down\n┃ ["]
        {
            assert_eq!(told.matches(part).count(), 1, "{part:?} in:\n{told}");
        }
    }

    #[test]
    fn without_receivers_the_card_is_drawn_as_the_preview_does() {
        let told = explained(ALERT, "{ template: ours, templates: { ours: { title: 'Look: {{ name }}' } } }");
        assert!(told.unwrap().contains("┏━ Look: Down\n"));
    }
}
