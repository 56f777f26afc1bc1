//! Which receivers an alert is for. Pure.
//!
//! A receiver the sender names is taken at its word. Anything else goes by the routes, alert by alert, as in
//! Alertmanager; and what no route takes goes to the default receiver.

mod asked;
mod chats;
mod escalation;
mod explanation;
mod index;
#[cfg(test)]
mod tests;

use config::{BOT_MARK, DEFAULT_RECEIVER, RouteConfig, is_chat_id};
use model::envelope::Envelope;
use model::matcher::Matcher;
use thiserror::Error;

use asked::{Answers, Gathering, MatcherQuestion, Questions};
pub(crate) use chats::{Chats, Named};
pub use explanation::RouteStep;
use index::RouteIndex;

/// The routes, made ready for the receivers of this process.
#[derive(Clone, Debug)]
pub struct Router {
    names: Vec<String>,
    /// Several if it is one of several bots that are sent every card; empty: nobody.
    default: Vec<usize>,
    routes: RouteLevel,
    questions: Questions,
}

/// Routes beside each other, the first asked first.
#[derive(Clone, Debug)]
struct RouteLevel {
    routes: Vec<Route>,
    index: Option<RouteIndex>,
}

#[derive(Clone, Debug)]
struct Route {
    number: String,
    matchers: Vec<Matcher>,
    /// The same, as they are asked.
    questions: Vec<MatcherQuestion>,
    /// Empty: the default.
    receivers: Vec<usize>,
    /// What calls somebody when nobody takes on what it took.
    escalation: Option<String>,
    continues: bool,
    routes: RouteLevel,
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
    Parts(Vec<RoutedPart>),
}

/// The alerts of an envelope that go to one receiver, or to none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoutedPart {
    /// The receiver's place among the names.
    pub receiver: Option<usize>,
    /// The places of the alerts in the envelope, in their order.
    pub alerts: Vec<usize>,
}

impl Router {
    /// The routes to receivers of these names.
    pub fn new(routes: &[RouteConfig], names: Vec<String>) -> Result<Self, UnknownReceiver> {
        let mut gathering = Gathering::default();
        let routes = RouteLevel::of(routes, &names, &mut gathering)?;
        let questions = gathering.finish();
        let default = places_of(DEFAULT_RECEIVER, &names);
        let default = if default.is_empty() { only_one(&names) } else { default };
        Ok(Self { names, default, routes, questions })
    }

    /// The receivers' names, in the order of their places.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether there are any routes.
    pub const fn has_routes(&self) -> bool {
        !self.routes.routes.is_empty()
    }

    /// The receiver of this name: several if its bots are sent every card, none if there is none.
    pub fn named(&self, name: &str) -> Vec<usize> {
        places_of(name, &self.names)
    }

    /// Who is told of which of the envelope's alerts.
    pub fn part(&self, envelope: &Envelope<'_>) -> Parting {
        let named = place_of(&envelope.receiver, &self.names);
        if named.is_some() {
            return Parting::Whole(named);
        }
        let copies = copies_of(&envelope.receiver, &self.names);
        if !copies.is_empty() {
            return copied(&copies, envelope);
        }
        if !self.has_routes() {
            return copied(&self.default, envelope);
        }
        let mut parts = Vec::<RoutedPart>::new();
        let mut receivers = Vec::new();
        let mut answers = Answers::to(&self.questions);
        for (index, alert) in envelope.alerts.iter().enumerate() {
            receivers.clear();
            answers.are_of(&alert.labels);
            self.find(&mut answers, &mut receivers);
            for receiver in &receivers {
                match parts.iter_mut().find(|part| part.receiver == *receiver) {
                    Some(part) => part.alerts.push(index),
                    None => parts.push(RoutedPart { receiver: *receiver, alerts: vec![index] }),
                }
            }
        }
        match parts.as_slice() {
            [all] if all.alerts.len() == envelope.alerts.len() => Parting::Whole(all.receiver),
            _ => Parting::Parts(parts),
        }
    }

    /// Writes the receiver into what a route chose it for: deferred, dead-lettered or replayed, it comes back to that one only.
    /// Where nothing was chosen it stays with whom the sender named.
    pub fn address<'e>(&'e self, envelope: &mut Envelope<'e>, receiver: usize) {
        let was_chosen = |name: &&String| self.has_routes() || name.contains(BOT_MARK);
        if let Some(name) = self.names.get(receiver).filter(was_chosen) {
            envelope.receiver = name.as_str().into();
        }
    }

    /// Adds the receivers of an alert, each once, at least one or `None`.
    fn find(&self, answers: &mut Answers<'_, '_>, receivers: &mut Vec<Option<usize>>) {
        self.routes.find(answers, &self.default, receivers);
        if receivers.is_empty() {
            add(receivers, &self.default);
        }
    }
}

