//! The broker's side: queues, connections and what is unacknowledged on each, with RabbitMQ's rules. What was delivered and
//! not acknowledged when its connection ends goes back to its place; what waits in a retry queue returns by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use queue::{DeferStep, Headers, Message, MessageDestination, Subscription};
use tokio::sync::{Notify, broadcast};

use crate::world::World;

/// Which queue a message is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Queue {
    Alerts(u64),
    Dead,
    Interactions,
}

/// A message on a queue.
#[derive(Clone, Debug)]
struct Stored {
    body: Bytes,
    headers: Headers,
    /// How often it came back unacknowledged.
    returns: u32,
}

/// A message on its way to a consumer.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) tag: u64,
    pub(crate) body: Bytes,
    pub(crate) headers: Headers,
}

/// One consumer's connection, as the broker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConnectionId(u64);

#[derive(Debug, Default)]
struct Connection {
    unacknowledged: BTreeMap<u64, (Queue, u64, Stored)>,
    last_tag: u64,
}

#[derive(Debug, Default)]
struct BrokerState {
    /// By queue and place: what comes back goes to where it was.
    ready: BTreeMap<(Queue, u64), Stored>,
    last_place: u64,
    connections: BTreeMap<ConnectionId, Connection>,
    last_connection: u64,
    parked: usize,
    /// The most messages there were at one time.
    most: usize,
}

/// Recalls that somebody who waits may be behind by.
const RECALLS_KEPT: usize = 64;

/// Whose pauses end.
#[derive(Clone, Debug)]
pub(crate) enum Recalled {
    /// Those of one receiver: the embedded queue knows whose they are.
    Receiver(String),
    /// All but the shortest, as RabbitMQ has one queue for all.
    Everybody,
}

/// The broker. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Broker {
    state: Arc<Mutex<BrokerState>>,
    changed: Arc<Notify>,
    recalls: broadcast::Sender<Recalled>,
    world: World,
    shards: u64,
}

impl Broker {
    pub(crate) fn new(world: World, shards: u64) -> Self {
        let recalls = broadcast::channel(RECALLS_KEPT).0;
        Self { state: Arc::default(), changed: Arc::default(), recalls, world, shards }
    }

    /// Stores a message where it belongs.
    pub(crate) fn store(&self, message: Message) {
        let Message { to, body, headers } = message;
        let stored = Stored { body, headers, returns: 0 };
        match to {
            MessageDestination::Alerts { shard_key } => self.enqueue(self.shard(shard_key), stored),
            MessageDestination::DeadLetters => self.enqueue(Queue::Dead, stored),
            MessageDestination::Interactions => self.enqueue(Queue::Interactions, stored),
            MessageDestination::Deferred { shard_key, step } => {
                let broker = self.clone();
                let queue = self.shard(shard_key);
                self.state().parked += 1;
                self.count();
                let recalls = self.recalls.subscribe();
                let receiver = stored.headers.failure.as_ref().map(|failure| failure.receiver.clone());
                World::spawn(async move {
                    tokio::select! {
                        biased;
                        () = tokio::time::sleep(step.pause()) => {}
                        () = recalled(recalls, receiver.as_deref(), step) => {}
                    }
                    broker.state().parked -= 1;
                    broker.enqueue(queue, stored);
                });
            }
        }
    }

    /// Ends pauses before their time.
    pub(crate) fn recall(&self, recalled: Recalled) {
        // Nobody listens where nothing is deferred.
        let _nothing_deferred = self.recalls.send(recalled);
    }

    /// A new connection.
    pub(crate) fn connect(&self) -> ConnectionId {
        let mut state = self.state();
        state.last_connection += 1;
        let id = ConnectionId(state.last_connection);
        state.connections.insert(id, Connection::default());
        id
    }

