//! The budget on a server: the statement against the function, many workers at once, and a database that goes.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::{ClientTls, DatabaseConfig, Secret};
use prometheus::Registry;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use runtime::clock::Clock;
use testkit::chaos_proxy::ChaosProxy;
use testkit::mariadb::{TestDatabase, mysql_address};
use testkit::pace::{Most, clock_from, most_within};
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use worker::budget::fleet::{FleetAnswer, mysql, postgres, sqlite};
use worker::budget::gcra::{self, GcraState, RESERVE_AHEAD_MS};
use worker::budget::rates::Rates;
use worker::budget::workers::{WorkerPlace, Workers};
use worker::budget::{Budget, HOLD_MAX, Limits, SendSlot};
use worker::store::sql::{execute, rows};
use worker::store::{Pool, Store};

use crate::databases::{Database, on_each_database, on_each_server};

const NOW_MS: i64 = 1_705_314_600_000;
const BOT: Limits = Limits { per_minute: 100, per_second: 5 };
/// One card a minute, so that no pause of the machine lets a second one through.
const RARE: Limits = Limits { per_minute: 1, per_second: 1 };
/// What is tried: asked so much later (or earlier: the clock was set back), under which limits, held before or not.
type Try = (i64, Limits, Option<i64>);
/// How long each has something to send.
const STORM: Duration = Duration::from_mins(5);

on_each_database! {
    a_database_grants_what_the_function_grants
}

on_each_server! {
    eight_senders_on_four_workers_keep_both_limits_together
    what_one_worker_spends_another_one_does_not_have
    who_asks_for_a_slot_now_takes_none_of_later
    a_hold_is_everybodys
    the_fleet_keeps_the_budget_again_when_the_database_is_back
    those_that_were_seen_lately_count_and_each_has_its_own_place
}

/// The database there. A machine that is busy with other tests is no database that is away.
fn store_at(url: &str) -> Store {
    store_within(url, Duration::from_secs(20))
}

fn store_within(url: &str, timeout: Duration) -> Store {
    let config =
        DatabaseConfig { url: Some(Secret::new(url)), tls: ClientTls::default(), connections: 4, timeout };
    Store::open(&config, Path::new("."), &Registry::new()).unwrap()
}

fn budget(store: Store) -> (Budget, Registry) {
    let registry = Registry::new();
    (Budget::new(store, Clock::system(), &registry).unwrap(), registry)
}

fn counted(registry: &Registry) -> String {
    let shown = prometheus::TextEncoder::new().encode_to_string(&registry.gather()).unwrap();
    shown.lines().filter(|line| !line.starts_with('#')).collect::<Vec<_>>().join(" ")
}

fn tries() -> impl Strategy<Value = Vec<Try>> {
    let gap = prop_oneof![4 => Just(0), 8 => 0_i64..2_000, 2 => 0_i64..90_000, 1 => -700_000_i64..0];
    let limits = prop_oneof![
        8 => Just(BOT),
        1 => (1_u32..=1_000, 1_u32..=50)
            .prop_map(|(per_minute, per_second)| Limits { per_minute, per_second }),
    ];
    // Some that are over within the test, and some that are not.
    let pause = prop_oneof![4 => 0_i64..8_000, 1 => 0_i64..600_000];
    vec((gap, limits, proptest::option::weighted(0.1, pause)), 1..40)
}

