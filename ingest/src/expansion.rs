//! What a body becomes in memory while it is read, estimated before it is: some bodies are cheap to send and dear to read. An
//! alert of 18 bytes takes a thousand, its line for the queue included. Pure.

use crate::source::ALERTS_MAX;

/// What each element of a list that is an object comes to: an alert with its identity, its maps, and its line.
const ELEMENT_BYTES: usize = 1024;
/// What each member of an object comes to: a pair of texts in a map, which are borrowed from the body where they can be.
const MEMBER_BYTES: usize = 80;
/// What each escape in a text comes to: most are line feeds, and of lines there are lists.
const ESCAPE_BYTES: usize = 24;

/// How many bytes reading this body takes beside its own, at most, as far as its JSON shows.
pub fn expansion_bytes(body: &[u8]) -> usize {
    let mut elements = 0;
    let mut members = 0;
    let mut escapes = 0;
    let mut quoted = Quoted::Outside;
    // What stands before a brace outside of texts, white space left out.
    let mut before = b'[';
    for byte in body {
        let outside = matches!(quoted, Quoted::Outside);
        escapes += usize::from(matches!(quoted, Quoted::Escaped));
        quoted = match (quoted, byte) {
            (Quoted::Outside, b'"') | (Quoted::Escaped, _) => Quoted::Inside,
            (Quoted::Inside, b'"') | (Quoted::Outside, _) => Quoted::Outside,
            (Quoted::Inside, b'\\') => Quoted::Escaped,
            (Quoted::Inside, _) => Quoted::Inside,
        };
        if !outside || byte.is_ascii_whitespace() {
            continue;
        }
        match byte {
            b'{' if before != b':' => elements += 1,
            b',' | b'{' => members += 1,
            _ => {}
        }
        before = *byte;
    }
    // Lists are not read beyond their limit. The text once more and a half: what has escapes is copied, and all of it is
    // written into lines.
    let texts = body.len() * 3 / 2 + escapes * ESCAPE_BYTES;
    elements.min(ALERTS_MAX) * ELEMENT_BYTES + members * MEMBER_BYTES + texts
}

/// Where in JSON a byte stands: within a text braces and commas mean nothing.
#[derive(Clone, Copy)]
enum Quoted {
    Outside,
    Inside,
    Escaped,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_and_commas_count_where_they_mean_something() {
        let text = br#"[{"a":"{{{,,,\"{,","b": {"c":1}}, {}]"#;
        let text_bytes = text.len() * 3 / 2 + ESCAPE_BYTES;
        assert_eq!(expansion_bytes(text), 2 * ELEMENT_BYTES + 3 * MEMBER_BYTES + text_bytes);
        assert_eq!(expansion_bytes(b""), 0);
    }
}
