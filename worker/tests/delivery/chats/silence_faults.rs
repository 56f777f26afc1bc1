//! Silences of hostile alerts, and those that somebody else has changed in the meantime.

use feishu_sim::Record;
use jiff::SignedDuration;
use model::envelope::Envelope;
use model::interaction::{Interaction, Operator};
use runtime::clock::Clock;
use serde_json::{Value, json};
use testkit::alertmanager::Alertmanager;
use testkit::http;
use testkit::ports::free_address;
use worker::card_store::Mark;
use worker::render::Silenced;

use super::harness::{Tenant, WorkerHandle, firing, over};
use super::people::{answered, press, tenant};
use super::silences::{configured, state};

pub(super) async fn silencing_at(url: &str) -> Tenant {
    let mut tenant = tenant().await;
    tenant.alertmanagers = vec![configured(url)];
    tenant
}

/// An Alertmanager in which alerts of these labels fire.
async fn alertmanager_with(alerts: &[Value]) -> Alertmanager {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let alert = |labels: &Value| json!({ "labels": labels, "startsAt": "2026-01-15T10:30:00Z" });
    alertmanager.post(&alerts.iter().map(alert).collect()).await;
    alertmanager
}

fn named(names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| json!({ "alertname": name, "severity": "critical" })).collect()
}

/// One alert `A` that fires in an Alertmanager and is on a card.
async fn one_delivered() -> (Alertmanager, Tenant, WorkerHandle, Record) {
    let alertmanager = alertmanager_with(&named(&["A"])).await;
    let tenant = silencing_at(&alertmanager.url("/")).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    (alertmanager, tenant, hand, sent)
}

/// The alert of these labels alone, as the first of its kind.
fn labelled(index: u8, labels: &Value) -> Envelope<'static> {
    let mut envelope = firing(index, &["A"]);
    let labels = labels.as_object().unwrap();
    let pair =
        |(name, value): (&String, &Value)| (name.clone().into(), value.as_str().unwrap().to_owned().into());
    envelope.alerts[0].labels = labels.iter().map(pair).collect();
    envelope
}

