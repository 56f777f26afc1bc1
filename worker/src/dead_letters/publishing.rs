//! Publishing for an operator, where a connection may have to come up first.

use std::time::Duration;

use queue::{Message, PublishError, Publisher};
use runtime::retry::RetryPolicy;
use tokio::time::sleep;

/// How often a publish is tried.
const TRIES: RetryPolicy =
    RetryPolicy { first: Duration::from_millis(500), cap: Duration::from_secs(5), attempts_max: Some(4) };

/// Publishes, again if need be. A repeat after a publish that was not confirmed may send one twice, which the ledger
/// absorbs.
pub(crate) async fn publish(publisher: &dyn Publisher, messages: Vec<Message>) -> Result<(), PublishError> {
    let mut pauses = TRIES.pauses();
    loop {
        let Err(error) = publisher.publish(messages.clone()).await else { return Ok(()) };
        match pauses.after_failure(runtime::entropy::random(), None) {
            Some(pause) => sleep(pause).await,
            None => return Err(error),
        }
    }
}
