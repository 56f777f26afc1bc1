//! Clocks that are wrong, and firings that follow an end at once.

use super::*;

const HOUR: i64 = 3_600;
/// The end of the year 9999, as seen from the beginning.
const NEVER: i64 = 253_402_100_000 - BEGIN;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(BEGIN + seconds).unwrap()
}

fn fires(began: i64, received: i64) -> Event<'static> {
    let envelope = EnvelopeId::new(at(0), [u8::try_from(received.rem_euclid(251)).unwrap(); 10]);
    Event { starts_at: Some(at(began)), received_at: at(received), envelope, ..firing() }
}

fn ends(began: i64, ended: i64, received: i64) -> Event<'static> {
    Event { status: Status::Resolved, ends_at: Some(at(ended)), ..fires(began, received) }
}

fn policy() -> Policy {
    Policy::new(&DedupConfig::default(), Holder(1))
}

/// A row; whatever is to be delivered is, at once.
#[derive(Default)]
struct Ledger(Option<LedgerRow>);

impl Ledger {
    fn hears(&mut self, event: Event<'static>, now: i64) -> Decision {
        let now = (BEGIN + now) * 1_000;
        let proven = self.0.as_ref().and_then(|row| proven(row, &event, now, &policy()));
        let (decision, next) = decide(self.0.as_ref(), &event, now, &policy());
        assert!(
            proven.is_none_or(|proven| proven == decision),
            "the cache says {proven:?}, the row {decision:?}"
        );
        self.0 = next.or(self.0);
        if let Decision::Deliver(_) = decision {
            self.0 = record_delivered(self.0.as_ref(), &event, now, &policy()).or(self.0);
        }
        decision
    }

    /// It is received and decided about at that time.
    fn hears_at_once(&mut self, event: Event<'static>) -> Decision {
        self.hears(event, event.received_at.as_second() - BEGIN)
    }
}

const NEW: Decision = Decision::Deliver(Occasion::New);
const RESOLVED: Decision = Decision::Deliver(Occasion::Resolved);
const RETURNED: Decision = Decision::Deliver(Occasion::Returned);

#[test]
fn a_stamp_ahead_of_all_clocks_mutes_no_alert_that_is_stamped_right() {
    for ahead in [8 * HOUR, 24 * HOUR, NEVER] {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.hears_at_once(fires(ahead, 30)), NEW, "{ahead}");
        assert_eq!(ledger.hears_at_once(fires(0, 40)), Decision::Duplicate, "{ahead}: the twin's stamp");
        assert_eq!(ledger.hears_at_once(fires(ahead, 330)), Decision::Duplicate, "{ahead}");
        assert_eq!(ledger.hears_at_once(ends(0, 590, 600)), RESOLVED, "{ahead}");
        assert_eq!(ledger.hears_at_once(fires(900, 930)), NEW, "{ahead}");
        assert_eq!(ledger.hears_at_once(ends(900, 1_190, 1_200)), RESOLVED, "{ahead}");
    }
}

#[test]
fn alerts_of_a_host_that_is_always_ahead_are_delivered_like_any_other() {
    for ahead in [8 * HOUR, NEVER] {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.hears_at_once(fires(ahead, 30)), NEW);
        for repeat in 1..20 {
            assert_eq!(ledger.hears_at_once(fires(ahead, 30 + repeat * 120)), Decision::Duplicate, "{ahead}");
        }
        assert_eq!(ledger.hears_at_once(ends(ahead, ahead, 2_600)), RESOLVED, "{ahead}");
        assert_eq!(ledger.hears_at_once(fires(ahead + 100, 2_900)), RETURNED, "{ahead}");
    }
}

#[test]
fn a_host_that_was_an_hour_ahead_mutes_nothing_once_it_is_set_right() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.hears_at_once(fires(HOUR, HOUR + 30)), NEW);
    assert_eq!(
        ledger.hears_at_once(fires(100, 130)),
        Decision::Duplicate,
        "it fires on, as we have delivered"
    );
    assert_eq!(ledger.hears_at_once(ends(100, 290, 300)), RESOLVED);
    assert_eq!(ledger.hears_at_once(fires(400, 430)), NEW);
    let mut ledger = Ledger::default();
    assert_eq!(ledger.hears_at_once(fires(HOUR, HOUR + 30)), NEW);
    assert_eq!(ledger.hears_at_once(ends(HOUR, HOUR + 100, HOUR + 110)), RESOLVED);
    assert_eq!(ledger.hears_at_once(fires(200, 230)), RETURNED);
}

