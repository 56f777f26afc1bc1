//! What became of alerts, in each database: written in batches, found by each filter, forgotten in time.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, HistoryConfig, Secret};
use jiff::Timestamp;
use model::envelope::{Envelope, EnvelopeId, decode};
use prometheus::{Registry, TextEncoder};
use runtime::clock::Clock;
use testkit::ports::free_address;
use worker::history::{
    self, History, HistoryEntry, HistoryFacts, HistoryFilter, HistoryOutcome, HistoryRow, RepeatCause,
};
use worker::metrics::Outcome;
use worker::render::Item;
use worker::store::Store;

use crate::databases::{Database, on_each_database};

const START: i64 = 1_705_314_600;

on_each_database! {
    alerts_are_found_by_each_filter
    repeats_of_an_alert_are_one_row_that_counts_them
    an_index_stands_behind_each_filter
    the_last_moments_are_counted_by_an_index
    what_is_too_old_or_too_much_makes_room
}

/// A history in a database of the test's own.
struct Harness {
    history: History,
    store: Store,
    registry: Registry,
    now: Arc<AtomicI64>,
    _database: Option<Database>,
}

impl Harness {
    fn new(config: HistoryConfig, database: Database) -> Self {
        let url = database.url();
        Self::at(&url, config, database)
    }

    fn at(url: &str, config: HistoryConfig, database: Database) -> Self {
        let database_config = DatabaseConfig {
            url: Some(Secret::new(url)),
            tls: ClientTls::default(),
            connections: 2,
            timeout: Duration::from_secs(20),
        };
        Self::on(&database_config, config, Some(database))
    }

    fn on(server: &DatabaseConfig, config: HistoryConfig, database: Option<Database>) -> Self {
        let now = Arc::new(AtomicI64::new(START * 1_000));
        let time = Arc::clone(&now);
        let clock =
            Clock::from_fn(move || Timestamp::from_millisecond(time.load(Ordering::Relaxed)).unwrap());
        let registry = Registry::new();
        let store = Store::open(server, Path::new("."), &registry).unwrap();
        let history = History::new(store.clone(), clock, config, &registry).unwrap();
        Self { history, store, registry, now, _database: database }
    }

    /// What is left at the end waits for no tables to be made.
    async fn ready(self) -> Self {
        self.store.migrate().await.unwrap();
        self
    }

    fn pass(&self, time: Duration) {
        self.now.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
    }

    /// Alerts of an envelope were delivered by a card.
    fn delivered(&self, envelope: &Envelope<'_>, card: &str) {
        let facts = Arc::new(HistoryFacts::at("ops").on_card(card, "ops/1"));
        let rows = Item::all_of(envelope);
        self.history.note(rows.iter().map(|item| HistoryRow::new(item, Outcome::Delivered, &facts).after(2)));
    }

    /// They came again, and were known by another envelope.
    fn known(&self, envelope: &Envelope<'_>, by: EnvelopeId) {
        let items = Item::all_of(envelope).into_iter();
        let known = items.map(|item| (item, HistoryOutcome::from(Outcome::Duplicate)));
        self.history.note_again("ops", None, known, |_| RepeatCause {
            reason: "this state was delivered".to_owned(),
            by: Some(by),
            ..RepeatCause::default()
        });
    }

    async fn find(&self, filter: &HistoryFilter) -> Vec<HistoryEntry> {
        history::find(&self.store, filter, 100).await.unwrap().entries
    }

    async fn all(&self) -> Vec<HistoryEntry> {
        history::find(&self.store, &HistoryFilter::default(), 100_000).await.unwrap().entries
    }

    fn shows(&self, metric: &str) -> bool {
        let text = TextEncoder::new().encode_to_string(&self.registry.gather()).unwrap();
        text.lines().any(|line| line == metric)
    }
}

