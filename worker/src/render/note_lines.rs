//! Annotations of any name on a card, and what the sender says of all of its alerts. Pure.

use super::alert_view::AlertView;
use super::escape::{clean, clean_line};
use super::group_view::{GroupNote, GroupNoteText};
use super::item::without_state;
use super::notes;
use super::view::View;

/// What stands between what alerts say of one thing.
const BETWEEN: &str = " · ";

/// So many annotations of an alert or a group, each cut to so many characters; and how many others there are.
pub(super) fn lines(
    view: &View<'_>,
    alert_view: &AlertView<'_>,
    lines_max: usize,
    characters_max: usize,
) -> Vec<String> {
    let (count, mut lines): (usize, Vec<_>) = if let Some(group) = &alert_view.group {
        let notes = group.notes.iter().take(lines_max);
        (group.notes.len(), notes.map(|note| of_group(view, alert_view, note, characters_max)).collect())
    } else {
        let notes = alert_view.notes.iter().take(lines_max);
        let line = |(name, value): &(&str, &str)| notes::line(view.words, name, value, characters_max);
        (alert_view.notes.len(), notes.map(line).collect())
    };
    if count > lines.len() && !lines.is_empty() {
        lines.push(view.words.more_annotations(count - lines.len()));
    }
    lines
}

fn of_group(
    view: &View<'_>,
    alert_view: &AlertView<'_>,
    note: &GroupNote<'_>,
    characters_max: usize,
) -> String {
    let line = |text: &str, characters_max| notes::line(view.words, note.name, text, characters_max);
    let said = match &note.text {
        GroupNoteText::Shared(text) if text.is_example => {
            let example = view.words.example(&clean(&text.text, characters_max));
            return line(&example, example.len());
        }
        GroupNoteText::Shared(text) => return line(&text.text, characters_max),
        GroupNoteText::Each(said) => said,
    };
    let names = alert_view.group.as_ref().map_or(&[][..], |group| &group.names.names);
    let each = said.iter().map(|(place, text)| {
        let name = names.get(*place).map_or("", AsRef::as_ref);
        format!("{name} {}", clean_line(text, characters_max))
    });
    let each = each.collect::<Vec<_>>().join(BETWEEN);
    line(&each, each.len())
}

/// What the senders say of the whole, each cut to so many characters: what no alert told in detail says already.
pub(super) fn notices(view: &View<'_>, characters_max: usize) -> Vec<String> {
    let Some(origin) = &view.origin else { return Vec::new() };
    let is_said = |text: &str| {
        let text = text.trim();
        let texts = view.alert_views.iter().flat_map(|alert_view| {
            let text = &alert_view.text;
            [text.name, text.summary, text.description]
        });
        text.is_empty() || texts.into_iter().any(|said| said.contains(text))
    };
    let notice = |notice: &&model::envelope::Notice<'_>| {
        let is_built_in = without_state(&notice.title) != notice.title.trim();
        let is_repeated = notice.message.trim_start().starts_with(notice.title.trim());
        let title = Some(&*notice.title).filter(|title| !is_built_in && !is_repeated && !is_said(title));
        let message = Some(&*notice.message).filter(|message| !is_said(message));
        let texts: Vec<_> = title.into_iter().chain(message).collect();
        clean(&texts.join("\n"), characters_max)
    };
    origin.notices.iter().map(notice).filter(|text| !text.is_empty()).collect()
}
