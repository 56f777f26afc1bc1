//! Alerts are silenced from the chat, in a real Alertmanager.

use config::AlertmanagerConfig;
use model::alert::{Alert, Fingerprint};
use model::envelope::{Envelope, Source};
use serde_json::json;
use testkit::alertmanager::Alertmanager;
use testkit::ports::free_address;
use testkit::wait_until::wait_until;
use url::Url;
use worker::history::HistoryEntry;

use super::harness::firing;
use super::people::{answered, press, tenant};
use crate::harness::WITHIN;

pub(super) fn configured(url: &str) -> AlertmanagerConfig {
    AlertmanagerConfig {
        name: "default".to_owned(),
        url: Url::parse(url).unwrap(),
        external_url: None,
        basic_auth: None,
        bearer_token: None,
    }
}

pub(super) async fn state(alertmanager: &Alertmanager, wanted: &str) {
    wait_until(WITHIN, "the state in Alertmanager", async || {
        let state = alertmanager.state("A").await;
        if state == wanted { Ok(()) } else { Err(state) }
    })
    .await;
}

#[tokio::test]
async fn a_press_silences_exactly_this_alert_in_alertmanager_and_another_ends_that() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let labels = json!({ "alertname": "A", "severity": "critical" });
    alertmanager.post(&json!([{ "labels": labels, "startsAt": "2026-01-15T10:30:00Z" }])).await;
    state(&alertmanager, "active").await;
    let mut tenant = tenant().await;
    tenant.alertmanagers = vec![configured(&alertmanager.url("/"))];
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);

    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 4h")).await;
    state(&alertmanager, "suppressed").await;
    let [silence] = <[_; 1]>::try_from(alertmanager.silences().await).unwrap();
    let matchers = silence["matchers"].as_array().unwrap();
    let named: Vec<_> =
        matchers.iter().map(|matcher| (matcher["name"].as_str(), matcher["value"].as_str())).collect();
    assert_eq!(named, [(Some("alertname"), Some("A")), (Some("severity"), Some("critical"))]);
    assert!(matchers.iter().all(|matcher| matcher["isRegex"] == false && matcher["isEqual"] == true));
    assert_eq!(silence["createdBy"], "ou_ann");
    assert!(answered(&tenant, 1).await.contains("Silenced 1 alert until "));
    let card = tenant.shows(&sent, "Silenced by <at id=ou_ann></at> until").await;

    // Somebody else presses what was on the card before: the alert is silenced already.
    hand.done(&press("press:2", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    assert_eq!(alertmanager.silences().await.len(), 1);

    hand.done(&press("press:3", &sent, &card, "End silence")).await;
    state(&alertmanager, "active").await;
    assert!(alertmanager.silences().await.is_empty());
    tenant.shows(&sent, "Silence 24h").await;
    assert!(answered(&tenant, 3).await.ends_with("Ended 1 silence."));

    hand.done(&press("press:4", &sent, &sent.card().unwrap(), "Acknowledge")).await;
    let history = tenant.history("A", 4).await;
    let said = |entry: &HistoryEntry| (entry.outcome.as_str(), entry.reason.clone().unwrap_or_default());
    let by = || "by ou_ann".to_owned();
    assert_eq!(
        history.iter().map(said).collect::<Vec<_>>(),
        [("acknowledged", by()), ("unsilenced", by()), ("silenced", by()), ("delivered", String::new())],
        "who did what stands in its history, and what was silent already was not silenced again"
    );
    assert!(history[2].until.is_some(), "until when it is silent: {history:?}");
}

#[tokio::test]
async fn why_an_alert_was_not_silenced_is_said_in_words() {
    let mut tenant = tenant().await;
    tenant.alertmanagers = vec![configured(&format!("http://{}/", free_address()))];
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence 1h")).await;
    let said = answered(&tenant, 1).await;
    assert!(said.ends_with("Not silenced. Alertmanager: it does not answer."), "{said}");
    assert!(hand.metric("larkfire_interactions_total{kind=\"button\",outcome=\"failed\"} 1"));
    assert!(!tenant.now_shown(&sent).to_string().contains("Silenced by"));

    // What has waited for longer than it was to be silent is not silenced at all.
    let honest = press("press:2", &sent, &sent.card().unwrap(), "Silence 1h");
    let received_at = honest.received_at - jiff::SignedDuration::from_hours(2);
    hand.done(&model::interaction::Interaction { received_at, ..honest }).await;
    assert!(answered(&tenant, 2).await.contains("the silence would be over already"));
}

#[tokio::test]
async fn an_alert_of_grafana_has_no_button_for_it_and_is_not_silenced_by_command() {
    let mut tenant = tenant().await;
    tenant.alertmanagers = vec![configured(&format!("http://{}/", free_address()))];
    let mut hand = tenant.hand();
    let envelope = Envelope { source: Source::Grafana, ..firing(1, &["A"]) };
    hand.tell(&[&envelope]).await;
    let sent = tenant.sent().remove(0);
    assert!(!sent.card().unwrap().to_string().contains("Silence 1h"));
    let text = format!("@_user_1 /silence {} 2h", envelope.alerts[0].fingerprint);
    let act = model::interaction::Act::Message {
        text,
        mentions: Vec::new(),
        parent_id: String::new(),
        chat_type: "group".to_owned(),
    };
    hand.done(&super::people::interaction("m:1", sent.message_id.as_deref(), act)).await;
    assert!(answered(&tenant, 1).await.contains("not from Alertmanager"));
}

/// One alert of this name for each pod, as on a card of a storm.
fn of_pods(index: u8, pods: u8) -> Envelope<'static> {
    let mut envelope = firing(index, &["A"]);
    let template = envelope.alerts.remove(0);
    for pod in 0..pods {
        let labels =
            [("alertname", "A".to_owned()), ("pod", format!("p-{pod}")), ("severity", "critical".to_owned())];
        let pairs = labels.iter().map(|(name, value)| (*name, value.as_str()));
        let fingerprint = Fingerprint::of_pairs(pairs).into_owned();
        let labels = labels.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        envelope.alerts.push(Alert { fingerprint, labels, ..template.clone() });
    }
    envelope
}

