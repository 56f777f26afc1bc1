//! Which exchanges, queues and bindings there are: a pure function of prefix and shards (design, section 6).

use std::time::Duration;

use crate::queue::{Destination, ParkStep, Subscription};

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
    Parked(u16, ParkStep),
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

    /// Where a message for `to` goes.
    pub fn route(&self, to: Destination) -> Route {
        match to {
            Destination::Alerts { shard_key } => Route::Alerts(self.shard(shard_key)),
            Destination::Parked { shard_key, step } => Route::Parked(self.shard(shard_key), step),
            Destination::Dead => Route::Dead,
            Destination::Interactions => Route::Interactions,
        }
    }

    /// The exchange and the routing key of a route. A parked message carries its shard's key through the
    /// retry queue, whose dead-lettering keeps it, and so returns to its own shard.
    pub fn address(&self, route: Route) -> (String, String) {
        match route {
            Route::Alerts(shard) => (self.prefix.clone(), shard_key(shard)),
            Route::Parked(shard, step) => (self.retry(step), shard_key(shard)),
            Route::Dead => (self.dead(), "dead".to_owned()),
            Route::Interactions => (self.prefix.clone(), "interactions".to_owned()),
        }
    }

    /// The queues a consumer takes from.
    pub fn queues(&self, which: Subscription) -> Vec<String> {
        match which {
            Subscription::Alerts => (0..self.shards).map(|shard| self.alerts(shard)).collect(),
            Subscription::Dead => vec![self.dead()],
            Subscription::Interactions => vec![self.interactions()],
        }
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
        for step in ParkStep::ALL {
            let name = self.retry(step);
            exchanges.push(Exchange { name: name.clone(), kind: Kind::Fanout, alternate: None });
            bindings.push(Binding {
                queue: name.clone(),
                exchange: name.clone(),
                routing_key: String::new(),
            });
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

    fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    fn retry(&self, step: ParkStep) -> String {
        format!("{}.retry.{}", self.prefix, step.as_str())
    }
}

fn shard_key(shard: u16) -> String {
    format!("alerts.{shard}")
}

#[cfg(test)]
mod tests;