    /// Up to so many messages of a subscription, waiting for the first; nothing once the connection is gone.
    pub(crate) async fn take(
        &self,
        connection: ConnectionId,
        which: Subscription,
        prefetch: usize,
    ) -> Vec<Delivered> {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let taken = self.take_now(connection, which, prefetch);
            if !taken.is_empty() {
                return taken;
            }
            changed.await;
        }
    }

    fn take_now(&self, connection: ConnectionId, which: Subscription, prefetch: usize) -> Vec<Delivered> {
        let mut state = self.state();
        let BrokerState { ready, connections, .. } = &mut *state;
        let Some(connection) = connections.get_mut(&connection) else { return Vec::new() };
        let free = prefetch.saturating_sub(connection.unacknowledged.len());
        let range = match which {
            Subscription::Alerts => (Queue::Alerts(0), 0)..(Queue::Dead, 0),
            Subscription::Dead => (Queue::Dead, 0)..(Queue::Interactions, 0),
            Subscription::Interactions => (Queue::Interactions, 0)..(Queue::Interactions, u64::MAX),
        };
        let keys: Vec<_> = ready.range(range).map(|(key, _)| *key).take(free).collect();
        let mut taken = Vec::new();
        for key in keys {
            let Some(stored) = ready.remove(&key) else { continue };
            connection.last_tag += 1;
            let tag = connection.last_tag;
            taken.push(Delivered { tag, body: stored.body.clone(), headers: stored.headers.clone() });
            connection.unacknowledged.insert(tag, (key.0, key.1, stored));
        }
        taken
    }

    /// Forgets a message, if its connection still stands.
    pub(crate) fn acknowledge(&self, connection: ConnectionId, tag: u64) {
        if let Some(connection) = self.state().connections.get_mut(&connection) {
            connection.unacknowledged.remove(&tag);
        }
        self.changed.notify_waiters();
    }

    /// Takes a message back.
    pub(crate) fn give_back(&self, connection: ConnectionId, tag: u64) {
        let mut state = self.state();
        let taken = state.connections.get_mut(&connection).and_then(|it| it.unacknowledged.remove(&tag));
        if let Some((queue, place, stored)) = taken {
            state.ready.insert((queue, place), Stored { returns: stored.returns + 1, ..stored });
        }
        drop(state);
        self.changed.notify_waiters();
    }

    /// The connection is gone: what was unacknowledged goes back.
    pub(crate) fn disconnect(&self, connection: ConnectionId) {
        let mut state = self.state();
        let Some(gone) = state.connections.remove(&connection) else { return };
        let count = gone.unacknowledged.len();
        for (queue, place, stored) in gone.unacknowledged.into_values() {
            state.ready.insert((queue, place), Stored { returns: stored.returns + 1, ..stored });
        }
        drop(state);
        if count > 0 {
            self.world.say(|| format!("the broker takes back {count} messages of {connection:?}"));
        }
        self.changed.notify_waiters();
    }

    /// Whether nothing is on it.
    pub(crate) fn is_empty(&self) -> bool {
        let state = self.state();
        state.held() == 0
    }

    /// How many messages are ready, unacknowledged, and in the retry queues.
    pub(crate) fn depth(&self) -> (usize, usize, usize) {
        let state = self.state();
        let unacknowledged = state.connections.values().map(|it| it.unacknowledged.len()).sum();
        (state.ready.len(), unacknowledged, state.parked)
    }

    /// The most messages there were at one time.
    pub(crate) fn most(&self) -> usize {
        self.state().most
    }

    fn shard(&self, key: u64) -> Queue {
        Queue::Alerts(key % self.shards)
    }

    fn enqueue(&self, queue: Queue, stored: Stored) {
        let mut state = self.state();
        state.last_place += 1;
        let place = state.last_place;
        state.ready.insert((queue, place), stored);
        drop(state);
        self.count();
        self.changed.notify_waiters();
    }

    fn count(&self) {
        let mut state = self.state();
        state.most = state.most.max(state.held());
    }

    fn state(&self) -> MutexGuard<'_, BrokerState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ready when the pause of something for this receiver is ended.
async fn recalled(mut recalls: broadcast::Receiver<Recalled>, receiver: Option<&str>, step: DeferStep) {
    loop {
        match recalls.recv().await {
            Ok(Recalled::Receiver(name)) if receiver == Some(name.as_str()) => return,
            Ok(Recalled::Everybody) if step > DeferStep::Seconds5 => return,
            Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {}
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

impl BrokerState {
    fn held(&self) -> usize {
        let unacknowledged = self.connections.values().map(|it| it.unacknowledged.len()).sum::<usize>();
        self.ready.len() + self.parked + unacknowledged
    }
}
