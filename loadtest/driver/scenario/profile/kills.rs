//! `kill -9` in the middle of any profile: what was promised is told all the same.

use clap::ValueEnum;

use crate::figure::float;

use super::{Fault, Goals, Profile, What};

/// Between a kill and the next start, in seconds; what is killed next lives until then.
const DOWN_SECONDS: f64 = 1.0;
/// A broker or database takes seconds to come back, and pauses between attempts have grown meanwhile.
const SETTLE_SECONDS_MIN: f64 = 90.0;

/// What can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Victim {
    /// `larkfire-ingest`
    Ingest,
    /// The first `larkfire-worker`
    Worker,
    /// A `MariaDB` of the run's own
    Database,
    /// A `RabbitMQ` of the run's own
    Broker,
}

impl Profile {
    /// Kills each of them once, one after the other, evenly over the time of sending. Goals are those of a run that
    /// nothing happens to, so none is left: what counts is that nothing is lost.
    pub(crate) fn kill(&mut self, victims: &[Victim]) {
        let places = float(victims.len() as u64 + 1);
        let step = self.sending.lasts().as_secs_f64() / places;
        for (place, victim) in (1_u32..).zip(victims) {
            self.faults.push(Fault {
                what: victim.fault(),
                at_seconds: f64::from(place) * step,
                for_seconds: DOWN_SECONDS.min(step),
            });
        }
        let names: Vec<_> = victims.iter().map(|victim| victim.fault().as_str()).collect();
        self.about = format!("{}; {}", self.about, names.join(", "));
        self.goals = Goals::default();
        // No figure is taken of it that would want a median.
        self.rounds = 1;
        self.settle_seconds = self.settle_seconds.max(SETTLE_SECONDS_MIN);
        if victims.contains(&Victim::Worker) {
            // A card that Feishu has and the dead worker has not written down is sent again by a custom bot, with
            // all that waited for it: that may be everything sent so far.
            let alerts = u64::from(self.sending.requests) * u64::from(self.sending.alerts_per_request);
            self.allowed.doubled = self.allowed.doubled.max(alerts);
        }
    }
}

impl Victim {
    const fn fault(self) -> What {
        match self {
            Self::Ingest => What::IngestKilled,
            Self::Worker => What::WorkerKilled,
            Self::Database => What::DatabaseKilled,
            Self::Broker => What::BrokerKilled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Feishu, Sending};
    use super::*;

    #[test]
    fn kills_are_spread_over_the_time_of_sending_and_one_card_of_a_dead_worker_may_come_twice() {
        let sending = Sending {
            requests: 900,
            requests_per_second: 100.0,
            alerts_per_request: 2,
            alert_bytes: 800,
            connections: 8,
            sends_each: 1,
        };
        let mut profile = Profile::quiet(sending, Feishu::default(), 1);
        profile.kill(&[Victim::Broker, Victim::Worker]);
        let kills: Vec<_> =
            profile.faults.iter().map(|fault| (fault.what.as_str(), fault.at_seconds)).collect();
        assert_eq!(kills, [("broker-killed", 3.0), ("worker-killed", 6.0)]);
        assert_eq!((profile.allowed.doubled, profile.allowed.lost), (1_800, 0));
        assert!(profile.check().is_ok());
    }
}
