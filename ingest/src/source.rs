//! The formats alerts arrive in. Pure: the bytes of a body in, one envelope that borrows from them out.
//!
//! A body is told apart by its shape, never by a header, and read in one pass. What a person would recognise is
//! accepted; refused is only what cannot be told (reference "Alert sources", 1, 3, 4).

mod alertmanager;
mod chat_bots;
mod chat_text;
mod custom;
mod event;
mod form;
mod grafana;
mod grafana_legacy;
mod identity;
pub(crate) mod lenient;
mod link;
mod loki_feishu;
mod mapped;
mod node;
mod quote_meta;
mod reading;
mod shape;
#[cfg(test)]
mod test_context;
mod text;
mod text_alert;
mod text_lines;
mod time;
mod vendor;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use config::{SourceConfig, SuccessStatus};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::envelope::{Envelope, EnvelopeId, Source};
use thiserror::Error;

pub use link::{LinkProblem, not_kept};
use mapped::MappedReading;
use reading::AlertReading;
pub(crate) use shape::ALERTS_MAX;
use shape::Shape;
pub use text::{text_in, text_of};
use vendor::VendorReading;

/// Which way a body came in. It decides what a body is whose fields leave that open, and how it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/api/alert`, for every format.
    Any,
    /// `/alert`, the address of the Loki-Feishu format.
    LokiFeishu,
    /// `/api/v2/alerts`, where Prometheus and vmalert push to an Alertmanager.
    AlertmanagerApi,
    /// `/open-apis/bot/v2/hook/{hook}`, the address of a custom bot of Feishu.
    FeishuBot,
    /// `/robot/send`, the address of a robot of DingTalk.
    DingtalkBot,
    /// `/cgi-bin/webhook/send`, the address of a robot of WeCom.
    WecomBot,
    /// `/dingtalk/{target}/send`, the address of prometheus-webhook-dingtalk.
    DingtalkBridge,
    /// `/prometheusalert` and the other addresses of PrometheusAlert.
    PrometheusAlert,
}

impl Endpoint {
    /// Whether it stands for a chat's bot.
    const fn is_of_bots(self) -> bool {
        matches!(self, Self::FeishuBot | Self::DingtalkBot | Self::WecomBot)
    }
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
    /// Whom the address names: owners of each of the alerts.
    pub people: Vec<String>,
    /// The formats of the configuration.
    pub sources: Arc<[SourceConfig]>,
    /// Which of them the address names.
    pub named_source: Option<String>,
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
    /// What its sender takes for a success, where the configuration says.
    pub answer: SuccessStatus,
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
    /// What stands for a body was sent instead of it.
    #[error(
        "the placeholder `{PLACEHOLDER}` was not filled in: the test button of ARMS does not, a real alert does"
    )]
    Placeholder,
    /// The address names a format that the configuration does not have.
    #[error("no format of this name is in `sources`")]
    NoSuchSource,
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
            Self::NotJson { .. } | Self::Placeholder | Self::NoSuchSource | Self::TooManyAlerts { .. } => {
                None
            }
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
        answer: SuccessStatus::default(),
    })
}

/// What ARMS fills in with a group of alerts.
const PLACEHOLDER: &str = "$alertmanager_content";

/// What a text is sent by whose address names nobody.
const TEXT_SENDER: &str = "text";

/// Reads a body of any format.
pub fn parse<'a>(body: &'a str, context: &Context) -> Result<Parsed<'a>, SourceError> {
    let mut parsed = read(body, context)?;
    complete(&mut parsed.envelope, context);
    Ok(parsed)
}

fn read<'a>(body: &'a str, context: &Context) -> Result<Parsed<'a>, SourceError> {
    let of_mapping = |read: MappedReading| {
        let MappedReading { because, reading, answer } = read;
        Parsed { envelope: reading.into_envelope(Source::Mapped, context), because, sender: None, answer }
    };
    let of_vendor = |read: VendorReading| {
        let VendorReading { source, because, reading } = read;
        Parsed {
            envelope: reading.into_envelope(source, context),
            because,
            sender: None,
            answer: SuccessStatus::default(),
        }
    };
    if context.named_source.is_some()
        && let Some(read) = mapped::read(body, context)
    {
        return read.map(of_mapping);
    }
    if body.trim_start().starts_with('[')
        && vendor::may_be_array(body)
        && let Some(read) = vendor::read(body, context)
    {
        return read.map(of_vendor);
    }
    // A format of one's own goes before those that are known, but not before groups of alerts.
    let shape = match Shape::read(body) {
        Ok(shape) => shape,
        Err(error) => {
            if body.trim().trim_matches('"') == PLACEHOLDER {
                return Err(SourceError::Placeholder);
            }
            let refused = SourceError::not_json(&error);
            return vendor::read_form(body, context).unwrap_or(Err(refused)).map(of_vendor);
        }
    };
    if shape.is_none() && context.endpoint == Endpoint::AlertmanagerApi && is_empty_list(body) {
        let because = Because { keys: Vec::new(), circumstance: "nothing in its array" };
        return Ok(of_vendor(VendorReading {
            source: Source::Prometheus,
            because,
            reading: AlertReading::default(),
        }));
    }
    let Some(shape) = shape else {
        return Err(SourceError::Unknown {
            nearest: Source::Alertmanager,
            missing: "an object around it all, or labels in the alerts of an array",
        });
    };
    if shape.alerts.items.is_none()
        && let Some(read) = mapped::read(body, context)
    {
        return read.map(of_mapping);
    }
    if shape.alerts.items.is_none()
        && let Some(read) = vendor::read(body, context)
    {
        return read.map(of_vendor);
    }
    of_shape(shape, context)
}

/// What is pushed where nothing fires.
fn is_empty_list(body: &str) -> bool {
    body.bytes().filter(|byte| !byte.is_ascii_whitespace()).eq(*b"[]")
}

fn of_shape<'a>(shape: Shape<'a>, context: &Context) -> Result<Parsed<'a>, SourceError> {
    let (source, because) = shape.recognise(context.endpoint)?;
    if shape.alerts.beyond > 0 {
        return Err(SourceError::TooManyAlerts { alerts: ALERTS_MAX + shape.alerts.beyond });
    }
    let sender = (source == Source::Custom).then(|| shape.sender_id.0.clone());
    let reading = if source == Source::GrafanaLegacy {
        grafana_legacy::read(shape, context)
    } else if source == Source::Custom {
        custom::read(shape, context)
    } else if source == Source::LokiFeishu {
        loki_feishu::read(shape, context)
    } else {
        alertmanager::read(shape, source, context)
    };
    let envelope = reading.into_envelope(source, context);
    Ok(Parsed { envelope, because, sender, answer: SuccessStatus::default() })
}

/// What the address says of each alert.
fn complete(envelope: &mut Envelope<'_>, context: &Context) {
    let named = chat_bots::mention(context.people.clone(), Vec::new());
    for alert in &mut envelope.alerts {
        if !context.origin.is_empty() {
            // Where alerts differ in nothing else, people have to see it. Not a label: silences are made of labels.
            alert.annotations.insert_if_absent(Cow::Borrowed("origin"), Cow::Owned(context.origin.clone()));
        }
        let mention = &mut alert.mention;
        mention.usernames.extend(named.usernames.iter().cloned());
        mention.mobiles.extend(named.mobiles.iter().cloned());
        mention.open_ids.extend(named.open_ids.iter().cloned());
    }
}
