//! Queues of shards from a time when `queue.shards` was larger, or is larger elsewhere: what was accepted into them has
//! to be read by somebody.

use std::time::Duration;

use lapin::ErrorKind;
use lapin::options::QueueDeclareOptions;
use lapin::protocol::{AMQPErrorKind, AMQPSoftError};
use lapin::types::FieldTable;

use super::connect_error::ConnectError;
use super::connection::Link;
use super::declare::declare;
use super::topology::Route;

/// How long it is waited for.
const LOOK_TIMEOUT: Duration = Duration::from_secs(20);

/// A queue of a shard that the topology does not have.
#[derive(Debug)]
pub(super) struct LeftOver {
    pub(super) route: Route,
    pub(super) queue: String,
    /// Messages that wait in it.
    pub(super) messages: u32,
}

/// Those the broker has; none if it does not answer. On a connection of its own: the broker closes the channel on which
/// it is asked for a queue that is not there, which lapin reports as an error of the connection.
pub(super) async fn left_over(link: Link) -> Vec<LeftOver> {
    let looked = tokio::time::timeout(LOOK_TIMEOUT, look(&link)).await;
    looked.map(Result::unwrap_or_default).unwrap_or_default()
}

/// The same, once what was deleted is made again: by hand, or because a policy has queues expire.
pub(super) async fn restore_and_look(link: Link) -> Vec<LeftOver> {
    let restored = tokio::time::timeout(LOOK_TIMEOUT, restore(&link)).await;
    // Tried again at the next look; whoever publishes meanwhile is told where it went.
    drop(restored);
    left_over(link).await
}

async fn restore(link: &Link) -> Result<(), ConnectError> {
    let connection = link.connect().await?;
    declare(&connection, &link.names.topology()).await?;
    Ok(connection.close(200, "OK".into()).await?)
}

/// Shards are declared from the first on, so the first that is missing is the end.
async fn look(link: &Link) -> lapin::Result<Vec<LeftOver>> {
    let connection = link.connect().await?;
    let channel = connection.create_channel().await?;
    let options = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    let mut found = Vec::new();
    for (route, queue) in link.names.left_over() {
        match channel.queue_declare(queue.as_str().into(), options, FieldTable::default()).await {
            Ok(declared) => found.push(LeftOver { route, queue, messages: declared.message_count() }),
            Err(error) if is_missing(&error) => break,
            Err(error) => return Err(error),
        }
    }
    connection.close(200, "OK".into()).await?;
    Ok(found)
}

fn is_missing(error: &lapin::Error) -> bool {
    matches!(error.kind(), ErrorKind::ProtocolError(said)
        if matches!(said.kind(), AMQPErrorKind::Soft(AMQPSoftError::NOTFOUND)))
}
