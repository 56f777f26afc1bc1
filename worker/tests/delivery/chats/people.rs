//! What people do about alerts: buttons, commands, reactions.

use config::InteractionsConfig;
use feishu_sim::Record;
use model::interaction::{Act, Interaction, InteractionId, Mentioned, Operator};
use runtime::clock::Clock;
use serde_json::{Map, Value};
use testkit::wait_until::wait_until;

use super::harness::{CHAT, OTHER_CHAT, Tenant, firing, over};
use crate::harness::{EAGER, WITHIN};

/// Somebody who does something in the first chat, now.
pub(super) fn interaction(key: &str, message_id: Option<&str>, act: Act) -> Interaction {
    let received_at = Clock::system().now();
    Interaction {
        id: InteractionId::new(received_at, [1; 10]),
        received_at,
        dedup_key: key.to_owned(),
        event_id: String::new(),
        operator: Operator { open_id: "ou_ann".to_owned(), ..Operator::default() },
        chat_id: CHAT.to_owned(),
        message_id: message_id.unwrap_or_default().to_owned(),
        act,
    }
}

/// A press of the button with these words on a card.
pub(super) fn press(key: &str, sent: &Record, card: &Value, words: &str) -> Interaction {
    let value = value_of(card, words);
    let action = value["action"].as_str().unwrap_or_default().to_owned();
    let act = Act::Button { action, value, option: String::new(), update_token: None };
    interaction(key, sent.message_id.as_deref(), act)
}

fn value_of(card: &Value, words: &str) -> Map<String, Value> {
    let rows =
        card["elements"].as_array().unwrap().iter().filter_map(|element| element["actions"].as_array());
    let button = rows.flatten().find(|button| button["text"]["content"] == words);
    assert!(button.is_some(), "no button {words} on {card}");
    button.unwrap()["value"].as_object().unwrap().clone()
}

/// A text to the bot.
pub(super) fn said(key: &str, text: &str) -> Interaction {
    let mentions = vec![Mentioned { key: "@_user_1".to_owned(), ..Mentioned::default() }];
    let text = format!("@_user_1 {text}");
    let chat_type = "group".to_owned();
    interaction(key, None, Act::Message { text, mentions, parent_id: String::new(), chat_type })
}

/// A tenant whose cards have buttons.
pub(super) async fn tenant() -> Tenant {
    let mut tenant = Tenant::new(EAGER).await;
    tenant.interactions =
        InteractionsConfig { buttons: true, reactions: vec!["DONE".to_owned()], ..Default::default() };
    tenant
}

/// The newest answer in the chat, once there are so many.
pub(super) async fn answered(tenant: &Tenant, count: usize) -> String {
    wait_until(WITHIN, "an answer", async || {
        let replies: Vec<_> =
            tenant.sim.accepted().into_iter().filter(|record| record.parent_id.is_some()).collect();
        let Some(last) = replies.last().filter(|_| replies.len() >= count) else { return Err(replies.len()) };
        let content = last.message().unwrap()["content"].as_str().unwrap().to_owned();
        let content: Value = serde_json::from_str(&content).unwrap();
        Ok(content["text"].as_str().unwrap().to_owned())
    })
    .await
}

#[tokio::test]
async fn a_press_is_done_once_shown_on_the_card_answered_in_a_thread_and_undone() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A", "B"])]).await;
    let sent = tenant.sent().remove(0);
    let press_it = press("press:1", &sent, &sent.card().unwrap(), "Acknowledge");
    hand.done(&press_it).await;
    let card = tenant.shows(&sent, "🙋 2 acknowledged").await;
    let text = answered(&tenant, 1).await;
    assert_eq!(text, "<at user_id=\"ou_ann\"></at> Acknowledged 2 alerts; no reminders until it is over.");
    hand.done(&press_it).await;
    assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"done\"} 1"));
    assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"repeated\"} 1"));

    hand.done(&press("press:2", &sent, &card, "Undo acknowledge")).await;
    tenant.shows(&sent, "\"Acknowledge\"").await;
    assert!(!tenant.now_shown(&sent).to_string().contains("🙋"));

    hand.tell(&[&over(2, &["A", "B"])]).await;
    let over = tenant.now_shown(&sent).to_string();
    assert!(!over.contains("\"callback\"") && !over.contains("Acknowledge"), "{over}");
    hand.done(&press("press:3", &sent, &card, "Undo acknowledge")).await;
    assert!(answered(&tenant, 4).await.contains("Nothing here fires any more."));
}

