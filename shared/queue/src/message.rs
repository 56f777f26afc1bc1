//! What travels on the queue, and how a message that was taken is settled.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc::UnboundedSender;

/// A message on its way to the queue.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it goes.
    pub to: MessageDestination,
    /// Lines of the wire format, or whatever an interaction is.
    pub body: Bytes,
    /// What is known about it besides its body.
    pub headers: Headers,
}

/// Where a message goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageDestination {
    /// To the workers; equal keys keep their order.
    Alerts {
        /// `Envelope::shard_key`.
        shard_key: u64,
    },
    /// To the workers after a pause.
    Deferred {
        /// `Envelope::shard_key`.
        shard_key: u64,
        /// How long the pause is.
        step: DeferStep,
    },
    /// To the dead letters.
    DeadLetters,
    /// To whoever handles button presses, commands and reactions.
    Interactions,
}

/// How long a message may be parked between attempts. The steps are fixed, because each is a queue of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeferStep {
    /// 5 seconds.
    Seconds5,
    /// 30 seconds.
    Seconds30,
    /// 2 minutes.
    Minutes2,
    /// 10 minutes.
    Minutes10,
}

impl DeferStep {
    /// Every step, shortest first.
    pub const ALL: [Self; 4] = [Self::Seconds5, Self::Seconds30, Self::Minutes2, Self::Minutes10];

    /// How long a message stays parked.
    pub const fn pause(self) -> Duration {
        match self {
            Self::Seconds5 => Duration::from_secs(5),
            Self::Seconds30 => Duration::from_secs(30),
            Self::Minutes2 => Duration::from_mins(2),
            Self::Minutes10 => Duration::from_mins(10),
        }
    }

    /// The step's name in queue names.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Seconds5 => "5s",
            Self::Seconds30 => "30s",
            Self::Minutes2 => "2m",
            Self::Minutes10 => "10m",
        }
    }
}

/// What is known about a message besides its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Headers {
    /// How often delivery to Feishu was tried before and given up for a while.
    pub attempt: u32,
    /// Why the last attempt failed; set on parked messages and dead letters.
    pub failure: Option<Failure>,
    /// W3C trace context of the request it came with.
    pub traceparent: Option<String>,
    /// Set on a dead letter that is sent through the pipeline again, on all its way: also while it is parked, and
    /// when it dies again.
    pub replay: Option<Replay>,
}

/// The number of a dead letter in the workers' database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeadLetterId(pub i64);

impl fmt::Display for DeadLetterId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A dead letter that an operator sends again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replay {
    /// Which one.
    pub letter: DeadLetterId,
    /// Whether it is to be told even if its alerts were told or resolved since.
    #[serde(default)]
    pub forced: bool,
}

/// Why something could not be delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// The kind of failure, a closed set.
    pub reason: Reason,
    /// The receiver it was meant for; empty when that was not known yet.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub receiver: String,
    /// Feishu's code, where Feishu answered with one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i64>,
    /// What was said about it, for a person. Holds no secret and no URL.
    pub message: String,
    /// How many times delivery was tried in all.
    pub attempts: u32,
    /// When it failed for the first time.
    pub first_failed_at: Timestamp,
    /// When it failed last.
    pub last_failed_at: Timestamp,
    /// What is known besides. Decisions rest on this; `message` is for people.
    #[serde(default, skip_serializing_if = "FailureMarks::is_empty")]
    pub marks: FailureMarks,
}

/// What is known of the attempts at a message besides how the last one failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FailureMarks {
    /// One of them may have arrived, although nobody said so.
    pub may_have_arrived: bool,
    /// It is tried apart from others, as its answer is in no table or lasts.
    pub by_itself: bool,
    /// It was put off last because another worker had a copy of it in hand.
    pub gave_way: bool,
}

impl FailureMarks {
    /// Whether nothing more is known.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The kinds of failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Feishu answered that this will never do.
    Refused,
    /// Feishu could not be reached, or said to come back later, until patience ended.
    GaveUp,
    /// The message is not of our wire format.
    Undecodable,
    /// No receiver is configured for it.
    NoReceiver,
    /// Delivery did not work now; a parked message carries this.
    Unavailable,
    /// The broker gave it up: it was taken too often without being settled, or no queue was there for it.
    Undeliverable,
}

impl Reason {
    /// Every reason, for metrics that show each from the start.
    pub const ALL: [Self; 6] = [
        Self::Refused,
        Self::GaveUp,
        Self::Undecodable,
        Self::NoReceiver,
        Self::Unavailable,
        Self::Undeliverable,
    ];

    /// The word used on the wire, in logs and in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::GaveUp => "gave_up",
            Self::Undecodable => "undecodable",
            Self::NoReceiver => "no_receiver",
            Self::Unavailable => "unavailable",
            Self::Undeliverable => "undeliverable",
        }
    }
}

/// A message that was taken off the queue and is not settled yet. Dropping it gives it back to the queue, so
/// a task that fails or is cut off loses nothing.
#[derive(Debug)]
pub struct Delivery {
    /// The message's body.
    pub body: Bytes,
    /// What is known about it besides its body.
    pub headers: Headers,
    receipt: Option<Receipt>,
}

/// What an engine is told about a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Each envelope in it is settled: it may be forgotten.
    Done {
        /// The engine's own name for the delivery.
        tag: u64,
    },
    /// It was let go: somebody else may have it, now.
    GivenBack {
        /// The engine's own name for the delivery.
        tag: u64,
    },
}

#[derive(Debug)]
struct Receipt {
    tag: u64,
    // Unbounded, because Drop cannot wait; what it can hold is bounded by the engine's prefetch window.
    settlements: UnboundedSender<Settlement>,
}

impl Delivery {
    /// A delivery whose fate is reported to `settlements` under `tag`; for engines.
    pub fn new(body: Bytes, headers: Headers, tag: u64, settlements: UnboundedSender<Settlement>) -> Self {
        Self { body, headers, receipt: Some(Receipt { tag, settlements }) }
    }

    /// Whether settling it still means something, as far as is known here. One whose connection is gone is delivered
    /// again, to whomever: what is published onwards for it would be there twice.
    pub fn is_alive(&self) -> bool {
        self.receipt.as_ref().is_none_or(|receipt| !receipt.settlements.is_closed())
    }

    /// Says that everything in it is settled. `false` if nobody is there to hear it: a consumer that is gone has
    /// lost its connection too, and the engine delivers again.
    pub fn settle(mut self) -> bool {
        self.receipt
            .take()
            .is_none_or(|Receipt { tag, settlements }| settlements.send(Settlement::Done { tag }).is_ok())
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(Receipt { tag, settlements }) = self.receipt.take() {
            let _gone = settlements.send(Settlement::GivenBack { tag });
        }
    }
}
