//! Several alerts of one name and place, told at once: what all share is said once, and each is called by what tells it
//! from the others. Pure.

use jiff::Timestamp;
use model::alert::{Alert, Status};
use model::envelope::Source;

use super::alert_text::is_blank;
use super::group_labels::GroupLabels;
use super::group_names::GroupNames;
use super::group_text::{self, AlertWords};
use super::item::Item;
use super::notes::{self, VALUE};
use super::summary::DETAILS_MAX;
use crate::link::annotated::{self, AnnotatedLink};
use crate::link::{Link, LinkKind, RUNBOOK};

/// So many alerts of a group are asked which annotations they have.
const ASKED_MAX: usize = 64;
/// Of a few alerts each says its own where that is so short, in bytes.
const EACH_BYTES_MAX: usize = 80;

/// Alerts that are told at once.
pub(super) struct GroupView<'e> {
    /// Their positions.
    pub(super) members: Vec<usize>,
    pub(super) names: GroupNames<'e>,
    pub(super) summary: SharedText,
    pub(super) description: SharedText,
    /// When the first of them began, and when the last did, where that is known of all.
    pub(super) began: Option<TimeRange>,
    /// When they ended, likewise.
    pub(super) ended: Option<TimeRange>,
    /// Annotations of other names than those of the texts.
    pub(super) notes: Vec<GroupNote<'e>>,
    /// Links that lead to the same page for all of them.
    links: Vec<LinkKind>,
    /// Where the Alertmanagers are that they came from, each once; none if not all of them did, or from many.
    pub(super) alertmanagers: Vec<&'e str>,
    /// Annotations that are links, and the same for all of them.
    annotated_links: Vec<&'e str>,
    /// Labels that are the same for all.
    same: Vec<(&'e str, &'e str)>,
    pub(super) reminders: usize,
    has_attention: bool,
}

/// What all of them say, or what one of them says.
pub(super) struct SharedText {
    pub(super) text: String,
    pub(super) is_example: bool,
}

/// An annotation of the alerts of a group.
pub(super) struct GroupNote<'e> {
    pub(super) name: &'e str,
    pub(super) text: GroupNoteText<'e>,
}

/// What an annotation says of the alerts of a group.
pub(super) enum GroupNoteText<'e> {
    /// What all of them say, or what one of them says.
    Shared(SharedText),
    /// What each of them says that says something, by its place in the group.
    Each(Vec<(usize, &'e str)>),
}

/// From the earliest to the latest.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TimeRange {
    pub(super) first: Timestamp,
    pub(super) last: Timestamp,
}

impl<'e> GroupView<'e> {
    /// Of the alerts at these positions; the first one stands for all of them.
    pub(super) fn of(items: &[Item<'e>], members: &[usize]) -> Self {
        let alerts: Vec<_> = members.iter().map(|index| items[*index]).collect();
        let GroupLabels { same, differing } = GroupLabels::of(&alerts);
        let texts: Vec<_> = alerts.iter().map(Item::text).collect();
        let names = GroupNames::of(&alerts, &differing);
        let notes = group_notes(&alerts, &differing, !names.names.is_empty());
        Self {
            members: members.to_vec(),
            names,
            summary: shared_text(&alerts, &differing, texts.iter().map(|text| text.summary)),
            description: shared_text(&alerts, &differing, texts.iter().map(|text| text.description)),
            began: range(&alerts, |alert| alert.starts_at),
            ended: range(&alerts, |alert| alert.ends_at.filter(|_| alert.status == Status::Resolved)),
            notes,
            links: shared_links(&alerts),
            alertmanagers: alertmanagers(&alerts),
            annotated_links: annotated_links(&alerts),
            same,
            reminders: alerts.iter().filter(|item| item.is_reminder()).count(),
            has_attention: alerts.iter().any(|item| item.attention.is_some()),
        }
    }

    /// Whether one block says of all of them what a block for each would say.
    pub(super) fn is_alike(&self) -> bool {
        let is_example = |note: &GroupNote<'_>| match &note.text {
            GroupNoteText::Shared(text) => text.is_example,
            GroupNoteText::Each(_) => false,
        };
        let is_said_once = !self.summary.is_example && !self.description.is_example;
        let is_said_once = is_said_once && !self.notes.iter().any(is_example);
        let is_all_old_or_new = self.reminders == 0 || self.reminders == self.members.len();
        is_said_once && is_all_old_or_new && !self.has_attention && !self.names.names.is_empty()
    }

    /// Whether something was measured of them: that is the first of the notes.
    pub(super) fn is_measured(&self) -> bool {
        self.notes.first().is_some_and(|note| note.name == VALUE)
    }

    pub(super) fn is_same_for_all(&self, name: &str, value: &str) -> bool {
        self.same.contains(&(name, value))
    }

    /// Labels that are the same for all.
    pub(super) fn same(&self) -> &[(&'e str, &'e str)] {
        &self.same
    }

    pub(super) fn shares_picture(&self) -> bool {
        self.links.contains(&LinkKind::Image)
    }

    pub(super) fn shares_link(&self, link: &Link) -> bool {
        match link.annotation.as_deref() {
            Some(annotation) => self.annotated_links.contains(&annotation),
            None => self.links.contains(&link.kind),
        }
    }
}

