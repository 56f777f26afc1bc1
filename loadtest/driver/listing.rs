//! How many alerts one card of a custom bot names, and what making it costs. The card is made here, as the worker makes it:
//! that is pure, and needs nothing that would have to be started.

mod population;

use std::hint::black_box;
use std::time::Duration;

use config::{LinksConfig, Locale, SeverityWords};
use jiff::tz::TimeZone;
use model::envelope::{Envelope, EnvelopeDecodeError, decode};
use rustix::time::{ClockId, clock_gettime};
use thiserror::Error;
use worker::feishu::CARD_BYTES_MAX;
use worker::render::{Besides, Item, Style, build_with};

use crate::figure::{Figures, Goal, float};
use crate::machine::Machine;
use crate::progress;
use crate::report::{Report, note};
use crate::scenario::Listing;

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum ListingError {
    /// What is made here is read by the worker's own code.
    #[error("the alerts are not those of the wire format: {0}")]
    Decode(#[from] EnvelopeDecodeError),
    #[error("cannot write it down: {0}")]
    Json(#[from] serde_json::Error),
}

/// Makes the cards, counts what is named on them, and measures what some of them cost.
pub(crate) fn run(name: &str, scenario: &Listing) -> Result<Report, ListingError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    for population in &scenario.populations {
        let lines = population::lines(population);
        let Made { named, bytes } = made(&lines)?;
        let listed_min = population.listed_min.map(|least| Goal::AtLeast(f64::from(least)));
        note(&mut figures, format!("listed: {}", population.name), listed_min, float(named));
        note(&mut figures, format!("bytes for each: {}", population.name), None, float(bytes) / float(named));
    }
    let [few, many] = scenario.cost.alerts;
    let storms = scenario.cost.alerts.map(population::storm);
    for round in 1..=scenario.rounds {
        progress(&format!("{name}, round {round} of {}", scenario.rounds));
        let [first, second] = &storms;
        let small = cost(first, scenario.cost.cards)?;
        let large = cost(second, scenario.cost.cards.div_ceil(10))?;
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        note(&mut figures, format!("CPU of a card of {few} alerts, ms"), None, ms(small));
        note(&mut figures, format!("CPU of a card of {many} alerts, ms"), None, ms(large));
        let ratio = large.as_secs_f64() / small.as_secs_f64();
        let ratio_max = Some(Goal::AtMost(scenario.cost.ratio_max));
        note(&mut figures, format!("CPU, {many} ÷ {few} alerts"), ratio_max, ratio);
    }
    let about = "How many alerts one card of a custom bot names, and what making it costs".to_owned();
    let scenario = serde_json::to_value(scenario)?;
    Ok(Report { name: name.to_owned(), about, machine, scenario, figures, rounds: Vec::new() })
}

/// A card, as far as it is looked at.
struct Made {
    /// Alerts that are called by name.
    named: u64,
    bytes: u64,
}

fn style() -> Style {
    Style {
        timezone: TimeZone::UTC,
        locale: Locale::ZhCn,
        links: LinksConfig::default(),
        severities: SeverityWords::default(),
    }
}

fn read(lines: &[String]) -> Result<Vec<Envelope<'_>>, EnvelopeDecodeError> {
    lines.iter().map(|line| decode(line.as_bytes())).collect()
}

fn made(lines: &[String]) -> Result<Made, ListingError> {
    let envelopes = read(lines)?;
    let items: Vec<Item<'_>> = envelopes.iter().flat_map(Item::all_of).collect();
    let now = envelopes.iter().map(|envelope| envelope.received_at).max().unwrap_or_default();
    let card = build_with(&items, &style(), now, CARD_BYTES_MAX, Besides::default());
    let named = items.len() - card.summarised.len();
    let bytes = serde_json::to_vec(&card.content)?.len();
    Ok(Made { named: u64::try_from(named).unwrap_or(0), bytes: u64::try_from(bytes).unwrap_or(0) })
}

/// The CPU time that one of so many cards takes, the JSON of it included.
fn cost(lines: &[String], cards: u32) -> Result<Duration, ListingError> {
    let envelopes = read(lines)?;
    let items: Vec<Item<'_>> = envelopes.iter().flat_map(Item::all_of).collect();
    let now = envelopes.iter().map(|envelope| envelope.received_at).max().unwrap_or_default();
    let style = style();
    let begun = cpu_time();
    for _ in 0..cards {
        let card = build_with(black_box(&items), &style, now, CARD_BYTES_MAX, Besides::default());
        black_box(serde_json::to_vec(&card.content)?);
    }
    Ok(cpu_time().saturating_sub(begun) / cards)
}

/// What this thread has used so far.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}
