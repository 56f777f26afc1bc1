//! Settings of the worker's database, and of what it remembers in it.

use std::time::Duration;

use url::Url;

use super::Secret;
use super::kinds::{Must, duration, number};
use super::reader::{Section, key, key_or};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

/// The database of the workers: what was told, budgets, dead letters.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `mysql://user:password@host/database` or `sqlite:PATH`; `None` means a `SQLite` file in the data directory.
    pub url: Option<Secret>,
    /// Connections one process opens at most.
    pub connections: u32,
    /// How long a round trip may take before the process goes on without the database.
    pub timeout: Duration,
}

/// When an alert is told again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DedupConfig {
    /// How long after it was told a firing alert is told again, as a reminder.
    pub repeat_after: Duration,
    /// How long the same firing of a source without times counts as the same.
    pub window: Duration,
    /// How far apart two stamps of the same firing may be (replicas of Prometheus), and by how much a resolution
    /// outweighs a firing that comes after it.
    pub jitter: Duration,
    /// How long an alert nobody sends any more is remembered.
    pub remember: Duration,
    /// Alerts each worker remembers in memory, to answer repeats without the database.
    pub cache_entries: usize,
}

impl Default for DedupConfig {
    fn default() -> Self {
        Self {
            repeat_after: 55 * MINUTE,
            window: 5 * MINUTE,
            jitter: MINUTE,
            remember: 7 * DAY,
            cache_entries: 100_000,
        }
    }
}

pub(super) fn database(section: Section<'_>) -> DatabaseConfig {
    let database = DatabaseConfig {
        url: section.secret(key_or("url", "DATABASE_URL"), database_url),
        connections: section.value(key("connections"), number(1..=100)).unwrap_or(4),
        timeout: section
            .value(key("timeout"), duration(Duration::from_millis(50)..=MINUTE))
            .unwrap_or(2 * SECOND),
    };
    section.finish();
    database
}

pub(super) fn dedup(section: Section<'_>) -> DedupConfig {
    let default = DedupConfig::default();
    let time = |name, longest| section.value(name, duration(SECOND..=longest));
    let dedup = DedupConfig {
        repeat_after: time(key_or("repeat_after", "REPEAT_AFTER"), 30 * DAY).unwrap_or(default.repeat_after),
        window: time(key_or("window", "DEDUP_WINDOW"), DAY).unwrap_or(default.window),
        jitter: time(key_or("jitter", "JITTER"), HOUR).unwrap_or(default.jitter),
        remember: section.value(key("remember"), duration(DAY..=365 * DAY)).unwrap_or(default.remember),
        cache_entries: section
            .value(key("cache_entries"), number(1_000..=10_000_000))
            .unwrap_or(default.cache_entries),
    };
    section.finish();
    dedup
}

fn database_url(text: &str) -> Result<String, Must> {
    let mysql = || {
        Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "mysql" | "mariadb") && url.has_host() && url.path().len() > 1
        })
    };
    let sqlite = text.strip_prefix("sqlite:").is_some_and(|path| !path.is_empty());
    let must =
        "a database URL, such as mysql://user:password@host:3306/larkfire or sqlite:/var/lib/larkfire.db";
    (sqlite || mysql()).then(|| text.to_owned()).ok_or_else(|| must.to_owned())
}
