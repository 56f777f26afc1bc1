//! How all of it is doing.

use console::data::{Overview, WorkerProcess};
use runtime::metrics::delivery::ENVELOPES_IN_FLIGHT;
use runtime::metrics::intake::STORED_MESSAGES;
use runtime::metrics::memory::STORE_UP;

use super::ConsoleBackend;
use super::readings::MetricReadings;
use crate::budget::workers_seen;

impl ConsoleBackend {
    /// Never fails: a database that is away is what the page is to say.
    pub(super) async fn make_overview(&self) -> Overview {
        self.look();
        let now = self.deps.clock.now();
        let readings = MetricReadings::of(&self.registry);
        let receivers = self.summaries(&readings, now).await;
        let minutes = self.samples().minutes(now);
        let end_to_end = self.samples().latency(now);
        Overview {
            process: WorkerProcess {
                version: env!("CARGO_PKG_VERSION").to_owned(),
                started_at: self.started_at,
            },
            is_previewing: self.deps.is_previewing,
            unmet: self.lifecycle.readiness.unmet(),
            is_database_up: readings.gauge(STORE_UP.name) != Some(0),
            minutes,
            end_to_end,
            queue_messages: readings.gauge(STORED_MESSAGES.name),
            envelopes_in_flight: readings.gauge(ENVELOPES_IN_FLIGHT.name).unwrap_or_default(),
            alerts_waiting: receivers.iter().map(|receiver| receiver.alerts_waiting).sum(),
            oldest_waiting_s: receivers
                .iter()
                .filter_map(|receiver| receiver.oldest_waiting_s)
                .reduce(f64::max),
            workers: workers_seen(&self.deps.store).await.unwrap_or(1),
            dead_letters_waiting: self.deps.letters.waiting().await.ok(),
            receivers,
        }
    }
}
