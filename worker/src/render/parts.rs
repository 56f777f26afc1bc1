//! What a card consists of between its header and its end. Pure.

use std::borrow::Cow;

use config::CardFormat;

use super::alert_view::AlertView;
use super::card::{AlertBlock, BlockFold, Button, CardPicture, CardText, Element, Field, joined};
use super::escape::{clean, clean_line, markdown};
use super::group_view::{GroupView, TimeRange};
use super::icons::{self, Light};
use super::item::Item;
use super::nearly_shared::NearlyShared;
use super::state_reason::StateReason;
use super::view::View;
use super::{attention_lines, links, note_lines, storm, times};

/// How much of a name or a place is shown, in characters.
const VALUE_CHARACTERS_MAX: usize = 120;
/// How much of why a card comes again, in characters.
pub(super) const ESCALATION_CHARACTERS_MAX: usize = 400;
/// How much of a fact's name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 40;
/// The longest value that still fits half the width of a phone, in characters.
const SHORT_CHARACTERS_MAX: usize = 24;

/// Labels that are shown of each alert wherever there is room.
pub(super) const FACTS: usize = 10;
/// So many names of a group are read as easily as a title above them.
const NAMES_OPEN_MAX: usize = 30;
/// Where all parts of a card are only as long as they must be, so many characters still tell one alert from another.
const SHORT_FACTS_CHARACTERS_MAX: usize = 120;

/// What stands between labels on one line.
const FACT_SEPARATOR: &str = " · ";

/// How wordy an alert is told.
#[derive(Clone, Copy)]
pub(super) struct Detail {
    /// How much of it is seen at once.
    pub(super) fold: BlockFold,
    pub(super) summary_characters: usize,
    pub(super) description_characters: usize,
    /// Of words of one's own.
    pub(super) body_characters: usize,
    /// How many labels.
    pub(super) facts: usize,
    /// Of each value of a label.
    pub(super) fact_characters: usize,
    /// How many annotations besides the texts.
    pub(super) notes: usize,
    /// Of each of them.
    pub(super) note_characters: usize,
    pub(super) with_links: bool,
}

/// What is said once for all alerts.
pub(super) fn top(view: &View<'_>, detail: Detail) -> Vec<Element> {
    let escalation = view.besides.escalation.map(|why| markdown(&clean_line(why, ESCALATION_CHARACTERS_MAX)));
    let escalation = escalation.map(|why| Element::paragraph(format!("{} **{why}**", icons::ESCALATED)));
    let mut elements: Vec<_> = escalation.into_iter().collect();
    if view.summary.all.total() == 1 {
        return elements;
    }
    let mut counts = format!("**{}**", view.words.counts(view.summary.all));
    if let Some(delivered_before) = delivered_before(view) {
        counts.extend([" · ", &delivered_before]);
    }
    if let Some(attention) = attention_lines::counts(view) {
        counts.extend([" · ", &attention]);
    }
    if detail.facts == 0 && !view.shared_facts.is_empty() {
        counts.extend([" · ", &view.words.more_labels(view.shared_facts.len())]);
    }
    if let Some(storm) = storm::line(view) {
        counts.extend(["\n", &storm]);
    }
    elements.push(Element::paragraph(counts));
    // What is told in words of one's own has its facts there.
    let is_worded = view.alert_views.iter().all(|alert_view| alert_view.body.is_some());
    if !is_worded {
        let mut facts = fact_fields(view, detail);
        if detail.facts > 0 {
            facts.extend(view.nearly_shared.iter().map(|fact| nearly_shared_field(view, fact)));
        }
        elements.extend(fields(facts));
        elements
            .extend(note_lines::notices(view, detail.description_characters).into_iter().map(Element::plain));
    }
    elements
}

