//! What is counted about escalations.

use config::StepMethod;
use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge, Registry, exponential_buckets};
use runtime::metrics::escalation;

/// Counters, shown by one registry; every label value is there from the first scrape.
#[derive(Clone, Debug)]
pub(super) struct EscalationMetrics {
    escalations: IntCounterVec,
    calls: IntCounterVec,
    /// People Feishu did not call although it was asked to, or does not know.
    pub(super) unreached: IntCounter,
    /// Escalations that could not be written down and are kept in memory.
    pub(super) late: IntGauge,
    /// Those that wait for a step, in the database.
    pub(super) waiting: IntGauge,
    /// From when a call was due until it was made, in seconds.
    pub(super) lateness: Histogram,
}

/// What becomes of an escalation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EscalationEvent {
    /// Its card was delivered.
    Begun,
    /// Somebody has taken its alerts on.
    Acknowledged,
    /// Somebody has silenced them.
    Silenced,
    /// They are over.
    Ended,
    /// All its steps are done.
    Finished,
    /// The configuration does not have it any more.
    Unconfigured,
    /// It could not be kept: the database is away, and there are too many.
    Lost,
}

/// What came of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallOutcome {
    /// Somebody was called.
    Made,
    /// It goes along with a call about another card that was made at the same time.
    Together,
    /// Nobody was called: there is nobody to call, or no way to.
    Refused,
    /// The limit of `app.urgent` is reached.
    OverLimit,
    /// It failed, and is tried again.
    Failed,
    /// Its hours are quiet.
    Postponed,
}

impl EscalationEvent {
    const ALL: [Self; 7] = [
        Self::Begun,
        Self::Acknowledged,
        Self::Silenced,
        Self::Ended,
        Self::Finished,
        Self::Unconfigured,
        Self::Lost,
    ];

    /// The label value in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Begun => "begun",
            Self::Acknowledged => "acknowledged",
            Self::Silenced => "silenced",
            Self::Ended => "ended",
            Self::Finished => "finished",
            Self::Unconfigured => "unconfigured",
            Self::Lost => "lost",
        }
    }
}

impl CallOutcome {
    const ALL: [Self; 6] =
        [Self::Made, Self::Together, Self::Refused, Self::OverLimit, Self::Failed, Self::Postponed];

    /// The label value in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Together => "together",
            Self::Refused => "refused",
            Self::OverLimit => "over_limit",
            Self::Failed => "failed",
            Self::Postponed => "postponed",
        }
    }
}

impl EscalationMetrics {
    /// Counters, shown by `registry`.
    pub(super) fn register(registry: &Registry) -> prometheus::Result<Self> {
        let escalations = escalation::ESCALATIONS.counters()?;
        for event in EscalationEvent::ALL {
            escalations.with_label_values(&[event.as_str()]).reset();
        }
        registry.register(Box::new(escalations.clone()))?;
        let calls = escalation::ESCALATION_CALLS.counters()?;
        for method in StepMethod::WORDS {
            for outcome in CallOutcome::ALL {
                calls.with_label_values(&[method, outcome.as_str()]).reset();
            }
        }
        registry.register(Box::new(calls.clone()))?;
        let unreached = escalation::ESCALATION_UNREACHED.counter()?;
        registry.register(Box::new(unreached.clone()))?;
        let late = escalation::ESCALATIONS_UNWRITTEN.gauge()?;
        registry.register(Box::new(late.clone()))?;
        let waiting = escalation::ESCALATIONS_WAITING.gauge()?;
        registry.register(Box::new(waiting.clone()))?;
        let lateness = escalation::ESCALATION_LATENESS.histogram(exponential_buckets(0.25, 2.0, 14)?)?;
        registry.register(Box::new(lateness.clone()))?;
        Ok(Self { escalations, calls, unreached, late, waiting, lateness })
    }

    pub(super) fn event(&self, event: EscalationEvent, escalations: usize) {
        self.escalations.with_label_values(&[event.as_str()]).inc_by(escalations as u64);
    }

    pub(super) fn called(&self, method: &str, outcome: CallOutcome, escalations: usize) {
        self.calls.with_label_values(&[method, outcome.as_str()]).inc_by(escalations as u64);
    }
}
