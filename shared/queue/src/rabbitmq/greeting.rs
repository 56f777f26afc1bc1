//! What a broker is asked before it is used: for `check --online`, and which installation its queues are.

mod limit;
mod properties;

use lapin::ErrorKind;
use thiserror::Error;

use super::alarm::Alarm;
use super::connection::{Address, Link};
use super::left_over::left_over;
use super::topology::Names;
use super::transport::Transport;
use config::{AddressError, QueueConfig};

/// Why it cannot be used.
#[derive(Debug, Error)]
pub enum GreetingError {
    /// Its address cannot be one.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The network, the handshake or the broker said no.
    #[error("{0}")]
    Amqp(lapin::Error),
    /// The network said no.
    #[error("{0}")]
    Network(std::io::Error),
    /// There is no TLS with it.
    #[error("{0}; see queue.tls")]
    Tls(String),
}

impl From<lapin::Error> for GreetingError {
    fn from(error: lapin::Error) -> Self {
        runtime::tls::said_of(&error).map_or(Self::Amqp(error), Self::Tls)
    }
}

impl From<std::io::Error> for GreetingError {
    fn from(error: std::io::Error) -> Self {
        runtime::tls::said_of(&error).map_or(Self::Network(error), Self::Tls)
    }
}

/// What it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting {
    /// Its version, if it told.
    pub version: Option<String>,
    /// Queues of shards that `queue.shards` has no more, and the messages in them.
    pub left_over: Vec<(String, u32)>,
    /// How often a message of ours may come back.
    pub limit: DeliveryLimit,
}

/// Where queues are, by whatever address one gets there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueHome {
    /// The cluster's name, the same on each of its nodes.
    pub cluster: String,
    /// The virtual host.
    pub vhost: String,
    /// What the names of the queues begin with.
    pub prefix: String,
}

/// Where the queues of this configuration are; `None` if the broker does not name its cluster. Asks without logging in.
pub async fn queue_home(config: &QueueConfig) -> Result<Option<QueueHome>, GreetingError> {
    let Address(uri) = Address::parse(&config.url, &config.prefix)?;
    let properties = properties::of(&Transport::of(&uri, &config.tls)).await?;
    let home = |cluster| QueueHome { cluster, vhost: uri.vhost, prefix: config.prefix.clone() };
    Ok(properties.cluster_name.map(home))
}

/// How often a message may come back before the broker gives it up, as far as a queue of the check's own shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryLimit {
    /// So often, by its default or a policy.
    Found(u32),
    /// More often than RabbitMQ 4 allows without a policy.
    NoneFound,
    /// The user may not make such a queue.
    NotAllowed,
    /// It takes no messages: a memory or disk alarm.
    Alarm,
}

/// Connects, asks, and says goodbye. Makes a queue of its own with one message, and deletes it.
pub async fn greet(config: &QueueConfig) -> Result<Greeting, GreetingError> {
    let address = Address::parse(&config.url, &config.prefix)?;
    let names = Names::new(config.prefix.clone(), config.shards);
    let link = Link::new(&address, config, names, "larkfire check", Alarm::default());
    let connection = link.connect().await?;
    let version = properties::of(&Transport::of(&address.0, &config.tls))
        .await
        .ok()
        .and_then(|properties| properties.version);
    let left_over = left_over(link.clone()).await;
    let limit = match limit::find(&connection, &link.names).await {
        Err(error) if is_refused(&error) => DeliveryLimit::NotAllowed,
        found => found?,
    };
    if limit != DeliveryLimit::Alarm {
        // Lapin refuses to close twice what closes already; what was asked is answered.
        let _closed = connection.close(200, "OK".into()).await;
    }
    let left_over = left_over.into_iter().map(|left| (left.queue, left.messages)).collect();
    Ok(Greeting { version, left_over, limit })
}

fn is_refused(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(said) if said.get_id() == ACCESS_REFUSED)
}

/// AMQP's number for it.
const ACCESS_REFUSED: u16 = 403;

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn a_greeting_that_failed_says_what_it_came_of_once() {
        let refused = io::Error::new(io::ErrorKind::ConnectionRefused, "it refuses");
        let greeted = GreetingError::from(refused).to_string();
        assert_eq!(greeted.matches("it refuses").count(), 1, "{greeted}");
    }
}
