//! What is said about a spool, once each time it changes: begun, drained, full, failing. And whether it can take more.

use std::io;

use runtime::lifecycle::Condition;
use tracing::{error, info, warn};

/// What was said last.
#[derive(Debug)]
pub(super) struct SpoolHealth {
    folder: String,
    can_take: Condition,
    in_use: bool,
    full: bool,
    failing: bool,
}

impl SpoolHealth {
    pub(super) fn new(folder: String, can_take: Condition) -> Self {
        can_take.set(true);
        Self { folder, can_take, in_use: false, full: false, failing: false }
    }

    /// There is something to replay that another process, or this one before its restart, has left.
    pub(super) fn found(&mut self, bytes: u64) {
        let folder = &self.folder;
        self.in_use = true;
        info!(folder, bytes, "the spool holds alerts that go to the queue first");
    }

    pub(super) fn stored(&mut self) {
        let folder = &self.folder;
        if !std::mem::replace(&mut self.in_use, true) {
            warn!(folder, "the queue does not take alerts: keeping them in the spool");
        }
        self.full = false;
        self.works();
    }

    pub(super) fn drained(&mut self) {
        let folder = &self.folder;
        if std::mem::take(&mut self.in_use) {
            info!(folder, "the queue has everything that was kept in the spool");
        }
        self.has_room();
    }

    pub(super) fn full(&mut self, bytes_max: u64) {
        let folder = &self.folder;
        if !std::mem::replace(&mut self.full, true) {
            error!(folder, bytes_max, "the spool is full: senders are answered 503");
        }
        self.show();
    }

    /// Something was replayed and deleted.
    pub(super) fn has_room(&mut self) {
        self.full = false;
        self.show();
    }

    pub(super) fn failed(&mut self, cause: &io::Error) {
        let folder = &self.folder;
        if !std::mem::replace(&mut self.failing, true) {
            error!(folder, error = %cause, "cannot write in the spool");
        }
        self.show();
    }

    pub(super) fn works(&mut self) {
        let folder = &self.folder;
        if std::mem::take(&mut self.failing) {
            info!(folder, "can write in the spool again");
        }
        self.show();
    }

    fn show(&self) {
        self.can_take.set(!self.full && !self.failing);
    }
}
