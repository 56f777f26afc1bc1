//! One alert, told apart into what a person reads: a name, a summary, a description and the facts that matter. Pure.

use super::alert_text::AlertText;
use super::group_view::GroupView;
use super::item::{Item, ORIGIN};
use super::listing::ListLine;
use super::notes::{self, VALUE};
use super::shown_labels::is_shown;
use super::template::WordedText;

/// Labels shown first, in this order: how bad it is, whom it concerns, then where it is.
const FACTS_FIRST: [&str; 21] = [
    "severity",
    "Severity",
    "priority",
    "level",
    "alert_level",
    "告警级别",
    VALUE,
    "service",
    "app",
    "endpoint",
    "trigger",
    ORIGIN,
    "cluster",
    "namespace",
    "instance",
    "host",
    "node",
    "pod",
    "container",
    "deployment",
    "job",
];
/// Labels for whoever looks after the monitoring, shown after all others.
const FACTS_LAST: [&str; 8] =
    ["alertgroup", "prometheus", "replica", "state", "uid", "rule_uid", "datasource_uid", "ref_id"];
/// One alert as it is told, or several that are told at once.
pub(super) struct AlertView<'a> {
    /// The alert; the first of several.
    pub(super) item: Item<'a>,
    pub(super) text: AlertText<'a>,
    /// Labels that matter, by name and value, the most telling first; of several alerts those that are the same for all.
    pub(super) facts: Vec<(&'a str, &'a str)>,
    /// Annotations that are told by themselves, by name and value; of several alerts the group has them.
    pub(super) notes: Vec<(&'a str, &'a str)>,
    /// All of this in words of one's own, if there are any.
    pub(super) body: Option<WordedText>,
    /// What several alerts have in common, and what each is called; `None` for one alert.
    pub(super) group: Option<GroupView<'a>>,
    /// The position of the alert.
    pub(super) index: usize,
}

impl<'a> AlertView<'a> {
    pub(super) fn of(item: Item<'a>, index: usize) -> Self {
        let text = item.text();
        let mut facts = facts(&item);
        if item.is_message() {
            // Many labels of a message were read out of the very lines that are shown.
            facts.retain(|(_, value)| !text.name.contains(value) && !text.description.contains(value));
        }
        let notes = notes::of(&item).collect();
        Self { item, text, facts, notes, body: None, group: None, index }
    }

    /// Of several alerts, told at once; `item` is the one that stands for them.
    pub(super) fn of_group(item: Item<'a>, index: usize, group: GroupView<'a>) -> Self {
        let mut view = Self::of(item, index);
        view.facts.retain(|(name, value)| group.is_same_for_all(name, value));
        Self { group: Some(group), ..view }
    }

    /// The positions of the alerts it tells.
    pub(super) fn members(&self) -> Vec<usize> {
        self.group.as_ref().map_or_else(|| vec![self.index], |group| group.members.clone())
    }
}

fn facts<'a>(item: &Item<'a>) -> Vec<(&'a str, &'a str)> {
    let alert = item.alert;
    let position = |name: &str| match FACTS_FIRST.iter().position(|first| *first == name) {
        Some(position) => position,
        None if FACTS_LAST.contains(&name) => FACTS_FIRST.len() + 1,
        None => FACTS_FIRST.len(),
    };
    let measured = alert.annotations.get(VALUE).filter(|_| alert.labels.get(VALUE).is_none());
    let origin = item.fact(ORIGIN).filter(|_| alert.labels.get(ORIGIN).is_none());
    let annotated = [(VALUE, measured), (ORIGIN, origin)];
    let annotated = annotated.into_iter().filter_map(|(name, value)| Some((name, value?)));
    let pairs = alert.labels.iter().chain(annotated);
    let mut facts: Vec<_> = pairs.filter(|(name, value)| is_shown(item, name, value)).collect();
    facts.sort_by_key(|(name, _)| position(name));
    facts
}

/// Takes out of the views the facts that all items share, to be said once. A single one keeps its own: there is
/// nothing to tell it from. The views and the lines are all there is, and of a group is known what its alerts share.
pub(super) fn take_shared<'a>(
    alert_views: &mut [AlertView<'a>],
    lines: &[ListLine<'a>],
    items: &[Item<'_>],
) -> Vec<(&'a str, &'a str)> {
    let Some((first, others)) = alert_views.split_first() else { return Vec::new() };
    let mut shared = first.facts.clone();
    for alert_view in others {
        shared.retain(|(name, value)| match &alert_view.group {
            Some(group) => group.is_same_for_all(name, value),
            None => alert_view.item.fact(name) == Some(value),
        });
    }
    for line in lines {
        shared.retain(|(name, value)| line.is_same_for_all(items, name, value));
    }
    for alert_view in alert_views {
        alert_view.facts.retain(|fact| !shared.contains(fact));
    }
    shared
}