/// An envelope with alerts of these names, `index` of them apart.
fn envelope(index: usize, names: &[&str]) -> Envelope<'static> {
    let alert = |name: &&str| {
        format!(
            r#"{{"fingerprint":"f-{name}-{index}","status":"firing","labels":{{"alertname":"{name}","n":"{index}"}}}}"#
        )
    };
    let alerts: Vec<_> = names.iter().map(alert).collect();
    let line = format!(
        r#"{{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-{index:012x}","received_at":"2024-01-15T10:30:00Z","source":"alertmanager","receiver":"ops","group_key":"g","alerts":[{}]}}"#,
        alerts.join(",")
    );
    decode(line.as_bytes()).unwrap().into_owned()
}

async fn alerts_are_found_by_each_filter(database: Database) {
    let harness = &Harness::new(HistoryConfig::default(), database).ready().await;
    let first = envelope(1, &["Disk", "Swap"]);
    harness.delivered(&first, "card-1");
    harness.pass(Duration::from_mins(1));
    harness.known(&envelope(2, &["Disk"]), first.id);
    harness.pass(Duration::from_mins(1));
    let dead = envelope(3, &["Disk"]);
    let facts = Arc::new(HistoryFacts::at("dev").because("refused: sensitive", Some(11248)));
    harness
        .history
        .note(Item::all_of(&dead).iter().map(|item| HistoryRow::new(item, Outcome::DeadLettered, &facts)));
    harness.history.finish().await;

    let identities = async |filter: HistoryFilter| {
        let found = harness.find(&filter).await;
        found.into_iter().map(|entry| entry.identity).collect::<Vec<_>>()
    };
    let none = HistoryFilter::default;
    let at = |second: i64| Some(Timestamp::from_second(START + second).unwrap());
    let matcher = |text: &str| vec![text.parse().unwrap()];
    for (filter, expected) in [
        (none(), &["f-Disk-3", "f-Disk-2", "f-Swap-1", "f-Disk-1"][..]),
        (HistoryFilter { name: Some("Swap".to_owned()), ..none() }, &["f-Swap-1"]),
        (
            HistoryFilter { identity: Some("f-Disk".to_owned()), ..none() },
            &["f-Disk-3", "f-Disk-2", "f-Disk-1"],
        ),
        (HistoryFilter { envelope: Some(dead.id), ..none() }, &["f-Disk-3"]),
        (HistoryFilter { card: Some("card-1".to_owned()), ..none() }, &["f-Swap-1", "f-Disk-1"]),
        (HistoryFilter { receiver: Some("dev".to_owned()), ..none() }, &["f-Disk-3"]),
        (HistoryFilter { outcome: Some(Outcome::Duplicate.into()), ..none() }, &["f-Disk-2"]),
        (HistoryFilter { code: Some(11_248), ..none() }, &["f-Disk-3"]),
        (
            HistoryFilter { labels: matcher("alertname=Disk"), ..none() },
            &["f-Disk-3", "f-Disk-2", "f-Disk-1"],
        ),
        (HistoryFilter { labels: matcher("n=~\"[12]\""), ..none() }, &["f-Disk-2", "f-Swap-1", "f-Disk-1"]),
        (HistoryFilter { since: at(30), until: at(90), ..none() }, &["f-Disk-2"]),
        (HistoryFilter { name: Some("Nobody".to_owned()), ..none() }, &[]),
    ] {
        assert_eq!(identities(filter.clone()).await, expected, "{filter:?}");
    }
    let entries = harness.all().await;
    assert_eq!((entries[0].code, entries[0].reason.as_deref()), (Some(11248), Some("refused: sensitive")));
    let delivered = &entries[3];
    assert_eq!((delivered.card.as_deref(), delivered.bot.as_deref()), (Some("card-1"), Some("ops/1")));
    assert_eq!((delivered.attempts, delivered.labels["n"].as_str()), (2, "1"));
    assert_eq!((delivered.at.as_second(), delivered.envelope), (START, first.id));
}