/// Whether the database says what the function says, try by try.
async fn agrees(store: &Store, receiver: &str, tries: Vec<Try>) -> Result<(), TestCaseError> {
    let mut state = GcraState::default();
    let mut now_ms = NOW_MS;
    for (index, (gap_ms, limits, pause_ms)) in tries.into_iter().enumerate() {
        now_ms += gap_ms;
        let rates = Rates::below(limits);
        if let Some(pause_ms) = pause_ms {
            state = gcra::hold(state, now_ms, pause_ms);
            match store.pool() {
                Pool::MySql(pool) => mysql::hold(pool, receiver, pause_ms, Some(now_ms)).await,
                Pool::Postgres(pool) => postgres::hold(pool, receiver, pause_ms, Some(now_ms)).await,
                Pool::Sqlite(pool) => sqlite::hold(pool, receiver, pause_ms, now_ms).await,
                Pool::Simulated(_) => panic!("a real one"),
            }
            .unwrap();
        }
        // Every other asks for a slot of that moment only.
        let ahead_ms = if index % 2 == 0 { RESERVE_AHEAD_MS } else { 0 };
        let answer = match store.pool() {
            Pool::MySql(pool) => mysql::reserve(pool, receiver, rates, ahead_ms, Some(now_ms)).await,
            Pool::Postgres(pool) => postgres::reserve(pool, receiver, rates, ahead_ms, Some(now_ms)).await,
            Pool::Sqlite(pool) => sqlite::reserve(pool, receiver, rates, ahead_ms, now_ms).await,
            Pool::Simulated(_) => panic!("a real one"),
        };
        let FleetAnswer { wait_ms, at_ms } = answer.unwrap();
        let (expected_ms, after) = gcra::reserve(state, now_ms, rates, ahead_ms);
        prop_assert_eq!(wait_ms, expected_ms.unsigned_abs());
        let is_first_of_a_server = index == 0 && pause_ms.is_none() && store.is_shared();
        prop_assert_eq!(at_ms, (!is_first_of_a_server).then_some(now_ms));
        prop_assert_eq!(kept(store, receiver).await, after);
        state = after;
    }
    Ok(())
}

async fn kept(store: &Store, receiver: &str) -> GcraState {
    let select = "SELECT minute_free_ms, second_free_ms, held_until_ms, held_for_ms
         FROM larkfire_budget WHERE receiver = ?";
    let row: Result<Vec<(i64, i64, i64, i64)>, _> = match store.pool() {
        Pool::MySql(_) | Pool::Postgres(_) => rows(store.pool(), select, &[receiver.as_bytes().into()]).await,
        Pool::Sqlite(_) => rows(store.pool(), select, &[receiver.into()]).await,
        Pool::Simulated(_) => panic!("a real one"),
    };
    let (minute_free_ms, second_free_ms, held_until_ms, held_for_ms) = row.unwrap()[0];
    GcraState { minute_free_ms, second_free_ms, held_until_ms, held_for_ms }
}

fn always_agrees(store: &Store, runtime: &tokio::runtime::Handle) {
    runtime.block_on(store.migrate()).unwrap();
    let case = AtomicI64::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let outcome = runner.run(&tries(), |tries| {
        let receiver = format!("receiver {}", case.fetch_add(1, Ordering::Relaxed));
        runtime.block_on(agrees(store, &receiver, tries))
    });
    outcome.unwrap();
}

async fn a_database_grants_what_the_function_grants(database: Database) {
    let store = store_at(&database.url());
    let runtime = tokio::runtime::Handle::current();
    // The runner waits for each case by itself.
    tokio::task::spawn_blocking(move || always_agrees(&store, &runtime)).await.unwrap();
}

/// A slot of a server, at that time.
async fn reserved(store: &Store, receiver: &str, now_ms: i64) -> Result<FleetAnswer, sqlx::Error> {
    let rates = Rates::below(BOT);
    match store.pool() {
        Pool::MySql(pool) => mysql::reserve(pool, receiver, rates, RESERVE_AHEAD_MS, Some(now_ms)).await,
        Pool::Postgres(pool) => {
            postgres::reserve(pool, receiver, rates, RESERVE_AHEAD_MS, Some(now_ms)).await
        }
        Pool::Sqlite(_) | Pool::Simulated(_) => panic!("a server"),
    }
}

async fn eight_senders_on_four_workers_keep_both_limits_together(database: Database) {
    let stores: Vec<_> = (0..4).map(|_| store_at(&database.url())).collect();
    let mut now_ms = NOW_MS;
    let mut slots = Vec::new();
    while slots.len() < 200 {
        let mut senders = JoinSet::new();
        for sender in 0..8 {
            let store = stores[sender % stores.len()].clone();
            senders.spawn(async move {
                let reserved = store.within(|| reserved(&store, "storm", now_ms)).await;
                i64::try_from(reserved.unwrap().wait_ms).unwrap()
            });
        }
        let waits_ms = senders.join_all().await;
        slots.extend(
            waits_ms.iter().filter(|wait_ms| **wait_ms <= RESERVE_AHEAD_MS).map(|wait_ms| now_ms + wait_ms),
        );
        // Some of them wait for their slots meanwhile, and some were told to ask again.
        now_ms += 3_000;
    }
    assert_eq!(most_within(&slots, 60_000), 90, "{slots:?}");
    assert!(most_within(&slots, 1_000) <= 5, "{slots:?}");
}

