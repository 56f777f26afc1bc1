//! The queue between ingest and worker: two small traits, two engines (RabbitMQ here, SQLite in
//! `standalone`), one conformance suite (`testkit::queue_conformance`) that holds both to the same promises.

mod message;
mod metrics;
pub mod rabbitmq;

use std::future::Future;

use thiserror::Error;

pub use message::{
    Delivery, Destination, Failure, Headers, LetterId, Message, ParkStep, Reason, Replay, Settlement,
};
pub use metrics::QueueMetrics;

/// Puts messages on the queue. Cheap to share: all requests of a process publish through one.
pub trait Publisher: Send + Sync + 'static {
    /// Stores the messages, in their order. `Ok` means durably: they survive a crash of this process and a
    /// restart of the engine. After an error some of them may be stored all the same, so a repeat may double
    /// them; the ledger absorbs that.
    fn publish(&self, messages: Vec<Message>) -> impl Future<Output = Result<(), PublishError>> + Send;
}

/// Takes messages off the queue. Any number of consumers compete.
pub trait Consumer: Send + 'static {
    /// The next messages, at least one; waits until there are some. An engine that is away is waited for,
    /// and reconnected to, in here. `None` once the consumer was told to stop.
    fn receive(&mut self) -> impl Future<Output = Option<Vec<Delivery>>> + Send;
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
    /// More is being published than the engine takes; what waits has a limit.
    #[error("the queue is busy: too many messages wait to be published")]
    Busy,
    /// There is no connection to the engine.
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
