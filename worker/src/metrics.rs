//! What the worker counts and measures.

use prometheus::{
    Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, exponential_buckets,
};
use queue::Reason;
use runtime::metrics::{Metric, delivery, memory};

use crate::feishu::verdict::Repair;
use crate::routing::Named;

/// How an alert ended. Every accepted alert ends in exactly one of these ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It is on a card, by its name and what tells it from others.
    Delivered,
    /// A card counts it and had no room to list it.
    Summarised,
    /// The same state was delivered already, or is about to be.
    Duplicate,
    /// A newer state was delivered.
    Superseded,
    /// It is in the dead letters.
    DeadLettered,
    /// It is a heartbeat: expected, and not delivered.
    Expected,
}

impl Outcome {
    /// Every outcome, in the order of their discriminants.
    pub const ALL: [Self; 6] = [
        Self::Delivered,
        Self::Summarised,
        Self::Duplicate,
        Self::Superseded,
        Self::DeadLettered,
        Self::Expected,
    ];

    /// The label value in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Summarised => "summarised",
            Self::Duplicate => "duplicate",
            Self::Superseded => "superseded",
            Self::DeadLettered => "dead_lettered",
            Self::Expected => "expected",
        }
    }
}

/// The worker's metrics; every label value is there from the first scrape.
#[derive(Clone, Debug)]
pub struct Metrics {
    alerts: IntCounterVec,
    redelivered: IntCounter,
    repairs: IntCounterVec,
    named_chats: IntCounterVec,
    dead: IntCounterVec,
    broken: IntGaugeVec,
    waiting: IntGaugeVec,
    cards: IntCounterVec,
    deferred: IntCounterVec,
    fallen_back: IntCounterVec,
    card_alerts: Histogram,
    /// Alerts that ended more often than they came, because they went to several receivers.
    pub copied: IntCounter,
    /// Cards sent again that may be in the chat already, where nothing keeps them from being shown twice.
    pub sent_again: IntCounter,
    /// Envelopes that could not be deferred, and stay in hand.
    pub deferrals_failed: IntCounter,
    /// Envelopes requeued, unsettled.
    pub requeued: IntCounter,
    /// Envelopes taken off the queue and not settled yet.
    pub in_flight: IntGauge,
    /// From ingest having read an alert to Feishu having taken it, in seconds.
    pub end_to_end: Histogram,
}

impl Metrics {
    /// Metrics of one process, shown by `registry`.
    pub fn register(registry: &Registry) -> prometheus::Result<Self> {
        let metrics = Self {
            alerts: counters(&delivery::ALERTS_BY_OUTCOME, &Outcome::ALL.map(Outcome::as_str))?,
            redelivered: delivery::ALERTS_REDELIVERED.counter()?,
            repairs: counters(&delivery::CARD_REPAIRS, &Repair::ALL.map(Repair::as_str))?,
            named_chats: counters(&delivery::NAMED_CHATS, &Named::COUNTED.map(Named::as_str))?,
            dead: counters(&memory::DEAD_LETTERS_BY_REASON, &Reason::ALL.map(Reason::as_str))?,
            broken: delivery::RECEIVER_BROKEN.gauges()?,
            waiting: delivery::OUTBOX_ALERTS.gauges()?,
            cards: delivery::CARDS_DELIVERED.counters()?,
            deferred: delivery::ENVELOPES_DEFERRED.counters()?,
            fallen_back: delivery::ALERTS_FALLEN_BACK.counters()?,
            card_alerts: delivery::CARD_ALERTS.histogram(exponential_buckets(1.0, 3.0, 10)?)?,
            copied: delivery::ALERTS_COPIED.counter()?,
            sent_again: delivery::CARDS_SENT_AGAIN.counter()?,
            deferrals_failed: delivery::ENVELOPE_DEFERRAL_FAILURES.counter()?,
            requeued: delivery::ENVELOPES_REQUEUED.counter()?,
            in_flight: delivery::ENVELOPES_IN_FLIGHT.gauge()?,
            // From 10 ms to about three hours: a deferred alert belongs into the picture as well.
            end_to_end: delivery::ALERTS_END_TO_END.histogram(exponential_buckets(0.01, 2.5, 16)?)?,
        };
        metrics.show(registry)?;
        Ok(metrics)
    }

