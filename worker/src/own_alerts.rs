//! Alerts that Larkfire raises itself. They go over the queue like any other, so that they are routed, delivered once,
//! repeated and acknowledged as others are, whatever dies on the way.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::{EncodeError, Envelope, EnvelopeId, Notice, Source, encode};
use prometheus::{IntCounter, Registry};
use queue::{Headers, Message, MessageDestination, PublishError, Publisher};
use runtime::metrics::memory::OWN_ALERTS;
use thiserror::Error;

/// The name of the label that says which of several things of one name an alert is about.
const ALERT_NAME: &str = "alertname";

/// One of them, in one state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnAlert {
    /// What it is called.
    pub name: &'static str,
    /// A label that tells it from others of that name, and its value.
    pub subject: OwnSubject,
    /// How bad it is.
    pub severity: &'static str,
    /// One line.
    pub summary: String,
    /// More lines.
    pub description: String,
    /// Who is told; empty: whoever the routes name.
    pub receiver: String,
    /// Since when it is so: the same for every repeat of it.
    pub starts_at: Timestamp,
    /// Since when it is over, if it is.
    pub ends_at: Option<Timestamp>,
}

/// What one of them is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnSubject {
    /// The label's name.
    pub label: &'static str,
    /// Its value.
    pub value: String,
}

/// Why they are not on the queue, as far as is known.
#[derive(Debug, Error)]
pub enum OwnAlertError {
    /// They could not be written.
    #[error("they cannot be written: {0}")]
    Encode(#[from] EncodeError),
    /// The queue did not say that it has them.
    #[error(transparent)]
    Publish(#[from] PublishError),
}

/// Puts them on the queue. Clones share it.
#[derive(Clone, Debug)]
pub struct OwnAlerts {
    publisher: Arc<dyn Publisher>,
    published: IntCounter,
}

impl OwnAlerts {
    /// On this queue. Its metric is shown by `registry`.
    pub fn new(publisher: Arc<dyn Publisher>, registry: &Registry) -> prometheus::Result<Self> {
        let count = OWN_ALERTS.counter()?;
        registry.register(Box::new(count.clone()))?;
        Ok(Self { publisher, published: count })
    }

    /// Publishes them, those of one receiver together. After an error some may be on the queue all the same: published once
    /// more, each is known by its beginning.
    pub async fn publish(&self, alerts: Vec<OwnAlert>, now: Timestamp) -> Result<(), OwnAlertError> {
        let count = alerts.len() as u64;
        let mut by_receiver: BTreeMap<String, Vec<Alert<'static>>> = BTreeMap::new();
        for alert in alerts {
            by_receiver.entry(alert.receiver.clone()).or_default().push(written(alert));
        }
        let messages = by_receiver.into_iter().map(|(receiver, alerts)| message(receiver, alerts, now));
        let messages: Vec<_> = messages.collect::<Result<_, _>>()?;
        self.publisher.publish(messages).await?;
        self.published.inc_by(count);
        Ok(())
    }
}

fn message(receiver: String, alerts: Vec<Alert<'static>>, now: Timestamp) -> Result<Message, EncodeError> {
    let envelope = Envelope {
        id: EnvelopeId::new(now, runtime::entropy::random()),
        received_at: now,
        source: Source::Larkfire,
        receiver: receiver.into(),
        group_key: "larkfire".into(),
        group_labels: Labels::default(),
        external_url: "".into(),
        truncated: 0,
        notice: Notice::default(),
        is_repeat: false,
        is_unheard: false,
        instead_of: "".into(),
        alerts,
    };
    let lines = encode(&envelope)?;
    let body: Vec<u8> = lines.iter().flat_map(|line| line.bytes.iter().copied()).collect();
    let to = MessageDestination::Alerts { shard_key: envelope.shard_key() };
    Ok(Message { to, body: body.into(), headers: Headers::default() })
}

fn written(alert: OwnAlert) -> Alert<'static> {
    let OwnAlert { name, subject, severity, summary, description, starts_at, ends_at, receiver: _ } = alert;
    let labels =
        [(ALERT_NAME, name.to_owned()), (subject.label, subject.value), ("severity", severity.to_owned())];
    let identity = labels.iter().map(|(name, value)| (*name, value.as_str())).chain([("source", "larkfire")]);
    let fingerprint = Fingerprint::of_pairs(identity);
    let status = if ends_at.is_some() { Status::Resolved } else { Status::Firing };
    Alert {
        fingerprint,
        former: None,
        status,
        starts_at: Some(starts_at),
        ends_at,
        labels: labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        annotations: [("summary", summary), ("description", description)]
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()))
            .collect(),
        generator_url: "".into(),
        links: Links::default(),
        mention: Mention::default(),
    }
}
