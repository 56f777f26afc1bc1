//! The header: how bad, what and where, in one line that is also what a phone shows while it is locked.

use super::View;
use super::escape::title_line;
use super::fold::DETAILS_MAX;
use super::model::{Header, Template, Text};
use super::{attention, severity};

/// How long a title gets, in characters; a phone shows about 40 of them, a desktop 80.
pub(super) const TITLE_CHARACTERS_MAX: usize = 100;
/// How many different names a title gives.
const NAMES_MAX: usize = 2;
/// What one name may take of the title, in characters, so that there is room left for where it is.
const NAME_CHARACTERS_MAX: usize = 56;
/// What one of several names may take.
const NAME_AMONG_OTHERS_CHARACTERS_MAX: usize = 28;
/// What the place may take.
const PLACE_CHARACTERS_MAX: usize = 40;

pub(super) fn of(view: &View<'_>) -> Header {
    let template = view.fold.worst.first().map_or(Template::Grey, severity::colour);
    Header { template, title: Text::Plain { content: title(view) } }
}

/// `[CRITICAL] HighErrorRate ×3 · prod/checkout`; of a storm `[CRITICAL] 9000 alerts in prod: DiskFull ×4000, …`;
/// a message keeps its own first line. Or whatever it is in words of one's own.
pub(super) fn title(view: &View<'_>) -> String {
    if let Some(title) = &view.title {
        return title.clone();
    }
    let names = names(view);
    let badge = badge(view);
    let title = if view.stories.iter().any(|story| story.item.is_message()) && view.fold.all.total() == 1 {
        format!("{badge}{names}")
    } else if view.fold.all.total() > DETAILS_MAX {
        let all = view.fold.all;
        let count = if view.fold.is_firing() { all.firing } else { all.resolved };
        format!("{badge}{}", view.words.storm(count, &place(view), &names))
    } else {
        let place = place(view);
        format!("{badge}{names}{}{place}", if place.is_empty() { "" } else { " · " })
    };
    title_line(&title, TITLE_CHARACTERS_MAX)
}

/// How bad it is and whether it is news. A message says the first itself.
pub(super) fn badge(view: &View<'_>) -> String {
    let Some(worst) = view.fold.worst.first() else { return String::new() };
    let (words, all) = (view.words, view.fold.all);
    let is_known = view.fold.is_firing() && view.fold.reminders.count == all.firing;
    let mut badges = Vec::new();
    if is_known {
        badges.push(words.reminder);
    }
    if attention::is_all_taken_on(view) {
        badges.push(words.taken_on);
    }
    if !worst.is_message() || all.total() > 1 {
        badges.push(if worst.is_firing() { severity::of(worst).0.word(words) } else { words.resolved });
    }
    if badges.is_empty() { String::new() } else { format!("[{}] ", badges.join(" · ")) }
}

/// The names of the alerts that fire, or of all if none does, the worst first, with how many there are of it.
fn names(view: &View<'_>) -> String {
    let (names, kinds) = view.fold.names(NAMES_MAX);
    let characters = match (kinds, view.fold.all.total()) {
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

/// Where all of them are; if they are in different places, where most are, and how many other places there are.
fn place(view: &View<'_>) -> String {
    let cut = |place: &str| title_line(place, PLACE_CHARACTERS_MAX);
    let mut items = view.items.iter().filter(|item| item.is_firing() == view.fold.is_firing());
    // Of a storm this would take as long as all the rest, and the facts all share say nearly the same.
    if view.items.len() <= DETAILS_MAX
        && let Some(first) = items.next()
        && items.all(|item| item.thing() == first.thing() && item.around() == first.around())
    {
        return cut(&first.place());
    }
    let fact = |name: &&str| view.shared_facts.iter().find(|(fact, _)| fact == name).map(|(_, value)| *value);
    let shared: Vec<_> = ["namespace", "service"].iter().filter_map(fact).collect();
    if !shared.is_empty() {
        return cut(&shared.join("/"));
    }
    // The namespace most of them are in says more than the cluster that all are in.
    if let Some((around, others)) = view.fold.around() {
        return view.words.place(&cut(around), others);
    }
    ["cluster", "instance", "job"].iter().find_map(fact).map(cut).unwrap_or_default()
}
