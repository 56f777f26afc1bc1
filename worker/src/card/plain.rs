//! A card without being one: as plain text for Feishu, and what our own markdown reads like on a terminal.

use super::escape::{clean, clean_line, untagged};
use super::story::Story;
use super::{View, header, links, times};

/// How long a plain text gets, in bytes; a screenful, and far below every limit of Feishu's.
pub const TEXT_BYTES_MAX: usize = 8_000;
/// What the line about the rest takes at most, in bytes.
const REST_BYTES: usize = 64;
const SUMMARY_CHARACTERS_MAX: usize = 200;
const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;
/// Of several alerts each is told in a few lines.
const DESCRIPTION_AMONG_OTHERS_CHARACTERS_MAX: usize = 200;

/// The whole envelope as plain text.
pub(super) fn text(view: &View<'_>) -> String {
    let mut text = untagged(&header::title(view));
    let mut told = 0;
    for story in &view.stories {
        let lines = untagged(&lines(view, story));
        if text.len() + lines.len() + REST_BYTES > TEXT_BYTES_MAX {
            break;
        }
        text.push_str(&lines);
        told += 1;
    }
    let rest = view.stories.len() - told;
    if rest > 0 {
        text.push('\n');
        text.push_str(&view.words.counts_left(rest));
    }
    text
}

fn lines(view: &View<'_>, story: &Story<'_>) -> String {
    let alone = view.stories.len() == 1;
    let mut lines = Vec::new();
    if !alone {
        let whose = format!("{} {}", story.name, story.place());
        lines.push(format!("\n• {}", clean_line(&whose, SUMMARY_CHARACTERS_MAX)));
    }
    let longest = if alone { DESCRIPTION_CHARACTERS_MAX } else { DESCRIPTION_AMONG_OTHERS_CHARACTERS_MAX };
    lines.push(clean_line(story.summary, SUMMARY_CHARACTERS_MAX));
    lines.push(clean(story.description, longest));
    for (name, value) in times::facts(story.alert, view.words, view.timezone, view.now) {
        lines.push(format!("{name}{}{value}", view.words.colon));
    }
    if alone {
        lines.extend(
            links::of(story.alert, view.words).into_iter().map(|(name, url)| format!("{name} {url}")),
        );
    }
    lines.iter().filter(|line| !line.is_empty()).fold(String::new(), |text, line| format!("{text}\n{line}"))
}

/// Our own markdown as plain text: bold marks gone, entities back to characters, links as `text (url)`. Only for
/// what `card` wrote itself, where everything from outside is escaped.
pub fn unmarked(markdown: &str) -> String {
    let mut plain = String::with_capacity(markdown.len());
    let mut rest = markdown;
    while let Some(next) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("**") {
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