#[tokio::test]
async fn what_is_forged_foreign_or_not_allowed_is_politely_refused_and_changes_nothing() {
    let mut tenant = tenant().await;
    tenant.interactions.may_acknowledge = vec!["ou_bob".to_owned()];
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let card = sent.card().unwrap();
    let honest = press("press:1", &sent, &card, "Acknowledge");
    hand.done(&honest).await;
    assert!(answered(&tenant, 1).await.contains("You may not do this"));

    let mut forged = Interaction { dedup_key: "press:2".to_owned(), ..honest.clone() };
    if let Act::Button { value, .. } = &mut forged.act {
        value.insert("receiver".to_owned(), "other".into());
    }
    hand.done(&forged).await;
    assert!(answered(&tenant, 2).await.contains("This button is not understood."));

    let dedup_key = "press:3".to_owned();
    let chat_id = OTHER_CHAT.to_owned();
    hand.done(&Interaction { dedup_key, chat_id, ..honest.clone() }).await;
    assert!(answered(&tenant, 3).await.contains("belongs to another chat"));

    let operator = Operator { open_id: "ou_bob".to_owned(), ..Operator::default() };
    let late = honest.received_at + jiff::SignedDuration::from_hours(1);
    let dedup_key = "press:4".to_owned();
    let received_at = late;
    assert!(!tenant.now_shown(&sent).to_string().contains("Acknowledged by"));
    hand.done(&Interaction { dedup_key, received_at, operator, ..honest }).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_bob></at>").await;
    assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"refused\"} 2"));
    assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"forged\"} 1"));
}

#[tokio::test]
async fn a_confirmed_diagnosis_takes_on_our_alert_and_whatever_else_is_pressed_is_written_down() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    let envelope = firing(1, &["A"]);
    hand.tell(&[&envelope]).await;
    let sent = tenant.sent().remove(0);
    let button = |key: &str, action: &str, incident: &str| {
        let value = [("action", action), ("incident_id", incident)];
        let value = value.map(|(name, text)| (name.to_owned(), Value::from(text))).into_iter().collect();
        let act = Act::Button { action: action.to_owned(), value, option: String::new(), update_token: None };
        interaction(key, sent.message_id.as_deref(), act)
    };
    hand.done(&button("press:1", "confirm_diagnosis", "INC-1")).await;
    assert!(answered(&tenant, 1).await.ends_with("The diagnosis is recorded as confirmed, thank you."));
    assert!(!tenant.now_shown(&sent).to_string().contains("Acknowledged by"));
    hand.done(&button("press:2", "confirm_diagnosis", &envelope.id.to_string())).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_ann></at>").await;
    hand.done(&button("press:3", "launch", "INC-1")).await;
    assert!(answered(&tenant, 3).await.contains("there is nothing this button does here"));
    let trail = tenant.trail().await;
    let delivered_of: Vec<_> =
        trail.iter().map(|entry| (entry.action.as_str(), entry.letters, entry.done)).collect();
    assert_eq!(
        delivered_of,
        [("launch", 0, Some(0)), ("confirm_diagnosis", 1, Some(1)), ("confirm_diagnosis", 0, Some(0))]
    );
    assert_eq!((trail[2].who.as_str(), trail[2].chosen.as_str()), ("ou_ann", "incident INC-1"));
    assert!(trail[0].outcome.as_ref().unwrap().starts_with("unknown: "), "{:?}", trail[0]);
}

#[tokio::test]
async fn a_diagnosis_confirmed_in_another_chat_or_in_none_touches_no_alert() {
    let mut tenant = tenant().await;
    tenant.interactions.may_acknowledge = vec!["ou_bob".to_owned()];
    let mut hand = tenant.hand();
    let envelope = firing(1, &["A"]);
    hand.tell(&[&envelope]).await;
    let sent = tenant.sent().remove(0);
    let fingerprint = envelope.alerts[0].fingerprint.to_string();
    let confirm = |key: &str, chat: &str, who: &str| {
        let value = [("action", "confirm_diagnosis"), ("incident_id", &*fingerprint)];
        let value = value.map(|(name, text)| (name.to_owned(), Value::from(text))).into_iter().collect();
        let action = "confirm_diagnosis".to_owned();
        let act = Act::Button { action, value, option: String::new(), update_token: None };
        Interaction {
            chat_id: chat.to_owned(),
            operator: Operator { open_id: who.to_owned(), ..Operator::default() },
            ..interaction(key, sent.message_id.as_deref(), act)
        }
    };
    hand.done(&confirm("press:1", OTHER_CHAT, "ou_bob")).await;
    assert!(answered(&tenant, 1).await.contains("belongs to another chat"));
    hand.done(&confirm("press:2", "", "ou_bob")).await;
    hand.done(&confirm("press:3", CHAT, "ou_ann")).await;
    assert!(answered(&tenant, 3).await.contains("You may not do this"));
    assert!(!tenant.now_shown(&sent).to_string().contains("Acknowledged by"));
    assert_eq!(tenant.trail().await.iter().map(|entry| entry.done).collect::<Vec<_>>(), [Some(0); 3]);
    hand.done(&confirm("press:4", CHAT, "ou_bob")).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_bob></at>").await;
}