/// What all alerts share, and how much of that is left out.
fn fact_fields(view: &View<'_>, detail: Detail) -> Vec<Field> {
    let shown = view.shared_facts.iter().take(detail.facts);
    let mut shown: Vec<_> = shown.map(|(name, value)| field(name, value, detail.fact_characters)).collect();
    let left_out = view.shared_facts.len() - shown.len();
    if left_out > 0 && !shown.is_empty() {
        shown.push(Field {
            is_short: true,
            text: CardText::Markdown { content: view.words.more_labels(left_out) },
        });
    }
    shown
}

/// What all alerts share, and what nearly all do, on one line without markup; nothing if that is nothing.
pub(super) fn shared_line(view: &View<'_>) -> Option<String> {
    let pair = |name: &str, value: &str| format!("{}={value}", clean_line(name, NAME_CHARACTERS_MAX));
    let shared = view.shared_facts.iter().take(FACTS);
    let shared = shared.map(|(name, value)| pair(name, &clean_line(value, VALUE_CHARACTERS_MAX)));
    let nearly = view.nearly_shared.iter().map(|fact| {
        let value = clean_line(fact.value, VALUE_CHARACTERS_MAX);
        pair(fact.name, &view.words.of_most(&value, fact.percent))
    });
    let mut facts: Vec<_> = shared.chain(nearly).collect();
    if view.shared_facts.len() > FACTS {
        facts.push(view.words.more_labels(view.shared_facts.len() - FACTS));
    }
    (!facts.is_empty()).then(|| facts.join(" · "))
}

/// The labels of one of several alerts on one line, without markup: what tells it from the others is there in any case.
pub(super) fn facts_line(
    view: &View<'_>,
    alert_view: &AlertView<'_>,
    facts_max: usize,
    characters_max: usize,
) -> String {
    let is_short = facts_max == 0;
    let shown = alert_view.facts.iter().take(if is_short { FACTS } else { facts_max });
    let mut shown: Vec<_> = shown.map(|(name, value)| fact(name, value, characters_max)).collect();
    if is_short {
        let line = shown.join(FACT_SEPARATOR);
        return clean_line(&line, SHORT_FACTS_CHARACTERS_MAX);
    }
    let left_out = alert_view.facts.len() - shown.len();
    if left_out > 0 {
        shown.push(view.words.more_labels(left_out));
    }
    shown.join(FACT_SEPARATOR)
}

/// A label on a line with others.
fn fact(name: &str, value: &str, characters_max: usize) -> String {
    format!("{}={}", clean_line(name, NAME_CHARACTERS_MAX), clean_line(value, characters_max))
}

/// How many of several alerts are reminders; nothing if none is.
pub(super) fn delivered_before(view: &View<'_>) -> Option<String> {
    let reminders = view.summary.reminders;
    let longest = reminders.oldest.map(|oldest| view.now.duration_since(oldest));
    let said = || format!("{} {}", icons::AGAIN, view.words.delivered_before(reminders.count, longest));
    (reminders.count > 0).then(said)
}

/// What a single alert is, if it is no news: a reminder, or the end.
pub(super) fn standing(view: &View<'_>, alert_view: &AlertView<'_>) -> Option<(&'static str, String)> {
    let length = times::length(alert_view.item.alert, view.now);
    if alert_view.item.is_reminder() {
        return Some((icons::AGAIN, view.words.still_firing(length)));
    }
    let reason = alert_view.item.state_reason();
    let is_recovery = !reason.is_some_and(StateReason::is_end_without_recovery);
    let over =
        || if is_recovery { view.words.over(length) } else { view.words.over_without_recovery(length) };
    (!alert_view.item.is_firing()).then(|| (Light::Over.sign(), over()))
}

/// One alert in detail: with a card of its own, or as one of several. `names` are those of the alerts of a group.
pub(super) fn block(
    view: &View<'_>,
    alert_view: &AlertView<'_>,
    detail: Detail,
    names: Option<String>,
) -> Vec<Element> {
    if view.summary.all.total() == 1 {
        return alone(view, alert_view, detail);
    }
    let fold = match (&alert_view.group, detail.fold) {
        (Some(group), BlockFold::Open) if may_fold(view) && group.members.len() > NAMES_OPEN_MAX => {
            BlockFold::Names
        }
        (_, fold) => fold,
    };
    vec![Element::AlertBlock(Box::new(AlertBlock { fold, names, ..among_others(view, alert_view, detail) }))]
}

