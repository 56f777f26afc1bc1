//! Many events at once: which of them are about the same alert, and what becomes of each alert's row. Pure.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use shared::alert::Fingerprint;
use shared::envelope::EnvelopeId;

use super::decision::{Decision, Occasion, Policy, confirm, decide, decide_alone, release, renew, tell};
use super::row::{Event, Millis, Row};

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
pub(crate) enum Deed {
    Observe,
    Confirm,
    Tell,
    Release,
    Renew,
}

/// One call.
#[derive(Clone, Debug)]
pub(crate) struct Call<'c> {
    pub(crate) deed: Deed,
    pub(crate) now: Millis,
    pub(crate) policy: &'c Policy,
    /// Envelopes whose claims are known to be recorded as ours.
    pub(crate) recorded: HashSet<EnvelopeId>,
    /// Whether it is decided by what this process remembers, because the database is away.
    pub(crate) is_alone: bool,
}

/// The events about one alert, in their order.
#[derive(Debug)]
pub(crate) struct Group<'e> {
    pub(crate) key: Key<'e>,
    members: Range<usize>,
}

/// Events by alert; the alerts in the order of their keys, so that two batches never wait for each other in a circle.
#[derive(Debug)]
pub(crate) struct Batch<'e> {
    events: &'e [Event<'e>],
    order: Vec<usize>,
    pub(crate) groups: Vec<Group<'e>>,
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

impl<'e> Batch<'e> {
    /// The events at these places.
    pub(crate) fn of(events: &'e [Event<'e>], places: impl IntoIterator<Item = usize>) -> Self {
        let mut keyed: Vec<(Key<'e>, usize)> = places
            .into_iter()
            .filter_map(|place| events.get(place).map(|event| (Key::of(event), place)))
            .collect();
        keyed.sort_unstable();
        let mut groups: Vec<Group<'e>> = Vec::new();
        let mut order = Vec::with_capacity(keyed.len());
        for (key, place) in keyed {
            let next = order.len();
            order.push(place);
            match groups.last_mut() {
                Some(group) if group.key == key => group.members.end = next + 1,
                _ => groups.push(Group { key, members: next..next + 1 }),
            }
        }
        Self { events, order, groups }
    }

    /// Where the group's events stand in the call.
    pub(crate) fn places(&self, group: &Group<'_>) -> &[usize] {
        self.order.get(group.members.clone()).unwrap_or_default()
    }

    /// The group's events, in their order.
    pub(crate) fn events<'b>(&'b self, group: &'b Group<'_>) -> impl Iterator<Item = &'b Event<'e>> {
        self.places(group).iter().filter_map(|place| self.events.get(*place))
    }

    /// The group's events, as if they came one after the other, and what the row becomes; `None` if it is not worth
    /// writing.
    pub(crate) fn judge(
        &self,
        group: &Group<'_>,
        row: Option<&Row>,
        call: &Call<'_>,
    ) -> (Vec<Decision>, Option<Row>) {
        let (mut now, mut told): (Option<Row>, Vec<&Event<'_>>) = (row.copied(), Vec::new());
        let mut decisions = Vec::with_capacity(group.members.len());
        let mut slack = call.policy.jitter;
        for event in self.events(group) {
            let (mut decision, next) = call.decide(now.as_ref(), event);
            if let Decision::Tell(_) = decision {
                // Twice on one card is twice, also if it is the same envelope: we have two copies of it in hand then.
                let is_again = decision == Decision::Tell(Occasion::Again);
                if told.iter().any(|before| is_copy(before, event, is_again)) {
                    decision = Decision::Known;
                }
                told.push(event);
            }
            slack = slack.min(call.policy.slack(event));
            now = next.or(now);
            decisions.push(decision);
        }
        (decisions, now.filter(|now| is_worth_writing(row, now, slack)))
    }
}

impl Call<'_> {
    fn decide(&self, row: Option<&Row>, event: &Event<'_>) -> (Decision, Option<Row>) {
        let Self { now, policy, is_alone, .. } = *self;
        match self.deed {
            Deed::Observe | Deed::Confirm if is_alone => decide_alone(row, event, now, policy),
            Deed::Observe => decide(row, event, now, policy),
            Deed::Confirm => confirm(row, event, self.recorded.contains(&event.envelope), now, policy),
            Deed::Tell => (Decision::Known, tell(row, event, now, policy)),
            Deed::Release => (Decision::Known, release(row, event, policy)),
            Deed::Renew => (Decision::Known, renew(row, event, now, policy)),
        }
    }
}

/// Whether it is the event before, given once more. Stamps may differ if the row says that it is the same claim.
fn is_copy(before: &Event<'_>, event: &Event<'_>, is_again: bool) -> bool {
    before.envelope == event.envelope
        && before.status == event.status
        && (is_again || before.starts_at == event.starts_at)
}

/// A row in which nothing has changed but `seen`, by no more than the slack, is left as it is: `decision::proven` says
/// why that is no loss.
fn is_worth_writing(before: Option<&Row>, after: &Row, slack: Millis) -> bool {
    let Some(before) = before else { return true };
    let mut aged = *before;
    let lag = |before: &mut Millis, after: Millis| {
        let is_small = (0..=slack).contains(&(after - *before));
        *before = if is_small { after } else { *before };
    };
    if let (Some(before), Some(after)) = (&mut aged.told, &after.told) {
        lag(&mut before.state.seen, after.state.seen);
    }
    if let (Some(before), Some(after)) = (&mut aged.claim, &after.claim) {
        lag(&mut before.state.seen, after.state.seen);
    }
    aged != *after
}
