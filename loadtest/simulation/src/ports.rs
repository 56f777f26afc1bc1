//! The queue's two ports as one process has them: a consumer whose connection can be cut, on either side first, and a
//! publisher whose confirms can be late, lost, or no.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use model::envelope::{decode, lines};
use queue::{
    Consumer, Delivery, Message, MessageDestination, PublishError, Publisher, Publishing, Receiving,
    Settlement, Subscription,
};
use runtime::lifecycle::Lifecycle;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::broker::{Broker, ConnectionId, Delivered, Recalled};
use crate::conditions::Condition;
use crate::feishu::events_in;
use crate::world::World;

/// How long a publisher waits for its confirms, as `queue.publish_timeout` is by default.
pub(crate) const PUBLISH_TIMEOUT: Duration = Duration::from_secs(2);

/// The connections of one process, so that they can be cut.
#[derive(Clone, Debug)]
pub(crate) struct Links {
    pub(crate) world: World,
    pub(crate) broker: Broker,
    pub(crate) name: String,
    cuts: Arc<Mutex<Cuts>>,
    /// Whether the queue is the embedded one: its connections are never cut, its commits take the place of confirms.
    pub(crate) is_embedded: bool,
}

#[derive(Debug, Default)]
struct Cuts {
    consuming: Vec<(ConnectionId, CancellationToken)>,
    publishing: CancellationToken,
}

impl Links {
    pub(crate) fn new(world: &World, broker: &Broker, name: String, is_embedded: bool) -> Self {
        Self { world: world.clone(), broker: broker.clone(), name, cuts: Arc::default(), is_embedded }
    }

    /// Cuts the connections that consume. Either side may be the first to notice, seconds before the other.
    pub(crate) fn cut_consuming(&self) {
        for (connection, cut) in std::mem::take(&mut self.cuts().consuming) {
            let broker = self.broker.clone();
            let world = self.world.clone();
            self.world.say(|| format!("{}: {connection:?} is cut", self.name));
            World::spawn(async move {
                world.pause(0..4_000).await;
                broker.disconnect(connection);
            });
            let world = self.world.clone();
            World::spawn(async move {
                world.pause(0..4_000).await;
                cut.cancel();
            });
        }
    }

    /// Cuts the connection that publishes: what was written may have arrived.
    pub(crate) fn cut_publishing(&self) {
        self.world.say(|| format!("{}: the publishing connection is cut", self.name));
        std::mem::take(&mut self.cuts().publishing).cancel();
    }

    /// The process is gone, and its connections with it.
    pub(crate) fn drop_all(&self) {
        for (connection, _) in std::mem::take(&mut self.cuts().consuming) {
            self.broker.disconnect(connection);
        }
        std::mem::take(&mut self.cuts().publishing).cancel();
    }

    fn cuts(&self) -> std::sync::MutexGuard<'_, Cuts> {
        self.cuts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What one trip takes.
    async fn travel(&self) {
        if self.world.holds(Condition::SlowBroker) {
            self.world.pause(500..4_000).await;
        } else {
            self.world.pause(0..15).await;
        }
    }
}

/// The port alerts (or dead letters) come in by.
#[derive(Debug)]
pub(crate) struct SimConsumer {
    batches: mpsc::Receiver<Vec<Delivery>>,
    stop: CancellationToken,
}

impl SimConsumer {
    pub(crate) fn start(links: &Links, lifecycle: &Lifecycle, which: Subscription, prefetch: usize) -> Self {
        let (batches, receiver) = mpsc::channel(1);
        let owner = Owner { links: links.clone(), which, prefetch, stop: lifecycle.stop.clone() };
        lifecycle.tasks.spawn(owner.run(batches));
        Self { batches: receiver, stop: lifecycle.stop.clone() }
    }
}

impl Consumer for SimConsumer {
    fn receive(&mut self) -> Receiving<'_> {
        Box::pin(async {
            let batch = tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                batch = self.batches.recv() => batch,
            };
            if batch.is_none() {
                self.batches.close();
                while self.batches.try_recv().is_ok() {}
            }
            batch
        })
    }
}

/// The task that has the connection.
struct Owner {
    links: Links,
    which: Subscription,
    prefetch: usize,
    stop: CancellationToken,
}

