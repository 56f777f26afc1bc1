//! Escalations in each database: claimed by one worker, by another once a lease has ended, and over when their alerts are.

use std::collections::BTreeSet;
use std::time::Duration;

use model::alert::Status;
use worker::escalation::decision::NextStep;
use worker::escalation::table::{AlertStanding, BegunEscalation, EscalationTable, id_of};
use worker::people::rotation::Swap;

use crate::databases::{Database, on_each_database};
use crate::ledger::harness::{Harness, RECEIVER, Worker, at, event};

const LEASE: Duration = Duration::from_mins(1);

on_each_database! {
    what_is_due_is_claimed_by_one_worker_and_by_another_once_its_lease_has_ended
    a_step_that_is_done_is_not_done_again_and_what_is_over_is_kept_from_beginning_anew
    an_alert_that_is_over_taken_on_or_on_a_newer_card_is_not_called_about
    who_stands_in_is_known_to_every_worker
}

fn begun(card: &str, fingerprints: &[&str], begun_ms: i64) -> BegunEscalation {
    BegunEscalation {
        id: id_of(card, "night"),
        escalation: "night".to_owned(),
        receiver: RECEIVER.to_owned(),
        card: card.to_owned(),
        message: None,
        content: Vec::new(),
        fingerprints: fingerprints.iter().map(|name| (*name).to_owned()).collect(),
        alerts: fingerprints.len(),
        is_critical: true,
        begun_ms,
        due_ms: begun_ms + 5_000,
    }
}

async fn told(worker: &Worker, name: &str, status: Status, received: i64, number: u32) {
    let events = [event(name, status, received, number)];
    worker.ledger.observe(&events).await;
    worker.ledger.delivered(&events).await;
}

fn table(harness: &Harness) -> EscalationTable {
    EscalationTable { store: harness.worker().store.clone(), clock: harness.clock() }
}

async fn what_is_due_is_claimed_by_one_worker_and_by_another_once_its_lease_has_ended(database: Database) {
    let harness = Harness::on(database);
    let [one, other] = [table(&harness), table(&harness)];
    one.store.migrate().await.unwrap();
    let now_ms = at(0).as_millisecond();
    for card in 0..40 {
        let card = format!("card{card}");
        one.begin(&begun(&card, &[card.as_str()], now_ms)).await.unwrap();
    }
    assert_eq!(one.claim(LEASE).await.unwrap().1.len(), 0, "nothing is due yet");
    harness.set_clock(5);
    let (first, second) = tokio::join!(one.claim(LEASE), other.claim(LEASE));
    let claimed: Vec<_> = [first, second].into_iter().flat_map(|claimed| claimed.unwrap().1).collect();
    let ids: BTreeSet<_> = claimed.iter().map(|due| due.id.clone()).collect();
    assert_eq!((claimed.len(), ids.len()), (40, 40), "each by one of them");
    assert_eq!(other.claim(LEASE).await.unwrap().1.len(), 0, "whoever has them may be at it");
    harness.set_clock(66);
    assert_eq!(other.claim(LEASE).await.unwrap().1.len(), 40, "whoever had them is dead");
}

async fn a_step_that_is_done_is_not_done_again_and_what_is_over_is_kept_from_beginning_anew(
    database: Database,
) {
    let harness = Harness::on(database);
    let [one, other] = [table(&harness), table(&harness)];
    one.store.migrate().await.unwrap();
    let escalation = begun("card", &["a"], at(0).as_millisecond());
    one.begin(&escalation).await.unwrap();
    harness.set_clock(5);
    let (claim, due) = one.claim(LEASE).await.unwrap();
    let due: Vec<_> = due.iter().collect();
    let not_before = at(25);
    let next = NextStep::Step { number: 1, after: Duration::from_secs(20), not_before };
    one.go_on(claim, &due, next).await.unwrap();
    // Done twice, as after a lost answer, it is done once.
    one.go_on(claim, &due, next).await.unwrap();
    harness.set_clock(24);
    assert_eq!(other.claim(LEASE).await.unwrap().1.len(), 0);
    harness.set_clock(25);
    let (claim, due) = other.claim(LEASE).await.unwrap();
    assert_eq!(due[0].progress.step, 1);
    other.go_on(claim, &due.iter().collect::<Vec<_>>(), NextStep::Over).await.unwrap();
    one.begin(&escalation).await.unwrap();
    harness.set_clock(1_000);
    assert_eq!(one.claim(LEASE).await.unwrap().1.len(), 0, "the card came again");
    assert_eq!(one.waiting().await.unwrap(), 0);
    harness.set_clock(4 * 24 * 60 * 60);
    one.clean().await.unwrap();
}

async fn an_alert_that_is_over_taken_on_or_on_a_newer_card_is_not_called_about(database: Database) {
    let harness = Harness::on(database);
    let worker = harness.worker();
    let table = EscalationTable { store: worker.store.clone(), clock: harness.clock() };
    table.store.migrate().await.unwrap();
    let names = ["open", "ended", "acked", "moved"];
    for (number, name) in (1..).zip(names) {
        told(&worker, name, Status::Firing, 0, number).await;
    }
    table.begin(&begun("card", &["acked", "ended", "moved", "open"], at(0).as_millisecond())).await.unwrap();
    table.begin(&begun("newer", &["moved"], at(1).as_millisecond())).await.unwrap();
    worker.ledger.acknowledge(RECEIVER, &["acked"], "ou_ann").await.unwrap();
    harness.set_clock(61);
    told(&worker, "ended", Status::Resolved, 61, 9).await;
    let (_, due) = table.claim(LEASE).await.unwrap();
    let mut standings = table.standings(&due[..1]).await.unwrap();
    standings.sort_by(|one, other| one.fingerprint.cmp(&other.fingerprint));
    let standings: Vec<_> =
        standings.iter().map(|alert| (alert.fingerprint.as_str(), alert.standing)).collect();
    assert_eq!(
        standings,
        [
            ("acked", AlertStanding::Acknowledged),
            ("ended", AlertStanding::Ended),
            ("open", AlertStanding::Open),
        ]
    );
}

async fn who_stands_in_is_known_to_every_worker(database: Database) {
    let harness = Harness::on(database);
    let [one, other] = [harness.worker(), harness.worker()].map(|worker| {
        let zone = jiff::tz::TimeZone::UTC;
        worker::oncall::OnCall::new(worker.store.clone(), harness.clock(), Vec::new(), zone)
    });
    let now = at(0);
    let swap = Swap {
        rotation: "primary".to_owned(),
        person: "李四".to_owned(),
        from: now,
        until: now.checked_add(Duration::from_mins(1)).unwrap(),
    };
    // Written twice it is one.
    one.swap("id", &swap, "ou_ann").await.unwrap();
    one.swap("id", &swap, "ou_ann").await.unwrap();
    assert_eq!(*other.swaps(), []);
    other.look().await.unwrap();
    assert_eq!(*other.swaps(), [swap]);
}
