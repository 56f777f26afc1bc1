//! What a card says of what people have done about its alerts. Pure.

use super::escape::{clean_line, markdown};
use super::item::Item;
use super::view::View;
use super::{icons, times};

/// How much of a name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

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
    let attention = item.attention;
    let at = |time| times::shown(time, view.timezone);
    let acknowledged = attention.and_then(|attention| attention.acknowledged.as_ref());
    let taken_on = acknowledged.map(|acknowledged| {
        (icons::TAKEN_ON, view.words.taken_on(&name(&acknowledged.by), &at(acknowledged.at)))
    });
    let silenced = attention
        .and_then(|attention| attention.silenced_at(view.now))
        .map(|silenced| (icons::SILENCED, view.words.silenced(&name(&silenced.by), &at(silenced.until))));
    let unheard = item.unheard_since().map(|since| (icons::SILENCED, view.words.unheard_since(&at(since))));
    let escalated = attention.into_iter().flat_map(|attention| &attention.escalated).map(|escalated| {
        let who = escalated.who.iter().map(|who| name(who)).collect::<Vec<_>>();
        (icons::ESCALATED, view.words.escalated(&who, &escalated.how, &at(escalated.at)))
    });
    let escalated: Vec<_> = escalated.collect();
    taken_on.into_iter().chain(silenced).chain(unheard).chain(escalated).collect()
}

/// How many of several alerts somebody has taken on, and how many are silenced; nothing where none is.
pub(super) fn counts(view: &View<'_>) -> Option<String> {
    let seen = || view.items.iter().filter_map(|item| item.attention);
    let taken_on = seen().filter(|attention| attention.acknowledged.is_some()).count();
    let silenced = seen().filter(|attention| attention.silenced_at(view.now).is_some()).count();
    let escalated = seen().filter(|attention| !attention.escalated.is_empty()).count();
    let counted = [
        (taken_on, icons::TAKEN_ON, view.words.taken_on_count(taken_on)),
        (silenced, icons::SILENCED, view.words.silenced_count(silenced)),
        (escalated, icons::ESCALATED, view.words.escalated_count(escalated)),
    ];
    let said =
        counted.into_iter().filter(|(count, ..)| *count > 0).map(|(_, sign, said)| format!("{sign} {said}"));
    let said = said.collect::<Vec<_>>().join(" · ");
    (!said.is_empty()).then_some(said)
}

/// Whether there is something on it of which nobody has said that it is over.
pub(super) fn is_any_unheard(view: &View<'_>) -> bool {
    view.items.iter().any(|item| item.unheard_since().is_some())
}

/// Whether somebody has taken on everything that fires.
pub(super) fn is_all_taken_on(view: &View<'_>) -> bool {
    let mut firing = view.items.iter().filter(|item| item.is_firing());
    view.summary.is_firing()
        && firing.all(|item| item.attention.is_some_and(|attention| attention.acknowledged.is_some()))
}
