//! Routes that do nothing, and receivers nothing leads to. Pure.

use std::collections::BTreeSet;

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
    for (index, route) in level.iter().enumerate() {
        let number = &route.number;
        let before = level[..index].iter().find(|before| !before.continues && is_covered(route, before));
        if let Some(before) = before {
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

/// Whether the earlier route takes whatever the later one would: its matchers are among the later one's.
fn is_covered(later: &RouteConfig, earlier: &RouteConfig) -> bool {
    let texts = |route: &RouteConfig| -> BTreeSet<String> {
        route.matchers.iter().map(ToString::to_string).collect()
    };
    texts(earlier).is_subset(&texts(later))
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
