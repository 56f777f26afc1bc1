//! Many people at once: what they want is done, and their answers never take the chat more than it takes.

use std::time::Duration;

use config::InteractionsConfig;
use feishu_sim::{Call, Verdict};
use model::interaction::{Act, Interaction, Operator};
use testkit::wait_until::wait_until;

use super::harness::{CHAT, Tenant, WorkerHandle, firing};
use super::people::{interaction, press};
use crate::harness::EAGER;

const PEOPLE: usize = 200;
/// Longer than doing what they all want, and after that the patience of an answer.
const LONG: Duration = Duration::from_secs(90);
/// What has become of answers.
const SENT: &str = "larkfire_interaction_answers_total{outcome=\"sent\"}";
const FAILED: &str = "larkfire_interaction_answers_total{outcome=\"failed\"}";

/// A tenant whose chat takes no more than a real one, and whose cards have buttons.
async fn tenant() -> Tenant {
    let mut tenant = Tenant::crowded(EAGER, PEOPLE).await;
    tenant.interactions =
        InteractionsConfig { buttons: true, reactions: vec!["DONE".to_owned()], ..Default::default() };
    tenant
}

/// Everybody does the same at once, each with a key of their own; waits until all of it is done.
async fn all_do(hand: &mut WorkerHandle, what: impl Fn(usize) -> Interaction) {
    let tags: Vec<_> = (0..PEOPLE).map(|person| hand.hears(&what(person))).collect();
    for tag in tags {
        hand.heard(tag).await;
    }
}

/// Waits until so many answers have been sent or given up; returns how many were sent.
async fn answered(hand: &WorkerHandle, at_least: usize) -> usize {
    wait_until(LONG, "answers", async || {
        let sent = hand.count(SENT);
        let failed = hand.count(FAILED);
        if sent + failed >= at_least { Ok(sent) } else { Err((sent, failed)) }
    })
    .await
}

fn somebody(person: usize) -> Operator {
    Operator { open_id: format!("ou_person{person}"), ..Operator::default() }
}

/// How many replies are in the chat, of which Feishu has refused none of anything.
fn replies(tenant: &Tenant) -> usize {
    let totals = tenant.sim.totals();
    assert_eq!((totals.throttled, totals.over_budget), (0, 0));
    assert!(totals.refused.is_empty(), "{:?}", totals.refused);
    tenant.count(Call::Reply, &Verdict::Accepted)
}

#[tokio::test]
async fn of_200_who_press_a_button_each_is_heard_and_no_answer_is_too_many() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let card = sent.card().unwrap();
    let press_it = press("press", &sent, &card, "Acknowledge");
    all_do(&mut hand, |person| Interaction {
        dedup_key: format!("press:{person}"),
        operator: somebody(person),
        ..press_it.clone()
    })
    .await;
    let sent_answers = answered(&hand, PEOPLE).await;
    assert!(sent_answers >= 10, "only {sent_answers} were answered");
    assert_eq!(replies(&tenant), sent_answers);
    tenant.shows(&sent, "Acknowledged by <at id=ou_person").await;
    assert_eq!(tenant.trail().await.len(), 100, "the newest hundred of them");
    assert!(
        hand.metric(&format!("larkfire_interactions_total{{kind=\"button\",outcome=\"done\"}} {PEOPLE}"))
    );
}

#[tokio::test]
async fn a_card_goes_before_the_answers_that_wait() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let message = tenant.sent().remove(0).message_id;
    let react = Act::Reaction { emoji: "DONE".to_owned() };
    all_do(&mut hand, |person| {
        let reaction = interaction(&format!("r:{person}"), message.as_deref(), react.clone());
        Interaction { chat_id: String::new(), operator: somebody(person), ..reaction }
    })
    .await;
    // More than may be sent at once after a quiet minute, so that the others wait.
    answered(&hand, 19).await;
    let before = replies(&tenant);
    hand.tell(&[&firing(2, &["B"])]).await;
    let meanwhile = replies(&tenant) - before;
    assert!(meanwhile <= 3, "{meanwhile} answers went before the card in {CHAT}");
}
