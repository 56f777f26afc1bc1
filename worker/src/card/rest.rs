//! What is not told in detail: counted by name, and summed up where even that is too much.

use super::escape::{clean_line, markdown};
use super::fold::Rest;
use super::model::Element;
use super::parts::{Detail, paragraph};
use super::{View, sign};

/// How much of a group's name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 48;
/// How much of where it is.
const PLACE_CHARACTERS_MAX: usize = 32;

/// The lines about the rest, its first `shown` groups by name, without markup; none if nothing is missing.
pub(super) fn lines(view: &View<'_>, rest: &Rest<'_>, shown: usize) -> Vec<String> {
    let mut lines = Vec::new();
    if rest.more.total() > 0 {
        lines.push(format!("{} {}", sign::MORE, view.words.more(rest.more)));
    }
    for group in rest.groups.iter().take(shown) {
        let name = if group.name.trim().is_empty() { view.words.alert } else { group.name };
        let mut line = format!("{} ×{} ", group.light.sign(), group.count);
        line.push_str(&clean_line(name, NAME_CHARACTERS_MAX));
        if !group.around.is_empty() {
            line.extend([" · ", &clean_line(group.around, PLACE_CHARACTERS_MAX)]);
        }
        lines.push(line);
    }
    let kinds = rest.kinds - shown.min(rest.groups.len());
    if shown > 0 && kinds > 0 {
        lines.push(format!("{} {}", sign::MORE, view.words.others(kinds, rest.beyond(shown))));
    }
    let truncated = view.origin.as_ref().map_or(0, |origin| origin.truncated);
    if truncated > 0 {
        lines.push(format!("{} {}", sign::MORE, view.words.left_out(truncated)));
    }
    lines
}

/// Where all of it can be seen, if there is more than is told; each address with its host.
pub(super) fn senders<'v>(view: &'v View<'_>, lines: &[String]) -> Vec<(&'v str, &'v str)> {
    let Some(origin) = view.origin.as_ref().filter(|_| !lines.is_empty()) else { return Vec::new() };
    let host = |url: &'v str| url.split('/').nth(2).unwrap_or(url);
    origin.senders.iter().map(|url| (host(url), url.as_str())).collect()
}

/// The end of a card: the rest, and where to see it.
pub(super) fn elements(view: &View<'_>, rest: &Rest<'_>, shown: usize, detail: Detail) -> Vec<Element> {
    let plain = lines(view, rest, shown);
    let mut marked: Vec<_> = plain.iter().map(|line| markdown(line)).collect();
    // A phone scrolls past the details; this is where the eye has to stop.
    if rest.more.total() > 0 {
        marked[0] = format!("{} **{}**", sign::MORE, markdown(&view.words.more(rest.more)));
    }
    let senders = if detail.with_links { senders(view, &plain) } else { Vec::new() };
    if let [(_, url)] = senders[..] {
        marked.push(format!("[{}]({url})", view.words.all_alerts));
    } else if !senders.is_empty() {
        let places = senders.iter().map(|(host, url)| format!("[{}]({url})", markdown(host)));
        let places: Vec<_> = places.collect();
        marked.push(format!("{}{}{}", view.words.all_alerts, view.words.colon, places.join(" · ")));
    }
    if detail.is_shortened() {
        marked.push(format!("{} {}", sign::MORE, view.words.shortened()));
    }
    if marked.is_empty() { Vec::new() } else { vec![Element::Rule, paragraph(marked.join("\n"))] }
}
