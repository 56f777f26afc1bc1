//! The one task that works on the file: commits what is published and settled, hands out what is asked for.

mod commit;
mod health;
mod room;
mod serve;

use std::time::Duration;

use jiff::Timestamp;
use shared::clock::Clock;
use shared::queue::{Delivery, Message, PublishError, QueueMetrics, Settlement, Subscription};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::Instant;

pub(super) use health::Health;

use super::ballast::Ballast;
use super::depth::Depth;
use super::lanes::{Lane, index, untag};
use super::store::Store;

/// Bytes that go into one commit; what is beyond waits for the next.
const COMMIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// One `publish`.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) messages: Vec<Message>,
    pub(super) confirmed: oneshot::Sender<Result<(), PublishError>>,
    /// The room its bytes take until they are committed.
    pub(super) room: OwnedSemaphorePermit,
}

/// A consumer asks for messages.
#[derive(Debug)]
pub(super) struct Demand {
    pub(super) which: Subscription,
    pub(super) reply: oneshot::Sender<Vec<Delivery>>,
}

/// The task's state.
pub(super) struct Keeper {
    store: Store,
    ballast: Ballast,
    health: Health,
    lanes: [Lane; 3],
    in_hand_max: usize,
    clock: Clock,
    metrics: QueueMetrics,
    depth: Depth,
    settled: mpsc::UnboundedSender<Settlement>,
    settlements: mpsc::UnboundedReceiver<Settlement>,
    /// Whether nothing is in hand and every settlement is on disk.
    all_settled: watch::Sender<bool>,
    /// When the next parked message returns; there is no timer without one.
    next_due: Option<Timestamp>,
    /// When the clock was looked at last, by itself and by one that nobody sets.
    looked_at: (Timestamp, Instant),
    deletions: usize,
}

impl Keeper {
    pub(super) async fn new(
        (mut store, ballast, mut health): (Store, Ballast, Health),
        in_hand_max: usize,
        clock: Clock,
        metrics: QueueMetrics,
        all_settled: watch::Sender<bool>,
    ) -> Result<Self, sqlx::Error> {
        health.end_round(!ballast.is_spent());
        let next_due = store.next_due().await?;
        let depth = Depth::of(&mut store, &metrics).await?;
        let (settled, settlements) = mpsc::unbounded_channel();
        let looked_at = (clock.now(), Instant::now());
        let lanes = [Subscription::Alerts, Subscription::Dead, Subscription::Interactions].map(Lane::new);
        Ok(Self {
            store,
            ballast,
            health,
            lanes,
            in_hand_max: in_hand_max.max(1),
            clock,
            metrics,
            depth,
            settled,
            settlements,
            all_settled,
            next_due,
            looked_at,
            deletions: 0,
        })
    }

    /// Serves until every handle is dropped and everything handed out is settled.
    pub(super) async fn run(mut self, mut jobs: mpsc::Receiver<Job>, mut demands: mpsc::Receiver<Demand>) {
        let (mut publishing, mut consuming) = (true, true);
        while publishing || consuming || !self.is_settled() {
            let (mut batch, time_to_next) = (Vec::new(), self.time_to_next());
            tokio::select! {
                job = jobs.recv(), if publishing => match job {
                    Some(job) => batch.push(job),
                    None => publishing = false,
                },
                demand = demands.recv(), if consuming => match demand {
                    Some(demand) => self.wait(demand),
                    None => consuming = false,
                },
                Some(settlement) = self.settlements.recv() => self.settle(settlement),
                () = pause(time_to_next) => {}
            }
            // Everything else that is at hand goes the same way, in one commit.
            while let Ok(settlement) = self.settlements.try_recv() {
                self.settle(settlement);
            }
            while let Ok(demand) = demands.try_recv() {
                self.wait(demand);
            }
            gather(&mut jobs, &mut batch);
            self.follow_clock().await;
            self.commit(batch).await;
            self.return_due().await;
            self.serve().await;
            self.recover().await;
            self.health.end_round(!self.ballast.is_spent());
            self.all_settled.send_replace(self.is_settled());
        }
    }

    fn wait(&mut self, demand: Demand) {
        let waiting = &mut self.lanes[index(demand.which)].waiting;
        waiting.retain(|demand| !demand.reply.is_closed());
        waiting.push_back(demand);
    }

    fn settle(&mut self, settlement: Settlement) {
        match settlement {
            Settlement::Done { tag } => {
                let (lane, id) = untag(tag);
                self.lanes[lane].settle(id);
            }
            Settlement::GivenBack { tag } => {
                let (lane, id) = untag(tag);
                self.lanes[lane].give_back(id);
            }
        }
    }

    /// When there is something to do although nobody asks. `None` with nothing parked: an idle process sleeps.
    fn time_to_next(&self) -> Option<Duration> {
        if self.is_troubled() {
            return Some(self.health.time_to_next_try());
        }
        let now = self.clock.now();
        self.next_due.map(|due| Duration::try_from(due.duration_since(now)).unwrap_or_default())
    }

    fn is_settled(&self) -> bool {
        self.lanes.iter().all(Lane::is_settled)
    }
}

async fn pause(time: Option<Duration>) {
    match time {
        Some(time) => tokio::time::sleep(time).await,
        None => std::future::pending().await,
    }
}

/// Adds what else has been published meanwhile, up to a commit's size.
fn gather(jobs: &mut mpsc::Receiver<Job>, batch: &mut Vec<Job>) {
    let size = |job: &Job| job.messages.iter().map(|message| message.body.len()).sum::<usize>();
    let mut bytes: usize = batch.iter().map(size).sum();
    while bytes < COMMIT_BYTES_MAX {
        let Ok(job) = jobs.try_recv() else { return };
        bytes += size(&job);
        batch.push(job);
    }
}
