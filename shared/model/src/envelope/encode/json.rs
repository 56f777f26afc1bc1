//! The JSON of a line, written straight into it. Pure.
//!
//! Serde could do it, but looks at each byte of each text for what has to be escaped, one after the other: that was
//! two thirds of the work on a line, and hardly any text holds such a byte. Here eight are looked at at once, and serde
//! is asked to write a text where one of them is found.

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;
use serde::Serialize;

use super::EncodeError;
use crate::alert::{Alert, Labels};

/// How many bytes are looked at at once.
const WORD: usize = size_of::<u64>();

/// Writes what is already JSON.
pub(super) fn raw(line: &mut Vec<u8>, json: &str) {
    line.extend_from_slice(json.as_bytes());
}

/// Writes a value in serde's way.
pub(super) fn value(line: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<(), EncodeError> {
    Ok(serde_json::to_writer(line, value)?)
}

/// Writes a text as JSON, quotation marks included.
pub fn text(line: &mut Vec<u8>, text: &str) -> Result<(), EncodeError> {
    if !is_plain(text.as_bytes()) {
        return value(line, text);
    }
    line.reserve(text.len() + 2);
    line.push(b'"');
    raw(line, text);
    line.push(b'"');
    Ok(())
}

pub(super) fn time(line: &mut Vec<u8>, time: Option<Timestamp>) -> Result<(), EncodeError> {
    let Some(time) = time else {
        raw(line, "null");
        return Ok(());
    };
    line.push(b'"');
    DateTimePrinter::new().print_timestamp(&time, &mut *line)?;
    line.push(b'"');
    Ok(())
}

pub(super) fn labels(line: &mut Vec<u8>, labels: &Labels<'_>) -> Result<(), EncodeError> {
    line.push(b'{');
    for (index, (name, value)) in labels.iter().enumerate() {
        if index > 0 {
            line.push(b',');
        }
        text(line, name)?;
        line.push(b':');
        text(line, value)?;
    }
    line.push(b'}');
    Ok(())
}

/// What is empty and need not be there is left out.
pub(super) fn alert(line: &mut Vec<u8>, alert: &Alert<'_>) -> Result<(), EncodeError> {
    raw(line, r#"{"fingerprint":"#);
    text(line, alert.former.as_ref().unwrap_or(&alert.fingerprint).as_str())?;
    if alert.former.is_some() {
        raw(line, r#","identity":"#);
        text(line, alert.fingerprint.as_str())?;
    }
    raw(line, r#","status":"#);
    text(line, alert.status.as_str())?;
    raw(line, r#","starts_at":"#);
    time(line, alert.starts_at)?;
    raw(line, r#","ends_at":"#);
    time(line, alert.ends_at)?;
    raw(line, r#","labels":"#);
    labels(line, &alert.labels)?;
    raw(line, r#","annotations":"#);
    labels(line, &alert.annotations)?;
    if !alert.generator_url.is_empty() {
        raw(line, r#","generator_url":"#);
        text(line, &alert.generator_url)?;
    }
    if !alert.links.is_empty() {
        raw(line, r#","links":"#);
        value(line, &alert.links)?;
    }
    if !alert.mention.is_empty() {
        raw(line, r#","mention":"#);
        value(line, &alert.mention)?;
    }
    line.push(b'}');
    Ok(())
}

/// Whether the text is its own JSON between quotation marks: no quotation mark, backslash or control character.
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<WORD>();
    let odd = words.iter().fold(0, |odd, word| odd | marks(u64::from_ne_bytes(*word)));
    odd == 0 && rest.iter().all(|byte| !matches!(byte, 0..=0x1f | b'"' | b'\\'))
}

/// Not zero if a byte of the word has to be escaped. Which one is not said exactly: a borrow may mark its neighbour.
const fn marks(word: u64) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([0x01; WORD]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; WORD]);
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let below = (word.wrapping_sub(ONES * 0x20)) & !word;
    let zero = (quote.wrapping_sub(ONES) & !quote) | (backslash.wrapping_sub(ONES) & !backslash);
    (below | zero) & HIGH
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(plain: &str) -> String {
        let mut line = Vec::new();
        text(&mut line, plain).unwrap();
        String::from_utf8(line).unwrap()
    }

    #[test]
    fn every_character_is_written_as_serde_writes_it_wherever_it_stands() {
        let characters = (0..0x100).filter_map(char::from_u32).chain(['…', '飞', '😀']);
        for character in characters {
            for (before, after) in [(0, 0), (3, 0), (0, 9), (7, 0), (8, 5), (13, 20)] {
                let text = format!("{}{character}{}", "x".repeat(before), "é".repeat(after));
                assert_eq!(written(&text), serde_json::to_string(&text).unwrap());
            }
        }
    }

    #[test]
    fn times_are_written_as_serde_writes_them() {
        for text in ["2026-03-02T07:15:30.25Z", "0001-01-01T00:00:00Z", "-000009-12-31T23:59:59.999999999Z"] {
            let at = text.parse().unwrap();
            let mut line = Vec::new();
            time(&mut line, Some(at)).unwrap();
            assert_eq!(String::from_utf8(line).unwrap(), serde_json::to_string(&at).unwrap());
        }
    }
}
