//! A worker that dies between Feishu's "ok" and our record of it tells nothing twice.

use feishu_sim::{Call, Fault, Lasting, Verdict};
use queue::{DeadLetterId, Headers, Replay, Settlement};
use testkit::wait_until::wait_until;

use super::harness::{APP, Tenant, WorkerHandle, firing, header, over};
use super::people::{press, tenant};
use crate::harness::{EAGER, WITHIN};

/// A worker that has sent these on one card and never heard that it arrived; it is gone now.
async fn died_while_sending(tenant: &Tenant, mut hand: WorkerHandle, tag: u64) {
    wait_until(
        WITHIN,
        "a message in the chat",
        async || {
            if tenant.sent().is_empty() { Err("none") } else { Ok(()) }
        },
    )
    .await;
    assert!(!hand.is_settled(tag));
    hand.stop().await;
}

fn lose_answers(tenant: &Tenant) {
    tenant.sim.fault_call(APP, Call::Send, &Fault::LostAnswer, Lasting::Times(1)).unwrap();
    tenant.sim.fault_call(APP, Call::Send, &Fault::Reset, Lasting::UntilCleared).unwrap();
}

#[tokio::test]
async fn a_card_whose_answer_was_lost_is_sent_again_as_the_same_message() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    tenant.sim.fault_call(APP, Call::Send, &Fault::LostAnswer, Lasting::Times(1)).unwrap();
    let tag = hand.deliver(&[&firing(1, &["A"])]);
    wait_until(
        WITHIN,
        "a message in the chat",
        async || {
            if tenant.sent().is_empty() { Err("none") } else { Ok(()) }
        },
    )
    .await;
    let other = hand.deliver(&[&firing(2, &["B"])]);
    for tag in [tag, other] {
        assert_eq!(hand.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(tenant.count(Call::Send, &Verdict::Repeated), 1);
    let titles: Vec<_> =
        tenant.sent().iter().map(|record| header(&record.card().unwrap()).1.to_owned()).collect();
    assert_eq!(titles, ["[CRITICAL] A", "[CRITICAL] B"], "nothing joins what may have arrived");
    hand.tell(&[&over(3, &["A"])]).await;
    assert_eq!(header(&tenant.now_shown(&tenant.sent()[0])).0, "green");
}

#[tokio::test]
async fn what_comes_again_after_a_crash_in_any_company_is_one_message_with_all_that_was_on_it() {
    let tenant = Tenant::new(EAGER).await;
    let mut first = tenant.hand();
    lose_answers(&tenant);
    let a = firing(1, &["A1", "A2"]);
    let b = firing(2, &["B"]);
    let tag = first.deliver(&[&a, &b]);
    died_while_sending(&tenant, first, tag).await;
    tenant.sim.clear_call_faults(APP).unwrap();

    let mut second = tenant.hand();
    second.tell(&[&firing(3, &["C"]), &b]).await;
    second.tell(&[&a]).await;
    assert_eq!(tenant.count(Call::Send, &Verdict::Repeated), 1);
    let titles: Vec<_> =
        tenant.sent().iter().map(|record| header(&record.card().unwrap()).1.to_owned()).collect();
    assert_eq!(titles.len(), 2, "{titles:?}");
    assert_eq!(titles[1], "[CRITICAL] C");
    second.tell(&[&over(4, &["A1", "A2", "B"])]).await;
    assert_eq!(header(&tenant.now_shown(&tenant.sent()[0])).0, "green");
}

#[tokio::test]
async fn what_never_arrived_is_sent_whole_although_only_a_part_of_it_came_again() {
    let tenant = Tenant::new(EAGER).await;
    let mut first = tenant.hand();
    tenant.sim.fault_call(APP, Call::Send, &Fault::Reset, Lasting::UntilCleared).unwrap();
    let a = firing(1, &["A"]);
    let b = firing(2, &["B"]);
    first.deliver(&[&a, &b]);
    wait_until(WITHIN, "an attempt", async || {
        let attempts = tenant.count(Call::Send, &Verdict::Faulted);
        if attempts > 0 { Ok(()) } else { Err(attempts) }
    })
    .await;
    first.stop().await;
    tenant.sim.clear_call_faults(APP).unwrap();

    let mut second = tenant.hand();
    second.tell(&[&b]).await;
    second.tell(&[&a]).await;
    let sent = tenant.sent();
    assert_eq!(sent.len(), 1);
    assert_eq!(header(&sent[0].card().unwrap()).1, "[CRITICAL] A, B");
}

#[tokio::test]
async fn what_an_operator_wants_delivered_again_is_a_new_message() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    let envelope = firing(1, &["A"]);
    hand.tell(&[&envelope]).await;
    for forced in [false, true] {
        let replay =
            Headers { replay: Some(Replay { letter: DeadLetterId(7), forced }), ..Headers::default() };
        let tag = hand.deliver_with(&[&envelope], replay);
        assert_eq!(hand.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(tenant.sent().len(), 2);
    hand.tell(&[&over(2, &["A"])]).await;
    assert_eq!(header(&tenant.now_shown(&tenant.sent()[1])).0, "green");
    tenant.shows(&tenant.sent()[0], "🟢").await;
}

#[tokio::test]
async fn an_update_whose_answer_was_lost_is_made_again_and_the_end_is_delivered_once() {
    let tenant = Tenant::new(EAGER).await;
    let mut first = tenant.hand();
    first.tell(&[&firing(1, &["A"])]).await;
    tenant.sim.fault_call(APP, Call::Update, &Fault::LostAnswer, Lasting::UntilCleared).unwrap();
    let end = over(2, &["A"]);
    let tag = first.deliver(&[&end]);
    wait_until(WITHIN, "an update", async || {
        let card = tenant.now_shown(&tenant.sent()[0]);
        if header(&card).0 == "green" { Ok(()) } else { Err(card) }
    })
    .await;
    assert!(!first.is_settled(tag));
    first.stop().await;
    tenant.sim.clear_call_faults(APP).unwrap();

    let mut second = tenant.hand();
    second.tell(&[&end]).await;
    assert_eq!(tenant.sent().len(), 1);
    wait_until(WITHIN, "one reply", async || match tenant.count(Call::Reply, &Verdict::Accepted) {
        1 => Ok(()),
        replies => Err(replies),
    })
    .await;
}

#[tokio::test]
async fn what_ends_before_its_lost_answer_is_asked_for_again_is_over_on_the_card_that_arrived() {
    let tenant = Tenant::new(EAGER).await;
    let mut hand = tenant.hand();
    tenant.sim.fault_call(APP, Call::Send, &Fault::LostAnswer, Lasting::Times(1)).unwrap();
    let fired = hand.deliver(&[&firing(1, &["A"])]);
    wait_until(
        WITHIN,
        "a message in the chat",
        async || {
            if tenant.sent().is_empty() { Err("none") } else { Ok(()) }
        },
    )
    .await;
    let ended = hand.deliver(&[&over(2, &["A"])]);
    for tag in [ended, fired] {
        assert_eq!(hand.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(tenant.count(Call::Send, &Verdict::Repeated), 1);
    tenant.shows(&tenant.sent()[0], "🟢").await;
    assert!(tenant.sent().len() <= 2, "the card, and the end that could not go onto it yet");
}

#[tokio::test]
async fn an_update_that_has_begun_at_the_stop_is_finished_and_keeps_nobody_from_its_card() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let slow = Fault::SlowAnswer { after_ms: 1_000 };
    tenant.sim.fault_call(APP, Call::Update, &slow, Lasting::Times(1)).unwrap();
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Acknowledge")).await;
    // Shown, and not answered yet.
    let card = tenant.shows(&sent, "Acknowledged by").await;
    hand.stop().await;
    let mut next = tenant.hand();
    next.done(&press("press:2", &sent, &card, "Undo acknowledge")).await;
    tenant.shows(&sent, "\"Acknowledge\"").await;
}
