//! Many events at once: which of them are about the same alert, and what becomes of each alert's row. Pure.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use model::alert::Fingerprint;
use model::envelope::EnvelopeId;

use super::decision::{
    Decision, Occasion, Policy, confirm, decide, decide_alone, record_delivered, release, renew,
};
use super::row::{Claim, Event, LedgerRow, Millis};

/// What the columns of the key hold at most.
pub(crate) const KEY_BYTES_MAX: usize = 64;

/// Whose row it is; in the order of the tables' key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key<'e> {
    pub(crate) fingerprint: Cow<'e, str>,
    pub(crate) receiver: Cow<'e, str>,
}

/// What is done to the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LedgerOperation {
    Observe,
    Confirm,
    RecordDelivered,
    Release,
    Renew,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct LedgerCall<'c> {
    pub(crate) operation: LedgerOperation,
    pub(crate) now: Millis,
    pub(crate) policy: &'c Policy,
    /// Envelopes whose claims are known to be recorded as ours.
    pub(crate) recorded: HashSet<EnvelopeId>,
    /// Whether it is decided by what this process remembers, because the database is away.
    pub(crate) is_alone: bool,
}

/// The events about one alert, in their order.
#[derive(Debug)]
pub(crate) struct AlertEvents<'e> {
    pub(crate) key: Key<'e>,
    members: Range<usize>,
}

/// Events by alert; the alerts in the order of their keys, so that two batches never wait for each other in a circle.
#[derive(Debug)]
pub(crate) struct LedgerBatch<'e> {
    events: &'e [Event<'e>],
    order: Vec<usize>,
    pub(crate) groups: Vec<AlertEvents<'e>>,
}

impl<'e> Key<'e> {
    pub(crate) fn of(event: &Event<'e>) -> Self {
        Self { receiver: fitting(event.receiver), fingerprint: fitting(event.fingerprint) }
    }
}

/// A name that is too long for its column goes by its hash.
pub(crate) fn fitting(name: &str) -> Cow<'_, str> {
    if name.len() <= KEY_BYTES_MAX {
        return Cow::Borrowed(name);
    }
    Cow::Owned(Fingerprint::of_pairs([("", name)]).as_str().to_owned())
}

impl<'e> LedgerBatch<'e> {
    /// The events at these places.
    pub(crate) fn of(events: &'e [Event<'e>], places: impl IntoIterator<Item = usize>) -> Self {
        let mut keyed: Vec<(Key<'e>, usize)> = places
            .into_iter()
            .filter_map(|place| events.get(place).map(|event| (Key::of(event), place)))
            .collect();
        keyed.sort_unstable();
        let mut groups: Vec<AlertEvents<'e>> = Vec::new();
        let mut order = Vec::with_capacity(keyed.len());
        for (key, place) in keyed {
            let next = order.len();
            order.push(place);
            match groups.last_mut() {
                Some(group) if group.key == key => group.members.end = next + 1,
                _ => groups.push(AlertEvents { key, members: next..next + 1 }),
            }
        }
        Self { events, order, groups }
    }

    /// Where the group's events stand in the call.
    pub(crate) fn places(&self, group: &AlertEvents<'_>) -> &[usize] {
        self.order.get(group.members.clone()).unwrap_or_default()
    }

    /// The group's events, in their order.
    pub(crate) fn events<'b>(&'b self, group: &'b AlertEvents<'_>) -> impl Iterator<Item = &'b Event<'e>> {
        self.places(group).iter().filter_map(|place| self.events.get(*place))
    }

    /// The group's events, as if they came one after the other, and what the row becomes; `None` if it is not worth
    /// writing.
    pub(crate) fn judge(
        &self,
        group: &AlertEvents<'_>,
        row: Option<&LedgerRow>,
        call: &LedgerCall<'_>,
    ) -> (Vec<Decision>, Option<LedgerRow>) {
        let mut now: Option<LedgerRow> = row.copied();
        let mut delivered: Vec<&Event<'_>> = Vec::new();
        let mut decisions = Vec::with_capacity(group.members.len());
        let mut slack = call.policy.jitter;
        // What overtakes another worker's state takes along what comes after it.
        let mut overtakes = false;
        for event in self.events(group) {
            let claimed = now.and_then(|row| row.claim);
            let (mut decision, next) = call.decide(now.as_ref(), event);
            slack = slack.min(call.policy.lag(event));
            now = next.or(now);
            match decision {
                // Which of two copies in hand is kept when a card is made is for whoever has them: one of them may be
                // dead. When they are taken off the queue together, one is as good as the other.
                Decision::Deliver(_) if call.operation == LedgerOperation::Observe => {
                    let is_again = decision == Decision::Deliver(Occasion::Again);
                    let is_others =
                        |claim: Claim| claim.until > call.now && claim.holder != call.policy.holder;
                    if delivered.iter().any(|before| is_copy(before, event, is_again)) {
                        decision = Decision::Copy;
                    } else if overtakes || claimed.is_some_and(is_others) {
                        overtakes = true;
                        decision = Decision::Deliver(Occasion::Overtaking);
                    }
                    delivered.push(event);
                }
                Decision::Duplicate if now.as_ref().is_some_and(|row| is_delivered_by_own(row, event)) => {
                    decision = Decision::Copy;
                }
                Decision::Deliver(_)
                | Decision::Duplicate
                | Decision::Superseded
                | Decision::Copy
                | Decision::Elsewhere
                | Decision::Defer { .. } => {}
            }
            decisions.push(decision);
        }
        (decisions, now.filter(|now| is_worth_writing(row, now, slack)))
    }
}