async fn repeats_of_an_alert_are_one_row_that_counts_them(database: Database) {
    let harness = &Harness::new(HistoryConfig::default(), database).ready().await;
    let first = envelope(1, &["Disk"]);
    let mut last = first.id;
    for round in 0..5_u32 {
        for copy in 0..20 {
            let mut repeat = envelope(1, &["Disk"]);
            repeat.id = first.id.part(round * 100 + copy + 1);
            last = repeat.id;
            harness.known(&repeat, first.id);
            harness.pass(Duration::from_secs(1));
        }
        // As every ten seconds: what was counted is written, and counted on.
        harness.history.finish().await;
    }
    let found = harness.all().await;
    let [entry] = &found[..] else { panic!("{found:?}") };
    assert_eq!((entry.times, entry.envelope, entry.by), (100, last, Some(first.id)));
    assert_eq!((entry.at.as_second(), entry.last_at.as_second()), (START, START + 99));
    assert_eq!(entry.reason.as_deref(), Some("this state was delivered"));
    assert!(harness.shows("larkfire_history_skipped_total 0"));
    // It is looked for by when it happened last as well.
    let at = |second: i64| Some(Timestamp::from_second(START + second).unwrap());
    assert_eq!(harness.find(&HistoryFilter { since: at(50), ..HistoryFilter::default() }).await.len(), 1);
    assert_eq!(harness.find(&HistoryFilter { since: at(100), ..HistoryFilter::default() }).await.len(), 0);
}

