//! Alerts that a card counts and could not list: kept by the name of the card, so that somebody who reads it finds out
//! which they are.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use prometheus::{IntCounter, Registry};
use runtime::clock::Clock;
use runtime::metrics::delivery;
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::render::Item;
use crate::store::sql::{execute, rows};
use crate::store::{AgedRows, Insert, Store, StoreError};

/// How much is written into one row, in bytes: with that a statement is less than what old servers take at once (1 MiB).
const PART_BYTES_MAX: usize = 256 * 1024;
/// How long they are kept, as long as a settled dead letter.
const KEPT: Duration = Duration::from_hours(30 * 24);
/// They are large.
const PARTS: AgedRows =
    AgedRows { table: "larkfire_summarised", key: "card, part", time: "kept_ms", together: 50 };
const PART: Insert<'_> = Insert {
    table: "larkfire_summarised",
    columns: &["card", "part", "receiver", "alerts", "kept_ms"],
    key: 2,
};
/// Rows of one card that are read, far more than alerts of one card fill.
const PARTS_READ_MAX: i64 = 10_000;

/// The rows. Clones share them.
#[derive(Clone, Debug)]
pub struct SummarisedAlerts {
    store: Store,
    clock: Clock,
    unkept: IntCounter,
}

/// An alert that a card only counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SummarisedAlert {
    /// Its fingerprint.
    pub fingerprint: String,
    /// Whether it fired or was over.
    pub status: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
}

/// What a card counts and could not list.
#[derive(Debug, Serialize)]
pub struct SummarisedCard {
    /// The name of the card.
    pub card: String,
    /// Whom it was for.
    pub receiver: String,
    /// When Feishu had taken it.
    pub sent_at: Timestamp,
    /// The alerts.
    pub alerts: Vec<SummarisedAlert>,
}

/// One row.
type PartRow = (Vec<u8>, Vec<u8>, i64);

impl SummarisedAlerts {
    /// Counts what it cannot keep, shown by `registry`.
    pub fn new(store: Store, clock: Clock, registry: &Registry) -> prometheus::Result<Self> {
        let unkept = delivery::SUMMARISED_UNKEPT.counter()?;
        registry.register(Box::new(unkept.clone()))?;
        Ok(Self { store, clock, unkept })
    }

    /// Keeps what a card that Feishu has taken could not list. Never fails: what cannot be written is counted.
    pub async fn keep(&self, card: &str, receiver: &str, items: &[Item<'_>]) {
        let now_ms = self.clock.now().as_millisecond();
        for (number, part) in parts(items).iter().enumerate() {
            let insert = PART.or_replace(self.store.pool().dialect(), "VALUES (?, ?, ?, ?, ?)");
            let values = [
                card.as_bytes().into(),
                i64::try_from(number).unwrap_or(i64::MAX).into(),
                receiver.as_bytes().into(),
                part.bytes.as_slice().into(),
                now_ms.into(),
            ];
            let written = self.store.within(|| execute(self.store.pool(), &insert, &values)).await;
            if let Err(error) = written {
                self.unkept.inc_by(part.alerts);
                let alerts = part.alerts;
                warn!(%error, receiver, card, alerts, "alerts that a card only counts are not kept: nobody can look them up");
            }
        }
    }

    /// Forgets what was kept long enough.
    pub async fn clean(&self) -> Result<(), StoreError> {
        let kept_ms = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
        let before = self.clock.now().as_millisecond().saturating_sub(kept_ms);
        PARTS.forget(&self.store, before).await.map(drop)
    }
}

/// What this card could not list; `None` if nothing is known of it.
pub async fn find(store: &Store, card: &str) -> Result<Option<SummarisedCard>, StoreError> {
    let select = "SELECT receiver, alerts, kept_ms FROM larkfire_summarised WHERE card = ? ORDER BY part \
                  LIMIT ?";
    let values = [card.as_bytes().into(), PARTS_READ_MAX.into()];
    let found: Vec<PartRow> = store.within(|| rows(store.pool(), select, &values)).await?;
    let Some((receiver, _, kept_ms)) = found.first() else { return Ok(None) };
    // What another version wrote and this one cannot read is left out.
    let of_part =
        |part: &PartRow| serde_json::from_slice::<Vec<SummarisedAlert>>(&part.1).unwrap_or_default();
    Ok(Some(SummarisedCard {
        card: card.to_owned(),
        receiver: String::from_utf8_lossy(receiver).into_owned(),
        sent_at: Timestamp::from_millisecond(*kept_ms).unwrap_or_default(),
        alerts: found.iter().flat_map(of_part).collect(),
    }))
}

/// Some of the alerts, as they are written into a row.
#[derive(Default)]
struct SummarisedPart {
    bytes: Vec<u8>,
    alerts: u64,
}

fn parts(items: &[Item<'_>]) -> Vec<SummarisedPart> {
    let mut parts: Vec<SummarisedPart> = Vec::new();
    for item in items {
        let labels = item.alert.labels.iter();
        let alert = SummarisedAlert {
            fingerprint: item.alert.fingerprint.as_str().to_owned(),
            status: item.alert.status.as_str().to_owned(),
            labels: labels.map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        };
        // Strings and maps of strings always are JSON.
        let Ok(json) = serde_json::to_vec(&alert) else { continue };
        let fits = |part: &&mut SummarisedPart| part.bytes.len() + json.len() < PART_BYTES_MAX;
        match parts.last_mut().filter(fits) {
            Some(part) => {
                part.bytes.push(b',');
                part.bytes.extend(json);
                part.alerts += 1;
            }
            None => parts.push(SummarisedPart { bytes: [b"[", &json[..]].concat(), alerts: 1 }),
        }
    }
    for part in &mut parts {
        part.bytes.push(b']');
    }
    parts
}
