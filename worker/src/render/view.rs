//! Alerts, looked at with a reader in mind: what every part of a card is made from. Pure.

use std::borrow::Cow;

use config::{CardFormat, LinksConfig, Locale, SeverityWords};
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::alert_view::{self, AlertView};
use super::card::Button;
use super::escape::clean_line;
use super::group_view::GroupView;
use super::i18n::{self, Words};
use super::icons::Light;
use super::item::Item;
use super::listing::ListLine;
use super::nearly_shared::{self, NearlyShared};
use super::origin::SharedOrigin;
use super::summary::{DETAILS_MAX, Rank, Summary, SummaryGroup};
use super::template::AppliedTemplate;
use crate::people::mentions::Mentions;

/// How much of a receiver's name is shown: as long as one may be.
const RECEIVER_CHARACTERS_MAX: usize = 64;

/// How cards look for everybody.
#[derive(Clone, Debug)]
pub struct Style {
    /// The zone times are shown in.
    pub timezone: TimeZone,
    /// The language.
    pub locale: Locale,
    /// Where links lead.
    pub links: LinksConfig,
    /// How bad words are, besides those that are known anyway.
    pub severities: SeverityWords,
}

/// What cards before this one told of the same storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StormSoFar {
    /// When the first of them was sent.
    pub begun_at: Timestamp,
    /// When the last one was.
    pub last_card_at: Timestamp,
    /// How many there were.
    pub cards: usize,
    /// Alerts they told that fired, reminders left out.
    pub firing: usize,
    /// Alerts they told that were over.
    pub resolved: usize,
}

/// Which of several cards it is that one storm is listed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CardPart {
    /// Counted from one.
    pub number: usize,
    /// Whether what is not listed on it may go onto another.
    pub may_go_on: bool,
}

impl Default for CardPart {
    fn default() -> Self {
        Self { number: 1, may_go_on: false }
    }
}

/// What stands on a card besides its alerts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Besides<'b> {
    /// What it is written in.
    pub format: CardFormat,
    /// A row of buttons of the card's own, at its end.
    pub buttons: &'b [Button],
    /// What is said below them.
    pub button_note: Option<&'b str>,
    /// Whose alerts they are.
    pub owners: Option<&'b Mentions>,
    /// Words of one's own, in place of the built-in ones.
    pub worded: Option<&'b AppliedTemplate<'b>>,
    /// By which name `larkfire cards show` finds it, if it does.
    pub card: Option<&'b str>,
    /// Which of several cards it is.
    pub part: CardPart,
    /// What cards before it told of the same storm.
    pub storm: Option<StormSoFar>,
    /// Why it comes although the alerts were told: nobody has taken them on. Plain text.
    pub escalation: Option<&'b str>,
}

/// Alerts, looked at with a reader in mind.
pub(super) struct View<'e> {
    pub(super) items: &'e [Item<'e>],
    pub(super) summary: Summary<'e>,
    /// The worst of them, as told in detail: alerts, or groups of alerts.
    pub(super) alert_views: Vec<AlertView<'e>>,
    /// All others, by name.
    pub(super) lines: Vec<ListLine<'e>>,
    /// Facts that are the same for every alert, said once.
    pub(super) shared_facts: Vec<(&'e str, &'e str)>,
    /// Facts that are the same for nearly every alert of a storm.
    pub(super) nearly_shared: Vec<NearlyShared<'e>>,
    /// `None` without items.
    pub(super) origin: Option<SharedOrigin<'e>>,
    pub(super) words: &'static Words,
    pub(super) timezone: &'e TimeZone,
    pub(super) links: &'e LinksConfig,
    pub(super) severities: &'e SeverityWords,
    pub(super) besides: Besides<'e>,
    /// In words of one's own; `None`: in the built-in ones.
    pub(super) title: Option<String>,
    pub(super) now: Timestamp,
}

