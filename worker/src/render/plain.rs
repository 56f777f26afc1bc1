//! A card without being one: as plain text for Feishu. Pure.

use std::borrow::Cow;

use super::alert_view::AlertView;
use super::escape::{clean_line, untagged};
use super::icons::{self, Light};
use super::listing::ListedNames;
use super::rest::Rest;
use super::room::allot;
use super::view::View;
use super::{Rendered, attention_lines, header, links, note_lines, owners, parts, rest, storm, times};

/// How long a plain text gets, in bytes; a screenful, and far below every limit of Feishu's.
pub const TEXT_BYTES_MAX: usize = 8_000;
/// A line feed, and a colon in any language.
const AROUND_LINE_BYTES: usize = 4;
const NAME_CHARACTERS_MAX: usize = 120;
const SUMMARY_CHARACTERS_MAX: usize = 200;
const DESCRIPTION_CHARACTERS_MAX: usize = 1_000;
/// Of several alerts each is told in a few lines.
const DESCRIPTION_AMONG_OTHERS_CHARACTERS_MAX: usize = 200;
/// Annotations besides these texts.
const NOTES_MAX: usize = 16;
const NOTES_AMONG_OTHERS_MAX: usize = 4;
/// What the sender says of all of it.
const NOTICE_CHARACTERS_MAX: usize = 300;
/// Words of one's own, which have to be shorter in company as well.
const BODY_CHARACTERS_MAX: usize = 1_500;
const BODY_AMONG_OTHERS_CHARACTERS_MAX: usize = 400;

/// All of it as plain text.
pub(super) fn text(view: &View<'_>) -> Rendered<String> {
    let names = view.names().map(|names| names.iter().map(|name| tagless(name)).collect());
    let names: Vec<Vec<_>> = names.collect();
    let names = names.iter().map(|names| ListedNames::of(names)).collect();
    let fitting = TextFitting { view, names };
    // Without links anything fits.
    let fitted = fitting.text(true).or_else(|| fitting.text(false));
    fitted.unwrap_or_else(|| Rendered {
        content: untagged(&header::title(view)),
        summarised: if view.items.len() > 1 { (0..view.items.len()).collect() } else { Vec::new() },
    })
}

fn tagless(name: &str) -> Cow<'_, str> {
    if name.contains('<') { untagged(name).into() } else { name.into() }
}

/// What is told of the alerts of a view.
struct TextFitting<'v> {
    view: &'v View<'v>,
    /// The names of the alerts of each view that is a group, then of each line.
    names: Vec<ListedNames<'v>>,
}

impl TextFitting<'_> {
    /// The text within its limit, unless not even the worst alert fits.
    fn text(&self, with_links: bool) -> Option<Rendered<String>> {
        let view = self.view;
        let mut text = self.top();
        let longest_end = ending(view, Rest::most(view), with_links).len();
        let room = TEXT_BYTES_MAX.checked_sub(text.len() + longest_end)?;
        let line_feed =
            |index: usize| usize::from(index < view.alert_views.len() && !self.names[index].is_empty());
        let length_of = |index: usize| self.names[index].bytes() + line_feed(index);
        let grants = allot(&self.forms(with_links), length_of, room);
        if !view.alert_views.is_empty() && grants.first().copied().flatten().is_none() {
            return None;
        }
        let mut unnamed = Vec::new();
        let (in_detail, listed) = grants.split_at(view.alert_views.len());
        for ((alert_view, names), grant) in view.alert_views.iter().zip(&self.names).zip(in_detail) {
            let Some(grant) = grant else {
                unnamed.extend(alert_view.members());
                continue;
            };
            text.push_str(&untagged(&detail(view, alert_view, grant.level == 0, with_links)));
            let Some(group) = &alert_view.group else { continue };
            let names = names.within(&group.members, grant.names.saturating_sub(1), &mut unnamed);
            if !names.is_empty() {
                text.extend(["\n", &names]);
            }
        }
        let names = &self.names[view.alert_views.len()..];
        for ((line, names), grant) in view.lines.iter().zip(names).zip(listed) {
            let Some(grant) = grant else {
                unnamed.extend(&line.members);
                continue;
            };
            let names = names.within(&line.members, grant.names, &mut unnamed);
            text.extend(["\n", &untagged(&line.title(view.words))]);
            if !names.is_empty() {
                text.extend([view.words.colon, &names]);
            }
        }
        text.push_str(&ending(view, Rest::of(view, &grants, unnamed.len()), with_links));
        Some(Rendered { content: text, summarised: unnamed })
    }

    /// What stands above the alerts.
    fn top(&self) -> String {
        let view = self.view;
        let mut text = untagged(&header::title(view));
        if let Some(why) = view.besides.escalation {
            let why = untagged(&clean_line(why, parts::ESCALATION_CHARACTERS_MAX));
            text.extend(["\n", icons::ESCALATED, " ", &why]);
        }
        if view.summary.all.total() > 1 {
            let counts = [
                Some(view.words.counts(view.summary.all)),
                parts::delivered_before(view),
                attention_lines::counts(view),
            ];
            text.push('\n');
            text.push_str(&counts.into_iter().flatten().collect::<Vec<_>>().join(" · "));
            let is_worded = view.alert_views.iter().all(|alert_view| alert_view.body.is_some());
            let shared = parts::shared_line(view).filter(|_| !is_worded).map(|line| untagged(&line));
            for line in storm::line(view).into_iter().chain(shared) {
                text.extend(["\n", &line]);
            }
        }
        if view.summary.all.total() > 1
            && let Some(notice) = note_lines::notices(view, NOTICE_CHARACTERS_MAX).first()
        {
            text.extend(["\n", &untagged(notice)]);
        }
        if let Some(owners) = owners::text(view) {
            text.extend(["\n", &owners]);
        }
        text
    }

    /// How long every block and every line is in each of its forms, without names.
    fn forms(&self, with_links: bool) -> Vec<Vec<usize>> {
        let alert_views = self.view.alert_views.iter().map(|alert_view| {
            let length = |is_short| untagged(&detail(self.view, alert_view, is_short, with_links)).len();
            vec![length(true), length(false)]
        });
        let lines = self.view.lines.iter();
        let lines = lines.map(|line| vec![untagged(&line.title(self.view.words)).len() + AROUND_LINE_BYTES]);
        alert_views.chain(lines).collect()
    }
}

