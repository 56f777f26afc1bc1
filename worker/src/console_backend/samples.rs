//! What this process counted in the last hour, minute by minute: made of what its counters said now and then. Pure: times
//! are arguments.

use std::collections::VecDeque;
use std::time::Duration;

use console::data::{LatencyQuantiles, MinuteCounts};
use jiff::Timestamp;

use crate::metrics::Outcome;

/// How often the counters are looked at.
pub(super) const SAMPLED_EVERY: Duration = Duration::from_secs(10);
/// Seconds of which one sample is kept.
const SLOT_S: i64 = 10;
/// Minutes that are shown.
const MINUTES_SHOWN: i64 = 60;
/// Samples that are kept: those of the minutes shown, and one before them.
const SAMPLES_MAX: usize = 361;
/// Of how many seconds it is said how long deliveries took.
const LATENCY_OF_S: i64 = 15 * 60;

/// What the counters said at a moment.
#[derive(Clone, Debug)]
pub(super) struct CounterSample {
    pub(super) at: Timestamp,
    /// In the order of [`Outcome::ALL`].
    pub(super) outcomes: [u64; Outcome::ALL.len()],
    /// By upper bound, in seconds, how many deliveries took no longer.
    pub(super) latency: Vec<LatencyBucket>,
}

/// Deliveries up to a bound.
#[derive(Clone, Copy, Debug)]
pub(super) struct LatencyBucket {
    pub(super) bound_s: f64,
    pub(super) no_longer: u64,
}

/// The samples of the last hour.
#[derive(Debug, Default)]
pub(super) struct Samples(VecDeque<CounterSample>);

impl Samples {
    /// The last one counts where there are several of ten seconds.
    pub(super) fn push(&mut self, sample: CounterSample) {
        let slot = |sample: &CounterSample| sample.at.as_second().div_euclid(SLOT_S);
        if self.0.back().is_some_and(|last| slot(last) == slot(&sample)) && self.0.len() > 1 {
            self.0.pop_back();
        }
        if self.0.len() >= SAMPLES_MAX {
            self.0.pop_front();
        }
        self.0.push_back(sample);
    }

    /// The last minutes, the oldest first; the last one is not over yet.
    pub(super) fn minutes(&self, now: Timestamp) -> Vec<MinuteCounts> {
        let minute = |at: Timestamp| at.as_second().div_euclid(60);
        let last = minute(now);
        let mut minutes: Vec<MinuteCounts> = (last - MINUTES_SHOWN + 1..=last)
            .map(|number| MinuteCounts {
                at: Timestamp::from_second(number * 60).unwrap_or_default(),
                ..MinuteCounts::default()
            })
            .collect();
        for (before, after) in self.0.iter().zip(self.0.iter().skip(1)) {
            let place = usize::try_from(minute(after.at) - (last - MINUTES_SHOWN + 1));
            let Some(counts) = place.ok().and_then(|place| minutes.get_mut(place)) else { continue };
            for (outcome, (earlier, later)) in
                Outcome::ALL.into_iter().zip(before.outcomes.iter().zip(after.outcomes))
            {
                *count_of(counts, outcome) += later.saturating_sub(*earlier);
            }
        }
        minutes
    }

    /// How long the deliveries of the last minutes took.
    pub(super) fn latency(&self, now: Timestamp) -> Option<LatencyQuantiles> {
        let newest = self.0.back()?;
        let since = now.as_second() - LATENCY_OF_S;
        let oldest = self.0.iter().rfind(|sample| sample.at.as_second() <= since).or(self.0.front())?;
        let buckets = newest.latency.iter().zip(oldest.latency.iter());
        let counted = buckets.map(|(new, old)| LatencyBucket {
            bound_s: new.bound_s,
            no_longer: new.no_longer.saturating_sub(old.no_longer),
        });
        let counted: Vec<_> = counted.collect();
        let alerts = counted.last()?.no_longer;
        let within = |percent: u64| {
            let wanted = (alerts * percent).div_ceil(100);
            counted.iter().find(|bucket| bucket.no_longer >= wanted).map(|bucket| bucket.bound_s)
        };
        // The last bucket has no end: of what falls into it, it is only known that it took longer than the one before.
        let bounded = |bound: f64| {
            if bound.is_finite() {
                bound
            } else {
                counted.iter().rev().nth(1).map_or(0.0, |last| last.bound_s)
            }
        };
        let [p50_s, p99_s] = [50, 99].map(|percent| within(percent).map(bounded));
        (alerts > 0).then_some(LatencyQuantiles { p50_s: p50_s?, p99_s: p99_s?, alerts })
    }
}

const fn count_of(counts: &mut MinuteCounts, outcome: Outcome) -> &mut u64 {
    match outcome {
        Outcome::Delivered => &mut counts.delivered,
        Outcome::Summarised => &mut counts.summarised,
        Outcome::Duplicate => &mut counts.duplicate,
        Outcome::Superseded => &mut counts.superseded,
        Outcome::DeadLettered => &mut counts.dead_lettered,
        Outcome::Expected => &mut counts.expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(second: i64, delivered: u64, duplicate: u64) -> CounterSample {
        let bucket = |bound_s, no_longer| LatencyBucket { bound_s, no_longer };
        CounterSample {
            at: Timestamp::from_second(second).unwrap(),
            outcomes: [delivered, 0, duplicate, 0, 0, 0],
            latency: vec![
                bucket(0.1, delivered / 2),
                bucket(1.0, delivered.saturating_sub(1)),
                bucket(f64::INFINITY, delivered),
            ],
        }
    }

    #[test]
    fn what_was_counted_between_two_looks_belongs_to_the_minute_of_the_second() {
        let mut samples = Samples::default();
        for (second, delivered, duplicate) in [(600, 10, 0), (610, 14, 1), (661, 20, 1), (662, 20, 5)] {
            samples.push(sample(second, delivered, duplicate));
        }
        let minutes = samples.minutes(Timestamp::from_second(665).unwrap());
        assert_eq!(minutes.len(), 60);
        let [before, last] = [&minutes[58], &minutes[59]];
        assert_eq!((before.delivered, before.duplicate), (4, 1));
        assert_eq!((last.delivered, last.duplicate, last.total()), (6, 4, 10));
        assert_eq!(minutes[..58].iter().map(MinuteCounts::total).sum::<u64>(), 0);
    }

    #[test]
    fn how_long_deliveries_took_is_of_the_last_minutes_and_bounded() {
        let mut samples = Samples::default();
        assert!(samples.latency(Timestamp::from_second(1).unwrap()).is_none());
        samples.push(sample(0, 1_000, 0));
        samples.push(sample(100, 1_100, 0));
        let latency = samples.latency(Timestamp::from_second(110).unwrap()).unwrap();
        assert_eq!((latency.p50_s, latency.p99_s, latency.alerts), (0.1, 1.0, 100));
        assert!(samples.latency(Timestamp::from_second(5_000).unwrap()).is_none(), "nothing since");
    }
}
