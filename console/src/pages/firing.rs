//! What fires now, in groups of one name: what they share is said once, and the values of their labels are counted.

use std::collections::BTreeMap;

use maud::{Markup, html};
use model::matcher::Query;
use serde::Serialize;

use crate::data::{FiringAlert, FiringAlerts};
use crate::frame::{Frame, Section, Sheet};
use crate::links::{filter_form, labels_list, matchers_of, with_label};
use crate::parts::{count, nothing};

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 10;
/// Alerts of one group that are shown at once.
const SHOWN_MAX: usize = 5;
/// Labels whose values are counted, and values of each.
const TOP_LABELS: usize = 8;
const TOP_VALUES: usize = 6;

/// The page's data.
#[derive(Debug, Serialize)]
pub(crate) struct FiringView {
    /// The filter, as it was read.
    pub(crate) query: String,
    /// How many fire and match.
    pub(crate) total: usize,
    /// By name, the largest first.
    pub(crate) groups: Vec<FiringGroup>,
    /// The labels with the fewest values, and how often each value occurs.
    pub(crate) top: Vec<LabelCounts>,
    /// How many were looked at, if there are more than that.
    pub(crate) looked_at: Option<usize>,
}

/// Alerts of one name.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct FiringGroup {
    pub(crate) name: String,
    /// What all of them have.
    pub(crate) common: BTreeMap<String, String>,
    /// Each with the labels that tell it from the others.
    pub(crate) alerts: Vec<FiringAlert>,
    /// What a silence of all of them would match: what they share; `None` where none can be made here.
    pub(crate) silence_matchers: Option<String>,
}

/// How often a label has which value.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct LabelCounts {
    pub(crate) label: String,
    /// How many values there are.
    pub(crate) values: usize,
    /// The most frequent ones first.
    pub(crate) most: Vec<ValueCount>,
}

/// How often a value occurs.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct ValueCount {
    pub(crate) value: String,
    pub(crate) count: usize,
}

impl FiringView {
    pub(crate) fn of(query: &Query, found: FiringAlerts) -> Self {
        let FiringAlerts { alerts, looked_at, replica_labels } = found;
        let total = alerts.len();
        let top = top_of(&alerts);
        Self { query: query.to_string(), total, groups: groups_of(alerts, &replica_labels), top, looked_at }
    }
}

