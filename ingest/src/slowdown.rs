//! Makes who is refused again and again wait for it.

use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::time::sleep;

use crate::gate::Failures;

/// The refusals of one ingest.
#[derive(Debug, Default)]
pub(crate) struct Slowdown(Mutex<Failures>);

/// A refusal that waits; it may be dropped in the middle of it, when its connection breaks.
struct Waiting<'s>(&'s Slowdown, IpAddr);

impl Slowdown {
    /// Counts a refusal and waits until it may be given.
    pub(crate) async fn wait(&self, address: IpAddr, now: Timestamp) {
        let Some(delay) = self.failures().count(address, now) else { return };
        let _waiting = Waiting(self, address);
        sleep(delay).await;
    }

    fn failures(&self) -> MutexGuard<'_, Failures> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.failures().done(self.1);
    }
}
