//! The order among the states of one alert.

use shared::alert::Status;

use super::super::row::{Event, Millis, State};
use super::{Occasion, Policy};

/// How an event stands to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It was left behind already.
    Older,
    /// It is that state.
    Same,
    /// It goes beyond it, and would be told for this reason.
    Newer(Occasion),
}

/// When the event counts as having come.
pub(super) fn effective(event: &Event<'_>, policy: &Policy) -> Millis {
    match event.status {
        Status::Firing => event.received(),
        Status::Resolved => event.received().saturating_add(policy.slack(event)),
    }
}

/// Why the event is told if nothing is known.
pub(super) const fn first(event: &Event<'_>) -> Occasion {
    match event.status {
        Status::Firing => Occasion::New,
        Status::Resolved => Occasion::Resolved,
    }
}

pub(crate) fn relation(state: &State, event: &Event<'_>, policy: &Policy) -> Relation {
    match event.started() {
        Some(started) if started > state.instance.saturating_add(policy.jitter) => {
            Relation::Newer(first(event))
        }
        Some(started) if started < state.instance.saturating_sub(policy.jitter) => Relation::Older,
        Some(_) if state.status == event.status => Relation::Same,
        Some(_) => succession(state, event, policy, Occasion::Returned),
        None if state.status == event.status => repetition(state, event, policy),
        None => succession(state, event, policy, Occasion::New),
    }
}

/// The other status: which of the two came later. At the same time a resolution is the later one, whichever of them
/// is processed first.
fn succession(state: &State, event: &Event<'_>, policy: &Policy, fires_as: Occasion) -> Relation {
    let came = effective(event, policy);
    match event.status {
        Status::Resolved if came >= state.seen => Relation::Newer(Occasion::Resolved),
        Status::Firing if came > state.seen => Relation::Newer(fires_as),
        Status::Resolved | Status::Firing => Relation::Older,
    }
}

/// The same status from a source without times: it is one of its own after the window, counted from the first.
fn repetition(state: &State, event: &Event<'_>, policy: &Policy) -> Relation {
    let apart = event.received().saturating_sub(state.instance);
    if apart > policy.window {
        Relation::Newer(first(event))
    } else if apart < policy.window.saturating_neg() {
        Relation::Older
    } else {
        Relation::Same
    }
}

/// The event's state, as it stands in the row after `before`.
pub(super) fn advance(before: Option<&State>, event: &Event<'_>, policy: &Policy) -> State {
    let seen = effective(event, policy);
    let fresh = State { instance: event.started().unwrap_or(event.received()), status: event.status, seen };
    let Some(before) = before else { return fresh };
    match (relation(before, event, policy), event.started()) {
        (Relation::Same, _) => State { seen: seen.max(before.seen), ..*before },
        // The first stamp of an instance stays, or the stamps of its replicas could walk away from it.
        (_, Some(started)) if started.abs_diff(before.instance) <= policy.jitter.unsigned_abs() => {
            State { instance: before.instance, ..fresh }
        }
        _ => fresh,
    }
}