async fn what_one_worker_spends_another_one_does_not_have(database: Database) {
    let (one, shown) = budget(store_at(&database.url()));
    let (other, _) = budget(store_at(&database.url()));
    assert_eq!(
        counted(&shown),
        "larkfire_budget_holds_total 0 larkfire_budget_reservations_total{by=\"fleet\"} 0 \
         larkfire_budget_reservations_total{by=\"late\"} 0 \
         larkfire_budget_reservations_total{by=\"local\"} 0",
        "everything counted is there from the start"
    );
    assert_eq!(one.reserve("ops", RARE).await, SendSlot::Reserved { wait: Duration::ZERO });
    assert!(matches!(other.reserve("ops", RARE).await, SendSlot::AskAgain { after } if !after.is_zero()));
    let theirs = other.reserve("Ops", RARE).await;
    assert_eq!(theirs, SendSlot::Reserved { wait: Duration::ZERO }, "of another receiver");
    assert!(counted(&shown).contains("{by=\"fleet\"} 1"));
}

async fn who_asks_for_a_slot_now_takes_none_of_later(database: Database) {
    let (budget, shown) = budget(store_at(&database.url()));
    let slow = Limits { per_minute: 60, per_second: 1 };
    assert_eq!(budget.reserve_now("ops", slow).await, SendSlot::Reserved { wait: Duration::ZERO });
    for _ in 0..3 {
        assert!(matches!(budget.reserve_now("ops", slow).await, SendSlot::AskAgain { .. }));
    }
    let SendSlot::Reserved { wait } = budget.reserve("ops", slow).await else { panic!("it is near") };
    assert!(wait <= Duration::from_millis(1_301), "nobody has taken it: {wait:?}");
    assert!(counted(&shown).contains("{by=\"fleet\"} 2"));
}

async fn a_hold_is_everybodys(database: Database) {
    let (one, shown) = budget(store_at(&database.url()));
    let (other, _) = budget(store_at(&database.url()));
    one.hold("ops", Duration::from_hours(24)).await;
    assert!(counted(&shown).contains("larkfire_budget_holds_total 1"));
    for budget in [one, other] {
        let SendSlot::AskAgain { after } = budget.reserve("ops", BOT).await else { panic!("it is held") };
        assert!(after > HOLD_MAX / 2 && after <= HOLD_MAX, "not for a day: {after:?}");
    }
}

async fn the_fleet_keeps_the_budget_again_when_the_database_is_back(database: Database) {
    let quick = Limits { per_minute: 6_000, per_second: 1_000 };
    let proxy = ChaosProxy::start(database.server()).await;
    let (budget, shown) = budget(store_at(&database.url_at(proxy.address())));
    let granted = |by: &str| {
        let name = format!("larkfire_budget_reservations_total{{by=\"{by}\"}} ");
        counted(&shown)
            .split(&name)
            .nth(1)
            .and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok())
            .unwrap()
    };
    let reserve_until_more = async |by: &str, what: &str| {
        let before = granted(by);
        wait_until(Duration::from_secs(30), what, async || {
            let slot = budget.reserve("ops", quick).await;
            if granted(by) > before { Ok(()) } else { Err(slot) }
        })
        .await;
    };
    reserve_until_more("fleet", "a slot of the fleet").await;
    proxy.cut();
    reserve_until_more("local", "a slot of its own").await;
    proxy.restore();
    reserve_until_more("fleet", "a slot of the fleet again").await;
    proxy.stop().await;
}

fn budget_of(store: Store) -> Arc<Budget> {
    Arc::new(Budget::new(store, clock_from(NOW_MS), &Registry::new()).unwrap())
}

