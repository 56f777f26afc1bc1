//! One connection with one channel, everything declared, confirms on; and trying again for ever.
//!
//! Lapin's own recovery is not used. It replays what it remembers of the topology and gives up by its own
//! back-off, inside `publish`; here delivery tags have to be forgotten with the channel they came from, the
//! pauses are our policy's, and a connection is "up" only when declaring and `confirm.select` worked too.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream::BoxStream;
use lapin::options::ConfirmSelectOptions;
use lapin::uri::AMQPUri;
use lapin::{Channel, Connection, ConnectionProperties, Event};

use super::alarm::{Alarm, Told};
use super::connect_error::ConnectError;
use super::declare::declare;
use super::reachability::Reachability;
use super::topology::Names;
use super::transport::{self, Transport};
use config::{AddressError, QueueConfig, Secret, amqp_uri};
use runtime::retry::RetryPolicy;

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

/// Where the broker is, tuned for us.
#[derive(Clone)]
pub(super) struct Address(pub(super) AMQPUri);

impl Address {
    pub(super) fn parse(url: &Secret, prefix: &str) -> Result<Self, AddressError> {
        let mut uri = amqp_uri(url)?;
        if prefix.is_empty() || prefix.len() > AddressError::PREFIX_BYTES_MAX {
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
    address: Address,
    transport: Transport,
    pub(super) names: Names,
    /// Shown in the broker's list of connections.
    name: &'static str,
    pub(super) alarm: Alarm,
}

/// A connection that can be worked with.
pub(super) struct Session {
    pub(super) connection: Connection,
    pub(super) channel: Channel,
    /// Ends, with the reason, when connection or channel do.
    pub(super) ended: BoxFuture<'static, ConnectError>,
}

impl Link {
    /// `name` is shown in the broker's list of connections.
    pub(super) fn new(
        address: &Address,
        config: &QueueConfig,
        names: Names,
        name: &'static str,
        alarm: Alarm,
    ) -> Self {
        let transport = Transport::of(&address.0, &config.tls);
        Self { address: address.clone(), transport, names, name, alarm }
    }

    /// Tries until it works, or until `given_up` is ready: then `None`. After a loss there is a pause first, so
    /// that a connection that is lost each time it is made does not become a storm.
    pub(super) async fn open(
        &self,
        reachability: &Arc<Reachability>,
        after_loss: bool,
        given_up: impl Future<Output = ()>,
    ) -> Option<Session> {
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        let mut failed = after_loss;
        let opened = async {
            loop {
                if failed {
                    let pause = pauses.after_failure(runtime::entropy::random(), None);
                    tokio::time::sleep(pause.unwrap_or(RetryPolicy::RECONNECT.cap)).await;
                }
                let attempt = tokio::time::timeout(CONNECT_TIMEOUT, self.attempt(reachability)).await;
                match attempt.unwrap_or(Err(ConnectError::TimedOut(CONNECT_TIMEOUT))) {
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

    /// A bare connection.
    pub(super) async fn connect(&self) -> lapin::Result<Connection> {
        let properties = ConnectionProperties::default().with_connection_name(self.name.into());
        let transport = self.transport.clone();
        let open = async move |_, _| transport.open_for_lapin(CONNECT_TIMEOUT).await;
        Connection::connector(self.address.0.clone(), transport::runtime(), open, properties).await
    }

    async fn attempt(&self, reachability: &Arc<Reachability>) -> Result<Session, ConnectError> {
        let connection = self.connect().await?;
        // Listened to from the start: an event nobody listens to is not kept.
        let events = connection.events_listener().boxed();
        let ended = ended(events, self.alarm.connection(), Arc::clone(reachability));
        declare(&connection, &self.names.topology()).await?;
        let channel = connection.create_channel().await?;
        channel.confirm_select(ConfirmSelectOptions { nowait: false }).await?;
        Ok(Session { connection, channel, ended: ended.boxed() })
    }
}

impl Session {
    /// Waits for an answer of the broker's as long as there may be one: lapin leaves some of its calls waiting for ever
    /// when the connection is lost under them.
    pub(super) async fn answered<T>(
        ended: &mut BoxFuture<'static, ConnectError>,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, ConnectError> {
        tokio::select! {
            biased;
            error = ended => Err(error),
            answer = answer => Ok(answer?),
        }
    }

    /// Says goodbye, so that the broker need not find out by itself.
    pub(super) async fn close(self) {
        let goodbye = self.connection.close(200, "OK".into());
        // Whether it was heard makes no difference: the socket is closed either way.
        let _heard = tokio::time::timeout(CLOSE_TIMEOUT, goodbye).await;
    }
}

async fn ended(
    mut events: BoxStream<'static, Event>,
    mut told: Told,
    reachability: Arc<Reachability>,
) -> ConnectError {
    while let Some(event) = events.next().await {
        if let Event::Error(error) = event {
            return error.into();
        }
        // Nothing else says so: publishes on a blocked connection hang without an error, until it is over.
        if let Event::ConnectionBlocked(reason) = event {
            told.blocked(&reason);
            reachability.refresh();
        } else if let Event::ConnectionUnblocked = event {
            told.unblocked();
            reachability.refresh();
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
    }

    #[test]
    fn a_frame_smaller_than_every_broker_takes_is_refused_with_a_sentence() {
        let asked = |bytes: u32| parse(&format!("amqp://u:p@127.0.0.1/%2f?frame_max={bytes}"));
        let error = asked(4096).err().expect("a refusal");
        assert_eq!(error, AddressError::FrameMax(4096));
        assert!(
            error.to_string().contains("frame_max=4096: leave it out, or ask for 8192 or more"),
            "{error}"
        );
        assert_eq!(asked(8191).err(), Some(AddressError::FrameMax(8191)));
        assert!(asked(8192).is_ok() && asked(0).is_ok());
    }

    #[test]
    fn a_prefix_leaves_room_for_our_names() {
        let address = |prefix: &str| Address::parse(&Secret::new("amqp://127.0.0.1"), prefix);
        assert_eq!(address("").err(), Some(AddressError::Prefix));
        assert_eq!(address(&"x".repeat(201)).err(), Some(AddressError::Prefix));
        assert!(address(&"x".repeat(200)).is_ok());
    }
}
