//! The one task that works on the file: commits what is published and settled, hands out what is asked for, and finds its
//! way out of a full disk.

mod health;

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use queue::{Delivery, Message, MessageDestination, PublishError, QueueMetrics, Settlement, Subscription};
use runtime::clock::Clock;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tracing::debug;

pub(super) use health::Health;

use crate::depth::Depth;
use crate::request::{Job, RecallRequest, ReceiveRequest};
use crate::reserved_space::ReservedSpace;
use crate::returns::Returns;
use crate::store::{Recalled, Store, Stored, code, is_full, lane};
use crate::subscriptions::{SubscriptionState, index, tag, untag};

/// Bytes that go into one commit; what is beyond waits for the next.
const COMMIT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The task's state.
pub(super) struct QueueActor {
    store: Store,
    ballast: ReservedSpace,
    health: Health,
    lanes: [SubscriptionState; 3],
    in_hand_max: usize,
    clock: Clock,
    metrics: QueueMetrics,
    depth: Depth,
    settled: mpsc::UnboundedSender<Settlement>,
    settlements: mpsc::UnboundedReceiver<Settlement>,
    /// Whether nothing is in hand and every settlement is on disk.
    all_settled: watch::Sender<bool>,
    returns: Returns,
    /// When the clock was looked at last, by itself and by one that nobody sets.
    looked_at: (Timestamp, Instant),
    deletions: usize,
}

