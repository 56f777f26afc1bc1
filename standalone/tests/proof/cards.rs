//! What Feishu was told, read from its cards alone: how many alerts each of them tells, and which it names.

use feishu_sim::{FeishuSim, Record};
use jiff::Timestamp;
use serde_json::Value;

use crate::ledger::Told;

/// A card that Feishu took.
#[derive(Clone, Debug)]
pub(crate) struct Card {
    pub(crate) at: Timestamp,
    /// Alerts on it that fire.
    pub(crate) firing: usize,
    /// Alerts on it that are over.
    pub(crate) resolved: usize,
    /// All of its text.
    text: String,
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
        Self { at: record.at, firing, resolved, text: card.to_string() }
    }

    /// How many alerts it tells.
    pub(crate) fn alerts(&self) -> usize {
        self.firing + self.resolved
    }

    /// In which state it names the alert, if it does. Of many alerts not all are named.
    pub(crate) fn names(&self, alert: &str) -> Option<Told> {
        let ends = |at: usize| !self.text[at..].starts_with(|next: char| next.is_ascii_alphanumeric());
        let is_named = |before: &str| {
            let text = format!("{before}{alert}");
            self.text.match_indices(&text).any(|(at, _)| ends(at + text.len()))
        };
        if !is_named("") {
            return None;
        }
        let is_over = if self.alerts() == 1 {
            self.resolved == 1
        } else {
            is_named("🟢 **") || is_named("🟢 ×1 ")
        };
        Some(if is_over { Told::Resolved } else { Told::Firing })
    }
}

/// The numbers at the top of a card with several alerts: `**35 firing, 5 resolved**`.
fn counts(card: &Value) -> Option<(usize, usize)> {
    let top = card["elements"][0]["text"]["content"].as_str()?.strip_prefix("**")?.split("**").next()?;
    let (mut firing, mut resolved) = (0, 0);
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
