//! The rows in SQL, in whichever of the databases there is.

use super::batch::Key;
use super::mysql::MySqlLedger;
use super::port::{LedgerStore, RowChange, Stamp, Stored};
use super::postgres::PostgresLedger;
use super::row::Millis;
use super::simulated::SimulatedLedger;
use super::sqlite::SqliteLedger;
use super::traced_alert::{TraceFilter, TracedAlert};
use crate::store::{Pool, Store, StoreError};

/// The rows of whichever database there is; each call within the database's deadline.
#[derive(Clone, Debug)]
pub(crate) struct Table(pub(crate) Store);

impl Table {
    pub(crate) async fn load(&self, keys: &[&Key<'_>]) -> Result<Vec<Option<Stored>>, StoreError> {
        match self.0.pool() {
            Pool::MySql(pool) => self.0.within(|| async { MySqlLedger(pool).load(keys).await }).await,
            Pool::Postgres(pool) => self.0.within(|| async { PostgresLedger(pool).load(keys).await }).await,
            Pool::Sqlite(pool) => self.0.within(|| async { SqliteLedger(pool).load(keys).await }).await,
            Pool::Simulated(pool) => self.0.within(|| async { SimulatedLedger(pool).load(keys).await }).await,
        }
    }

    pub(crate) async fn save(
        &self,
        changes: &[RowChange<'_>],
        stamp: Stamp,
    ) -> Result<Vec<usize>, StoreError> {
        match self.0.pool() {
            Pool::MySql(pool) => {
                self.0.within(|| async { MySqlLedger(pool).save(changes, stamp).await }).await
            }
            Pool::Postgres(pool) => {
                self.0.within(|| async { PostgresLedger(pool).save(changes, stamp).await }).await
            }
            Pool::Sqlite(pool) => {
                self.0.within(|| async { SqliteLedger(pool).save(changes, stamp).await }).await
            }
            Pool::Simulated(pool) => {
                self.0.within(|| async { SimulatedLedger(pool).save(changes, stamp).await }).await
            }
        }
    }

    pub(crate) async fn clean(&self, before: Millis, rows_max: u32) -> Result<u64, StoreError> {
        match self.0.pool() {
            Pool::MySql(pool) => {
                self.0.within(|| async { MySqlLedger(pool).clean(before, rows_max).await }).await
            }
            Pool::Postgres(pool) => {
                self.0.within(|| async { PostgresLedger(pool).clean(before, rows_max).await }).await
            }
            Pool::Sqlite(pool) => {
                self.0.within(|| async { SqliteLedger(pool).clean(before, rows_max).await }).await
            }
            Pool::Simulated(pool) => {
                self.0.within(|| async { SimulatedLedger(pool).clean(before, rows_max).await }).await
            }
        }
    }

    pub(crate) async fn find(
        &self,
        wanted: TraceFilter<'_>,
        rows_max: u32,
    ) -> Result<Vec<TracedAlert>, StoreError> {
        match self.0.pool() {
            Pool::MySql(pool) => {
                self.0.within(|| async { MySqlLedger(pool).find(wanted, rows_max).await }).await
            }
            Pool::Postgres(pool) => {
                self.0.within(|| async { PostgresLedger(pool).find(wanted, rows_max).await }).await
            }
            Pool::Sqlite(pool) => {
                self.0.within(|| async { SqliteLedger(pool).find(wanted, rows_max).await }).await
            }
            Pool::Simulated(pool) => {
                self.0.within(|| async { SimulatedLedger(pool).find(wanted, rows_max).await }).await
            }
        }
    }
}
