//! Who stands on a card, and how: each person once, however many alerts are theirs. Pure.

use std::collections::{HashMap, HashSet};

use shared::config::ReceiverOwners;

use super::person::{OpenId, Person, UserId};
use super::rules::Duty;
use crate::card::Item;

/// People one card asks for; nobody reads of more.
const PEOPLE_MAX: usize = 200;

/// What is known of somebody.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The id that may stand in any mention.
    pub open_id: Option<OpenId>,
    /// An id that may stand in a mention on some cards.
    pub user_id: Option<UserId>,
    /// What people call them.
    pub name: Option<String>,
}

/// What came of looking somebody up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// They are known.
    Known(Identity),
    /// Nobody knows them.
    Unknown,
    /// It could not be found out in time.
    Late,
}

/// Somebody a card is to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// Who.
    pub person: Person,
    /// Whether they are to be woken: something of theirs fires.
    pub wakes: bool,
}

/// What a mention may be in a chat.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Everybody may be mentioned.
    pub all: bool,
    /// A `user_id` may stand in a mention on a card.
    pub user_ids: bool,
    /// People on one card.
    pub people_max: usize,
}

/// What stands in a mention.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// Everybody.
    All,
    /// Somebody, anywhere.
    OpenId(OpenId),
    /// Somebody, on cards only.
    UserId(UserId),
}

/// Somebody on a card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// How they are mentioned; `None`: they are only named.
    pub at: Option<At>,
    /// What they are called; `None`: nothing that may be shown.
    pub name: Option<Name>,
}

/// What somebody is called.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// By this name; text from outside.
    Text(String),
    /// Everybody, in the language of the card.
    Everybody,
}

/// Everybody on a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster {
    /// In the order in which they are shown.
    pub owners: Vec<Owner>,
    /// People there was no room for, or no name.
    pub more: usize,
    /// What became of each.
    pub outcomes: Vec<Outcome>,
}

/// What became of somebody who was to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Mentioned: they are notified.
    Mentioned,
    /// Named only, because everything of theirs is over.
    Named,
    /// Named only: nobody knows their id.
    Unknown,
    /// Named only: it could not be found out in time.
    Late,
    /// Named only: this chat's settings or rules do not allow it.
    Forbidden,
    /// Counted only: there were too many.
    Beyond,
    /// Named only: Feishu refused the card with its mentions.
    Refused,
}

impl Outcome {
    /// Every outcome, for metrics that show each from the start.
    pub const ALL: [Self; 7] = [
        Self::Mentioned,
        Self::Named,
        Self::Unknown,
        Self::Late,
        Self::Forbidden,
        Self::Beyond,
        Self::Refused,
    ];

    /// The label value in metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mentioned => "mentioned",
            Self::Named => "named",
            Self::Unknown => "unknown",
            Self::Late => "late",
            Self::Forbidden => "forbidden",
            Self::Beyond => "beyond",
            Self::Refused => "refused",
        }
    }
}

/// Everybody who owns one of these alerts, those of the worst first, and whoever is always named; `wake_anyway` also
/// wakes for what is over. The first `people_max` are those for whom a card has room.
pub fn wanted(
    items: &[Item<'_>],
    duty: &Duty<'_>,
    receiver: &ReceiverOwners,
    (wake_anyway, people_max): (bool, usize),
) -> Vec<Wanted> {
    let mut order: Vec<&Item<'_>> = items.iter().collect();
    order.sort_by_key(|item| item.urgency());
    let (mut all, mut places, always) = (Vec::<Wanted>::new(), HashMap::new(), duty.always());
    let mut add = |person: Person, wakes: bool| {
        if let Some(place) = places.get(&person) {
            let known: &mut Wanted = &mut all[*place];
            known.wakes |= wakes;
        } else if all.len() < PEOPLE_MAX || always.contains(&person) {
            places.insert(person.clone(), all.len());
            all.push(Wanted { person, wakes });
        }
    };
    let mut wakes_somebody = wake_anyway;
    for item in order {
        let wakes = wake_anyway || item.is_firing();
        wakes_somebody |= wakes;
        let (_, people) = duty.owners_of(item.alert, receiver);
        for person in people {
            add(person, wakes);
        }
    }
    for person in &always {
        add(person.clone(), wakes_somebody);
    }
    if all.len() > people_max { with_room_for(&always, all, people_max) } else { all }
}

/// The same with these before whomever there is no room for.
fn with_room_for(always: &[Person], all: Vec<Wanted>, people_max: usize) -> Vec<Wanted> {
    let (always, mut owners): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|wanted| always.contains(&wanted.person));
    let place = people_max.saturating_sub(always.len()).min(owners.len());
    owners.splice(place..place, always);
    owners
}

