//! What Feishu was sent, read from its cards alone: how many alerts each of them tells, and which it names.

use std::collections::HashMap;

use feishu_sim::{FeishuSim, Record};
use jiff::Timestamp;
use serde_json::Value;

use crate::ledger::Delivered;

/// How it is with an alert, before its name.
const LIGHTS: [char; 5] = ['🔴', '⭕', '🟠', '🔵', '🟢'];

/// A card that Feishu took.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) at: Timestamp,
    /// Alerts on it that fire.
    pub(crate) firing: usize,
    /// Alerts on it that are over.
    pub(crate) resolved: usize,
    /// The alerts it names. Of many alerts not all are.
    named: HashMap<String, Delivered>,
}

/// Every card of the simulator, oldest first.
pub(crate) fn all(sim: &FeishuSim) -> Vec<Card> {
    assert_eq!(sim.totals().forgotten, 0, "the simulator remembers all of them");
    sim.accepted().iter().map(Card::of).collect()
}

impl Card {
    fn of(record: &Record) -> Self {
        let card = record.card().unwrap_or_else(|| panic!("no card: {record:?}"));
        let title = card["header"]["title"]["content"].as_str().unwrap();
        let (firing, resolved) =
            counts(&card).unwrap_or_else(|| if title.starts_with("[RESOLVED]") { (0, 1) } else { (1, 0) });
        let mut named = HashMap::new();
        let mut light = None;
        name_all(&card["elements"], &mut light, &mut named);
        if firing + resolved == 1 {
            // The title may be all that names it.
            name_all(&card["header"], &mut light, &mut named);
            let state = if resolved == 1 { Delivered::Resolved } else { Delivered::Firing };
            for named in named.values_mut() {
                *named = state;
            }
        }
        Self { at: record.at, firing, resolved, named }
    }

    /// How many alerts it tells.
    pub(crate) fn alerts(&self) -> usize {
        self.firing + self.resolved
    }

    /// In which state it names the alert, if it does.
    pub(crate) fn names(&self, alert: &str) -> Option<Delivered> {
        self.named.get(alert).copied()
    }
}

/// Notes every alert that the texts below name, by the light before it: that begins its own block, or the line that lists
/// it. An alert that is named in both states is over.
fn name_all(element: &Value, light: &mut Option<char>, named: &mut HashMap<String, Delivered>) {
    match element {
        Value::String(text) => {
            let mut rest = text.as_str();
            while let Some(next) = rest.chars().next() {
                let word = rest.len() - rest.trim_start_matches(|it: char| it.is_ascii_alphabetic()).len();
                if word == 0 {
                    *light = if LIGHTS.contains(&next) { Some(next) } else { *light };
                    rest = &rest[next.len_utf8()..];
                    continue;
                }
                let (prefix, behind) = rest.split_at(word);
                rest = behind;
                let state = if *light == Some('🟢') { Delivered::Resolved } else { Delivered::Firing };
                for number in numbers(&mut rest) {
                    let named = named.entry(format!("{prefix}{number}")).or_insert(state);
                    if state == Delivered::Resolved {
                        *named = state;
                    }
                }
            }
        }
        Value::Array(all) => {
            for each in all {
                name_all(each, light, named);
            }
        }
        Value::Object(all) => {
            for each in all.values() {
                name_all(each, light, named);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The numbers that come next, one or folded (`[7,9-12]`), which are passed.
fn numbers(rest: &mut &str) -> Vec<String> {
    let digits = rest.len() - rest.trim_start_matches(|it: char| it.is_ascii_digit()).len();
    let (first, behind) = rest.split_at(digits);
    *rest = behind;
    let Some((list, behind)) = behind.strip_prefix('[').and_then(|list| list.split_once(']')) else {
        return if first.is_empty() { Vec::new() } else { vec![first.to_owned()] };
    };
    *rest = behind;
    let mut all = Vec::new();
    for part in list.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let (Ok(begin), Ok(end)) = (from.parse::<u32>(), to.parse::<u32>()) else { continue };
        all.extend((begin..=end).map(|number| format!("{first}{number:0width$}", width = from.len())));
    }
    all
}

/// The numbers at the top of a card with several alerts: `**35 firing, 5 resolved**`.
fn counts(card: &Value) -> Option<(usize, usize)> {
    let top = card["elements"][0]["text"]["content"].as_str()?.strip_prefix("**")?.split("**").next()?;
    let mut firing = 0;
    let mut resolved = 0;
    for part in top.split(", ") {
        let (number, what) = part.split_once(' ')?;
        match what {
            "firing" => firing = number.parse().ok()?,
            "resolved" => resolved = number.parse().ok()?,
            _ => return None,
        }
    }
    Some((firing, resolved))
}
