//! Which interactions were acted on. Feishu sends an event again for up to seven hours, and a broker after a lost
//! connection; a silence is not to be made twice.

use std::time::Duration;

use runtime::clock::Clock;
use sha2::{Digest, Sha256};

use crate::store::sql::{Value, execute, rows};
use crate::store::{AgedRows, Insert, Run, Store, StoreError};

/// How long an interaction is remembered.
pub(super) const KEPT: Duration = Duration::from_hours(24);
/// Whoever has begun with an interaction longer ago than this, and not finished, is gone. Longer than all that acting on
/// one may take: the calls have deadlines.
pub const BEGUN_FOR_MAX: Duration = Duration::from_mins(2);
const INTERACTIONS: AgedRows =
    AgedRows { table: "larkfire_interactions", key: "dedup_key", time: "begun_ms", together: 500 };

const BEGUN: Insert<'_> = Insert {
    table: "larkfire_interactions",
    columns: &["dedup_key", "begun_ms", "is_done", "holder"],
    key: 1,
};

/// Whether to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nobody has, or whoever began is gone.
    Mine,
    /// Somebody does right now.
    Elsewhere,
    /// Somebody has.
    Done,
}

/// What was acted on, in the database all workers share.
#[derive(Clone, Debug)]
pub struct InteractionDedup {
    store: Store,
    clock: Clock,
}

impl InteractionDedup {
    /// Those in this database.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Whether the database is there.
    pub async fn answers(&self) -> bool {
        let select = "SELECT is_done FROM larkfire_interactions WHERE dedup_key = ?";
        let key = hash("");
        let asked = [key[..].into()];
        let found: Result<Vec<(i64,)>, _> =
            self.store.within(|| rows(self.store.pool(), select, &asked)).await;
        found.is_ok()
    }

    /// Somebody is about to act on the interaction with this key.
    pub async fn begin(&self, dedup_key: &str) -> Result<Begun, StoreError> {
        let key = hash(dedup_key);
        let now = self.now_ms();
        let holder = runtime::entropy::random::<i64>();
        let insert = BEGUN.or_keep(self.store.pool().dialect(), "VALUES (?, ?, 0, ?)");
        let ours = [key[..].into(), holder.into()];
        if self.is_begun(&insert, &[key[..].into(), now.into(), holder.into()], &ours).await? {
            return Ok(Begun::Mine);
        }
        let select = "SELECT begun_ms, is_done FROM larkfire_interactions WHERE dedup_key = ?";
        let asked = [key[..].into()];
        let found: Vec<(i64, i64)> = self.store.within(|| rows(self.store.pool(), select, &asked)).await?;
        let Some((begun, is_done)) = found.first().copied() else { return Ok(Begun::Elsewhere) };
        if is_done != 0 {
            return Ok(Begun::Done);
        }
        if now.saturating_sub(begun) < millis(BEGUN_FOR_MAX) {
            return Ok(Begun::Elsewhere);
        }
        let take = "UPDATE larkfire_interactions SET begun_ms = ?, holder = ? \
             WHERE dedup_key = ? AND begun_ms = ? AND is_done = 0";
        let taking = [now.into(), holder.into(), key[..].into(), begun.into()];
        let taken = self.is_begun(take, &taking, &ours).await?;
        Ok(if taken { Begun::Mine } else { Begun::Elsewhere })
    }

    /// Whether this statement has begun with an interaction, by whoever is in `begun` behind its key. If nobody heard what
    /// came of it, the row says so.
    async fn is_begun(
        &self,
        text: &str,
        values: &[Value<'_>],
        begun: &[Value<'_>],
    ) -> Result<bool, StoreError> {
        let pool = self.store.pool();
        let select = "SELECT COUNT(*) FROM larkfire_interactions \
             WHERE dedup_key = ? AND holder = ? AND is_done = 0";
        let once = async |run| {
            if execute(pool, text, values).await? > 0 {
                return Ok(true);
            }
            if run == Run::First {
                return Ok(false);
            }
            let found: Vec<(i64,)> = rows(pool, select, begun).await?;
            Ok(found.first().is_some_and(|(found,)| *found > 0))
        };
        self.store.within_knowing(once).await
    }

    /// It was acted on.
    pub async fn done(&self, dedup_key: &str) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_interactions SET is_done = 1 WHERE dedup_key = ?";
        self.execute(update, &[hash(dedup_key)[..].into()]).await.map(drop)
    }

    /// It was not, and may be begun again at once.
    pub async fn forget(&self, dedup_key: &str) -> Result<(), StoreError> {
        let delete = "DELETE FROM larkfire_interactions WHERE dedup_key = ? AND is_done = 0";
        self.execute(delete, &[hash(dedup_key)[..].into()]).await.map(drop)
    }

    /// Forgets what is old enough, in small batches.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        let before = self.now_ms().saturating_sub(millis(KEPT));
        INTERACTIONS.forget(&self.store, before).await
    }

    async fn execute(&self, text: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.store.within(|| execute(self.store.pool(), text, values)).await
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

/// Keys come from outside, in whatever length.
fn hash(dedup_key: &str) -> [u8; 32] {
    Sha256::digest(dedup_key).into()
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
