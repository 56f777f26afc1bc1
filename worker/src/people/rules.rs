//! Whose alert it is, and why: what the payload says, then the alert's annotations and labels, then the maps of the
//! configuration, then the receiver's fallback. Pure.

use std::collections::HashMap;
use std::fmt;

use config::{Owned, OwnersConfig, ReceiverOwners, Rotation};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::Alert;

use super::glob;
use super::patterns::Patterns;
use super::person::{Mobile, OpenId, Person, without_at};
use super::rotation::{Swap, next_on_duty, on_duty};

/// The label that names the namespace.
const NAMESPACE: &str = "namespace";
/// People one alert names; the others are one too many.
const PEOPLE_MAX: usize = 50;

/// The configuration, ready for many alerts.
#[derive(Clone, Debug)]
pub struct OwnerRules {
    labels: Vec<String>,
    service_labels: Vec<String>,
    services: Map,
    by_label: Vec<(String, Map)>,
    namespaces: Map,
    always: Vec<String>,
    timezone: TimeZone,
}

/// People by what they own.
#[derive(Clone, Debug)]
struct Map {
    exact: HashMap<String, Vec<String>>,
    by_pattern: Owned,
    patterns: Patterns,
}

/// The rules at a moment, at which it is somebody's turn.
#[derive(Debug)]
pub struct Duty<'r> {
    rules: &'r OwnerRules,
    rotations: &'r [Rotation],
    swaps: &'r [Swap],
    now: Timestamp,
    present: HashMap<&'r str, &'r str>,
}

/// Why somebody is an alert's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why<'w> {
    /// The payload names them.
    Payload,
    /// An annotation or a label does.
    Label(&'w str),
    /// The map of services has this name or pattern.
    Service(&'w str),
    /// The map of a label has this value or pattern.
    ByLabel(&'w str, &'w str),
    /// The map of namespaces has this name or pattern.
    Namespace(&'w str),
    /// Nothing says anything, and the receiver has a fallback.
    Fallback,
    /// Nothing says anything.
    Nobody,
}

impl OwnerRules {
    /// Reads the configuration; `timezone` is for rotations without one.
    pub fn new(config: &OwnersConfig, timezone: TimeZone) -> Self {
        Self {
            labels: config.labels.clone(),
            service_labels: config.service_labels.clone(),
            services: Map::new(&config.services),
            by_label: config.by_label.iter().map(|(label, map)| (label.clone(), Map::new(map))).collect(),
            namespaces: Map::new(&config.namespaces),
            always: config.always_mention.clone(),
            timezone,
        }
    }

    /// The rules as they are at `now`, by these rotations, in which people have swapped their turns.
    pub fn at<'r>(&'r self, now: Timestamp, rotations: &'r [Rotation], swaps: &'r [Swap]) -> Duty<'r> {
        let turn = |rotation: &'r Rotation| on_duty(rotation, swaps, &self.timezone, now);
        let turns = rotations.iter().filter_map(|rotation| Some((rotation.name.as_str(), turn(rotation)?)));
        Duty { rules: self, rotations, swaps, now, present: turns.collect() }
    }
}

