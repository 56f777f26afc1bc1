//! The one task that reads deliveries from a channel and acknowledges them.

use std::sync::Arc;

use futures_util::future::try_join_all;
use futures_util::stream::{BoxStream, SelectAll};
use futures_util::{FutureExt, StreamExt};
use lapin::Channel;
use lapin::message::Delivery as AmqpDelivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
};
use lapin::types::FieldTable;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::queue::rabbitmq::acks::AckWindow;
use crate::queue::rabbitmq::connection::{ConnectError, Link, Session};
use crate::queue::rabbitmq::headers;
use crate::queue::rabbitmq::reachability::Reachability;
use crate::queue::{Delivery, QueueMetrics, Settlement};

/// What is handed out at once, in bytes of bodies: a message has up to 64 KiB and alerts take several times as much when
/// they are read, so a full prefetch window in one batch would take hundreds of megabytes, and pass by every limit that
/// is looked at between batches. The largest batch is one message longer.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// A subscription and how to get a connection for it.
pub(super) struct Owner {
    pub(super) link: Link,
    pub(super) reachability: Arc<Reachability>,
    pub(super) queues: Vec<String>,
    /// Unsettled messages per queue, at most.
    pub(super) prefetch: u16,
    pub(super) metrics: QueueMetrics,
    pub(super) stop: CancellationToken,
}

/// Deliveries of all queues, in the order they arrive; an error once a queue's consumer has ended.
type Deliveries = SelectAll<BoxStream<'static, Result<AmqpDelivery, ConnectError>>>;

/// One connection's worth of consuming. Everything in here dies with the connection: tags mean nothing on
/// another channel, so settlements of old deliveries go to a channel nobody reads, and change nothing.
struct Subscribed {
    session: Session,
    deliveries: Deliveries,
    window: AckWindow,
    settled: mpsc::UnboundedSender<Settlement>,
    settlements: mpsc::UnboundedReceiver<Settlement>,
}

impl Owner {
    /// Serves until the stop, or until the consumer is dropped; then waits for what was handed out.
    pub(super) async fn run(self, batches: mpsc::Sender<Vec<Delivery>>) {
        let mut after_loss = false;
        loop {
            let over = over(&self.stop, &batches);
            let opened = self.link.open(&self.reachability, after_loss, over).await;
            let Some(session) = opened else { return };
            after_loss = true;
            let lost = match self.subscribe(session).await {
                Ok(subscribed) => self.serve(subscribed, &batches).await,
                Err(error) => Some(error),
            };
            match lost {
                // If it is over by now, the next attempt ends at once: what was in hand is delivered again.
                Some(error) => self.reachability.lost(&error),
                None => return self.reachability.closed(),
            }
        }
    }

    async fn subscribe(&self, session: Session) -> Result<Subscribed, ConnectError> {
        session.channel.basic_qos(self.prefetch, BasicQosOptions { global: false }).await?;
        let mut deliveries = Deliveries::new();
        for queue in &self.queues {
            let options =
                BasicConsumeOptions { no_local: false, no_ack: false, exclusive: false, nowait: false };
            // The queue's name is its consumer's tag as well: it has to be unique on the channel only.
            let name = queue.as_str();
            let consumer = session
                .channel
                .basic_consume(name.into(), name.into(), options, FieldTable::default())
                .await?;
            let ended = futures_util::stream::once(async { Err(ConnectError::Ended) });
            deliveries.push(consumer.map(|got| got.map_err(ConnectError::from)).chain(ended).boxed());
        }
        let (settled, settlements) = mpsc::unbounded_channel();
        Ok(Subscribed { session, deliveries, window: AckWindow::default(), settled, settlements })
    }