impl Roster {
    /// The people on a card. Two names of one person are one person; `found` says who is who.
    pub fn of(wanted: &[Wanted], found: impl Fn(&Person) -> Found, manners: Manners) -> Self {
        let mut roster = Self::default();
        let mut seen = HashSet::new();
        for Wanted { person, wakes } in wanted {
            let (mut owner, mut outcome) = shown(person, found(person), manners);
            // Whoever is to be woken comes first, so the first place somebody has is the one that counts.
            let is_new = match (&owner.at, &owner.name) {
                (Some(at), _) => seen.insert((Some(at.clone()), None)),
                (None, Some(name)) => seen.insert((None, Some(name.clone()))),
                (None, None) => true,
            };
            if !is_new {
                continue;
            }
            if !wakes && owner.at.take().is_some() {
                outcome = Outcome::Named;
            }
            if roster.owners.len() >= manners.people_max {
                outcome = Outcome::Beyond;
            }
            roster.outcomes.push(outcome);
            if outcome == Outcome::Beyond || (owner.at.is_none() && owner.name.is_none()) {
                roster.more += 1;
            } else {
                roster.owners.push(owner);
            }
        }
        roster
    }

    /// Whether anybody is mentioned.
    pub fn mentions(&self) -> bool {
        self.owners.iter().any(|owner| owner.at.is_some())
    }

    /// The same people by their names alone, for a card that was refused for its mentions.
    #[must_use]
    pub fn quiet(&self) -> Self {
        let (named, nameless): (Vec<_>, Vec<_>) =
            self.owners.iter().cloned().partition(|owner| owner.name.is_some());
        let owners = named.into_iter().map(|owner| Owner { at: None, ..owner }).collect();
        let outcomes = self.outcomes.iter().map(|outcome| match outcome {
            Outcome::Mentioned => Outcome::Refused,
            Outcome::Named
            | Outcome::Unknown
            | Outcome::Late
            | Outcome::Forbidden
            | Outcome::Beyond
            | Outcome::Refused => *outcome,
        });
        Self { owners, more: self.more + nameless.len(), outcomes: outcomes.collect() }
    }
}

/// How somebody is shown if they are to be woken.
fn shown(person: &Person, found: Found, manners: Manners) -> (Owner, Outcome) {
    let own_name = match person {
        Person::All => Some(Name::Everybody),
        Person::Name(name) => Some(Name::Text(name.clone())),
        // A number is never shown, and an id says nothing.
        Person::Mobile(_) | Person::OpenId(_) => None,
    };
    let named = |name, outcome| (Owner { at: None, name }, outcome);
    let at = |at, name| (Owner { at: Some(at), name }, Outcome::Mentioned);
    match (person, found) {
        (Person::All, _) if manners.all => at(At::All, own_name),
        (Person::All, _) => named(own_name, Outcome::Forbidden),
        (Person::OpenId(id), _) => at(At::OpenId(id.clone()), None),
        (_, Found::Unknown) => named(own_name, Outcome::Unknown),
        (_, Found::Late) => named(own_name, Outcome::Late),
        (_, Found::Known(identity)) => {
            let name = identity.name.map(Name::Text).or(own_name);
            match (identity.open_id, identity.user_id) {
                (Some(id), _) => at(At::OpenId(id), name),
                (None, Some(id)) if manners.user_ids => at(At::UserId(id), name),
                (None, Some(_)) => named(name, Outcome::Forbidden),
                (None, None) => named(name, Outcome::Unknown),
            }
        }
    }
}

#[cfg(test)]
mod tests;
