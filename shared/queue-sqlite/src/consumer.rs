//! The consuming side of the embedded queue: asks the keeper, and waits.

use queue::{Consumer, Delivery, Receiving, Subscription};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::SqliteQueue;
use super::request::ReceiveRequest;

/// Takes the messages of one subscription.
#[derive(Debug)]
pub struct SqliteConsumer {
    which: Subscription,
    demands: mpsc::Sender<ReceiveRequest>,
    stop: CancellationToken,
}

impl SqliteConsumer {
    pub(super) fn new(queue: &SqliteQueue, which: Subscription) -> Self {
        Self { which, demands: queue.demands.clone(), stop: queue.lifecycle.stop.clone() }
    }

    async fn ask(&self) -> Option<Vec<Delivery>> {
        let (reply, answer) = oneshot::channel();
        self.demands.send(ReceiveRequest { which: self.which, reply }).await.ok()?;
        answer.await.ok()
    }
}

impl Consumer for SqliteConsumer {
    fn receive(&mut self) -> Receiving<'_> {
        Box::pin(async {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                // A batch that is answered to a caller who has stopped waiting is dropped, which gives it back.
                batch = self.ask() => batch,
            }
        })
    }
}
