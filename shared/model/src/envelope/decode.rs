//! Lines of the wire format → envelopes. Pure.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;
use thiserror::Error;

use super::{Envelope, EnvelopeId, Notice, Source, WIRE_VERSION};
use crate::alert::{Alert, Labels};

/// Why a line is not an envelope of ours. Such a line goes to the dead letters.
#[derive(Debug, Error)]
pub enum EnvelopeDecodeError {
    /// Written by a newer build, or by something else.
    #[error("wire version {found} is not {WIRE_VERSION}, the one this build reads")]
    Version {
        /// The version the line claims.
        found: u32,
    },
    /// Not JSON, or not of the documented shape.
    #[error("not an envelope: {0}")]
    Malformed(#[from] serde_json::Error),
    /// An envelope has to be about something.
    #[error("the envelope carries no alerts")]
    Empty,
}

#[derive(Deserialize)]
struct EnvelopeVersion {
    v: u32,
}

#[derive(Deserialize)]
struct WireEnvelope<'a> {
    id: EnvelopeId,
    received_at: Timestamp,
    source: Source,
    #[serde(borrow, default)]
    receiver: Cow<'a, str>,
    #[serde(borrow, default)]
    group_key: Cow<'a, str>,
    #[serde(borrow, default)]
    group_labels: Labels<'a>,
    #[serde(borrow, default)]
    external_url: Cow<'a, str>,
    #[serde(default)]
    truncated: u64,
    /// Older builds neither write nor read it.
    #[serde(borrow, default)]
    notice: Notice<'a>,
    /// `repeat` on the wire; older builds neither write nor read it.
    #[serde(default)]
    repeat: bool,
    /// `unheard` on the wire; to older builds it is an end like any other.
    #[serde(default)]
    unheard: bool,
    /// To older builds it is an alert of the receiver that is told.
    #[serde(borrow, default)]
    instead_of: Cow<'a, str>,
    #[serde(borrow)]
    alerts: Vec<Alert<'a>>,
    v: u32,
}

/// The lines of a message body, without their line feeds and without empty ones.
pub fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

/// Reads one line. Unknown fields are ignored; an unknown version is refused whatever else the line holds.
pub fn decode(line: &[u8]) -> Result<Envelope<'_>, EnvelopeDecodeError> {
    // Serde checks bytes for UTF-8 text by text, which takes a fifth of the whole; of a text it need not. What is not
    // UTF-8 is left to it, so that the reason comes with its place.
    let read = str::from_utf8(line).map_or_else(|_| serde_json::from_slice(line), serde_json::from_str);
    let mut wire: WireEnvelope<'_> = match read {
        Ok(wire) => wire,
        // A line of another version may have any shape, and its version is then the better reason.
        Err(error) => return Err(version_mismatch(line).unwrap_or(EnvelopeDecodeError::Malformed(error))),
    };
    if wire.v != WIRE_VERSION {
        return Err(EnvelopeDecodeError::Version { found: wire.v });
    }
    if wire.alerts.is_empty() {
        return Err(EnvelopeDecodeError::Empty);
    }
    wire.alerts.iter_mut().for_each(Alert::restore_names);
    Ok(Envelope {
        id: wire.id,
        received_at: wire.received_at,
        source: wire.source,
        receiver: wire.receiver,
        group_key: wire.group_key,
        group_labels: wire.group_labels,
        external_url: wire.external_url,
        truncated: wire.truncated,
        notice: wire.notice,
        is_repeat: wire.repeat,
        is_unheard: wire.unheard,
        instead_of: wire.instead_of,
        alerts: wire.alerts,
    })
}

fn version_mismatch(line: &[u8]) -> Option<EnvelopeDecodeError> {
    let EnvelopeVersion { v: found } = serde_json::from_slice(line).ok()?;
    (found != WIRE_VERSION).then_some(EnvelopeDecodeError::Version { found })
}
