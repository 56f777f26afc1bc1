//! What people may not do, and what nobody could mean: refused whichever way it comes, never in the way of others.

use config::Secret;
use jiff::SignedDuration;
use model::interaction::{Act, Interaction, Operator, encode};
use serde_json::{Map, Value};
use testkit::alertmanager::Alertmanager;
use worker::card_buttons::value::{Keys, Press, Pressed};

use super::harness::{firing, over};
use super::people::{answered, interaction, press, said, tenant};
use super::silences::configured;
use crate::logs;

#[tokio::test]
async fn whoever_may_not_may_not_by_command_by_emoji_or_by_taking_back_what_others_did() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let mut tenant = tenant().await;
    tenant.alertmanagers = vec![configured(&alertmanager.url("/"))];
    tenant.interactions.may_acknowledge = vec!["ou_bob".to_owned()];
    tenant.interactions.may_silence = vec!["ou_bob".to_owned()];
    let mut hand = tenant.hand();
    let envelope = firing(1, &["A"]);
    hand.tell(&[&envelope]).await;
    let sent = tenant.sent().remove(0);
    let fingerprint = envelope.alerts[0].fingerprint.to_string();
    let by_bob = |wanted: Interaction| Interaction {
        operator: Operator { open_id: "ou_bob".to_owned(), ..Operator::default() },
        ..wanted
    };
    let first = sent.card().unwrap();
    hand.done(&by_bob(press("bob:1", &sent, &first, "Acknowledge"))).await;
    hand.done(&by_bob(press("bob:2", &sent, &first, "Silence 1h"))).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_bob></at>").await;
    let card = tenant.shows(&sent, "End silence").await;

    let command = |key: &str, text: String| Interaction {
        message_id: sent.message_id.clone().unwrap(),
        ..said(key, &text)
    };
    let emoji = Act::Reaction { emoji: "DONE".to_owned() };
    for (index, wanted) in [
        command("ann:1", format!("/ack {fingerprint}")),
        command("ann:2", format!("/silence {fingerprint} 4h")),
        Interaction { chat_id: String::new(), ..interaction("ann:3", sent.message_id.as_deref(), emoji) },
        press("ann:4", &sent, &card, "Undo acknowledge"),
        press("ann:5", &sent, &card, "End silence"),
    ]
    .into_iter()
    .enumerate()
    {
        hand.done(&wanted).await;
        assert!(answered(&tenant, index + 3).await.contains("You may not do this"), "{wanted:?}");
    }
    assert_eq!(alertmanager.silences().await.len(), 1);
    let now = tenant.now_shown(&sent).to_string();
    assert!(now.contains("Acknowledged by <at id=ou_bob></at>") && now.contains("End silence"), "{now}");
    let trail = tenant.trail().await;
    assert!(trail[..5].iter().all(|entry| entry.who == "ou_ann" && entry.done == Some(0)), "{trail:?}");
}

#[tokio::test]
async fn poison_is_counted_stays_out_of_the_log_and_does_not_hold_up_what_follows() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let good = press("press:1", &sent, &sent.card().unwrap(), "Acknowledge");
    let mut wrong: Map<String, Value> = serde_json::from_slice(&encode(&good).unwrap()).unwrap();
    wrong.insert("operator".to_owned(), "c-token-of-somebody".into());
    let bodies = [
        Vec::new(),
        b"\xff\xfe{".to_vec(),
        b"[]".to_vec(),
        b"{\"v\":\"c-token-of-somebody\"}".to_vec(),
        b"{\"v\":2,\"kind\":\"button\"}".to_vec(),
        vec![b'['; 200_000],
        serde_json::to_vec(&wrong).unwrap(),
    ];
    let count = bodies.len();
    for body in bodies {
        hand.swallowed(body).await;
    }
    let line = format!("larkfire_interactions_total{{kind=\"unreadable\",outcome=\"undecodable\"}} {count}");
    assert!(hand.metric(&line));
    hand.done(&good).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_ann></at>").await;
    assert!(!logs::so_far().contains("c-token-of-somebody"));
}

