//! The header: how bad, what and where, in one line that is also what a phone shows while it is locked.

use std::fmt::Write;

use super::View;
use super::escape::clean_line;
use super::model::{Header, Template, Text};
use super::severity;
use super::story::{self, Story};

/// How long a title gets, in characters; a phone shows about 40 of them, a desktop 80.
pub(super) const TITLE_CHARACTERS_MAX: usize = 100;
/// How many different names a title gives.
const NAMES_MAX: usize = 2;

pub(super) fn of(view: &View<'_>) -> Header {
    let template = view.stories.first().map_or(Template::Grey, |worst| severity::colour(worst.alert));
    Header { template, title: Text::Plain { content: title(view) } }
}

/// `[critical] HighErrorRate ×3 · prod/checkout`; a message keeps its own first line.
pub(super) fn title(view: &View<'_>) -> String {
    let Some(worst) = view.stories.first() else { return view.words.alert.to_owned() };
    let names = names(view);
    if worst.is_message {
        return if names.is_empty() {
            view.words.alert.to_owned()
        } else {
            clean_line(&names, TITLE_CHARACTERS_MAX)
        };
    }
    let badness = if worst.is_firing() { worst.severity.word(view.words) } else { view.words.resolved };
    let mut title = format!("[{badness}] {}", if names.is_empty() { view.words.alert } else { &names });
    let place = place(view);
    if !place.is_empty() {
        // Writing to a string cannot fail.
        let _written = write!(title, " · {place}");
    }
    clean_line(&title, TITLE_CHARACTERS_MAX)
}

/// The names of the alerts that are as urgent as the worst, each once, with how many there are of it.
fn names(view: &View<'_>) -> String {
    let fires = view.stories.first().is_some_and(Story::is_firing);
    let counted = story::by_name(view.stories.iter().filter(|story| story.is_firing() == fires));
    let mut names: Vec<_> = counted
        .iter()
        .take(NAMES_MAX)
        .map(|(name, count)| if *count > 1 { format!("{name} ×{count}") } else { (*name).to_owned() })
        .collect();
    if counted.len() > NAMES_MAX {
        names.push(format!("+{}", counted.len() - NAMES_MAX));
    }
    names.join(", ")
}

/// Where all of them are; nothing if they are in different places.
fn place(view: &View<'_>) -> String {
    let mut places = view.stories.iter().map(Story::place);
    let Some(first) = places.next() else { return String::new() };
    if places.all(|place| place == first) {
        return first;
    }
    let around = |name| view.shared_facts.iter().find(|(fact, _)| *fact == name).map(|(_, value)| *value);
    ["namespace", "service", "cluster", "instance", "job"]
        .into_iter()
        .find_map(around)
        .unwrap_or_default()
        .to_owned()
}
