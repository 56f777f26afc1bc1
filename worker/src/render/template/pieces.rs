//! From what a template wrote to what stands on a card, line by line. The template's own text may be markdown;
//! everything else is text from alerts, whatever was done to it, and is shown as it is, on one line. Pure.
//!
//! A link is made only where its address is one the built-in card would link to, or where it begins with scheme and
//! host in the template's own text. No tag is, but a colour.

use minijinja::{OutputSpan, OutputSpanKind};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::OUTPUT_BYTES_MAX;
use crate::render::escape::{CUT_MARK, clean_line, markdown};
use crate::render::markup::{font_tag, unmarked};

/// What a template says of one alert.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::render) struct WordedText(Vec<WordedLine>);

#[derive(Debug, PartialEq, Eq)]
struct WordedLine {
    markdown: String,
    plain: String,
}

/// A part of what was written. Parts of one kind never follow one another.
#[derive(Clone, Copy)]
struct Piece<'t> {
    text: &'t str,
    is_own: bool,
}

impl WordedText {
    /// Of what was written; `links` are the addresses the built-in card would link to.
    pub(in crate::render) fn of(output: &str, spans: &[OutputSpan], links: &[String]) -> Self {
        let pieces = pieces(output, spans);
        let mut writer = Writer { links, done: Vec::new(), line: String::new() };
        writer.write(&pieces);
        writer.end_line();
        let mut worded: Vec<WordedLine> = Vec::new();
        for line in writer.done {
            let markdown = line.trim_end().to_owned();
            // One empty line separates; at the beginning it does not even that.
            if markdown.is_empty() && worded.last().is_none_or(|last| last.markdown.is_empty()) {
                continue;
            }
            let plain = unmarked(&markdown);
            worded.push(WordedLine { markdown, plain });
        }
        while worded.pop_if(|line| line.markdown.is_empty()).is_some() {}
        Self(worded)
    }

    pub(in crate::render) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As markdown, of at most so many characters as they are read.
    pub(in crate::render) fn markdown(&self, characters_max: usize) -> String {
        self.cut(characters_max, |line| line.markdown.clone(), markdown)
    }

    /// As plain text.
    pub(in crate::render) fn plain(&self, characters_max: usize) -> String {
        self.cut(characters_max, |line| line.plain.clone(), str::to_owned)
    }

    /// Whole lines as long as they fit. Of the first that does not, what fits, without markup: a mark that is cut is
    /// none.
    fn cut(
        &self,
        characters_max: usize,
        whole: impl Fn(&WordedLine) -> String,
        escaped: impl Fn(&str) -> String,
    ) -> String {
        let mut left = characters_max;
        let mut lines = Vec::new();
        for line in &self.0 {
            let characters = line.plain.chars().count();
            if characters <= left {
                left -= characters;
                lines.push(whole(line));
                continue;
            }
            let part = clean_line(&line.plain, left);
            match lines.last_mut() {
                Some(last) if part.is_empty() => last.push(CUT_MARK),
                _ => lines.push(escaped(&part)),
            }
            break;
        }
        lines.join("\n")
    }
}

/// What no span says is the template's own is not.
fn pieces<'t>(output: &'t str, spans: &[OutputSpan]) -> Vec<Piece<'t>> {
    let mut ends: Vec<(usize, bool)> = Vec::new();
    let mut to = |end: usize, is_own: bool| match ends.last_mut() {
        Some((last, kind)) if *kind == is_own => *last = end,
        _ => ends.push((end, is_own)),
    };
    let mut written = 0;
    for span in spans {
        let range = span.output_range();
        if range.start > written {
            to(range.start, false);
        }
        to(range.end, span.kind() == OutputSpanKind::Raw);
        written = range.end;
    }
    if output.len() > written {
        to(output.len(), false);
    }
    let mut start = 0;
    let piece = |(end, is_own)| {
        let text = output.get(start..end).unwrap_or_default();
        start = end;
        Piece { text, is_own }
    };
    ends.into_iter().map(piece).collect()
}

