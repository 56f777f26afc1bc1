//! What is to become of an event, given what the ledger has of its alert: pure. Pure.
//!
//! The states of one alert have an order, and a row only moves forward in it, so the order in which *we* process
//! events does not matter. An instance is one firing from its beginning to its end, known by `starts_at`; one that
//! began after that end is another, however soon. Within an instance events are ordered by the time they were received.
//! A "firing" that comes within `jitter` of the end may be a late replica's, or a Prometheus that was cut off and
//! returns with the old `starts_at`: it is deferred, and delivered unless the end comes again. Events of sources without
//! times are ordered by the time they were received, and nothing else. How far clocks are believed: `times`.

mod order;
mod policy;
#[cfg(test)]
mod tests;
mod times;

use jiff::Timestamp;
use model::envelope::EnvelopeId;

use super::row::{Claim, DeliveredState, Event, LedgerRow, Millis};
use order::Relation;
pub(crate) use policy::{Policy, millis};

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// To be delivered; claimed for this envelope.
    Deliver(Occasion),
    /// This state was delivered, or is about to be delivered by another envelope.
    Duplicate,
    /// A newer state was delivered, or is about to be.
    Superseded,
    /// This very envelope has delivered it, or delivers it by another copy that is in hand here.
    Copy,
    /// Another copy of this very envelope was taken in hand by another worker, after us.
    Elsewhere,
    /// It fires again so soon after its end that nobody can say yet whether it has returned: to be asked again then.
    /// Nothing is claimed for it.
    Defer {
        /// When it can be said.
        until: Timestamp,
    },
}

/// Why an event is delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Occasion {
    /// It fires, and has not before.
    New,
    /// It is over.
    Resolved,
    /// It was over, and fires all the same.
    Returned,
    /// It was delivered, a while ago, and still fires.
    Reminder,
    /// It was claimed by this very envelope, which was delivered again.
    Again,
    /// Another worker has claimed it, by a copy of its envelope, or an older state of it, and may be sending that at this
    /// moment.
    Overtaking,
    /// Another envelope claims it too, and the database, which would say which of them, is away.
    Unsure,
    /// An operator wants it delivered.
    Forced,
}

/// Whether something that was claimed is still to be delivered, when its card is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is, and the claim is good for another while.
    Mine,
    /// Somebody else has delivered it, or is about to.
    Duplicate,
    /// A newer state has taken its place.
    Superseded,
    /// Its own envelope has delivered it, by another copy.
    Copy,
    /// Another worker has taken a copy of its envelope in hand after us, which may be living or dead: only once it has delivered
    /// is there nothing left to do here.
    Elsewhere,
    /// It cannot be said yet: an end came before it meanwhile.
    Later,
}

/// Decides about an event, and says what the row becomes; `None` if it stays as it is.
pub(crate) fn decide(
    row: Option<&LedgerRow>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<LedgerRow>) {
    let row = row.copied().unwrap_or_default();
    let (decision, next) = match row.claim_at(now, event.envelope) {
        Some(claim) => against_claim(row, claim, event, now, policy),
        None => against_delivered(row, event, now, policy),
    };
    let next = next.filter(|next| *next != row);
    match decision {
        Decision::Deliver(_) if event.forced => (Decision::Deliver(Occasion::Forced), next),
        // Told all the same, but it is nothing the row should know of.
        Decision::Duplicate
        | Decision::Superseded
        | Decision::Copy
        | Decision::Elsewhere
        | Decision::Defer { .. }
            if event.forced =>
        {
            (Decision::Deliver(Occasion::Forced), None)
        }
        Decision::Deliver(_)
        | Decision::Duplicate
        | Decision::Superseded
        | Decision::Copy
        | Decision::Elsewhere
        | Decision::Defer { .. } => (decision, next),
    }
}

/// The same without the database. A claim that only this process knows of lets nobody go: the database may have one of
/// the very envelope that is let go, and by that the claimant would be, once it is back. So both are kept until one
/// of them is delivered; they go onto one card.
pub(crate) fn decide_alone(
    row: Option<&LedgerRow>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<LedgerRow>) {
    let (decision, next) = decide(row, event, now, policy);
    let claim = row.and_then(|row| row.claim_at(now, event.envelope));
    let is_claimed_elsewhere = claim.is_some_and(|claim| claim.envelope != event.envelope);
    let is_delivered =
        row.and_then(|row| row.delivered).is_some_and(|delivered| policy.settled_by(&delivered, event, now));
    match decision {
        Decision::Duplicate if is_claimed_elsewhere && !is_delivered => {
            (Decision::Deliver(Occasion::Unsure), next)
        }
        Decision::Duplicate
        | Decision::Superseded
        | Decision::Copy
        | Decision::Elsewhere
        | Decision::Deliver(_)
        | Decision::Defer { .. } => (decision, next),
    }
}