fn alone(view: &View<'_>, alert_view: &AlertView<'_>, detail: Detail) -> Vec<Element> {
    let mut lines = Vec::new();
    let standing = standing(view, alert_view);
    if let Some((sign, standing)) = &standing {
        lines.push(format!("{sign} **{}**", markdown(standing)));
    }
    lines.extend(attention_lines(view, alert_view));
    if let Some(body) = &alert_view.body {
        lines.push(body.markdown(detail.body_characters));
        return [Element::paragraph(lines.join("\n"))]
            .into_iter()
            .chain(picture(view, alert_view, detail).map(Element::Picture))
            .chain(link_buttons(view, alert_view, detail))
            .collect();
    }
    let summary = clean_line(alert_view.text.summary, detail.summary_characters);
    // What is over or known is no longer the loudest thing on the card.
    let loud = |text: String| if standing.is_none() { format!("**{text}**") } else { text };
    match alert_view.item.state_reason() {
        Some(reason) => {
            lines.push(loud(markdown(view.words.reason(reason))));
            lines.extend(
                Some(summary)
                    .filter(|text| !text.is_empty())
                    .map(|text| markdown(&view.words.of_the_rule(&text))),
            );
        }
        None if summary.is_empty() => {}
        None => lines.push(loud(markdown(&summary))),
    }
    let mut elements = Vec::new();
    if !lines.is_empty() {
        elements.push(Element::paragraph(lines.join("\n")));
    }
    let description = description_of(view, alert_view, detail.description_characters);
    if !description.is_empty() {
        // The dialect in which nothing can be meant but what is read.
        elements.push(Element::plain(description));
    }
    elements.extend(notes(view, alert_view, detail));
    elements.extend(note_lines::notices(view, detail.description_characters).into_iter().map(Element::plain));
    // A single alert's facts are all shared, with itself.
    let mut facts = fact_fields(view, detail);
    let mut times = times::points(&alert_view.item, view.words, view.timezone);
    // Where it stands says how long it took.
    times.extend(times::span(alert_view.item.alert, view.words, view.now).filter(|_| standing.is_none()));
    facts.extend(times.iter().map(|(name, value)| field(name, value, VALUE_CHARACTERS_MAX)));
    elements.extend(fields(facts));
    elements.extend(picture(view, alert_view, detail).map(Element::Picture));
    elements.extend(link_buttons(view, alert_view, detail));
    elements
}

/// What the alert looked like, if Feishu has it.
fn picture(view: &View<'_>, alert_view: &AlertView<'_>, detail: Detail) -> Option<CardPicture> {
    let key = links::picture_of(alert_view).filter(|_| detail.with_links)?;
    let alt = CardText::Plain { content: view.words.image.to_owned() };
    Some(CardPicture { img_key: key.to_owned(), alt })
}

/// What is in annotations of any name.
fn notes(view: &View<'_>, alert_view: &AlertView<'_>, detail: Detail) -> Option<Element> {
    let lines = note_lines::lines(view, alert_view, detail.notes, detail.note_characters);
    (!lines.is_empty()).then(|| Element::plain(lines.join("\n")))
}

fn link_buttons(view: &View<'_>, alert_view: &AlertView<'_>, detail: Detail) -> Option<Element> {
    let places = links_of(view, alert_view, detail).into_iter();
    let actions: Vec<_> = places.map(|(name, url)| Button::new(&name, url)).collect();
    (!actions.is_empty()).then_some(Element::Buttons { actions })
}

