//! How far the clocks that stamped an alert's states can be believed. Pure.
//!
//! Three clocks are involved: the sender's (`starts_at`, `ends_at`), ingest's (`received_at`) and ours (`now`). Nothing
//! has happened yet that lies beyond `now + jitter`, and nothing began after it was received: a time that says so is
//! no proof that one state came before another. Where a stamp proves nothing, events are ordered by when they were
//! received; where only the row's times lie ahead, whatever is stamped right is newer, and puts the row right.

use jiff::Timestamp;
use model::alert::Status;

use super::super::row::{AlertState, Event, Millis};
use super::Policy;

/// The times of a state and of an event, as far as they can be compared.
pub(super) struct ComparedTimes {
    /// When the event came.
    pub(super) came: Millis,
    /// When the state came last.
    pub(super) state_came: Millis,
    pub(super) event: Belief,
    pub(super) state: Belief,
}

/// How far the times of one of them are believed.
#[derive(Clone, Copy)]
pub(super) struct Belief {
    /// It was received when it cannot have been.
    pub(super) is_ahead: bool,
    /// Its stamp says when its firing began.
    pub(super) is_sure: bool,
}

impl ComparedTimes {
    pub(super) fn of(state: &AlertState, event: &Event<'_>, now: Millis, policy: &Policy) -> Self {
        let horizon = now.saturating_add(policy.jitter);
        let received = event.received();
        let state_received = received_of(state, policy.slack(event));
        let is_event_ahead = received > horizon;
        let is_sure = |began: Millis, received: Millis| {
            began <= received.saturating_add(policy.jitter) && (began <= horizon || is_event_ahead)
        };
        let event = Belief {
            is_ahead: is_event_ahead,
            is_sure: event.started().is_none_or(|started| is_sure(started, received)),
        };
        let state =
            Belief { is_ahead: state_received > horizon, is_sure: is_sure(state.instance, state_received) };
        let (came, state_came) = match (event.is_ahead, state.is_ahead) {
            (false, true) => (received, received.saturating_sub(1)),
            // It has come by now, and after what is recorded.
            (true, false) => (now.max(state_received.saturating_add(1)), state_received),
            // If both lie ahead, our own clock may be the one that is wrong.
            (true, true) | (false, false) => (received, state_received),
        };
        Self { came, state_came, event, state }
    }

    pub(super) const fn is_sound(&self) -> bool {
        !self.event.is_ahead && !self.state.is_ahead && self.event.is_sure && self.state.is_sure
    }
}

/// Whether the event was received when it cannot have been, by our clock.
pub(super) fn is_ahead(event: &Event<'_>, now: Millis, policy: &Policy) -> bool {
    event.received() > now.saturating_add(policy.jitter)
}

/// When the state was received last.
pub(super) const fn received_of(state: &AlertState, slack: Millis) -> Millis {
    match state.status {
        Status::Firing => state.seen,
        Status::Resolved => state.seen.saturating_sub(slack),
    }
}

/// The event's stamp of where its state begins, of a source with times.
pub(super) fn edge(event: &Event<'_>, policy: &Policy) -> Option<Millis> {
    match event.status {
        Status::Firing => event.started(),
        Status::Resolved => ended(event, policy),
    }
}

/// When the firing ended that this event is the end of, if its sender says so. A time that does not lie between its
/// beginning and its receipt says nothing.
pub(super) fn ended(event: &Event<'_>, policy: &Policy) -> Option<Millis> {
    let (Status::Resolved, Some(started)) = (event.status, event.started()) else { return None };
    let until = event.received().saturating_add(policy.jitter);
    event.ends_at.map(Timestamp::as_millisecond).filter(|ended| started < *ended && *ended <= until)
}

/// When the state's firing ended. A worker that knows nothing of this column leaves one of an earlier state in it.
pub(super) fn ended_of(state: &AlertState) -> Option<Millis> {
    // An end counts as seen a jitter later than it was received.
    state
        .edge
        .filter(|ended| state.status == Status::Resolved && state.instance < *ended && *ended <= state.seen)
}

/// When the state's firing began, by the latest stamp of it.
pub(super) fn began_of(state: &AlertState, policy: &Policy) -> Millis {
    let is_of_this = |began: &Millis| (0..=policy.jitter).contains(&began.saturating_sub(state.instance));
    state.edge.filter(|began| state.status == Status::Firing && is_of_this(began)).unwrap_or(state.instance)
}

/// The edge of a state that two rows have.
pub(super) fn joint_edge(one: &AlertState, other: &AlertState) -> Option<Millis> {
    match one.status {
        Status::Firing => one.edge.max(other.edge),
        Status::Resolved => one.edge.or(other.edge),
    }
}
