//! Which escalation an alert has. Pure.

use std::collections::HashMap;

use config::{Callee, EscalationConfig, EscalationStep, Locale, ReceiverConfig, SeverityWords, StepMethod};
use jiff::Timestamp;
use model::alert::Labels;
use model::envelope::EnvelopeId;

use crate::render::{self, Item};
use crate::test_alert;

/// The escalations of the configuration, and which receiver has which.
#[derive(Clone, Debug, Default)]
pub struct EscalationPlans {
    escalations: Vec<EscalationConfig>,
    /// By the names that the ledger knows receivers by.
    by_receiver: HashMap<String, String>,
    severities: SeverityWords,
}

impl EscalationPlans {
    /// Reads the configuration; `severities` are the words that the operator has given a meaning.
    pub fn new(
        escalations: &[EscalationConfig],
        receivers: &[ReceiverConfig],
        severities: &SeverityWords,
    ) -> Self {
        let of_receiver = receivers.iter().flat_map(|receiver| {
            let escalation = receiver.escalation.clone();
            let addresses = receiver.addresses().into_iter();
            addresses.filter_map(move |address| Some((address, escalation.clone()?)))
        });
        Self {
            escalations: escalations.to_vec(),
            by_receiver: of_receiver.collect(),
            severities: severities.clone(),
        }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.escalations.is_empty()
    }

    /// The one of this name.
    pub fn named(&self, name: &str) -> Option<&EscalationConfig> {
        self.escalations.iter().find(|escalation| escalation.name == name)
    }

    /// The escalation of an alert at a receiver: what its route says (`routed`), or else the receiver; `None` where neither does,
    /// or the escalation is not for such alerts.
    pub fn of(&self, receiver: &str, item: &Item<'_>, routed: Option<&str>) -> Option<&EscalationConfig> {
        let name = routed.or_else(|| self.by_receiver.get(receiver).map(String::as_str))?;
        let escalation = self.named(name)?;
        let is_meant = escalation.matchers.iter().all(|matcher| matcher.matches(&item.alert.labels));
        let severities = &escalation.severities;
        let is_bad_enough =
            severities.is_empty() || severities.contains(&render::severity_of(item, &self.severities));
        (is_meant && is_bad_enough).then_some(escalation)
    }

    /// The same of an alert of which nothing but the labels is known, as one fires.
    pub fn of_labels(
        &self,
        receiver: &str,
        labels: &Labels<'_>,
        routed: Option<&str>,
    ) -> Option<&EscalationConfig> {
        let id = EnvelopeId::from_bytes([0; 16]);
        let mut envelope = test_alert::envelope(receiver, "", Locale::En, id, Timestamp::UNIX_EPOCH);
        let all = labels.iter().map(|(name, value)| (name.to_owned().into(), value.to_owned().into()));
        envelope.alerts.first_mut()?.labels = all.collect();
        let alert = envelope.alerts.first()?;
        self.of(receiver, &Item::of(&envelope, alert), routed)
    }

    /// Whether an alert is critical: then no hours are quiet.
    pub fn is_critical(&self, item: &Item<'_>) -> bool {
        render::severity_of(item, &self.severities) == config::NamedSeverity::Critical
    }
}

/// An escalation in one line, for people: what happens when at a receiver.
pub fn described(receiver: &str, escalation: &EscalationConfig) -> String {
    let step = |step: &EscalationStep| {
        let who = step.who.iter().map(|callee| match callee {
            Callee::Owners => "owners".to_owned(),
            Callee::Person(person) => person.clone(),
            Callee::OnCall(rotation) => format!("on call by {rotation}"),
            Callee::NextOnCall(rotation) => format!("next by {rotation}"),
        });
        let who = who.collect::<Vec<_>>().join(", ");
        let how = match &step.method {
            StepMethod::Receiver(name) => format!("receiver {name}"),
            method @ (StepMethod::Mention | StepMethod::Urgent(_) | StepMethod::Webhook { .. }) => {
                method.as_str().to_owned()
            }
        };
        let after = step.after.as_secs();
        if who.is_empty() { format!("{after}s {how}") } else { format!("{after}s {how} ({who})") }
    };
    let steps = escalation.steps.iter().map(step).collect::<Vec<_>>().join("; ");
    format!("at {receiver}, where nobody takes it on, escalation {}: {steps}", escalation.name)
}
