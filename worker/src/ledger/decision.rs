//! What is to become of an event, given what the ledger has of its alert: pure.
//!
//! The states of one alert have an order, and a row only moves forward in it, so the order in which *we* process
//! events does not matter. An instance is one firing from its beginning to its end, known by `starts_at`; within it
//! events are ordered by the time they were received, where a resolution counts as `jitter` later: the late "firing"
//! of a replica does not undo it, but one that comes after that does (a Prometheus that was cut off returns with the
//! old `starts_at`). Events of sources without times are ordered by the time they were received, and nothing else.

mod order;
mod policy;
#[cfg(test)]
mod tests;

use super::row::{Claim, Event, Millis, Row, Told};
use order::Relation;
pub(crate) use policy::{Policy, millis};

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// To be told; claimed for this envelope.
    Tell(Occasion),
    /// This state was told, or is about to be told by another envelope.
    Known,
    /// A newer state was told, or is about to be.
    Stale,
}

/// Why an event is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It fires, and has not before.
    New,
    /// It is over.
    Resolved,
    /// It was over, and fires all the same.
    Returned,
    /// It was told, a while ago, and still fires.
    Reminder,
    /// It was claimed by this very envelope, which was delivered again.
    Again,
    /// Another envelope claims it too, and the database, which would say which of them, is away.
    Unsure,
    /// An operator wants it told.
    Forced,
}

/// Whether something that was claimed is still to be told, when its card is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is, and the claim is good for another while.
    Mine,
    /// Somebody else has told it, or is about to.
    Known,
    /// A newer state has taken its place.
    Stale,
}

/// Decides about an event, and says what the row becomes; `None` if it stays as it is.
pub(crate) fn decide(
    row: Option<&Row>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<Row>) {
    let row = row.copied().unwrap_or_default();
    let (decision, next) = match row.claim_at(now, event.envelope) {
        Some(claim) => against_claim(row, claim, event, now, policy),
        None => against_told(row, event, now, policy),
    };
    let next = next.filter(|next| *next != row);
    match decision {
        Decision::Tell(_) if event.forced => (Decision::Tell(Occasion::Forced), next),
        // Told all the same, but it is nothing the row should know of.
        Decision::Known | Decision::Stale if event.forced => (Decision::Tell(Occasion::Forced), None),
        Decision::Tell(_) | Decision::Known | Decision::Stale => (decision, next),
    }
}

/// The same without the database. A claim that only this process knows of lets nobody go: the database may have one of
/// the very envelope that is let go, and by that the claimant would be, once it is back. So both are kept until one
/// of them is told; they go onto one card.
pub(crate) fn decide_alone(
    row: Option<&Row>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<Row>) {
    let (decision, next) = decide(row, event, now, policy);
    let claim = row.and_then(|row| row.claim_at(now, event.envelope));
    let is_claimed_elsewhere = claim.is_some_and(|claim| claim.envelope != event.envelope);
    let is_told = row.and_then(|row| row.told).is_some_and(|told| policy.settled_by(&told, event));
    match decision {
        Decision::Known if is_claimed_elsewhere && !is_told => (Decision::Tell(Occasion::Unsure), next),
        Decision::Known | Decision::Stale | Decision::Tell(_) => (decision, next),
    }
}

fn against_claim(
    mut row: Row,
    mut claim: Claim,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<Row>) {
    match order::relation(&claim.state, event, policy) {
        Relation::Older => (Decision::Stale, None),
        Relation::Newer(occasion) => {
            let state = order::advance(Some(&claim.state), event, policy);
            row.claim = Some(policy.claim(state, event, now));
            (Decision::Tell(occasion), Some(row))
        }
        Relation::Same => {
            let is_own = claim.envelope == event.envelope;
            if is_own && row.told.is_some_and(|told| policy.settled_by(&told, event)) {
                row.claim = None;
                return (Decision::Known, Some(row));
            }
            claim.state = order::advance(Some(&claim.state), event, policy);
            if is_own {
                claim = policy.renewed(claim, now);
            }
            row.claim = Some(claim);
            (if is_own { Decision::Tell(Occasion::Again) } else { Decision::Known }, Some(row))
        }
    }
}

fn against_told(mut row: Row, event: &Event<'_>, now: Millis, policy: &Policy) -> (Decision, Option<Row>) {
    let occasion = match row.told {
        None => order::first(event),
        Some(mut told) => match order::relation(&told.state, event, policy) {
            Relation::Older => return (Decision::Stale, None),
            Relation::Newer(occasion) => occasion,
            Relation::Same if told.envelope != event.envelope && policy.reminds(&told, event) => {
                Occasion::Reminder
            }
            Relation::Same => {
                told.state = order::advance(Some(&told.state), event, policy);
                row.told = Some(told);
                return (Decision::Known, Some(row));
            }
        },
    };
    let state = order::advance(row.told.map(|told| told.state).as_ref(), event, policy);
    row.claim = Some(policy.claim(state, event, now));
    (Decision::Tell(occasion), Some(row))
}

