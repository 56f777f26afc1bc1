//! The labels of several alerts: which are the same for all, and in which they differ. Pure.

use super::item::{Item, ORIGIN};
use super::name_map::NameSet;
use super::shown_labels::is_shown;

/// Labels that name one thing among its like, the most telling first.
const TELLING: [&str; 9] =
    ["pod", "instance", "node", "host", "hostname", "device", "endpoint", "service", "container"];
/// So many alerts of a group are asked which labels they have.
const ASKED_MAX: usize = 64;

/// The labels of several alerts.
#[derive(Default)]
pub(super) struct GroupLabels<'e> {
    /// Names and values that all of them have.
    pub(super) same: Vec<(&'e str, &'e str)>,
    /// Names of those for people to read that are not the same for all, the most telling first.
    pub(super) differing: Vec<&'e str>,
}

impl<'e> GroupLabels<'e> {
    pub(super) fn of(members: &[Item<'e>]) -> Self {
        let same = same_labels(members);
        let differing = differing_labels(members, &same);
        Self { same, differing }
    }
}

fn same_labels<'e>(members: &[Item<'e>]) -> Vec<(&'e str, &'e str)> {
    let Some((first, others)) = members.split_first() else { return Vec::new() };
    let mut same: Vec<_> = first.alert.labels.iter().collect();
    for item in others {
        // Both are in the order of their names, so one walk meets them all.
        let mut labels = item.alert.labels.iter();
        same.retain(|(name, value)| {
            let own = labels.find(|(own, _)| own == name);
            if own.is_none() {
                // It went past the labels that come after this name.
                labels = item.alert.labels.iter();
            }
            own.is_some_and(|(_, own)| own == *value)
        });
    }
    let origin = first.fact(ORIGIN).filter(|_| first.alert.labels.get(ORIGIN).is_none());
    same.extend(
        origin
            .filter(|value| others.iter().all(|item| item.fact(ORIGIN) == Some(*value)))
            .map(|value| (ORIGIN, value)),
    );
    same
}

fn differing_labels<'e>(members: &[Item<'e>], same: &[(&str, &str)]) -> Vec<&'e str> {
    let Some(first) = members.first() else { return Vec::new() };
    let mut known: NameSet<&str> = same.iter().map(|(name, _)| *name).collect();
    let mut labels: Vec<&'e str> = Vec::new();
    let facts = |item: &Item<'e>| {
        let origin = item.fact(ORIGIN).map(|value| (ORIGIN, value));
        item.alert.labels.iter().chain(origin).collect::<Vec<_>>()
    };
    for (label, value) in members.iter().take(ASKED_MAX).flat_map(facts) {
        if !known.contains(label) && is_shown(first, label, value) {
            known.insert(label);
            labels.push(label);
        }
    }
    let position = |label: &str| TELLING.iter().position(|text| *text == label).unwrap_or(TELLING.len());
    labels.sort_by_key(|label| (position(label), *label));
    labels
}
