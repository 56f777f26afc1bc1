//! How many messages the queue holds, as metrics: counted once when the file is opened, then kept up to date.

use prometheus::IntGauge;
use shared::queue::{Message, QueueMetrics, Subscription};

use super::lanes::index;
use super::store::{Store, lane, table};

/// The table of messages that wait for their next attempt.
const PARKED: &str = "parked";

/// One gauge per table.
pub(super) struct Depth {
    lanes: [IntGauge; 3],
    parked: IntGauge,
}

impl Depth {
    pub(super) async fn of(store: &mut Store, metrics: &QueueMetrics) -> Result<Self, sqlx::Error> {
        let lanes = [Subscription::Alerts, Subscription::Dead, Subscription::Interactions]
            .map(|which| metrics.stored_messages(table(which)));
        let depth = Self { lanes, parked: metrics.stored_messages(PARKED) };
        for which in [Subscription::Alerts, Subscription::Dead, Subscription::Interactions] {
            depth.lanes[index(which)].set(store.count(table(which)).await?);
        }
        depth.parked.set(store.count(PARKED).await?);
        Ok(depth)
    }

    pub(super) fn stored(&self, messages: &[Message]) {
        for message in messages {
            lane(message.to).map_or(&self.parked, |which| &self.lanes[index(which)]).inc();
        }
    }

    pub(super) fn deleted(&self, which: Subscription, count: usize) {
        self.lanes[index(which)].sub(i64::try_from(count).unwrap_or(i64::MAX));
    }

    pub(super) fn returned(&self, count: u64) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.parked.sub(count);
        self.lanes[index(Subscription::Alerts)].add(count);
    }
}
