//! Envelope → lines of the wire format, split so that no line grows without bound.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;
use thiserror::Error;

use super::{Envelope, EnvelopeId, Source, WIRE_VERSION};
use crate::alert::{Alert, Labels};

/// How many alerts one line may carry.
pub const ENVELOPE_ALERTS_MAX: usize = 100;
/// How long a line may grow, in bytes, before the next alert starts a new one. A single alert that is larger
/// stands alone: its labels are bounded, so it stays within a small multiple of this.
pub const ENVELOPE_BYTES_MAX: usize = 128 * 1024;

/// Why an envelope could not be written.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The serialiser refused; our own types give it no cause to.
    #[error("the envelope cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// One line of the wire format, ready for the queue.
#[derive(Clone, Debug)]
pub struct Line {
    /// The id this line carries.
    pub id: EnvelopeId,
    /// How many alerts are in it.
    pub alerts: usize,
    /// The JSON object and its line feed.
    pub bytes: Bytes,
}

/// Everything of a line but its alerts, in the order of the documentation.
#[derive(Serialize)]
struct Head<'e> {
    v: u32,
    id: EnvelopeId,
    received_at: Timestamp,
    source: Source,
    receiver: &'e str,
    group_key: &'e str,
    group_labels: &'e Labels<'e>,
    external_url: &'e str,
    truncated: u64,
}

/// Writes the envelope as one line or, past a limit, as several with ids that follow one another. Nothing is
/// lost or reordered by the split. Without alerts there is nothing to write.
pub fn encode(envelope: &Envelope<'_>) -> Result<Vec<Line>, EncodeError> {
    if envelope.alerts.is_empty() {
        return Ok(Vec::new());
    }
    let mut lines = Vec::with_capacity(1);
    let mut open = OpenLine::begin(envelope, 0)?;
    for alert in &envelope.alerts {
        if !open.try_push(alert)? {
            let next = OpenLine::begin(envelope, open.index + 1)?;
            lines.push(std::mem::replace(&mut open, next).finish());
            open.push(alert)?;
        }
    }
    lines.push(open.finish());
    Ok(lines)
}

/// A line that still takes alerts.
struct OpenLine {
    index: u32,
    id: EnvelopeId,
    alerts: usize,
    bytes: Vec<u8>,
}

impl OpenLine {
    fn begin(envelope: &Envelope<'_>, index: u32) -> Result<Self, EncodeError> {
        let id = envelope.id.part(index);
        let head = Head {
            v: WIRE_VERSION,
            id,
            received_at: envelope.received_at,
            source: envelope.source,
            receiver: &envelope.receiver,
            group_key: &envelope.group_key,
            group_labels: &envelope.group_labels,
            external_url: &envelope.external_url,
            truncated: envelope.truncated,
        };
        let mut bytes = serde_json::to_vec(&head)?;
        // The object is left open here and closed by `finish`: alerts are written straight into it, which
        // lets a line be measured as it grows instead of being serialised twice.
        bytes.pop();
        bytes.extend_from_slice(br#","alerts":["#);
        Ok(Self { index, id, alerts: 0, bytes })
    }

    /// Adds the alert and says so, or leaves the line as it was when a limit would be passed.
    fn try_push(&mut self, alert: &Alert<'_>) -> Result<bool, EncodeError> {
        if self.alerts >= ENVELOPE_ALERTS_MAX {
            return Ok(false);
        }
        let before = self.bytes.len();
        self.push(alert)?;
        if self.alerts > 1 && self.bytes.len() + CLOSING.len() > ENVELOPE_BYTES_MAX {
            self.bytes.truncate(before);
            self.alerts -= 1;
            return Ok(false);
        }
        Ok(true)
    }

    fn push(&mut self, alert: &Alert<'_>) -> Result<(), EncodeError> {
        if self.alerts > 0 {
            self.bytes.push(b',');
        }
        serde_json::to_writer(&mut self.bytes, alert)?;
        self.alerts += 1;
        Ok(())
    }

    fn finish(mut self) -> Line {
        self.bytes.extend_from_slice(CLOSING);
        Line { id: self.id, alerts: self.alerts, bytes: Bytes::from(self.bytes) }
    }
}

const CLOSING: &[u8] = b"]}\n";
