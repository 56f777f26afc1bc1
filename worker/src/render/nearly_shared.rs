//! What nearly all alerts of a storm have in common: who gets the card asks for that first.
//! Pure.

use super::item::Item;
use super::name_map::NameMap;
use super::shown_labels::is_shown;
use super::summary::DETAILS_MAX;

/// From so many of a hundred alerts on a label is worth telling.
const SHARE_PERCENT_MIN: usize = 90;
/// So many alerts, spread over all, are asked which labels could be that.
const ASKED_MAX: usize = 64;
/// Labels that are counted, and told.
const TOLD_MAX: usize = 4;

/// A label that nearly all alerts have.
pub(super) struct NearlyShared<'e> {
    pub(super) name: &'e str,
    pub(super) value: &'e str,
    /// Of a hundred alerts so many have it, rounded down: less than all.
    pub(super) percent: usize,
}

/// Of a storm, less what all of its alerts share; nothing of a few alerts.
pub(super) fn of<'e>(items: &[Item<'e>], shared: &[(&str, &str)]) -> Vec<NearlyShared<'e>> {
    if items.len() <= DETAILS_MAX {
        return Vec::new();
    }
    let share = |(name, value): (&'e str, &'e str)| {
        let has = items.iter().filter(|item| item.alert.labels.get(name) == Some(value)).count();
        let percent = has * 100 / items.len();
        (SHARE_PERCENT_MIN..100).contains(&percent).then_some(NearlyShared { name, value, percent })
    };
    candidates(items, shared).into_iter().filter_map(share).take(TOLD_MAX).collect()
}

/// Labels that most of the alerts that are asked have, the most frequent first: what nine of ten have is among them.
fn candidates<'e>(items: &[Item<'e>], shared: &[(&str, &str)]) -> Vec<(&'e str, &'e str)> {
    let asked = || items.iter().step_by(items.len().div_ceil(ASKED_MAX));
    let mut counts: NameMap<(&'e str, &'e str), usize> = NameMap::default();
    for item in asked() {
        for label in item.alert.labels.iter() {
            *counts.entry(label).or_insert(0) += 1;
        }
    }
    let is_shared = |name: &str| shared.iter().any(|(known, _)| *known == name);
    let most = asked().count() / 2;
    let mut found: Vec<_> = counts
        .into_iter()
        .filter(|((name, value), count)| {
            *count > most && !is_shared(name) && items.iter().take(1).all(|item| is_shown(item, name, value))
        })
        .collect();
    found.sort_unstable_by_key(|((name, _), count)| (std::cmp::Reverse(*count), *name));
    // One of them may turn out to be too rare.
    found.into_iter().take(2 * TOLD_MAX).map(|(label, _)| label).collect()
}
