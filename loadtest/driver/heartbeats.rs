//! What it costs to look after many heartbeats: the worker's own part in it, against databases of the run's own.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use config::{ClientTls, DatabaseConfig, HeartbeatConfig, Locale, Reloads, Secret};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::Labels;
use model::envelope::{decode, lines};
use model::matcher::{Matcher, MatcherError};
use prometheus::Registry;
use queue::{Message, Publisher, Publishing};
use runtime::clock::Clock;
use runtime::lifecycle::{Condition, Lifecycle};
use testkit::mariadb::TestDatabase;
use thiserror::Error;
use worker::heartbeats::{
    HeartbeatIndex, HeartbeatMetrics, HeartbeatWatch, HeartbeatWords, Heartbeats, ListeningPart,
};
use worker::own_alerts::OwnAlerts;
use worker::store::{OpenError, Store, StoreError};

use crate::figure::{Figures, Goal, float};
use crate::machine::Machine;
use crate::progress;
use crate::report::{Report, note};
use crate::scenario::HeartbeatLoad;

/// How long one statement may take.
const STATEMENT_TIMEOUT: Duration = Duration::from_mins(1);
/// When the simulated time begins, and how far apart looks are in it.
const BEGUN_S: i64 = 1_700_000_000;
const LOOK_EVERY_S: i64 = 5;
/// How often each comes.
const EVERY: Duration = Duration::from_mins(1);

/// Why nothing was measured.
#[derive(Debug, Error)]
pub(crate) enum HeartbeatsError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("cannot measure: {0}")]
    Io(#[from] std::io::Error),
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
    #[error(transparent)]
    Matcher(#[from] MatcherError),
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
    #[error("{told} alerts were told of {wanted} heartbeats")]
    Told { told: u64, wanted: u64 },
}

/// Counts the alerts that are published.
#[derive(Debug, Default)]
struct CountingPublisher(AtomicU64);

impl Publisher for CountingPublisher {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        for message in messages {
            let alerts = lines(&message.body).filter_map(|line| Some(decode(line).ok()?.alerts.len()));
            self.0.fetch_add(alerts.sum::<usize>() as u64, Ordering::Relaxed);
        }
        Box::pin(std::future::ready(Ok(())))
    }
}

/// One database, and the worker that looks.
struct Looker {
    name: &'static str,
    heartbeats: Heartbeats,
    watch: HeartbeatWatch,
    queue: Arc<CountingPublisher>,
    now_s: Arc<AtomicI64>,
}

/// Looks after as many as are asked for, on both databases.
pub(crate) async fn run(name: &str, scenario: &HeartbeatLoad) -> Result<Report, HeartbeatsError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    let configured: Vec<_> = (0..scenario.count).map(heartbeat).collect::<Result<_, _>>()?;
    lookups(&configured, scenario, &mut figures);
    let server = TestDatabase::create().await;
    let folder = tempfile::tempdir()?;
    let lifecycle = Lifecycle::default();
    for (database, url) in [("MariaDB", Some(server.url())), ("SQLite", None)] {
        let mut looker = Looker::open(database, url, folder.path(), &configured, &lifecycle).await?;
        for round in 1..=scenario.rounds {
            progress(&format!("{database}: round {round}"));
            looker.round(&configured, scenario, &mut figures).await?;
        }
    }
    let about = format!("What it costs to look after {} heartbeats", scenario.count);
    let scenario = serde_json::to_value(scenario)?;
    Ok(Report { name: name.to_owned(), about, machine, scenario, figures, rounds: Vec::new() })
}

/// The watchdog of one cluster of many.
fn heartbeat(number: u32) -> Result<HeartbeatConfig, MatcherError> {
    Ok(HeartbeatConfig {
        name: format!("cluster-{number:05}"),
        matchers: Matcher::all(&format!("alertname=Watchdog,cluster=c{number:05}"))?,
        every: EVERY,
        grace: Duration::ZERO,
        receiver: Some("ops".to_owned()),
    })
}