impl LedgerCall<'_> {
    fn decide(&self, row: Option<&LedgerRow>, event: &Event<'_>) -> (Decision, Option<LedgerRow>) {
        let Self { now, policy, is_alone, .. } = *self;
        match self.operation {
            LedgerOperation::Observe | LedgerOperation::Confirm if is_alone => {
                decide_alone(row, event, now, policy)
            }
            LedgerOperation::Observe => decide(row, event, now, policy),
            LedgerOperation::Confirm => {
                confirm(row, event, self.recorded.contains(&event.envelope), now, policy)
            }
            LedgerOperation::RecordDelivered => {
                (Decision::Duplicate, record_delivered(row, event, now, policy))
            }
            LedgerOperation::Release => (Decision::Duplicate, release(row, event, now, policy)),
            LedgerOperation::Renew => (Decision::Duplicate, renew(row, event, now, policy)),
        }
    }
}

/// Whether what was delivered last was delivered by the event's own envelope.
pub(crate) fn is_delivered_by_own(row: &LedgerRow, event: &Event<'_>) -> bool {
    row.delivered.is_some_and(|delivered| delivered.envelope == event.envelope)
}

/// Whether it is the event before, given once more. Stamps may differ if the row says that it is the same claim.
fn is_copy(before: &Event<'_>, event: &Event<'_>, is_again: bool) -> bool {
    before.envelope == event.envelope
        && before.status == event.status
        && (is_again || before.starts_at == event.starts_at)
}

/// A row in which nothing has changed but `seen`, by no more than the slack, is left as it is: `decision::proven` says
/// why that is no loss.
fn is_worth_writing(before: Option<&LedgerRow>, after: &LedgerRow, slack: Millis) -> bool {
    let Some(before) = before else { return true };
    let mut aged = *before;
    let lag = |before: &mut Millis, after: Millis| {
        let is_small = (0..=slack).contains(&(after - *before));
        *before = if is_small { after } else { *before };
    };
    if let (Some(before), Some(after)) = (&mut aged.delivered, &after.delivered) {
        lag(&mut before.state.seen, after.state.seen);
    }
    if let (Some(before), Some(after)) = (&mut aged.claim, &after.claim) {
        lag(&mut before.state.seen, after.state.seen);
    }
    aged != *after
}
