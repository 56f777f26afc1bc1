//! `gcra.rs` itself, on the tables of a simulation.

use std::collections::BTreeMap;

use super::FleetAnswer;
use crate::budget::gcra::{self, GcraState};
use crate::budget::rates::Rates;
use crate::store::SimulatedDatabase;

type Budgets = BTreeMap<String, GcraState>;

pub(super) async fn reserve(
    database: &SimulatedDatabase,
    receiver: &str,
    rates: Rates,
    ahead_ms: i64,
) -> Result<FleetAnswer, sqlx::Error> {
    let reserve = |budgets: &mut Budgets| {
        let state = budgets.entry(receiver.to_owned()).or_default();
        let now_ms = database.now_ms();
        let (wait_ms, next) = gcra::reserve(*state, now_ms, rates, ahead_ms);
        *state = next;
        FleetAnswer { wait_ms: wait_ms.unsigned_abs(), at_ms: Some(now_ms) }
    };
    database.statement(reserve).await
}

pub(super) async fn hold(
    database: &SimulatedDatabase,
    receiver: &str,
    pause_ms: i64,
) -> Result<(), sqlx::Error> {
    let hold = |budgets: &mut Budgets| {
        let state: &mut GcraState = budgets.entry(receiver.to_owned()).or_default();
        *state = gcra::hold(*state, database.now_ms(), pause_ms);
    };
    database.statement(hold).await
}
