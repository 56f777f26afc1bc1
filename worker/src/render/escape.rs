//! Text from alerts is data. What it could say to Feishu's markdown, to a terminal or to the eye is taken from it
//! (reference "Feishu", 3.6). Pure.

#[cfg(test)]
mod tests;

use std::fmt::Write;

use super::icons::is_sign;

/// What stands before a line that would look like one of ours.
const QUOTED: char = '›';
/// What marks a cut.
pub(super) const CUT_MARK: char = '…';

/// Text without anything that is not text: no control characters but line feeds, nothing invisible, nothing that
/// turns the direction of reading; no line begins with a sign of ours, what does is quoted; not longer than `characters_max`, cut between
/// words where that costs little.
pub(super) fn clean(text: &str, characters_max: usize) -> String {
    unsigned(visible(text, characters_max))
}

/// The same on one line.
pub(super) fn clean_line(text: &str, characters_max: usize) -> String {
    unsigned(title_line(text, characters_max))
}

/// The same for a title, where a sign of ours is no sign: titles have none, and messages like to begin with one.
pub(super) fn title_line(text: &str, characters_max: usize) -> String {
    visible(&text.split_whitespace().collect::<Vec<_>>().join(" "), characters_max)
}

fn visible(text: &str, characters_max: usize) -> String {
    let mut cleaned = String::with_capacity(text.len().min(characters_max * 4));
    let mut count = 0;
    let mut feeds = 0;
    for character in text.trim().replace("\r\n", "\n").chars() {
        let shown = match character {
            '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => '\n',
            character if character.is_control() => ' ',
            character if is_invisible(character) => continue,
            character => character,
        };
        feeds = if shown == '\n' { feeds + 1 } else { 0 };
        // One empty line separates; more of them only push the rest off the screen.
        if feeds > 2 {
            continue;
        }
        if count == characters_max {
            cut_at_word(&mut cleaned);
            break;
        }
        cleaned.push(shown);
        count += 1;
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

/// A line that begins with a sign of ours, quoted: the sign is the alert's own, and says so.
fn unsigned(text: String) -> String {
    if !text.contains(is_sign) {
        return text;
    }
    let unsigned = |line: &str| {
        let rest = line.trim_start();
        if rest.starts_with(is_sign) { format!("{QUOTED} {rest}") } else { line.to_owned() }
    };
    text.split('\n').map(unsigned).collect::<Vec<_>>().join("\n")
}

/// Zero-width and direction characters, soft hyphens, the invisible "tag" letters, variation selectors, blanks that
/// count as letters. Zero-width joiners are among them even where they are harmless: a family shown as its members
/// and an Indic ligature shown as its letters can still be read, two names that only look alike cannot.
fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
        | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Ends the text with the mark of a cut, after a whole word if one ends within the last quarter.
fn cut_at_word(text: &mut String) {
    // The mark takes the place of a character; where there was none, nothing is shown at all.
    if text.pop().is_none() {
        return;
    }
    if let Some(space) = text.rfind(char::is_whitespace)
        && space > text.len() / 4 * 3
    {
        text.truncate(space);
    }
    text.truncate(text.trim_end().len());
    text.push(CUT_MARK);
}

/// Whether a text is shown as it is, on one line: letters, digits and signs of ASCII, as almost every name consists of.
pub(super) fn is_plain(text: &str) -> bool {
    // Many bytes at once, as it does not stop at the first one.
    text.bytes().fold(true, |is_plain, byte| is_plain & byte.is_ascii_graphic())
}

/// Clean text as `lark_md` that shows exactly this text. Only the entities that Feishu documents are used: another
/// may be shown as it is written.
pub(super) fn markdown(clean: &str) -> String {
    let mut escaped = String::with_capacity(clean.len() + 16);
    let mut line_start = true;
    let mut rest = clean.chars().peekable();
    while let Some(character) = rest.next() {
        let special = match character {
            '<' | '>' | '*' | '_' | '`' | '[' | ']' | '(' | ')' | '#' | '\\' | '$' => true,
            '&' => rest.peek().is_some_and(|next| *next == '#' || next.is_ascii_alphabetic()),
            // `:OK:` is a picture.
            ':' => rest.peek().is_some_and(char::is_ascii_alphabetic),
            '-' | '+' => line_start,
            _ => false,
        };
        if special {
            // Writing to a string cannot fail.
            let _written = write!(escaped, "&#{};", u32::from(character));
        } else if character == '~' && (rest.peek() == Some(&'~') || escaped.ends_with(TILDE)) {
            // One tilde is a tilde, two strike out.
            escaped.push_str(TILDE);
        } else if character == ' ' && ends_in_list_number(&escaped) {
            escaped.push_str("&nbsp;");
        } else {
            escaped.push(character);
        }
        line_start = character == '\n' || (line_start && character == ' ');
    }
    escaped
}

/// Documented for a tilde; it looks a little different.
const TILDE: &str = "&sim;";

/// Whether the line written last is a number and a dot, which a space would make a list item.
fn ends_in_list_number(written: &str) -> bool {
    let line = written.rsplit('\n').next().unwrap_or_default().trim_start();
    line.strip_suffix('.')
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Clean text for a `text` message, for which no escape is documented: a tag needs a `<`, so there is none.
pub(super) fn untagged(clean: &str) -> String {
    clean.replace('<', "＜")
}
