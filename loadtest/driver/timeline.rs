//! The faults of a profile as single steps, in the order they happen. Pure.

use std::time::Duration;

use crate::scenario::profile::{Fault, What};

/// A slow Feishu lets its answers through once in this time.
const SLOW_PULSE: Duration = Duration::from_secs(1);
/// For so long.
const PULSE_OPEN: Duration = Duration::from_millis(30);

/// A process that can be killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KilledProcess {
    Ingest,
    Worker,
}

/// A service that can be cut off, or killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Broker,
    Database,
}

/// Something that is done to the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Away,
    Back,
    /// The simulator refuses with 11232 for so long.
    Throttle(Duration),
    /// The simulator's gateway answers 429 for so long.
    TooMany(Duration),
    /// What the simulator answers is held back, or let through.
    Hold,
    Flow,
    Cut(Service),
    Mend(Service),
    Kill(KilledProcess),
    Start(KilledProcess),
    KillService(Service),
    StartService(Service),
}

/// All steps, the earliest first.
pub(crate) fn steps(faults: &[Fault]) -> Vec<(Duration, Step)> {
    let mut steps: Vec<_> = faults.iter().flat_map(of).collect();
    steps.sort_by_key(|(at, _)| *at);
    steps
}

/// When the last fault is over.
pub(crate) fn end(faults: &[Fault]) -> Option<Duration> {
    faults.iter().map(|fault| fault.begins() + fault.lasts()).max()
}

fn of(fault: &Fault) -> Vec<(Duration, Step)> {
    let begin = fault.begins();
    let end = fault.begins() + fault.lasts();
    let both = |first, last| vec![(begin, first), (end, last)];
    match fault.what {
        What::FeishuAway => both(Step::Away, Step::Back),
        What::FeishuThrottles => vec![(begin, Step::Throttle(fault.lasts()))],
        What::Feishu429 => vec![(begin, Step::TooMany(fault.lasts()))],
        What::BrokerCut => both(Step::Cut(Service::Broker), Step::Mend(Service::Broker)),
        What::DatabaseCut => both(Step::Cut(Service::Database), Step::Mend(Service::Database)),
        What::BrokerKilled => both(Step::KillService(Service::Broker), Step::StartService(Service::Broker)),
        What::DatabaseKilled => {
            both(Step::KillService(Service::Database), Step::StartService(Service::Database))
        }
        What::IngestKilled => both(Step::Kill(KilledProcess::Ingest), Step::Start(KilledProcess::Ingest)),
        What::WorkerKilled => both(Step::Kill(KilledProcess::Worker), Step::Start(KilledProcess::Worker)),
        What::FeishuSlow => {
            let pulses = (1..).map(|pulse| begin + SLOW_PULSE * pulse).take_while(|at| *at < end);
            let open = pulses.flat_map(|at| [(at, Step::Flow), (at + PULSE_OPEN, Step::Hold)]);
            let held = std::iter::once((begin, Step::Hold)).chain(open).filter(|(at, _)| *at < end);
            held.chain([(end, Step::Flow)]).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn steps_of_several_faults_come_in_their_order() {
        let faults = [
            Fault { what: What::BrokerCut, at_seconds: 3.0, for_seconds: 4.0 },
            Fault { what: What::WorkerKilled, at_seconds: 5.0, for_seconds: 1.0 },
        ];
        let expected = [
            (seconds(3), Step::Cut(Service::Broker)),
            (seconds(5), Step::Kill(KilledProcess::Worker)),
            (seconds(6), Step::Start(KilledProcess::Worker)),
            (seconds(7), Step::Mend(Service::Broker)),
        ];
        assert_eq!((steps(&faults), end(&faults)), (expected.to_vec(), Some(seconds(7))));
    }

    #[test]
    fn a_slow_feishu_answers_once_a_second_and_is_quick_again_at_the_end() {
        let steps = steps(&[Fault { what: What::FeishuSlow, at_seconds: 1.0, for_seconds: 2.0 }]);
        let kinds: Vec<_> = steps.iter().map(|(_, step)| *step).collect();
        assert_eq!(kinds, [Step::Hold, Step::Flow, Step::Hold, Step::Flow]);
        assert_eq!((steps[0].0, steps[1].0, steps[3].0), (seconds(1), seconds(2), seconds(3)));
    }
}
