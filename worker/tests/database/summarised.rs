//! What a card counts and could not list is found by the name of the card, for some time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use jiff::Timestamp;
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::{Envelope, EnvelopeId, Notice, Source};
use prometheus::Registry;
use runtime::clock::Clock;
use worker::render::Item;
use worker::store::Store;
use worker::summarised::{SummarisedAlerts, find};

use crate::databases::{Database, on_each_database};

pub(crate) fn envelope(alerts: usize) -> Envelope<'static> {
    let now = Timestamp::from_second(1_700_000_000).unwrap();
    let alert = |index: usize| {
        let name = format!("pod-{index}");
        let labels = [("alertname", "Crash"), ("pod", name.as_str())];
        Alert {
            fingerprint: Fingerprint::of_pairs(labels).into_owned(),
            status: Status::Firing,
            starts_at: None,
            ends_at: None,
            labels: labels
                .map(|(name, value)| (name.to_owned().into(), value.to_owned().into()))
                .into_iter()
                .collect(),
            annotations: Labels::default(),
            generator_url: "".into(),
            links: Links::default(),
            mention: Mention::default(),
            former: None,
        }
    };
    Envelope {
        id: EnvelopeId::new(now, [1; 10]),
        received_at: now,
        source: Source::Alertmanager,
        receiver: "ops".into(),
        group_key: "g".into(),
        group_labels: Labels::default(),
        external_url: "".into(),
        truncated: 0,
        notice: Notice::default(),
        is_repeat: false,
        is_unheard: false,
        instead_of: "".into(),
        alerts: (0..alerts).map(alert).collect(),
    }
}

on_each_database! {
    what_a_card_could_not_list_is_found_by_its_name_for_some_time
}

async fn what_a_card_could_not_list_is_found_by_its_name_for_some_time(own: Database) {
    let now = Arc::new(AtomicI64::new(1_700_000_000));
    let time = Arc::clone(&now);
    let clock = Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap());
    let database = DatabaseConfig {
        url: Some(Secret::new(own.url())),
        tls: ClientTls::default(),
        connections: 2,
        timeout: Duration::from_secs(20),
    };
    let registry = Registry::new();
    let store = Store::open(&database, Path::new("."), &registry).unwrap();
    store.migrate().await.unwrap();
    let summarised = SummarisedAlerts::new(store.clone(), clock, &registry).unwrap();
    let envelope = envelope(5_000);
    let items = Item::all_of(&envelope);
    summarised.keep("card-1", "ops", &items).await;
    // The same card again: after an answer that was lost, say.
    summarised.keep("card-1", "ops", &items).await;
    let found = find(&store, "card-1").await.unwrap().unwrap();
    assert_eq!((found.receiver.as_str(), found.sent_at.as_second()), ("ops", 1_700_000_000));
    let pods: Vec<_> = found.alerts.iter().map(|alert| alert.labels["pod"].clone()).collect();
    assert_eq!(pods, (0..5_000).map(|index| format!("pod-{index}")).collect::<Vec<_>>());
    assert!(find(&store, "card-2").await.unwrap().is_none());
    // More than one statement forgets.
    let names: Vec<_> = (0..120).map(|number| format!("small-{number}")).collect();
    for name in &names {
        summarised.keep(name, "ops", &items[..1]).await;
    }
    now.fetch_add(29 * 86_400, Ordering::Relaxed);
    summarised.keep("card-2", "ops", &items[..1]).await;
    now.fetch_add(2 * 86_400, Ordering::Relaxed);
    summarised.clean().await.unwrap();
    for name in names.iter().map(String::as_str).chain(["card-1"]) {
        assert!(find(&store, name).await.unwrap().is_none(), "{name}");
    }
    assert!(find(&store, "card-2").await.unwrap().is_some(), "it is younger");
}
