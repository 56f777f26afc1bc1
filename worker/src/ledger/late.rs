//! What was delivered while the database was away, to be written when it is back.

use std::collections::VecDeque;

use jiff::Timestamp;
use model::alert::Status;
use model::envelope::EnvelopeId;

use super::row::{Event, Millis};

/// Events kept at most, some 200 bytes each. What does not fit is not recorded: if it comes again it is delivered again.
const EVENTS_MAX: usize = 20_000;

/// The list, oldest first.
#[derive(Debug, Default)]
pub(super) struct Late {
    delivered: VecDeque<LateDelivered>,
    events: usize,
    lost: u64,
}

/// What one call has delivered.
#[derive(Debug)]
pub(super) struct LateDelivered {
    /// When it was delivered.
    pub(super) at: Millis,
    events: Vec<OwnedEvent>,
}

#[derive(Debug)]
struct OwnedEvent {
    receiver: String,
    fingerprint: String,
    status: Status,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    received_at: Timestamp,
    is_repeat: bool,
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
        match self.delivered.back_mut() {
            Some(delivered) if delivered.at == at => delivered.events.append(&mut events),
            _ if events.is_empty() => {}
            _ => self.delivered.push_back(LateDelivered { at, events }),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.delivered.is_empty()
    }

    /// What was delivered first; to be put back if it cannot be written.
    pub(super) fn pop(&mut self) -> Option<LateDelivered> {
        let delivered = self.delivered.pop_front()?;
        self.events -= delivered.events.len();
        Some(delivered)
    }

    pub(super) fn put_back(&mut self, delivered: LateDelivered) {
        self.events += delivered.events.len();
        self.delivered.push_front(delivered);
    }

    /// Gives up what is left, and says how many that were.
    pub(super) fn abandon(&mut self) -> u64 {
        self.delivered.clear();
        std::mem::take(&mut self.events) as u64
    }

    /// How many found no place since this was asked last.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

impl LateDelivered {
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
            ends_at: event.ends_at,
            received_at: event.received_at,
            is_repeat: event.is_repeat,
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
            ends_at: self.ends_at,
            received_at: self.received_at,
            is_repeat: self.is_repeat,
            envelope: self.envelope,
            forced: self.forced,
        }
    }
}
