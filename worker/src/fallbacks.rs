//! What was told instead of a receiver that could not be reached, and by whom, so that its end goes there as well. One row for
//! each alert that fires, as long as it does or the ledger remembers it.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use model::alert::Status;
use runtime::clock::Clock;
use tracing::warn;

use crate::render::Item;
use crate::store::sql::{Value, execute, placeholders, places, rows};
use crate::store::{AgedRows, Insert, Store, StoreError};

/// Rows of one statement.
const TOGETHER: usize = 100;
const ROWS: Insert<'_> =
    Insert { table: "larkfire_fallbacks", columns: &["receiver", "fingerprint", "told", "kept_ms"], key: 2 };
const OLD: AgedRows =
    AgedRows { table: "larkfire_fallbacks", key: "receiver, fingerprint", time: "kept_ms", together: 500 };

/// The rows. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Fallbacks {
    store: Store,
    clock: Clock,
    /// The receivers that have one.
    receivers: Arc<HashSet<String>>,
    remember: Duration,
}

/// An alert that another was told of instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ToldInstead {
    /// Its fingerprint.
    pub(crate) fingerprint: String,
    /// Who was told.
    pub(crate) told: String,
}

impl Fallbacks {
    /// Of these receivers. `remember` is how long the ledger remembers an alert that nobody sends.
    pub(crate) fn new(store: Store, clock: Clock, receivers: HashSet<String>, remember: Duration) -> Self {
        Self { store, clock, receivers: Arc::new(receivers), remember }
    }

    /// Keeps what of a card that `told` has was for another. A failure only means that nobody there hears of an end.
    pub(crate) async fn keep(&self, told: &str, items: &[Item<'_>]) {
        let mut instead: Vec<_> = items
            .iter()
            .filter(|item| !item.envelope.instead_of.is_empty())
            .map(|item| (&*item.envelope.instead_of, item.alert.fingerprint.as_str(), item.alert.status))
            .collect();
        instead.sort_unstable_by_key(|(receiver, fingerprint, _)| (*receiver, *fingerprint));
        instead.dedup_by_key(|(receiver, fingerprint, _)| (*receiver, *fingerprint));
        let is_firing = |status: Status| status == Status::Firing;
        for some in instead.chunks(TOGETHER) {
            let firing: Vec<_> = some.iter().filter(|(.., status)| is_firing(*status)).collect();
            let over: Vec<_> = some.iter().filter(|(.., status)| !is_firing(*status)).collect();
            let firing = firing.iter().map(|(receiver, fingerprint, _)| (*receiver, *fingerprint));
            let over = over.iter().map(|(receiver, fingerprint, _)| (*receiver, *fingerprint));
            let kept = self.write(told, &firing.collect::<Vec<_>>()).await;
            let forgotten = self.remove(&over.collect::<Vec<_>>()).await;
            if let Err(error) = kept.and(forgotten) {
                warn!(%error, receiver = told, "what was told instead of another receiver is not kept: its end goes to that one only");
                return;
            }
        }
    }

    /// Which of these alerts of a receiver others were told of instead.
    pub(crate) async fn told_instead(
        &self,
        receiver: &str,
        fingerprints: &[&str],
    ) -> Result<Vec<ToldInstead>, StoreError> {
        let mut found = Vec::new();
        if !self.receivers.contains(receiver) {
            return Ok(found);
        }
        for some in fingerprints.chunks(TOGETHER) {
            let select = format!(
                "SELECT fingerprint, told FROM larkfire_fallbacks WHERE receiver = ? AND fingerprint IN ({}) \
                 LIMIT {TOGETHER}",
                places(some.len())
            );
            let fingerprints = some.iter().map(|fingerprint| Value::from(fingerprint.as_bytes()));
            let values: Vec<_> = [receiver.as_bytes().into()].into_iter().chain(fingerprints).collect();
            let rows: Vec<(Vec<u8>, Vec<u8>)> =
                self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            found.extend(
                rows.iter().map(|(fingerprint, told)| ToldInstead {
                    fingerprint: text(fingerprint),
                    told: text(told),
                }),
            );
        }
        Ok(found)
    }

    /// Their end is on its way.
    pub(crate) async fn ended(&self, receiver: &str, ended: &[ToldInstead]) -> Result<(), StoreError> {
        for some in ended.chunks(TOGETHER) {
            let some: Vec<_> = some.iter().map(|ended| (receiver, ended.fingerprint.as_str())).collect();
            self.remove(&some).await?;
        }
        Ok(())
    }

    /// Forgets what nobody has ended for as long as the ledger remembers.
    pub(crate) async fn clean(&self) -> Result<(), StoreError> {
        let remember_ms = i64::try_from(self.remember.as_millis()).unwrap_or(i64::MAX);
        OLD.forget(&self.store, self.clock.now().as_millisecond().saturating_sub(remember_ms)).await.map(drop)
    }

    async fn write(&self, told: &str, instead: &[(&str, &str)]) -> Result<(), StoreError> {
        if instead.is_empty() {
            return Ok(());
        }
        let text = format!("VALUES {}", placeholders(ROWS.columns.len(), instead.len()));
        let text = ROWS.or_replace(self.store.pool().dialect(), &text);
        let now_ms = self.clock.now().as_millisecond();
        let values: Vec<Value<'_>> = instead
            .iter()
            .flat_map(|(receiver, fingerprint)| {
                let names = [receiver, fingerprint, &told].map(|name| Value::from(name.as_bytes()));
                names.into_iter().chain([now_ms.into()])
            })
            .collect();
        self.store.within(|| execute(self.store.pool(), &text, &values)).await.map(drop)
    }

    async fn remove(&self, over: &[(&str, &str)]) -> Result<(), StoreError> {
        if over.is_empty() {
            return Ok(());
        }
        let each = vec!["(receiver = ? AND fingerprint = ?)"; over.len()].join(" OR ");
        let delete = format!("DELETE FROM larkfire_fallbacks WHERE {each}");
        let values: Vec<Value<'_>> = over
            .iter()
            .flat_map(|(receiver, print)| [receiver.as_bytes().into(), print.as_bytes().into()])
            .collect();
        self.store.within(|| execute(self.store.pool(), &delete, &values)).await.map(drop)
    }
}
