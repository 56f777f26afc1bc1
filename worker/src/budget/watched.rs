//! How much is left of budgets, for whoever looks at the metrics.

use std::collections::HashMap;
use std::sync::PoisonError;

use tokio::time::Instant;

use super::gcra::{self, GcraState};
use super::rates::Rates;
use super::{Budget, Limits};
use crate::store::sql::{Value, places, rows};
use crate::store::{Pool, StoreError};

/// Budgets asked about in one statement.
const ASKED_TOGETHER_MAX: usize = 200;

/// A budget whose rest is shown.
#[derive(Clone, Debug)]
pub(super) struct WatchedBudget {
    /// The receiver or the bot it is shown for.
    shown_as: String,
    name: String,
    rates: Rates,
}

impl Budget {
    /// From now on it is shown how much is left of this budget, under the name of a receiver or of a bot.
    pub(crate) fn watch(&self, shown_as: &str, name: &str, limits: Limits) {
        let rates = Rates::below(limits);
        self.metrics.left.with_label_values(&[shown_as]).set(rates.minute.burst);
        let watched = WatchedBudget { shown_as: shown_as.to_owned(), name: name.to_owned(), rates };
        self.watched.lock().unwrap_or_else(PoisonError::into_inner).push(watched);
    }

    /// Looks how much is left. While the database is away the last look stands.
    pub(super) async fn show_left(&self) {
        let watched = self.watched.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for some in watched.chunks(ASKED_TOGETHER_MAX) {
            let Ok(states) = self.states(some).await else { return };
            let now_ms = self.workers.time_ms(Instant::now(), self.clock.now().as_millisecond());
            for budget in some {
                let state = states.get(&budget.name).copied().unwrap_or_default();
                let left = gcra::left(state, now_ms, budget.rates.minute);
                self.metrics.left.with_label_values(&[&budget.shown_as]).set(left);
            }
        }
    }

    async fn states(&self, watched: &[WatchedBudget]) -> Result<HashMap<String, GcraState>, StoreError> {
        let select = format!(
            "SELECT receiver, minute_free_ms, second_free_ms, held_until_ms, held_for_ms FROM larkfire_budget \
             WHERE receiver IN ({})",
            places(watched.len())
        );
        let names = watched.iter().map(|budget| budget.name.as_str());
        let values: Vec<Value<'_>> = match self.store.pool() {
            Pool::MySql(_) | Pool::Postgres(_) => names.map(|name| Value::Bytes(name.as_bytes())).collect(),
            Pool::Sqlite(_) | Pool::Simulated(_) => names.map(Value::Text).collect(),
        };
        let found: Vec<(Vec<u8>, i64, i64, i64, i64)> =
            self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        let state =
            |(name, minute_free_ms, second_free_ms, held_until_ms, held_for_ms): (Vec<u8>, _, _, _, _)| {
                let state = GcraState { minute_free_ms, second_free_ms, held_until_ms, held_for_ms };
                (String::from_utf8_lossy(&name).into_owned(), state)
            };
        Ok(found.into_iter().map(state).collect())
    }
}