#[test]
fn reminders_go_on_once_a_clock_that_was_ahead_is_set_right() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.hears_at_once(fires(24 * HOUR, 24 * HOUR)), NEW);
    assert_eq!(ledger.hears_at_once(fires(0, 60)), Decision::Duplicate);
    assert_eq!(ledger.hears_at_once(fires(0, 60 + HOUR)), Decision::Deliver(Occasion::Reminder));
}

/// Of a pair each says so; neither is news at any other time.
#[test]
fn a_repeat_that_its_sender_wants_is_a_reminder_where_that_is_set() {
    for (sender_repeats, wanted) in
        [(true, Decision::Deliver(Occasion::Reminder)), (false, Decision::Duplicate)]
    {
        let policy = Policy { sender_repeats, ..policy() };
        let repeat = |received| Event { is_repeat: true, ..fires(0, received) };
        let mut row = None;
        let mut hears = |event: Event<'static>| {
            let now = event.received();
            let (decision, next) = decide(row.as_ref(), &event, now, &policy);
            row = next.or(row);
            if let Decision::Deliver(_) = decision {
                row = record_delivered(row.as_ref(), &event, now, &policy).or(row);
            }
            decision
        };
        assert_eq!(hears(fires(0, 30)), NEW);
        assert_eq!(hears(fires(0, 1_000)), Decision::Duplicate, "somebody else of its group is new");
        assert_eq!(hears(repeat(1_200)), wanted);
        assert_eq!(hears(repeat(1_215)), Decision::Duplicate, "the other one of the pair");
        assert_eq!(hears(repeat(2_400)), wanted);
        assert_eq!(hears(ends(0, 2_490, 2_500)), RESOLVED);
    }
}

/// Ours is three hours behind that of everybody else.
#[test]
fn a_worker_whose_own_clock_is_behind_keeps_the_order() {
    let mut ledger = Ledger::default();
    let late = -3 * HOUR;
    let mut hears = |event: Event<'static>| ledger.hears(event, event.received_at.as_second() - BEGIN + late);
    assert_eq!(hears(fires(0, 30)), NEW);
    assert_eq!(hears(fires(3, 33)), Decision::Duplicate);
    assert_eq!(hears(ends(0, 590, 600)), RESOLVED);
    assert_eq!(hears(fires(0, 500)), Decision::Superseded, "it was received before the end");
    assert_eq!(hears(fires(700, 730)), NEW);
    assert_eq!(hears(ends(0, 590, 740)), Decision::Superseded, "the end of another");
    assert_eq!(hears(fires(1_500, 1_530)), NEW, "without an end between them");
}

/// It was three hours ahead when it delivered that.
#[test]
fn a_worker_whose_own_clock_is_ahead_does_not_put_anybody_else_off() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.hears(fires(0, 30), 3 * HOUR), NEW);
    assert_eq!(ledger.hears_at_once(fires(0, 90)), Decision::Duplicate);
    assert_eq!(ledger.hears_at_once(ends(0, 590, 600)), RESOLVED);
    assert_eq!(ledger.hears_at_once(fires(700, 730)), NEW);
}

#[test]
fn a_firing_that_began_after_the_end_is_delivered_at_once() {
    for (began, ended, again) in [(0, 95, 98), (50, 95, 95), (50, 55, 60)] {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.hears_at_once(fires(began, 60)), NEW);
        assert_eq!(ledger.hears_at_once(ends(began, ended, 100)), RESOLVED);
        assert_eq!(ledger.hears_at_once(fires(again, 105)), NEW, "{began} {ended} {again}");
        assert_eq!(
            ledger.hears_at_once(ends(began, ended, 140)),
            Decision::Superseded,
            "the end comes again"
        );
        assert_eq!(ledger.hears_at_once(ends(again, 190, 200)), RESOLVED, "and its own is delivered");
    }
}

fn deferred_until(seconds: i64) -> Decision {
    Decision::Defer { until: at(seconds) }
}

/// The replica's flush was under way at the end, and it sends that once more at its next one.
#[test]
fn a_replica_that_says_firing_after_the_end_undoes_nothing() {
    let mut ledger = Ledger::default();
    assert_eq!(ledger.hears_at_once(fires(0, 30)), NEW);
    assert_eq!(ledger.hears_at_once(ends(0, 98, 100)), RESOLVED);
    let late = fires(0, 113);
    assert_eq!(ledger.hears_at_once(late), deferred_until(460));
    assert_eq!(ledger.hears(late, 300), deferred_until(460), "it comes back before that can be said");
    assert_eq!(ledger.hears_at_once(ends(0, 98, 413)), Decision::Duplicate);
    assert_eq!(ledger.hears(late, 470), Decision::Superseded);
}