#[tokio::test]
async fn an_alert_whose_silence_was_ended_in_alertmanager_is_silenced_anew() {
    let (alertmanager, tenant, mut hand, sent) = one_delivered().await;
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 4h")).await;
    state(&alertmanager, "suppressed").await;
    alertmanager.end(&alertmanager.silences().await[0]).await;
    state(&alertmanager, "active").await;

    hand.done(&press("press:2", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    assert!(answered(&tenant, 2).await.contains("Silenced 1 alert until "));
    state(&alertmanager, "suppressed").await;
    assert_eq!(alertmanager.silences().await.len(), 1);
}

#[tokio::test]
async fn what_is_silenced_for_longer_already_is_said_and_shown_to_be_silenced_for_that_long() {
    let (alertmanager, tenant, mut hand, sent) = one_delivered().await;
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 24h")).await;
    let first = answered(&tenant, 1).await;
    let until = first.split("until ").nth(1).unwrap();
    tenant.shows(&sent, "End silence").await;
    let operator = Operator { open_id: "ou_bob".to_owned(), ..Operator::default() };
    let by_bob = press("press:2", &sent, &sent.card().unwrap(), "Silence 1h");
    hand.done(&Interaction { operator, ..by_bob }).await;
    let second = answered(&tenant, 2).await;
    assert!(second.ends_with(until), "{first} / {second}");
    assert_eq!(alertmanager.silences().await.len(), 1);
    let card = tenant.shows(&sent, until.trim_end_matches('.')).await;
    assert!(card.to_string().contains("Silenced by <at id=ou_ann></at> until"), "{card}");
    assert!(card.to_string().contains("End silence"), "{card}");
}

#[tokio::test]
async fn a_card_that_shows_a_silence_which_is_none_of_ours_or_over_is_put_right_by_the_press_that_would_end_it()
 {
    let alertmanager = alertmanager_with(&named(&["A"])).await;
    let now = Clock::system().now();
    let theirs = json!({
        "matchers": [{ "name": "alertname", "value": "A", "isRegex": false, "isEqual": true }],
        "startsAt": now, "endsAt": now + SignedDuration::from_hours(1), "createdBy": "operator", "comment": "by hand",
    });
    http::post_json(&alertmanager.url("/api/v2/silences"), &theirs).await.unwrap();
    state(&alertmanager, "suppressed").await;
    let tenant = silencing_at(&alertmanager.url("/")).await;
    let mut hand = tenant.hand();
    let envelope = firing(1, &["A"]);
    hand.tell(&[&envelope]).await;
    let sent = tenant.sent().remove(0);
    let fingerprint = envelope.alerts[0].fingerprint.to_string();
    let silenced = Silenced { by: "ou_ann".to_owned(), until: now + SignedDuration::from_hours(1) };
    tenant.cards().mark(&[("default", &fingerprint)], &Mark::Silenced(silenced)).await.unwrap();
    let card = tenant.shows(&sent, "End silence").await;
    hand.done(&press("press:1", &sent, &card, "End silence")).await;
    assert!(answered(&tenant, 1).await.contains("There is no silence that could be ended."));
    tenant.shows(&sent, "Silence 24h").await;
    assert_eq!(alertmanager.silences().await.len(), 1, "what somebody made by hand is theirs");
}

#[tokio::test]
async fn a_silence_can_be_ended_although_its_alert_is_over() {
    let (alertmanager, tenant, mut hand, sent) = one_delivered().await;
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 24h")).await;
    let card = tenant.shows(&sent, "End silence").await;
    hand.tell(&[&over(2, &["A"])]).await;
    hand.done(&press("press:2", &sent, &card, "End silence")).await;
    assert!(answered(&tenant, 3).await.ends_with("Ended 1 silence."));
    assert!(alertmanager.silences().await.is_empty());
}

#[tokio::test]
async fn hostile_labels_silence_their_own_alert_and_no_other() {
    let hostile = json!({
        "alertname": "A", "expr": "a=~\".*\" or \"b\\\\\" | {}", "note": "磁盘\n<at id=all></at> ☃", "empty": "",
        "severity": "critical",
    });
    let other = json!({ "alertname": "B", "expr": "a", "note": "磁盘", "severity": "critical" });
    let alertmanager = alertmanager_with(&[hostile.clone(), other]).await;
    let tenant = silencing_at(&alertmanager.url("/")).await;
    let mut hand = tenant.hand();
    hand.tell(&[&labelled(1, &hostile)]).await;
    let sent = tenant.sent().remove(0);
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    assert!(answered(&tenant, 1).await.contains("Silenced 1 alert until "));
    state(&alertmanager, "suppressed").await;
    assert_eq!(alertmanager.state("B").await, "active");
    let silences = alertmanager.silences().await;
    assert_eq!(silences[0]["matchers"].as_array().unwrap().len(), hostile.as_object().unwrap().len());
}

#[tokio::test]
async fn only_what_fires_on_the_card_is_silenced() {
    let alertmanager = alertmanager_with(&named(&["A", "B", "C"])).await;
    let tenant = silencing_at(&alertmanager.url("/")).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A", "B"])]).await;
    let sent = tenant.sent().remove(0);
    hand.tell(&[&over(2, &["B"])]).await;
    hand.tell(&[&firing(3, &["C"])]).await;
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    assert!(answered(&tenant, 1).await.contains("Silenced 1 alert until "));
    state(&alertmanager, "suppressed").await;
    assert_eq!([alertmanager.state("B").await, alertmanager.state("C").await], ["active", "active"]);
    assert_eq!(alertmanager.silences().await.len(), 1);
}

#[tokio::test]
async fn a_silence_bears_the_name_of_whoever_pressed_where_the_user_table_knows_it() {
    let (alertmanager, tenant, mut hand, sent) = one_delivered().await;
    tenant.knows("安 \"<at id=all></at>", "ou_ann").await;
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    assert_eq!(alertmanager.silences().await[0]["createdBy"], "安 \"<at id=all></at> (ou_ann)");
    tenant.shows(&sent, "Silenced by <at id=ou_ann></at> until").await;
}

#[tokio::test]
async fn a_silence_that_alertmanager_has_forgotten_has_ended() {
    let mut forgetful = alertmanager_with(&named(&["A"])).await;
    let mut tenant = silencing_at(&forgetful.url("/")).await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    let card = tenant.shows(&sent, "End silence").await;
    hand.stop().await;
    forgetful = alertmanager_with(&named(&["A"])).await;
    tenant.alertmanagers = vec![configured(&forgetful.url("/"))];
    let mut hand = tenant.hand();
    hand.done(&press("press:2", &sent, &card, "End silence")).await;
    assert!(answered(&tenant, 2).await.ends_with("Ended 1 silence."));
    let card = tenant.shows(&sent, "Silence 24h").await;
    hand.done(&press("press:3", &sent, &card, "Silence 24h")).await;
    state(&forgetful, "suppressed").await;
}

#[tokio::test]
async fn who_wanted_to_end_a_silence_is_told_that_it_goes_on() {
    let (_alertmanager, mut tenant, mut hand, sent) = one_delivered().await;
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    let card = tenant.shows(&sent, "End silence").await;
    hand.stop().await;
    tenant.alertmanagers = vec![configured(&format!("http://{}/", free_address()))];
    let mut hand = tenant.hand();
    hand.done(&press("press:2", &sent, &card, "End silence")).await;
    let said = answered(&tenant, 2).await;
    assert!(said.ends_with("Not ended. Alertmanager: it does not answer."), "{said}");
    assert!(tenant.now_shown(&sent).to_string().contains("End silence"));
}

#[tokio::test]
async fn who_silenced_some_of_several_hears_of_both() {
    let alertmanager = alertmanager_with(&named(&["A"])).await;
    let tenant = silencing_at(&alertmanager.url("/")).await;
    let mut hand = tenant.hand();
    let mut envelope = firing(1, &["A", "B"]);
    envelope.alerts[1].labels =
        (0..64).map(|number| (format!("label{number}").into(), "x".to_owned().into())).collect();
    hand.tell(&[&envelope]).await;
    let sent = tenant.sent().remove(0);
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    let said = answered(&tenant, 1).await;
    assert!(
        said.contains("Silenced 1 alert until ") && said.contains("But not all of them: Not all labels"),
        "{said}"
    );
    state(&alertmanager, "suppressed").await;
    assert_eq!(alertmanager.silences().await.len(), 1);
    let trail = tenant.trail().await;
    assert_eq!((trail[0].letters, trail[0].done), (2, Some(1)));
}

#[tokio::test]
async fn the_same_wish_is_one_silence_unless_somebody_has_shortened_it() {
    let (alertmanager, tenant, mut hand, sent) = one_delivered().await;
    let first = press("press:1", &sent, &sent.card().unwrap(), "Silence 1h");
    // Clocks are finer than what Alertmanager and the database keep.
    let received_at = first.received_at + SignedDuration::from_nanos(1);
    let again = |key: &str| Interaction { dedup_key: key.to_owned(), received_at, ..first.clone() };
    hand.done(&again("press:2")).await;
    let said = answered(&tenant, 1).await;
    hand.done(&again("press:3")).await;
    assert_eq!(answered(&tenant, 2).await, said);
    let mut silences = alertmanager.silences().await;
    assert_eq!(silences.len(), 1);

    let mut shorter = silences.remove(0);
    shorter["endsAt"] = json!(Clock::system().now() + SignedDuration::from_mins(5));
    http::post_json(&alertmanager.url("/api/v2/silences"), &shorter).await.unwrap();
    hand.done(&again("press:4")).await;
    answered(&tenant, 3).await;
    assert_eq!(alertmanager.silences().await.len(), 2, "the short one, and one for as long as was wanted");
}
