//! Who stands on a card, and how: each person once, however many alerts are theirs. Pure.

use std::collections::{HashMap, HashSet};

use config::ReceiverOwners;
use model::alert::Alert;

use super::person::{OpenId, Person, UserId};
use super::rules::Duty;

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
pub enum PersonLookup {
    /// They are known.
    Known(Identity),
    /// Nobody knows them.
    Unknown,
    /// It could not be found out in time.
    Late,
}

/// Somebody a card is to name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedOwner {
    /// Who.
    pub person: Person,
    /// Whether they are to be woken: something of theirs fires.
    pub wakes: bool,
}

/// What a mention may be in a chat.
#[derive(Clone, Copy, Debug)]
pub struct MentionPolicy {
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
pub struct MentionedOwner {
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
pub struct Mentions {
    /// In the order in which they are shown.
    pub owners: Vec<MentionedOwner>,
    /// People there was no room for, or no name.
    pub more: usize,
    /// What became of each.
    pub outcomes: Vec<MentionOutcome>,
}

/// What became of somebody who was to be named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MentionOutcome {
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

impl MentionOutcome {
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

/// Everybody who owns one of these alerts, and whoever is always named. Of each alert it is given whether it fires, the worst
/// first; `wake_anyway` also wakes for what is over. The first `people_max` are those for whom a card has room.
pub fn wanted<'a>(
    alerts: impl IntoIterator<Item = (&'a Alert<'a>, bool)>,
    duty: &Duty<'_>,
    receiver: &ReceiverOwners,
    wake_anyway: bool,
    people_max: usize,
) -> Vec<WantedOwner> {
    let mut all = Vec::<WantedOwner>::new();
    let mut places = HashMap::new();
    let always = duty.always();
    let mut add = |person: Person, wakes: bool| {
        if let Some(place) = places.get(&person) {
            let known: &mut WantedOwner = &mut all[*place];
            known.wakes |= wakes;
        } else if all.len() < PEOPLE_MAX || always.contains(&person) {
            places.insert(person.clone(), all.len());
            all.push(WantedOwner { person, wakes });
        }
    };
    let mut wakes_somebody = wake_anyway;
    for (alert, is_firing) in alerts {
        let wakes = wake_anyway || is_firing;
        wakes_somebody |= wakes;
        let (_, people) = duty.owners_of(alert, receiver);
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
fn with_room_for(always: &[Person], all: Vec<WantedOwner>, people_max: usize) -> Vec<WantedOwner> {
    let (always, mut owners): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|wanted| always.contains(&wanted.person));
    let place = people_max.saturating_sub(always.len()).min(owners.len());
    owners.splice(place..place, always);
    owners
}

impl Mentions {
    /// The people on a card. Two names of one person are one person; `found` says who is who.
    pub fn of(
        wanted: &[WantedOwner],
        found: impl Fn(&Person) -> PersonLookup,
        policy: MentionPolicy,
    ) -> Self {
        let mut mentions = Self::default();
        let mut seen = HashSet::new();
        for WantedOwner { person, wakes } in wanted {
            let (mut owner, mut outcome) = shown(person, found(person), policy);
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
                outcome = MentionOutcome::Named;
            }
            if mentions.owners.len() >= policy.people_max {
                outcome = MentionOutcome::Beyond;
            }
            mentions.outcomes.push(outcome);
            if outcome == MentionOutcome::Beyond || (owner.at.is_none() && owner.name.is_none()) {
                mentions.more += 1;
            } else {
                mentions.owners.push(owner);
            }
        }
        mentions
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
        let owners = named.into_iter().map(|owner| MentionedOwner { at: None, ..owner }).collect();
        let outcomes = self.outcomes.iter().map(|outcome| match outcome {
            MentionOutcome::Mentioned => MentionOutcome::Refused,
            MentionOutcome::Named
            | MentionOutcome::Unknown
            | MentionOutcome::Late
            | MentionOutcome::Forbidden
            | MentionOutcome::Beyond
            | MentionOutcome::Refused => *outcome,
        });
        Self { owners, more: self.more + nameless.len(), outcomes: outcomes.collect() }
    }
}

/// How somebody is shown if they are to be woken.
fn shown(person: &Person, found: PersonLookup, policy: MentionPolicy) -> (MentionedOwner, MentionOutcome) {
    let own_name = match person {
        Person::All => Some(Name::Everybody),
        Person::Name(name) => Some(Name::Text(name.clone())),
        // A number is never shown, and an id says nothing.
        Person::Mobile(_) | Person::OpenId(_) => None,
    };
    let named = |name, outcome| (MentionedOwner { at: None, name }, outcome);
    let at = |at, name| (MentionedOwner { at: Some(at), name }, MentionOutcome::Mentioned);
    match (person, found) {
        (Person::All, _) if policy.all => at(At::All, own_name),
        (Person::All, _) => named(own_name, MentionOutcome::Forbidden),
        (Person::OpenId(id), _) => at(At::OpenId(id.clone()), None),
        (_, PersonLookup::Unknown) => named(own_name, MentionOutcome::Unknown),
        (_, PersonLookup::Late) => named(own_name, MentionOutcome::Late),
        (_, PersonLookup::Known(identity)) => {
            let name = identity.name.map(Name::Text).or(own_name);
            match (identity.open_id, identity.user_id) {
                (Some(id), _) => at(At::OpenId(id), name),
                (None, Some(id)) if policy.user_ids => at(At::UserId(id), name),
                (None, Some(_)) => named(name, MentionOutcome::Forbidden),
                (None, None) => named(name, MentionOutcome::Unknown),
            }
        }
    }
}

#[cfg(test)]
mod tests;
