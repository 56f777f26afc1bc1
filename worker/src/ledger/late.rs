//! What was told while the database was away, to be written when it is back.

use std::collections::VecDeque;

use jiff::Timestamp;
use shared::alert::Status;
use shared::envelope::EnvelopeId;

use super::row::{Event, Millis};

/// Events kept at most, some 200 bytes each. What does not fit is not recorded: if it comes again it is told again.
const EVENTS_MAX: usize = 20_000;

/// The list, oldest first.
#[derive(Debug, Default)]
pub(super) struct Late {
    told: VecDeque<LateTold>,
    events: usize,
    lost: u64,
}

/// What one call has told.
#[derive(Debug)]
pub(super) struct LateTold {
    /// When it was told.
    pub(super) at: Millis,
    events: Vec<OwnedEvent>,
}

#[derive(Debug)]
struct OwnedEvent {
    receiver: String,
    fingerprint: String,
    status: Status,
    starts_at: Option<Timestamp>,
    received_at: Timestamp,
    envelope: EnvelopeId,
    forced: bool,
}

impl Late {
    pub(super) fn push<'e>(&mut self, at: Millis, events: impl Iterator<Item = &'e Event<'e>>) {
        let mut events: Vec<_> = events.map(OwnedEvent::of).collect();
        let lost = events.len().saturating_sub(EVENTS_MAX - self.events);
        events.truncate(events.len() - lost);
        self.lost += lost as u64;
        self.events += events.len();
        match self.told.back_mut() {
            Some(told) if told.at == at => told.events.append(&mut events),
            _ if events.is_empty() => {}
            _ => self.told.push_back(LateTold { at, events }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.told.is_empty()
    }

    /// What was told first; to be put back if it cannot be written.
    pub(super) fn pop(&mut self) -> Option<LateTold> {
        let told = self.told.pop_front()?;
        self.events -= told.events.len();
        Some(told)
    }

    pub(super) fn put_back(&mut self, told: LateTold) {
        self.events += told.events.len();
        self.told.push_front(told);
    }

    /// Gives up what is left, and says how many that were.
    pub(super) fn abandon(&mut self) -> u64 {
        self.told.clear();
        std::mem::take(&mut self.events) as u64
    }

    /// How many found no place since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

impl LateTold {
    pub(super) fn events(&self) -> Vec<Event<'_>> {
        self.events.iter().map(OwnedEvent::as_event).collect()
    }
}

impl OwnedEvent {
    fn of(event: &Event<'_>) -> Self {
        Self {
            receiver: event.receiver.to_owned(),
            fingerprint: event.fingerprint.to_owned(),
            status: event.status,
            starts_at: event.starts_at,
            received_at: event.received_at,
            envelope: event.envelope,
            forced: event.forced,
        }
    }

    fn as_event(&self) -> Event<'_> {
        Event {
            receiver: &self.receiver,
            fingerprint: &self.fingerprint,
            status: self.status,
            starts_at: self.starts_at,
            received_at: self.received_at,
            envelope: self.envelope,
            forced: self.forced,
        }
    }
}
