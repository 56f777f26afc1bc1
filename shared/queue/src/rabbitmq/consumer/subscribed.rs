//! One connection's worth of consuming. Everything in here dies with the connection: tags mean nothing on another
//! channel, so settlements of old deliveries find nobody to hear them, and change nothing.

use std::collections::VecDeque;

use futures_util::future::{BoxFuture, try_join_all};
use futures_util::stream::{BoxStream, FuturesUnordered, SelectAll};
use futures_util::{FutureExt, StreamExt};
use lapin::message::Delivery as AmqpDelivery;
use lapin::options::{
    BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions,
};
use lapin::types::FieldTable;
use lapin::{Channel, ErrorKind};
use tokio::sync::mpsc;

use super::republish::{REPUBLISHED_FROM, Republished, Republisher};
use crate::rabbitmq::acks::AckWindow;
use crate::rabbitmq::alarm::Alarm;
use crate::rabbitmq::connect_error::ConnectError;
use crate::rabbitmq::connection::Session;
use crate::rabbitmq::headers;
use crate::rabbitmq::topology::Route;
use crate::{Delivery, Headers, QueueMetrics, Settlement};

/// What is handed out at once, in bytes of bodies: a message has up to 64 KiB and alerts take several times as much when
/// they are read, so a full prefetch window in one batch would take hundreds of megabytes, and pass by every limit that
/// is looked at between batches. The largest batch is one message longer.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Deliveries of all queues, in the order they arrive; an error once a queue's consumer has ended.
type Deliveries = SelectAll<BoxStream<'static, Result<(Route, AmqpDelivery), ConnectError>>>;

/// A message that has arrived and was not handed out.
struct Arrived {
    delivery: Delivery,
    is_redelivered: bool,
}

pub(super) struct Subscribed {
    // The first to be dropped: whoever settles a delivery of a lost connection learns at once that nobody hears it.
    pub(super) settlements: mpsc::UnboundedReceiver<Settlement>,
    settled: mpsc::UnboundedSender<Settlement>,
    pub(super) session: Session,
    pub(super) deliveries: Deliveries,
    /// Consumers there are, by their queues.
    queues: Vec<String>,
    /// Both hold no more than what is delivered and unacknowledged, which the prefetch window bounds; and what is given
    /// back and waits for the end of an alarm is a part of that as well.
    arrived: VecDeque<Arrived>,
    window: AckWindow,
    kept_back: Vec<u64>,
    pub(super) republished: FuturesUnordered<BoxFuture<'static, Republished>>,
    alarm: Alarm,
}

impl Subscribed {
    /// Consumes from nothing yet.
    pub(super) async fn new(mut session: Session, prefetch: u16, alarm: Alarm) -> Result<Self, ConnectError> {
        let qos = session.channel.basic_qos(prefetch, BasicQosOptions { global: false });
        Session::answered(&mut session.ended, qos).await?;
        let (settled, settlements) = mpsc::unbounded_channel();
        Ok(Self {
            settlements,
            settled,
            session,
            deliveries: Deliveries::new(),
            queues: Vec::new(),
            arrived: VecDeque::new(),
            window: AckWindow::default(),
            kept_back: Vec::new(),
            republished: FuturesUnordered::new(),
            alarm,
        })
    }

    /// Consumes from these queues as well.
    pub(super) async fn consume(&mut self, sources: &[(Route, String)]) -> Result<(), ConnectError> {
        for (route, queue) in sources {
            let options =
                BasicConsumeOptions { no_local: false, no_ack: false, exclusive: false, nowait: false };
            // The queue's name is its consumer's tag as well: it has to be unique on the channel only.
            let name = queue.as_str();
            let route = *route;
            let Session { channel, ended, .. } = &mut self.session;
            let consumer = channel.basic_consume(name.into(), name.into(), options, FieldTable::default());
            let consumer = Session::answered(ended, consumer).await?;
            let cancelled = ConnectError::Cancelled(queue.clone());
            let ended = futures_util::stream::once(async { Err(cancelled) });
            let got = consumer.map(move |got| got.map(|got| (route, got)).map_err(ConnectError::from));
            self.deliveries.push(got.chain(ended).boxed());
            self.queues.push(queue.clone());
        }
        Ok(())
    }

    /// What the broker said when it closed the channel, where `error` is only that it is closed: whatever is done on it
    /// first after that fails so, and the reply text comes to the consumers.
    pub(super) fn cause_of(&mut self, error: ConnectError) -> ConnectError {
        let is_closed = |error: &ConnectError| matches!(error, ConnectError::Amqp(error) if matches!(error.kind(), ErrorKind::InvalidChannelState(..)));
        if !is_closed(&error) {
            return error;
        }
        while let Some(Some(got)) = self.deliveries.next().now_or_never() {
            match got {
                Err(said @ ConnectError::Amqp(_)) if !is_closed(&said) => return said,
                Ok(_) | Err(_) => {}
            }
        }
        error
    }

    pub(super) fn is_consuming(&self, queue: &str) -> bool {
        self.queues.iter().any(|consumed| consumed == queue)
    }

