//! Many alerts, put in groups, in order and counted, each once. Whatever number is on a card comes from here. Pure.

use std::cmp::Reverse;

use config::SeverityWords;
use jiff::Timestamp;

use super::count::Count;
use super::fold::natural;
use super::icons::Light;
use super::item::Item;
use super::name_map::NameMap;
use super::state_reason::StateReason;

/// Alerts told one by one on one card, and groups told in detail where there are more alerts: about three screens of a
/// phone. Further down nobody reads.
pub(super) const DETAILS_MAX: usize = 15;

/// What is on a card, in order and counted.
pub(super) struct Summary<'e> {
    /// The worst of all alerts; `None` without alerts.
    pub(super) worst: Option<Item<'e>>,
    /// The worst and largest first.
    pub(super) groups: Vec<SummaryGroup<'e>>,
    pub(super) all: Count,
    pub(super) reminders: Reminders,
}

/// What was told before and still fires.
#[derive(Clone, Copy, Default)]
pub(super) struct Reminders {
    pub(super) count: usize,
    /// When the longest of them began, if that is known.
    pub(super) oldest: Option<Timestamp>,
}

/// Alerts that only differ in what a person reads last.
#[derive(Clone)]
pub(super) struct SummaryGroup<'e> {
    pub(super) light: Light,
    pub(super) name: &'e str,
    pub(super) around: &'e str,
    /// Why they are in their state, where the rule's condition is not the reason.
    pub(super) reason: Option<StateReason>,
    /// The positions of its alerts.
    pub(super) members: Vec<usize>,
    /// Where its best known member stands; decides between groups that are equal otherwise.
    rank: Rank,
}

/// Where an alert stands among the others.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank {
    /// What still fires comes first, the worst of it before the rest.
    light: Light,
    /// News come before what was told already.
    is_reminder: bool,
    /// What began first is nearest to the cause; what follows is mostly its consequence.
    since: Timestamp,
    /// Makes the order a total one.
    index: usize,
}

/// What groups have in common, and how many alerts of them there are.
pub(super) struct Titled<'e> {
    pub(super) name: &'e str,
    pub(super) count: usize,
    light: Light,
    first: usize,
}

impl Rank {
    pub(super) fn of(item: &Item<'_>, light: Light, index: usize) -> Self {
        Self { light, is_reminder: item.is_reminder(), since: item.since(), index }
    }
}

impl<'e> Summary<'e> {
    pub(super) fn of(items: &[Item<'e>], words: &SeverityWords) -> Self {
        let mut groups: Vec<SummaryGroup<'e>> = Vec::new();
        let mut known = NameMap::default();
        let mut all = Count::default();
        let mut reminders = Reminders::default();
        for (index, item) in items.iter().enumerate() {
            let light = Light::of(item, words);
            let name = item.name();
            let around = item.around().unwrap_or_default();
            let rank = Rank::of(item, light, index);
            let reason = item.state_reason();
            let group = *known.entry((light, name, around, reason)).or_insert(groups.len());
            if group == groups.len() {
                groups.push(SummaryGroup { light, name, around, reason, members: Vec::new(), rank });
            }
            groups[group].members.push(index);
            groups[group].rank = groups[group].rank.min(rank);
            all.add(light.status(), 1);
            reminders.add(item);
        }
        let worst = groups.iter().map(|group| group.rank).min().map(|rank| items[rank.index]);
        groups.sort_unstable_by(|one, other| {
            let key = |group: &SummaryGroup<'_>| {
                (group.light, group.rank.is_reminder, Reverse(group.members.len()))
            };
            let names = || natural(one.name, other.name).then_with(|| natural(one.around, other.around));
            key(one).cmp(&key(other)).then_with(names).then(one.reason.cmp(&other.reason))
        });
        Self { worst, groups, all, reminders }
    }

    /// Whether something still fires; only that is in the title then.
    pub(super) fn is_firing(&self) -> bool {
        self.all.firing > 0
    }

    /// The names of what the title is about, the worst and most frequent first, at most `most`, and how many
    /// there are.
    pub(super) fn names(&self, most: usize) -> (Vec<Titled<'e>>, usize) {
        let names = self.titled_by(|group| group.name);
        let kinds = names.len();
        (foremost(names, most, |name| (name.light, Reverse(name.count), name.first)), kinds)
    }

    /// Where the worst of what the title is about is, and how many other such places there are.
    pub(super) fn around(&self) -> Option<(&'e str, usize)> {
        let places = self.titled_by(|group| group.around);
        let kinds = places.len();
        let worst = foremost(places, 1, |place| (place.light, Reverse(place.count), place.first));
        worst.first().map(|place| (place.name, kinds - 1))
    }

    /// The groups the title is about, put together by something they have in common.
    fn titled_by(&self, key: impl Fn(&SummaryGroup<'e>) -> &'e str) -> Vec<Titled<'e>> {
        let mut merged: NameMap<&str, Titled<'e>> = NameMap::default();
        for group in self.groups.iter().filter(|group| group.light.is_firing() == self.is_firing()) {
            let name = key(group).trim();
            if name.is_empty() {
                continue;
            }
            let first = group.rank.index;
            let known = merged.entry(name).or_insert(Titled { name, count: 0, light: group.light, first });
            known.count += group.members.len();
            known.light = known.light.min(group.light);
            known.first = known.first.min(first);
        }
        // In no order; whoever takes from it puts it in one, down to the first alert.
        merged.into_values().collect()
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

impl SummaryGroup<'_> {
    pub(super) fn rank(&self) -> Rank {
        self.rank
    }
}

impl Rank {
    /// The position of the alert that stands there.
    pub(super) fn index(self) -> usize {
        self.index
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
