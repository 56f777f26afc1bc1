//! The promises, held against what happened. Pure.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use model::alert::Status;

use crate::conditions::Condition;
use crate::plan::{Fault, Plan};
use crate::records::{Event, Records};

/// How often one state may be in the chat where answers are lost: tries at it grow apart. Where confirms are late as well
/// there are copies of its envelope, and each is tried.
const DOUBLES_MAX: usize = 12;
/// The same for each request that says it, where the database fails: nobody knows then that two of them say the same, and
/// each is tried by itself. Six were seen.
const DOUBLES_PER_REQUEST_MAX: usize = 8;
/// How many messages there may be at one time for each request, copies included. While nothing is confirmed for minutes,
/// each of the four pauses of the retry queues may double them, which makes 16; fifteen were seen (seed 2174).
const MESSAGES_PER_REQUEST_MAX: usize = 16;
/// How long an alert may take to one receiver while another is ill and everything else is well.
const NEIGHBOUR_MAX: Duration = Duration::from_secs(30);

/// A promise that was not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// The newest state of an alert was accepted, and stands on no card and in no dead letter.
    Lost { alert: usize, event: usize },
    /// The last card about an alert shows an older state than the newest.
    NotTheNewest { alert: usize, shown: usize, newest: usize },
    /// One state stands on several cards, and no answer was lost.
    Doubled { alert: usize, event: usize, cards: usize },
    /// A bot was sent more than it takes.
    Flooded { bot: usize, requests: usize },
    /// An alert that was sent again in calm is not delivered.
    Mute { alert: usize, event: usize },
    /// An alert waited for a receiver that is not its own.
    Waited { event: usize, seconds: u64 },
    /// Messages are left over: ready, in hand, parked.
    NotQuiet((usize, usize, usize)),
    /// The queue held many more messages than there were requests.
    TooManyCopies { most: usize, requests: usize },
    /// Outcomes do not add up to what has come.
    Unbalanced { came: u64, ended: u64 },
    /// A stop in calm was not clean.
    StopWasCut,
    /// A seed that is run again goes another way.
    NotRepeatable,
    /// The simulation itself failed.
    Broken(String),
}

impl Violation {
    /// Its kind, for counting.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Lost { .. } => "lost",
            Self::NotTheNewest { .. } => "not the newest",
            Self::Doubled { .. } => "doubled",
            Self::Flooded { .. } => "flooded",
            Self::Mute { .. } => "mute",
            Self::Waited { .. } => "waited for another's receiver",
            Self::NotQuiet(_) => "not quiet",
            Self::TooManyCopies { .. } => "too many copies",
            Self::Unbalanced { .. } => "unbalanced",
            Self::StopWasCut => "stop was cut",
            Self::NotRepeatable => "not repeatable",
            Self::Broken(_) => "broken",
        }
    }

    /// The alert it is about.
    pub(crate) fn alert(&self) -> Option<usize> {
        match self {
            Self::Lost { alert, .. }
            | Self::NotTheNewest { alert, .. }
            | Self::Doubled { alert, .. }
            | Self::Mute { alert, .. } => Some(*alert),
            Self::Flooded { .. }
            | Self::Waited { .. }
            | Self::NotQuiet(_)
            | Self::TooManyCopies { .. }
            | Self::Unbalanced { .. }
            | Self::StopWasCut
            | Self::NotRepeatable
            | Self::Broken(_) => None,
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost { alert, event } => {
                write!(formatter, "alert {alert} is lost: its state {event} was accepted and is nowhere")
            }
            Self::NotTheNewest { alert, shown, newest } => write!(
                formatter,
                "the last card about alert {alert} shows state {shown}, and the newest is {newest}"
            ),
            Self::Doubled { alert, event, cards } => {
                write!(formatter, "state {event} of alert {alert} stands on {cards} cards")
            }
            Self::Flooded { bot, requests } => {
                write!(formatter, "bot {bot} was sent {requests} cards more than it takes")
            }
            Self::Mute { alert, event } => {
                write!(formatter, "alert {alert} is mute: its state {event}, sent in calm, is on no card")
            }
            Self::Waited { event, seconds } => {
                write!(formatter, "state {event} waited {seconds} s, and only another receiver was ill")
            }
            Self::NotQuiet((ready, in_hand, parked)) => write!(
                formatter,
                "messages are left: {ready} ready, {in_hand} in hand, {parked} in retry queues"
            ),
            Self::TooManyCopies { most, requests } => {
                write!(formatter, "the queue held {most} messages, and there were {requests} requests")
            }
            Self::Unbalanced { came, ended } => {
                write!(formatter, "{came} alerts came, and {ended} outcomes were counted")
            }
            Self::StopWasCut => formatter.write_str("a stop in calm took longer than its grace"),
            Self::NotRepeatable => formatter.write_str("run again, the seed goes another way"),
            Self::Broken(why) => write!(formatter, "the simulation failed: {why}"),
        }
    }
}

