//! Our own markdown, read again: what it is like on a terminal, and in a text that has no markup. Pure.

/// The longest name of a colour.
const COLOUR_BYTES_MAX: usize = 16;

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

/// A tag that begins or ends a colour, and what follows it.
pub(super) fn font_tag(text: &str) -> Option<(&str, &str)> {
    let length = if text.starts_with("</font>") {
        "</font>".len()
    } else {
        let (tag, _) = text.strip_prefix("<font color=")?.split_once('>')?;
        let colour = tag.trim_matches(['\'', '"']);
        let is_colour = (1..=COLOUR_BYTES_MAX).contains(&colour.len())
            && colour.bytes().all(|byte| byte.is_ascii_lowercase());
        is_colour.then_some("<font color=".len() + tag.len() + 1)?
    };
    Some(text.split_at(length))
}
