use jiff::Timestamp;
use model::envelope::EnvelopeId;

use super::*;
use crate::plan::Scope;
use crate::records::Card;

fn event(alert: usize, status: Status, minute: u64) -> Event {
    let id = EnvelopeId::new(Timestamp::UNIX_EPOCH, [1; 10]);
    Event {
        alert,
        status,
        instance: Duration::from_mins(minute),
        is_twin: false,
        accepted: Some((Duration::from_mins(minute), id)),
        envelopes: vec![id],
    }
}

fn card(minute: u64, events: &[usize]) -> Card {
    Card { at: Duration::from_mins(minute), bot: 0, events: events.to_vec(), is_answered: true }
}

fn records(events: Vec<Event>, cards: Vec<Card>) -> Records {
    Records { events, cards, ..Records::default() }
}

/// A plan in which nothing goes wrong.
fn calm() -> Plan {
    Plan { faults: Vec::new(), groups: Vec::new(), alerts: 1, bots: 1, ..Plan::of(1, &Scope::default()) }
}

#[test]
fn what_is_on_no_card_and_in_no_dead_letter_is_lost() {
    let mut records = records(vec![event(0, Status::Firing, 1)], Vec::new());
    assert_eq!(after_faults(&records, &calm()), [Violation::Lost { alert: 0, event: 0 }]);
    records.dead.push((Duration::from_mins(2), 0));
    assert_eq!(after_faults(&records, &calm()), []);
}

#[test]
fn the_last_card_shows_the_newest_state() {
    let states = vec![event(0, Status::Firing, 1), event(0, Status::Resolved, 1)];
    let right = records(states.clone(), vec![card(2, &[0]), card(3, &[1])]);
    assert_eq!(after_faults(&right, &calm()), []);
    let wrong = records(states, vec![card(2, &[1]), card(3, &[0])]);
    let expected = Violation::NotTheNewest { alert: 0, shown: 0, newest: 1 };
    assert_eq!(after_faults(&wrong, &calm()), [expected]);
}

#[test]
fn a_second_card_needs_a_reason() {
    let records = records(vec![event(0, Status::Firing, 1)], vec![card(2, &[0]), card(3, &[0])]);
    assert_eq!(after_faults(&records, &calm()), [Violation::Doubled { alert: 0, event: 0, cards: 2 }]);
    let lossy = Fault::During(Condition::FeishuLosesAnswers(0), Duration::from_mins(5));
    let plan = Plan { faults: vec![(Duration::ZERO, lossy)], ..calm() };
    assert_eq!(after_faults(&records, &plan), []);
}

#[test]
fn without_the_database_each_request_that_says_a_state_may_be_shown_again() {
    let said = vec![event(0, Status::Firing, 1), event(0, Status::Firing, 1)];
    let shown = |cards: u64| records(said.clone(), (2..2 + cards).map(|minute| card(minute, &[0])).collect());
    let with = |condition| {
        let fault = Fault::During(condition, Duration::from_mins(5));
        Plan { faults: vec![(Duration::ZERO, fault)], ..calm() }
    };
    let lossy = with(Condition::FeishuLosesAnswers(0));
    let alone = with(Condition::DatabaseAway);
    assert_eq!(after_faults(&shown(12), &lossy), []);
    let doubled = |cards| [Violation::Doubled { alert: 0, event: 0, cards }];
    assert_eq!(after_faults(&shown(13), &lossy), doubled(13));
    assert_eq!(after_faults(&shown(16), &alone), []);
    assert_eq!(after_faults(&shown(17), &alone), doubled(17));
}

#[test]
fn outcomes_add_up_to_what_came() {
    let mut records = Records::default();
    records.came.insert(EnvelopeId::new(Timestamp::UNIX_EPOCH, [1; 10]), 3);
    assert_eq!(accounts(&records, &calm(), 3), None);
    for ended in [2, 4] {
        let expected = Some(Violation::Unbalanced { came: 3, ended });
        assert_eq!(accounts(&records, &calm(), ended), expected);
    }
}

#[test]
fn what_was_sent_in_calm_and_is_on_no_card_is_mute() {
    let records = records(vec![event(0, Status::Firing, 9)], vec![card(1, &[0])]);
    let mute = Violation::Mute { alert: 0, event: 0 };
    assert_eq!(nobody_is_mute(&records, &calm(), Duration::from_mins(5)), [mute]);
}
