//! Routes that do nothing, and receivers nothing leads to. Pure.

use std::collections::{BTreeSet, HashMap};

use crate::{Config, DEFAULT_RECEIVER, PathRule, RouteConfig};

pub(super) fn warnings(config: &Config, warnings: &mut Vec<String>) {
    if config.routes.is_empty() {
        return;
    }
    of_level(&config.routes, warnings);
    guarded(config, warnings);
    let mut reached = BTreeSet::from([DEFAULT_RECEIVER]);
    reach(&config.routes, &mut reached);
    for receiver in config.receivers.iter().filter(|receiver| !reached.contains(receiver.name.as_str())) {
        // The chats an app may be sent to by a payload are meant to be named.
        let is_for_payloads =
            config.app.as_ref().is_some_and(|app| app.chats_allowed.iter().any(|chat| receiver.is_in(chat)));
        if config.receivers.len() > 1 && !is_for_payloads {
            warnings.push(format!(
                "no route leads to receiver {}: it is told only of alerts whose sender names it",
                receiver.name
            ));
        }
    }
}

/// Receivers with a rule of their own, to which labels lead as well: those are the sender's word.
fn guarded(config: &Config, warnings: &mut Vec<String>) {
    let mut reached = BTreeSet::new();
    reach(&config.routes, &mut reached);
    for receiver in config.gate.paths.iter().filter_map(PathRule::receiver) {
        if reached.contains(receiver) {
            warnings.push(format!(
                "gate.paths has a rule for receiver {receiver}, and a route leads there by labels, which any sender may \
                 write: the rule holds only for what names that receiver"
            ));
        }
    }
}

/// Routes beside each other.
fn of_level(level: &[RouteConfig], warnings: &mut Vec<String>) {
    let texts: Vec<_> = level.iter().map(texts).collect();
    let mut seen: HashMap<&str, usize> = HashMap::new();
    for text in texts.iter().flatten() {
        *seen.entry(text).or_default() += 1;
    }
    // The earlier ones by the rarest of their matchers, which is among those of whatever they cover; `None`: they have none.
    let mut earlier: HashMap<Option<&str>, Vec<usize>> = HashMap::new();
    for (index, route) in level.iter().enumerate() {
        let number = &route.number;
        let asked = texts[index].iter().map(|text| Some(text.as_str())).chain([None]);
        let covering = asked.filter_map(|text| earlier.get(&text)).flatten().copied();
        let before = covering.filter(|before| texts[*before].is_subset(&texts[index])).min();
        if !route.continues {
            let rarest = texts[index].iter().map(String::as_str).min_by_key(|text| seen.get(text));
            earlier.entry(rarest).or_default().push(index);
        }
        if let Some(before) = before.and_then(|before| level.get(before)) {
            let by = &before.number;
            warnings.push(format!(
                "route {number} is never asked: {by} takes everything it would, and does not say `continue`"
            ));
        } else if route.continues && index + 1 == level.len() {
            warnings.push(format!("`continue` of route {number} does nothing: no route comes after it"));
        }
        of_level(&route.routes, warnings);
    }
}

/// Its matchers. A route takes whatever a later one would if all of its own are among the later one's.
fn texts(route: &RouteConfig) -> BTreeSet<String> {
    route.matchers.iter().map(ToString::to_string).collect()
}

/// Adds those who may be told by these routes: a route below that takes everything leaves nothing to the one above.
fn reach<'c>(level: &'c [RouteConfig], reached: &mut BTreeSet<&'c str>) {
    for route in level {
        if !route.routes.iter().any(|below| below.matchers.is_empty()) {
            reached.extend(route.receivers.iter().map(String::as_str));
        }
        reach(&route.routes, reached);
    }
}