impl RouteLevel {
    fn of(
        routes: &[RouteConfig],
        names: &[String],
        gathering: &mut Gathering,
    ) -> Result<Self, UnknownReceiver> {
        let routes = routes.iter().map(|config| Route::of(config, names, gathering));
        let routes = routes.collect::<Result<Vec<_>, _>>()?;
        let index = RouteIndex::of(routes.iter().map(|route| route.questions.as_slice()));
        Ok(Self { routes, index })
    }

    /// Adds the receivers of the first that takes the alert, and of those after it that are asked all the same. `false`: none
    /// takes it.
    fn find(
        &self,
        answers: &mut Answers<'_, '_>,
        default: &[usize],
        receivers: &mut Vec<Option<usize>>,
    ) -> bool {
        match &self.index {
            None => ask(self.routes.iter(), answers, default, receivers),
            Some(index) => {
                let candidates = index.candidates(answers).into_iter();
                ask(candidates.filter_map(|place| self.routes.get(place)), answers, default, receivers)
            }
        }
    }
}

fn ask<'r>(
    routes: impl Iterator<Item = &'r Route>,
    answers: &mut Answers<'_, '_>,
    default: &[usize],
    receivers: &mut Vec<Option<usize>>,
) -> bool {
    let mut is_taken = false;
    for route in routes {
        if route.find(answers, default, receivers) {
            is_taken = true;
            if !route.continues {
                break;
            }
        }
    }
    is_taken
}

impl Route {
    fn of(
        config: &RouteConfig,
        names: &[String],
        gathering: &mut Gathering,
    ) -> Result<Self, UnknownReceiver> {
        let mut receivers = Vec::new();
        for name in &config.receivers {
            let places = places_of(name, names);
            if places.is_empty() {
                return Err(UnknownReceiver { number: config.number.clone(), receiver: name.clone() });
            }
            receivers.extend(places);
        }
        Ok(Self {
            number: config.number.clone(),
            matchers: config.matchers.clone(),
            questions: config.matchers.iter().map(|matcher| gathering.question(matcher)).collect(),
            receivers,
            escalation: config.escalation.clone(),
            continues: config.continues,
            routes: RouteLevel::of(&config.routes, names, gathering)?,
        })
    }

    /// Adds the receivers this route, or those below it, has for the alert. `false`: it does not take it.
    fn find(
        &self,
        answers: &mut Answers<'_, '_>,
        default: &[usize],
        receivers: &mut Vec<Option<usize>>,
    ) -> bool {
        if !self.questions.iter().all(|question| answers.hold(question)) {
            return false;
        }
        if !self.routes.find(answers, default, receivers) {
            add(receivers, if self.receivers.is_empty() { default } else { &self.receivers });
        }
        true
    }
}

/// Adds those that are not there yet; nobody, if there are none to add.
fn add(receivers: &mut Vec<Option<usize>>, more: &[usize]) {
    let nobody = more.is_empty().then_some(None);
    for receiver in more.iter().copied().map(Some).chain(nobody) {
        if !receivers.contains(&receiver) {
            receivers.push(receiver);
        }
    }
}

/// All of an envelope to each of these.
fn copied(receivers: &[usize], envelope: &Envelope<'_>) -> Parting {
    let part = |receiver: &usize| RoutedPart {
        receiver: Some(*receiver),
        alerts: (0..envelope.alerts.len()).collect(),
    };
    match receivers {
        [] => Parting::Whole(None),
        [only] => Parting::Whole(Some(*only)),
        several => Parting::Parts(several.iter().map(part).collect()),
    }
}

/// Chats that payloads may name are receivers of their own, called by their ids: nothing goes there unasked, unless
/// there is nothing else.
fn only_one(names: &[String]) -> Vec<usize> {
    let own = |name: &&String| !is_chat_id(name);
    let only = names.iter().find(own).or_else(|| names.first().filter(|_| names.len() == 1));
    let Some(only) = only.map(|name| name.split(BOT_MARK).next().unwrap_or(name)) else { return Vec::new() };
    let places = places_of(only, names);
    if names.iter().filter(own).count() > places.len() { Vec::new() } else { places }
}

fn places_of(name: &str, names: &[String]) -> Vec<usize> {
    place_of(name, names).map_or_else(|| copies_of(name, names), |place| vec![place])
}

/// The bots of a receiver that are each sent every card.
fn copies_of(name: &str, names: &[String]) -> Vec<usize> {
    let is_copy = |known: &str| known.strip_prefix(name).is_some_and(|rest| rest.starts_with(BOT_MARK));
    (0..names.len()).filter(|place| is_copy(&names[*place])).collect()
}

/// The place of a name. A number behind one that has none here is from when its bots did not share its cards: they do
/// now, and what was meant for one of them is the receiver's.
fn place_of(name: &str, names: &[String]) -> Option<usize> {
    let place = |name: &str| names.iter().position(|known| known == name);
    place(name).or_else(|| {
        let (receiver, number) = name.rsplit_once(BOT_MARK)?;
        number.parse::<usize>().ok().and_then(|_| place(receiver))
    })
}