#[tokio::test]
async fn more_than_a_press_silences_one_by_one_are_silenced_by_what_they_share_and_once() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let labels = json!({ "alertname": "A", "severity": "critical", "pod": "p-0" });
    alertmanager.post(&json!([{ "labels": labels, "startsAt": "2026-01-15T10:30:00Z" }])).await;
    state(&alertmanager, "active").await;
    let mut tenant = tenant().await;
    tenant.alertmanagers = vec![configured(&alertmanager.url("/"))];
    let mut hand = tenant.hand();
    hand.tell(&[&of_pods(1, 11)]).await;
    let sent = tenant.sent().remove(0);

    hand.done(&press("press:1", &sent, &sent.card().unwrap(), "Silence all 4h")).await;
    state(&alertmanager, "suppressed").await;
    let answer = answered(&tenant, 1).await;
    assert!(answer.contains("Silenced what has alertname=\"A\", severity=\"critical\" until "), "{answer}");
    assert!(answer.contains("11 alerts of this card"), "{answer}");
    let card = tenant.shows(&sent, "🔕 11 silenced").await;

    // The same button of the card as it was, once more and by somebody else.
    for key in ["press:2", "press:3"] {
        hand.done(&press(key, &sent, &sent.card().unwrap(), "Silence all 4h")).await;
    }
    let [silence] = <[_; 1]>::try_from(alertmanager.silences().await).unwrap();
    let matchers = silence["matchers"].as_array().unwrap();
    assert_eq!(matchers.len(), 2, "no pod: {silence}");

    hand.done(&press("press:4", &sent, &card, "End silence")).await;
    state(&alertmanager, "active").await;
    assert!(alertmanager.silences().await.is_empty());
    let trail: Vec<_> = tenant.trail().await.into_iter().map(|entry| (entry.who, entry.action)).collect();
    let by = |action: &str| ("ou_ann".to_owned(), action.to_owned());
    assert_eq!(trail, [by("unsilence"), by("silence_all_4h"), by("silence_all_4h"), by("silence_all_4h")]);
}

#[tokio::test]
async fn a_card_of_too_many_alerts_of_different_names_says_why_it_silences_nothing() {
    let mut tenant = tenant().await;
    tenant.alertmanagers = vec![configured(&format!("http://{}/", free_address()))];
    let mut hand = tenant.hand();
    let names: Vec<_> = (0..11).map(|index| format!("Alert{index}")).collect();
    hand.tell(&[&firing(1, &names.iter().map(String::as_str).collect::<Vec<_>>())]).await;
    let card = tenant.sent().remove(0).card().unwrap().to_string();
    assert!(!card.contains("Silence all") && card.contains("Acknowledge"), "{card}");
    assert!(card.contains("More than 10 alerts of different names"), "{card}");
}
