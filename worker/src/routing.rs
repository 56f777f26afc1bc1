//! Which receivers an alert is for. Pure.
//!
//! A receiver the sender names is taken at its word. Anything else goes by the routes, alert by alert, as in
//! Alertmanager; and what no route takes goes to the default receiver.

mod chats;
mod story;
#[cfg(test)]
mod tests;

use shared::alert::Labels;
use shared::config::{DEFAULT_RECEIVER, RouteConfig, is_chat_id};
use shared::envelope::Envelope;
use shared::matcher::Matcher;
use thiserror::Error;

pub(crate) use chats::{Chats, Named};
pub use story::Step;

/// The routes, made ready for the receivers of this process.
#[derive(Clone, Debug)]
pub struct Router {
    names: Vec<String>,
    default: Option<usize>,
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    number: String,
    matchers: Vec<Matcher>,
    /// Empty: the default.
    receivers: Vec<usize>,
    continues: bool,
    routes: Vec<Self>,
}

/// A route leads to a receiver this process does not have.
#[derive(Debug, Error)]
#[error(
    "route {number} leads to {receiver}, a receiver that was not there when this process started: restart it"
)]
pub struct UnknownReceiver {
    number: String,
    receiver: String,
}

/// How an envelope is parted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parting {
    /// All of it goes to one receiver, by its place among the names, or is meant for none.
    Whole(Option<usize>),
    /// Some of its alerts go elsewhere than others, or to several receivers.
    Parts(Vec<Part>),
}

/// The alerts of an envelope that go to one receiver, or to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The receiver's place among the names.
    pub receiver: Option<usize>,
    /// The places of the alerts in the envelope, in their order.
    pub alerts: Vec<usize>,
}

impl Router {
    /// The routes to receivers of these names.
    pub fn new(routes: &[RouteConfig], names: Vec<String>) -> Result<Self, UnknownReceiver> {
        let routes = routes.iter().map(|config| Route::of(config, &names)).collect::<Result<_, _>>()?;
        let default = place_of(DEFAULT_RECEIVER, &names).or_else(|| only_one(&names));
        Ok(Self { names, default, routes })
    }

    /// The receivers' names, in the order of their places.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there are any routes.
    pub const fn has_routes(&self) -> bool {
        !self.routes.is_empty()
    }

    /// The receiver of this name.
    pub fn named(&self, name: &str) -> Option<usize> {
        place_of(name, &self.names)
    }

    /// Who is told of what no route takes: the receiver called `default`, else the only one there is; `None` if nothing
    /// says which of several it should be.
    pub const fn default_receiver(&self) -> Option<usize> {
        self.default
    }

    /// Who is told of which of the envelope's alerts.
    pub fn part(&self, envelope: &Envelope<'_>) -> Parting {
        let named = self.named(&envelope.receiver);
        if named.is_some() || self.routes.is_empty() {
            return Parting::Whole(named.or(self.default));
        }
        let (mut parts, mut receivers) = (Vec::<Part>::new(), Vec::new());
        for (index, alert) in envelope.alerts.iter().enumerate() {
            receivers.clear();
            self.find(&alert.labels, &mut receivers);
            for receiver in &receivers {
                match parts.iter_mut().find(|part| part.receiver == *receiver) {
                    Some(part) => part.alerts.push(index),
                    None => parts.push(Part { receiver: *receiver, alerts: vec![index] }),
                }
            }
        }
        match parts.as_slice() {
            [all] if all.alerts.len() == envelope.alerts.len() => Parting::Whole(all.receiver),
            _ => Parting::Parts(parts),
        }
    }

    /// Writes the receiver into what a route chose it for: parked, dead or replayed, it comes back to that one only.
    /// Where there are no routes it stays with whom the sender named.
    pub fn address<'e>(&'e self, envelope: &mut Envelope<'e>, receiver: usize) {
        if let Some(name) = self.names.get(receiver).filter(|_| self.has_routes()) {
            envelope.receiver = name.as_str().into();
        }
    }

    /// Adds the receivers of an alert, each once, at least one or `None`.
    fn find(&self, labels: &Labels<'_>, receivers: &mut Vec<Option<usize>>) {
        for route in &self.routes {
            if route.find(labels, self.default, receivers) && !route.continues {
                break;
            }
        }
        if receivers.is_empty() {
            receivers.push(self.default);
        }
    }
}

impl Route {
    fn of(config: &RouteConfig, names: &[String]) -> Result<Self, UnknownReceiver> {
        let known = |name: &String| {
            place_of(name, names)
                .ok_or_else(|| UnknownReceiver { number: config.number.clone(), receiver: name.clone() })
        };
        Ok(Self {
            number: config.number.clone(),
            matchers: config.matchers.clone(),
            receivers: config.receivers.iter().map(known).collect::<Result<_, _>>()?,
            continues: config.continues,
            routes: config.routes.iter().map(|below| Self::of(below, names)).collect::<Result<_, _>>()?,
        })
    }

    /// Adds the receivers this route, or those below it, has for the alert. `false`: it does not take it.
    fn find(&self, labels: &Labels<'_>, default: Option<usize>, receivers: &mut Vec<Option<usize>>) -> bool {
        if !self.matchers.iter().all(|matcher| matcher.matches(labels)) {
            return false;
        }
        let mut taken_below = false;
        for route in &self.routes {
            if route.find(labels, default, receivers) {
                taken_below = true;
                if !route.continues {
                    break;
                }
            }
        }
        if !taken_below {
            let own = self.receivers.iter().copied().map(Some);
            let own = own.chain(self.receivers.is_empty().then_some(default));
            for receiver in own {
                if !receivers.contains(&receiver) {
                    receivers.push(receiver);
                }
            }
        }
        true
    }
}

/// Chats that payloads may name are receivers of their own, called by their ids: nothing goes there unasked, unless
/// there is nothing else.
fn only_one(names: &[String]) -> Option<usize> {
    let mut own = (0..names.len()).filter(|place| !is_chat_id(&names[*place]));
    match (own.next(), own.next()) {
        (Some(place), None) => Some(place),
        (Some(_), Some(_)) => None,
        (None, _) => (names.len() == 1).then_some(0),
    }
}

fn place_of(name: &str, names: &[String]) -> Option<usize> {
    names.iter().position(|known| known == name)
}
