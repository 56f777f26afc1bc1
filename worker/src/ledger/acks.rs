//! Who has taken on which alert. What somebody has taken on is not delivered again as a reminder, until it is over or delivered
//! anew; without the database it is, rather than be forgotten.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use super::Ledger;
use super::batch::{Key, fitting};
use super::row::Millis;
use crate::store::sql::{Value, execute, places, rows};
use crate::store::{AgedRows, Insert, Store, StoreError};

const ACKNOWLEDGEMENTS: AgedRows = AgedRows {
    table: "larkfire_acknowledgements",
    key: "fingerprint, receiver",
    time: "at_ms",
    together: 500,
};

const TAKEN_ON: Insert<'_> = Insert {
    table: "larkfire_acknowledgements",
    columns: &["fingerprint", "receiver", "told_at", "who", "at_ms"],
    key: 2,
};

/// Alerts in one statement.
const TOGETHER_MAX: usize = 256;
/// What is kept of a name, in characters.
const WHO_CHARS_MAX: usize = 255;

/// Receivers that are shown of one alert.
const SHOWN_MAX: i64 = 1_000;

impl Ledger {
    /// Somebody takes on these alerts of a receiver, as far as they fire and were delivered; of which it says how many those
    /// are.
    pub async fn acknowledge(
        &self,
        receiver: &str,
        fingerprints: &[&str],
        who: &str,
    ) -> Result<usize, StoreError> {
        let store = &self.table.0;
        let who: String = who.chars().take(WHO_CHARS_MAX).collect();
        let mut taken_on = 0;
        for together in fingerprints.chunks(TOGETHER_MAX) {
            let keys: Vec<_> = together.iter().map(|fingerprint| fitting(fingerprint)).collect();
            let receiver = fitting(receiver);
            let condition = format!(
                "FROM larkfire_ledger WHERE receiver = ? AND told_status = 0 AND fingerprint IN ({})",
                places(keys.len())
            );
            let mut values: Vec<Value<'_>> = vec![receiver.as_bytes().into()];
            values.extend(keys.iter().map(|key| Value::Bytes(key.as_bytes())));
            let count = format!("SELECT COUNT(*) {condition}");
            let found: Vec<(i64,)> = store.within(|| rows(store.pool(), &count, &values)).await?;
            taken_on += found.first().map_or(0, |(count,)| usize::try_from(*count).unwrap_or(0));
            let chosen = format!("SELECT fingerprint, receiver, told_at, ?, ? {condition}");
            let replace = TAKEN_ON.or_replace(store.pool().dialect(), &chosen);
            values.splice(0..0, [who.as_str().into(), self.now().into()]);
            store.within(|| execute(store.pool(), &replace, &values)).await?;
        }
        Ok(taken_on)
    }

    /// Nobody looks after these alerts of a receiver, after all.
    pub async fn unacknowledge(&self, receiver: &str, fingerprints: &[&str]) -> Result<(), StoreError> {
        let store = &self.table.0;
        for together in fingerprints.chunks(TOGETHER_MAX) {
            let keys: Vec<_> = together.iter().map(|fingerprint| fitting(fingerprint)).collect();
            let delete = format!(
                "DELETE FROM larkfire_acknowledgements WHERE receiver = ? AND fingerprint IN ({})",
                places(keys.len())
            );
            let receiver = fitting(receiver);
            let mut values: Vec<Value<'_>> = vec![receiver.as_bytes().into()];
            values.extend(keys.iter().map(|key| Value::Bytes(key.as_bytes())));
            store.within(|| execute(store.pool(), &delete, &values)).await?;
        }
        Ok(())
    }

    /// Those of these alerts, known to fire and to be due for a reminder, that somebody has taken on. None without the
    /// database: a reminder too many is no harm.
    pub(super) async fn spared<'k>(&self, reminded: &[&'k Key<'k>]) -> HashSet<&'k Key<'k>> {
        let mut asked: Vec<_> = reminded.iter().map(|key| key.fingerprint.clone()).collect();
        asked.sort_unstable();
        asked.dedup();
        let mut taken_on = HashSet::new();
        for together in asked.chunks(TOGETHER_MAX) {
            let Ok(found) = self.taken_on(together).await else { return HashSet::new() };
            taken_on.extend(found);
        }
        let is_taken_on = |key: &&Key<'_>| {
            let columns = (key.fingerprint.as_bytes().to_vec(), key.receiver.as_bytes().to_vec());
            taken_on.contains(&columns)
        };
        reminded.iter().copied().filter(is_taken_on).collect()
    }

    /// Which of these alerts somebody has taken on since they were delivered, by fingerprint and receiver.
    async fn taken_on(
        &self,
        fingerprints: &[std::borrow::Cow<'_, str>],
    ) -> Result<Vec<(Vec<u8>, Vec<u8>)>, StoreError> {
        let select = format!(
            "SELECT a.fingerprint, a.receiver FROM larkfire_acknowledgements a JOIN larkfire_ledger l \
             ON l.fingerprint = a.fingerprint AND l.receiver = a.receiver \
             WHERE l.told_at = a.told_at AND l.told_status = 0 AND a.fingerprint IN ({})",
            places(fingerprints.len())
        );
        let values: Vec<_> = fingerprints.iter().map(|key| Value::Bytes(key.as_bytes())).collect();
        let store = &self.table.0;
        store.within(|| rows(store.pool(), &select, &values)).await
    }

    /// Forgets who took on what before that time.
    pub(super) async fn forget_acknowledgements(&self, before: Millis) -> Result<(), StoreError> {
        ACKNOWLEDGEMENTS.forget(&self.table.0, before).await.map(drop)
    }
}

/// That somebody has taken on an alert since it was delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TakenOn {
    /// At which receiver.
    pub receiver: String,
    /// Who it is.
    pub who: String,
    /// Since when.
    pub at: Timestamp,
}

/// Who has taken on an alert, at each receiver; the name it goes by in the ledger.
pub async fn find_taken_on(store: &Store, fingerprint: &str) -> Result<Vec<TakenOn>, StoreError> {
    let select = "SELECT a.receiver, a.who, a.at_ms FROM larkfire_acknowledgements a JOIN larkfire_ledger l \
         ON l.fingerprint = a.fingerprint AND l.receiver = a.receiver \
         WHERE l.told_at = a.told_at AND l.told_status = 0 AND a.fingerprint = ? ORDER BY a.receiver LIMIT ?";
    let key = fitting(fingerprint);
    let values = [Value::Bytes(key.as_bytes()), Value::Number(SHOWN_MAX)];
    let found: Vec<(Vec<u8>, String, i64)> = store.within(|| rows(store.pool(), select, &values)).await?;
    let each = found.into_iter().map(|(receiver, who, at_ms)| TakenOn {
        receiver: String::from_utf8_lossy(&receiver).into_owned(),
        who,
        at: Timestamp::from_millisecond(at_ms).unwrap_or_default(),
    });
    Ok(each.collect())
}
