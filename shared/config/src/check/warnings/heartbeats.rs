//! Heartbeats that will be missed although their senders are well, or that take others' place; trouble nobody hears of. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::{Config, HeartbeatConfig};

/// What Alertmanager leaves between two notifications of a group unless it is told otherwise (`group_interval`).
const GROUP_INTERVAL: Duration = Duration::from_mins(5);
/// Names that are said of several.
const NAMED_MAX: usize = 5;

pub(super) fn warnings(config: &Config, warnings: &mut Vec<String>) {
    let hasty = config.heartbeats.iter().filter(|heartbeat| heartbeat.allowed() < GROUP_INTERVAL);
    let hasty: Vec<_> = hasty.map(|heartbeat| heartbeat.name.as_str()).collect();
    if !hasty.is_empty() {
        warnings.push(format!(
            "heartbeats.{{{}}}: `every` and `grace` together are shorter than {GROUP_INTERVAL:?}, Alertmanager's \
             group_interval: right only where the route of that alert has a shorter group_interval and a repeat_interval no \
             longer than `every`",
            named(&hasty)
        ));
    }
    let mut alike: BTreeMap<BTreeSet<String>, Vec<&str>> = BTreeMap::new();
    for heartbeat in &config.heartbeats {
        alike.entry(texts(heartbeat)).or_default().push(&heartbeat.name);
    }
    for same in alike.into_values().filter(|same| same.len() > 1) {
        warnings.push(format!(
            "heartbeats.{{{}}} have the same matchers: each is heard of when any of them is",
            named(&same)
        ));
    }
    if !config.heartbeats.is_empty() && config.receivers.is_empty() {
        warnings.push("there are heartbeats and no receiver: nobody is told when one is missing".to_owned());
    }
}

/// Trouble that is told nobody.
pub(super) fn of_trouble(config: &Config, warnings: &mut Vec<String>) {
    let Some(trouble) = &config.trouble else { return };
    if config.receivers.len() == 1 {
        warnings.push(format!(
            "trouble.receiver is {}, the only receiver: what is the matter with it is told nobody; name another one",
            trouble.receiver
        ));
    }
}

fn texts(heartbeat: &HeartbeatConfig) -> BTreeSet<String> {
    heartbeat.matchers.iter().map(ToString::to_string).collect()
}

fn named(names: &[&str]) -> String {
    let more = if names.len() > NAMED_MAX { ", …" } else { "" };
    format!("{}{more}", names.iter().take(NAMED_MAX).copied().collect::<Vec<_>>().join(", "))
}
