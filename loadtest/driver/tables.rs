//! What a look into large tables costs: the worker's own questions, asked of tables that were filled for it.

mod filling;

use std::time::{Duration, Instant};

use config::{ClientTls, DatabaseConfig, Secret};
use jiff::Timestamp;
use model::envelope::EnvelopeId;
use model::matcher::Matcher;
use prometheus::Registry;
use queue::Reason;
use runtime::clock::Clock;
use rustix::time::{ClockId, clock_gettime};
use testkit::mariadb::TestDatabase;
use thiserror::Error;
use worker::dead_letters::{DeadLetterMetrics, DeadLetterState, DeadLetters, Filter, Order};
use worker::history::{self, HistoryFilter, HistoryOutcome};
use worker::metrics::Outcome;
use worker::store::{OpenError, Store, StoreError};

use crate::figure::{Figures, Goal, float};
use crate::machine::Machine;
use crate::proc_fs;
use crate::progress;
use crate::report::{Report, note};
use crate::scenario::Tables;

/// How long one statement may take: a batch of rows, with all indexes.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(10);
/// Entries of one page, as an operator asks for them.
const PAGE_ENTRIES: usize = 100;
/// The server's process.
const SERVER: &str = "mariadbd";

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum TablesError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot measure: {0}")]
    Io(#[from] std::io::Error),
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
}

/// One of the databases.
struct Database {
    name: &'static str,
    store: Store,
    letters: DeadLetters,
    /// Whose CPU time counts beside our own.
    server: Option<u32>,
}

/// Fills the tables of both databases, and asks.
pub(crate) async fn run(name: &str, scenario: &Tables) -> Result<Report, TablesError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    let server = TestDatabase::create().await;
    let folder = tempfile::tempdir()?;
    let databases = [
        Database::open("MariaDB", Some(server.url()), folder.path(), proc_fs::find(SERVER))?,
        Database::open("SQLite", None, folder.path(), None)?,
    ];
    for database in &databases {
        database.store.migrate().await?;
        database.letters(scenario, &mut figures).await?;
        database.history(scenario, &mut figures).await?;
    }
    let about = "What a look into large tables costs".to_owned();
    let scenario = serde_json::to_value(scenario)?;
    Ok(Report { name: name.to_owned(), about, machine, scenario, figures, rounds: Vec::new() })
}

impl Database {
    fn open(
        name: &'static str,
        url: Option<String>,
        folder: &std::path::Path,
        server: Option<u32>,
    ) -> Result<Self, TablesError> {
        let config = DatabaseConfig {
            url: url.map(Secret::new),
            tls: ClientTls::default(),
            connections: 1,
            timeout: STATEMENT_TIMEOUT,
        };
        let registry = Registry::new();
        let store = Store::open(&config, folder, &registry)?;
        let metrics = DeadLetterMetrics::register(&registry)?;
        let letters = DeadLetters::new(store.clone(), Clock::system(), metrics);
        Ok(Self { name, store, letters, server })
    }

    /// Goes through all dead letters for a label that none has, of few and of many.
    async fn letters(&self, scenario: &Tables, figures: &mut Figures) -> Result<(), TablesError> {
        let filter = Filter {
            states: vec![DeadLetterState::Waiting, DeadLetterState::Replaying],
            labels: "alertname=\"Nobody\"".parse::<Matcher>().into_iter().collect(),
            ..Filter::default()
        };
        let mut costs = [Vec::new(), Vec::new()];
        for (count, costs) in scenario.letters.counts.into_iter().zip(&mut costs) {
            filling::letters(&self.store, count).await?;
            for round in 1..=scenario.rounds {
                progress(&format!("{}: {count} dead letters, round {round}", self.name));
                let before = self.cpu_time()?;
                self.letters.find(&filter, Order::NewestFirst, PAGE_ENTRIES).await?;
                costs.push(self.cpu_time()?.saturating_sub(before).as_secs_f64() * 1e3);
            }
        }
        for _ in 0..scenario.rounds {
            self.pages_of_letters(scenario, figures).await?;
        }
        let [few, many] = scenario.letters.counts;
        let goal = Some(Goal::AtMost(scenario.letters.ratio_max));
        for (least, most) in costs[0].iter().zip(&costs[1]) {
            note(figures, format!("{}: CPU of all of {few} letters, ms", self.name), None, *least);
            note(figures, format!("{}: CPU of all of {many} letters, ms", self.name), None, *most);
            note(figures, format!("{}: CPU, {many} ÷ {few} letters", self.name), goal, most / least);
        }
        Ok(())
    }