impl<'e> View<'e> {
    /// In the built-in words.
    pub(super) fn new(items: &'e [Item<'e>], style: &'e Style, now: Timestamp, besides: Besides<'e>) -> Self {
        let severities = &style.severities;
        let summary = Summary::of(items, severities);
        let is_storm = items.len() > DETAILS_MAX;
        let mut alert_views = if is_storm {
            storm_views(items, &summary)
        } else {
            calm_views(items, &summary, severities, besides.worded.is_none())
        };
        let in_detail = if is_storm { alert_views.len() } else { summary.groups.len() };
        let lines = ListLine::all_of(items, &summary.groups[in_detail..]);
        let shared_facts = alert_view::take_shared(&mut alert_views, &lines, items);
        let words = i18n::of(style.locale);
        let timezone = &style.timezone;
        Self {
            items,
            summary,
            alert_views,
            lines,
            nearly_shared: nearly_shared::of(items, &shared_facts),
            shared_facts,
            origin: SharedOrigin::of(items, &style.links),
            words,
            timezone,
            links: &style.links,
            severities,
            besides,
            title: None,
            now,
        }
    }

    /// How many alerts the senders left out before we saw them.
    pub(super) fn truncated(&self) -> u64 {
        self.origin.as_ref().map_or(0, |origin| origin.truncated)
    }

    /// The names of the alerts of each view, none where it is a single alert, then of each line.
    pub(super) fn names(&self) -> impl Iterator<Item = &[Cow<'e, str>]> {
        fn of_alert_view<'s, 'e>(alert_view: &'s AlertView<'e>) -> &'s [Cow<'e, str>] {
            alert_view.group.as_ref().map_or(&[], |group| &group.names.names)
        }
        self.alert_views.iter().map(of_alert_view).chain(self.lines.iter().map(|line| &line.names[..]))
    }

    /// The receiver that all of it is for, where another is told instead; as clean text.
    pub(super) fn instead_of(&self) -> Option<String> {
        let receiver = &*self.items.first()?.envelope.instead_of;
        let are_all = self.items.iter().all(|item| item.envelope.instead_of == receiver);
        (are_all && !receiver.is_empty()).then(|| clean_line(receiver, RECEIVER_CHARACTERS_MAX))
    }

    /// Whether there are alerts of which nobody knows how they are.
    pub(super) fn is_cut(&self) -> bool {
        self.truncated() > 0
    }

    /// Whether the words of one's own have a place for the links, and so the card has none.
    pub(super) fn places_links(&self) -> bool {
        self.besides.worded.is_some_and(AppliedTemplate::places_links)
    }
}

/// Of many alerts the worst groups are told in detail, each once.
fn storm_views<'e>(items: &[Item<'e>], summary: &Summary<'e>) -> Vec<AlertView<'e>> {
    let alert_view = |group: &SummaryGroup<'e>| {
        let lead = group.rank().index();
        match group.members[..] {
            [_] => AlertView::of(items[lead], lead),
            _ => AlertView::of_group(items[lead], lead, GroupView::of(items, &group.members)),
        }
    };
    summary.groups.iter().take(DETAILS_MAX).map(alert_view).collect()
}

/// Of a few alerts each is told in detail, or, where that would be the same over and over, its group once.
fn calm_views<'e>(
    items: &[Item<'e>],
    summary: &Summary<'e>,
    severities: &SeverityWords,
    may_group: bool,
) -> Vec<AlertView<'e>> {
    let mut alert_views = Vec::new();
    for group in &summary.groups {
        let alike = (may_group && group.members.len() > 1)
            .then(|| GroupView::of(items, &group.members))
            .filter(GroupView::is_alike);
        let lead = group.rank().index();
        match alike {
            Some(alike) => alert_views.push(AlertView::of_group(items[lead], lead, alike)),
            None => {
                alert_views.extend(group.members.iter().map(|index| AlertView::of(items[*index], *index)));
            }
        }
    }
    alert_views.sort_by_key(|alert_view| {
        Rank::of(&alert_view.item, Light::of(&alert_view.item, severities), alert_view.index)
    });
    alert_views
}