impl<'r> Duty<'r> {
    /// The owners of an alert, in the order in which they are named, and why it is them.
    pub fn owners_of<'a>(&self, alert: &'a Alert<'_>, receiver: &ReceiverOwners) -> (Why<'a>, Vec<Person>)
    where
        'r: 'a,
    {
        let said = |found: Option<(Why<'a>, Vec<Person>)>| found.filter(|(_, people)| !people.is_empty());
        let found = said(Some((Why::Payload, self.payload(alert))))
            .or_else(|| self.labelled(alert))
            .or_else(|| said(self.service(alert)))
            .or_else(|| said(self.by_label(alert)))
            .or_else(|| said(self.namespace(alert)));
        let (why, mut people) = found.unwrap_or_else(|| match self.people(&receiver.fallback) {
            people if people.is_empty() => (Why::Nobody, people),
            people => (Why::Fallback, people),
        });
        people.truncate(PEOPLE_MAX);
        (why, people)
    }

    /// Whoever an operator means by this: somebody, or whose turn it is in the rotation of that name.
    pub fn meant(&self, text: &str) -> Vec<Person> {
        self.list(text)
    }

    /// Whose turn it is in a rotation.
    pub fn on_call(&self, rotation: &str) -> Option<&'r str> {
        self.present.get(rotation).copied()
    }

    /// Whose turn is next in a rotation.
    pub fn next_on_call(&self, rotation: &str) -> Option<&'r str> {
        let rotation = self.rotations.iter().find(|known| known.name == rotation)?;
        Some(next_on_duty(rotation, self.swaps, &self.rules.timezone, self.now)?.person)
    }

    /// Those who are named on every card.
    pub fn always(&self) -> Vec<Person> {
        self.people(&self.rules.always)
    }

    fn payload(&self, alert: &Alert<'_>) -> Vec<Person> {
        let mention = &alert.mention;
        let ids = mention.open_ids.iter().filter_map(|id| OpenId::parse(id).map(Person::OpenId));
        let mobiles = mention.mobiles.iter().filter_map(|mobile| Mobile::parse(mobile).map(Person::Mobile));
        let names = mention.usernames.iter().flat_map(|names| self.list(names));
        ids.chain(names).chain(mobiles).collect()
    }

    fn labelled<'a>(&self, alert: &'a Alert<'_>) -> Option<(Why<'a>, Vec<Person>)>
    where
        'r: 'a,
    {
        self.rules.labels.iter().find_map(|name| {
            // A template that found nothing leaves an empty annotation, which says nothing.
            let values = [&alert.annotations, &alert.labels].into_iter().filter_map(|set| set.get(name));
            let people = values.map(|value| self.list(value)).find(|people| !people.is_empty())?;
            Some((Why::Label(name.as_str()), people))
        })
    }

    fn service<'a>(&self, alert: &'a Alert<'_>) -> Option<(Why<'a>, Vec<Person>)>
    where
        'r: 'a,
    {
        // What an exporter puts into `service` is not in the map, and hides no `app` that is.
        let mut names = self.rules.service_labels.iter().filter_map(|label| alert.labels.get(label));
        let (pattern, people) = names.find_map(|name| self.rules.services.of(name))?;
        Some((Why::Service(pattern), self.people(people)))
    }

    fn by_label<'a>(&self, alert: &'a Alert<'_>) -> Option<(Why<'a>, Vec<Person>)>
    where
        'r: 'a,
    {
        self.rules.by_label.iter().find_map(|(label, map)| {
            let (pattern, people) = map.of(alert.labels.get(label)?)?;
            Some((Why::ByLabel(label.as_str(), pattern), self.people(people)))
        })
    }

    fn namespace<'a>(&self, alert: &'a Alert<'_>) -> Option<(Why<'a>, Vec<Person>)>
    where
        'r: 'a,
    {
        let (pattern, people) = self.rules.namespaces.of(alert.labels.get(NAMESPACE)?)?;
        Some((Why::Namespace(pattern), self.people(people)))
    }

    fn people(&self, texts: &[String]) -> Vec<Person> {
        texts.iter().flat_map(|text| self.list(text)).collect()
    }

    /// Everybody in a list, with whoever's turn it is in the place of a rotation.
    fn list(&self, text: &str) -> Vec<Person> {
        let one = |text: &str| {
            let turn = self.present.get(without_at(text)).copied();
            Person::parse(turn.unwrap_or(text))
        };
        Person::split(text).filter_map(one).collect()
    }
}

impl Map {
    fn new(owned: &Owned) -> Self {
        let (by_pattern, exact): (Owned, Owned) =
            owned.iter().cloned().partition(|(name, _)| glob::is_pattern(name));
        let patterns = Patterns::new(by_pattern.iter().map(|(pattern, _)| pattern.clone()).collect());
        Self { exact: exact.into_iter().collect(), by_pattern, patterns }
    }

    /// The owners of a thing: by its name, or by the first pattern that fits.
    fn of(&self, name: &str) -> Option<(&str, &[String])> {
        if let Some((known, people)) = self.exact.get_key_value(name) {
            return Some((known, people));
        }
        let (pattern, people) = self.by_pattern.get(self.patterns.first(name)?)?;
        Some((pattern, people))
    }
}

impl fmt::Display for Why<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Payload => formatter.write_str("the payload names them"),
            Self::Label(name) => write!(formatter, "its {name} names them"),
            Self::Service(pattern) => write!(formatter, "owners.services has {pattern:?}"),
            Self::ByLabel(label, pattern) => write!(formatter, "owners.by_label.{label} has {pattern:?}"),
            Self::Namespace(pattern) => write!(formatter, "owners.namespaces has {pattern:?}"),
            Self::Fallback => formatter.write_str("nobody owns it, and the receiver has a fallback"),
            Self::Nobody => formatter.write_str("nobody owns it"),
        }
    }
}

#[cfg(test)]
mod tests;
