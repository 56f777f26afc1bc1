//! The header: how bad, what and where, in one line that is also what a phone shows while it is locked. Pure.

use super::alert_text::TITLE_CHARACTERS_MAX;
use super::card::{CardText, Header, Template};
use super::escape::title_line;
use super::item::Item;
use super::state_reason::StateReason;
use super::summary::DETAILS_MAX;
use super::view::View;
use super::{attention_lines, severity};

/// How many different names a title gives.
const NAMES_MAX: usize = 2;
/// What one name may take of the title, in characters, so that there is room left for where it is.
const NAME_CHARACTERS_MAX: usize = 56;
/// What one of several names may take.
const NAME_AMONG_OTHERS_CHARACTERS_MAX: usize = 28;
/// What a word for severity may take that nobody knows.
const SEVERITY_CHARACTERS_MAX: usize = 24;
/// What the place may take.
const PLACE_CHARACTERS_MAX: usize = 40;

pub(super) fn of(view: &View<'_>) -> Header {
    let colour =
        view.summary.worst.as_ref().map_or(Template::Grey, |worst| severity::colour(worst, view.severities));
    // What was left out may still fire, and so may what is not heard of, or whose rule was paused: nobody knows.
    let is_unsure = || {
        view.is_cut()
            || attention_lines::is_any_unheard(view)
            || view.items.iter().any(is_over_for_another_reason)
    };
    let template = if colour == Template::Green && is_unsure() { Template::Grey } else { colour };
    Header { template, title: CardText::Plain { content: title(view) }, besides: None }
}

/// Whether it is over, and not because all is well again.
fn is_over_for_another_reason(item: &Item<'_>) -> bool {
    item.state_reason().is_some_and(StateReason::is_end_without_recovery)
}

/// `[CRITICAL] HighErrorRate ×3 · prod/checkout`; of a storm `[CRITICAL] 9000 alerts in prod: DiskFull ×4000, …`;
/// a message keeps its own first line. Or whatever it is in words of one's own.
pub(super) fn title(view: &View<'_>) -> String {
    if let Some(title) = &view.title {
        return title.clone();
    }
    let names = names(view);
    let badge = badge(view);
    let title = if is_lone_message(view) {
        format!("{badge}{names}")
    } else if view.summary.all.total() > DETAILS_MAX {
        let all = view.summary.all;
        let count = if view.summary.is_firing() { all.firing } else { all.resolved };
        format!("{badge}{}", view.words.storm(count, &place(view), &names))
    } else {
        let place = place(view);
        format!("{badge}{names}{}{place}", if place.is_empty() { "" } else { " · " })
    };
    title_line(&title, TITLE_CHARACTERS_MAX)
}

/// What a title begins with.
#[derive(Default)]
pub(super) struct Badge {
    /// Whether it is news, or somebody's business already.
    pub(super) standing: Vec<String>,
    /// How bad it is, and why, where that is not its rule's condition. A message says that itself.
    pub(super) state: Vec<String>,
}

/// The same as text.
pub(super) fn badge(view: &View<'_>) -> String {
    let Badge { standing, state } = badge_of(view);
    let badges: Vec<_> = standing.into_iter().chain(state).collect();
    if badges.is_empty() { String::new() } else { format!("[{}] ", badges.join(" · ")) }
}

/// How bad it is and whether it is news.
pub(super) fn badge_of(view: &View<'_>) -> Badge {
    let Some(worst) = &view.summary.worst else { return Badge::default() };
    let words = view.words;
    let all = view.summary.all;
    let is_known = view.summary.is_firing() && view.summary.reminders.count == all.firing;
    let mut standing = Vec::new();
    standing.extend(view.instead_of().map(|receiver| words.instead_of(&receiver)));
    standing.extend(words.part(view.besides.part.number).map(str::to_owned));
    if is_known {
        standing.push(words.reminder.to_owned());
    }
    if attention_lines::is_all_taken_on(view) {
        standing.push(words.taken_on.to_owned());
    }
    let says_it_itself = worst.is_message() && all.total() == 1;
    let state = if says_it_itself { Vec::new() } else { state_of(view, worst) };
    Badge { standing, state }
}

