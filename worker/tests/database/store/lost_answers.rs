//! What is done, and of which nobody hears: it is done once more, and has to come to the same.

use config::DedupConfig;
use jiff::Timestamp;
use model::alert::Status;
use model::envelope::EnvelopeId;
use queue::DeadLetterId;
use runtime::clock::Clock;
use sqlx::Executor as _;

use prometheus::Registry;

use super::Harness;
use super::harness::PATIENCE;
use worker::audit::{Audit, AuditFilter, AuditedAction};
use worker::card_store::{CardId, CardMetrics, Cards};
use worker::dead_letters::{DeadLetterMetrics, DeadLetters};
use worker::ledger::{Decision, Event, Ledger, Occasion};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_claimed_without_an_answer_is_claimed_by_whoever_asked() {
    let harness = Harness::start().await;
    let ledger =
        Ledger::new(harness.store.clone(), DedupConfig::default(), Clock::system(), &Registry::new())
            .unwrap();
    let now = Clock::system().now();
    let event = |number| Event {
        receiver: "ops",
        fingerprint: "f",
        status: Status::Firing,
        starts_at: Some(now),
        ends_at: None,
        received_at: now,
        is_repeat: false,
        envelope: EnvelopeId::new(Timestamp::UNIX_EPOCH, [number; 10]),
        forced: false,
    };
    let events = [event(1)];
    let claim = "INSERT ON larkfire_ledger";
    let claimed = "SELECT 1 FROM larkfire_ledger";
    let decisions = harness.losing_the_answer(claim, claimed, ledger.observe(&events)).await;
    assert_eq!(decisions, [Decision::Deliver(Occasion::New)], "it is nobody else's");
    let delivered = "SELECT 1 FROM larkfire_ledger WHERE told_at IS NOT NULL";
    harness.losing_the_answer("UPDATE ON larkfire_ledger", delivered, ledger.delivered(&events)).await;
    assert_eq!(ledger.observe(&[event(2)]).await, [Decision::Duplicate]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_down_without_an_answer_is_one_line() {
    let harness = Harness::start().await;
    let trail = Audit::new(harness.store.clone(), Clock::system());
    let action = AuditedAction { who: "ann", action: "discard", chosen: "all", meant: 3 };
    let write = "INSERT ON larkfire_audit";
    let written = "SELECT 1 FROM larkfire_audit";
    let line = harness.losing_the_answer(write, written, trail.begin(action)).await.unwrap();
    let done = "SELECT 1 FROM larkfire_audit WHERE done = 3";
    harness.losing_the_answer("UPDATE ON larkfire_audit", done, trail.end(line, 3)).await.unwrap();
    let lines = trail.entries(AuditFilter::All, 10).await.unwrap();
    assert_eq!(lines.iter().map(|entry| (entry.id, entry.done)).collect::<Vec<_>>(), [(line, Some(3))]);
    let again = trail.begin(action).await.unwrap();
    assert_ne!(again, line, "somebody does the same again");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_that_is_taken_without_an_answer_is_had() {
    let harness = Harness::start().await;
    let metrics = CardMetrics::register(&Registry::new()).unwrap();
    let cards = Cards::new(harness.store.clone(), Clock::system(), metrics);
    let insert = "INSERT INTO larkfire_cards (card, receiver, message, begun_ms, content, states, firing, \
         version, shown, is_over_told, due_ms, lease_until_ms, holder) \
         VALUES ('c', 'ops', 'om', 1, '', '{}', 1, 0, 0, 0, NULL, 0, 0)";
    harness.operator().await.execute(insert).await.unwrap();
    let card = CardId::from_bytes(b"c");
    let leased = "SELECT 1 FROM larkfire_cards WHERE holder <> 0";
    let lease = harness
        .losing_the_answer("UPDATE ON larkfire_cards", leased, cards.take(&card, PATIENCE))
        .await
        .unwrap();
    assert!(lease.is_some());
    assert!(cards.take(&card, PATIENCE).await.unwrap().is_none(), "and nobody else has it");
}

#[tokio::test(flavor = "multi_thread")]
async fn letters_that_are_discarded_without_an_answer_are_counted() {
    let harness = Harness::start().await;
    let metrics = DeadLetterMetrics::register(&Registry::new()).unwrap();
    let letters = DeadLetters::new(harness.store.clone(), Clock::system(), metrics);
    let insert = "INSERT INTO larkfire_dead_letters (id, letter_key, line_key, receiver, reason, message, \
         attempts, first_failed_ms, last_failed_ms, stored_ms, state, changed_ms, alerts, summary, body, body_bytes) \
         VALUES (1, 'l', 'l', 'ops', 'refused', '', 1, 1, 1, 1, 'waiting', 1, 1, '', '', 0)";
    harness.operator().await.execute(insert).await.unwrap();
    let ids = [DeadLetterId(1)];
    let changed = "SELECT 1 FROM larkfire_dead_letters WHERE state = 'discarded'";
    let discarded =
        harness.losing_the_answer("UPDATE ON larkfire_dead_letters", changed, letters.discard(&ids, 7)).await;
    assert_eq!(discarded.unwrap(), 1);
    assert_eq!(letters.discard(&ids, 8).await.unwrap(), 0, "that is done");
}