fn among_others(view: &View<'_>, alert_view: &AlertView<'_>, detail: Detail) -> AlertBlock {
    let item = &alert_view.item;
    let is_folded = detail.fold == BlockFold::All;
    let mut lines = Vec::new();
    let mut block = AlertBlock::default();
    let mut end = Vec::new();
    if alert_view.group.is_none() {
        lines.extend(attention_lines(view, alert_view));
    }
    if let Some(body) = &alert_view.body {
        lines.push(body.markdown(detail.body_characters));
    } else {
        let facts = facts_line(view, alert_view, detail.facts, detail.fact_characters);
        // What stands in the title already is not said again below it.
        let in_title = facts_line(view, alert_view, 0, VALUE_CHARACTERS_MAX);
        lines.extend(Some(markdown(&facts)).filter(|_| !is_folded || facts != in_title));
        lines.extend(item.state_reason().map(|reason| markdown(view.words.reason(reason))));
        lines.push(markdown(&summary_of(view, alert_view, detail.summary_characters)));
        block.description = description_of(view, alert_view, detail.description_characters);
        let mut notes = note_lines::lines(view, alert_view, detail.notes, detail.note_characters);
        let is_measured = alert_view.group.as_ref().is_some_and(GroupView::is_measured) && !notes.is_empty();
        block.measured = if is_measured { notes.remove(0) } else { String::new() };
        block.notes = notes.join("\n");
        if detail.summary_characters > 0 {
            let times = match &alert_view.group {
                Some(group) => group_times(view, group, item),
                None => times::facts(item, view.words, view.timezone, view.now),
            };
            let times: Vec<_> = times.iter().map(|(name, value)| format!("{name} {value}")).collect();
            end.push(times.join(" · "));
        }
    }
    end.extend(link_line(view, alert_view, detail));
    let below = |lines: &[String]| joined(lines).into_owned();
    AlertBlock {
        head: head(view, alert_view, Marks::Markdown, Place::Shown),
        title: if is_folded { folded_title(view, alert_view) } else { String::new() },
        lines: below(&lines),
        end: below(&end),
        picture: picture(view, alert_view, detail),
        label: names_line(view, alert_view).unwrap_or_default(),
        names_title: if may_fold(view) { names_title(alert_view) } else { String::new() },
        ..block
    }
}

/// Whether something can stand on the card that is seen only once it is opened.
pub(super) fn may_fold(view: &View<'_>) -> bool {
    match view.besides.format {
        CardFormat::V1 => false,
        CardFormat::V2 => true,
    }
}

/// What is seen of an alert of which all else is folded: its heading, and what tells it from the others.
fn folded_title(view: &View<'_>, alert_view: &AlertView<'_>) -> String {
    let facts = facts_line(view, alert_view, 0, VALUE_CHARACTERS_MAX);
    // Where the labels say the place, the heading need not.
    let place = alert_view.item.around_label().map(|(name, value)| fact(name, value, VALUE_CHARACTERS_MAX));
    let is_said = place.is_some_and(|place| facts.split(FACT_SEPARATOR).any(|fact| fact == place));
    let place = if is_said { Place::LeftOut } else { Place::Shown };
    joined_by(FACT_SEPARATOR, &[&head(view, alert_view, Marks::None, place), &facts])
}

/// What is seen of names while they are folded.
fn names_title(alert_view: &AlertView<'_>) -> String {
    let Some(group) = &alert_view.group else { return String::new() };
    let labels = group.names.labels.iter().map(|label| clean_line(label, NAME_CHARACTERS_MAX));
    joined_by(" · ", &[&labels.collect::<Vec<_>>().join("/"), &group.members.len().to_string()])
}

fn joined_by(between: &str, parts: &[&str]) -> String {
    parts.iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>().join(between)
}

/// Whether a heading is markdown.
#[derive(Clone, Copy)]
enum Marks {
    Markdown,
    None,
}

impl Marks {
    fn text(self, clean: &str) -> String {
        match self {
            Self::Markdown => markdown(clean),
            Self::None => clean.to_owned(),
        }
    }

