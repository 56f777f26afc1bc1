//! The end of a card: what is not even counted by name, where all of it can be seen, and how much is listed. Pure.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::card::{Button, CardText, Element};
use super::count::Count;
use super::escape::markdown;
use super::icons;
use super::room::RoomGrant;
use super::view::View;

/// Fewer alerts are all told on the card itself: nobody needs a page for them.
const PAGE_FROM: usize = 10;

/// What a card does not say of its alerts.
#[derive(Clone, Copy, Default)]
pub(super) struct Rest {
    /// Groups that are neither told nor listed.
    pub(super) kinds: usize,
    /// How many alerts are in them.
    pub(super) beyond: Count,
    /// How many alerts are not called by name, those included.
    pub(super) unnamed: usize,
    /// Whether parts of what is told in detail were left out.
    pub(super) is_shortened: bool,
}

impl Rest {
    /// What is missing where the views and the lines got so much room, and so many alerts have no name on it.
    pub(super) fn of(view: &View<'_>, grants: &[Option<RoomGrant>], unnamed: usize) -> Self {
        let (in_detail, listed) = grants.split_at(view.alert_views.len());
        let alert_views = view.alert_views.iter().zip(in_detail).filter(|(_, grant)| grant.is_none());
        let lines = view.lines.iter().zip(listed).filter(|(_, grant)| grant.is_none());
        let mut rest = Self { unnamed, ..Self::default() };
        let left_out = alert_views.map(|(alert_view, _)| (1, alert_view.members()));
        for (kinds, members) in left_out.chain(lines.map(|(line, _)| (line.kinds(), line.members.clone()))) {
            rest.kinds += kinds;
            for index in members {
                rest.beyond.add(view.items[index].alert.status, 1);
            }
        }
        rest
    }

    /// The most there can be to say.
    pub(super) fn most(view: &View<'_>) -> Self {
        let all = view.summary.all;
        Self { kinds: view.summary.groups.len(), beyond: all, unnamed: all.total(), is_shortened: true }
    }
}

/// The lines about what is missing, without markup; none if nothing is.
pub(super) fn lines(view: &View<'_>, rest: Rest) -> Vec<String> {
    let mut lines = Vec::new();
    if rest.kinds > 0 {
        lines.push(format!("{} {}", icons::MORE, view.words.others(rest.kinds, rest.beyond)));
    }
    let truncated = view.truncated();
    if truncated > 0 {
        lines.push(format!("{} {}", icons::MORE, view.words.left_out(truncated, view.summary.is_firing())));
    }
    lines
}

/// How much is listed; nothing where each alert is told by itself.
pub(super) fn listed(view: &View<'_>, rest: Rest) -> Option<String> {
    let all = view.summary.all.total();
    let is_listing =
        !view.lines.is_empty() || view.alert_views.iter().any(|alert_view| alert_view.group.is_some());
    if rest.unnamed == 0 {
        return is_listing.then(|| view.words.all_listed(view.is_cut()).to_owned());
    }
    let command = || view.besides.card.map(|card| format!("larkfire cards show {card}"));
    let place = page(view).or_else(command).unwrap_or_default();
    let may_go_on = view.besides.part.may_go_on;
    Some(view.words.listed(all - rest.unnamed, all, &place, may_go_on))
}

/// Where all of it can be seen, if there is more than one alert a screen; each address with its host.
pub(super) fn senders<'v>(view: &'v View<'_>, rest: Rest) -> Vec<(&'v str, &'v str)> {
    let is_all_in_detail = listed(view, rest).is_none() && view.truncated() == 0;
    let Some(origin) = view.origin.as_ref().filter(|_| !is_all_in_detail) else { return Vec::new() };
    let host = |url: &'v str| url.split('/').nth(2).unwrap_or(url);
    origin.senders.iter().map(|url| (host(url), url.as_str())).collect()
}

/// What follows the alerts.
pub(super) fn elements(view: &View<'_>, rest: Rest, with_links: bool) -> Vec<Element> {
    let mut marked: Vec<_> = lines(view, rest).iter().map(|line| markdown(line)).collect();
    let senders = if with_links { senders(view, rest) } else { Vec::new() };
    if let [(_, url)] = senders[..] {
        marked.push(format!("[{}]({url})", view.words.all_alerts));
    } else if !senders.is_empty() {
        let places = senders.iter().map(|(host, url)| format!("[{}]({url})", markdown(host)));
        let places: Vec<_> = places.collect();
        marked.push(format!("{}{}{}", view.words.all_alerts, view.words.colon, places.join(" · ")));
    }
    if rest.is_shortened {
        marked.push(format!("{} {}", icons::MORE, view.words.shortened()));
    }
    if marked.is_empty() { Vec::new() } else { vec![Element::Rule, Element::paragraph(marked.join("\n"))] }
}

/// The page of the console that has every alert of the card, if people can reach it.
fn page(view: &View<'_>) -> Option<String> {
    let console = view.links.console_url.as_ref()?;
    let card = view.besides.card?;
    Some(format!("{console}/cards/{}", utf8_percent_encode(card, NON_ALPHANUMERIC)))
}

/// The end of a card that lists: a button to all of it, and how much is listed.
pub(super) fn last(view: &View<'_>, rest: Rest) -> Vec<Element> {
    let Some(content) = listed(view, rest) else { return Vec::new() };
    let all = view.summary.all.total();
    let words = view.words.all_of(all);
    let button = page(view)
        .filter(|_| all >= PAGE_FROM)
        .map(|url| Element::Buttons { actions: vec![Button::new(&words, url)] });
    let line = Element::Note { elements: vec![CardText::Plain { content }] };
    button.into_iter().chain([line]).collect()
}