/// What it takes to find out which heartbeat an alert is a sign of, where it is one and where it is none.
fn lookups(configured: &[HeartbeatConfig], scenario: &HeartbeatLoad, figures: &mut Figures) {
    let index = HeartbeatIndex::new(configured);
    let labels = |alert: &str, number: u32| -> Labels<'static> {
        let pairs = [("alertname", alert.to_owned()), ("cluster", format!("c{number:05}"))];
        pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
    };
    for (what, alert) in [("a sign", "Watchdog"), ("any other alert", "DiskFull")] {
        let all: Vec<_> = (0..scenario.count).map(|number| labels(alert, number)).collect();
        for _ in 0..scenario.rounds {
            let begun = Instant::now();
            let found = all.iter().map(|labels| index.of(labels).count()).sum::<usize>();
            let each_us = begun.elapsed().as_secs_f64() * 1e6 / float(u64::from(scenario.count));
            progress(&format!("  {found} found"));
            note(figures, format!("which heartbeat {what} is a sign of, µs"), None, each_us);
        }
    }
}

impl Looker {
    async fn open(
        name: &'static str,
        url: Option<String>,
        folder: &Path,
        configured: &[HeartbeatConfig],
        lifecycle: &Lifecycle,
    ) -> Result<Self, HeartbeatsError> {
        let config = DatabaseConfig {
            url: url.map(Secret::new),
            tls: ClientTls::default(),
            connections: 1,
            timeout: STATEMENT_TIMEOUT,
        };
        let registry = Registry::new();
        let store = Store::open(&config, folder, &registry)?;
        store.migrate().await?;
        let now_s = Arc::new(AtomicI64::new(BEGUN_S));
        let time = Arc::clone(&now_s);
        let clock =
            Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap_or_default());
        let heartbeats = Heartbeats::follow(configured, Reloads::none(), store, clock, lifecycle);
        let queue = Arc::<CountingPublisher>::default();
        let publisher: Arc<dyn Publisher> = Arc::clone(&queue) as _;
        let words = HeartbeatWords { locale: Locale::En, timezone: TimeZone::UTC };
        let own_alerts = OwnAlerts::new(publisher, &registry)?;
        let metrics = HeartbeatMetrics::register(&registry)?;
        let watch = HeartbeatWatch::new(heartbeats.clone(), own_alerts, words, metrics, Condition::default());
        Ok(Self { name, heartbeats, watch, queue, now_s })
    }

    /// All come, all are missing, and all come again.
    async fn round(
        &mut self,
        configured: &[HeartbeatConfig],
        scenario: &HeartbeatLoad,
        figures: &mut Figures,
    ) -> Result<(), HeartbeatsError> {
        let name = self.name;
        let wanted = u64::from(scenario.count);
        self.look().await?;
        let begun = Instant::now();
        self.hear(configured).await;
        note(figures, format!("{name}: to hear of all, ms"), None, begun.elapsed().as_secs_f64() * 1e3);
        let begun = Instant::now();
        self.look().await?;
        let took_ms = begun.elapsed().as_secs_f64() * 1e3;
        note(
            figures,
            format!("{name}: a look in calm, ms"),
            Some(Goal::AtMost(scenario.look_ms_max)),
            took_ms,
        );
        for what in ["missing", "there again"] {
            self.queue.0.store(0, Ordering::Relaxed);
            if what == "missing" {
                // Up to the look at which they are due.
                for _ in 2..=EVERY.as_secs() / LOOK_EVERY_S.unsigned_abs() {
                    self.look().await?;
                }
            } else {
                self.hear(configured).await;
            }
            let begun = Instant::now();
            self.look().await?;
            let told = self.queue.0.load(Ordering::Relaxed);
            if told != wanted {
                return Err(HeartbeatsError::Told { told, wanted });
            }
            let goal = Some(Goal::AtMost(scenario.told_seconds_max));
            note(
                figures,
                format!("{name}: to tell that all are {what}, s"),
                goal,
                begun.elapsed().as_secs_f64(),
            );
        }
        Ok(())
    }

    async fn hear(&self, configured: &[HeartbeatConfig]) {
        let now = Timestamp::from_second(self.now_s.load(Ordering::Relaxed)).unwrap_or_default();
        let heard = configured.iter().map(|heartbeat| (heartbeat.name.clone(), now));
        self.heartbeats.heard(heard.collect()).await;
    }

    async fn look(&mut self) -> Result<(), StoreError> {
        self.now_s.fetch_add(LOOK_EVERY_S, Ordering::Relaxed);
        self.watch.look(ListeningPart::Hears).await
    }
}