    const fn bold(self) -> &'static str {
        match self {
            Self::Markdown => "**",
            Self::None => "",
        }
    }
}

/// Whether a group's heading says where it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Shown,
    LeftOut,
}

/// What one of several is called, and how many there are of it.
fn head(view: &View<'_>, alert_view: &AlertView<'_>, marks: Marks, place: Place) -> String {
    let item = &alert_view.item;
    let name = if item.name().trim().is_empty() { view.words.alert } else { item.name() };
    let name = marks.text(&clean_line(name, VALUE_CHARACTERS_MAX));
    let bold = marks.bold();
    let mut head = format!("{} {bold}{name}{bold}", Light::of(item, view.severities).sign());
    if let Some(reason) = item.state_reason() {
        head.extend([" · ", view.words.reason_badge(reason)]);
    }
    let Some(group) = &alert_view.group else {
        if item.is_reminder() {
            head.extend([" · ", icons::AGAIN, " ", view.words.reminder]);
        }
        return head;
    };
    head.extend([" ×", &group.members.len().to_string()]);
    let around = clean_line(item.around().unwrap_or_default(), VALUE_CHARACTERS_MAX);
    if !around.is_empty() && place == Place::Shown {
        head.extend([" · ", &marks.text(&around)]);
    }
    if group.reminders > 0 {
        head.extend([" · ", icons::AGAIN, " ", &view.words.delivered_before(group.reminders, None)]);
    }
    head
}

/// What the names below it are the values of.
fn names_line(view: &View<'_>, alert_view: &AlertView<'_>) -> Option<String> {
    let labels = &alert_view.group.as_ref()?.names.labels;
    let labels: Vec<_> = labels.iter().map(|label| clean_line(label, NAME_CHARACTERS_MAX)).collect();
    (!labels.is_empty())
        .then(|| format!("**{}**{}", markdown(&labels.join("/")), view.words.colon.trim_end()))
}

/// When the alerts of a group began, and when they ended.
pub(super) fn group_times(
    view: &View<'_>,
    group: &GroupView<'_>,
    item: &Item<'_>,
) -> Vec<(&'static str, String)> {
    let began = group.began.map(|began| (view.words.started, times::range(began, view.timezone)));
    let ended = group.ended.filter(|_| !item.is_firing());
    let ended = ended.map(|ended| (view.words.ended, times::range(ended, view.timezone)));
    began.into_iter().chain(ended).collect()
}

/// What an alert sums itself up as; where that is not why it is in its state, it is what the rule says.
pub(super) fn summary_of(view: &View<'_>, alert_view: &AlertView<'_>, characters_max: usize) -> String {
    let summary = text_of(view, alert_view, TextKind::Summary, characters_max);
    let is_of_rule = alert_view.item.state_reason().is_some() && !summary.is_empty();
    if is_of_rule { view.words.of_the_rule(&summary) } else { summary }
}

/// What explains an alert; where that is not why it is in its state, and nothing before it says so, it is what the rule says.
pub(super) fn description_of(view: &View<'_>, alert_view: &AlertView<'_>, characters_max: usize) -> String {
    let description = text_of(view, alert_view, TextKind::Description, characters_max);
    let is_of_rule = alert_view.item.state_reason().is_some() && alert_view.text.summary.is_empty();
    if is_of_rule && !description.is_empty() { view.words.of_the_rule(&description) } else { description }
}

/// The two texts of an alert.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    Summary,
    Description,
}

/// A text of an alert, or the one that stands for a group, as clean text.
pub(super) fn text_of(
    view: &View<'_>,
    alert_view: &AlertView<'_>,
    kind: TextKind,
    characters_max: usize,
) -> String {
    let clean_text = |text: &str| match kind {
        TextKind::Summary => clean_line(text, characters_max),
        TextKind::Description => clean(text, characters_max),
    };
    let Some(group) = &alert_view.group else {
        return clean_text(match kind {
            TextKind::Summary => alert_view.text.summary,
            TextKind::Description => alert_view.text.description,
        });
    };
    let shared = match kind {
        TextKind::Summary => &group.summary,
        TextKind::Description => &group.description,
    };
    let text = clean_text(&shared.text);
    if shared.is_example && !text.is_empty() { view.words.example(&text) } else { text }
}

