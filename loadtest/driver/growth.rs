//! What grows as work grows: CPU and writes with what waits for a receiver that is away, CPU and memory with routes and
//! owners' patterns, a start with what waits, and writes with what is remembered. All of it in the one-machine binary, on this
//! machine's disk.

mod embedded;

use std::io;
use std::path::Path;
use std::time::Duration;

use runtime::clock::Clock;
use serde_json::{Map, Value, json};
use thiserror::Error;
use tokio::task::JoinError;
use tokio::time::{Instant, sleep, sleep_until};

use crate::cards::Card;
use crate::figure::{Figures, Goal, float, percentile};
use crate::harness::HarnessError;
use crate::machine::Machine;
use crate::plan::Plan;
use crate::progress;
use crate::report::{Report, note};
use crate::scenario::{Away, Entries, Growth, Remembered, Start};
use crate::sim_host::receiver_name;
use embedded::{AWAY, Embedded, unreached};

/// What the sender gets to set itself up before the first request is due.
const LEAD: Duration = Duration::from_millis(300);
/// How long the card of an alert may take once Larkfire is ready.
const CARD_WITHIN: Duration = Duration::from_mins(1);

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum GrowthError {
    #[error(transparent)]
    Stage(#[from] HarnessError),
    /// `/proc`, or a temporary directory.
    #[error("cannot measure: {0}")]
    Io(#[from] io::Error),
    #[error("the sender failed: {0}")]
    Sender(#[from] JoinError),
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
    /// What waits is not what was meant to wait.
    #[error("only {accepted} of {wanted} requests were accepted")]
    NotFilled { accepted: usize, wanted: usize },
    #[error("{delivered} of {wanted} alerts were delivered in time")]
    TooSlow { delivered: f64, wanted: f64 },
    /// The receiver that is reached got nothing.
    #[error("no card came for an alert of {0}")]
    NoCard(&'static str),
}

/// Measures each part the scenario has, as often as it says.
pub(crate) async fn run(name: &str, scenario: Growth, program: &Path) -> Result<Report, GrowthError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    for round in 1..=scenario.rounds {
        progress(&format!("{name}, round {round} of {}", scenario.rounds));
        let mut growing = Growing { program, alert_bytes: scenario.alert_bytes, figures: &mut figures };
        if let Some(away) = &scenario.away {
            growing.away(away).await?;
        }
        if let Some(routes) = &scenario.routes {
            growing.entries("routes", routes, routes_of).await?;
        }
        if let Some(patterns) = &scenario.patterns {
            growing.entries("patterns of owners", patterns, patterns_of).await?;
        }
        if let Some(start) = &scenario.start {
            growing.start(start).await?;
        }
        if let Some(remembered) = &scenario.remembered {
            growing.remembered(remembered).await?;
        }
    }
    let about =
        "What grows with what waits, what is configured and what is remembered, in the one-machine binary";
    let scenario = serde_json::to_value(&scenario)?;
    Ok(Report {
        name: name.to_owned(),
        about: about.to_owned(),
        machine,
        scenario,
        figures,
        rounds: Vec::new(),
    })
}

struct Growing<'g> {
    program: &'g Path,
    alert_bytes: usize,
    figures: &'g mut Figures,
}

/// What it cost while so many alerts waited.
struct Waited {
    cpu_ms: f64,
    written_mb: f64,
    live_ms: f64,
}

impl Growing<'_> {
    async fn away(&mut self, away: &Away) -> Result<(), GrowthError> {
        let mut all = Vec::new();
        for waiting in &away.waiting {
            let waited = self.wait(away, *waiting).await?;
            let name = |what: &str| format!("{waiting} waiting, {what}");
            note(self.figures, name("CPU, ms in a second"), None, waited.cpu_ms);
            note(self.figures, name("written, MB/s"), None, waited.written_mb);
            note(self.figures, name("live, due to card p50, ms"), None, waited.live_ms);
            all.push((*waiting, waited));
        }
        let some = all.iter().find(|(waiting, _)| *waiting > 0);
        if let (Some((none, first)), Some((few, some)), Some((many, last))) = (all.first(), some, all.last())
        {
            let cpu = last.cpu_ms / some.cpu_ms;
            let cpu_max = Some(Goal::AtMost(away.cpu_ratio_max));
            note(self.figures, format!("CPU, {many} ÷ {few} waiting"), cpu_max, cpu);
            // What the live alerts have written is no part of what waits.
            let written = last.written_mb - first.written_mb;
            let written_max = Some(Goal::AtMost(away.written_mb_max));
            note(self.figures, format!("written, {many} less {none} waiting, MB/s"), written_max, written);
            let live = last.live_ms / first.live_ms;
            let live_max = Some(Goal::AtMost(away.live_ratio_max));
            note(self.figures, format!("live, {many} ÷ {none} waiting"), live_max, live);
        }
        Ok(())
    }

    async fn wait(&self, away: &Away, waiting: u32) -> Result<Waited, GrowthError> {
        let keys = json!({"receivers": {AWAY: unreached()}});
        let larkfire = Embedded::start(self.program, self.alert_bytes, keys).await?;
        if waiting > 0 {
            larkfire.fill(&format!("/api/alert/{AWAY}"), 0, waiting).await?;
        }
        sleep(away.settle()).await;
        let before = larkfire.used()?;
        let begin = Instant::now() + LEAD;
        let zero = Clock::system().now() + jiff::SignedDuration::try_from(LEAD).unwrap_or_default();
        let gap = Duration::from_secs(1) / away.live_per_second;
        let path = format!("/api/alert/{}", receiver_name(0));
        larkfire.send(Plan::once(away.live(), gap, 1), &path, 4, begin).await?;
        sleep_until(begin + away.watched()).await;
        let used = larkfire.used()?.since(before);
        let seconds = (LEAD + away.watched()).as_secs_f64();
        let cards = larkfire.host.sim.accepted();
        let cards =
            cards.iter().filter_map(|card| Some(Card::read(card.at.as_microsecond(), &card.message()?)));
        let mut times: Vec<i64> = cards
            .flat_map(|card| card.shown.into_iter().map(move |number| (card.at_us, number)))
            .map(|(at_us, number)| at_us - zero.as_microsecond() - micros(gap * number))
            .collect();
        times.sort_unstable();
        let live = percentile(&times, 50).ok_or(GrowthError::NoCard("the receiver that is reached"))?;
        Ok(Waited {
            cpu_ms: used.cpu.as_secs_f64() * 1e3 / seconds,
            written_mb: float(used.written_bytes) / 1e6 / seconds,
            live_ms: Duration::from_micros(live.unsigned_abs()).as_secs_f64() * 1e3,
        })
    }

    async fn entries(
        &mut self,
        what: &str,
        entries: &Entries,
        keys: impl Fn(u32) -> Value,
    ) -> Result<(), GrowthError> {
        let mut all = Vec::new();
        for count in &entries.counts {
            let larkfire = Embedded::start(self.program, self.alert_bytes, keys(*count)).await?;
            let before = larkfire.used()?;
            larkfire.fill("/api/alert", 0, entries.alerts).await?;
            larkfire.delivered(entries.alerts).await?;
            let cpu = larkfire.used()?.since(before).cpu.as_secs_f64() * 1e6 / f64::from(entries.alerts);
            let peak_mb = float(larkfire.peak_bytes()?) / 1e6;
            note(self.figures, format!("{count} {what}, CPU, µs/alert"), None, cpu);
            note(self.figures, format!("{count} {what}, peak memory, MB"), None, peak_mb);
            all.push((*count, cpu, peak_mb));
        }
        if let (Some((few, cpu, memory)), Some((many, most_cpu, most_memory))) = (all.first(), all.last()) {
            let at_most = |most| Some(Goal::AtMost(most));
            let ratio = |unit: &str| format!("{unit}, {many} ÷ {few} {what}");
            note(self.figures, ratio("CPU"), at_most(entries.cpu_ratio_max), most_cpu / cpu);
            note(self.figures, ratio("memory"), at_most(entries.memory_ratio_max), most_memory / memory);
        }
        Ok(())
    }

    async fn start(&mut self, start: &Start) -> Result<(), GrowthError> {
        let keys = json!({"receivers": {AWAY: unreached()}});
        let mut larkfire = Embedded::start(self.program, self.alert_bytes, keys).await?;
        larkfire.fill(&format!("/api/alert/{AWAY}"), 0, start.waiting).await?;
        let begun = Instant::now();
        let ready = larkfire.restart().await?;
        let path = format!("/api/alert/{}", receiver_name(0));
        larkfire.send(Plan::once(1, Duration::ZERO, 1), &path, 1, Instant::now()).await?;
        let card = larkfire.host.sim.wait_for_accepted(1, CARD_WITHIN).await;
        card.map_err(|_| GrowthError::NoCard("the start"))?;
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let name = |what: &str| format!("start over {} waiting, {what}", start.waiting);
        note(self.figures, name("to ready, ms"), None, ms(ready));
        note(self.figures, name("to the card of a new alert, ms"), None, ms(begun.elapsed()));
        note(self.figures, name("peak memory, MB"), None, float(larkfire.peak_bytes()?) / 1e6);
        Ok(())
    }

    async fn remembered(&mut self, remembered: &Remembered) -> Result<(), GrowthError> {
        let Remembered { alerts, watched } = *remembered;
        let larkfire = Embedded::start(self.program, self.alert_bytes, json!({})).await?;
        let mut first = 0;
        let mut costs = Vec::new();
        for (count, is_watched) in [(watched, true), (alerts, false), (watched, true)] {
            let before = larkfire.used()?;
            larkfire.fill("/api/alert", first, count).await?;
            larkfire.delivered(first + count).await?;
            if is_watched {
                let used = larkfire.used()?.since(before);
                let cpu = used.cpu.as_secs_f64() * 1e6 / f64::from(count);
                let written = float(used.written_bytes) / 1e3 / f64::from(count);
                note(self.figures, format!("{first} remembered, CPU, µs/alert"), None, cpu);
                note(self.figures, format!("{first} remembered, written, kB/alert"), None, written);
                costs.push((cpu, written));
            }
            first += count;
        }
        if let [(cpu, written), (last_cpu, last_written)] = costs[..] {
            let name = |what: &str| format!("{what}, {} ÷ 0 remembered", alerts + watched);
            note(self.figures, name("CPU"), None, last_cpu / cpu);
            note(self.figures, name("written"), None, last_written / written);
        }
        Ok(())
    }
}

/// So many routes, none of which takes the alerts that are sent; half of them by a label that is the same for all of these, half by
/// one that differs.
fn routes_of(count: u32) -> Value {
    let receiver = receiver_name(0);
    let routes = (0..count).map(|number| {
        let matcher = if number % 2 == 0 {
            format!("namespace=~\"team-{number:05}(-.*)?\"")
        } else {
            format!("pod=~\"(web|api)-{number:05}-.*\"")
        };
        json!({"match": matcher, "receiver": receiver})
    });
    json!({"routes": routes.collect::<Vec<_>>()})
}

/// So many patterns, the last of which is that of the alerts.
fn patterns_of(count: u32) -> Value {
    let others =
        (1..count).map(|number| (format!("team{number:05}-*"), Value::from(format!("person-{number}"))));
    let services: Map<String, Value> = others.chain([("svc-*".to_owned(), "on-call".into())]).collect();
    json!({"owners": {"services": services}})
}

fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX)
}
