//! Looks after the heartbeats: every few seconds, in each worker, says whether it hears everything, and tells what is missing
//! and what is there again. Who tells is decided in the database; what is told goes over the queue.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runtime::lifecycle::{Condition, Lifecycle};
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};

use super::alert::HeartbeatWords;
use super::listening::ListeningPart;
use super::metrics::HeartbeatMetrics;
use super::table::{HeartbeatNews, TakenRows};
use super::{HeartbeatIndex, Heartbeats};
use crate::own_alerts::OwnAlerts;
use crate::store::StoreError;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How often a worker says which heartbeats it has in its configuration.
const WANTED_EVERY: SignedDuration = SignedDuration::from_mins(5);

/// One worker's part in looking after them.
#[derive(Debug)]
pub struct HeartbeatWatch {
    heartbeats: Heartbeats,
    own_alerts: OwnAlerts,
    words: HeartbeatWords,
    metrics: HeartbeatMetrics,
    /// Whether there is a connection to the queue.
    connected: Condition,
    /// When this worker last said what is configured, and what that was.
    wanted: Option<WantedAt>,
}

#[derive(Debug)]
struct WantedAt {
    at: Timestamp,
    index: Arc<HeartbeatIndex>,
}

impl HeartbeatWatch {
    /// `connected` says whether this worker has a connection to the queue.
    pub fn new(
        heartbeats: Heartbeats,
        own_alerts: OwnAlerts,
        words: HeartbeatWords,
        metrics: HeartbeatMetrics,
        connected: Condition,
    ) -> Self {
        Self { heartbeats, own_alerts, words, metrics, connected, wanted: None }
    }

    /// Looks until the stop.
    pub async fn run(mut self, lifecycle: Lifecycle) {
        let looks = async {
            loop {
                sleep(LOOK_EVERY).await;
                let part = self.part();
                // A failure is the store's to tell; the next look is soon.
                if let Err(error) = Box::pin(self.look(part)).await {
                    self.metrics.listening.set(0);
                    debug!(%error, "the heartbeats could not be looked at");
                }
            }
        };
        lifecycle.stop.run_until_cancelled(Box::pin(looks)).await;
    }

    /// What this worker can say of what does not come.
    fn part(&self) -> ListeningPart {
        self.heartbeats.listening().part(self.connected.holds(), Instant::now())
    }

    /// Looks once.
    pub async fn look(&mut self, part: ListeningPart) -> Result<(), StoreError> {
        let index = self.heartbeats.expected();
        // What was heard of first: else it would be missing for no other reason than that it is not written down.
        self.heartbeats.write_down().await?;
        self.want(&index).await?;
        self.mark_missing(&index, part).await?;
        for news in [HeartbeatNews::Missing, HeartbeatNews::Returned, HeartbeatNews::Unwanted] {
            while let Some(taken) = self.heartbeats.table.take(news, self.now()).await? {
                if !self.tell(news, &taken).await? {
                    break;
                }
            }
        }
        let counts = self.heartbeats.table.counts().await?;
        self.metrics.heard.set(counts.heard);
        self.metrics.missing.set(counts.missing);
        Ok(())
    }

    async fn want(&mut self, index: &Arc<HeartbeatIndex>) -> Result<(), StoreError> {
        let now = self.now();
        // By the same clock as the rows: one that has jumped ahead makes no heartbeat look as if nobody wanted it.
        let is_recent = |wanted: &WantedAt| {
            let age = now.duration_since(wanted.at);
            Arc::ptr_eq(&wanted.index, index) && !age.is_negative() && age < WANTED_EVERY
        };
        let is_known = self.wanted.as_ref().is_some_and(is_recent);
        if !is_known {
            self.heartbeats.table.want(index, now).await?;
            self.wanted = Some(WantedAt { at: now, index: Arc::clone(index) });
        }
        Ok(())
    }

    async fn mark_missing(&self, index: &HeartbeatIndex, part: ListeningPart) -> Result<(), StoreError> {
        self.metrics.listening.set((part == ListeningPart::Hears).into());
        if index.is_empty() || part == ListeningPart::IsAway {
            return Ok(());
        }
        let now = self.now();
        let since = self.heartbeats.table.listen(part, now).await?;
        if part == ListeningPart::Hears {
            let missing = self.heartbeats.table.mark_missing(since, now).await?;
            if missing > 0 {
                info!(missing, "heartbeats are missing");
            }
        }
        Ok(())
    }

    /// Puts it on the queue; `false`: the queue did not say that it has it, and it is tried again after a while, here or elsewhere.
    async fn tell(&self, news: HeartbeatNews, taken: &TakenRows) -> Result<bool, StoreError> {
        let now = self.now();
        let alerts: Vec<_> = match news {
            HeartbeatNews::Missing => taken.rows.iter().map(|row| self.words.missing(row)).collect(),
            HeartbeatNews::Returned => taken.rows.iter().map(|row| self.words.returned(row)).collect(),
            HeartbeatNews::Unwanted => {
                let missing = taken.rows.iter().filter(|row| row.missing_since.is_some());
                missing.map(|row| self.words.unwanted(row, now)).collect()
            }
        };
        let heartbeats = alerts.len();
        if !alerts.is_empty()
            && let Err(error) = self.own_alerts.publish(alerts, now).await
        {
            warn!(heartbeats, %error, "could not publish what is missing or there again");
            return Ok(false);
        }
        self.heartbeats.table.told(news, taken, now).await?;
        Ok(true)
    }

    fn now(&self) -> Timestamp {
        self.heartbeats.clock.now()
    }
}