    fn show(&self, registry: &Registry) -> prometheus::Result<()> {
        for counters in [
            &self.alerts,
            &self.repairs,
            &self.named_chats,
            &self.dead,
            &self.cards,
            &self.deferred,
            &self.fallen_back,
        ] {
            registry.register(Box::new(counters.clone()))?;
        }
        for counter in
            [&self.redelivered, &self.copied, &self.sent_again, &self.deferrals_failed, &self.requeued]
        {
            registry.register(Box::new(counter.clone()))?;
        }
        for gauges in [&self.broken, &self.waiting] {
            registry.register(Box::new(gauges.clone()))?;
        }
        for histogram in [&self.card_alerts, &self.end_to_end] {
            registry.register(Box::new(histogram.clone()))?;
        }
        registry.register(Box::new(self.in_flight.clone()))
    }

    /// Counts alerts that have ended.
    pub fn ended(&self, outcome: Outcome, alerts: u64) {
        self.alerts.with_label_values(&[outcome.as_str()]).inc_by(alerts);
    }

    /// Counts alerts that came again after they had ended.
    pub fn redelivered(&self, alerts: u64) {
        self.redelivered.inc_by(alerts);
    }

    /// Counts an envelope that went to the dead letters.
    pub fn dead(&self, reason: Reason) {
        self.dead.with_label_values(&[reason.as_str()]).inc();
    }

    /// Counts an envelope that names a chat.
    pub(crate) fn named(&self, named: Named) {
        if Named::COUNTED.contains(&named) {
            self.named_chats.with_label_values(&[named.as_str()]).inc();
        }
    }

    /// Counts a repair.
    pub fn repaired(&self, repair: Repair) {
        self.repairs.with_label_values(&[repair.as_str()]).inc();
    }

    /// Counts an envelope that was deferred.
    pub fn deferred(&self, receiver: &str) {
        self.deferred.with_label_values(&[receiver]).inc();
    }

    /// Counts alerts that another receiver is told of instead.
    pub fn fallen_back(&self, receiver: &str, alerts: usize) {
        self.fallen_back.with_label_values(&[receiver]).inc_by(alerts as u64);
    }

    /// Counts a card that was accepted.
    pub fn card(&self, receiver: &str, alerts: usize) {
        self.cards.with_label_values(&[receiver]).inc();
        #[expect(clippy::cast_precision_loss, reason = "a card has far fewer than 2^52 alerts")]
        self.card_alerts.observe(alerts as f64);
    }

    /// Shows whether a receiver refuses everything.
    pub fn broken(&self, receiver: &str, is_broken: bool) {
        self.broken.with_label_values(&[receiver]).set(i64::from(is_broken));
    }

    /// Whether a receiver refuses everything, and how many alerts wait for it in this process.
    pub fn standing(&self, receiver: &str) -> (bool, i64) {
        let broken = self.broken.with_label_values(&[receiver]).get();
        (broken != 0, self.waiting.with_label_values(&[receiver]).get())
    }

    /// How many alerts wait for a receiver; there from the start, like everything else about it.
    pub fn waiting_alerts(&self, receiver: &str) -> IntGauge {
        self.broken(receiver, false);
        for counters in [&self.cards, &self.deferred, &self.fallen_back] {
            let _from_the_start = counters.with_label_values(&[receiver]);
        }
        self.waiting.with_label_values(&[receiver])
    }
}

fn counters(metric: &Metric, values: &[&str]) -> prometheus::Result<IntCounterVec> {
    let counters = metric.counters()?;
    for value in values {
        counters.with_label_values(&[value]).reset();
    }
    Ok(counters)
}