    /// A page of the dead letters by each filter that few of them pass.
    async fn pages_of_letters(&self, scenario: &Tables, figures: &mut Figures) -> Result<(), TablesError> {
        let goal = Some(Goal::AtMost(scenario.letters.page_ms_max));
        for (by, filter) in letter_filters() {
            let begun = Instant::now();
            let found = self.letters.find(&filter, Order::NewestFirst, PAGE_ENTRIES).await?;
            let took = begun.elapsed().as_secs_f64() * 1e3;
            note(figures, format!("{}: a page of letters by {by}, ms", self.name), goal, took);
            if found.is_empty() {
                progress(&format!("{}: no letter was found by {by}", self.name));
            }
        }
        Ok(())
    }

    /// A page of the history by each filter.
    async fn history(&self, scenario: &Tables, figures: &mut Figures) -> Result<(), TablesError> {
        let begun = Instant::now();
        let rows = filling::history(&self.store, scenario.history.rows, scenario.history.fill_time()).await?;
        note(figures, format!("{}: rows of history", self.name), None, f64::from(rows));
        let filled = float(u64::from(rows)) / begun.elapsed().as_secs_f64();
        note(figures, format!("{}: rows filled a second", self.name), None, filled);
        let goal = Some(Goal::AtMost(scenario.history.page_ms_max));
        for _ in 0..scenario.rounds {
            for (by, filter) in filters(rows) {
                let begun = Instant::now();
                let page = history::find(&self.store, &filter, PAGE_ENTRIES).await?;
                let took = begun.elapsed().as_secs_f64() * 1e3;
                note(figures, format!("{}: a page by {by}, ms", self.name), goal, took);
                if page.entries.is_empty() {
                    progress(&format!("{}: nothing was found by {by}", self.name));
                }
            }
        }
        Ok(())
    }

    /// What this process and the server have used so far.
    fn cpu_time(&self) -> Result<Duration, TablesError> {
        let own = Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default();
        let server = self.server.map(proc_fs::cpu_time).transpose()?;
        Ok(own + server.unwrap_or_default())
    }
}

/// One filter at a time, of letters that wait or are being sent.
fn letter_filters() -> [(&'static str, Filter); 5] {
    let states = vec![DeadLetterState::Waiting, DeadLetterState::Replaying];
    let waiting = Filter { states, ..Filter::default() };
    let early = Timestamp::from_millisecond(filling::letter_failed_ms(200)).ok();
    [
        ("receiver", Filter { receiver: Some(filling::RARE_RECEIVER.to_owned()), ..waiting.clone() }),
        ("code", Filter { code: Some(filling::RARE_CODE), ..waiting.clone() }),
        ("reason", Filter { reason: Some(Reason::GaveUp), ..waiting.clone() }),
        ("age", Filter { until: early, ..waiting.clone() }),
        ("nothing", waiting),
    ]
}

/// One filter at a time, and those that go together most.
fn filters(rows: u32) -> [(&'static str, HistoryFilter); 11] {
    let none = HistoryFilter::default;
    let moment = |row: u32| Timestamp::from_millisecond(filling::at_ms(row)).ok();
    let middle = rows / 2;
    // One that some alerts were put aside for.
    let receiver = || Some("receiver-3".to_owned());
    [
        ("nothing", none()),
        ("receiver", HistoryFilter { receiver: receiver(), ..none() }),
        ("name", HistoryFilter { name: Some("Alert17".to_owned()), ..none() }),
        ("identity", HistoryFilter { identity: Some("id-1234-".to_owned()), ..none() }),
        ("outcome", HistoryFilter { outcome: Some(Outcome::DeadLettered.into()), ..none() }),
        ("code", HistoryFilter { code: Some(filling::RARE_CODE), ..none() }),
        (
            "envelope",
            HistoryFilter { envelope: Some(EnvelopeId::from_bytes(filling::envelope(middle))), ..none() },
        ),
        ("card", HistoryFilter { card: Some(filling::card(middle)), ..none() }),
        ("time", HistoryFilter { since: moment(middle), until: moment(middle + 5_000), ..none() }),
        (
            "receiver and outcome",
            HistoryFilter { receiver: receiver(), outcome: Some(HistoryOutcome::Deferred), ..none() },
        ),
        (
            "name and time",
            HistoryFilter { name: Some("Alert17".to_owned()), until: moment(middle), ..none() },
        ),
    ]
}