struct Writer<'l> {
    links: &'l [String],
    done: Vec<String>,
    line: String,
}

impl Writer<'_> {
    fn write(&mut self, pieces: &[Piece<'_>]) {
        let mut rest = pieces;
        while let Some((piece, others)) = rest.split_first() {
            rest = if piece.is_own {
                self.own(piece.text, others)
            } else {
                self.line.push_str(&markdown(&clean_line(piece.text, OUTPUT_BYTES_MAX)));
                others
            };
        }
    }

    /// The template's own text, and links that begin in it. Returns what is left of the others.
    fn own<'t>(&mut self, text: &'t str, mut others: &'t [Piece<'t>]) -> &'t [Piece<'t>] {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if let Some(target) = rest.strip_prefix("](")
                && let Some((parts, after, left)) = target_of(target, others)
            {
                match address(&parts, self.links) {
                    Some(address) => self.line.extend(["](", &address, ")"]),
                    None => self.line.push(']'),
                }
                (rest, others) = (after, left);
                continue;
            }
            if let Some((tag, after)) = font_tag(rest) {
                self.line.push_str(tag);
                rest = after;
                continue;
            }
            match character {
                '\n' => self.end_line(),
                '\r' => {}
                '\t' => self.line.push(' '),
                '<' => self.line.push_str("&#60;"),
                // Links are written whole, above. What is between these two may have vanished.
                '(' if self.line.ends_with(']') => self.line.push_str("&#40;"),
                // With a mark of exclamation before it a link is a picture, and Feishu knows none by this name.
                '[' if self.line.ends_with('!') => {
                    self.line.pop();
                    self.line.push_str("&#33;[");
                }
                other => self.line.push(other),
            }
            rest = &rest[character.len_utf8()..];
        }
        others
    }

    fn end_line(&mut self) {
        self.done.push(std::mem::take(&mut self.line));
    }
}

/// What stands between the brackets of a link, what follows them, and the pieces after that. `None`: they do not close
/// on the line.
type LinkTarget<'t> = (Vec<Piece<'t>>, &'t str, &'t [Piece<'t>]);
fn target_of<'t>(own: &'t str, others: &'t [Piece<'t>]) -> Option<LinkTarget<'t>> {
    let mut parts = Vec::new();
    let mut text = own;
    let mut others = others;
    loop {
        if let Some((inside, after)) = text.split_once([')', '\n']) {
            parts.push(Piece { text: inside, is_own: true });
            let closes = text[inside.len()..].starts_with(')');
            return closes.then_some((parts, after, others));
        }
        parts.push(Piece { text, is_own: true });
        let (value, after) = others.split_first()?;
        parts.push(*value);
        let (next, after) = after.split_first()?;
        (text, others) = (next.text, after);
    }
}

/// The address a link leads to, if it may.
fn address(parts: &[Piece<'_>], links: &[String]) -> Option<String> {
    let parts: Vec<_> = parts.iter().filter(|part| !part.text.is_empty()).collect();
    let (first, others) = parts.split_first()?;
    if !first.is_own {
        return (others.is_empty() && links.iter().any(|link| link == first.text))
            .then(|| first.text.to_owned());
    }
    let place = first.text.strip_prefix("https://").or_else(|| first.text.strip_prefix("http://"))?;
    let host = place.find(['/', '?', '#']).unwrap_or(place.len());
    // Whose page it is stands in the template, and cannot be added to.
    if host == 0 || (host == place.len() && !others.is_empty()) {
        return None;
    }
    let is_legal = |text: &str| !text.contains(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '('));
    let written = |part: &&Piece<'_>| {
        let encoded = || utf8_percent_encode(part.text, NON_ALPHANUMERIC).to_string();
        if part.is_own { is_legal(part.text).then(|| part.text.to_owned()) } else { Some(encoded()) }
    };
    parts.iter().map(written).collect()
}
