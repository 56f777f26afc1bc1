//! One connection with one channel, everything declared, confirms on; and trying again for ever.
//!
//! Lapin's own recovery is not used. It replays what it remembers of the topology and gives up by its own
//! back-off, inside `publish`; here delivery tags have to be forgotten with the channel they came from, the
//! pauses are our policy's, and a connection is "up" only when declaring and `confirm.select` worked too.

use std::str::FromStr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;
use lapin::options::ConfirmSelectOptions;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event};
use thiserror::Error;
use tracing::{info, warn};

use super::declare::declare;
use super::reachability::Reachability;
use super::topology::Names;
use crate::config::Secret;
use crate::retry::RetryPolicy;

/// How long TCP, handshake and declarations may take together. The URI's `connection_timeout` is read by lapin's
/// blocking connect only. An attempt that is given up keeps its thread until its socket closes, so patience
/// bounds how many can pile up in front of a broker that accepts and says nothing.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a polite goodbye may take; a blocked connection cannot even be closed.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);
/// Lapin takes 2 × 32 × this in buffers per connection: 2 MiB, where the broker's 128 KiB would make it 8 MiB.
const FRAME_BYTES_MAX: u32 = 32 * 1024;
/// A peer that is silent for this long is gone. The broker's default of 60 s would hide an outage for minutes.
const HEARTBEAT_SECONDS: u16 = 10;

/// Why there is no connection.
#[derive(Debug, Error)]
pub(super) enum ConnectError {
    /// The network, the handshake or the broker said no.
    #[error("{0}")]
    Amqp(#[from] lapin::Error),
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
    /// The broker ended it without an error: a consumer's queue was deleted, for one.
    #[error("the broker ended the subscription")]
    Ended,
    /// Nothing came back in time.
    #[error("no answer within {} s", CONNECT_TIMEOUT.as_secs())]
    TimedOut,
}

/// Why the address cannot be used. Holds nothing of it: there is a password inside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum AddressError {
    /// Not a URL of the AMQP scheme.
    #[error("the queue's URL is not of the form amqp://user:password@host:5672/vhost")]
    Invalid,
    /// `amqps` would need a TLS library that is not linked yet.
    #[error("the queue's URL asks for amqps, which is not supported")]
    Tls,
    /// AMQP names end at 255 bytes, and ours are longer than the prefix.
    #[error("the queue's prefix must have 1 to {} bytes", Address::PREFIX_BYTES_MAX)]
    Prefix,
}

/// Where the broker is, tuned for us.
#[derive(Clone)]
pub(super) struct Address(pub(super) AMQPUri);

impl Address {
    pub(super) const PREFIX_BYTES_MAX: usize = 200;

    pub(super) fn parse(url: &Secret, prefix: &str) -> Result<Self, AddressError> {
        // The parser's own message repeats the URL, password included.
        let mut uri = AMQPUri::from_str(url.expose()).map_err(|_| AddressError::Invalid)?;
        if uri.scheme != lapin::uri::AMQPScheme::AMQP {
            return Err(AddressError::Tls);
        }
        if prefix.is_empty() || prefix.len() > Self::PREFIX_BYTES_MAX {
            return Err(AddressError::Prefix);
        }
        uri.query.frame_max.get_or_insert(FRAME_BYTES_MAX);
        uri.query.heartbeat.get_or_insert(HEARTBEAT_SECONDS);
        Ok(Self(uri))
    }
}

/// How to get a connection.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) address: Address,
    pub(super) names: Names,
    /// Shown in the broker's list of connections.
    pub(super) name: &'static str,
}

/// A connection that can be worked with.
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) channel: Channel,
    /// Ends, with the reason, when connection or channel do.
    pub(super) ended: BoxFuture<'static, ConnectError>,
}