fn link_line(view: &View<'_>, alert_view: &AlertView<'_>, detail: Detail) -> Option<String> {
    let places = links_of(view, alert_view, detail);
    let places: Vec<_> = places.iter().map(|(name, url)| format!("[{}]({url})", markdown(name))).collect();
    (!places.is_empty()).then(|| places.join(" · "))
}

fn attention_lines<'v>(
    view: &'v View<'_>,
    alert_view: &AlertView<'_>,
) -> impl Iterator<Item = String> + use<'v> {
    let lines = attention_lines::lines(view, &alert_view.item, attention_lines::card_name).into_iter();
    lines.map(|(sign, line)| format!("{sign} **{line}**"))
}

fn links_of(view: &View<'_>, alert_view: &AlertView<'_>, detail: Detail) -> Vec<(Cow<'static, str>, String)> {
    let are_placed = alert_view.body.is_some() && view.places_links();
    if !detail.with_links || are_placed {
        return Vec::new();
    }
    let found = links::of(view, alert_view).into_iter();
    found.map(|link| (links::name_in(alert_view, &link, view.words), link.url)).collect()
}

/// The card's own buttons; then where it came from, when, and under which id it can be found again.
pub(super) fn bottom(view: &View<'_>) -> Vec<Element> {
    let mut elements = buttons(view);
    elements.extend(note(view));
    elements
}

/// What can be done about all of it.
pub(super) fn buttons(view: &View<'_>) -> Vec<Element> {
    if view.besides.buttons.is_empty() {
        return Vec::new();
    }
    let note = view
        .besides
        .button_note
        .map(|note| Element::Note { elements: vec![CardText::Plain { content: note.to_owned() }] });
    [Element::Buttons { actions: view.besides.buttons.to_vec() }].into_iter().chain(note).collect()
}

fn note(view: &View<'_>) -> Option<Element> {
    let origin = view.origin.as_ref()?;
    let sources: Vec<_> = origin.sources.iter().map(|source| source.as_str()).collect();
    let received = TimeRange { first: origin.first_received, last: origin.last_received };
    let received = times::range(received, view.timezone);
    let zone = origin.last_received.to_zoned(view.timezone.clone()).strftime("%:z").to_string();
    let ids = view.words.envelopes(origin.envelopes, &origin.first_id.to_string());
    let instead = view.instead_of().map(|receiver| view.words.cannot_be_reached(&receiver) + " · ");
    let instead = instead.unwrap_or_default();
    let content =
        format!("{instead}{} · {} {received} {zone} · {ids}", sources.join(", "), view.words.received);
    Some(Element::Note { elements: vec![CardText::Plain { content }] })
}

fn field(name: &str, value: &str, characters_max: usize) -> Field {
    let name = clean_line(name, NAME_CHARACTERS_MAX);
    let value = clean_line(value, characters_max);
    let is_short = value.chars().nth(SHORT_CHARACTERS_MAX).is_none();
    let content = format!("**{}**\n{}", markdown(&name), markdown(&value));
    Field { is_short, text: CardText::Markdown { content } }
}

/// What nearly all alerts share, and how many of a hundred.
fn nearly_shared_field(view: &View<'_>, fact: &NearlyShared<'_>) -> Field {
    let value = clean_line(fact.value, VALUE_CHARACTERS_MAX);
    field(fact.name, &view.words.of_most(&value, fact.percent), VALUE_CHARACTERS_MAX)
}

fn fields(fields: Vec<Field>) -> Option<Element> {
    (!fields.is_empty()).then_some(Element::Facts { fields })
}