/// How bad the worst is or how it ended, and why, where that is not its rule's condition.
fn state_of(view: &View<'_>, worst: &Item<'_>) -> Vec<String> {
    let words = view.words;
    let (severity, said) = severity::of(worst, view.severities);
    let state = match worst.is_firing() {
        true => &title_line(severity.word(said, words), SEVERITY_CHARACTERS_MAX),
        false if view.is_cut() => words.partly_resolved,
        false if attention_lines::is_any_unheard(view) => words.unheard,
        false if is_over_for_another_reason(worst) => words.over_badge,
        false => words.resolved,
    };
    let reason = worst.state_reason().map(|reason| words.reason_badge(reason));
    [Some(state), reason].into_iter().flatten().map(str::to_owned).collect()
}

/// The title without its badge and its place.
pub(super) fn bare_title(view: &View<'_>) -> String {
    title_line(&names(view), TITLE_CHARACTERS_MAX)
}

/// The place of a title; a message has none.
pub(super) fn bare_place(view: &View<'_>) -> String {
    if is_lone_message(view) { String::new() } else { place(view) }
}

fn is_lone_message(view: &View<'_>) -> bool {
    view.alert_views.iter().any(|alert_view| alert_view.item.is_message()) && view.summary.all.total() == 1
}

/// The names of the alerts that fire, or of all if none does, the worst first, with how many there are of it.
fn names(view: &View<'_>) -> String {
    let (names, kinds) = view.summary.names(NAMES_MAX);
    let characters = match (kinds, view.summary.all.total()) {
        (1, 1) => TITLE_CHARACTERS_MAX,
        (1, _) => NAME_CHARACTERS_MAX,
        _ => NAME_AMONG_OTHERS_CHARACTERS_MAX,
    };
    let mut shown: Vec<_> = names
        .iter()
        .map(|name| match (title_line(name.name, characters), name.count) {
            (shown, 1) => shown,
            (shown, count) => format!("{shown} ×{count}"),
        })
        .collect();
    if shown.is_empty() {
        shown.push(view.words.alert.to_owned());
    }
    if kinds > names.len() {
        shown.push(format!("+{}", kinds - names.len()));
    }
    shown.join(", ")
}

/// Where all of them are; if they are in different places, where the worst is, and how many other places there are.
fn place(view: &View<'_>) -> String {
    let cut = |place: &str| title_line(place, PLACE_CHARACTERS_MAX);
    let mut items = view.items.iter().filter(|item| item.is_firing() == view.summary.is_firing());
    // Of a storm this would take as long as all the rest, and the facts all share say nearly the same.
    if view.items.len() <= DETAILS_MAX
        && let Some(first) = items.next()
        && items.all(|item| item.thing() == first.thing() && item.around() == first.around())
    {
        return cut(&first.place());
    }
    let fact = |name: &&str| view.shared_facts.iter().find(|(fact, _)| fact == name).map(|(_, value)| *value);
    let thing = view.summary.worst.as_ref().and_then(Item::thing);
    // Of a service that all share it is ill; of one that only measures them it is not.
    let service = fact(&"service").filter(|service| thing == Some(service));
    if let Some(namespace) = fact(&"namespace") {
        return cut(&[Some(namespace), service].into_iter().flatten().collect::<Vec<_>>().join("/"));
    }
    // The namespace that the worst is in says more than the cluster that all are in.
    if let Some((around, others)) = view.summary.around() {
        return view.words.place(&cut(around), others);
    }
    service.or_else(|| ["cluster", "instance", "job"].iter().find_map(fact)).map(cut).unwrap_or_default()
}