/// How much happened in all.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    accepted: usize,
    cards: usize,
    on_cards: usize,
    dead: usize,
}

impl Tally {
    pub(crate) fn of(records: &Records) -> Self {
        Self {
            accepted: records.events.iter().filter(|event| event.accepted.is_some()).count(),
            cards: records.cards.len(),
            on_cards: records.cards.iter().map(|card| card.events.len()).sum(),
            dead: records.dead.len(),
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.accepted += other.accepted;
        self.cards += other.cards;
        self.on_cards += other.on_cards;
        self.dead += other.dead;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { accepted, cards, on_cards, dead } = self;
        write!(formatter, "{accepted} states accepted; {on_cards} on {cards} cards; {dead} in dead letters")
    }
}

/// What has to hold once everything was well again for long enough.
pub(crate) fn after_faults(records: &Records, plan: &Plan) -> Vec<Violation> {
    let mut found = Vec::new();
    for alert in 0..plan.alerts {
        found.extend(newest_is_delivered(records, alert, is_order_known(plan)));
    }
    if !has_copies_tried_apart(plan) {
        found.extend(doubles(records, |event| doubles_max(records, plan, event)));
    }
    found.extend(floods(records, plan));
    found.extend(neighbours(records, plan));
    found
}

/// The queue is bounded by what was sent.
pub(crate) fn memory(records: &Records, plan: &Plan, most: usize) -> Option<Violation> {
    let requests = records.events.iter().map(|event| event.envelopes.len()).sum::<usize>();
    // A broker that takes seconds for everything, for minutes, confirms next to nothing in time.
    let is_slow = |fault: &Fault| matches!(fault, Fault::During(Condition::SlowBroker, _));
    let each = MESSAGES_PER_REQUEST_MAX * if plan.has(is_slow) { 4 } else { 1 };
    (most > each * requests.max(4)).then_some(Violation::TooManyCopies { most, requests })
}

/// Each alert that came has one outcome, and none has less. More are counted where the broker itself makes copies of an
/// envelope whose alerts were known already, for nothing says then that it was counted before. What a process that dies
/// had counted is gone, and without the database an alert may be delivered by several.
pub(crate) fn accounts(records: &Records, plan: &Plan, ended: u64) -> Option<Violation> {
    let came: u64 = records.came.values().sum();
    let makes_copies = |fault: &Fault| match fault {
        Fault::During(condition, _) => matches!(
            condition,
            Condition::BrokerAway | Condition::LateConfirms | Condition::Nacks | Condition::SlowBroker
        ),
        Fault::CutConsuming(_) | Fault::CutPublishing(_) | Fault::CutAll(_) | Fault::CutIngest(_) => true,
        Fault::KillIngest(_) | Fault::Kill(..) | Fault::Stop(..) | Fault::Jump(..) => false,
    };
    let is_wrong = if plan.has(makes_copies) { ended < came } else { ended != came };
    let is_unknown = plan.has(|fault| matches!(fault, Fault::Kill(..)) || is_of_database(fault));
    (is_wrong && !is_unknown).then_some(Violation::Unbalanced { came, ended })
}

/// What was sent in calm, after `since`, is on a card.
pub(crate) fn nobody_is_mute(records: &Records, plan: &Plan, since: Duration) -> Vec<Violation> {
    let is_new = |event: &Event| event.instance >= since;
    let reminders_are_late = plan.has(is_by_hours);
    let mute = |(number, event): (usize, &Event)| {
        let (at, _) = event.accepted?;
        let is_delivered = records.cards.iter().any(|card| card.at >= since && card.events.contains(&number));
        let is_due = at >= since && (is_new(event) || !reminders_are_late);
        (is_due && !is_delivered).then_some(Violation::Mute { alert: event.alert, event: number })
    };
    records.events.iter().enumerate().filter_map(mute).collect()
}

/// Where a state stands among those of its alert: by its firing, and its end comes last.
fn rank(event: &Event) -> (Duration, bool) {
    (event.instance, event.status == Status::Resolved)
}

/// Whether people see the same: two firings that began within a minute are one, whose stamps differ by replica.
fn looks_the_same(one: &Event, other: &Event) -> bool {
    one.alert == other.alert
        && one.status == other.status
        && one.instance.abs_diff(other.instance) <= Duration::from_mins(1)
}

/// Whether two events are the same state of the same alert.
fn is_same(one: &Event, other: &Event) -> bool {
    (one.alert, one.instance, one.status == Status::Firing)
        == (other.alert, other.instance, other.status == Status::Firing)
}

/// The newest accepted state of an alert is on a card or in a dead letter, and the last card shows it.
fn newest_is_delivered(records: &Records, alert: usize, is_order_known: bool) -> Option<Violation> {
    let of_alert = |event: &&(usize, &Event)| event.1.alert == alert && event.1.accepted.is_some();
    let (newest, state) =
        records.events.iter().enumerate().filter(|it| of_alert(&it)).rfind(|(_, event)| !event.is_twin)?;
    let is_it = |event: &usize| records.events.get(*event).is_some_and(|event| looks_the_same(event, state));
    if records.dead.iter().any(|(_, event)| is_it(event)) {
        return None;
    }
    // What was answered 503 may be stored, and delivered, all the same.
    let is_newer = |event: &usize| {
        records.events.get(*event).is_some_and(|event| {
            event.alert == alert && (rank(event) >= rank(state) || looks_the_same(event, state))
        })
    };
    let delivered = |is_meant: &dyn Fn(&usize) -> bool| {
        records.cards.iter().any(|card| card.events.iter().any(is_meant))
            || records.dead.iter().any(|(_, event)| is_meant(event))
    };
    if !delivered(&is_newer) {
        return Some(Violation::Lost { alert, event: newest });
    }
    let is_of_alert = |event: &&usize| records.events.get(**event).is_some_and(|event| event.alert == alert);
    let last = records.cards.iter().rev().find_map(|card| card.events.iter().find(is_of_alert))?;
    // The other one of the pair may have said last that it fires: then it does.
    let mut of_twin = records.events.iter().filter(|event| event.alert == alert && event.is_twin);
    let twin_goes_on =
        of_twin.rfind(|event| event.accepted.is_some()).is_some_and(|last| !is_same(last, state));
    let is_older = records
        .events
        .get(*last)
        .is_some_and(|shown| rank(shown) < rank(state) && !looks_the_same(shown, state));
    (is_older && is_order_known && !twin_goes_on).then_some(Violation::NotTheNewest {
        alert,
        shown: *last,
        newest,
    })
}

/// Whether it is always known what was delivered last. Without the database workers may pass each other, one that ends takes along
/// what it knew, and an end that is repeated meanwhile is nowhere for whoever waits to see it. And what an ingest says of
/// the next hours is held to be no newer than what is stamped right.
fn is_order_known(plan: &Plan) -> bool {
    !plan.has(|fault| is_of_database(fault) || is_by_hours(fault))
}

/// Whether a clock is off by so much that a repeat counts as one of hours later, or as one of hours ago.
fn is_by_hours(fault: &Fault) -> bool {
    matches!(fault, Fault::Jump(_, by_ms) if by_ms.abs() > 60_000)
}

fn is_of_database(fault: &Fault) -> bool {
    matches!(
        fault,
        Fault::During(
            Condition::DatabaseAway
                | Condition::DatabaseSlow
                | Condition::DatabaseErrors
                | Condition::DatabaseLosesAnswers,
            _
        )
    )
}

/// Whether copies of an envelope meet with answers that come too late or not at all. Each copy is tried by itself, at pauses
/// that grow: how often a state is shown then goes by how many copies there are, which has a limit of its own.
fn has_copies_tried_apart(plan: &Plan) -> bool {
    let is_unanswered = |fault: &Fault| {
        matches!(
            fault,
            Fault::During(
                Condition::FeishuSlow(_) | Condition::FeishuLosesAnswers(_) | Condition::FeishuErrors(_),
                _
            )
        )
    };
    let is_unconfirmed = |fault: &Fault| {
        matches!(fault, Fault::During(Condition::LateConfirms | Condition::SlowBroker | Condition::Nacks, _))
    };
    plan.has(is_unanswered) && plan.has(is_unconfirmed)
}

/// Whether something in the plan may cost a second card: an answer that was lost, a worker that died before it could write
/// down what it had done, a database that could not be asked.
fn may_double(plan: &Plan) -> bool {
    // What one of a pair says minutes after the other means that the alert has returned.
    let has_pairs = plan.groups.iter().any(|group| group.twin_after.is_some());
    plan.has(|fault| match fault {
        Fault::During(Condition::SlowBroker | Condition::LateConfirms | Condition::BrokerAway, _) => {
            has_pairs
        }
        Fault::During(condition, _) => matches!(
            condition,
            Condition::FeishuSlow(_)
                | Condition::FeishuLosesAnswers(_)
                | Condition::DatabaseAway
                | Condition::DatabaseSlow
                | Condition::DatabaseErrors
                | Condition::DatabaseLosesAnswers
        ),
        Fault::Kill(..) | Fault::Stop(..) => true,
        Fault::Jump(..) => is_by_hours(fault),
        Fault::CutConsuming(_)
        | Fault::CutPublishing(_)
        | Fault::CutAll(_)
        | Fault::CutIngest(_)
        | Fault::KillIngest(_) => false,
    })
}

/// On how many cards the state of this event may be.
fn doubles_max(records: &Records, plan: &Plan, event: usize) -> usize {
    if !may_double(plan) {
        return 1;
    }
    let Some(event) = records.events.get(event).filter(|_| plan.has(is_of_database)) else {
        return DOUBLES_MAX;
    };
    let says_the_same = records.events.iter().filter(|other| is_same(other, event));
    let requests = says_the_same.map(|event| event.envelopes.len()).sum::<usize>();
    DOUBLES_MAX.max(DOUBLES_PER_REQUEST_MAX * requests)
}

fn doubles(records: &Records, most: impl Fn(usize) -> usize) -> Vec<Violation> {
    // By state: its first event, and on how many cards it is.
    let mut states: BTreeMap<(usize, Duration, bool), (usize, usize)> = BTreeMap::new();
    for card in &records.cards {
        let mut on_card: Vec<_> = card
            .events
            .iter()
            .filter_map(|number| {
                let event = records.events.get(*number)?;
                Some(((event.alert, event.instance, event.status == Status::Firing), *number))
            })
            .collect();
        on_card.dedup_by_key(|(state, _)| *state);
        for (state, number) in on_card {
            states.entry(state).or_insert((number, 0)).1 += 1;
        }
    }
    let doubled = states.into_iter().filter(|(_, (event, cards))| *cards > most(*event));
    doubled.map(|((alert, ..), (event, cards))| Violation::Doubled { alert, event, cards }).collect()
}

fn floods(records: &Records, plan: &Plan) -> Vec<Violation> {
    (0..plan.bots)
        .filter_map(|bot| {
            let requests = records.floods.iter().filter(|(_, flooded)| *flooded == bot).count();
            (requests > 0).then_some(Violation::Flooded { bot, requests })
        })
        .collect()
}

/// Where only the first bot was ever ill, the others' alerts take no longer than ever.
fn neighbours(records: &Records, plan: &Plan) -> Vec<Violation> {
    let is_of_first = |fault: &Fault| match fault {
        Fault::During(condition, _) => matches!(
            condition,
            Condition::FeishuAway(0)
                | Condition::FeishuSlow(0)
                | Condition::FeishuThrottles(0)
                | Condition::FeishuUnknown(0)
                | Condition::FeishuErrors(0)
                | Condition::FeishuBroken(0)
        ),
        Fault::CutConsuming(_)
        | Fault::CutPublishing(_)
        | Fault::CutAll(_)
        | Fault::CutIngest(_)
        | Fault::KillIngest(_)
        | Fault::Kill(..)
        | Fault::Stop(..)
        | Fault::Jump(..) => false,
    };
    if plan.bots < 2 || plan.has(|fault| !is_of_first(fault)) {
        return Vec::new();
    }
    let waited = |(number, event): (usize, &Event)| {
        let (at, _) = event.accepted?;
        let card = records.cards.iter().find(|card| card.bot > 0 && card.events.contains(&number))?;
        let waited = card.at.saturating_sub(at);
        (waited > NEIGHBOUR_MAX).then_some(Violation::Waited { event: number, seconds: waited.as_secs() })
    };
    records.events.iter().enumerate().filter_map(waited).collect()
}