    /// Consumes from no queue any more, and gives back what was not handed out.
    pub(super) async fn cancel(&mut self) -> Result<(), ConnectError> {
        let Session { channel, ended, .. } = &mut self.session;
        let options = BasicCancelOptions { nowait: false };
        let cancelled = self.queues.drain(..).map(|queue| channel.basic_cancel(queue.into(), options));
        Session::answered(ended, try_join_all(cancelled)).await?;
        let mut unasked = Vec::new();
        while let Some(Some(got)) = self.deliveries.next().now_or_never() {
            // A consumer that was cancelled ends, which is no error here.
            if let Ok((_, got)) = got {
                self.window.seen(got.delivery_tag);
                self.window.give_back(got.delivery_tag);
                unasked.push(got.delivery_tag);
            }
        }
        self.deliveries = Deliveries::new();
        // Their drop gives them back by the way of all others.
        self.arrived.clear();
        give_back(channel, unasked).await
    }

    /// A message has come. One that has come back often is not handed out: a copy of it will be.
    pub(super) fn arrive(
        &mut self,
        got: Result<(Route, AmqpDelivery), ConnectError>,
        republisher: &mut Republisher,
    ) -> Result<(), ConnectError> {
        let (route, got) = got?;
        self.window.seen(got.delivery_tag);
        let table = got.properties.headers().as_ref();
        let count = headers::delivery_count(table);
        let headers = headers::decode(table);
        let delivery = self.delivery(got.data, headers, got.delivery_tag);
        if count >= REPUBLISHED_FROM && !self.alarm.is_on() {
            self.republished.push(republisher.republish(route, delivery));
        } else {
            self.arrived.push_back(Arrived { delivery, is_redelivered: got.redelivered });
        }
        Ok(())
    }

    fn delivery(&self, body: Vec<u8>, headers: Headers, tag: u64) -> Delivery {
        Delivery::new(body.into(), headers, tag, self.settled.clone())
    }

    /// A message is on its queue again, or is handed out as it is.
    pub(super) fn finish_republish(&mut self, Republished { delivery, outcome }: Republished) {
        match outcome {
            Ok(()) => drop(delivery.settle()),
            Err(_) => self.arrived.push_back(Arrived { delivery, is_redelivered: true }),
        }
    }

    pub(super) fn has_arrived(&self) -> bool {
        !self.arrived.is_empty()
    }

    /// What has arrived, as far as a batch may go.
    pub(super) fn batch(&mut self, metrics: &QueueMetrics) -> Vec<Delivery> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while bytes < BATCH_BYTES_MAX {
            let Some(Arrived { delivery, is_redelivered }) = self.arrived.pop_front() else { break };
            metrics.delivered(is_redelivered);
            bytes += delivery.body.len();
            batch.push(delivery);
        }
        batch
    }

    /// Tells the broker about this settlement and all that have arrived: one acknowledgement for a run, and a
    /// wait for lapin's thread per batch instead of per message.
    pub(super) async fn settle(&mut self, first: Settlement) -> Result<(), ConnectError> {
        let mut next = Some(first);
        while let Some(settlement) = next {
            match settlement {
                Settlement::Done { tag } => {
                    self.window.settle(tag);
                }
                Settlement::GivenBack { tag } => self.kept_back.push(tag),
            }
            next = self.settlements.try_recv().ok();
        }
        self.give_back_unless_alarmed().await?;
        let acks = self.window.flush();
        let up_to = acks.up_to.map(|tag| (tag, BasicAckOptions { multiple: true }));
        let single = acks.single.into_iter().map(|tag| (tag, BasicAckOptions { multiple: false }));
        let channel = &self.session.channel;
        try_join_all(up_to.into_iter().chain(single).map(|(tag, options)| channel.basic_ack(tag, options)))
            .await?;
        Ok(())
    }

    pub(super) fn keeps_back(&self) -> bool {
        !self.kept_back.is_empty()
    }

    /// Gives back what is to go back; not while the broker takes nothing. It would come again at once, could not be
    /// published onwards again, and go back: twenty times in two minutes, and the broker gives it up.
    pub(super) async fn give_back_unless_alarmed(&mut self) -> Result<(), ConnectError> {
        if self.alarm.is_on() { Ok(()) } else { self.give_back().await }
    }

    async fn give_back(&mut self) -> Result<(), ConnectError> {
        // Told before the next flush, so that no multiple-ack covers it first.
        let tags = self.kept_back.drain(..).filter(|tag| self.window.give_back(*tag)).collect();
        give_back(&self.session.channel, tags).await
    }

    /// No new deliveries; acknowledges until nothing is in hand any more, then closes.
    pub(super) async fn finish(mut self) -> Option<ConnectError> {
        if let Err(error) = self.finish_in_hand().await {
            return Some(error);
        }
        self.session.close().await;
        None
    }

    async fn finish_in_hand(&mut self) -> Result<(), ConnectError> {
        self.cancel().await?;
        while let Some(republished) = self.republished.next().await {
            self.finish_republish(republished);
            self.arrived.clear();
        }
        while self.window.in_hand() > 0 {
            // From now on whatever goes back does not come again.
            self.give_back().await?;
            if self.window.in_hand() == 0 {
                break;
            }
            tokio::select! {
                biased;
                error = &mut self.session.ended => return Err(error),
                Some(settlement) = self.settlements.recv() => self.settle(settlement).await?,
            }
        }
        Ok(())
    }
}

async fn give_back(channel: &Channel, tags: Vec<u64>) -> Result<(), ConnectError> {
    let options = BasicNackOptions { multiple: false, requeue: true };
    try_join_all(tags.into_iter().map(|tag| channel.basic_nack(tag, options))).await?;
    Ok(())
}
