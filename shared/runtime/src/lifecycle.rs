//! Start-up and shutdown: one stop token, one tracker that owns every task, one readiness that says why not.
//!
//! Stop in order: not ready, a while for that to be heard, no new work, finish what is in hand, confirm and ack, exit.

mod readiness;
mod signals;
mod tasks;

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

pub use readiness::{Condition, Readiness};
pub use signals::hangups;
pub use signals::{StoppedBy, stop_on_signals};
pub use tasks::Tasks;

/// What every long-running part of a process is handed.
#[derive(Clone, Debug, Default)]
pub struct Lifecycle {
    /// Cancelled when the process is to stop taking new work.
    pub stop: CancellationToken,
    /// Owns every task of the process; what is not spawned here cannot be drained.
    pub tasks: Tasks,
    /// What has to hold for the process to be given work.
    pub readiness: Readiness,
}

impl Lifecycle {
    /// Runs a part of the process that is not supposed to end before the stop: if it does, everything stops.
    pub fn spawn_essential(&self, name: &'static str, part: impl Future<Output = ()> + Send + 'static) {
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            // The guard fires on a panic too: half a process that looks alive is worse than none.
            let guard = stop.clone().drop_guard();
            part.await;
            if !stop.is_cancelled() {
                warn!(part = name, "a part ended before it was to; stopping");
            }
            drop(guard);
        });
    }

    /// Runs something that has nothing to finish and need not be waited for: it ends with the process.
    pub fn spawn_detached(&self, part: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn_detached(part);
    }

    /// Not ready from now on, and for this long nothing else changes: whoever sends work here has to hear of it first, or finds a
    /// closed port. Ends early when a part of the process fails.
    pub async fn withdraw(&self, delay: Duration) {
        self.readiness.drain();
        if delay.is_zero() {
            return;
        }
        info!(delay_s = delay.as_secs(), "not ready any more; new work is still taken for a while");
        let _ends_early = tokio::time::timeout(delay, self.stop.cancelled()).await;
    }

    /// Tells everything to stop and waits for it, at most `grace`.
    pub async fn drain(&self, grace: Duration) -> Drain {
        self.readiness.drain();
        self.stop.cancel();
        self.tasks.close();
        let outcome = match tokio::time::timeout(grace, self.tasks.wait()).await {
            Ok(()) => Drain::Clean,
            Err(_) => Drain::Cut { tasks_left: self.tasks.len() },
        };
        match outcome {
            Drain::Clean => info!("stopped: everything in hand was finished"),
            Drain::Cut { tasks_left } => warn!(
                tasks_left,
                grace_s = grace.as_secs(),
                "stopped with tasks unfinished; their messages stay on the queue"
            ),
        }
        outcome
    }
}

/// How a shutdown ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drain {
    /// Every task finished.
    Clean,
    /// The grace period ended first.
    Cut {
        /// How many tasks were still running.
        tasks_left: usize,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_stuck_task_is_reported_after_the_grace_period() {
        let lifecycle = Lifecycle::default();
        lifecycle.tasks.spawn(std::future::pending::<()>());
        assert_eq!(lifecycle.drain(Duration::from_secs(20)).await, Drain::Cut { tasks_left: 1 });
    }

    #[tokio::test(start_paused = true)]
    async fn tasks_that_obey_the_token_drain_cleanly() {
        let lifecycle = Lifecycle::default();
        let stop = lifecycle.stop.clone();
        lifecycle.tasks.spawn(async move { stop.cancelled().await });
        assert_eq!(lifecycle.drain(Duration::from_secs(20)).await, Drain::Clean);
        assert_eq!(lifecycle.readiness.unmet(), vec!["draining"]);
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_work_hears_of_the_stop_before_anything_stops() {
        let lifecycle = Lifecycle::default();
        let delay = Duration::from_secs(10);
        let began = tokio::time::Instant::now();
        let withdrawn = lifecycle.withdraw(delay);
        tokio::pin!(withdrawn);
        let early = tokio::time::timeout(Duration::from_secs(9), &mut withdrawn).await;
        assert!(early.is_err() && !lifecycle.stop.is_cancelled(), "it goes on as before");
        assert_eq!(lifecycle.readiness.unmet(), vec!["draining"]);
        withdrawn.await;
        assert_eq!(began.elapsed(), delay);

        lifecycle.stop.cancel();
        lifecycle.withdraw(delay).await;
        assert_eq!(began.elapsed(), delay, "half a process is not waited for");
    }

    #[tokio::test]
    async fn an_essential_part_that_panics_stops_the_process() {
        let lifecycle = Lifecycle::default();
        lifecycle.spawn_essential("test", async { panic!("on purpose") });
        lifecycle.stop.cancelled().await;
    }
}