/// Decides about a claim when its card is made. It is decided like any event, except that an envelope may be in two
/// hands: a broker that loses a connection delivers its messages to somebody else, while we still have them.
/// `is_recorded` says that our taking it in hand is in the row; only then can the row say that somebody else has done
/// so after us.
pub(crate) fn confirm(
    row: Option<&Row>,
    event: &Event<'_>,
    is_recorded: bool,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<Row>) {
    let claim = row.and_then(|row| row.claim).filter(|claim| claim.until > now);
    let is_elsewhere = claim.is_some_and(|claim| {
        claim.envelope == event.envelope
            && claim.holder != policy.holder
            && order::relation(&claim.state, event, policy) == Relation::Same
    });
    if is_elsewhere && is_recorded { (Decision::Known, None) } else { decide(row, event, now, policy) }
}

/// The event is on a card since `now`.
pub(crate) fn tell(row: Option<&Row>, event: &Event<'_>, now: Millis, policy: &Policy) -> Option<Row> {
    let before = row.copied().unwrap_or_default();
    let mut row = before;
    // What was told by somebody else meanwhile may be newer than the event, and older than what its claim has grown to.
    let is_back = own(Some(&row), event, policy).is_none()
        && row.told.is_some_and(|told| order::relation(&told.state, event, policy) == Relation::Older);
    if !is_back {
        let mut state = order::advance(row.told.map(|told| told.state).as_ref(), event, policy);
        if let Some(claim) = row.claim {
            match order::relation(&claim.state, event, policy) {
                // Somebody is about to tell something newer.
                Relation::Older => {}
                Relation::Newer(_) => row.claim = None,
                Relation::Same => {
                    state.instance = claim.state.instance;
                    let is_own = claim.envelope == event.envelope;
                    // Somebody else's much later firing may have come after a resolution: that is for `confirm`.
                    if is_own || claim.state.seen <= state.seen.saturating_add(policy.slack(event)) {
                        state.seen = state.seen.max(claim.state.seen);
                        row.claim = None;
                    }
                }
            }
        }
        row.told = Some(Told { state, at: now, envelope: event.envelope });
    }
    (row != before).then_some(row)
}

/// The event's envelope will not tell it: whoever comes next does.
pub(crate) fn release(row: Option<&Row>, event: &Event<'_>, policy: &Policy) -> Option<Row> {
    own(row, event, policy).map(|(row, _)| Row { claim: None, ..row })
}

/// The event's envelope will come back for it.
pub(crate) fn renew(row: Option<&Row>, event: &Event<'_>, now: Millis, policy: &Policy) -> Option<Row> {
    let (row, claim) = own(row, event, policy)?;
    let claim = policy.renewed(claim, now);
    (row.claim != Some(claim)).then_some(Row { claim: Some(claim), ..row })
}

/// What a row proves that may be out of date. What was told stays told and rows only move forward, so whatever is
/// older than that is `Stale` for ever. What is the same state is `Known`, unless it was seen too much later.
///
/// How much later: `seen` has to be known only to order a resolution that came before it. One that was received after
/// `seen` counts for later than `seen + jitter`; so a firing up to there is dropped by the newest row as well, and
/// it is no loss if the row does not learn of it. A repeat costs SQL at most once per `jitter` this way.
/// Sources without times have no jitter; they may be repeated only.
pub(crate) fn proven(row: &Row, event: &Event<'_>, now: Millis, policy: &Policy) -> Option<Decision> {
    let told = row.told.filter(|_| !event.forced)?;
    match order::relation(&told.state, event, policy) {
        // Its claim may stand for newer events as well, which were let go for it.
        Relation::Older if own(Some(row), event, policy).is_some() => None,
        Relation::Older => Some(Decision::Stale),
        // With a claim the answer depends on what has become of it.
        Relation::Same if row.claim_at(now, event.envelope).is_none() => {
            policy.settled_by(&told, event).then_some(Decision::Known)
        }
        Relation::Same | Relation::Newer(_) => None,
    }
}

/// The claim of the event's envelope on the event's state.
fn own(row: Option<&Row>, event: &Event<'_>, policy: &Policy) -> Option<(Row, Claim)> {
    let row = *row?;
    let claim = row.claim.filter(|claim| claim.envelope == event.envelope)?;
    (order::relation(&claim.state, event, policy) == Relation::Same).then_some((row, claim))
}