/// One filter at a time, as pages and commands offer them.
fn each_filter() -> [(&'static str, HistoryFilter); 11] {
    let at = Timestamp::from_second(START + 3).unwrap();
    let none = HistoryFilter::default;
    let of_receiver = |outcome| HistoryFilter {
        receiver: Some("ops".to_owned()),
        outcome: Some(outcome),
        ..HistoryFilter::default()
    };
    [
        ("nothing", none()),
        ("receiver", HistoryFilter { receiver: Some("ops".to_owned()), ..none() }),
        ("name", HistoryFilter { name: Some("A7".to_owned()), ..none() }),
        ("identity", HistoryFilter { identity: Some("f-A7-1".to_owned()), ..none() }),
        ("outcome", HistoryFilter { outcome: Some(HistoryOutcome::Deferred), ..none() }),
        ("receiver and a common outcome", of_receiver(HistoryOutcome::from(Outcome::Delivered))),
        ("receiver and a rare outcome", of_receiver(HistoryOutcome::from(Outcome::DeadLettered))),
        ("code", HistoryFilter { code: Some(11_248), ..none() }),
        ("envelope", HistoryFilter { envelope: Some(envelope(1, &["A7"]).id), ..none() }),
        ("card", HistoryFilter { card: Some("card-1".to_owned()), ..none() }),
        ("time", HistoryFilter { since: Some(at), until: Some(at), ..none() }),
    ]
}

async fn an_index_stands_behind_each_filter(database: Database) {
    let url = database.url_by_indexes();
    let harness = &Harness::at(&url, HistoryConfig::default(), database).ready().await;
    for slot in 0..20 {
        let names: Vec<String> = (0..50).map(|number| format!("A{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        harness.delivered(&envelope(slot, &names), &format!("card-{slot}"));
        harness.pass(Duration::from_secs(1));
    }
    harness.history.finish().await;
    for (name, filter) in each_filter() {
        let plan = history::plan(&harness.store, &filter).await.unwrap().join("\n");
        // Of an alert there are few rows, which are put in order by themselves.
        let sorts =
            ["filesort", "TEMP B-TREE FOR ORDER BY", "->  Sort"].iter().any(|word| plan.contains(word));
        assert!(!sorts || matches!(name, "identity" | "envelope" | "card"), "{name} sorts: {plan}");
        let is_found = ["INDEX", " by larkfire_history_", " by PRIMARY", "Index Scan", "Bitmap Index Scan"]
            .iter()
            .any(|word| plan.contains(word));
        assert!(is_found && !plan.starts_with("ALL"), "{name} has no index: {plan}");
    }
}

async fn the_last_moments_are_counted_by_an_index(database: Database) {
    let url = database.url_by_indexes();
    let harness = &Harness::at(&url, HistoryConfig::default(), database).ready().await;
    for slot in 0..20 {
        let names: Vec<String> = (0..50).map(|number| format!("A{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        harness.delivered(&envelope(slot, &names), &format!("card-{slot}"));
        harness.pass(Duration::from_mins(1));
    }
    harness.history.finish().await;
    let at = |minute: i64| Timestamp::from_second(START + minute * 60).unwrap();
    let counts = history::cards_since(&harness.store, at(18)).await.unwrap();
    assert_eq!(
        counts.iter().map(|count| (count.receiver.as_str(), count.count)).collect::<Vec<_>>(),
        [("ops", 2)]
    );
    assert_eq!(history::deferred(&harness.store, at(20)).await.unwrap(), []);
    // Of a thousand rows fifty are of the last minute: whoever reads all of them would do so with ten million as well.
    for plan in history::count_plans(&harness.store, at(19)).await.unwrap() {
        let plan = plan.join("\n");
        let is_found = ["SEARCH", "range by PRIMARY", "range by larkfire_history_", "Index Cond"];
        assert!(is_found.iter().any(|word| plan.contains(word)), "it reads all rows: {plan}");
    }
}

async fn what_is_too_old_or_too_much_makes_room(database: Database) {
    let harness = &Harness::new(little(), database).ready().await;
    // Twice an hour, 300 alerts each.
    for slot in 0..10 {
        let names: Vec<String> = (0..300).map(|number| format!("A{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        harness.delivered(&envelope(slot, &names), "card");
        harness.history.finish().await;
        harness.pass(Duration::from_mins(30));
    }
    assert_eq!(harness.all().await.len(), 3_000);
    // 1 500 rows have room, which are five of those half hours.
    assert_eq!(harness.history.clean().await.unwrap(), 1_500);
    let left = harness.all().await;
    assert_eq!(
        (left.len(), left[0].labels["n"].as_str(), left[1_499].labels["n"].as_str()),
        (1_500, "9", "5")
    );
    assert_eq!(harness.history.clean().await.unwrap(), 0);
    // They are older than a day but for the last two.
    harness.pass(Duration::from_hours(24) - Duration::from_mins(75));
    assert_eq!(harness.history.clean().await.unwrap(), 900);
    assert_eq!(harness.all().await.len(), 600);
    assert!(harness.shows("larkfire_history_cleaned_rows_total 2400"));
}

fn little() -> HistoryConfig {
    HistoryConfig { rows: 1_500, keep: Duration::from_hours(24), ..HistoryConfig::default() }
}

#[tokio::test]
async fn with_the_database_away_rows_are_counted_and_left_out() {
    let url = Some(Secret::new(format!("mysql://root@{}/none", free_address())));
    let database =
        DatabaseConfig { url, tls: ClientTls::default(), connections: 1, timeout: Duration::from_millis(50) };
    let harness = Harness::on(&database, HistoryConfig::default(), None);
    harness.delivered(&envelope(1, &["Disk", "Swap"]), "card");
    harness.known(&envelope(2, &["Disk"]), envelope(1, &["Disk"]).id);
    harness.history.finish().await;
    assert!(harness.shows("larkfire_history_skipped_total 3"));
    assert!(harness.shows("larkfire_history_rows_total 0"));
}

#[tokio::test]
async fn more_than_there_is_room_for_is_counted_and_left_out() {
    let harness = Harness::new(HistoryConfig::default(), Database::sqlite().await);
    let names: Vec<String> = (0..1_000).map(|number| format!("A{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let crowd = envelope(1, &names);
    // Nobody writes: what waits is bounded.
    for _ in 0..51 {
        harness.delivered(&crowd, "card");
    }
    assert!(harness.shows("larkfire_history_skipped_total 1000"));
}
