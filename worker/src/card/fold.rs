//! Many alerts, put in order and counted, each once: the worst to be told in detail, and the groups the rest is
//! counted by. Whatever number is on a card comes from here.

use std::cmp::Reverse;
use std::collections::HashMap;

use jiff::Timestamp;

use super::Item;
use super::severity::{self, Severity};
use super::sign::Light;

/// Alerts told in detail on one card: about three screens of a phone. Further down nobody reads.
pub(super) const DETAILS_MAX: usize = 15;
/// Groups counted by name on one card: about a screen of a phone.
pub(super) const GROUPS_MAX: usize = 20;

/// What is on a card, in order and counted.
pub(super) struct Fold<'e> {
    /// The alerts to tell in detail, the most important first.
    pub(super) worst: Vec<Item<'e>>,
    /// The group of each of the worst, by its position in `groups`.
    worst_groups: Vec<usize>,
    groups: Vec<Group<'e>>,
    pub(super) all: Count,
    pub(super) reminders: Reminders,
}

/// How many of what is counted fire, and how many are over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) firing: usize,
    pub(super) resolved: usize,
}

/// What was told before and still fires.
#[derive(Clone, Copy, Default)]
pub(super) struct Reminders {
    pub(super) count: usize,
    /// When the longest of them began, if that is known.
    pub(super) oldest: Option<Timestamp>,
}

/// Alerts that only differ in what a person reads last.
#[derive(Clone, Copy)]
pub(super) struct Group<'e> {
    pub(super) light: Light,
    pub(super) name: &'e str,
    pub(super) around: &'e str,
    pub(super) count: usize,
    /// The position of its first alert, which decides between groups that are equal otherwise.
    first: usize,
}

/// What is left of a fold after those told in detail.
pub(super) struct Rest<'e> {
    pub(super) more: Count,
    /// The worst and largest groups of it.
    pub(super) groups: Vec<Group<'e>>,
    /// How many groups there are in all.
    pub(super) kinds: usize,
}

/// Where an alert stands among the others.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    /// What still fires comes first.
    is_over: bool,
    severity: Severity,
    /// News come before what was told already.
    is_reminder: bool,
    /// In a storm one of each group comes before a second of any: the same name over and over tells nothing new.
    turn: usize,
    /// What began first is nearest to the cause; what follows is mostly its consequence.
    since: Timestamp,
    /// Makes the order a total one.
    index: usize,
    group: usize,
}

impl<'e> Fold<'e> {
    pub(super) fn of(items: &[Item<'e>]) -> Self {
        let is_storm = items.len() > DETAILS_MAX;
        let mut groups = Groups::default();
        let (mut all, mut reminders) = (Count::default(), Reminders::default());
        let mut ranks = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let group = groups.count(item, index);
            all.add(groups.of[group].light, 1);
            reminders.add(item);
            ranks.push(Rank {
                is_over: !item.is_firing(),
                severity: severity::of(item).0,
                is_reminder: item.is_reminder(),
                turn: if is_storm { groups.of[group].count } else { 0 },
                since: item.since(),
                index,
                group,
            });
        }
        if is_storm {
            ranks.select_nth_unstable(DETAILS_MAX);
            ranks.truncate(DETAILS_MAX);
        }
        ranks.sort_unstable();
        Self {
            worst: ranks.iter().map(|rank| items[rank.index]).collect(),
            worst_groups: ranks.iter().map(|rank| rank.group).collect(),
            groups: groups.of,
            all,
            reminders,
        }
    }

    /// What is left when the first `told` of the worst are told in detail.
    pub(super) fn after(&self, told: usize) -> Rest<'e> {
        let mut groups = self.groups.clone();
        for index in self.worst_groups.iter().take(told) {
            groups[*index].count -= 1;
        }
        groups.retain(|group| group.count > 0);
        let mut more = Count::default();
        for group in &groups {
            more.add(group.light, group.count);
        }
        let kinds = groups.len();
        let groups = foremost(groups, GROUPS_MAX, |group| (group.light, Reverse(group.count), group.first));
        Rest { more, groups, kinds }
    }

    /// Whether something still fires; only that is in the title then.
    pub(super) fn is_firing(&self) -> bool {
        self.all.firing > 0
    }

    /// The names of what the title is about, the worst and most frequent first, at most `most`, and how many
    /// there are.
    pub(super) fn names(&self, most: usize) -> (Vec<Group<'e>>, usize) {
        let names = self.titled_by(|group| group.name);
        let kinds = names.len();
        (foremost(names, most, |name| (name.light, Reverse(name.count), name.first)), kinds)
    }

    /// Where most of what the title is about is, and how many other such places there are.
    pub(super) fn around(&self) -> Option<(&'e str, usize)> {
        let places = self.titled_by(|group| group.around);
        let kinds = places.len();
        let most = foremost(places, 1, |place| (Reverse(place.count), place.first));
        most.first().map(|place| (place.name, kinds - 1))
    }

    /// The groups the title is about, put together by something they have in common.
    fn titled_by(&self, key: impl Fn(&Group<'e>) -> &'e str) -> Vec<Group<'e>> {
        let mut merged: HashMap<&str, Group<'e>> = HashMap::new();
        for group in self.groups.iter().filter(|group| group.light.is_firing() == self.is_firing()) {
            let name = key(group).trim();
            if name.is_empty() {
                continue;
            }
            let known = merged.entry(name).or_insert(Group { name, count: 0, ..*group });
            known.count += group.count;
            known.light = known.light.min(group.light);
        }
        // In no order; whoever takes from it puts it in one, down to the first alert.
        merged.into_values().collect()
    }
}

/// Groups as they are found.
#[derive(Default)]
struct Groups<'e> {
    of: Vec<Group<'e>>,
    known: HashMap<(Light, &'e str, &'e str), usize>,
}

impl<'e> Groups<'e> {
    /// Counts an alert, and says in which group.
    fn count(&mut self, item: &Item<'e>, index: usize) -> usize {
        let (light, name, around) = (Light::of(item), item.name(), item.around().unwrap_or_default());
        let group = *self.known.entry((light, name, around)).or_insert(self.of.len());
        if group == self.of.len() {
            self.of.push(Group { light, name, around, count: 0, first: index });
        }
        self.of[group].count += 1;
        group
    }
}

impl Count {
    pub(super) fn total(self) -> usize {
        self.firing + self.resolved
    }

    pub(super) fn add(&mut self, light: Light, count: usize) {
        if light.is_firing() {
            self.firing += count;
        } else {
            self.resolved += count;
        }
    }
}

impl Reminders {
    fn add(&mut self, item: &Item<'_>) {
        if item.is_reminder() {
            self.count += 1;
            let started = item.alert.starts_at;
            self.oldest = self.oldest.into_iter().chain(started).min();
        }
    }
}

impl Rest<'_> {
    /// How many are left when the first `shown` groups are counted by name.
    pub(super) fn beyond(&self, shown: usize) -> Count {
        let mut counted = Count::default();
        for group in self.groups.iter().take(shown) {
            counted.add(group.light, group.count);
        }
        Count { firing: self.more.firing - counted.firing, resolved: self.more.resolved - counted.resolved }
    }
}

/// The first `most` in the order of `key`, which must tell any two apart; only these are sorted.
fn foremost<T, K: Ord>(mut all: Vec<T>, most: usize, key: impl Fn(&T) -> K) -> Vec<T> {
    if all.len() > most {
        all.select_nth_unstable_by_key(most, &key);
        all.truncate(most);
    }
    all.sort_unstable_by_key(key);
    all
}
