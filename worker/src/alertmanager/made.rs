//! Silences that were made from here for people: so that they are not made twice, and can be undone.

use jiff::Timestamp;
use runtime::clock::Clock;

use crate::store::sql::{Value, execute, places, rows};
use crate::store::{AgedRows, Insert, Store, StoreError};

/// Silences undone at once at most; as many as there can be for the alerts of one card.
const FOUND_MAX: i64 = 500;

const ENDED: AgedRows =
    AgedRows { table: "larkfire_silences", key: "silence, alertmanager", time: "until_ms", together: 500 };

const SILENCE: Insert<'_> = Insert {
    table: "larkfire_silences",
    columns: &["silence", "alertmanager", "receiver", "fingerprint", "until_ms"],
    key: 2,
};

/// One silence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MadeSilence {
    /// Its id in its Alertmanager.
    pub(crate) id: String,
    /// The name of that.
    pub(crate) alertmanager: String,
    /// The alert's.
    pub(crate) fingerprint: String,
    /// When it ends.
    pub(crate) until: Timestamp,
}

/// The silences in the database.
#[derive(Clone, Debug)]
pub(crate) struct MadeSilences {
    store: Store,
    clock: Clock,
}

impl MadeSilences {
    pub(crate) const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Writes one down.
    pub(crate) async fn keep(&self, receiver: &str, silence: &MadeSilence) -> Result<(), StoreError> {
        let text = SILENCE.or_replace(self.store.pool().dialect(), "VALUES (?, ?, ?, ?, ?)");
        let values = [
            silence.id.as_str().into(),
            silence.alertmanager.as_str().into(),
            receiver.as_bytes().into(),
            silence.fingerprint.as_bytes().into(),
            silence.until.as_millisecond().into(),
        ];
        self.execute(&text, &values).await
    }

    /// Those of these alerts that have not ended.
    pub(crate) async fn of(
        &self,
        receiver: &str,
        fingerprints: &[&str],
    ) -> Result<Vec<MadeSilence>, StoreError> {
        if fingerprints.is_empty() {
            return Ok(Vec::new());
        }
        let select = format!(
            "SELECT silence, alertmanager, fingerprint, until_ms FROM larkfire_silences \
             WHERE receiver = ? AND until_ms > ? AND fingerprint IN ({}) LIMIT {FOUND_MAX}",
            places(fingerprints.len())
        );
        let mut values: Vec<Value<'_>> = vec![receiver.as_bytes().into(), self.now_ms().into()];
        values.extend(fingerprints.iter().map(|fingerprint| Value::Bytes(fingerprint.as_bytes())));
        let found: Vec<(String, String, Vec<u8>, i64)> =
            self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        let silence = |(id, alertmanager, fingerprint, until): (String, String, Vec<u8>, i64)| MadeSilence {
            id,
            alertmanager,
            fingerprint: String::from_utf8_lossy(&fingerprint).into_owned(),
            until: Timestamp::from_millisecond(until).unwrap_or(Timestamp::MIN),
        };
        Ok(found.into_iter().map(silence).collect())
    }

    /// It has been undone.
    pub(crate) async fn forget(&self, silence: &MadeSilence) -> Result<(), StoreError> {
        let delete = "DELETE FROM larkfire_silences WHERE silence = ? AND alertmanager = ?";
        self.execute(delete, &[silence.id.as_str().into(), silence.alertmanager.as_str().into()]).await
    }

    /// Forgets those that have ended.
    pub(crate) async fn clean(&self) -> Result<(), StoreError> {
        ENDED.forget(&self.store, self.now_ms()).await.map(drop)
    }

    async fn execute(&self, text: &str, values: &[Value<'_>]) -> Result<(), StoreError> {
        self.store.within(|| execute(self.store.pool(), text, values)).await.map(drop)
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}
