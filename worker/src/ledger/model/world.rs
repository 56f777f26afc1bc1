//! What there is, and what can happen to it.

use jiff::Timestamp;
use shared::alert::Status;
use shared::envelope::EnvelopeId;

use super::Scenario;
use super::steps;
use super::worker::{Copy, Worker};
use crate::ledger::row::{Event, Row};

/// When the first envelope was received.
const BEGIN: i64 = 1_700_000_000;

/// How many of what may go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Faults {
    /// Workers that die, and are started again.
    pub(super) crashes: u8,
    /// Connections to the broker that are lost: what their worker has in hand goes to somebody, and stays in hand.
    pub(super) losses: u8,
    /// Cards Feishu does not take.
    pub(super) failures: u8,
    /// Times a worker cannot reach the database.
    pub(super) outages: u8,
}

/// Where an envelope is for the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Ready,
    Out,
    Settled,
}

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    scenario: Scenario,
    pub(super) row: Option<Row>,
    pub(super) envelopes: [Place; 3],
    pub(super) workers: [Worker; 2],
    left: Faults,
    /// How often the alert was told as firing, and as over.
    pub(super) told: [u8; 2],
    /// How many of those may have been for nothing.
    excused: u8,
    had_outage: bool,
    /// Somebody died who had told what he could not write down.
    is_unwritten: bool,
}

/// What happens, and what comes of it.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) what: String,
    pub(super) is_fault: bool,
    pub(super) world: World,
}

impl World {
    pub(super) fn new(scenario: Scenario, left: Faults) -> Self {
        Self {
            scenario,
            row: None,
            envelopes: [Place::Ready; 3],
            workers: [Worker::new(1), Worker::new(2)],
            left,
            told: [0; 2],
            excused: 0,
            had_outage: false,
            is_unwritten: false,
        }
    }

    pub(super) fn event(&self, number: usize) -> Event<'static> {
        let (status, received) = self.scenario[number];
        let at = |seconds| Timestamp::from_second(BEGIN + seconds).unwrap();
        Event {
            receiver: "ops",
            fingerprint: "a",
            status,
            starts_at: Some(at(0)),
            received_at: at(received),
            envelope: EnvelopeId::new(at(0), [u8::try_from(number).unwrap(); 10]),
            forced: false,
        }
    }

    pub(super) fn status(&self, number: usize) -> Status {
        self.scenario[number].0
    }

    /// Everything that can happen next.
    pub(super) fn steps(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        // Until the first has done something, the second is just the same.
        let is_begin = self.workers[0] == Worker::new(1) && self.workers[1] == Worker::new(2);
        for index in if is_begin { 0..1 } else { 0..2 } {
            let mut push = |is_fault, what: &str, world| {
                steps.push(Step { what: format!("{index}: {what}"), is_fault, world });
            };
            self.workers[index].steps(index, self, &mut |what, world| push(false, what, world));
            self.faults_of(index, &mut |what, world| push(true, what, world));
        }
        steps
    }

    fn faults_of(&self, index: usize, then: &mut impl FnMut(&str, Self)) {
        let worker = &self.workers[index];
        if self.left.crashes > 0 {
            let mut next = self.clone();
            next.left.crashes -= 1;
            next.excused += u8::from(worker.has_told_unrecorded());
            next.is_unwritten |= !worker.late.is_empty();
            next.hand_back(index);
            next.workers[index] = worker.restarted();
            then("dies", next);
        }
        if self.left.losses > 0 && worker.copies().any(|copy| copy.is_valid) {
            let mut next = self.clone();
            next.left.losses -= 1;
            // It is sent, and somebody else may be about to send it.
            next.excused += u8::from(worker.is_sending());
            next.hand_back(index);
            next.workers[index].invalidate();
            then("loses its connection to the broker", next);
        }
        if self.left.failures > 0
            && let Some(failed) = worker.with_failed_card()
        {
            let mut next = self.clone();
            next.left.failures -= 1;
            next.workers[index] = failed;
            then("its card fails", next);
        }
        if self.left.outages > 0 && !worker.is_away {
            let mut next = self.clone();
            next.left.outages -= 1;
            next.had_outage = true;
            for unheard in steps::written_unheard(&next, index) {
                then("loses the database after a write", unheard.away(index));
            }
            then("loses the database", next.away(index));
        }
    }

    fn away(mut self, index: usize) -> Self {
        self.workers[index].is_away = true;
        self
    }

    /// What the worker has in hand is delivered again.
    fn hand_back(&mut self, index: usize) {
        let copies: Vec<Copy> = self.workers[index].copies().filter(|copy| copy.is_valid).collect();
        for copy in copies {
            self.envelopes[copy.number] = Place::Ready;
        }
    }

    /// Acknowledged, if its connection is still there.
    pub(super) fn settle(&mut self, copy: Copy) {
        if copy.is_valid {
            self.envelopes[copy.number] = Place::Settled;
        }
    }

    /// It is on a card. If somebody else may have the envelope in hand by now, he may not know.
    pub(super) fn tell(&mut self, status: Status, is_in_two_hands: bool) {
        self.told[status as usize] += 1;
        self.excused += u8::from(is_in_two_hands);
    }

    /// A new row: whoever has read the old one is too late.
    pub(super) fn write(&mut self, row: Row) {
        self.row = Some(row);
        for worker in &mut self.workers {
            worker.row_was_written();
        }
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.envelopes == [Place::Settled; 3] && self.workers.iter().all(Worker::is_at_rest)
    }

    /// What has to be true at the end.
    pub(super) fn hold(&self) {
        let newest = self.status(2);
        let [firing, over] = self.told;
        assert!(self.told[newest as usize] > 0, "the newest state was never told");
        // What was over may fire again, also if nobody was told yet that it was over.
        let is_return = newest == Status::Firing && self.scenario.iter().any(|(status, _)| *status != newest);
        let allowed = 1 + u8::from(is_return);
        let doubled = firing.saturating_sub(allowed) + over.saturating_sub(1);
        assert!(self.had_outage || doubled <= self.excused, "told twice");
        if self.is_unwritten {
            return;
        }
        let row = self.row.unwrap_or_default();
        assert_eq!(row.told.map(|told| told.state.status), Some(newest), "the ledger has another state");
        assert!(row.claim.is_none(), "a claim that nobody comes back for");
    }
}
