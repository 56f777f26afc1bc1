//! A database for simulations: tables in memory, shared by all processes of one, behind a link that may be slow, cut, or
//! lose an answer. The parts that a simulation looks at (ledger, budgets, workers) keep typed tables in it. SQL text is
//! taken and forgotten: it goes the same way, and meets the same faults.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;

/// One process's way to the database.
pub trait DatabaseLink: Debug + Send + Sync {
    /// Awaited before a statement takes effect; an error means that it does not.
    fn request(&self) -> BoxFuture<'_, Result<(), sqlx::Error>>;
    /// Awaited after a statement has taken effect; an error means that its answer is lost.
    fn answer(&self) -> BoxFuture<'_, Result<(), sqlx::Error>>;
    /// The server's clock, in milliseconds since 1970.
    fn now_ms(&self) -> i64;
}

/// The tables as one process reaches them. Clones share them.
#[derive(Clone)]
pub struct SimulatedDatabase {
    tables: Arc<Mutex<Tables>>,
    link: Arc<dyn DatabaseLink>,
}

/// One table of each type.
type Tables = BTreeMap<TypeId, Box<dyn Any + Send>>;

impl SimulatedDatabase {
    /// An empty database.
    pub fn new(link: Arc<dyn DatabaseLink>) -> Self {
        Self { tables: Arc::default(), link }
    }

    /// The same tables over another link.
    #[must_use]
    pub fn over(&self, link: Arc<dyn DatabaseLink>) -> Self {
        Self { tables: Arc::clone(&self.tables), link }
    }

    /// The server's clock.
    pub(crate) fn now_ms(&self) -> i64 {
        self.link.now_ms()
    }

    /// One statement on the table of this type: it takes effect at one moment, whole or not at all.
    pub(crate) async fn statement<Table: Default + Send + 'static, T>(
        &self,
        effect: impl FnOnce(&mut Table) -> T,
    ) -> Result<T, sqlx::Error> {
        self.link.request().await?;
        let outcome = {
            let mut tables = self.tables.lock().unwrap_or_else(PoisonError::into_inner);
            let table = tables.entry(TypeId::of::<Table>()).or_insert_with(|| Box::new(Table::default()));
            // The entry was made for this type.
            let Some(table) = table.downcast_mut() else { return Err(sqlx::Error::RowNotFound) };
            effect(table)
        };
        self.link.answer().await?;
        Ok(outcome)
    }

    /// Forgets everything, as `DROP DATABASE` does.
    pub fn clear(&self) {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

impl Debug for SimulatedDatabase {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SimulatedDatabase")
    }
}