/// Everybody sends whenever it may, for so long. Returns when.
async fn storm(budgets: &[Arc<Budget>], length: Duration) -> Vec<Instant> {
    let mut senders = JoinSet::new();
    for budget in budgets.iter().map(Arc::clone) {
        senders.spawn(async move {
            let end = Instant::now() + length;
            let mut sent = Vec::new();
            while Instant::now() < end {
                match budget.reserve("bot/1", BOT).await {
                    SendSlot::Reserved { wait } => {
                        sleep(wait).await;
                        sent.push(Instant::now());
                    }
                    SendSlot::AskAgain { after } => sleep(after).await,
                }
            }
            sent
        });
    }
    senders.join_all().await.into_iter().flatten().collect()
}

/// Workers on one database behind a proxy, which know of each other.
async fn fleet(workers: usize) -> (TestDatabase, ChaosProxy, Vec<Arc<Budget>>) {
    let database = TestDatabase::create().await;
    let server = mysql_address();
    let proxy = ChaosProxy::start(server).await;
    let url = database.url_at(proxy.address());
    let budgets: Vec<_> =
        (0..workers).map(|_| budget_of(store_within(&url, Duration::from_secs(20)))).collect();
    for _ in 0..2 {
        for budget in &budgets {
            budget.make_known().await;
        }
    }
    (database, proxy, budgets)
}

#[tokio::test]
async fn a_fleet_that_was_calm_for_long_keeps_the_budget_when_the_database_goes_away() {
    for workers in [2, 5, 10] {
        let (_database, proxy, budgets) = fleet(workers).await;
        proxy.cut();
        tokio::time::pause();
        tokio::time::advance(Duration::from_mins(11)).await;
        let sent = storm(&budgets, STORM).await;
        tokio::time::resume();
        let Most { minute, second } = Most::of(&sent);
        assert!(minute <= 100 && second <= 5, "{workers} workers: {minute} in 60 s, {second} in 1 s");
        assert!(minute >= 30, "{workers} workers: only {minute} in 60 s");
    }
}

#[tokio::test]
async fn a_fleet_that_loses_its_database_in_a_storm_keeps_the_budget() {
    let (_database, proxy, budgets) = fleet(5).await;
    let mut sent = storm(&budgets, Duration::from_secs(2)).await;
    assert!(sent.len() >= 5, "{} by the fleet", sent.len());
    proxy.cut();
    tokio::time::pause();
    sent.extend(storm(&budgets, STORM).await);
    let Most { minute, second } = Most::of(&sent);
    assert!(minute <= 100 && second <= 5, "{minute} in 60 s, {second} in 1 s");
}

#[tokio::test]
async fn a_worker_that_knows_it_is_alone_waits_for_nobody() {
    let (_database, proxy, budgets) = fleet(1).await;
    proxy.cut();
    assert_eq!(budgets[0].reserve("bot/1", BOT).await, SendSlot::Reserved { wait: Duration::ZERO });
}

async fn those_that_were_seen_lately_count_and_each_has_its_own_place(database: Database) {
    let store = store_at(&database.url());
    let all = [(); 3].map(|()| Workers::new(&store));
    for _ in 0..2 {
        for workers in &all {
            workers.make_known(&store).await;
        }
    }
    let now_s = match store.pool() {
        Pool::Postgres(_) => "CAST(EXTRACT(EPOCH FROM now()) AS BIGINT)",
        Pool::MySql(_) | Pool::Sqlite(_) | Pool::Simulated(_) => "UNIX_TIMESTAMP()",
    };
    let insert = format!("INSERT INTO larkfire_workers VALUES (7, {now_s} - 90)");
    store.within(|| execute(store.pool(), &insert, &[])).await.unwrap();
    let mut places = Vec::new();
    for workers in &all {
        workers.make_known(&store).await;
        places.push(workers.place(Instant::now()));
    }
    places.sort_unstable_by_key(|place| place.rank);
    assert_eq!(
        places,
        [0, 1, 2].map(|rank| WorkerPlace { count: 3, rank }),
        "but not the one of a minute ago"
    );
}
