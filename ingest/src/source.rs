//! The formats alerts arrive in. Pure: the bytes of a body in, one envelope that borrows from them out.
//!
//! A body is told apart by its shape, never by a header, and read in one pass. What a person would recognise is
//! accepted; refused is only what cannot be told (reference "Alert sources", 1, 3, 4).

mod alertmanager;
mod custom;
mod grafana;
mod grafana_legacy;
mod identity;
pub(crate) mod lenient;
mod link;
mod loki_feishu;
mod quote_meta;
mod reading;
mod shape;
#[cfg(test)]
mod test_context;
mod text;
mod text_alert;
mod text_lines;
mod time;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::envelope::{Envelope, EnvelopeId, Source};
use thiserror::Error;

pub use link::{LinkProblem, not_kept};
pub(crate) use shape::ALERTS_MAX;
use shape::Shape;
pub use text::{text_in, text_of};

/// Which way a body came in. It decides nothing but what a lone `message` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/api/alert`, for every format.
    Any,
    /// `/alert`, the address of the Loki-Feishu format.
    LokiFeishu,
}

/// What is known about a request besides its body.
#[derive(Clone, Debug)]
pub struct Context {
    /// The id its envelope gets.
    pub id: EnvelopeId,
    /// When it had been read.
    pub received_at: Timestamp,
    /// Which way it came in.
    pub endpoint: Endpoint,
    /// Where a time without a zone is meant.
    pub timezone: TimeZone,
    /// What the address calls whoever sends this; empty where it says nothing.
    pub origin: String,
    /// The labels that tell replicas apart, and no alerts.
    pub ignore_labels: Arc<[String]>,
    /// The labels that routes, owners, links and templates go by: of an alert with too many they are kept before others.
    pub keep_labels: Arc<[String]>,
}

/// A body that was understood.
#[derive(Debug)]
pub struct Parsed<'a> {
    /// What it says. Without alerts where there is nothing to tell: a paused rule, an empty group.
    pub envelope: Envelope<'a>,
    /// What gave its format away.
    pub because: Because,
    /// Who says so, where the format names its sender: for the gate's allowlist.
    pub sender: Option<Cow<'a, str>>,
}

/// What gave a format away.
#[derive(Debug, PartialEq, Eq)]
pub struct Because {
    /// The keys it was known by.
    pub keys: Vec<&'static str>,
    /// What else counted.
    pub circumstance: &'static str,
}

impl fmt::Display for Because {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("it has ")?;
        for key in &self.keys {
            write!(formatter, "`{key}`, ")?;
        }
        formatter.write_str(self.circumstance)
    }
}

/// Why a body was not understood. The sender cannot mend this by trying again.
#[derive(Debug, PartialEq, Eq, Error)]
pub enum SourceError {
    /// Not JSON at all, or a field twice.
    #[error("not JSON: {reason} at line {line}, column {column}")]
    NotJson {
        /// What is wrong there.
        reason: String,
        /// Counted from 1.
        line: usize,
        /// Counted from 1; 0 at the very end of a line.
        column: usize,
    },
    /// JSON, but of none of the formats.
    #[error("JSON of no known format: nearest is {}, which lacks {missing}", nearest.as_str())]
    Unknown {
        /// The format it resembles most.
        nearest: Source,
        /// What would have made it one.
        missing: &'static str,
    },
    /// More alerts than one request may carry.
    #[error("{alerts} alerts in one request; {ALERTS_MAX} is the limit")]
    TooManyAlerts {
        /// How many there are.
        alerts: usize,
    },
}

impl SourceError {
    pub(crate) fn not_json(error: &serde_json::Error) -> Self {
        let line = error.line();
        let column = error.column();
        let text = error.to_string();
        let reason = text.split(" at line ").next().unwrap_or(&text).to_owned();
        Self::NotJson { reason, line, column }
    }

    /// The format it was, or nearly was.
    pub fn source(&self) -> Option<Source> {
        match self {
            Self::NotJson { .. } | Self::TooManyAlerts { .. } => None,
            Self::Unknown { nearest, .. } => Some(*nearest),
        }
    }
}

/// Reads a body of any format, or else takes it for a message of whoever the address names.
pub fn parse_or_text<'a>(body: &'a str, context: &Context) -> Result<Parsed<'a>, SourceError> {
    let refused = match parse(body, context) {
        Err(refused @ SourceError::NotJson { .. }) => refused,
        understood => return understood,
    };
    if body.trim().is_empty() {
        return Err(refused);
    }
    let sender = if context.origin.is_empty() { TEXT_SENDER } else { &*context.origin };
    let shape = Shape::of_text(body.trim(), sender.to_owned());
    let sender = Some(shape.sender_id.0.clone());
    let because =
        Because { keys: Vec::new(), circumstance: "no JSON in it, and is text by its content type" };
    Ok(Parsed {
        envelope: custom::read(shape, context).into_envelope(Source::Custom, context),
        because,
        sender,
    })
}

/// What a text is sent by whose address names nobody.
const TEXT_SENDER: &str = "text";

/// Reads a body of any format.
pub fn parse<'a>(body: &'a str, context: &Context) -> Result<Parsed<'a>, SourceError> {
    let Some(shape) = Shape::read(body).map_err(|error| SourceError::not_json(&error))? else {
        return Err(SourceError::Unknown {
            nearest: Source::Alertmanager,
            missing: "an object around it all, or labels in the alerts of an array",
        });
    };
    let (source, because) = shape.recognise(context.endpoint)?;
    if shape.alerts.beyond > 0 {
        return Err(SourceError::TooManyAlerts { alerts: ALERTS_MAX + shape.alerts.beyond });
    }
    let mut sender = None;
    let reading = match source {
        Source::Alertmanager | Source::Grafana => alertmanager::read(shape, source, context),
        Source::GrafanaLegacy => grafana_legacy::read(shape, context),
        Source::Custom => {
            sender = Some(shape.sender_id.0.clone());
            custom::read(shape, context)
        }
        Source::LokiFeishu => loki_feishu::read(shape, context),
    };
    let mut envelope = reading.into_envelope(source, context);
    if !context.origin.is_empty() {
        // Where alerts differ in nothing else, people have to see it. Not a label: silences are made of labels.
        for alert in &mut envelope.alerts {
            alert.annotations.insert_if_absent(Cow::Borrowed("origin"), Cow::Owned(context.origin.clone()));
        }
    }
    Ok(Parsed { envelope, because, sender })
}
