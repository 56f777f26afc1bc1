//! Which exchanges, queues and bindings there are: a pure function of prefix and shards
//! (docs/ARCHITECTURE.md, "On the queue").

use std::time::Duration;

use crate::{DeferStep, MessageDestination, Subscription};
use config::SHARDS_MAX;

/// Everything that has to exist before anything is published or consumed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topology {
    /// In the order they are declared: an exchange may name an earlier one as its alternate.
    pub exchanges: Vec<Exchange>,
    /// The queues, all of them durable quorum queues.
    pub queues: Vec<Queue>,
    /// What leads from the exchanges to the queues.
    pub bindings: Vec<Binding>,
}

/// A durable exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name.
    pub name: String,
    /// How it routes.
    pub kind: Kind,
    /// Where it sends what no binding takes.
    pub alternate: Option<String>,
}

/// How an exchange routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// By the routing key.
    Direct,
    /// To every queue bound; the routing key is kept.
    Fanout,
}

/// A durable quorum queue that refuses rather than drops when a policy's limit is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Queue {
    /// Its name.
    pub name: String,
    /// The exchange that gets what is rejected, expired, or delivered more often than a policy allows.
    pub dead_letters_to: Option<String>,
    /// How long a message stays.
    pub ttl: Option<Duration>,
}

/// A way from an exchange to a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The queue it ends at.
    pub queue: String,
    /// The exchange it begins at.
    pub exchange: String,
    /// The routing key it takes; a fanout exchange does not look at it.
    pub routing_key: String,
}

/// The names of it all, and where a message goes.
#[derive(Clone, Debug)]
pub struct Names {
    prefix: String,
    shards: u16,
}

/// A destination with its shard decided. Messages with the same route may travel in one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// To the queue of a shard.
    Alerts(u16),
    /// To the queue of a shard, after a pause.
    Parked(u16, DeferStep),
    /// To the dead letters.
    Dead,
    /// To the interactions.
    Interactions,
}

impl Names {
    /// `shards` of zero counts as one.
    pub fn new(prefix: impl Into<String>, shards: u16) -> Self {
        Self { prefix: prefix.into(), shards: shards.max(1) }
    }

    /// How many shards there are.
    pub const fn shards(&self) -> u16 {
        self.shards
    }

    /// Where a message for `to` goes.
    pub fn route(&self, to: MessageDestination) -> Route {
        match to {
            MessageDestination::Alerts { shard_key } => Route::Alerts(self.shard(shard_key)),
            MessageDestination::Deferred { shard_key, step } => Route::Parked(self.shard(shard_key), step),
            MessageDestination::DeadLetters => Route::Dead,
            MessageDestination::Interactions => Route::Interactions,
        }
    }

    /// The exchange and the routing key of a route. A parked message carries its shard's key through the
    /// retry queue, whose dead-lettering keeps it, and so returns to its own shard.
    pub fn address(&self, route: Route) -> (String, String) {
        match route {
            Route::Alerts(shard) => (self.prefix.clone(), shard_key(shard)),
            Route::Parked(shard, step) => (self.parking(step), shard_key(shard)),
            Route::Dead => (self.dead(), "dead".to_owned()),
            Route::Interactions => (self.prefix.clone(), "interactions".to_owned()),
        }
    }

    /// The queues a consumer takes from.
    pub fn queues(&self, which: Subscription) -> Vec<String> {
        self.sources(which).into_iter().map(|(_, queue)| queue).collect()
    }

    /// The places a consumer takes from, each with the queue it leads to.
    pub fn sources(&self, which: Subscription) -> Vec<(Route, String)> {
        match which {
            Subscription::Alerts => {
                (0..self.shards).map(|shard| (Route::Alerts(shard), self.alerts(shard))).collect()
            }
            Subscription::Dead => vec![(Route::Dead, self.dead())],
            Subscription::Interactions => vec![(Route::Interactions, self.interactions())],
        }
    }

    /// The queues of shards there were while `shards` was larger, in their order: up to the first that is missing.
    pub fn left_over(&self) -> impl Iterator<Item = (Route, String)> {
        (self.shards..SHARDS_MAX).map(|shard| (Route::Alerts(shard), self.alerts(shard)))
    }

    /// What has to exist.
    pub fn topology(&self) -> Topology {
        let main = &self.prefix;
        let mut exchanges = vec![
            Exchange { name: self.dead(), kind: Kind::Fanout, alternate: None },
            // With an alternate nothing is unroutable, so no confirm has to be read together with a `return`,
            // which lapin attaches to the wrong message when publishes are pipelined.
            Exchange { name: main.clone(), kind: Kind::Direct, alternate: Some(self.dead()) },
        ];
        let mut queues = vec![
            Queue { name: self.dead(), dead_letters_to: None, ttl: None },
            Queue { name: self.interactions(), dead_letters_to: None, ttl: None },
        ];
        let mut bindings = vec![
            Binding { queue: self.dead(), exchange: self.dead(), routing_key: "dead".to_owned() },
            Binding {
                queue: self.interactions(),
                exchange: main.clone(),
                routing_key: "interactions".to_owned(),
            },
        ];
        for shard in 0..self.shards {
            let name = self.alerts(shard);
            bindings.push(Binding {
                queue: name.clone(),
                exchange: main.clone(),
                routing_key: shard_key(shard),
            });
            queues.push(Queue { name, dead_letters_to: Some(self.dead()), ttl: None });
        }
        for step in DeferStep::ALL {
            let name = self.retry(step);
            let exchange = self.parking(step);
            // Hardly anybody reads from a retry queue (`recall`), so nobody hears that it is gone: deleted by hand, or by a policy that has
            // queues expire. What is published to an exchange without a queue is confirmed, and lost.
            let alternate = Some(self.dead());
            exchanges.push(Exchange { name: exchange.clone(), kind: Kind::Fanout, alternate });
            bindings.push(Binding { queue: name.clone(), exchange, routing_key: String::new() });
            queues.push(Queue { name, dead_letters_to: Some(main.clone()), ttl: Some(step.pause()) });
        }
        Topology { exchanges, queues, bindings }
    }

    fn shard(&self, key: u64) -> u16 {
        u16::try_from(key % u64::from(self.shards)).unwrap_or_default()
    }

    fn alerts(&self, shard: u16) -> String {
        format!("{}.{}", self.prefix, shard_key(shard))
    }

    fn interactions(&self) -> String {
        format!("{}.interactions", self.prefix)
    }

    /// A queue of a check's own, which the policies of the others match.
    pub(super) fn of_check(&self, number: u32) -> String {
        format!("{}.check-{number:08x}", self.dead())
    }

    fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    /// The exchange before a retry queue. Its name is not the queue's: exchanges of those names exist, made by versions
    /// before this one, and what they do with what they cannot route cannot be changed.
    fn parking(&self, step: DeferStep) -> String {
        format!("{}.parking.{}", self.prefix, step.as_str())
    }

    /// The exchange of all shards.
    pub(super) fn exchange(&self) -> &str {
        &self.prefix
    }

    pub(super) fn retry(&self, step: DeferStep) -> String {
        format!("{}.retry.{}", self.prefix, step.as_str())
    }
}

fn shard_key(shard: u16) -> String {
    format!("alerts.{shard}")
}

#[cfg(test)]
mod tests;
