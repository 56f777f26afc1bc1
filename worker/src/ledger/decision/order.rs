//! The order among the states of one alert. Pure.

use model::alert::Status;

use super::super::row::{AlertState, Event, Millis};
use super::times::{ComparedTimes, began_of, edge, ended, ended_of, received_of};
use super::{Occasion, Policy};

/// How many jitters after an end a replica's late firing is waited out. A healthy pair of Alertmanagers sends the
/// alert once more as firing when the flush of one replica was under way as it ended, and its end again a
/// `group_interval` (five minutes by default) later.
const REPLICA_WAIT_JITTERS: Millis = 6;
/// The same where the firing came too late after the end, by the sender's own clock, to have been under way.
const RETURN_WAIT_JITTERS: Millis = 2;

/// How an event stands to a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// It was left behind already.
    Older,
    /// It is that state.
    Same,
    /// It goes beyond it, and would be delivered for this reason.
    Newer(Occasion),
    /// It fires so soon after an end that a replica may just be late. If the end does not come again until then, it
    /// has returned.
    Unclear {
        /// When it is decided.
        until: Millis,
    },
}

/// When the event counts as having come.
pub(super) fn effective(event: &Event<'_>, policy: &Policy) -> Millis {
    seen_at(event.status, event.received(), policy.slack(event))
}

/// What a state counts as seen at that came then.
const fn seen_at(status: Status, came: Millis, slack: Millis) -> Millis {
    match status {
        Status::Firing => came,
        Status::Resolved => came.saturating_add(slack),
    }
}

/// Whether the same state has nothing to learn from the event but when it was seen.
pub(super) fn is_learnt(state: &AlertState, event: &Event<'_>, policy: &Policy) -> bool {
    match event.status {
        Status::Firing => event.started().is_none_or(|started| started <= began_of(state, policy)),
        Status::Resolved => effective(event, policy) <= state.seen,
    }
}

/// Why the event is delivered if nothing is known.
pub(super) const fn first(event: &Event<'_>) -> Occasion {
    match event.status {
        Status::Firing => Occasion::New,
        Status::Resolved => Occasion::Resolved,
    }
}

pub(crate) fn relation(state: &AlertState, event: &Event<'_>, now: Millis, policy: &Policy) -> Relation {
    let times = ComparedTimes::of(state, event, now, policy);
    match event.started() {
        Some(started) => match of_instances(state, event, started, &times, policy) {
            Some(relation) => relation,
            None if state.status == event.status => Relation::Same,
            None => succession(state, event, &times, now, policy),
        },
        None if state.status == event.status => repetition(state, event, &times, policy),
        None => untimed_succession(event, &times),
    }
}

/// Whether the state is one of the firing the event is about. A name that was given to several alerts says nothing of the
/// others' firings.
pub(crate) fn concerns(state: &AlertState, event: &Event<'_>, now: Millis, policy: &Policy) -> bool {
    match event.started() {
        Some(started) => started.abs_diff(state.instance) <= policy.jitter.unsigned_abs(),
        None => match relation(state, event, now, policy) {
            Relation::Same | Relation::Older | Relation::Unclear { .. } => true,
            // The end of what fires; a firing is one of its own.
            Relation::Newer(_) => event.status == Status::Resolved && state.status == Status::Firing,
        },
    }
}

/// Whether the times of both are such that a row which has moved on would say the same of the event.
pub(super) fn is_sound(state: &AlertState, event: &Event<'_>, now: Millis, policy: &Policy) -> bool {
    ComparedTimes::of(state, event, now, policy).is_sound()
}

/// By how much the state is beyond the event.
pub(crate) fn lead(state: &AlertState, event: &Event<'_>, policy: &Policy) -> Millis {
    let by_instance = event.started().map_or(0, |started| state.instance.saturating_sub(started));
    by_instance.max(received_of(state, policy.slack(event)).saturating_sub(event.received()))
}

/// Which firing came later, if the event is about another than the state.
fn of_instances(
    state: &AlertState,
    event: &Event<'_>,
    started: Millis,
    times: &ComparedTimes,
    policy: &Policy,
) -> Option<Relation> {
    if !times.event.is_sure {
        return None;
    }
    // Of a state whose own stamp proves nothing it is known that it had begun when it came.
    let began = if times.state.is_sure { state.instance } else { times.state_came };
    if started > began.saturating_add(policy.jitter) {
        return Some(Relation::Newer(first(event)));
    }
    if !times.state.is_sure {
        return None;
    }
    let began_after_its_end = ended_of(state).is_some_and(|ended| started >= ended);
    let ended_before_it_began = || {
        state.status == Status::Firing
            && ended(event, policy).is_some_and(|ended| ended <= began_of(state, policy))
    };
    if started < state.instance.saturating_sub(policy.jitter) || ended_before_it_began() {
        Some(Relation::Older)
    } else if began_after_its_end {
        Some(Relation::Newer(first(event)))
    } else {
        None
    }
}

