//! Writing: what was published, what was settled, what is due.

use jiff::SignedDuration;
use shared::queue::{Destination, Message, PublishError};
use tokio::time::Instant;
use tracing::debug;

use super::{Job, Keeper};
use crate::queue::lanes::index;
use crate::queue::store::{code, lane};

/// Deletions after which free pages are looked for.
const DELETIONS_PER_SHRINK: usize = 500;
/// Parked messages that return in one transaction.
const RETURNS_MAX: usize = 1000;
/// The same while the disk is full: they are written anew before they are deleted.
const RETURNS_WHEN_FULL_MAX: usize = 16;
/// By less a clock is not set back but disciplined.
const SET_BACK_MIN: SignedDuration = SignedDuration::from_secs(1);
/// What a publisher is told while the ballast is spent.
const NO_ROOM: &str = "the disk is full";
/// SQLite's code for "another connection is writing".
const SQLITE_BUSY: i32 = 5;

impl Keeper {
    /// Stores what was published and deletes what was settled, together; then tells the publishers.
    pub(super) async fn commit(&mut self, mut batch: Vec<Job>) {
        // Whoever stopped waiting has told its sender to come again.
        batch.retain(|job| !job.confirmed.is_closed());
        let (mut messages, mut callers) = (Vec::new(), Vec::new());
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

    /// Moves parked messages that are due to the workers.
    pub(super) async fn return_due(&mut self) {
        let now = self.clock.now();
        if self.next_due.is_none_or(|due| due > now) {
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
                self.next_due = next_due;
                self.lanes[index(shared::queue::Subscription::Alerts)].may_have_more = true;
            }
            Err(error) => self.still_failing(&error),
        }
    }

    /// A clock that is set back must not make pauses longer: what is parked is due earlier by as much. One that is set
    /// forwards ends some of them early, which does no harm.
    pub(super) async fn follow_clock(&mut self) {
        let (before, then) = self.looked_at;
        let expected = before + SignedDuration::try_from(then.elapsed()).unwrap_or_default();
        let set_back = expected.duration_since(self.clock.now());
        if set_back >= SET_BACK_MIN && self.next_due.is_some() {
            if let Err(error) = self.store.bring_forward(set_back).await {
                return self.still_failing(&error);
            }
            self.next_due = self.next_due.map(|due| due - set_back);
        }
        self.looked_at = (self.clock.now(), Instant::now());
    }

    /// In one transaction, with what is settled.
    pub(super) async fn write(&mut self, messages: &[Message]) -> Result<(), sqlx::Error> {
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
        if messages.iter().any(|message| matches!(message.to, Destination::Parked { .. })) {
            self.next_due = self.store.next_due().await?;
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
                debug!(%error, "the queue's file could not be made smaller: {error}");
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