#[tokio::test]
async fn a_button_that_means_nothing_is_written_down_with_what_was_chosen_and_cannot_write_lines_of_its_own()
{
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let pressed = |key: &str, action: String, value: Map<String, Value>, option: &str| {
        let act = Act::Button { action, value, option: option.to_owned(), update_token: None };
        interaction(key, sent.message_id.as_deref(), act)
    };
    hand.done(&pressed("press:1", String::new(), Map::new(), "restart\u{1b}[31m")).await;
    assert!(answered(&tenant, 1).await.contains("there is nothing this button does here"));
    let forged_line = format!("x\n2026-01-01 ERROR forged-line {}", "y".repeat(10_000));
    hand.done(&pressed("press:2", forged_line, Map::new(), "")).await;
    let value = [("action", "confirm_diagnosis".into()), ("incident_id", 4711.into())];
    let value: Map<_, _> =
        value.into_iter().map(|(name, value): (_, Value)| (name.to_owned(), value)).collect();
    hand.done(&pressed("press:3", "confirm_diagnosis".to_owned(), value, "")).await;
    let trail = tenant.trail().await;
    assert_eq!(trail[0].chosen, "incident 4711");
    assert!(trail[1].action.starts_with("x 2026-01-01"), "{:?}", trail[1]);
    assert!(trail[2].action == "button" && trail[2].chosen.contains("restart"), "{:?}", trail[2]);
    let log = logs::so_far();
    assert!(!log.contains("\n2026-01-01 ERROR forged-line") && !log.contains(&"y".repeat(100)));
}

#[tokio::test]
async fn an_emoji_on_what_is_over_starts_no_talk() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    hand.tell(&[&over(2, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let act = Act::Reaction { emoji: "DONE".to_owned() };
    hand.done(&Interaction { chat_id: String::new(), ..interaction("r:1", sent.message_id.as_deref(), act) })
        .await;
    assert!(hand.metric("larkfire_interactions_total{kind=\"reaction\",outcome=\"ignored\"} 1"));
    assert!(hand.metric("larkfire_interaction_answers_total{outcome=\"sent\"} 0"));
}

#[tokio::test]
async fn what_the_database_will_not_take_is_given_up_and_said_and_the_next_person_has_their_turn() {
    let mut tenant = tenant().await;
    tenant.alertmanagers = vec![configured("http://127.0.0.1:9/")];
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    // A table that is gone would be made again.
    tenant.execute("ALTER TABLE larkfire_silences RENAME COLUMN until_ms TO mislaid").await;
    let card = sent.card().unwrap();
    let first = hand.hears(&press("press:1", &sent, &card, "Silence 1h"));
    let next = hand.hears(&press("press:2", &sent, &card, "Acknowledge"));
    hand.heard(first).await;
    hand.heard(next).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_ann></at>").await;
    assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"failed\"} 1"));
    let trail = tenant.trail().await;
    assert!(trail[1].outcome.as_ref().unwrap().contains("The database does not take this"), "{trail:?}");
}

#[tokio::test]
async fn a_button_is_good_for_fourteen_days_and_with_the_key_that_signed_it() {
    let mut tenant = tenant().await;
    let old = Secret::new("the-key-before-this-one");
    tenant.interactions.signing_keys = vec![Secret::new("the-key-of-today-0001"), old.clone()];
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let honest = press("press:0", &sent, &sent.card().unwrap(), "Acknowledge");
    let signed = |key: &str, secret: &Secret, age: SignedDuration| {
        let Act::Button { action, value, .. } = &honest.act else { unreachable!("a button") };
        let text = |name: &str| value[name].as_str().unwrap().to_owned();
        let pressed = Pressed { press: Press::Acknowledge, receiver: text("receiver"), card: text("card") };
        let value = Keys::of([secret]).sign(&pressed, honest.received_at - age).unwrap();
        let act = Act::Button { action: action.clone(), value, option: String::new(), update_token: None };
        Interaction { dedup_key: key.to_owned(), act, ..honest.clone() }
    };
    let day = SignedDuration::from_hours(24);
    hand.done(&signed("press:1", &old, day * 14)).await;
    assert!(answered(&tenant, 1).await.contains("too old for its buttons"));
    hand.done(&signed("press:2", &Secret::new("a-key-nobody-set-0001"), day)).await;
    assert!(answered(&tenant, 2).await.contains("This button is not understood."));
    assert!(!tenant.now_shown(&sent).to_string().contains("Acknowledged by"));
    hand.done(&signed("press:3", &old, day * 13)).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_ann></at>").await;
    let trail = tenant.trail().await;
    let outcomes: Vec<_> =
        trail.iter().map(|entry| entry.outcome.as_ref().unwrap().split(':').next()).collect();
    assert_eq!(outcomes, [Some("done"), Some("forged"), Some("refused")]);
}