/// The other status of the same firing: which of the two came later. A resolution counts as `jitter` later than it came, so
/// that a replica's late firing, processed first, does not keep it from being delivered.
fn succession(
    state: &AlertState,
    event: &Event<'_>,
    times: &ComparedTimes,
    now: Millis,
    policy: &Policy,
) -> Relation {
    let ComparedTimes { came, state_came, .. } = *times;
    match event.status {
        Status::Resolved => {
            // What has returned counts as later than the end it was delivered after.
            let seen = if times.state.is_ahead { state_came } else { state.seen };
            let is_later = came.saturating_add(policy.jitter) >= seen;
            if is_later { Relation::Newer(Occasion::Resolved) } else { Relation::Older }
        }
        Status::Firing if came <= state_came => Relation::Older,
        Status::Firing if came > state_came.saturating_add(policy.jitter) => {
            Relation::Newer(Occasion::Returned)
        }
        Status::Firing => {
            let ended = ended_of(state).unwrap_or(state_came);
            let may_be_late = came <= ended.saturating_add(policy.jitter);
            let jitters = if may_be_late { REPLICA_WAIT_JITTERS } else { RETURN_WAIT_JITTERS };
            let until = state_came.saturating_add(policy.jitter.saturating_mul(jitters));
            // Clocks that disagree with ours hold nothing back: nobody could say whether it came soon, or for how long.
            if now >= until || times.event.is_ahead || times.state.is_ahead {
                Relation::Newer(Occasion::Returned)
            } else {
                Relation::Unclear { until }
            }
        }
    }
}

/// The other status from a source without times. At the same time a resolution is the later one, whichever of them is
/// processed first.
fn untimed_succession(event: &Event<'_>, times: &ComparedTimes) -> Relation {
    match event.status {
        Status::Resolved if times.came >= times.state_came => Relation::Newer(Occasion::Resolved),
        Status::Firing if times.came > times.state_came => Relation::Newer(Occasion::New),
        Status::Resolved | Status::Firing => Relation::Older,
    }
}

/// The same status from a source without times: it is one of its own after the window, counted from the first.
fn repetition(state: &AlertState, event: &Event<'_>, times: &ComparedTimes, policy: &Policy) -> Relation {
    if !times.state.is_sure {
        return Relation::Newer(first(event));
    }
    let apart = times.came.saturating_sub(state.instance);
    if apart > policy.window {
        Relation::Newer(first(event))
    } else if apart < policy.window.saturating_neg() {
        Relation::Older
    } else {
        Relation::Same
    }
}

/// The event's state, as it stands in the row after `before`.
pub(super) fn advance(
    before: Option<&AlertState>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> AlertState {
    let instance = event.started().unwrap_or(event.received());
    let fresh = AlertState {
        instance,
        status: event.status,
        seen: effective(event, policy),
        edge: edge(event, policy),
    };
    let Some(before) = before else { return fresh };
    let times = ComparedTimes::of(before, event, now, policy);
    let relation = relation(before, event, now, policy);
    let Some(started) = event.started() else {
        let seen = fresh.seen.max(before.seen);
        return if relation == Relation::Same { AlertState { seen, ..*before } } else { fresh };
    };
    if of_instances(before, event, started, &times, policy).is_some() {
        return fresh;
    }
    let is_near = started.abs_diff(before.instance) <= policy.jitter.unsigned_abs();
    // The first stamp of an instance stays, or the stamps of its replicas could walk away from it.
    let stays = times.state.is_sure || (!times.event.is_sure && is_near);
    let instance = if stays { before.instance } else { started };
    match relation {
        Relation::Same if times.state.is_ahead && !times.event.is_ahead => AlertState { instance, ..fresh },
        Relation::Same => {
            let edge = match event.status {
                // A stamp that is not believed says nothing of the beginning.
                Status::Firing if times.event.is_sure => Some(began_of(before, policy).max(started)),
                Status::Firing => before.edge,
                Status::Resolved => before.edge.or(fresh.edge),
            };
            // What cannot have come yet has come by now: taken at its word, it would be put right by whatever is handed in
            // again next, and with it would go when the state was seen last.
            let is_ahead = times.event.is_ahead && !times.state.is_ahead;
            let seen =
                if is_ahead { seen_at(event.status, times.came, policy.slack(event)) } else { fresh.seen };
            AlertState { instance, seen: seen.max(before.seen), edge, ..*before }
        }
        // It is later than the end it comes after, whenever that is looked at again.
        Relation::Newer(_) if event.status == Status::Firing && !times.state.is_ahead => {
            AlertState { instance, seen: fresh.seen.max(before.seen.saturating_add(1)), ..fresh }
        }
        Relation::Newer(_) | Relation::Older | Relation::Unclear { .. } => AlertState { instance, ..fresh },
    }
}
