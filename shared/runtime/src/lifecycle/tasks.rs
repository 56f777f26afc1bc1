//! The tasks of one process, so that a stop can wait for all of them, and a simulation can end them all at once.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::task::{AbortHandle, JoinHandle};
use tokio_util::task::TaskTracker;

/// Every task of a process. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    /// How to end each of them, where somebody wants to be able to.
    killable: Option<Arc<Mutex<Vec<AbortHandle>>>>,
}

impl Tasks {
    /// Tasks that [`kill`](Self::kill) ends: for simulations, in which a process is a set of tasks. It remembers every
    /// task that was ever spawned.
    pub fn killable() -> Self {
        Self { tracker: TaskTracker::new(), killable: Some(Arc::default()) }
    }

    /// Runs a task that a stop waits for.
    pub fn spawn<T: Send + 'static>(&self, task: impl Future<Output = T> + Send + 'static) -> JoinHandle<T> {
        self.remember(self.tracker.spawn(task))
    }

    /// Runs a task that no stop waits for: it ends with the process.
    pub(super) fn spawn_detached(&self, task: impl Future<Output = ()> + Send + 'static) {
        #[expect(clippy::disallowed_methods, reason = "on the tracker it would hold up every shutdown")]
        self.remember(tokio::spawn(task));
    }

    /// No further tasks count: once those that run have ended, [`wait`](Self::wait) returns.
    pub fn close(&self) {
        self.tracker.close();
    }

    /// Waits until they are closed and all of them have ended.
    pub async fn wait(&self) {
        self.tracker.wait().await;
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.tracker.len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.tracker.is_empty()
    }

    /// Ends all of them where they stand, as `kill -9` would: none of them is polled again. Does nothing to tasks that
    /// are not [`killable`](Self::killable).
    pub fn kill(&self) {
        for task in self.handles().into_iter().flat_map(|mut tasks| std::mem::take(&mut *tasks)) {
            task.abort();
        }
    }

    fn remember<T>(&self, task: JoinHandle<T>) -> JoinHandle<T> {
        if let Some(mut tasks) = self.handles() {
            tasks.push(task.abort_handle());
        }
        task
    }

    fn handles(&self) -> Option<std::sync::MutexGuard<'_, Vec<AbortHandle>>> {
        Some(self.killable.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_was_killed_is_not_polled_again_and_is_not_waited_for() {
        let tasks = Tasks::killable();
        let polled_on = tasks.spawn(async {
            tokio::time::sleep(std::time::Duration::from_secs(1)).await;
            true
        });
        tokio::task::yield_now().await;
        tasks.kill();
        tasks.close();
        tasks.wait().await;
        assert!(polled_on.await.is_err_and(|error| error.is_cancelled()));
    }
}
