//! Alerts that nobody ends.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use config::DedupConfig;
use model::envelope::Envelope;
use prometheus::Registry;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::harness::{Harness, absent, envelope, events_of};
use super::with_each;
use worker::card_store::{CardId, Unheard};
use worker::ledger::{Decision, Event, Ledger, Occasion};

with_each! {
    what_its_alertmanager_does_not_have_any_more_is_over_and_news_when_it_fires_again
    without_an_alertmanager_it_is_over_after_it_would_be_forgotten
}

/// What an Alertmanager answers: its alerts, and since when it runs.
#[derive(Default)]
pub(super) struct Answers {
    pub(super) alerts: String,
    uptime: String,
    pub(super) asked: Vec<String>,
}

/// An Alertmanager that answers like this, and its address.
pub(super) async fn stub() -> (Arc<Mutex<Answers>>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let answers = Arc::new(Mutex::new(Answers {
        alerts: "[]".to_owned(),
        uptime: "2024-01-15T10:00:00Z".to_owned(),
        asked: Vec::new(),
    }));
    let shared = Arc::clone(&answers);
    TaskTracker::new().spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let Ok(byte) = connection.read_u8().await else { break };
                request.push(byte);
            }
            let line = String::from_utf8_lossy(&request).lines().next().unwrap_or_default().to_owned();
            let body = {
                let mut answers = shared.lock().unwrap();
                let body = if line.contains("/api/v2/status") {
                    format!(r#"{{"uptime":"{}"}}"#, answers.uptime)
                } else {
                    answers.alerts.clone()
                };
                answers.asked.push(line);
                body
            };
            let head =
                format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
            let _gone = connection.write_all(format!("{head}{body}").as_bytes()).await;
        }
    });
    (answers, url)
}

/// An alert on a card at `ops`, delivered a moment ago; and who looks for it.
async fn delivered(
    harness: &Harness,
    url: Option<&str>,
) -> (Envelope<'static>, CardId, Arc<Ledger>, Unheard) {
    let store = harness.store.clone();
    let clock = harness.clock.clone();
    let ledger = Ledger::new(store, DedupConfig::default(), clock.clone(), &Registry::new()).unwrap();
    let ledger = Arc::new(ledger);
    let mut delivered = envelope(1, &["f1"]);
    delivered.alerts[0].starts_at = Some(clock.now());
    delivered.received_at = clock.now();
    let card = harness.sent(&delivered, "om_1").await;
    let events: Vec<Event<'_>> = events_of(&delivered);
    assert_eq!(ledger.observe(&events).await, [Decision::Deliver(Occasion::New)]);
    ledger.delivered(&events).await;
    drop(events);
    let unheard = Unheard::new(harness.cards.clone(), Arc::clone(&ledger), absent(url));
    (delivered, card, ledger, unheard)
}

async fn what_its_alertmanager_does_not_have_any_more_is_over_and_news_when_it_fires_again(harness: Harness) {
    let (answers, url) = stub().await;
    let (delivered, card, ledger, mut unheard) = delivered(&harness, Some(&url)).await;
    let mut after = async |harness: &Harness, minutes| {
        harness.pass(Duration::from_mins(minutes));
        unheard.look().await.unwrap()
    };
    assert_eq!(after(&harness, 10).await, 0, "what has just ended is on its way");
    assert!(answers.lock().unwrap().asked.is_empty());
    answers.lock().unwrap().alerts =
        r#"[{"labels":{"alertname":"f1"},"status":{"state":"suppressed"}}]"#.into();
    assert_eq!(after(&harness, 10).await, 0, "it is silenced, and there");
    let asked = answers.lock().unwrap().asked[0].clone();
    assert!(asked.contains("filter=alertname%3D%22f1%22") && asked.contains("silenced=true"), "{asked}");
    answers.lock().unwrap().alerts = "[]".into();
    let now = harness.clock.now();
    answers.lock().unwrap().uptime = now.to_string();
    assert_eq!(after(&harness, 5).await, 0, "it was started a moment ago, and knows nothing");
    answers.lock().unwrap().alerts = "no JSON".into();
    assert_eq!(after(&harness, 5).await, 0, "it says nothing of use");
    answers.lock().unwrap().alerts = "[]".into();
    assert_eq!(after(&harness, 5).await, 0, "once is not enough");
    assert!(!harness.load(&card).await.is_over());
    assert_eq!(after(&harness, 5).await, 1);
    let kept = harness.load(&card).await;
    assert!(kept.is_over());
    let attention = kept.items()[0].attention.cloned().unwrap();
    assert_eq!(attention.unheard_since, Some(delivered.received_at));
    assert_eq!(harness.cards.due(10).await.unwrap(), [card], "its message is updated");
    assert_eq!(after(&harness, 5).await, 0, "it is over once");
    harness.pass(Duration::from_mins(5));
    let again = Envelope { received_at: harness.clock.now(), ..delivered };
    let events: Vec<Event<'_>> = events_of(&again);
    assert_eq!(ledger.observe(&events).await, [Decision::Deliver(Occasion::Returned)]);
}

async fn without_an_alertmanager_it_is_over_after_it_would_be_forgotten(harness: Harness) {
    let (_, card, ledger, mut unheard) = delivered(&harness, None).await;
    harness.pass(Duration::from_hours(7 * 24 - 1));
    assert_eq!(unheard.look().await.unwrap(), 0);
    assert!(!harness.load(&card).await.is_over());
    harness.pass(Duration::from_hours(1));
    // Also if the ledger has forgotten it by then.
    assert_eq!(ledger.clean().await.unwrap(), 0);
    harness.pass(Duration::from_hours(1));
    assert_eq!(ledger.clean().await.unwrap(), 1);
    assert_eq!(unheard.look().await.unwrap(), 1);
    assert!(harness.load(&card).await.is_over());
}
