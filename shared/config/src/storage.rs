//! Settings of the worker's database, and of what it remembers in it.

use std::borrow::Cow;
use std::time::Duration;

use url::Url;

use super::kinds::{Must, bytes, duration, number, text, yes_or_no};
use super::reader::{Reader, Section, key, key_or};
use super::{ClientTls, Secret};

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MIB: u64 = 1 << 20;

/// The database of the workers: what was told, budgets, dead letters.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// `mysql://user:password@host/database`, the same with `postgres://`, or `sqlite:PATH`; `None` means a `SQLite` file in the data directory.
    pub url: Option<Secret>,
    /// How a server is known, and what it is shown.
    pub tls: ClientTls,
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
    /// Whether it is told again as well when its sender says that it repeats it for that (Alertmanager since 0.32).
    pub sender_repeats: bool,
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
            sender_repeats: false,
            window: 5 * MINUTE,
            jitter: MINUTE,
            remember: 7 * DAY,
            cache_entries: 100_000,
        }
    }
}

pub(super) fn database(reader: &Reader, section: Section<'_>) -> DatabaseConfig {
    let database = DatabaseConfig {
        url: section.secret(key_or("url", "DATABASE_URL"), database_url),
        tls: super::tls::database(reader, section.section("tls")),
        connections: section.value(key("connections"), number(1..=100)).unwrap_or(4),
        timeout: section
            .value(key("timeout"), duration(Duration::from_millis(50)..=MINUTE))
            .unwrap_or(2 * SECOND),
    };
    if let Some(flaw) = tls_without_use(&database) {
        reader.report(section.place_at("tls"), flaw);
    }
    section.finish();
    database
}

/// Somebody means to have TLS, and would not.
fn tls_without_use(database: &DatabaseConfig) -> Option<&'static str> {
    let url = database.url.as_ref().filter(|_| database.tls.is_set())?;
    let Some(url) = Url::parse(url.expose()).ok().filter(Url::has_host) else {
        return Some("is for servers, and database.url is a file");
    };
    // The words of MySQL, and those of PostgreSQL: `allow` would be TLS only where nothing else goes.
    let is_off = |(name, mode): (Cow<'_, str>, Cow<'_, str>)| {
        matches!(&*name, "ssl-mode" | "sslmode")
            && ["disabled", "disable", "allow"].iter().any(|off| mode.eq_ignore_ascii_case(off))
    };
    url.query_pairs()
        .any(is_off)
        .then_some("is set, and database.url turns TLS off (ssl-mode=DISABLED, sslmode=disable)")
}

/// What does not tell one alert from another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityConfig {
    /// The labels that tell replicas apart, and no alerts.
    pub ignore_labels: Vec<String>,
}

pub(super) fn identity(section: &Section<'_>) -> IdentityConfig {
    let name = key("ignore_labels");
    let is_set = section.is_set(name);
    let set = section.values(name, text);
    let usual = || ["prometheus_replica", "__replica__"].map(str::to_owned).to_vec();
    // `none` for those who want every label to count.
    let ignore_labels = if is_set { set } else { usual() };
    IdentityConfig { ignore_labels: ignore_labels.into_iter().filter(|label| label != "none").collect() }
}

pub(super) fn dedup(section: Section<'_>) -> DedupConfig {
    let default = DedupConfig::default();
    let time = |name, longest| section.value(name, duration(SECOND..=longest));
    let dedup = DedupConfig {
        repeat_after: time(key_or("repeat_after", "REPEAT_AFTER"), 30 * DAY).unwrap_or(default.repeat_after),
        sender_repeats: section.value(key("sender_repeats"), yes_or_no).unwrap_or(default.sender_repeats),
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

/// What is kept of what became of each alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HistoryConfig {
    /// Whether anything is.
    pub enabled: bool,
    /// For how long.
    pub keep: Duration,
    /// How many rows at most; the oldest make room.
    pub rows: u64,
    /// How many bytes at most, as the rows count their own; indexes come on top.
    pub bytes: u64,
    /// How many bytes of cards as they were sent, packed; the oldest make room. None are kept where it is 0.
    pub cards_bytes: u64,
}

impl Default for HistoryConfig {
    fn default() -> Self {
        let bytes = 2 * 1024 * MIB;
        Self { enabled: true, keep: 7 * DAY, rows: 5_000_000, bytes, cards_bytes: 256 * MIB }
    }
}

pub(super) fn history(section: Section<'_>) -> HistoryConfig {
    let default = HistoryConfig::default();
    let size = section.value(key("bytes"), bytes(MIB..=1024 * 1024 * MIB));
    let cards_size = section.value(key("cards_bytes"), bytes(0..=1024 * 1024 * MIB));
    let history = HistoryConfig {
        enabled: section.value(key("enabled"), yes_or_no).unwrap_or(default.enabled),
        keep: section.value(key("keep"), duration(HOUR..=90 * DAY)).unwrap_or(default.keep),
        rows: section.value(key("rows"), number(1_000..=1_000_000_000)).unwrap_or(default.rows),
        bytes: size.map_or(default.bytes, |size| size as u64),
        cards_bytes: cards_size.map_or(default.cards_bytes, |size| size as u64),
    };
    section.finish();
    history
}

/// Whether a URL leads to a `PostgreSQL` server.
pub fn is_postgres_url(url: &str) -> bool {
    ["postgres:", "postgresql:"].iter().any(|scheme| url.starts_with(scheme))
}

fn database_url(text: &str) -> Result<String, Must> {
    let server = || {
        Url::parse(text).is_ok_and(|url| {
            let is_known = matches!(url.scheme(), "mysql" | "mariadb") || is_postgres_url(text);
            is_known && url.has_host() && url.path().len() > 1
        })
    };
    let sqlite = text.strip_prefix("sqlite:").is_some_and(|path| !path.is_empty());
    let must = "a database URL, such as mysql://user:password@host:3306/larkfire, \
        postgres://user:password@host:5432/larkfire or sqlite:/var/lib/larkfire.db";
    (sqlite || server()).then(|| text.to_owned()).ok_or_else(|| must.to_owned())
}