fn shared_text<'e>(
    alerts: &[Item<'e>],
    labels: &[&str],
    texts: impl Iterator<Item = &'e str> + Clone,
) -> SharedText {
    let example = texts.clone().next().unwrap_or_default();
    let words = alerts.iter().zip(texts).map(|(item, text)| AlertWords {
        text,
        value: |label: usize| item.alert.labels.get(labels[label]).unwrap_or_default(),
    });
    let shared = group_text::shared(labels, words);
    SharedText { is_example: shared.is_none(), text: shared.unwrap_or_else(|| example.to_owned()) }
}

fn range<'e>(alerts: &[Item<'e>], time: impl Fn(&'e Alert<'e>) -> Option<Timestamp>) -> Option<TimeRange> {
    let (first, others) = alerts.split_first()?;
    let first = time(first.alert)?;
    others.iter().try_fold(TimeRange { first, last: first }, |range, item| {
        let at = time(item.alert)?;
        Some(TimeRange { first: range.first.min(at), last: range.last.max(at) })
    })
}

/// What the annotations say that are told by themselves, the measured value first.
fn group_notes<'e>(alerts: &[Item<'e>], differing: &[&'e str], are_named: bool) -> Vec<GroupNote<'e>> {
    let has_value = |item: &Item<'_>| item.alert.annotations.get(VALUE).is_some();
    let mut names: Vec<&'e str> = alerts.iter().any(has_value).then_some(VALUE).into_iter().collect();
    for (name, _) in alerts.iter().take(ASKED_MAX).flat_map(notes::of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let note = |name: &'e str| {
        let texts = alerts.iter().map(|item| item.alert.annotations.get(name).unwrap_or_default());
        let text = shared_text(alerts, differing, texts.clone());
        GroupNote {
            name,
            text: if text.is_example {
                differing_note(texts, are_named)
            } else {
                GroupNoteText::Shared(text)
            },
        }
    };
    names.into_iter().map(note).collect()
}

/// What each of a few alerts says, where that is short; or else what the first one says.
fn differing_note<'e>(texts: impl Iterator<Item = &'e str>, are_named: bool) -> GroupNoteText<'e> {
    let mut said: Vec<_> = texts.enumerate().filter(|(_, text)| !is_blank(text)).collect();
    let is_short = |(_, text): &(usize, &str)| text.len() <= EACH_BYTES_MAX && !text.trim().contains('\n');
    if are_named && said.len() <= DETAILS_MAX && said.iter().all(is_short) {
        return GroupNoteText::Each(said);
    }
    let example = said.drain(..).next().map(|(_, text)| text.to_owned()).unwrap_or_default();
    GroupNoteText::Shared(SharedText { text: example, is_example: true })
}

/// The annotations that are links, and lead to the same page for all of them.
fn annotated_links<'e>(alerts: &[Item<'e>]) -> Vec<&'e str> {
    let Some((first, others)) = alerts.split_first() else { return Vec::new() };
    let is_shared = |link: &AnnotatedLink<'_>| {
        others.iter().all(|item| item.alert.annotations.get(link.name).map(str::trim) == Some(link.url))
    };
    annotated::of(first.alert).filter(is_shared).map(|link| link.name).collect()
}

/// Pages that may be the same for several alerts; logs are those of one alert.
const SHARED_KINDS: [LinkKind; 6] = [
    LinkKind::Source,
    LinkKind::Dashboard,
    LinkKind::Panel,
    LinkKind::Runbook,
    LinkKind::Image,
    LinkKind::Silence,
];

fn shared_links(alerts: &[Item<'_>]) -> Vec<LinkKind> {
    let Some((first, others)) = alerts.split_first() else { return Vec::new() };
    let is_shared = |kind: &LinkKind| {
        let same = address(first.alert, *kind);
        !same.is_empty() && others.iter().all(|item| address(item.alert, *kind) == same)
    };
    SHARED_KINDS.into_iter().filter(is_shared).collect()
}

/// More than the members of one cluster hardly send alerts of one group.
const ALERTMANAGERS_MAX: usize = 3;

fn alertmanagers<'e>(alerts: &[Item<'e>]) -> Vec<&'e str> {
    let mut found: Vec<&'e str> = Vec::new();
    let mut last = None;
    for item in alerts {
        // Alerts of one envelope mostly follow one another.
        if last == Some(item.envelope.id) {
            continue;
        }
        last = Some(item.envelope.id);
        let address: &'e str = &item.envelope.external_url;
        if item.envelope.source != Source::Alertmanager || found.len() > ALERTMANAGERS_MAX {
            return Vec::new();
        }
        if !found.contains(&address) {
            found.push(address);
        }
    }
    found
}

fn address<'a>(alert: &'a Alert<'_>, kind: LinkKind) -> &'a str {
    match kind {
        LinkKind::Source => &alert.generator_url,
        LinkKind::Dashboard => &alert.links.dashboard,
        LinkKind::Panel => &alert.links.panel,
        LinkKind::Runbook => alert.annotations.get(RUNBOOK).unwrap_or_default(),
        LinkKind::Image => &alert.links.image,
        LinkKind::Silence => &alert.links.silence,
        LinkKind::Logs | LinkKind::Errors | LinkKind::Annotated => "",
    }
}
