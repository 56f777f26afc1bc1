//! What `listing` measures: how many alerts one card names, and what making it costs.

use serde::{Deserialize, Serialize};

use super::range::{OutOfRange, within};

/// The measurement of `listing`.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listing {
    /// `listing`.
    #[serde(rename = "kind")]
    _kind: String,
    /// How often the cost is measured. What is listed is the same each time.
    pub(crate) rounds: u32,
    #[serde(rename = "population")]
    pub(crate) populations: Vec<Population>,
    pub(crate) cost: Cost,
}

/// Alerts of one kind on one card.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Population {
    pub(crate) name: String,
    pub(crate) names: NameKind,
    /// Pods of a set, hosts of a hundred, or networks.
    pub(crate) of: u32,
    pub(crate) alerts: u32,
    /// A goal.
    pub(crate) listed_min: Option<u32>,
}

/// What alerts are called by.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum NameKind {
    /// `checkout-7f9c6d8b5w-x2k4q`, so many with the same beginning.
    Pods,
    /// `kafka-07-0`, so many with the same beginning.
    StatefulSets,
    /// `bj-web-0017`, so many of each hundred numbers.
    Hosts,
    /// `10.12.3.17:9100`, spread over so many networks.
    Addresses,
    /// Each of a name of its own.
    Alertnames,
}

/// What a card costs.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Cost {
    /// A smaller and a larger storm.
    pub(crate) alerts: [u32; 2],
    /// Cards of the smaller one that are made in a round, and one of the larger for ten of them.
    pub(crate) cards: u32,
    /// A goal: what the larger one may cost, in times of the smaller one.
    pub(crate) ratio_max: f64,
}

impl Listing {
    pub(crate) fn check(&self) -> Result<(), OutOfRange> {
        within("rounds", self.rounds, 1.0..=100.0)?;
        for Population { of, alerts, .. } in &self.populations {
            within("population.of", *of, 1.0..=250.0)?;
            within("population.alerts", *alerts, 1.0..=100_000.0)?;
        }
        self.cost.alerts.iter().try_for_each(|alerts| within("cost.alerts", *alerts, 1.0..=1_000_000.0))?;
        within("cost.cards", self.cost.cards, 1.0..=1_000.0)
    }
}