impl QueueActor {
    pub(super) async fn new(
        mut store: Store,
        ballast: ReservedSpace,
        mut health: Health,
        in_hand_max: usize,
        clock: Clock,
        metrics: QueueMetrics,
        all_settled: watch::Sender<bool>,
    ) -> Result<Self, sqlx::Error> {
        health.end_round(!ballast.is_spent());
        let returns = Returns::new(store.next_due().await?);
        let depth = Depth::of(&mut store, &metrics).await?;
        let (settled, settlements) = mpsc::unbounded_channel();
        let looked_at = (clock.now(), Instant::now());
        let lanes = [Subscription::Alerts, Subscription::Dead, Subscription::Interactions]
            .map(SubscriptionState::new);
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
            returns,
            looked_at,
            deletions: 0,
        })
    }

    /// Serves until every handle is dropped and everything handed out is settled.
    pub(super) async fn run(
        mut self,
        mut jobs: mpsc::Receiver<Job>,
        mut demands: mpsc::Receiver<ReceiveRequest>,
        mut recalls: mpsc::Receiver<RecallRequest>,
    ) {
        let mut publishing = true;
        let mut consuming = true;
        while publishing || consuming || !self.is_settled() {
            let mut batch = Vec::new();
            let time_to_next = self.time_to_next();
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
                Some(recall) = recalls.recv() => self.returns.recall(recall),
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
            self.return_deferred().await;
            self.serve().await;
            self.recover().await;
            self.health.end_round(!self.ballast.is_spent());
            self.all_settled.send_replace(self.is_settled());
        }
    }

    fn wait(&mut self, demand: ReceiveRequest) {
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

    /// How many alerts nobody has taken.
    fn ready(&self) -> i64 {
        let handed_out = self.lanes[index(Subscription::Alerts)].handed_out();
        self.depth.alerts() - i64::try_from(handed_out).unwrap_or(i64::MAX)
    }

    /// When there is something to do although nobody asks. `None` with nothing deferred: an idle process sleeps.
    fn time_to_next(&self) -> Option<Duration> {
        if self.is_troubled() {
            return Some(self.health.time_to_next_try());
        }
        self.returns.time_to_next(self.ready(), self.clock.now(), Instant::now())
    }

    fn is_settled(&self) -> bool {
        self.lanes.iter().all(SubscriptionState::is_settled)
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

/// Deletions after which free pages are looked for.
const DELETIONS_PER_SHRINK: usize = 500;
/// Deferred messages that return in one transaction.
const RETURNS_MAX: usize = 1_000;
/// The same while the disk is full: they are written anew before they are deleted.
const RETURNS_WHEN_FULL_MAX: usize = 16;
/// By less a clock is not set back but disciplined.
const SET_BACK_MIN: SignedDuration = SignedDuration::from_secs(1);
/// What a publisher is told while the ballast is spent.
const NO_ROOM: &str = "the disk is full";
/// SQLite's code for "another connection is writing".
const SQLITE_BUSY: i32 = 5;

impl QueueActor {
    /// Stores what was published and deletes what was settled, together; then tells the publishers.
    async fn commit(&mut self, mut batch: Vec<Job>) {
        // Whoever stopped waiting has told its sender to come again.
        batch.retain(|job| !job.confirmed.is_closed());
        let mut messages = Vec::new();
        let mut callers = Vec::new();
        for Job { messages: published, confirmed, room } in batch {
            messages.extend(published);
            callers.push((confirmed, room));
        }
        if self.ballast.is_spent() {
            for (confirmed, _room) in callers {
                let _gone = confirmed.send(Err(PublishError::Refused(NO_ROOM.to_owned())));
            }
            self.delete_settled().await;
            return;
        }
        let committed = self.write(&messages).await;
        for (confirmed, _room) in callers {
            let _gone = confirmed.send(committed.as_ref().copied().map_err(refusal));
        }
        match committed {
            Ok(()) if messages.is_empty() => {}
            Ok(()) => {
                self.health.stored();
                self.metrics.committed_together(messages.len());
            }
            Err(error) => {
                self.health.failed(&error);
                self.delete_settled().await;
            }
        }
    }

    /// Moves to the workers what is due, or called back, unless much lies ready for them.
    async fn return_deferred(&mut self) {
        if !self.returns.held_back(self.ready(), Instant::now()).is_zero() {
            return;
        }
        self.return_recalled().await;
        let now = self.clock.now();
        if !self.returns.are_due(now) {
            return;
        }
        let limit = if self.is_troubled() { RETURNS_WHEN_FULL_MAX } else { RETURNS_MAX };
        let returned = match self.store.return_due(now, limit).await {
            Ok(count) => {
                self.depth.returned(count);
                self.store.next_due().await
            }
            Err(error) => Err(error),
        };
        match returned {
            Ok(next_due) => {
                self.returns.is_next_due(next_due);
                self.have_returned();
            }
            Err(error) => self.still_failing(&error),
        }
    }

    /// Moves some of what is called back; a pass looks at so many messages, whosever they are.
    async fn return_recalled(&mut self) {
        if self.is_troubled() {
            return;
        }
        let Some(recall) = self.returns.recalled() else { return };
        match self.store.recall(recall, RETURNS_MAX).await {
            Ok(Recalled { messages, is_over }) => {
                if is_over {
                    self.returns.end_recall();
                }
                if messages > 0 {
                    self.depth.returned(messages);
                    self.have_returned();
                }
            }
            Err(error) => self.still_failing(&error),
        }
    }

    fn have_returned(&mut self) {
        self.returns.returned(Instant::now());
        self.lanes[index(Subscription::Alerts)].may_have_more = true;
    }

    /// A clock that is set back must not make pauses longer: what is parked is due earlier by as much. One that is set
    /// forwards ends some of them early, which does no harm.
    async fn follow_clock(&mut self) {
        let (before, then) = self.looked_at;
        let expected = before + SignedDuration::try_from(then.elapsed()).unwrap_or_default();
        let set_back = expected.duration_since(self.clock.now());
        if set_back >= SET_BACK_MIN && self.returns.has_due() {
            if let Err(error) = self.store.bring_forward(set_back).await {
                return self.still_failing(&error);
            }
            self.returns.bring_forward(set_back);
        }
        self.looked_at = (self.clock.now(), Instant::now());
    }

    /// In one transaction, with what is settled.
    async fn write(&mut self, messages: &[Message]) -> Result<(), sqlx::Error> {
        let settled = [0, 1, 2].map(|lane| self.lanes[lane].settled());
        let deletions: usize = settled.iter().map(Vec::len).sum();
        if messages.is_empty() && deletions == 0 {
            return Ok(());
        }
        let forgotten = [0, 1, 2].map(|lane| (self.lanes[lane].which, &settled[lane][..]));
        self.store.commit(messages, forgotten, self.clock.now()).await?;
        for (lane, ids) in self.lanes.iter_mut().zip(&settled) {
            lane.forget(ids);
            self.depth.deleted(lane.which, ids.len());
        }
        self.depth.stored(messages);
        for stored in messages.iter().filter_map(|message| lane(message.to)) {
            self.lanes[index(stored)].may_have_more = true;
        }
        if messages.iter().any(|message| matches!(message.to, MessageDestination::Deferred { .. })) {
            self.returns.is_next_due(self.store.next_due().await?);
        }
        self.tidy(deletions).await;
        Ok(())
    }

    async fn tidy(&mut self, deletions: usize) {
        self.deletions += deletions;
        if self.deletions >= DELETIONS_PER_SHRINK {
            self.deletions = 0;
            if let Err(error) = self.store.shrink().await {
                // The pages stay in the file and are used again.
                debug!(%error, "the queue's file could not be made smaller");
            }
        }
    }
}

/// What a publisher is told.
fn refusal(error: &sqlx::Error) -> PublishError {
    match code(error) {
        Some(SQLITE_BUSY) => PublishError::TimedOut,
        Some(_) | None => PublishError::Refused(error.to_string()),
    }
}

/// Messages in one batch; enough to make a commit of their settlements worthwhile.
const BATCH_MAX: usize = 256;

impl QueueActor {
    /// Gives to those who wait what there is, as far as the window allows.
    async fn serve(&mut self) {
        for lane in 0..self.lanes.len() {
            while let Some(demand) = self.lanes[lane].waiting.pop_front() {
                if demand.reply.is_closed() {
                    continue;
                }
                match self.batch(lane).await {
                    Ok(batch) if batch.is_empty() => {
                        self.lanes[lane].waiting.push_front(demand);
                        break;
                    }
                    Ok(batch) => {
                        // Before the batch is out: a shutdown must not believe that nothing is in hand.
                        self.all_settled.send_replace(false);
                        // If nobody takes it, the drop gives it back.
                        let _gone = demand.reply.send(batch);
                    }
                    Err(error) => {
                        self.lanes[lane].waiting.push_front(demand);
                        self.health.failed(&error);
                        break;
                    }
                }
            }
        }
    }

    async fn batch(&mut self, lane: usize) -> Result<Vec<Delivery>, sqlx::Error> {
        let which = self.lanes[lane].which;
        let limit = BATCH_MAX.min(self.in_hand_max.saturating_sub(self.lanes[lane].in_hand()));
        let mut batch = Vec::new();
        while batch.len() < limit {
            let Some((from, again)) = self.lanes[lane].next() else { break };
            let wanted = if again { 1 } else { limit - batch.len() };
            let messages = self.store.read(which, from, wanted).await?;
            if again && messages.first().is_none_or(|message| message.id != from) {
                self.lanes[lane].missing(from);
                continue;
            }
            if !again {
                self.lanes[lane].may_have_more = messages.len() == wanted;
            }
            for Stored { id, headers, body } in messages {
                self.lanes[lane].take(id);
                self.metrics.delivered(again);
                batch.push(Delivery::new(body.into(), headers, tag(which, id), self.settled.clone()));
            }
        }
        Ok(batch)
    }
}

impl QueueActor {
    /// Whether something has to be tried again.
    fn is_troubled(&self) -> bool {
        self.health.is_failing() || self.ballast.is_spent()
    }

    /// Deletes what is settled; what is settled must not wait for room that only its deletion makes.
    async fn delete_settled(&mut self) {
        let mut deleted = self.write(&[]).await;
        if deleted.as_ref().is_err_and(is_full) && self.ballast.spend() {
            deleted = self.write(&[]).await;
        }
        if let Err(error) = deleted {
            self.health.failed(&error);
        }
    }

    /// Tries, once in a while, whether the queue can store again.
    async fn recover(&mut self) {
        if !self.is_troubled() || !self.health.is_due() {
            return;
        }
        if self.lanes.iter().any(SubscriptionState::has_settled) {
            // Deletions go first: the room is theirs.
            return;
        }
        if self.ballast.is_spent() {
            if let Err(error) = self.store.compact().await {
                debug!(%error, "the queue's file could not be made smaller");
            }
            self.ballast.restore().await;
        }
        if self.health.is_failing() && !self.ballast.is_spent() {
            match self.store.probe().await {
                Ok(()) => self.health.stored(),
                Err(error) => self.still_failing(&error),
            }
        }
    }

    /// Something other than a deletion has failed again.
    fn still_failing(&mut self, error: &sqlx::Error) {
        self.health.failed(error);
        // Without a look at the volume, a file at its own limit would spend and lay the ballast for ever.
        if is_full(error) && self.ballast.volume_is_full() {
            self.ballast.spend();
        }
    }
}
