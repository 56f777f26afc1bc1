//! What there is, and what can happen to it.

use jiff::Timestamp;
use model::alert::Status;
use model::envelope::EnvelopeId;

use super::worker::{Copy, Worker};
use super::{DAY, Said, Scenario};
use crate::ledger::row::{Event, LedgerRow, Millis};

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
pub(super) enum BrokerPlace {
    Ready,
    /// It comes back once time has passed.
    Deferred,
    Out,
    Settled,
}

/// Everything there is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct World {
    scenario: Scenario,
    pub(super) row: Option<LedgerRow>,
    pub(super) envelopes: [BrokerPlace; 3],
    pub(super) workers: [Worker; 2],
    pub(super) left: Faults,
    /// How many of them somebody has decided about, in their order; of those in any order it does not matter.
    pub(super) decided: usize,
    /// Whether what was deferred has come back.
    pub(super) is_later: bool,
    /// How often the alert was delivered as firing, and as over.
    pub(super) delivered: [u8; 2],
    /// How many of those may have been for nothing.
    pub(super) excused: u8,
    pub(super) had_outage: bool,
    /// Somebody died who had delivered what he could not write down.
    pub(super) is_unwritten: bool,
}

impl World {
    pub(super) fn new(scenario: Scenario, left: Faults) -> Self {
        Self {
            scenario,
            row: None,
            envelopes: [BrokerPlace::Ready; 3],
            workers: [Worker::new(1), Worker::new(2)],
            left,
            decided: 0,
            is_later: !scenario.is_in_order,
            delivered: [0; 2],
            excused: 0,
            had_outage: false,
            is_unwritten: false,
        }
    }

    pub(super) fn event(&self, number: usize) -> Event<'static> {
        let Said { status, began, ended, received } = self.scenario.all[number];
        let at = |seconds| Timestamp::from_second(BEGIN + seconds).unwrap();
        Event {
            receiver: "ops",
            fingerprint: "a",
            status,
            starts_at: Some(at(began)),
            ends_at: ended.map(at),
            received_at: at(received),
            is_repeat: false,
            envelope: EnvelopeId::new(at(0), [u8::try_from(number).unwrap(); 10]),
            forced: false,
        }
    }

    pub(super) fn status(&self, number: usize) -> Status {
        self.scenario.all[number].status
    }

    pub(super) fn away(mut self, index: usize) -> Self {
        self.workers[index].is_away = true;
        self
    }

    /// What the worker has in hand is delivered again.
    pub(super) fn hand_back(&mut self, index: usize) {
        let copies: Vec<Copy> = self.workers[index].copies().filter(|copy| copy.is_valid).collect();
        for copy in copies {
            self.envelopes[copy.number] = BrokerPlace::Ready;
        }
    }

    /// The time of everything we do: later than whatever is received, and leases do not end meanwhile.
    pub(super) const fn now(&self) -> Millis {
        (BEGIN + if self.is_later { 1_000 } else { 410 }) * 1_000
    }

    /// Whether it may be taken: in their order nobody has the next in hand before.
    pub(super) fn is_ready(&self, number: usize) -> bool {
        self.envelopes[number] == BrokerPlace::Ready && (!self.scenario.is_in_order || number <= self.decided)
    }

    /// Put aside, if its connection is still there.
    pub(super) fn defer(&mut self, copy: Copy) {
        if copy.is_valid {
            self.envelopes[copy.number] =
                if self.is_later { BrokerPlace::Ready } else { BrokerPlace::Deferred };
        }
    }

    /// Put off because somebody else has a copy of it: it comes again.
    pub(super) fn put_back(&mut self, copy: Copy) {
        if copy.is_valid {
            self.envelopes[copy.number] = BrokerPlace::Ready;
        }
    }

    /// Acknowledged, if its connection is still there.
    pub(super) fn settle(&mut self, copy: Copy) {
        if copy.is_valid {
            self.envelopes[copy.number] = BrokerPlace::Settled;
        }
    }

    /// It is on a card. If somebody else may have the envelope in hand by now, he may not know.
    pub(super) fn deliver(&mut self, status: Status, is_in_two_hands: bool) {
        self.delivered[status as usize] += 1;
        self.excused += u8::from(is_in_two_hands);
    }

    /// A new row: whoever has read the old one is too late.
    pub(super) fn write(&mut self, row: LedgerRow) {
        self.row = Some(row);
        for worker in &mut self.workers {
            worker.row_was_written();
        }
    }

    pub(super) fn is_at_rest(&self) -> bool {
        self.envelopes == [BrokerPlace::Settled; 3] && self.workers.iter().all(Worker::is_at_rest)
    }

    /// What has to be true at the end.
    pub(super) fn hold(&self) {
        let newest = self.status(2);
        let [firing, over] = self.delivered;
        if let Some(never) = self.scenario.never {
            assert_eq!(self.delivered[never as usize], 0, "{never:?} was delivered");
        }
        assert!(self.delivered[newest as usize] > 0, "the newest state was never delivered");
        // What was over may fire again, also if it was not delivered yet that it was over.
        let is_return =
            newest == Status::Firing && self.scenario.all.iter().any(|said| said.status != newest);
        let allowed = 1 + u8::from(is_return);
        let doubled = firing.saturating_sub(allowed) + over.saturating_sub(1);
        // Of what was received ahead of us nobody knows when it came: rather twice than not at all.
        let is_guessed = self.scenario.all.iter().any(|said| said.received > DAY / 2);
        assert!(self.had_outage || is_guessed || doubled <= self.excused, "delivered twice");
        if self.is_unwritten {
            return;
        }
        let row = self.row.unwrap_or_default();
        assert_eq!(
            row.delivered.map(|delivered| delivered.state.status),
            Some(newest),
            "the ledger has another state"
        );
        assert!(row.claim.is_none(), "a claim that nobody comes back for");
    }
}
