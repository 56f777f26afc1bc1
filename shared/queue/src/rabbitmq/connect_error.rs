//! Why there is no connection to the broker, or no longer one.

use std::time::Duration;

use thiserror::Error;

/// Why there is no connection.
#[derive(Debug, Error)]
pub(super) enum ConnectError {
    /// The network, the handshake or the broker said no.
    #[error("{0}")]
    Amqp(lapin::Error),
    /// There is no TLS with it.
    #[error("{0}; see queue.tls")]
    Tls(String),
    /// A queue or exchange of that name exists and differs; only a person can decide what to do with it.
    #[error(
        "{name} exists with other settings ({said}); delete it once it is empty, or choose another queue prefix"
    )]
    Conflict {
        /// The queue or exchange.
        name: String,
        /// What differs, in the broker's words.
        said: String,
    },
    /// The broker ended the connection without an error.
    #[error("the broker ended the connection and gave no reason")]
    Ended,
    /// The broker ended a consumer: AMQP's `basic.cancel` has no text for a reason, so what it may be is all there is to say.
    /// RabbitMQ 4.3 also sends it where earlier ones close the channel, with a text, for a consumer timeout.
    #[error(
        "the broker cancelled the consumer of {0:?} and gave no reason: the queue was deleted, or has no leader, or (since \
         RabbitMQ 4.3) a message was in hand for longer than the consumer timeout"
    )]
    Cancelled(String),
    /// Nothing came back in time.
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
}

impl From<lapin::Error> for ConnectError {
    fn from(error: lapin::Error) -> Self {
        runtime::tls::said_of(&error).map_or(Self::Amqp(error), Self::Tls)
    }
}
