use jiff::Timestamp;
use proptest::collection::vec;
use proptest::prelude::*;
use shared::alert::Status;
use shared::config::DedupConfig;
use shared::envelope::EnvelopeId;

use super::*;
use crate::ledger::row::{Holder, State};

const BEGIN: i64 = 1_700_000_000;

/// A firing that began and was received at the beginning.
fn firing() -> Event<'static> {
    let begin = Timestamp::from_second(BEGIN).unwrap();
    Event {
        receiver: "ops",
        fingerprint: "a",
        status: Status::Firing,
        starts_at: Some(begin),
        received_at: begin,
        envelope: EnvelopeId::new(begin, [1; 10]),
        forced: false,
    }
}

fn state(status: Status, seen_s: i64) -> State {
    State { instance: BEGIN * 1_000, status, seen: (BEGIN + seen_s) * 1_000 }
}

/// Firing was claimed, and seen again later; in between somebody without the database has told the end of it.
#[test]
fn a_claim_that_stands_for_newer_events_is_told_whatever_was_told_before_those() {
    let (policy, now) = (Policy::new(&DedupConfig::default(), Holder(1)), (BEGIN + 400) * 1_000);
    let event = firing();
    let claim = policy.claim(state(Status::Firing, 300), &event, now);
    let other = EnvelopeId::new(event.received_at, [2; 10]);
    let told = Told { state: state(Status::Resolved, 160), at: now, envelope: other };
    let row = Row { told: Some(told), claim: Some(claim) };

    assert_eq!(proven(&row, &event, now, &policy), None, "the cache does not let it go");
    assert_eq!(confirm(Some(&row), &event, true, now, &policy).0, Decision::Tell(Occasion::Again));
    let after = tell(Some(&row), &event, now, &policy).unwrap();
    assert_eq!(after.told.map(|told| told.state), Some(state(Status::Firing, 300)));
    assert_eq!(after.claim, None);
}

/// Later than whatever is received, and too early for reminders of it.
const NOW: Millis = (BEGIN + 5_000) * 1_000;
/// Firings of one alert are so far apart.
const INSTANCES_APART_S: i64 = 1_200;

/// Which firing of the alert, how far apart its replica's stamp is, when it was received after that, and what it says.
type Arrival = (i64, i64, i64, Status);

fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let status = prop_oneof![Just(Status::Firing), Just(Status::Resolved)];
    // Half a jitter apart, so that some count for the same moment.
    let received = (2_i64..12).prop_map(|steps| steps * 30);
    vec((0_i64..3, 0_i64..=60, received, status), 1..8)
}

fn event(number: usize, (instance, apart_s, after_s, status): Arrival) -> Event<'static> {
    let at = |seconds| Timestamp::from_second(BEGIN + instance * INSTANCES_APART_S + seconds).unwrap();
    let envelope = EnvelopeId::new(at(0), [u8::try_from(number).unwrap(); 10]);
    Event { starts_at: Some(at(apart_s)), received_at: at(after_s), status, envelope, ..firing() }
}

/// The row after all of them, each told as soon as it may be; and what was told, in that order.
fn told_of(events: &[Event<'static>], policy: &Policy) -> (Row, Vec<Event<'static>>) {
    let (mut row, mut told) = (None, Vec::new());
    for event in events {
        let (decision, next) = decide(row.as_ref(), event, NOW, policy);
        row = next.or(row);
        if let Decision::Tell(_) = decision {
            row = tell(row.as_ref(), event, NOW, policy).or(row);
            told.push(*event);
        }
    }
    (row.unwrap_or_default(), told)
}

/// Of the newest firing what came last, where the end of it counts as `jitter` later.
fn newest(arrivals: &[Arrival]) -> (i64, Status) {
    let rank = |(instance, _, after_s, status): &Arrival| {
        let is_over = *status == Status::Resolved;
        (*instance, after_s + i64::from(is_over) * 60, is_over)
    };
    let last = arrivals.iter().max_by_key(|arrival| rank(arrival)).unwrap();
    (last.0, last.3)
}

proptest! {
    #[test]
    fn in_whatever_order_and_however_often_events_come_the_newest_state_is_told_and_then_nothing_more(
        arrivals in arrivals(),
        order in vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let policy = Policy::new(&DedupConfig::default(), Holder(1));
        let all: Vec<_> = arrivals.iter().enumerate().map(|(number, arrival)| event(number, *arrival)).collect();
        // Some of them several times, and then each of them once, the last ones first.
        let mut events: Vec<_> = order.iter().map(|index| *index.get(&all)).collect();
        events.extend(all.iter().rev());
        let (row, told) = told_of(&events, &policy);

        let (instance, status) = newest(&arrivals);
        let last = row.told.unwrap().state;
        prop_assert_eq!(last.status, status);
        let began = (BEGIN + instance * INSTANCES_APART_S) * 1_000;
        prop_assert!((began..=began + 60_000).contains(&last.instance), "{last:?}");
        prop_assert_eq!(row.claim, None);
        prop_assert_eq!(told_of_again(&events, &row, &policy), 0, "it was all told");
        // Never the same twice in a row: somebody would be paged for nothing.
        let is_twice = |pair: &[Event<'_>]| {
            let apart = |one: &Event<'_>, other: &Event<'_>| one.started().unwrap().abs_diff(other.started().unwrap());
            pair[0].status == pair[1].status && apart(&pair[0], &pair[1]) <= 60_000
        };
        prop_assert!(!told.windows(2).any(is_twice), "{told:?}");
    }
}

/// How many of them would be told now.
fn told_of_again(events: &[Event<'static>], row: &Row, policy: &Policy) -> usize {
    let is_told = |event: &&Event<'_>| matches!(decide(Some(row), event, NOW, policy).0, Decision::Tell(_));
    events.iter().filter(is_told).count()
}
