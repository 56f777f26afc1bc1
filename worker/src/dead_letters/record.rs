//! A dead message → the letters to keep: one for each envelope in it. Pure.

use bytes::Bytes;
use jiff::Timestamp;
use model::envelope::{Envelope, EnvelopeId, Source, decode, lines};
use queue::{DeadLetterId, Failure, FailureMarks, Headers, Reason};
use sha2::{Digest, Sha256};

/// What is kept of a line, in bytes. An envelope of one alert is larger than `ENVELOPE_BYTES_MAX` where its labels and
/// annotations are: 64 KiB of them, and 4 KiB of the group's, become six times as much where JSON has to escape each
/// byte. A longer line is none of ours: its beginning is kept, for a person to read, and it cannot be sent again.
pub const LETTER_BYTES_MAX: usize = 1024 * 1024;
/// What is kept of a card that was refused, in bytes; Feishu takes no more than 30 KB.
pub(super) const CARD_BYTES_MAX: usize = 64 * 1024;
/// What is kept of a name, in characters.
const NAME_CHARS_MAX: usize = 255;
/// What is kept of what was said about a failure, in characters.
const MESSAGE_CHARS_MAX: usize = 4_000;
/// What is kept of a fingerprint, in characters; sources' own have 64 at most.
pub(super) const FINGERPRINT_CHARS_MAX: usize = 64;
/// How the line begins that holds what was refused as it was sent.
const CARD_LINE: &[u8] = b"{\"card\":";
/// Said of what the broker itself has moved to the dead letters.
const GIVEN_UP_BY_BROKER: &str =
    "the broker gave it up: it was taken too often without being settled, or no queue was there for it";

/// One letter to keep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct DeadLetterRecord {
    /// The same for the same death, however often its message is delivered: that is what keeps one letter of it.
    pub(super) letter_key: Vec<u8>,
    /// The same for the same line, whichever receiver it was for.
    pub(super) line_key: Vec<u8>,
    /// The letter that was sent again and died again.
    pub(super) replay: Option<DeadLetterId>,
    pub(super) envelope: Option<EnvelopeId>,
    pub(super) source: Option<Source>,
    pub(super) failure: Failure,
    /// The names of its alerts.
    pub(super) summary: String,
    pub(super) fingerprints: Vec<String>,
    /// How many alerts it holds; none that we know of if it cannot be read.
    pub(super) alerts: usize,
    pub(super) body: Bytes,
    /// How long the line was before it was cut.
    pub(super) body_bytes: usize,
    pub(super) card: Option<Bytes>,
}

/// The letters in a message. A line that holds a card belongs to the envelope before it.
pub(super) fn split(body: &Bytes, headers: &Headers, now: Timestamp) -> Vec<DeadLetterRecord> {
    let mut records: Vec<DeadLetterRecord> = Vec::new();
    for line in lines(body) {
        match records.last_mut() {
            Some(before) if before.card.is_none() && line.starts_with(CARD_LINE) => {
                before.card = Some(cut(body, line, CARD_BYTES_MAX));
            }
            _ => records.push(record_of(body, line, headers, now)),
        }
    }
    if records.is_empty() {
        // Nobody publishes it, so somebody should know of it.
        records.push(record_of(body, body, headers, now));
    }
    records
}

fn record_of(body: &Bytes, line: &[u8], headers: &Headers, now: Timestamp) -> DeadLetterRecord {
    let envelope = decode(line).ok();
    let failure = failure(headers.failure.as_ref(), envelope.as_ref(), now);
    let line_key = Sha256::digest(line).to_vec();
    let mut letter_key = Sha256::new_with_prefix(&line_key);
    letter_key.update(failure.receiver.as_bytes());
    if let (None, Some(said)) = (&envelope, &headers.failure) {
        // An envelope comes once, but the same garbage may come again and is then another letter.
        letter_key.update(said.first_failed_at.as_nanosecond().to_be_bytes());
    }
    let alerts = envelope.as_ref().map_or(&[][..], |envelope| &envelope.alerts);
    DeadLetterRecord {
        letter_key: letter_key.finalize().to_vec(),
        line_key,
        replay: headers.replay.map(|replay| replay.letter),
        envelope: envelope.as_ref().map(|envelope| envelope.id),
        source: envelope.as_ref().map(|envelope| envelope.source),
        failure,
        summary: envelope.as_ref().map(summary).unwrap_or_default(),
        fingerprints: alerts
            .iter()
            .map(|alert| chars(&alert.fingerprint.to_string(), FINGERPRINT_CHARS_MAX))
            .collect(),
        alerts: alerts.len(),
        body: cut(body, line, LETTER_BYTES_MAX),
        body_bytes: line.len(),
        card: None,
    }
}

/// What our own worker has said, within what the table holds. A message without that, or one that was deferred and has
/// not come back to a worker, was moved here by the broker.
fn failure(said: Option<&Failure>, envelope: Option<&Envelope<'_>>, now: Timestamp) -> Failure {
    let received_at = envelope.map_or(now, |envelope| envelope.received_at);
    let by_broker = Failure {
        reason: Reason::Undeliverable,
        receiver: String::new(),
        code: None,
        message: GIVEN_UP_BY_BROKER.to_owned(),
        attempts: 0,
        first_failed_at: received_at,
        last_failed_at: now,
        marks: FailureMarks::default(),
    };
    match said {
        None => by_broker,
        Some(said) if said.reason == Reason::Unavailable => Failure {
            receiver: chars(&said.receiver, NAME_CHARS_MAX),
            code: said.code,
            message: chars(
                &format!("{GIVEN_UP_BY_BROKER}; before that: {}", said.message),
                MESSAGE_CHARS_MAX,
            ),
            attempts: said.attempts,
            first_failed_at: said.first_failed_at,
            ..by_broker
        },
        Some(said) => Failure {
            receiver: chars(&said.receiver, NAME_CHARS_MAX),
            message: chars(&said.message, MESSAGE_CHARS_MAX),
            ..said.clone()
        },
    }
}

/// The names of the alerts, each once, in their order.
fn summary(envelope: &Envelope<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for alert in &envelope.alerts {
        let name = alert.labels.get("alertname").or_else(|| alert.annotations.get("summary"));
        let name = name.unwrap_or("an alert without a name");
        if !names.contains(&name) {
            names.push(name);
        }
    }
    chars(&names.join(", "), NAME_CHARS_MAX)
}

fn chars(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most - 1).chain(['…']).collect()
}

/// The line, or its beginning.
fn cut(body: &Bytes, line: &[u8], most: usize) -> Bytes {
    body.slice_ref(&line[..line.len().min(most)])
}

#[cfg(test)]
mod tests;
