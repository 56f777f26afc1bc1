//! What people have done about an alert since it was told.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::escape::{clean_line, markdown};
use super::{Item, View, sign, times};

/// How much of a name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

/// Who looks after an alert, and whether it is silenced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attention {
    /// Who has taken it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
    /// Who has silenced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silenced: Option<Silenced>,
}

/// Somebody has taken an alert on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Their name, as it is to be shown.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
}

/// Somebody has silenced an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silenced {
    /// Their name, as it is to be shown.
    pub by: String,
    /// Until when.
    pub until: Timestamp,
}

impl Attention {
    fn silenced_at(&self, now: Timestamp) -> Option<&Silenced> {
        self.silenced.as_ref().filter(|silenced| silenced.until > now)
    }
}

/// A name in plain text.
pub(super) fn plain_name(by: &str) -> String {
    clean_line(by, NAME_CHARACTERS_MAX)
}

/// A name in a card: of a person of Feishu's, Feishu shows its own. That notifies nobody: a card is acknowledged only
/// after it was sent, and updates do not notify (reference "Feishu", 2).
pub(super) fn card_name(by: &str) -> String {
    let is_open_id = by.strip_prefix("ou_").is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
    });
    if is_open_id { format!("<at id={by}></at>") } else { markdown(&plain_name(by)) }
}

/// What a reader should know of it, in lines with their signs; `name` makes a name fit for where they stand.
pub(super) fn lines(
    view: &View<'_>,
    item: &Item<'_>,
    name: impl Fn(&str) -> String,
) -> Vec<(&'static str, String)> {
    let Some(attention) = item.attention else { return Vec::new() };
    let at = |time| times::shown(time, view.timezone);
    let taken_on = attention.acknowledged.as_ref().map(|acknowledged| {
        (sign::TAKEN_ON, view.words.taken_on(&name(&acknowledged.by), &at(acknowledged.at)))
    });
    let silenced = attention
        .silenced_at(view.now)
        .map(|silenced| (sign::SILENCED, view.words.silenced(&name(&silenced.by), &at(silenced.until))));
    taken_on.into_iter().chain(silenced).collect()
}

/// How many of several alerts somebody has taken on, and how many are silenced; nothing where none is.
pub(super) fn counts(view: &View<'_>) -> Option<String> {
    let seen = || view.items.iter().filter_map(|item| item.attention);
    let taken_on = seen().filter(|attention| attention.acknowledged.is_some()).count();
    let silenced = seen().filter(|attention| attention.silenced_at(view.now).is_some()).count();
    let counted = [
        (taken_on, sign::TAKEN_ON, view.words.taken_on_count(taken_on)),
        (silenced, sign::SILENCED, view.words.silenced_count(silenced)),
    ];
    let told =
        counted.into_iter().filter(|(count, ..)| *count > 0).map(|(_, sign, told)| format!("{sign} {told}"));
    let told = told.collect::<Vec<_>>().join(" · ");
    (!told.is_empty()).then_some(told)
}

/// Whether somebody has taken on everything that fires.
pub(super) fn is_all_taken_on(view: &View<'_>) -> bool {
    let mut firing = view.items.iter().filter(|item| item.is_firing());
    view.fold.is_firing()
        && firing.all(|item| item.attention.is_some_and(|attention| attention.acknowledged.is_some()))
}
