//! What each route said about an alert, for people: which took it, and why the others did not. Pure.

use std::fmt;

use model::alert::Labels;
use model::matcher::Matcher;

use super::asked::Answers;
use super::{Route, Router};

/// What one route said. Routes below one that did not match are not asked, and not listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteStep {
    /// It took the alert.
    Took {
        /// The route's number.
        number: String,
        /// Its matchers; empty if it has none.
        because: String,
        /// Who is told.
        receivers: Vec<String>,
    },
    /// It matched, and one below it took the alert over.
    TakenOver {
        /// The route's number.
        number: String,
    },
    /// It did not match.
    Failed {
        /// The route's number.
        number: String,
        /// The first of its matchers that does not hold.
        matcher: String,
        /// The label it is about.
        label: String,
        /// What the alert has there; empty if it has nothing.
        value: String,
    },
    /// One before it took the alert and does not say `continue`.
    NotAsked {
        /// The route's number.
        number: String,
        /// The one before it.
        since: String,
    },
    /// None took it.
    Untaken {
        /// The default receiver, if there is one.
        receivers: Vec<String>,
    },
}

impl Router {
    /// What the routes say about an alert with these labels, in the order they are asked.
    pub fn story(&self, labels: &Labels<'_>) -> Vec<RouteStep> {
        let mut steps = Vec::new();
        if !self.tell(&self.routes.routes, labels, &mut steps) {
            steps.push(RouteStep::Untaken { receivers: self.names_of(&self.default) });
        }
        steps
    }

    /// Who is told of an alert with these labels, whose sender names nobody.
    pub fn receivers_of(&self, labels: &Labels<'_>) -> Vec<&str> {
        let mut places = Vec::new();
        let mut answers = Answers::to(&self.questions);
        answers.are_of(labels);
        self.find(&mut answers, &mut places);
        places.into_iter().flatten().filter_map(|place| self.names.get(place)).map(String::as_str).collect()
    }

    /// Whether one of these routes took it.
    fn tell(&self, routes: &[Route], labels: &Labels<'_>, steps: &mut Vec<RouteStep>) -> bool {
        let mut taken: bool = false;
        let mut taken_by: Option<&Route> = None;
        for route in routes {
            let number = route.number.clone();
            if let Some(since) = taken_by {
                steps.push(RouteStep::NotAsked { number, since: since.number.clone() });
            } else if let Some(failed) = route.matchers.iter().find(|matcher| !matcher.matches(labels)) {
                steps.push(RouteStep::failed(number, failed, labels));
            } else {
                self.tell_of(route, labels, steps);
                taken = true;
                taken_by = (!route.continues).then_some(route);
            }
        }
        taken
    }

    fn names_of(&self, places: &[usize]) -> Vec<String> {
        places.iter().filter_map(|place| self.names.get(*place).cloned()).collect()
    }

    /// Tells of a route that matched.
    fn tell_of(&self, route: &Route, labels: &Labels<'_>, steps: &mut Vec<RouteStep>) {
        let before = steps.len();
        let number = route.number.clone();
        let step = if self.tell(&route.routes.routes, labels, steps) {
            RouteStep::TakenOver { number }
        } else {
            let because: Vec<_> = route.matchers.iter().map(ToString::to_string).collect();
            let places = if route.receivers.is_empty() { &self.default } else { &route.receivers };
            let receivers = self.names_of(places);
            RouteStep::Took { number, because: because.join(", "), receivers }
        };
        steps.insert(before, step);
    }
}

impl RouteStep {
    fn failed(number: String, matcher: &Matcher, labels: &Labels<'_>) -> Self {
        let label = matcher.name().to_owned();
        let value = labels.get(&label).unwrap_or_default().to_owned();
        Self::Failed { number, matcher: matcher.to_string(), label, value }
    }
}

impl fmt::Display for RouteStep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let listed = |receivers: &[String]| match receivers {
            [] => "nobody, as there is no default receiver: dead letter".to_owned(),
            receivers => receivers.join(", "),
        };
        match self {
            Self::Took { number, because, receivers } => {
                let because = if because.is_empty() { "takes everything" } else { because.as_str() };
                write!(formatter, "route {number} took it ({because}): it goes to {}", listed(receivers))
            }
            Self::TakenOver { number } => {
                write!(formatter, "route {number} matched, and one below it took it over")
            }
            Self::Failed { number, matcher, label, value } if value.is_empty() => {
                write!(formatter, "route {number} did not: {matcher}, and there is no label {label}")
            }
            Self::Failed { number, matcher, label, value } => {
                write!(formatter, "route {number} did not: {matcher}, and {label} is {value:?}")
            }
            Self::NotAsked { number, since } => {
                write!(formatter, "route {number} was not asked: {since} does not say `continue`")
            }
            Self::Untaken { receivers } => {
                write!(formatter, "no route took it: it goes to {}", listed(receivers))
            }
        }
    }
}
