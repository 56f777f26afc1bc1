//! People who are to be called by name: whom a step of an escalation means, and what Feishu knows them by.

use std::collections::HashMap;

use config::{Callee, ReceiverOwners};
use jiff::Timestamp;

use super::{CardSender, OwnerResolver};
use crate::people::mentions::{Identity, MentionPolicy, Mentions, PersonLookup, WantedOwner};
use crate::people::person::{OpenId, Person};
use crate::people::rules::Duty;
use crate::render::Item;

/// People of one step: as many as one urgent push calls.
const PEOPLE_MAX: usize = 200;
/// How often somebody who could not be looked up in time is looked for again: a call can wait longer than a card.
const LOOK_UPS_MAX: usize = 8;

/// Whom a step calls.
#[derive(Debug, Default)]
pub(crate) struct CalledPeople {
    /// How they stand on a card.
    pub(crate) mentions: Mentions,
    /// What Feishu knows them by, each once.
    pub(crate) open_ids: Vec<OpenId>,
    /// What they are called where that is written down: a name, or else an open id.
    pub(crate) names: Vec<String>,
    /// How many of them Feishu does not know.
    pub(crate) unknown: usize,
    /// Whether the database or Feishu did not say in time who somebody is.
    pub(crate) is_late: bool,
}

impl OwnerResolver {
    /// Whom these callees are for alerts of a receiver.
    pub(crate) async fn called(
        &self,
        who: &[Callee],
        items: &[Item<'_>],
        receiver: &ReceiverOwners,
        sender: CardSender,
        now: Timestamp,
    ) -> CalledPeople {
        let swaps = self.oncall.swaps();
        let rotations = self.oncall.rotations();
        let people = meant(who, items, receiver, &self.rules.at(now, &rotations, &swaps));
        if people.is_empty() {
            return CalledPeople::default();
        }
        let mut found = self.directory.find(&people).await;
        for _ in 0..LOOK_UPS_MAX {
            if !found.values().any(|lookup| *lookup == PersonLookup::Late) {
                break;
            }
            found = self.directory.find(&people).await;
        }
        let user_ids = self.mention_user_ids || sender == CardSender::AppBot;
        let policy = MentionPolicy { all: receiver.allow_mention_all, user_ids, people_max: self.people_max };
        summed_up(&people, &found, policy)
    }
}

/// The people, each once, in the order they are called in.
fn meant(who: &[Callee], items: &[Item<'_>], receiver: &ReceiverOwners, duty: &Duty<'_>) -> Vec<Person> {
    let mut people: Vec<Person> = Vec::new();
    let turn = |person: Option<&str>| person.and_then(Person::parse).into_iter().collect();
    for callee in who {
        let more: Vec<Person> = match callee {
            Callee::Owners => items.iter().flat_map(|item| duty.owners_of(item.alert, receiver).1).collect(),
            Callee::Person(text) => duty.meant(text),
            Callee::OnCall(rotation) => turn(duty.on_call(rotation)),
            Callee::NextOnCall(rotation) => turn(duty.next_on_call(rotation)),
        };
        for person in more {
            if people.len() < PEOPLE_MAX && !people.contains(&person) {
                people.push(person);
            }
        }
    }
    people
}

fn summed_up(
    people: &[Person],
    found: &HashMap<Person, PersonLookup>,
    policy: MentionPolicy,
) -> CalledPeople {
    let wanted: Vec<_> =
        people.iter().map(|person| WantedOwner { person: person.clone(), wakes: true }).collect();
    let lookup = |person: &Person| found.get(person).cloned().unwrap_or(PersonLookup::Late);
    let mut called =
        CalledPeople { mentions: Mentions::of(&wanted, lookup, policy), ..CalledPeople::default() };
    for person in people {
        let (id, name) = match (person, lookup(person)) {
            (Person::OpenId(id), _) => (Some(id.clone()), None),
            (_, PersonLookup::Known(Identity { open_id, name, .. })) => (open_id, name),
            (_, PersonLookup::Late) => {
                called.is_late = true;
                (None, None)
            }
            (_, PersonLookup::Unknown) => (None, None),
        };
        let own_name = match person {
            Person::Name(name) => Some(name.clone()),
            Person::All => Some("all".to_owned()),
            // A number is never shown.
            Person::Mobile(_) | Person::OpenId(_) => None,
        };
        match &id {
            Some(id) if !called.open_ids.contains(id) => called.open_ids.push(id.clone()),
            Some(_) => continue,
            None => called.unknown += usize::from(*person != Person::All),
        }
        called.names.extend(name.or(own_name).or_else(|| id.map(|id| id.as_str().to_owned())));
    }
    called
}