/// It was cut off, so Alertmanager has let the alert end; then it comes back with the old stamp.
#[test]
fn a_return_with_the_same_stamp_is_delivered_unless_the_end_comes_again() {
    for (ended, until) in [(98, 460), (20, 220)] {
        let mut ledger = Ledger::default();
        assert_eq!(ledger.hears_at_once(fires(0, 30)), NEW);
        assert_eq!(ledger.hears_at_once(ends(0, ended, 100)), RESOLVED);
        let back = fires(0, 113);
        assert_eq!(ledger.hears_at_once(back), deferred_until(until));
        assert_eq!(ledger.hears(back, until), RETURNED);
        assert_eq!(ledger.hears(fires(0, 150), until), Decision::Duplicate);
        assert_eq!(ledger.hears(ends(0, ended, 100), until), Decision::Superseded, "delivered again");
        assert_eq!(ledger.hears(ends(0, 590, 600), 600), RESOLVED);
    }
}

/// What a worker writes that does not know of the edges: they stay as they were.
#[test]
fn an_edge_that_an_older_worker_has_left_in_the_row_is_not_believed() {
    let delivered = |status, seen, edge: i64| {
        let state = AlertState { edge: Some((BEGIN + edge) * 1_000), ..state(status, seen) };
        Ledger(Some(LedgerRow {
            delivered: Some(DeliveredState { state, at: NOW, envelope: firing().envelope }),
            claim: None,
        }))
    };
    // The end of an earlier firing, in the row of this one and of its end.
    assert_eq!(delivered(Status::Firing, 500, -10).hears_at_once(ends(0, 590, 600)), RESOLVED);
    assert_eq!(delivered(Status::Resolved, 660, -10).hears_at_once(fires(0, 613)), deferred_until(960));
    // The end before this firing has returned.
    assert_eq!(delivered(Status::Firing, 500, 200).hears_at_once(ends(0, 590, 600)), RESOLVED);
}

/// Which clock is ahead by how much: the sender's, and the one that it was received by.
fn skews() -> impl Strategy<Value = (i64, i64)> {
    let skew = || prop_oneof![Just(0), Just(90), Just(HOUR), Just(8 * HOUR), Just(NEVER)];
    (skew(), prop_oneof![Just(0), Just(90), Just(HOUR)])
}

proptest! {
    #[test]
    fn whatever_clocks_have_said_before_states_that_are_stamped_right_are_delivered(
        before in vec((arrivals(), skews()), 0..3),
    ) {
        let mut ledger = Ledger::default();
        for (arrivals, (sender, ingest)) in before {
            for (number, arrival) in arrivals.into_iter().enumerate() {
                let event = event(number, arrival);
                let began = event.starts_at.unwrap().as_second() - BEGIN + sender + ingest;
                let received = event.received_at.as_second() - BEGIN + ingest;
                ledger.hears(Event { starts_at: Some(at(began)), received_at: at(received), ..event }, received - ingest);
            }
        }
        let status = |ledger: &Ledger| ledger.0.and_then(|row| row.delivered).map(|delivered| delivered.state.status);
        let begin = 10_000;
        ledger.hears_at_once(fires(begin, begin + 30));
        prop_assert_eq!(status(&ledger), Some(Status::Firing));
        prop_assert_eq!(ledger.hears_at_once(ends(begin, begin + 290, begin + 300)), RESOLVED);
        prop_assert_eq!(ledger.hears_at_once(fires(begin + 310, begin + 340)), NEW);
        prop_assert_eq!(ledger.hears_at_once(ends(begin + 310, begin + 590, begin + 600)), RESOLVED);
    }
}

/// By an ingest whose clock was set hours ahead, while the end itself still waits to be delivered.
#[test]
fn an_end_that_a_clock_ahead_says_again_has_come_again_whatever_is_handed_in_after_it() {
    let policy = policy();
    let ms = |seconds: i64| (BEGIN + seconds) * 1_000;
    let row = record_delivered(None, &fires(0, 30), ms(30), &policy);
    let end = ends(0, 98, 100);
    let (decision, row) = decide(row.as_ref(), &end, ms(100), &policy);
    assert_eq!(decision, RESOLVED);
    let (decision, row) = decide(row.as_ref(), &ends(0, 98, 8 * HOUR), ms(130), &policy);
    assert_eq!(decision, Decision::Duplicate);
    // Its own envelope comes back from a pause.
    let (decision, again) = decide(row.as_ref(), &end, ms(160), &policy);
    assert_eq!(decision, Decision::Deliver(Occasion::Again));
    let row = again.or(row);
    let (decision, _) = decide(row.as_ref(), &fires(0, 113), ms(470), &policy);
    assert_eq!(decision, Decision::Superseded, "a replica was late");
}
