//! What both queue engines promise, as tests that know neither. `queue_conformance!` makes them tests of a crate.
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "code of tests: a broken promise ends the test"
)]

mod faults;
mod messages;
mod promises;

use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use futures_util::FutureExt;
use queue::{Consumer, Publisher, Subscription};
use runtime::lifecycle::{Drain, Lifecycle};

pub use faults::{
    a_stalled_engine_answers_quickly_and_takes_no_memory, confirmed_survives_a_kill, publish_until_killed,
};
pub use messages::{alert, body, numbers, publish_all, take};
pub use promises::{
    a_consumer_that_dies_gives_its_messages_back, a_parked_message_returns_after_its_pause,
    concurrent_publishes_come_out_whole, dead_letters_keep_their_reason, order_is_kept_within_a_shard,
    settled_messages_are_gone_for_good, shutdown_drains_what_is_in_hand,
    unsettled_messages_are_delivered_again, what_is_called_back_returns_before_its_pause,
};

/// How long anything may take that is expected to happen.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A queue of a test's own, and the means to disturb it.
pub trait Engine: Send + Sync + Sized + 'static {
    /// What one process would hold.
    type Session: Session;

    /// Opens the queue as a process does at its start; waits for an earlier session to let go of it.
    fn open(&self) -> impl Future<Output = Self::Session> + Send;

    /// Makes the engine accept work and not answer, until `resume`.
    fn stall(&self) -> impl Future<Output = ()> + Send;

    /// Ends the stall.
    fn resume(&self) -> impl Future<Output = ()> + Send;

    /// What a child process of the test needs in its environment to find this queue; see `from_environment`.
    fn environment(&self) -> Vec<(&'static str, String)>;

    /// The queue a parent process told of, if there is one.
    fn from_environment() -> Option<Self>;

    /// Deletes everything the test has made.
    fn remove(self) -> impl Future<Output = ()> + Send;
}

/// What one process holds of a queue.
pub trait Session: Send + Sync + 'static {
    /// The engine's publisher.
    type Publisher: Publisher + Clone;
    /// The engine's consumer.
    type Consumer: Consumer;

    /// The lifecycle everything runs on.
    fn lifecycle(&self) -> &Lifecycle;

    /// A publisher.
    fn publisher(&self) -> Self::Publisher;

    /// A consumer.
    fn consumer(&self, which: Subscription) -> Self::Consumer;
}

/// Runs one test and removes its queue, whatever the outcome.
pub async fn run<E: Engine>(engine: E, test: impl AsyncFnOnce(&E)) {
    let outcome = AssertUnwindSafe(test(&engine)).catch_unwind().await;
    engine.remove().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure);
    }
}

/// Ends a session as a process does that is told to stop; nothing may be left behind.
pub async fn close(session: impl Session) {
    assert_eq!(session.lifecycle().drain(PATIENCE).await, Drain::Clean);
}

/// The whole suite as tests of the calling module; `$engine` is awaited for each.
#[macro_export]
macro_rules! queue_conformance {
    ($engine_type:ty, $engine:expr) => {
        $crate::queue_conformance!(@tests $engine;
            order_is_kept_within_a_shard
            settled_messages_are_gone_for_good
            unsettled_messages_are_delivered_again
            a_consumer_that_dies_gives_its_messages_back
            concurrent_publishes_come_out_whole
            a_parked_message_returns_after_its_pause
            what_is_called_back_returns_before_its_pause
            dead_letters_keep_their_reason
            shutdown_drains_what_is_in_hand
            a_stalled_engine_answers_quickly_and_takes_no_memory
        );

        #[tokio::test(flavor = "multi_thread")]
        async fn confirmed_survives_a_kill() {
            let child = concat!(module_path!(), "::publish_until_killed");
            $crate::queue_conformance::run($engine.await, async |engine| {
                $crate::queue_conformance::confirmed_survives_a_kill(engine, child).await;
            })
            .await;
        }

        /// The child process of the test above; does nothing in a normal run.
        #[tokio::test(flavor = "multi_thread")]
        async fn publish_until_killed() {
            $crate::queue_conformance::publish_until_killed::<$engine_type>().await;
        }
    };
    (@tests $engine:expr; $($name:ident)+) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            $crate::queue_conformance::run($engine.await, async |engine| {
                $crate::queue_conformance::$name(engine).await;
            })
            .await;
        }
    )+};
}
