//! Envelope → lines of the wire format, split so that no line grows without bound. Pure.

mod json;

pub use json::text as json_text;

use bytes::Bytes;
use thiserror::Error;

use super::{Envelope, EnvelopeId, WIRE_VERSION};
use crate::alert::Alert;

/// How many alerts one line may carry.
pub const ENVELOPE_ALERTS_MAX: usize = 100;
/// How long a line may grow, in bytes, before the next alert starts a new one. A single alert that is larger
/// stands alone: its labels are bounded, so it stays within a small multiple of this.
pub const ENVELOPE_BYTES_MAX: usize = 128 * 1024;
/// What a line is given room for when it is begun, in bytes: the envelope's own fields, and its alerts. What was too
/// much is given back when the line is finished. For as many alerts as there may be it stays below the 128 KiB from
/// which on glibc maps pages for each allocation and unmaps them again.
const HEAD_BYTES_AT_FIRST: usize = 512;
const ALERT_BYTES_AT_FIRST: usize = 1250;

/// Why an envelope could not be written.
#[derive(Debug, Error)]
pub enum EncodeError {
    /// The serialiser refused; our own types give it no cause to.
    #[error("the envelope cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A time cannot be written; ours are all within the years that can be.
    #[error("a time of the envelope cannot be written: {0}")]
    Time(#[from] jiff::Error),
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
    /// The object is left open and closed by `finish`: alerts are written straight into it, which lets a line be
    /// measured as it grows instead of being written twice.
    fn begin(envelope: &Envelope<'_>, index: u32) -> Result<Self, EncodeError> {
        let id = envelope.id.part(index);
        let alerts = envelope.alerts.len().min(ENVELOPE_ALERTS_MAX);
        let mut bytes = Vec::with_capacity(HEAD_BYTES_AT_FIRST + alerts * ALERT_BYTES_AT_FIRST);
        json::raw(&mut bytes, r#"{"v":"#);
        json::value(&mut bytes, &WIRE_VERSION)?;
        json::raw(&mut bytes, r#","id":"#);
        json::value(&mut bytes, &id)?;
        json::raw(&mut bytes, r#","received_at":"#);
        json::time(&mut bytes, Some(envelope.received_at))?;
        json::raw(&mut bytes, r#","source":"#);
        json::text(&mut bytes, envelope.source.as_str())?;
        json::raw(&mut bytes, r#","receiver":"#);
        json::text(&mut bytes, &envelope.receiver)?;
        json::raw(&mut bytes, r#","group_key":"#);
        json::text(&mut bytes, &envelope.group_key)?;
        json::raw(&mut bytes, r#","group_labels":"#);
        json::labels(&mut bytes, &envelope.group_labels)?;
        json::raw(&mut bytes, r#","external_url":"#);
        json::text(&mut bytes, &envelope.external_url)?;
        json::raw(&mut bytes, r#","truncated":"#);
        json::value(&mut bytes, &envelope.truncated)?;
        if !envelope.notice.is_empty() {
            json::raw(&mut bytes, r#","notice":"#);
            json::value(&mut bytes, &envelope.notice)?;
        }
        if envelope.is_repeat {
            json::raw(&mut bytes, r#","repeat":true"#);
        }
        if envelope.is_unheard {
            json::raw(&mut bytes, r#","unheard":true"#);
        }
        if !envelope.instead_of.is_empty() {
            json::raw(&mut bytes, r#","instead_of":"#);
            json::text(&mut bytes, &envelope.instead_of)?;
        }
        json::raw(&mut bytes, r#","alerts":["#);
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
        json::alert(&mut self.bytes, alert)?;
        self.alerts += 1;
        Ok(())
    }

    fn finish(mut self) -> Line {
        self.bytes.extend_from_slice(CLOSING);
        Line { id: self.id, alerts: self.alerts, bytes: self.bytes.into_boxed_slice().into() }
    }
}

const CLOSING: &[u8] = b"]}\n";