    /// Consumes until the connection is lost, or (`None`) it is over and everything handed out is settled.
    async fn serve(
        &self,
        mut subscribed: Subscribed,
        batches: &mpsc::Sender<Vec<Delivery>>,
    ) -> Option<ConnectError> {
        let mut place = None;
        loop {
            let outcome = tokio::select! {
                biased;
                () = over(&self.stop, batches) => break,
                error = &mut subscribed.session.ended => return Some(error),
                Some(settlement) = subscribed.settlements.recv() => subscribed.settle(settlement).await,
                // A place first: a batch is then everything that is at hand when it is wanted.
                free = batches.reserve(), if place.is_none() => {
                    place = free.ok();
                    continue;
                }
                Some(first) = subscribed.deliveries.next(), if place.is_some() => {
                    subscribed.batch(first, &self.metrics).map(|batch| {
                        if let Some(place) = place.take() {
                            place.send(batch);
                        }
                    })
                }
            };
            if let Err(error) = outcome {
                return Some(error);
            }
        }
        drop(place);
        subscribed.finish(&self.queues).await
    }
}

impl Subscribed {
    /// This delivery and whatever else has arrived, as far as a batch may go.
    fn batch(
        &mut self,
        first: Result<AmqpDelivery, ConnectError>,
        metrics: &QueueMetrics,
    ) -> Result<Vec<Delivery>, ConnectError> {
        let (mut batch, mut bytes) = (Vec::new(), 0);
        let mut next = Some(first);
        while let Some(got) = next {
            let got = got?;
            self.window.seen(got.delivery_tag);
            metrics.delivered(got.redelivered);
            bytes += got.data.len();
            let headers = headers::decode(got.properties.headers().as_ref());
            batch.push(Delivery::new(got.data.into(), headers, got.delivery_tag, self.settled.clone()));
            next =
                if bytes < BATCH_BYTES_MAX { self.deliveries.next().now_or_never().flatten() } else { None };
        }
        Ok(batch)
    }

    /// Tells the broker about this settlement and all that have arrived: one acknowledgement for a run, and a
    /// wait for lapin's thread per batch instead of per message.
    async fn settle(&mut self, first: Settlement) -> Result<(), ConnectError> {
        let (mut next, mut given_back) = (Some(first), Vec::new());
        while let Some(settlement) = next {
            match settlement {
                Settlement::Done { tag } => {
                    self.window.settle(tag);
                }
                Settlement::GivenBack { tag } => {
                    if self.window.give_back(tag) {
                        given_back.push(tag);
                    }
                }
            }
            next = self.settlements.try_recv().ok();
        }
        give_back(&self.session.channel, given_back).await?;
        let acks = self.window.flush();
        let up_to = acks.up_to.map(|tag| (tag, BasicAckOptions { multiple: true }));
        let single = acks.single.into_iter().map(|tag| (tag, BasicAckOptions { multiple: false }));
        let channel = &self.session.channel;
        try_join_all(up_to.into_iter().chain(single).map(|(tag, options)| channel.basic_ack(tag, options)))
            .await?;
        Ok(())
    }

    /// No new deliveries; acknowledges until nothing is in hand any more, then closes.
    async fn finish(mut self, queues: &[String]) -> Option<ConnectError> {
        let channel = &self.session.channel;
        let options = BasicCancelOptions { nowait: false };
        let cancelled =
            try_join_all(queues.iter().map(|queue| channel.basic_cancel(queue.as_str().into(), options)));
        if let Err(error) = cancelled.await {
            return Some(error.into());
        }
        let mut unasked = Vec::new();
        while let Some(Some(got)) = self.deliveries.next().now_or_never() {
            unasked.extend(got.map(|delivery| delivery.delivery_tag));
        }
        if let Err(error) = give_back(&self.session.channel, unasked).await {
            return Some(error);
        }
        while self.window.in_hand() > 0 {
            let settled = tokio::select! {
                biased;
                error = &mut self.session.ended => return Some(error),
                Some(settlement) = self.settlements.recv() => self.settle(settlement).await,
            };
            if let Err(error) = settled {
                return Some(error);
            }
        }
        self.session.close().await;
        None
    }
}

async fn give_back(channel: &Channel, tags: Vec<u64>) -> Result<(), ConnectError> {
    let options = BasicNackOptions { multiple: false, requeue: true };
    try_join_all(tags.into_iter().map(|tag| channel.basic_nack(tag, options))).await?;
    Ok(())
}

/// Ready when there is to be no more: the process stops, or nobody receives.
async fn over(stop: &CancellationToken, batches: &mpsc::Sender<Vec<Delivery>>) {
    tokio::select! {
        () = stop.cancelled() => {}
        () = batches.closed() => {}
    }
}
