//! What tells the alerts of a group apart: the labels in which they differ, and what each of them says there. Pure.

use std::borrow::Cow;

use super::escape::{clean_line, is_plain};
use super::item::Item;
use super::name_map::{NameMap, NameSet};

/// Labels put together at most, where no single one tells all alerts apart.
const LABELS_MAX: usize = 4;
/// How much of one value is shown, in characters: more than the longest name that Kubernetes allows.
const VALUE_CHARACTERS_MAX: usize = 256;
/// How much of a text, where no label tells two alerts apart.
const TEXT_CHARACTERS_MAX: usize = 80;

/// What the alerts of a group are called within it.
#[derive(Default)]
pub(super) struct GroupNames<'e> {
    /// The labels whose values the names consist of; none if no label differs.
    pub(super) labels: Vec<&'e str>,
    /// A name for each alert, in their order; none if nothing tells them apart, and the group's own name is theirs.
    pub(super) names: Vec<Cow<'e, str>>,
}

impl<'e> GroupNames<'e> {
    /// Of alerts that differ in these labels, the most telling first.
    pub(super) fn of(members: &[Item<'e>], differing: &[&'e str]) -> Self {
        let labels = telling_labels(members, differing);
        let names = match labels[..] {
            [] => by_text(members),
            _ => members.iter().map(|item| name(item, &labels)).collect(),
        };
        Self { labels, names }
    }
}

/// The fewest labels that tell all of them apart, or as many of them as labels can.
fn telling_labels<'e>(members: &[Item<'e>], candidates: &[&'e str]) -> Vec<&'e str> {
    let mut best: Option<(usize, &str)> = None;
    for label in candidates {
        let values: NameSet<_> = members.iter().map(|item| value(item, label)).collect();
        if values.len() == members.len() {
            return vec![label];
        }
        // Where several tell as much, the first one is the more telling.
        if best.is_none_or(|(most, _)| values.len() > most) {
            best = Some((values.len(), label));
        }
    }
    let Some((mut apart, best)) = best else { return Vec::new() };
    let mut labels = vec![best];
    let (_, mut kinds) = kinds_by(members, &vec![0; members.len()], best);
    for label in candidates {
        if apart == members.len() || labels.len() == LABELS_MAX {
            break;
        }
        let (count, together) = kinds_by(members, &kinds, label);
        if count > apart {
            apart = count;
            kinds = together;
            labels.push(label);
        }
    }
    labels
}

/// How many kinds there are where those of one kind differ by this label as well, and which one each alert is of.
fn kinds_by(members: &[Item<'_>], kinds: &[usize], label: &str) -> (usize, Vec<usize>) {
    let mut known = NameMap::default();
    let together = members.iter().zip(kinds).map(|(item, kind)| {
        let next = known.len();
        *known.entry((*kind, value(item, label))).or_insert(next)
    });
    let together = together.collect();
    (known.len(), together)
}

fn value<'e>(item: &Item<'e>, label: &str) -> &'e str {
    item.fact(label).unwrap_or_default()
}

fn name<'e>(item: &Item<'e>, labels: &[&str]) -> Cow<'e, str> {
    let shown = |label: &&str| shown(value(item, label));
    match labels {
        [label] => shown(label),
        _ => Cow::Owned(labels.iter().map(shown).collect::<Vec<_>>().join("/")),
    }
}

/// A value as it is shown; most are what they are.
fn shown(value: &str) -> Cow<'_, str> {
    let is_short = value.len() <= VALUE_CHARACTERS_MAX;
    if is_short && is_plain(value) { value.into() } else { clean_line(value, VALUE_CHARACTERS_MAX).into() }
}

/// Messages have no labels: what they say is what differs.
fn by_text<'e>(members: &[Item<'e>]) -> Vec<Cow<'e, str>> {
    let text = |item: &Item<'e>| {
        let text = item.text();
        let said = if text.summary.trim().is_empty() { text.description } else { text.summary };
        Cow::Owned(clean_line(said, TEXT_CHARACTERS_MAX))
    };
    let texts: Vec<_> = members.iter().map(text).collect();
    let is_same = texts.windows(2).all(|pair| pair[0] == pair[1]);
    if is_same { Vec::new() } else { texts }
}
