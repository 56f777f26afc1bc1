//! One message as bytes, and back. A record holds: its length, the CRC-32 of its content, the CRC-32 of these two
//! numbers together with the record's place, and then the content. The place is checked so that a block of an older
//! file, which a power failure can leave where a newer one was, is not taken for a record. With its own check a length
//! can be believed before anything is read or allocated for it. Pure.

use std::borrow::Cow;

use bytes::Bytes;
use crc::{CRC_32_ISO_HDLC, Crc};
use queue::{Failure, Headers, Message, MessageDestination, Replay};
use serde::{Deserialize, Serialize};

/// Bytes of one record's content. An envelope has at most 128 KiB, so this is a check, not a limit one meets.
pub(super) const CONTENT_BYTES_MAX: usize = 1 << 20;
/// Bytes before the content.
pub(super) const HEAD_BYTES: usize = 12;

const CRC: Crc<u32> = Crc::<u32>::new(&CRC_32_ISO_HDLC);

/// Where a record begins or ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// The number of the segment.
    pub(super) segment: u64,
    /// Bytes from its beginning.
    pub(super) offset: u64,
}

/// What there is at a place.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one at a time, taken apart where it is made")]
pub(super) enum RecordAt {
    /// A whole record of that many bytes.
    Record(Message, usize),
    /// The beginning of one, or nothing at all, or zeros: what a write leaves that was cut off.
    Incomplete,
    /// Something else.
    Corrupt,
}

/// The part of the content that is not the body. It ends with a line feed, which JSON keeps out of itself.
#[derive(Serialize, Deserialize)]
struct Label<'l> {
    shard_key: u64,
    attempt: u32,
    failure: Option<Cow<'l, Failure>>,
    traceparent: Option<Cow<'l, str>>,
    #[serde(default)]
    replay: Option<Replay>,
}

/// Adds the record of a message, unless it is not for the workers or larger than any record is; then it is left out.
pub(super) fn write(place: Place, message: &Message, bytes: &mut Vec<u8>) -> bool {
    let MessageDestination::Alerts { shard_key } = message.to else { return false };
    let Headers { attempt, failure, traceparent, replay } = &message.headers;
    let label = Label {
        shard_key,
        attempt: *attempt,
        failure: failure.as_ref().map(Cow::Borrowed),
        traceparent: traceparent.as_deref().map(Cow::Borrowed),
        replay: *replay,
    };
    let Ok(label) = serde_json::to_vec(&label) else { return false };
    let length = label.len() + 1 + message.body.len();
    let Some(length_field) = u32::try_from(length).ok().filter(|_| length <= CONTENT_BYTES_MAX) else {
        return false;
    };
    let mut content = CRC.digest();
    for part in [&label, &b"\n"[..], &message.body] {
        content.update(part);
    }
    let length = length_field.to_le_bytes();
    let content = content.finalize().to_le_bytes();
    let check = check(place, length, content).to_le_bytes();
    for part in [&length[..], &content, &check, &label, b"\n", &message.body] {
        bytes.extend_from_slice(part);
    }
    true
}

/// Reads the record at the beginning of `bytes`, which were found at `place`.
pub(super) fn read(place: Place, bytes: &[u8]) -> RecordAt {
    let Some((&[length, content_crc, checked], rest)) = head(bytes) else { return RecordAt::Incomplete };
    if check(place, length, content_crc) != u32::from_le_bytes(checked) {
        return if bytes.iter().all(|byte| *byte == 0) { RecordAt::Incomplete } else { RecordAt::Corrupt };
    }
    let length = usize::try_from(u32::from_le_bytes(length)).unwrap_or(usize::MAX);
    if length > CONTENT_BYTES_MAX {
        return RecordAt::Corrupt;
    }
    let Some(content) = rest.get(..length) else { return RecordAt::Incomplete };
    if CRC.checksum(content) != u32::from_le_bytes(content_crc) {
        return RecordAt::Corrupt;
    }
    match message(content) {
        Some(message) => RecordAt::Record(message, HEAD_BYTES + length),
        None => RecordAt::Corrupt,
    }
}

/// The CRC-32 of a few bytes, for the other file of the spool.
pub(super) fn checksum(bytes: &[u8]) -> u32 {
    CRC.checksum(bytes)
}

fn head(bytes: &[u8]) -> Option<(&[[u8; 4]; 3], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD_BYTES>()?;
    let (numbers, _none) = head.as_chunks::<4>();
    Some((numbers.first_chunk()?, rest))
}

fn check(place: Place, length: [u8; 4], content_crc: [u8; 4]) -> u32 {
    let mut digest = CRC.digest();
    digest.update(&place.segment.to_le_bytes());
    digest.update(&place.offset.to_le_bytes());
    digest.update(&length);
    digest.update(&content_crc);
    digest.finalize()
}

fn message(content: &[u8]) -> Option<Message> {
    let end = content.iter().position(|byte| *byte == b'\n')?;
    let Label { shard_key, attempt, failure, traceparent, replay } =
        serde_json::from_slice(content.get(..end)?).ok()?;
    let headers = Headers {
        attempt,
        failure: failure.map(Cow::into_owned),
        traceparent: traceparent.map(Cow::into_owned),
        replay,
    };
    let body = Bytes::copy_from_slice(content.get(end + 1..)?);
    Some(Message { to: MessageDestination::Alerts { shard_key }, body, headers })
}

#[cfg(test)]
mod tests;
