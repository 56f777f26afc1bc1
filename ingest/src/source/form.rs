//! Fields of forms, for the senders that post no JSON. Pure.

use std::borrow::Cow;

use super::node::{Node, TREE_BYTES_MAX};

/// How many fields one form may have; the rest is left out.
const FIELDS_MAX: usize = 256;

/// The fields of `a=1&b=2` or of `multipart/form-data`; `None` if it is neither.
pub(super) fn read(body: &str) -> Option<Node<'_>> {
    let body = body.trim();
    if body.len() > TREE_BYTES_MAX {
        return None;
    }
    let fields: Vec<_> = if body.starts_with("--") { parts(body).collect() } else { pairs(body)?.collect() };
    (!fields.is_empty()).then_some(Node::Map(fields))
}

type Field<'a> = (Cow<'a, str>, Node<'a>);

/// A form has no blanks and no line feeds: those are encoded in it.
fn pairs(body: &str) -> Option<impl Iterator<Item = Field<'_>>> {
    let begins = body.starts_with(|letter: char| letter.is_alphanumeric() || letter == '_');
    if !begins || !body.contains('=') || body.contains(char::is_whitespace) {
        return None;
    }
    let pairs = body.split('&').take(FIELDS_MAX).filter_map(|pair| pair.split_once('='));
    Some(pairs.map(|(name, value)| (decoded(name), Node::Text(decoded(value)))))
}

fn decoded(text: &str) -> Cow<'_, str> {
    let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
    if text.contains('+') {
        Cow::Owned(decode(&text.replace('+', " ")))
    } else {
        percent_encoding::percent_decode_str(text).decode_utf8_lossy()
    }
}

/// The parts between the boundaries; the first line is one.
fn parts(body: &str) -> impl Iterator<Item = Field<'_>> {
    let (boundary, rest) = body.split_once('\n').unwrap_or((body, ""));
    let boundary = boundary.trim_end();
    rest.split(boundary).take(FIELDS_MAX).filter_map(|part| {
        let blank = part.find("\r\n\r\n").map(|at| (at, 4)).or_else(|| part.find("\n\n").map(|at| (at, 2)));
        let (at, length) = blank?;
        let headers = part.get(..at)?;
        let content = part.get(at + length..)?;
        let name = headers.split_once("name=\"")?.1.split('"').next()?;
        Some((Cow::Borrowed(name), Node::Text(Cow::Borrowed(content.trim()))))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_forms_are_read_and_nothing_else_is() {
        let form = read("alertName=%E7%BD%91%E5%85%B3+5xx&dimensions={a=1,%20b=2}&empty=").unwrap();
        assert_eq!((form.text_of("alertName"), form.text_of("dimensions")), ("网关 5xx", "{a=1, b=2}"));
        let multipart =
            "--x1\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n{\"a\":1}\r\n--x1--\r\n";
        assert_eq!(read(multipart).unwrap().get("data").unpacked().text_of("a"), "1");
        for text in ["", "a", "a b=c", "{\"a\":\"=\"}", "--", "=x", "--\n\n"] {
            assert!(read(text).is_none(), "{text}");
        }
    }
}