fn against_claim(
    mut row: LedgerRow,
    mut claim: Claim,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<LedgerRow>) {
    match order::relation(&claim.state, event, now, policy) {
        Relation::Older => (Decision::Superseded, None),
        Relation::Unclear { until } => (defer(until), None),
        Relation::Newer(occasion) => {
            let state = order::advance(Some(&claim.state), event, now, policy);
            row.claim = Some(policy.claim(state, event, now));
            (Decision::Deliver(occasion), Some(row))
        }
        Relation::Same => {
            let is_own = claim.envelope == event.envelope;
            // Not by what was delivered before an end that its claim comes after: that end may be on a card by now.
            let settles = |delivered: DeliveredState| {
                policy.covers(&delivered, &claim, event) && policy.settled_by(&delivered, event, now)
            };
            if is_own && row.delivered.is_some_and(settles) {
                row.claim = None;
                return (Decision::Duplicate, Some(row));
            }
            claim.state = order::advance(Some(&claim.state), event, now, policy);
            if is_own {
                claim = policy.renewed(claim, now);
            }
            row.claim = Some(claim);
            (if is_own { Decision::Deliver(Occasion::Again) } else { Decision::Duplicate }, Some(row))
        }
    }
}

fn against_delivered(
    mut row: LedgerRow,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<LedgerRow>) {
    let occasion = match row.delivered {
        None => order::first(event),
        Some(mut delivered) => match order::relation(&delivered.state, event, now, policy) {
            Relation::Older => return (Decision::Superseded, None),
            Relation::Unclear { until } => return (defer(until), None),
            Relation::Newer(occasion) => occasion,
            Relation::Same
                if delivered.envelope != event.envelope && policy.reminds(&delivered, event, now) =>
            {
                Occasion::Reminder
            }
            Relation::Same => {
                delivered.state = order::advance(Some(&delivered.state), event, now, policy);
                delivered.at = policy.believable(delivered.at, event, now);
                row.delivered = Some(delivered);
                return (Decision::Duplicate, Some(row));
            }
        },
    };
    let state = order::advance(row.delivered.map(|delivered| delivered.state).as_ref(), event, now, policy);
    row.claim = Some(policy.claim(state, event, now));
    (Decision::Deliver(occasion), Some(row))
}

/// Decides about a claim when its card is made. It is decided like any event, except that an envelope may be in two
/// hands: a broker that loses a connection delivers its messages to somebody else, while we still have them.
/// `is_recorded` says that our taking it in hand is in the row; only then can the row say that somebody else has done
/// so after us.
pub(crate) fn confirm(
    row: Option<&LedgerRow>,
    event: &Event<'_>,
    is_recorded: bool,
    now: Millis,
    policy: &Policy,
) -> (Decision, Option<LedgerRow>) {
    let claim = row.and_then(|row| row.claim).filter(|claim| claim.until > now);
    let is_elsewhere = claim.is_some_and(|claim| {
        claim.envelope == event.envelope
            && claim.holder != policy.holder
            && order::relation(&claim.state, event, now, policy) == Relation::Same
    });
    if is_elsewhere && is_recorded {
        return (Decision::Elsewhere, None);
    }
    let (decision, next) = decide(row, event, now, policy);
    let is_flip = matches!(decision, Decision::Deliver(Occasion::New | Occasion::Returned));
    // Nobody can say when it came; whoever has taken its claim from us could say that what he has came later.
    if is_flip && is_recorded && times::is_ahead(event, now, policy) && own(row, event, now, policy).is_none()
    {
        return (Decision::Superseded, None);
    }
    (decision, next)
}

