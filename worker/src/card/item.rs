//! What is known of an alert without building its story: cheap enough to be asked of ten thousand of them.

use jiff::Timestamp;
use shared::alert::{Alert, Status};
use shared::envelope::{Envelope, Source};

use super::attention::Attention;
use super::sign::Light;
use super::story;

/// Labels that name the thing itself, the most telling first.
const THINGS: [&str; 7] = ["service", "app", "pod", "instance", "host", "node", "job"];
/// Labels that name what is around it.
const AROUND: [&str; 4] = ["namespace", "cluster", "env", "environment"];

/// One alert to be told, with the envelope it came in.
#[derive(Clone, Copy, Debug)]
pub struct Item<'e> {
    /// The envelope; says the source, the sender's address and the id to search for.
    pub envelope: &'e Envelope<'e>,
    /// The alert; one of the envelope's.
    pub alert: &'e Alert<'e>,
    /// Whether it was told before and still fires. Of no meaning for a resolution.
    pub reminder: bool,
    /// What people have done about it since it was told, if anything.
    pub attention: Option<&'e Attention>,
}

impl<'e> Item<'e> {
    /// Every alert of an envelope, as news.
    pub fn all_of(envelope: &'e Envelope<'e>) -> Vec<Self> {
        envelope
            .alerts
            .iter()
            .map(|alert| Self { envelope, alert, reminder: false, attention: None })
            .collect()
    }

    pub(crate) fn is_firing(&self) -> bool {
        self.alert.status == Status::Firing
    }

    /// Sorts the worst first.
    pub(crate) fn urgency(&self) -> impl Ord + use<> {
        Light::of(self)
    }

    pub(super) fn is_reminder(&self) -> bool {
        self.reminder && self.is_firing()
    }

    /// Whether it is a message with a title and a body rather than an alert with labels.
    pub(super) fn is_message(&self) -> bool {
        match self.envelope.source {
            Source::Custom | Source::LokiFeishu => true,
            Source::Alertmanager | Source::Grafana | Source::GrafanaLegacy => false,
        }
    }

    /// What it is called; a message is called by its title.
    pub(crate) fn name(&self) -> &'e str {
        if self.is_message() {
            story::telling(self).name
        } else {
            self.label("alertname").unwrap_or_default()
        }
    }

    /// The thing it is about.
    pub(super) fn thing(&self) -> Option<&'e str> {
        THINGS.iter().find_map(|name| self.label(name))
    }

    /// What that thing is in.
    pub(super) fn around(&self) -> Option<&'e str> {
        AROUND.iter().find_map(|name| self.label(name))
    }

    /// Where it is, in the fewest words.
    pub(crate) fn place(&self) -> String {
        match (self.thing(), self.around()) {
            (Some(thing), Some(around)) => format!("{around}/{thing}"),
            (Some(one), None) | (None, Some(one)) => one.to_owned(),
            (None, None) => String::new(),
        }
    }

    /// When it began, as well as it is known.
    pub(crate) fn since(&self) -> Timestamp {
        self.alert.starts_at.unwrap_or(self.envelope.received_at)
    }

    fn label(&self, name: &str) -> Option<&'e str> {
        self.alert.labels.get(name).filter(|value| !value.trim().is_empty())
    }
}