/// One alert or one group, each of its lines with a line feed before it.
fn detail(view: &View<'_>, alert_view: &AlertView<'_>, is_short: bool, with_links: bool) -> String {
    let is_alone = view.summary.all.total() == 1;
    let mut lines = Vec::new();
    if is_alone {
        lines.extend(parts::standing(view, alert_view).map(|(sign, standing)| format!("{sign} {standing}")));
    } else {
        lines.push(format!(
            "\n{} {}",
            Light::of(&alert_view.item, view.severities).sign(),
            head(view, alert_view)
        ));
        lines.push(parts::facts_line(
            view,
            alert_view,
            if is_short { 0 } else { parts::FACTS },
            NAME_CHARACTERS_MAX,
        ));
    }
    if alert_view.group.is_none() {
        let attention =
            attention_lines::lines(view, &alert_view.item, attention_lines::plain_name).into_iter();
        lines.extend(attention.map(|(sign, line)| format!("{sign} {line}")));
    }
    if let Some(body) = &alert_view.body {
        lines.push(body.plain(if is_alone { BODY_CHARACTERS_MAX } else { BODY_AMONG_OTHERS_CHARACTERS_MAX }));
    } else {
        lines.extend(texts(view, alert_view, is_short && !is_alone));
    }
    let are_placed = alert_view.body.is_some() && view.places_links();
    if is_alone && with_links && !are_placed {
        let found = links::of(view, alert_view).into_iter();
        lines.extend(found.map(|link| format!("{} {}", links::name(&link, view.words), link.url)));
    }
    lines.iter().filter(|line| !line.is_empty()).fold(String::new(), |text, line| format!("{text}\n{line}"))
}

/// What one of several is called, where it is, and how many there are of it.
fn head(view: &View<'_>, alert_view: &AlertView<'_>) -> String {
    let name =
        if alert_view.item.name().trim().is_empty() { view.words.alert } else { alert_view.item.name() };
    let around = alert_view.item.around().unwrap_or_default();
    let (count, place, again) = match &alert_view.group {
        Some(group) => (format!(" ×{}", group.members.len()), around.to_owned(), ""),
        None if alert_view.item.is_reminder() => {
            (String::new(), alert_view.item.place(), view.words.reminder)
        }
        None => (String::new(), alert_view.item.place(), ""),
    };
    let name = clean_line(name, NAME_CHARACTERS_MAX) + &count;
    let place = clean_line(&place, NAME_CHARACTERS_MAX);
    let parts = [name.as_str(), &place, again].into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(" · ")
}

/// What it says, and when it was.
fn texts(view: &View<'_>, alert_view: &AlertView<'_>, is_short: bool) -> Vec<String> {
    let is_alone = view.summary.all.total() == 1;
    let longest = if is_alone { DESCRIPTION_CHARACTERS_MAX } else { DESCRIPTION_AMONG_OTHERS_CHARACTERS_MAX };
    let reason = alert_view.item.state_reason().map(|reason| view.words.reason(reason).to_owned());
    let summary = parts::summary_of(view, alert_view, SUMMARY_CHARACTERS_MAX);
    let mut lines: Vec<_> = reason.into_iter().chain([summary]).collect();
    if is_short {
        return lines;
    }
    lines.push(parts::description_of(view, alert_view, longest));
    let notes = if is_alone { NOTES_MAX } else { NOTES_AMONG_OTHERS_MAX };
    lines.extend(note_lines::lines(view, alert_view, notes, SUMMARY_CHARACTERS_MAX));
    if is_alone {
        lines.extend(note_lines::notices(view, longest));
    }
    let times = match &alert_view.group {
        Some(group) => parts::group_times(view, group, &alert_view.item),
        None => times::facts(&alert_view.item, view.words, view.timezone, view.now),
    };
    lines.extend(times.iter().map(|(name, value)| format!("{name}{}{value}", view.words.colon)));
    lines
}

/// What follows the alerts: what is missing, where to see it, and how much is listed.
fn ending(view: &View<'_>, rest: Rest, with_links: bool) -> String {
    let mut lines = rest::lines(view, rest);
    if with_links {
        let senders = rest::senders(view, rest);
        lines.extend(senders.iter().map(|(_, url)| format!("{} {url}", view.words.all_alerts)));
    }
    lines.extend(rest::listed(view, rest));
    if lines.is_empty() { String::new() } else { untagged(&format!("\n\n{}", lines.join("\n"))) }
}
