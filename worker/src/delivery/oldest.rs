//! How long the oldest alert of each receiver waits. When it was accepted is written down as things come and go; how long ago
//! that is, is found out when somebody looks.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{GaugeVec, Opts, Registry};
use runtime::clock::Clock;
use runtime::metrics::delivery::OUTBOX_OLDEST_AGE;

/// How long what was deferred takes to be back in somebody's hands, after its pause.
const ON_ITS_WAY: SignedDuration = SignedDuration::from_secs(5);

/// What waits for all receivers. Clones share it.
#[derive(Clone)]
pub(crate) struct OldestWaiting(Arc<OldestState>);

struct OldestState {
    clock: Clock,
    receivers: Mutex<BTreeMap<String, Oldest>>,
    shown: GaugeVec,
}

/// What is known of one receiver.
#[derive(Clone, Copy, Debug, Default)]
struct Oldest {
    /// When the oldest that is in hand was accepted.
    in_hand: Option<Timestamp>,
    deferred: Option<OldestDeferred>,
}

/// What was put aside.
#[derive(Clone, Copy, Debug)]
struct OldestDeferred {
    /// When the oldest of it was accepted.
    accepted: Timestamp,
    /// Until when some of it is not in anybody's hands.
    until: Timestamp,
}

impl Oldest {
    fn accepted(&self, now: Timestamp) -> Option<Timestamp> {
        let deferred =
            self.deferred.filter(|deferred| deferred.until > now).map(|deferred| deferred.accepted);
        self.in_hand.into_iter().chain(deferred).min()
    }

    fn defer(&mut self, accepted: Timestamp, until: Timestamp, now: Timestamp) {
        let before = self.deferred.filter(|before| before.until > now);
        self.deferred = Some(OldestDeferred {
            accepted: before.map_or(accepted, |before| before.accepted.min(accepted)),
            until: before.map_or(until, |before| before.until.max(until)),
        });
    }
}

impl OldestWaiting {
    /// Shown by `registry`.
    pub(crate) fn register(registry: &Registry, clock: Clock) -> prometheus::Result<Self> {
        let options = Opts::new(OUTBOX_OLDEST_AGE.name, OUTBOX_OLDEST_AGE.help.en);
        let shown = GaugeVec::new(options, &OUTBOX_OLDEST_AGE.label_names())?;
        let oldest = Self(Arc::new(OldestState { clock, receivers: Mutex::default(), shown }));
        registry.register(Box::new(oldest.clone()))?;
        Ok(oldest)
    }

    /// What a worker has in hand for a receiver: when the oldest of it was accepted.
    pub(crate) fn holds(&self, receiver: &str, accepted: Option<Timestamp>) {
        self.of(receiver, |oldest| oldest.in_hand = accepted);
    }

    /// More has come into its hands.
    pub(crate) fn came(&self, receiver: &str, accepted: Timestamp) {
        self.of(receiver, |oldest| {
            oldest.in_hand = Some(oldest.in_hand.map_or(accepted, |before| before.min(accepted)));
        });
    }

    /// Something was put aside for so long.
    pub(crate) fn deferred(&self, receiver: &str, accepted: Timestamp, pause: Duration) {
        let now = self.0.clock.now();
        let pause = SignedDuration::try_from(pause).unwrap_or(SignedDuration::MAX);
        let until = now.saturating_add(pause.saturating_add(ON_ITS_WAY)).unwrap_or(Timestamp::MAX);
        self.of(receiver, |oldest| oldest.defer(accepted, until, now));
    }

    fn of(&self, receiver: &str, change: impl FnOnce(&mut Oldest)) {
        let mut receivers = self.receivers();
        if let Some(oldest) = receivers.get_mut(receiver) {
            change(oldest);
        } else {
            change(receivers.entry(receiver.to_owned()).or_default());
        }
    }

    fn receivers(&self) -> MutexGuard<'_, BTreeMap<String, Oldest>> {
        self.0.receivers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Collector for OldestWaiting {
    fn desc(&self) -> Vec<&Desc> {
        self.0.shown.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let now = self.0.clock.now();
        for (receiver, oldest) in &*self.receivers() {
            let age = oldest.accepted(now).map_or(0.0, |accepted| now.duration_since(accepted).as_secs_f64());
            self.0.shown.with_label_values(&[receiver]).set(age.max(0.0));
        }
        self.0.shown.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn what_was_deferred_counts_until_it_is_back() {
        let mut oldest = Oldest::default();
        assert_eq!(oldest.accepted(at(0)), None);
        oldest.in_hand = Some(at(10));
        oldest.defer(at(3), at(40), at(12));
        oldest.defer(at(5), at(60), at(13));
        assert_eq!(oldest.accepted(at(20)), Some(at(3)));
        assert_eq!(oldest.accepted(at(59)), Some(at(3)), "a part of it may wait that long");
        assert_eq!(oldest.accepted(at(60)), Some(at(10)));
        oldest.in_hand = None;
        oldest.defer(at(50), at(90), at(61));
        assert_eq!(oldest.accepted(at(62)), Some(at(50)), "what is over is not remembered");
    }
}
