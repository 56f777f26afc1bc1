//! The ledger in `PostgreSQL`. Keys and rows go there as one array a column: one statement for any number of them.

use std::sync::LazyLock;

use model::envelope::EnvelopeId;
use sqlx::postgres::{PgArguments, Postgres};
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, query};

use super::batch::Key;
use super::columns::{
    COLUMNS, KEY_COLUMNS, NO_VERSION, Read, bind_wanted, finding, in_order_of, status_number,
};
use super::port::{LedgerStore, RowChange, Stamp, Stored, losers};
use super::row::{AlertState, Millis};
use super::traced_alert::{TraceFilter, TracedAlert};
use crate::store::sql::for_postgres;
use crate::store::{Server, StoreFault};

static LOAD: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {} FROM larkfire_ledger JOIN UNNEST($1::BYTEA[], $2::BYTEA[]) AS wanted (of_alert, at_receiver) \
         ON fingerprint = of_alert AND receiver = at_receiver",
        COLUMNS.join(", ")
    )
});

/// Replaces each row whose version is the one the change was made from. The rows are locked in the order of the arrays, so
/// writers do not wait for each other in a circle.
static SAVE: LazyLock<String> = LazyLock::new(|| {
    let arrays: Vec<_> = (1_usize..)
        .zip(COLUMNS)
        .map(|(place, column)| {
            let is_bytes = matches!(column, "fingerprint" | "receiver" | "told_envelope" | "claim_envelope");
            format!("${place}::{}[]", if is_bytes { "BYTEA" } else { "BIGINT" })
        })
        .collect();
    let assignments: Vec<_> =
        COLUMNS.iter().skip(KEY_COLUMNS).map(|column| format!("{column} = excluded.{column}")).collect();
    format!(
        "INSERT INTO larkfire_ledger ({}) SELECT * FROM UNNEST({}) ON CONFLICT (fingerprint, receiver) DO UPDATE SET {} \
         WHERE larkfire_ledger.version = excluded.previous",
        COLUMNS.join(", "),
        arrays.join(", "),
        assignments.join(", ")
    )
});

const CLEAN: &str = "DELETE FROM larkfire_ledger WHERE (fingerprint, receiver) IN \
    (SELECT fingerprint, receiver FROM larkfire_ledger WHERE touched_at < $1 ORDER BY touched_at LIMIT $2)";

pub(super) struct PostgresLedger<'p>(pub(super) &'p Server<Postgres>);

impl LedgerStore for PostgresLedger<'_> {
    async fn load(&self, keys: &[&Key<'_>]) -> Result<Vec<Option<Stored>>, sqlx::Error> {
        let query = query(LOAD.as_str()).bind(fingerprints(keys)).bind(receivers(keys));
        let rows = self.0.rows(query).await?;
        Ok(in_order_of(keys, rows.iter().map(Read::from).collect::<Result<_, _>>()?))
    }

    async fn save(&self, changes: &[RowChange<'_>], stamp: Stamp) -> Result<Vec<usize>, sqlx::Error> {
        match self.0.execute(bound(changes, stamp)).await {
            Ok(done) if usize::try_from(done.rows_affected()) == Ok(changes.len()) => return Ok(Vec::new()),
            Ok(_) => {}
            // Whoever was in the way has won; what is left of ours is decided again.
            Err(error) if StoreFault::of(&error) == StoreFault::Contended => {}
            Err(error) => return Err(error),
        }
        let keys: Vec<_> = changes.iter().map(|change| change.key).collect();
        Ok(losers(changes, &self.load(&keys).await?, stamp))
    }

    async fn clean(&self, before: Millis, rows_max: u32) -> Result<u64, sqlx::Error> {
        Ok(self.0.execute(query(CLEAN).bind(before).bind(i64::from(rows_max))).await?.rows_affected())
    }

    async fn find(&self, wanted: TraceFilter<'_>, rows_max: u32) -> Result<Vec<TracedAlert>, sqlx::Error> {
        let query = bind_wanted(query(AssertSqlSafe(for_postgres(&finding(wanted)))), wanted);
        let rows = self.0.rows(query.bind(i64::from(rows_max))).await?;
        rows.iter().map(|row| Read::from(row).map(Read::into_entry)).collect()
    }
}

fn fingerprints<'k>(keys: &[&'k Key<'_>]) -> Vec<&'k [u8]> {
    keys.iter().map(|key| key.fingerprint.as_bytes()).collect()
}

fn receivers<'k>(keys: &[&'k Key<'_>]) -> Vec<&'k [u8]> {
    keys.iter().map(|key| key.receiver.as_bytes()).collect()
}

/// The changes as one array a column, in the order of [`COLUMNS`].
fn bound<'q>(changes: &[RowChange<'_>], stamp: Stamp) -> Query<'q, Postgres, PgArguments> {
    let numbers = |number: &dyn Fn(&RowChange<'_>) -> Option<i64>| -> Vec<Option<i64>> {
        changes.iter().map(number).collect()
    };
    let delivered = |number: fn(AlertState) -> Option<i64>| {
        numbers(&|change| change.row.delivered.and_then(|delivered| number(delivered.state)))
    };
    let claimed = |number: fn(AlertState) -> Option<i64>| {
        numbers(&|change| change.row.claim.and_then(|claim| number(claim.state)))
    };
    let instance = |state: AlertState| Some(state.instance);
    let status = |state: AlertState| Some(status_number(state.status));
    let seen = |state: AlertState| Some(state.seen);
    let edge = |state: AlertState| state.edge;
    let keys: Vec<_> = changes.iter().map(|change| change.key).collect();
    let id = |id: &EnvelopeId| id.as_bytes().to_vec();
    let envelopes = |envelope: fn(&RowChange<'_>) -> Option<EnvelopeId>| -> Vec<Option<Vec<u8>>> {
        changes.iter().map(|change| envelope(change).as_ref().map(id)).collect()
    };
    query(SAVE.as_str())
        .bind(fingerprints(&keys))
        .bind(receivers(&keys))
        .bind(delivered(instance))
        .bind(delivered(status))
        .bind(delivered(seen))
        .bind(numbers(&|change| change.row.delivered.map(|delivered| delivered.at)))
        .bind(envelopes(|change| change.row.delivered.map(|delivered| delivered.envelope)))
        .bind(claimed(instance))
        .bind(claimed(status))
        .bind(claimed(seen))
        .bind(numbers(&|change| change.row.claim.map(|claim| claim.until)))
        .bind(envelopes(|change| change.row.claim.map(|claim| claim.envelope)))
        .bind(numbers(&|change| change.row.claim.map(|claim| claim.holder.0)))
        .bind(delivered(edge))
        .bind(claimed(edge))
        .bind(vec![stamp.now; changes.len()])
        .bind(numbers(&|change| Some(change.replaces.unwrap_or(NO_VERSION))))
        .bind(vec![stamp.version; changes.len()])
}