#[tokio::test]
async fn a_card_that_was_forwarded_is_of_no_use_where_feishu_does_not_say_which_chat_it_is_in() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let honest = press("press:1", &sent, &sent.card().unwrap(), "Acknowledge");
    let nowhere = Interaction { chat_id: String::new(), ..honest };
    let forwarded = Interaction { message_id: "om_forwarded".to_owned(), ..nowhere.clone() };
    hand.done(&forwarded).await;
    assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"refused\"} 1"));
    hand.done(&Interaction { dedup_key: "press:2".to_owned(), ..nowhere }).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_ann></at>").await;
}

#[tokio::test]
async fn commands_are_answered_and_an_alert_is_taken_on_by_its_fingerprint() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    let envelope = firing(1, &["A"]);
    hand.tell(&[&envelope]).await;
    let sent = tenant.sent().remove(0);
    let fingerprint = envelope.alerts[0].fingerprint.to_string();
    let ask = |key: &str, text: &str| Interaction {
        message_id: sent.message_id.clone().unwrap(),
        ..said(key, text)
    };
    hand.done(&ask("m:1", "/alerts")).await;
    let list = answered(&tenant, 1).await;
    assert!(list.contains("A · ") && list.contains(&fingerprint), "{list}");
    hand.done(&ask("m:2", &format!("/ack {}", &fingerprint[..8]))).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_ann></at>").await;
    hand.done(&ask("m:3", "/alerts")).await;
    assert!(answered(&tenant, 3).await.contains("acknowledged"));
    hand.done(&ask("m:4", "/ack 00000000")).await;
    assert!(answered(&tenant, 4).await.contains("No such alert fires in this chat."));
    hand.done(&ask("m:5", "/status")).await;
    let status = answered(&tenant, 5).await;
    assert!(
        status.contains("default: in order, 0 alerts wait") && status.contains("Dead letters: 0"),
        "{status}"
    );
    hand.done(&ask("m:6", "/what")).await;
    assert!(answered(&tenant, 6).await.contains("/silence FINGERPRINT"));
    let elsewhere = Interaction { chat_id: "oc_elsewhere".to_owned(), ..ask("m:7", "/alerts") };
    hand.done(&elsewhere).await;
    assert!(answered(&tenant, 7).await.contains("not configured as a receiver"));
    hand.done(&said("m:8", "/help")).await;
    hand.counts("larkfire_interaction_answers_total{outcome=\"nowhere\"} 1").await;
}

#[tokio::test]
async fn an_emoji_takes_on_what_is_on_the_card_and_other_emojis_and_messages_mean_nothing() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let react = |key: &str, message: Option<&str>, emoji: &str| {
        let act = Act::Reaction { emoji: emoji.to_owned() };
        Interaction { chat_id: String::new(), ..interaction(key, message, act) }
    };
    hand.done(&react("r:1", sent.message_id.as_deref(), "LAUGH")).await;
    hand.done(&react("r:2", Some("om_of_somebody"), "DONE")).await;
    assert!(hand.metric("larkfire_interactions_total{kind=\"reaction\",outcome=\"ignored\"} 2"));
    hand.done(&react("r:3", sent.message_id.as_deref(), "DONE")).await;
    tenant.shows(&sent, "Acknowledged by <at id=ou_ann></at>").await;
    assert_eq!(tenant.trail().await.len(), 1, "what means nothing is not written down");
}

#[tokio::test]
async fn what_is_no_interaction_is_counted_and_does_not_come_back() {
    let tenant = tenant().await;
    let mut hand = tenant.hand();
    hand.swallowed("{\"v\":1,\"kind\":\"wink\"}").await;
    assert!(hand.metric("larkfire_interactions_total{kind=\"unreadable\",outcome=\"undecodable\"} 1"));
}
