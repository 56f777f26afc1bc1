//! How many messages the queue holds, as metrics: counted once when the file is opened, then kept up to date.

use prometheus::IntGauge;
use queue::{Message, QueueMetrics, Subscription};

use super::store::{Store, lane, table};
use super::subscriptions::index;

/// The table of messages that wait for their next attempt. It has kept the name it was made with, because a version may be
/// replaced by the one before; everywhere else they are called deferred.
const DEFERRED_TABLE: &str = "parked";
/// What the metric calls it.
const DEFERRED: &str = "deferred";

/// One gauge per table.
pub(super) struct Depth {
    lanes: [IntGauge; 3],
    deferred: IntGauge,
}

impl Depth {
    pub(super) async fn of(store: &mut Store, metrics: &QueueMetrics) -> Result<Self, sqlx::Error> {
        let lanes = [Subscription::Alerts, Subscription::Dead, Subscription::Interactions]
            .map(|which| metrics.stored_messages(table(which)));
        let depth = Self { lanes, deferred: metrics.stored_messages(DEFERRED) };
        for which in [Subscription::Alerts, Subscription::Dead, Subscription::Interactions] {
            depth.lanes[index(which)].set(store.count(table(which)).await?);
        }
        depth.deferred.set(store.count(DEFERRED_TABLE).await?);
        Ok(depth)
    }

    pub(super) fn stored(&self, messages: &[Message]) {
        for message in messages {
            lane(message.to).map_or(&self.deferred, |which| &self.lanes[index(which)]).inc();
        }
    }

    pub(super) fn deleted(&self, which: Subscription, count: usize) {
        self.lanes[index(which)].sub(i64::try_from(count).unwrap_or(i64::MAX));
    }

    /// Alerts in the table, those in hand included.
    pub(super) fn alerts(&self) -> i64 {
        self.lanes[index(Subscription::Alerts)].get()
    }

    pub(super) fn returned(&self, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.deferred.sub(count);
        self.lanes[index(Subscription::Alerts)].add(count);
    }
}