impl Link {
    /// Tries until it works, or until `given_up` is ready: then `None`. After a loss there is a pause first, so
    /// that a connection that is lost each time it is made does not become a storm.
    pub(super) async fn open(
        &self,
        reachability: &Reachability,
        after_loss: bool,
        given_up: impl Future<Output = ()>,
    ) -> Option<Session> {
        let (mut pauses, mut failed) = (RetryPolicy::RECONNECT.pauses(), after_loss);
        let opened = async {
            loop {
                if failed {
                    let pause = pauses.after_failure(rand::random(), None);
                    tokio::time::sleep(pause.unwrap_or(RetryPolicy::RECONNECT.cap)).await;
                }
                let attempt = tokio::time::timeout(CONNECT_TIMEOUT, self.attempt()).await;
                match attempt.unwrap_or(Err(ConnectError::TimedOut)) {
                    Ok(session) => return session,
                    Err(error) => reachability.failed(&error),
                }
                failed = true;
            }
        };
        let session = tokio::select! {
            biased;
            () = given_up => return None,
            session = opened => session,
        };
        reachability.up();
        Some(session)
    }

    async fn attempt(&self) -> Result<Session, ConnectError> {
        let properties = ConnectionProperties::default().with_connection_name(self.name.into());
        let connection = Connection::connect_uri(self.address.0.clone(), properties).await?;
        // Listened to from the start: an event nobody listens to is not kept.
        let events = connection.events_listener().boxed();
        declare(&connection, &self.names.topology()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions { nowait: false }).await?;
        Ok(Session { connection, channel, ended: ended(events).boxed() })
    }
}

impl Session {
    /// Says goodbye, so that the broker need not find out by itself.
    pub(super) async fn close(self) {
        let goodbye = self.connection.close(200, "OK".into());
        // Whether it was heard makes no difference: the socket is closed either way.
        let _heard = tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await;
    }
}

async fn ended(mut events: BoxStream<'static, Event>) -> ConnectError {
    while let Some(event) = events.next().await {
        if let Event::Error(error) = event {
            return error.into();
        }
        // Nothing else says so: publishes on a blocked connection hang without an error, until it is over.
        if let Event::ConnectionBlocked(reason) = event {
            warn!(%reason, "RabbitMQ takes no messages for now: {reason}");
        } else if let Event::ConnectionUnblocked = event {
            info!("RabbitMQ takes messages again");
        }
    }
    ConnectError::Ended
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Address, AddressError> {
        Address::parse(&Secret::new(url), "larkfire")
    }

    #[test]
    fn an_address_is_tuned_unless_it_says_otherwise() {
        let plain = parse("amqp://u:p@127.0.0.1:5672/%2f").expect("a valid address").0;
        assert_eq!((plain.query.frame_max, plain.query.heartbeat), (Some(32 * 1024), Some(10)));
        let own = parse("amqp://u:p@127.0.0.1/%2f?frame_max=8192&heartbeat=30").expect("a valid address").0;
        assert_eq!((own.query.frame_max, own.query.heartbeat), (Some(8192), Some(30)));
    }

    #[test]
    fn a_wrong_address_is_refused_without_repeating_it() {
        for url in ["amqp:hunter2", "hunter2", "http://u:hunter2@127.0.0.1/", "amqp://u:hunter2@[::1"] {
            let error = parse(url).err().expect("a refusal");
            assert_eq!(error, AddressError::Invalid);
            assert!(!format!("{error} {error:?}").contains("hunter2"));
        }
        assert_eq!(parse("amqps://u:p@127.0.0.1/").err(), Some(AddressError::Tls));
    }

    #[test]
    fn a_prefix_leaves_room_for_our_names() {
        let address = |prefix: &str| Address::parse(&Secret::new("amqp://127.0.0.1"), prefix);
        assert_eq!(address("").err(), Some(AddressError::Prefix));
        assert_eq!(address(&"x".repeat(201)).err(), Some(AddressError::Prefix));
        assert!(address(&"x".repeat(200)).is_ok());
    }
}