/// The event is on a card since `now`.
pub(crate) fn record_delivered(
    row: Option<&LedgerRow>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> Option<LedgerRow> {
    let before = row.copied().unwrap_or_default();
    let mut row = before;
    // What was delivered by somebody else meanwhile may be newer than the event, and older than what its claim has grown to.
    // Nobody can say when something came that was received ahead of us; but whoever has taken its claim could.
    let is_behind = |delivered: DeliveredState| {
        let relation = order::relation(&delivered.state, event, now, policy);
        matches!(relation, Relation::Older | Relation::Unclear { .. }) || times::is_ahead(event, now, policy)
    };
    let is_back = own(Some(&row), event, now, policy).is_none() && row.delivered.is_some_and(is_behind);
    if !is_back {
        let mut state =
            order::advance(row.delivered.map(|delivered| delivered.state).as_ref(), event, now, policy);
        if let Some(claim) = row.claim {
            match order::relation(&claim.state, event, now, policy) {
                // Somebody is about to deliver something newer.
                Relation::Older | Relation::Unclear { .. } => {}
                Relation::Newer(_) => row.claim = None,
                Relation::Same => {
                    state.instance = claim.state.instance;
                    let is_own = claim.envelope == event.envelope;
                    // Somebody else's much later firing may have come after a resolution: that is for `confirm`.
                    state.edge = times::joint_edge(&claim.state, &state);
                    if is_own || claim.state.seen <= state.seen.saturating_add(policy.slack(event)) {
                        state.seen = state.seen.max(claim.state.seen);
                        row.claim = None;
                    }
                }
            }
        }
        row.delivered = Some(DeliveredState { state, at: now, envelope: event.envelope });
    }
    (row != before).then_some(row)
}

/// The event's envelope will not deliver it: whoever comes next does.
pub(crate) fn release(
    row: Option<&LedgerRow>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> Option<LedgerRow> {
    own(row, event, now, policy).map(|(row, _)| LedgerRow { claim: None, ..row })
}

/// The event's envelope will come back for it.
pub(crate) fn renew(
    row: Option<&LedgerRow>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> Option<LedgerRow> {
    let (row, claim) = own(row, event, now, policy)?;
    let claim = policy.renewed(claim, now);
    (row.claim != Some(claim)).then_some(LedgerRow { claim: Some(claim), ..row })
}

/// What a row proves that may be out of date. What was delivered stays delivered and rows only move forward, so whatever is
/// older than that is `Stale` for ever. What is the same state is `Known`, unless it was seen too much later.
///
/// How much later: `seen` has to be known only to order a resolution that came before it. One that was received after
/// `seen` counts for later than `seen + jitter`; so a firing up to there is dropped by the newest row as well, and
/// it is no loss if the row does not learn of it. A repeat costs SQL at most once per `jitter` this way.
/// Sources without times have no jitter; they may be repeated only. Each end that comes again has to be known, though:
/// a firing that is deferred waits for it; and a later stamp of the beginning, for an end before it is not its own. And times that lie ahead of us prove nothing, for such a row may be put right.
pub(crate) fn proven(row: &LedgerRow, event: &Event<'_>, now: Millis, policy: &Policy) -> Option<Decision> {
    let delivered = row.delivered.filter(|_| !event.forced)?;
    if !order::is_sound(&delivered.state, event, now, policy) {
        return None;
    }
    match order::relation(&delivered.state, event, now, policy) {
        // Its claim may stand for newer events as well, which were let go for it.
        Relation::Older if own(Some(row), event, now, policy).is_some() => None,
        Relation::Older => Some(Decision::Superseded),
        // With a claim the answer depends on what has become of it.
        Relation::Same if row.claim_at(now, event.envelope).is_none() => {
            let is_learnt = order::is_learnt(&delivered.state, event, policy);
            (is_learnt && policy.settled_by(&delivered, event, now)).then_some(Decision::Duplicate)
        }
        Relation::Same | Relation::Newer(_) | Relation::Unclear { .. } => None,
    }
}

/// Why an event is not delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KnownBy {
    pub(crate) reason: &'static str,
    /// The envelope that has delivered it, or is about to.
    pub(crate) envelope: EnvelopeId,
}

/// What of the row makes an event a duplicate or superseded; `None` if nothing of it does any more.
pub(crate) fn known_by(row: &LedgerRow, event: &Event<'_>, now: Millis, policy: &Policy) -> Option<KnownBy> {
    if let Some(delivered) = row.delivered {
        let reason = match order::relation(&delivered.state, event, now, policy) {
            Relation::Same => Some("this state was delivered"),
            Relation::Older => Some("a newer state was delivered"),
            Relation::Newer(_) | Relation::Unclear { .. } => None,
        };
        if let Some(reason) = reason {
            return Some(KnownBy { reason, envelope: delivered.envelope });
        }
    }
    let claim = row.claim?;
    let reason = match order::relation(&claim.state, event, now, policy) {
        Relation::Same => "another envelope is about to deliver this state",
        Relation::Older => "another envelope is about to deliver a newer state",
        Relation::Newer(_) | Relation::Unclear { .. } => return None,
    };
    Some(KnownBy { reason, envelope: claim.envelope })
}

/// Whether the row is about the very firing the event is about: what is known of the alert by this name.
pub(crate) fn concerns(row: &LedgerRow, event: &Event<'_>, now: Millis, policy: &Policy) -> bool {
    let states =
        row.claim.map(|claim| claim.state).into_iter().chain(row.delivered.map(|delivered| delivered.state));
    states.into_iter().any(|state| order::concerns(&state, event, now, policy))
}

/// The claim of the event's envelope on the event's state.
fn own(
    row: Option<&LedgerRow>,
    event: &Event<'_>,
    now: Millis,
    policy: &Policy,
) -> Option<(LedgerRow, Claim)> {
    let row = *row?;
    let claim = row.claim.filter(|claim| claim.envelope == event.envelope)?;
    (order::relation(&claim.state, event, now, policy) == Relation::Same).then_some((row, claim))
}

/// By how much what is recorded is beyond an event that was superseded.
pub(crate) fn lead(row: &LedgerRow, event: &Event<'_>, policy: &Policy) -> Millis {
    let states =
        row.delivered.map(|delivered| delivered.state).into_iter().chain(row.claim.map(|claim| claim.state));
    states.map(|state| order::lead(&state, event, policy)).max().unwrap_or(0)
}

fn defer(until: Millis) -> Decision {
    Decision::Defer { until: Timestamp::from_millisecond(until).unwrap_or(Timestamp::MAX) }
}
