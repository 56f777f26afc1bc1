//! What is counted about interactions.

use model::interaction::Act;
use prometheus::{IntCounterVec, Registry};
use runtime::metrics::people;

/// What became of an interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InteractionOutcome {
    /// What was wanted is done, or the answer is given.
    Done,
    /// Not by this person, not there, or not any more.
    Refused,
    /// The button is not one of ours.
    Forged,
    /// It could not be done; the person is told why.
    Failed,
    /// Nobody knows what it is for.
    Unknown,
    /// It is not meant for us.
    Ignored,
    /// It was acted on before.
    Repeated,
    /// It is no interaction.
    Undecodable,
}

impl InteractionOutcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Done,
        Self::Refused,
        Self::Forged,
        Self::Failed,
        Self::Unknown,
        Self::Ignored,
        Self::Repeated,
        Self::Undecodable,
    ];

    /// The label value in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Forged => "forged",
            Self::Failed => "failed",
            Self::Unknown => "unknown",
            Self::Ignored => "ignored",
            Self::Repeated => "repeated",
            Self::Undecodable => "undecodable",
        }
    }
}

/// What becomes of answers.
const ANSWERS: [&str; 3] = ["sent", "failed", "nowhere"];
/// The kind of what cannot be read.
const UNREADABLE: &str = "unreadable";

/// The metrics of this room; every label value is there from the first scrape.
#[derive(Clone, Debug)]
pub struct InteractionMetrics {
    interactions: IntCounterVec,
    answers: IntCounterVec,
}

impl InteractionMetrics {
    /// Metrics of one process, shown by `registry`.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            interactions: people::INTERACTIONS.counters()?,
            answers: people::INTERACTION_ANSWERS.counters()?,
        };
        registry.register(Box::new(metrics.interactions.clone()))?;
        registry.register(Box::new(metrics.answers.clone()))?;
        for kind in Act::KINDS {
            for outcome in
                InteractionOutcome::ALL.iter().filter(|outcome| **outcome != InteractionOutcome::Undecodable)
            {
                metrics.interactions.with_label_values(&[kind, outcome.as_str()]).reset();
            }
        }
        let undecodable = [UNREADABLE, InteractionOutcome::Undecodable.as_str()];
        metrics.interactions.with_label_values(&undecodable).reset();
        for outcome in ANSWERS {
            metrics.answers.with_label_values(&[outcome]).reset();
        }
        Ok(metrics)
    }

    /// Counts an interaction.
    pub(super) fn ended(&self, act: &Act, outcome: InteractionOutcome) {
        self.interactions.with_label_values(&[act.as_str(), outcome.as_str()]).inc();
    }

    /// Counts what is no interaction.
    pub(super) fn undecodable(&self) {
        let undecodable = [UNREADABLE, InteractionOutcome::Undecodable.as_str()];
        self.interactions.with_label_values(&undecodable).inc();
    }

    /// Counts an answer; `None` where there was no message to give it under, or nobody to give it.
    pub(super) fn answered(&self, is_sent: Option<bool>) {
        let [sent, failed, nowhere] = ANSWERS;
        let outcome = is_sent.map_or(nowhere, |is_sent| if is_sent { sent } else { failed });
        self.answers.with_label_values(&[outcome]).inc();
    }
}
