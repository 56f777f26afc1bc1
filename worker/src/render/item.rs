//! What is known of an alert without building its view: cheap enough to be asked of ten thousand of them. Pure.

use jiff::Timestamp;
use model::alert::{Alert, Status};
use model::envelope::Envelope;

use super::alert_text::{self, AlertText, is_blank};
use super::attention::Attention;
use super::state_reason::{self, StateReason};

/// Labels that name the thing itself, the most telling first.
const THINGS: [&str; 8] = ["service", "app", "pod", "instance", "host", "hostname", "node", "job"];
/// What an exporter speaks of: where the service, the job or the pod is the exporter's own, one of these is what is ill.
/// `exported_` is what Prometheus puts before labels that the exporter's own stand in the way of.
const EXPORTED_THINGS: [&str; 16] = [
    "exported_pod",
    "pod",
    "deployment",
    "statefulset",
    "daemonset",
    "cronjob",
    "job_name",
    "horizontalpodautoscaler",
    "persistentvolumeclaim",
    "exported_service",
    "exported_instance",
    "node",
    "hostname",
    "host",
    "target",
    "instance",
];
/// What the address a request came to calls its sender: where alerts differ in nothing else, they differ in this.
pub(super) const ORIGIN: &str = "origin";
/// Where ingest writes the time that a message gives, and the word it knows that by in a text.
const TIME: &str = "time";
const TIME_WORD: &str = "告警时间";
/// What Grafana's built-in titles begin with.
const TITLE_STATES: [&str; 2] = ["[FIRING", "[RESOLVED"];
/// Parts of the names of what measures others.
const EXPORTERS: [&str; 6] =
    ["kube-state-metrics", "exporter", "kubelet", "cadvisor", "pushgateway", "blackbox"];
/// Labels that say by whom an alert was measured.
const MEASURED_BY: [&str; 3] = ["service", "job", "app"];
/// Labels that name what is around it.
const AROUND: [&str; 5] = ["exported_namespace", "namespace", "cluster", "env", "environment"];

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
    /// By which key Feishu shows the alert's picture, where it was uploaded.
    pub picture: Option<&'e str>,
}

impl<'e> Item<'e> {
    /// An alert of an envelope, as news.
    pub fn of(envelope: &'e Envelope<'e>, alert: &'e Alert<'e>) -> Self {
        Self { envelope, alert, reminder: false, attention: None, picture: None }
    }

    /// Every alert of an envelope, as news.
    pub fn all_of(envelope: &'e Envelope<'e>) -> Vec<Self> {
        envelope.alerts.iter().map(|alert| Self::of(envelope, alert)).collect()
    }

    pub(crate) fn is_firing(&self) -> bool {
        self.alert.status == Status::Firing
    }

    /// Whether it fires and nobody was told of it before.
    pub(crate) fn is_new(&self) -> bool {
        self.is_firing() && !self.reminder
    }

    /// Since when nothing was heard of it, if it is over for that and nobody has said so.
    pub(super) fn unheard_since(&self) -> Option<Timestamp> {
        let is_said = self.envelope.is_unheard && !self.is_firing();
        let by_envelope = self.alert.ends_at.filter(|_| is_said);
        self.attention.and_then(|attention| attention.unheard_since).or(by_envelope)
    }

    pub(super) fn is_reminder(&self) -> bool {
        self.reminder && self.is_firing()
    }

    /// Whether it is a message with a title and a body rather than an alert with labels.
    pub(crate) fn is_message(&self) -> bool {
        self.envelope.source.is_of_messages()
    }

    /// What it says of itself, by its kind.
    pub(super) fn text(&self) -> AlertText<'e> {
        let annotated = alert_text::annotated(self.alert);
        if self.is_message() { alert_text::message(annotated) } else { annotated }
    }

    /// What it is called: a message by its title, an alert without a name by what it says in short, by what its sender
    /// grouped it by, or by the title its sender gave the whole.
    pub(crate) fn name(&self) -> &'e str {
        if self.is_message() {
            return self.text().name;
        }
        if let Some(name) = self.label("alertname").filter(|name| !state_reason::is_stand_in(name)) {
            return name;
        }
        let names = [self.text().name, self.group_name(), without_state(&self.envelope.notice.title)];
        names.into_iter().find(|name| !is_blank(name)).unwrap_or_default()
    }

    /// The time a message gives besides its text; ingest writes it as RFC 3339 where it can be read.
    pub(super) fn given_time(&self) -> Option<&'e str> {
        let is_in_text = || self.text().description.contains(TIME_WORD) || self.name().contains(TIME_WORD);
        self.label(TIME).filter(|_| self.is_message() && !is_in_text())
    }

    /// Why it is in its state, where that is not because its rule's condition holds or does not.
    pub(super) fn state_reason(&self) -> Option<StateReason> {
        if self.is_message() { None } else { StateReason::of(self.alert) }
    }

    /// A label, or what the address called the sender, under the name of a label.
    pub(super) fn fact(&self, name: &str) -> Option<&'e str> {
        let label = self.alert.labels.get(name);
        if name == ORIGIN { label.or_else(|| self.alert.annotations.get(ORIGIN)) } else { label }
    }

    /// The first value of what its sender grouped it by.
    fn group_name(&self) -> &'e str {
        let mut values = self.envelope.group_labels.iter().map(|(_, value)| value);
        values.find(|value| !value.trim().is_empty()).unwrap_or_default()
    }

    /// The thing that is ill.
    pub(super) fn thing(&self) -> Option<&'e str> {
        let is_exporter = |value: &str| EXPORTERS.iter().any(|part| value.contains(part));
        let is_measured = MEASURED_BY.iter().any(|name| self.label(name).is_some_and(is_exporter));
        let things = if is_measured { &EXPORTED_THINGS[..] } else { &THINGS[..] };
        let ill = |name: &&str| self.label(name).filter(|value| !is_measured || !is_exporter(value));
        things.iter().find_map(ill).or_else(|| THINGS.iter().find_map(|name| self.label(name)))
    }

    /// What that thing is in.
    pub(super) fn around(&self) -> Option<&'e str> {
        self.around_label().map(|(_, value)| value)
    }

    /// The label that says so.
    pub(super) fn around_label(&self) -> Option<(&'static str, &'e str)> {
        AROUND.iter().find_map(|name| self.label(name).map(|value| (*name, value)))
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
        self.alert.labels.get(name).filter(|value| !is_blank(value))
    }
}

/// A title without the state and the counts that Grafana puts before it.
pub(super) fn without_state(title: &str) -> &str {
    let title = title.trim();
    let is_marked = TITLE_STATES.iter().any(|state| title.starts_with(state));
    let rest = title.split_once(']').filter(|_| is_marked).map(|(_, rest)| rest.trim());
    rest.unwrap_or(title)
}
