//! The queue between ingest and worker: two small traits, two engines (RabbitMQ here, SQLite in
//! `standalone`), one conformance suite (`testkit::queue_conformance`) that holds both to the same promises.

mod message;
mod metrics;
pub mod rabbitmq;

use std::fmt::Debug;

use futures_util::future::BoxFuture;
use runtime::lifecycle::Condition;
use thiserror::Error;

pub use message::{
    DeadLetterId, DeferStep, Delivery, Failure, FailureMarks, Headers, Message, MessageDestination, Reason,
    Replay, Settlement,
};
pub use metrics::QueueMetrics;

/// The answer to a publish, once there is one. Dropped early, what was written may be stored all the same.
pub type Publishing = BoxFuture<'static, Result<(), PublishError>>;

/// The next messages, once there are some.
pub type Receiving<'c> = BoxFuture<'c, Option<Vec<Delivery>>>;

/// Puts messages on the queue. Cheap to share: all requests of a process publish through one.
///
/// A trait object with a boxed future: one allocation a publish, and no caller has the engine in its type.
pub trait Publisher: Debug + Send + Sync + 'static {
    /// Stores the messages, in their order. `Ok` means durably: they survive a crash of this process and a
    /// restart of the engine. After an error some of them may be stored all the same, so a repeat may double
    /// them; the ledger absorbs that.
    ///
    /// Waits `queue.publish_timeout` for the answer, and is [`PublishError::TimedOut`] then.
    fn publish(&self, messages: Vec<Message>) -> Publishing;

    /// The same for whoever can wait longer and must not publish twice: what was written in time is waited for as
    /// long as the engine can answer. Only what was on its way when a connection broke is uncertain
    /// ([`PublishError::Unreachable`]); what could not be written in time is not stored ([`PublishError::Busy`]).
    /// An engine whose answer always comes in time has no need of its own.
    fn publish_until_answered(&self, messages: Vec<Message>) -> Publishing {
        self.publish(messages)
    }

    /// Ends the pauses of what is deferred for this receiver, which takes messages again after a while: it comes to the
    /// workers as fast as they take it, in the order of its deferral. An engine that cannot tell one receiver's messages from
    /// another's returns all of them, and not often. What is not reached, or comes later, keeps its pause, so nobody waits
    /// for an answer. A publisher that nothing is deferred by has no need of its own.
    fn recall(&self, _receiver: &str) {}
}

/// Takes messages off the queue. Any number of consumers compete.
///
/// A trait object with boxed futures, so that the worker is compiled once and not again for each engine in each program.
pub trait Consumer: Send + 'static {
    /// The next messages, at least one; waits until there are some. An engine that is away is waited for,
    /// and reconnected to, in here. `None` once the consumer was told to stop.
    fn receive(&mut self) -> Receiving<'_>;

    /// Takes nothing until `ready` is; what lies ready to be received goes back. For whoever can do nothing with
    /// messages for a while: on the queue they wait for as long as it takes, where an engine that counts deliveries
    /// in vain would give up what is in hand. Dropped early, it takes messages again.
    fn pause<'c>(&'c mut self, ready: BoxFuture<'c, ()>) -> BoxFuture<'c, ()> {
        ready
    }

    /// Whether there is a connection by which messages come. An engine in the same process always has one.
    fn connected(&self) -> Condition {
        let connected = Condition::default();
        connected.set(true);
        connected
    }
}

/// What a consumer takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// Envelopes to deliver, of every shard.
    Alerts,
    /// Dead letters on their way to the store, the engine's own included.
    Dead,
    /// Button presses, commands and reactions.
    Interactions,
}

/// Why a publish was not confirmed. Every cause may pass, so ingest answers each with 503.
#[derive(Debug, Error)]
pub enum PublishError {
    /// More is being published than the engine takes; what waits has a limit, and a time to be written in.
    #[error("the queue is busy: too many messages wait to be published")]
    Busy,
    /// There is no connection to the engine, or it broke before the answer.
    #[error("the queue is not reachable")]
    Unreachable,
    /// No confirm came in time. The message may be stored later.
    #[error("the queue did not confirm in time")]
    TimedOut,
    /// The engine said no: a full queue, a full disk.
    #[error("the queue refused the message: {0}")]
    Refused(String),
}

impl PublishError {
    /// Every label value, for metrics that show each from the start.
    pub const LABELS: [&'static str; 4] = ["busy", "unreachable", "timed_out", "refused"];

    /// The label value in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::Refused(_) => "refused",
        }
    }
}