fn groups_of(alerts: Vec<FiringAlert>, replica_labels: &[String]) -> Vec<FiringGroup> {
    let mut by_name: BTreeMap<String, Vec<FiringAlert>> = BTreeMap::new();
    for alert in alerts {
        by_name.entry(alert.name.clone()).or_default().push(alert);
    }
    let mut groups: Vec<_> = by_name
        .into_iter()
        .map(|(name, mut alerts)| {
            let mut common = alerts.first().map(|first| first.labels.clone()).unwrap_or_default();
            common.retain(|label, value| alerts.iter().all(|alert| alert.labels.get(label) == Some(value)));
            for alert in &mut alerts {
                alert.labels.retain(|label, _| !common.contains_key(label));
            }
            let can_be_silenced = !name.is_empty() && alerts.iter().all(|alert| alert.is_silenceable);
            let silence_matchers = can_be_silenced.then(|| {
                let mut matched = common.clone();
                matched.retain(|label, _| !replica_labels.contains(label));
                matchers_of(&matched)
            });
            FiringGroup { name, common, alerts, silence_matchers }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse(group.alerts.len()));
    groups
}

fn top_of(alerts: &[FiringAlert]) -> Vec<LabelCounts> {
    let mut labels: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (label, value) in alerts.iter().flat_map(|alert| &alert.labels) {
        *labels.entry(label).or_default().entry(value).or_default() += 1;
    }
    let counts = |(label, values): (&str, BTreeMap<&str, usize>)| {
        let mut most: Vec<_> = values
            .iter()
            .map(|(value, count)| ValueCount { value: (*value).to_owned(), count: *count })
            .collect();
        most.sort_by_key(|value| std::cmp::Reverse(value.count));
        most.truncate(TOP_VALUES);
        LabelCounts { label: label.to_owned(), values: values.len(), most }
    };
    let mut top: Vec<_> = labels.into_iter().map(counts).collect();
    // What splits them into a few parts says more than what names each.
    top.sort_by_key(|label| (label.values == 1, label.values));
    top.truncate(TOP_LABELS);
    top
}

pub(crate) fn firing(frame: &Frame<'_>, data: &FiringView) -> Sheet {
    let title = frame.say("Now", "当前告警").to_owned();
    Sheet {
        title: format!("{title} ({})", data.total),
        section: Some(Section::Firing),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (title) " " small { (count(data.total as u64)) } }
            (filter_form(frame, "/firing", &data.query, r#"severity="critical", team=~"shop|pay", @receiver=ops, @age>1h"#))
            @if let Some(looked_at) = data.looked_at {
                p.state.warn { (frame.say("More fires than was looked at: the newest ", "告警过多，只查看了最新的 ")) (count(looked_at as u64)) (frame.say(".", " 条。")) }
            }
            @if data.groups.is_empty() {
                section.panel { (nothing(frame.say("Nothing fires, as far as is known.", "目前没有触发中的告警。"))) }
            } @else {
                (top(frame, &data.top))
                @for group in &data.groups { (group_panel(frame, group)) }
            }
        },
    }
}

fn top(frame: &Frame<'_>, top: &[LabelCounts]) -> Markup {
    html! {
        section.panel { details {
            summary { (frame.say("What they have in common", "标签分布")) }
            div.columns {
                @for label in top {
                    div {
                        h3 { (label.label) " " small { (label.values) (frame.say(" values", " 个取值")) } }
                        ul.labels { @for value in &label.most {
                            li { @match with_label(&label.label, &value.value) {
                                Some(query) => { a href=(frame.filtered("/firing", &query)) { (value.value) " " i { (count(value.count as u64)) } } },
                                None => { span { (value.value) " " i { (count(value.count as u64)) } } },
                            } }
                        } }
                    }
                }
            }
        } }
    }
}

fn group_panel(frame: &Frame<'_>, group: &FiringGroup) -> Markup {
    let (shown, more) = group.alerts.split_at(group.alerts.len().min(SHOWN_MAX));
    html! {
        section.panel aria-label=(group.name) {
            h2 { @if group.name.is_empty() { (frame.say("without a name", "无名称")) } @else { (group.name) } " " span.badge.bad { (count(group.alerts.len() as u64)) } }
            (labels_list(&group.common, Some(frame)))
            @if let Some(matchers) = &group.silence_matchers {
                p { a.button href=(frame.new_silence(matchers)) { (frame.say("Silence all of them", "静默整组")) } }
            }
            div.scroll { table { tbody { @for alert in shown { (row(frame, alert)) } } } }
            @if !more.is_empty() {
                details {
                    summary { (frame.say("And so many more: ", "其余：")) (count(more.len() as u64)) }
                    div.scroll { table { tbody { @for alert in more { (row(frame, alert)) } } } }
                }
            }
        }
    }
}

fn row(frame: &Frame<'_>, alert: &FiringAlert) -> Markup {
    html! {
        tr {
            td { a href=(frame.alert(&alert.identity)) { @match alert.since { Some(since) => (frame.time(since)), None => (frame.say("its life", "经过")) } } }
            td { @if alert.labels.is_empty() { "–" } @else { (labels_list(&alert.labels, Some(frame))) } }
            td.wide { (alert.receiver) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(name: &str, labels: &[(&str, &str)]) -> FiringAlert {
        let labels = labels.iter().map(|(label, value)| ((*label).to_owned(), (*value).to_owned())).collect();
        FiringAlert { name: name.to_owned(), labels, ..FiringAlert::default() }
    }

    #[test]
    fn what_a_group_shares_is_said_once_and_the_largest_comes_first() {
        let alerts = vec![
            alert("A", &[("team", "shop")]),
            alert("B", &[("team", "shop"), ("pod", "1")]),
            alert("B", &[("team", "shop"), ("pod", "2")]),
        ];
        let view = FiringView::of(&Query::default(), FiringAlerts { alerts, ..FiringAlerts::default() });
        assert_eq!(view.total, 3);
        let names: Vec<_> = view.groups.iter().map(|group| group.name.as_str()).collect();
        assert_eq!(names, ["B", "A"]);
        let common: Vec<_> = view.groups[0].common.iter().collect();
        assert_eq!(common, [(&"team".to_owned(), &"shop".to_owned())]);
        assert!(view.groups[0].alerts.iter().all(|alert| alert.labels.keys().eq(["pod"])));
        assert_eq!((view.top[0].label.as_str(), view.top[0].values), ("pod", 2), "it splits them");
        assert_eq!(view.top[1].most, [ValueCount { value: "shop".to_owned(), count: 3 }]);
    }
}