impl Owner {
    async fn run(self, batches: mpsc::Sender<Vec<Delivery>>) {
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => return,
                () = self.reached() => {}
            }
            let connection = self.links.broker.connect();
            let cut = CancellationToken::new();
            self.links.cuts().consuming.push((connection, cut.clone()));
            if self.serve(connection, &cut, &batches).await {
                self.links.broker.disconnect(connection);
                return;
            }
        }
    }

    /// Waits until there is a broker to connect to.
    async fn reached(&self) {
        loop {
            self.links.world.pause(10..600).await;
            if !self.links.world.holds(Condition::BrokerAway) {
                return;
            }
        }
    }

    /// Until the connection is lost (`false`), or everything is settled after the stop.
    async fn serve(
        &self,
        connection: ConnectionId,
        cut: &CancellationToken,
        batches: &mpsc::Sender<Vec<Delivery>>,
    ) -> bool {
        let (settled, mut settlements) = mpsc::unbounded_channel();
        let mut place = None;
        let mut in_hand = 0_usize;
        let broker = &self.links.broker;
        loop {
            tokio::select! {
                biased;
                () = self.stop.cancelled() => break,
                () = cut.cancelled() => return false,
                Some(settlement) = settlements.recv() => {
                    in_hand -= self.settle(connection, settlement, &mut settlements).await;
                }
                free = batches.reserve(), if place.is_none() => place = free.ok(),
                taken = broker.take(connection, self.which, self.prefetch), if place.is_some() => {
                    self.links.world.say(|| format!("{} takes {}", self.links.name, named(&taken)));
                    let deliveries: Vec<_> = taken
                        .into_iter()
                        .map(|it| Delivery::new(it.body, it.headers, it.tag, settled.clone()))
                        .collect();
                    in_hand += deliveries.len();
                    if let Some(place) = place.take() {
                        place.send(deliveries);
                    }
                }
            }
        }
        drop(place);
        drop(settled);
        while in_hand > 0 {
            tokio::select! {
                biased;
                () = cut.cancelled() => return false,
                settlement = settlements.recv() => match settlement {
                    Some(settlement) => {
                        in_hand -= self.settle(connection, settlement, &mut settlements).await;
                    }
                    None => break,
                }
            }
        }
        true
    }

    /// Tells the broker about this settlement and all that have come; says how many.
    async fn settle(
        &self,
        connection: ConnectionId,
        first: Settlement,
        settlements: &mut mpsc::UnboundedReceiver<Settlement>,
    ) -> usize {
        let mut all = vec![first];
        while let Ok(more) = settlements.try_recv() {
            all.push(more);
        }
        // What the connection loses on the way is lost for both.
        self.links.travel().await;
        for settlement in &all {
            match *settlement {
                Settlement::Done { tag } => self.links.broker.acknowledge(connection, tag),
                Settlement::GivenBack { tag } => self.links.broker.give_back(connection, tag),
            }
        }
        all.len()
    }
}

/// The port to publish through.
#[derive(Clone, Debug)]
pub(crate) struct SimPublisher(pub(crate) Links);

/// What the broker says of one message.
enum Confirm {
    Ack,
    Nack,
}

impl Publisher for SimPublisher {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        let answer = self.publish_until_answered(messages);
        Box::pin(async move { timeout(PUBLISH_TIMEOUT, answer).await.unwrap_or(Err(PublishError::TimedOut)) })
    }

    fn publish_until_answered(&self, messages: Vec<Message>) -> Publishing {
        let publisher = self.clone();
        Box::pin(async move {
            let links = &publisher.0;
            if !links.is_embedded && links.world.holds(Condition::BrokerAway) {
                return Err(PublishError::Unreachable);
            }
            let cut = links.cuts().publishing.clone();
            let confirms = join_all(messages.into_iter().map(|message| publisher.send(message, &cut)));
            tokio::select! {
                biased;
                () = cut.cancelled() => Err(PublishError::Unreachable),
                confirms = confirms => {
                    if confirms.iter().all(|confirm| matches!(confirm, Ok(Confirm::Ack))) {
                        Ok(())
                    } else {
                        Err(PublishError::Refused("no room".to_owned()))
                    }
                }
            }
        })
    }

    fn recall(&self, receiver: &str) {
        let links = self.0.clone();
        let recalled =
            if links.is_embedded { Recalled::Receiver(receiver.to_owned()) } else { Recalled::Everybody };
        World::spawn(async move {
            links.travel().await;
            links.broker.recall(recalled);
        });
    }
}

impl SimPublisher {
    /// One message on its way. It goes on by itself, whoever waits for it: a process that dies, or does not wait any
    /// longer, calls nothing back.
    fn send(&self, message: Message, cut: &CancellationToken) -> oneshot::Receiver<Confirm> {
        let (confirmed, confirm) = oneshot::channel();
        let links = self.0.clone();
        let cut = cut.clone();
        World::spawn(async move {
            let world = &links.world;
            links.travel().await;
            // What was written before the cut may have arrived or not.
            if cut.is_cancelled() && world.chance(0.5) {
                return;
            }
            if matches!(message.to, MessageDestination::Deferred { .. } | MessageDestination::DeadLetters)
                && world.holds(Condition::Nacks)
                && world.chance(0.5)
            {
                let _gone = confirmed.send(Confirm::Nack);
                return;
            }
            note(world, &message);
            links.broker.store(message);
            if world.holds(Condition::LateConfirms) && world.chance(0.6) {
                world.pause(6_000..9_000).await;
            }
            links.travel().await;
            let _gone = confirmed.send(Confirm::Ack);
        });
        confirm
    }
}

/// The envelopes in these messages.
fn named(taken: &[Delivered]) -> String {
    let of = |it: &Delivered| -> Vec<String> {
        let envelopes = lines(&it.body).filter_map(|line| decode(line).ok());
        envelopes.map(|envelope| envelope.id.to_string()).collect()
    };
    taken.iter().flat_map(of).collect::<Vec<_>>().join(", ")
}

/// Writes down what has come to the queue, and what has become a dead letter.
fn note(world: &World, message: &Message) {
    let at = world.elapsed();
    for envelope in lines(&message.body).filter_map(|line| decode(line).ok()) {
        let mut records = world.records();
        match message.to {
            MessageDestination::Alerts { .. } => {
                records.came.insert(envelope.id, envelope.alerts.len() as u64);
            }
            MessageDestination::DeadLetters => {
                for alert in &envelope.alerts {
                    let text = alert.annotations.get("summary").unwrap_or_default();
                    let events = events_in(text.as_bytes()).into_iter();
                    records.dead.extend(events.map(|event| (at, event)));
                }
            }
            MessageDestination::Deferred { .. } | MessageDestination::Interactions => {}
        }
    }
}
