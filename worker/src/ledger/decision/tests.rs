mod clocks;

use config::DedupConfig;
use jiff::Timestamp;
use model::alert::Status;
use model::envelope::EnvelopeId;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::ledger::row::{AlertState, Holder};

const BEGIN: i64 = 1_700_000_000;

/// A firing that began and was received at the beginning.
fn firing() -> Event<'static> {
    let begin = Timestamp::from_second(BEGIN).unwrap();
    Event {
        receiver: "ops",
        fingerprint: "a",
        status: Status::Firing,
        starts_at: Some(begin),
        ends_at: None,
        received_at: begin,
        is_repeat: false,
        envelope: EnvelopeId::new(begin, [1; 10]),
        forced: false,
    }
}

fn state(status: Status, seen_s: i64) -> AlertState {
    AlertState { instance: BEGIN * 1_000, status, seen: (BEGIN + seen_s) * 1_000, edge: None }
}

/// Firing was claimed, and seen again later; in between somebody without the database has delivered the end of it.
#[test]
fn a_claim_that_stands_for_newer_events_is_delivered_whatever_was_delivered_before_those() {
    let policy = Policy::new(&DedupConfig::default(), Holder(1));
    let now = (BEGIN + 400) * 1_000;
    let event = firing();
    let claim = policy.claim(state(Status::Firing, 300), &event, now);
    let other = EnvelopeId::new(event.received_at, [2; 10]);
    let delivered = DeliveredState { state: state(Status::Resolved, 160), at: now, envelope: other };
    let row = LedgerRow { delivered: Some(delivered), claim: Some(claim) };

    assert_eq!(proven(&row, &event, now, &policy), None, "the cache does not let it go");
    assert_eq!(confirm(Some(&row), &event, true, now, &policy).0, Decision::Deliver(Occasion::Again));
    let after = record_delivered(Some(&row), &event, now, &policy).unwrap();
    let edge = event.started();
    assert_eq!(
        after.delivered.map(|delivered| delivered.state),
        Some(AlertState { edge, ..state(Status::Firing, 300) })
    );
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

fn event(number: usize, arrival: Arrival) -> Event<'static> {
    let (instance, apart_s, after_s, status) = arrival;
    let at = |seconds| Timestamp::from_second(BEGIN + instance * INSTANCES_APART_S + seconds).unwrap();
    let envelope = EnvelopeId::new(at(0), [u8::try_from(number).unwrap(); 10]);
    Event { starts_at: Some(at(apart_s)), received_at: at(after_s), status, envelope, ..firing() }
}

/// The row after all of them, each delivered as soon as it may be; and what was delivered, in that order.
fn delivered_of(events: &[Event<'static>], policy: &Policy) -> (LedgerRow, Vec<Event<'static>>) {
    let mut row = None;
    let mut delivered = Vec::new();
    for event in events {
        let (decision, next) = decide(row.as_ref(), event, NOW, policy);
        row = next.or(row);
        if let Decision::Deliver(_) = decision {
            row = record_delivered(row.as_ref(), event, NOW, policy).or(row);
            delivered.push(*event);
        }
    }
    (row.unwrap_or_default(), delivered)
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

/// Whether something fires within a jitter of the last end of that firing.
fn is_unclear(arrivals: &[Arrival], instance: i64) -> bool {
    let of_it = |status| {
        let is_it = move |arrival: &&Arrival| arrival.0 == instance && arrival.3 == status;
        arrivals.iter().filter(is_it).map(|arrival| arrival.2)
    };
    of_it(Status::Resolved)
        .max()
        .is_some_and(|end| of_it(Status::Firing).any(|after| (1..=60).contains(&(after - end))))
}

proptest! {
    #[test]
    fn in_whatever_order_and_however_often_events_come_the_newest_state_is_delivered_and_then_nothing_more(
        arrivals in arrivals(),
        order in vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let policy = Policy::new(&DedupConfig::default(), Holder(1));
        let all: Vec<_> = arrivals.iter().enumerate().map(|(number, arrival)| event(number, *arrival)).collect();
        // Some of them several times, and then each of them once, the last ones first.
        let mut events: Vec<_> = order.iter().map(|index| *index.get(&all)).collect();
        events.extend(all.iter().rev());
        let (row, delivered) = delivered_of(&events, &policy);

        let (instance, status) = newest(&arrivals);
        let last = row.delivered.unwrap().state;
        // A firing soon after the end may have been decided about before it, or after: the latter is delivered as a return.
        let is_unclear = is_unclear(&arrivals, instance);
        prop_assert!(last.status == status || is_unclear, "{last:?}");
        let began = (BEGIN + instance * INSTANCES_APART_S) * 1_000;
        prop_assert!((began..=began + 60_000).contains(&last.instance), "{last:?}");
        prop_assert_eq!(row.claim, None);
        prop_assert!(delivered_of_again(&events, &row, &policy) == 0 || is_unclear, "it was all delivered");
        // Never the same twice in a row: somebody would be paged for nothing.
        let is_twice = |pair: &[Event<'_>]| {
            let apart = |one: &Event<'_>, other: &Event<'_>| one.started().unwrap().abs_diff(other.started().unwrap());
            pair[0].status == pair[1].status && apart(&pair[0], &pair[1]) <= 60_000
        };
        prop_assert!(!delivered.windows(2).any(is_twice), "{delivered:?}");
    }
}

/// How many of them would be delivered now.
fn delivered_of_again(events: &[Event<'static>], row: &LedgerRow, policy: &Policy) -> usize {
    let is_delivered =
        |event: &&Event<'_>| matches!(decide(Some(row), event, NOW, policy).0, Decision::Deliver(_));
    events.iter().filter(is_delivered).count()
}

#[test]
fn what_makes_an_event_known_is_named_with_its_envelope() {
    let policy = Policy::new(&DedupConfig::default(), Holder(1));
    let event = firing();
    let other = EnvelopeId::new(Timestamp::UNIX_EPOCH, [2; 10]);
    // An end counts as seen a jitter later than it came.
    let delivered =
        |status| Some(DeliveredState { state: state(status, 60), at: BEGIN * 1_000, envelope: other });
    let later = EnvelopeId::new(Timestamp::UNIX_EPOCH, [3; 10]);
    let claim = |status, seen_s| {
        let until = (BEGIN + 900) * 1_000;
        Some(Claim { state: state(status, seen_s), until, envelope: later, holder: Holder(2) })
    };
    let by = |row: LedgerRow| {
        let by = known_by(&row, &event, BEGIN * 1_000, &policy)?;
        Some((by.reason, by.envelope))
    };
    let rows = [
        (
            LedgerRow { delivered: delivered(Status::Firing), claim: None },
            Some(("this state was delivered", other)),
        ),
        (
            LedgerRow { delivered: delivered(Status::Resolved), claim: None },
            Some(("a newer state was delivered", other)),
        ),
        (
            LedgerRow { delivered: None, claim: claim(Status::Firing, 0) },
            Some(("another envelope is about to deliver this state", later)),
        ),
        (
            LedgerRow { delivered: None, claim: claim(Status::Resolved, 60) },
            Some(("another envelope is about to deliver a newer state", later)),
        ),
        (LedgerRow::default(), None),
    ];
    for (row, expected) in rows {
        assert_eq!(by(row), expected, "{row:?}");
    }
}
