//! A card without being one: as plain text for Feishu, and what our own markdown reads like on a terminal.

use super::escape::{clean, clean_line, untagged};
use super::fit::{Division, divide};
use super::fold::Rest;
use super::sign::Light;
use super::story::Story;
use super::wording::font_tag;
use super::{View, attention, header, links, owners, parts, rest, times};

/// How long a plain text gets, in bytes; a screenful, and far below every limit of Feishu's.
pub const TEXT_BYTES_MAX: usize = 8_000;
const NAME_CHARACTERS_MAX: usize = 120;
const SUMMARY_CHARACTERS_MAX: usize = 200;
const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;
/// Of several alerts each is told in a few lines.
const DESCRIPTION_AMONG_OTHERS_CHARACTERS_MAX: usize = 200;
/// Words of one's own, which have to be shorter in company as well.
const BODY_CHARACTERS_MAX: usize = 1_500;
const BODY_AMONG_OTHERS_CHARACTERS_MAX: usize = 400;

/// All of it as plain text.
pub(super) fn text(view: &View<'_>) -> String {
    // Without links anything fits.
    fitted(view, true)
        .unwrap_or_else(|| fitted(view, false).unwrap_or_else(|| untagged(&header::title(view))))
}

/// The text within its limit, unless not even the worst alert fits.
fn fitted(view: &View<'_>, with_links: bool) -> Option<String> {
    let mut text = untagged(&header::title(view));
    if view.fold.all.total() > 1 {
        let counts =
            [Some(view.words.counts(view.fold.all)), parts::told_before(view), attention::counts(view)];
        text.push('\n');
        text.push_str(&counts.into_iter().flatten().collect::<Vec<_>>().join(" · "));
    }
    if let Some(owners) = owners::text(view) {
        text.extend(["\n", &owners]);
    }
    let details: Vec<_> =
        view.stories.iter().map(|story| untagged(&detail(view, story, with_links))).collect();
    let lengths: Vec<_> = details.iter().map(String::len).collect();
    let ending = |rest: &Rest<'_>, shown| ending(view, rest, shown, with_links);
    let room = TEXT_BYTES_MAX.checked_sub(text.len())?;
    let Division { told, rest, shown } =
        divide(&view.fold, &lengths, room, |rest, shown| ending(rest, shown).len());
    text.extend(details.into_iter().take(told));
    text.push_str(&ending(&rest, shown));
    (told > 0).then_some(text)
}

/// One alert, each of its lines with a line feed before it.
fn detail(view: &View<'_>, story: &Story<'_>, with_links: bool) -> String {
    let (alone, alert) = (view.fold.all.total() == 1, story.item.alert);
    let mut lines = Vec::new();
    if alone {
        lines.extend(parts::standing(view, story).map(|(sign, standing)| format!("{sign} {standing}")));
    } else {
        let name = if story.telling.name.trim().is_empty() { view.words.alert } else { story.telling.name };
        let whose = [name, &story.item.place()].map(|part| clean_line(part, NAME_CHARACTERS_MAX));
        let again = if story.item.is_reminder() { view.words.reminder } else { "" };
        let whose = [&whose[0], &whose[1], again].into_iter().filter(|part| !part.is_empty());
        let whose = whose.collect::<Vec<_>>().join(" · ");
        lines.push(format!("\n{} {whose}", Light::of(&story.item).sign()));
    }
    let attention = attention::lines(view, &story.item, attention::plain_name).into_iter();
    lines.extend(attention.map(|(sign, line)| format!("{sign} {line}")));
    if let Some(body) = &story.body {
        lines.push(body.plain(if alone { BODY_CHARACTERS_MAX } else { BODY_AMONG_OTHERS_CHARACTERS_MAX }));
    } else {
        let longest =
            if alone { DESCRIPTION_CHARACTERS_MAX } else { DESCRIPTION_AMONG_OTHERS_CHARACTERS_MAX };
        lines.push(clean_line(story.telling.summary, SUMMARY_CHARACTERS_MAX));
        lines.push(clean(story.telling.description, longest));
        for (name, value) in times::facts(alert, view.words, view.timezone, view.now) {
            lines.push(format!("{name}{}{value}", view.words.colon));
        }
    }
    let are_placed = story.body.is_some() && view.places_links();
    if alone && with_links && !are_placed {
        lines.extend(
            links::of(view, story.item.envelope, alert)
                .into_iter()
                .map(|(name, url)| format!("{name} {url}")),
        );
    }
    lines.iter().filter(|line| !line.is_empty()).fold(String::new(), |text, line| format!("{text}\n{line}"))
}

/// What follows the details: the others, and where to see them.
fn ending(view: &View<'_>, rest: &Rest<'_>, shown: usize, with_links: bool) -> String {
    let mut lines = rest::lines(view, rest, shown);
    if with_links {
        let senders = rest::senders(view, &lines);
        lines.extend(
            senders.iter().map(|(_, url)| format!("{} {url}", view.words.all_alerts)).collect::<Vec<_>>(),
        );
    }
    if lines.is_empty() { String::new() } else { untagged(&format!("\n\n{}", lines.join("\n"))) }
}

/// Our own markdown as plain text: bold marks and colours gone, entities back to characters, links as `text (url)`.
/// Only for what `card` wrote itself, where everything from outside is escaped.
pub fn unmarked(markdown: &str) -> String {
    let mut plain = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
            rest = after;
        } else if let Some((_, after)) = font_tag(rest) {
            rest = after;
        } else if let Some((character, after)) = entity(rest) {
            plain.push(character);
            rest = after;
        } else if let Some((text, url, after)) = link(rest) {
            plain.extend([text, " (", url, ")"]);
            rest = after;
        } else {
            plain.push(next);
            rest = &rest[next.len_utf8()..];
        }
    }
    plain
}

fn entity(text: &str) -> Option<(char, &str)> {
    let named = [("&nbsp;", ' '), ("&sim;", '~')];
    if let Some(found) =
        named.iter().find_map(|(name, character)| Some((*character, text.strip_prefix(name)?)))
    {
        return Some(found);
    }
    let (number, after) = text.strip_prefix("&#")?.split_once(';')?;
    Some((char::from_u32(number.parse().ok()?)?, after))
}

fn link(text: &str) -> Option<(&str, &str, &str)> {
    let (text, after) = text.strip_prefix('[')?.split_once("](")?;
    let (url, after) = after.split_once(')')?;
    Some((text, url, after))
}
