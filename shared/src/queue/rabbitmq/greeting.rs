//! Whether the broker lets us in, and nothing more: nothing is declared.

use lapin::{Connection, ConnectionProperties};
use thiserror::Error;

use super::connection::{Address, AddressError};
use crate::config::Secret;

/// A prefix of our own; no queue is touched, so which one makes no difference.
const ANY_PREFIX: &str = "larkfire";

/// Why it does not.
#[derive(Debug, Error)]
pub enum GreetingError {
    /// Its address cannot be one.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The network, the handshake or the broker said no.
    #[error("{0}")]
    Amqp(#[from] lapin::Error),
}

/// Connects, and says goodbye.
pub async fn greet(url: &Secret) -> Result<(), GreetingError> {
    let address = Address::parse(url, ANY_PREFIX)?;
    let properties = ConnectionProperties::default().with_connection_name("check".into());
    let connection = Connection::connect_uri(address.0, properties).await?;
    connection.close(200, "OK".into()).await?;
    Ok(())
}
