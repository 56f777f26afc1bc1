//! The room on real databases: the statement against the function, many workers at once, and a database that goes.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use shared::config::{DatabaseConfig, Secret};
use testkit::chaos_proxy::ChaosProxy;
use testkit::mariadb::{TestDatabase, mysql_url};
use testkit::ports::free_address;
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;

use super::fleet::{mysql, sqlite};
use super::gcra::{RESERVE_AHEAD_MS, State};
use super::*;
use crate::store::Pool;

const NOW_MS: i64 = 1_705_314_600_000;
const BOT: Limits = Limits { per_minute: 100, per_second: 5 };
/// One card a minute, so that no pause of the machine lets a second one through.
const RARE: Limits = Limits { per_minute: 1, per_second: 1 };
/// What is tried: asked so much later (or earlier: the clock was set back), under which limits, held before or not.
type Try = (i64, Limits, Option<i64>);

/// The most of these times, which are sorted first, that lie in one window with both its ends.
pub(super) fn most_within(times_ms: &[i64], window_ms: i64) -> usize {
    let mut times_ms = times_ms.to_vec();
    times_ms.sort_unstable();
    let from = |index: usize| times_ms[index..].partition_point(|time| *time <= times_ms[index] + window_ms);
    (0..times_ms.len()).map(from).max().unwrap_or(0)
}

/// The database there. A machine that is busy with other tests is no database that is away.
pub(super) fn store_at(url: &str) -> Store {
    store_within(url, Duration::from_secs(20))
}

fn store_within(url: &str, timeout: Duration) -> Store {
    let config = DatabaseConfig { url: Some(Secret::new(url)), connections: 4, timeout };
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
    let (mut state, mut now_ms) = (State::default(), NOW_MS);
    for (index, (gap_ms, limits, pause_ms)) in tries.into_iter().enumerate() {
        now_ms += gap_ms;
        let rates = Rates::below(limits);
        if let Some(pause_ms) = pause_ms {
            state = gcra::hold(state, now_ms, pause_ms);
            match store.pool() {
                Pool::MySql(pool) => mysql::hold(pool, receiver, pause_ms, Some(now_ms)).await,
                Pool::Sqlite(pool) => sqlite::hold(pool, receiver, pause_ms, now_ms).await,
            }
            .unwrap();
        }
        // Every other asks for a slot of that moment only.
        let rates = (rates, if index % 2 == 0 { RESERVE_AHEAD_MS } else { 0 });
        let wait_ms = match store.pool() {
            Pool::MySql(pool) => mysql::reserve(pool, receiver, rates, Some(now_ms)).await,
            Pool::Sqlite(pool) => sqlite::reserve(pool, receiver, rates, now_ms).await,
        };
        let (expected_ms, after) = gcra::reserve(state, now_ms, rates);
        prop_assert_eq!(wait_ms.unwrap(), expected_ms.unsigned_abs());
        prop_assert_eq!(kept(store, receiver).await, after);
        state = after;
    }
    Ok(())
}

async fn kept(store: &Store, receiver: &str) -> State {
    let select = "SELECT minute_free_ms, second_free_ms, held_until_ms, held_for_ms
         FROM larkfire_budget WHERE receiver = ?";
    let row: Result<(i64, i64, i64, i64), _> = match store.pool() {
        Pool::MySql(pool) => sqlx::query_as(select).bind(receiver.as_bytes()).fetch_one(pool).await,
        Pool::Sqlite(pool) => sqlx::query_as(select).bind(receiver).fetch_one(pool).await,
    };
    let (minute_free_ms, second_free_ms, held_until_ms, held_for_ms) = row.unwrap();
    State { minute_free_ms, second_free_ms, held_until_ms, held_for_ms }
}

fn always_agrees(store: &Store, runtime: &tokio::runtime::Runtime) {
    runtime.block_on(store.migrate()).unwrap();
    let case = AtomicI64::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(40));
    let outcome = runner.run(&tries(), |tries| {
        let receiver = format!("receiver {}", case.fetch_add(1, Ordering::Relaxed));
        runtime.block_on(agrees(store, &receiver, tries))
    });
    outcome.unwrap();
}

#[test]
fn mysql_grants_what_the_function_grants() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let database = runtime.block_on(TestDatabase::create());
    always_agrees(&store_at(&database.url()), &runtime);
}

#[test]
fn sqlite_grants_what_the_function_grants() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _inside = runtime.enter();
    let directory = tempfile::tempdir().unwrap();
    let store = store_at(&format!("sqlite:{}", directory.path().join("budget.db").display()));
    always_agrees(&store, &runtime);
}

#[tokio::test(flavor = "multi_thread")]
async fn eight_senders_on_four_workers_keep_both_limits_together() {
    let database = TestDatabase::create().await;
    let stores: Vec<_> = (0..4).map(|_| store_at(&database.url())).collect();
    let (mut now_ms, mut slots) = (NOW_MS, Vec::new());
    while slots.len() < 200 {
        let mut senders = JoinSet::new();
        for sender in 0..8 {
            let store = stores[sender % stores.len()].clone();
            senders.spawn(async move {
                let Pool::MySql(pool) = store.pool() else { panic!("a server") };
                let reserved =
                    mysql::reserve(pool, "storm", (Rates::below(BOT), RESERVE_AHEAD_MS), Some(now_ms));
                i64::try_from(store.within(reserved).await.unwrap()).unwrap()
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

#[tokio::test]
async fn what_one_worker_spends_another_one_does_not_have() {
    let database = TestDatabase::create().await;
    let (one, shown) = budget(store_at(&database.url()));
    let (other, _) = budget(store_at(&database.url()));
    assert_eq!(
        counted(&shown),
        "larkfire_budget_holds_total 0 larkfire_budget_reservations_total{by=\"fleet\"} 0 \
         larkfire_budget_reservations_total{by=\"local\"} 0",
        "everything counted is there from the start"
    );
    assert_eq!(one.reserve("ops", RARE).await, Slot::Reserved { wait: Duration::ZERO });
    assert!(matches!(other.reserve("ops", RARE).await, Slot::AskAgain { after } if !after.is_zero()));
    let theirs = other.reserve("Ops", RARE).await;
    assert_eq!(theirs, Slot::Reserved { wait: Duration::ZERO }, "of another receiver");
    assert!(counted(&shown).contains("{by=\"fleet\"} 1"));
}

#[tokio::test]
async fn who_asks_for_a_slot_now_takes_none_of_later() {
    let database = TestDatabase::create().await;
    let (budget, shown) = budget(store_at(&database.url()));
    let slow = Limits { per_minute: 60, per_second: 1 };
    assert_eq!(budget.reserve_now("ops", slow).await, Slot::Reserved { wait: Duration::ZERO });
    for _ in 0..3 {
        assert!(matches!(budget.reserve_now("ops", slow).await, Slot::AskAgain { .. }));
    }
    let Slot::Reserved { wait } = budget.reserve("ops", slow).await else { panic!("it is near") };
    assert!(wait <= Duration::from_millis(1_301), "nobody has taken it: {wait:?}");
    assert!(counted(&shown).contains("{by=\"fleet\"} 2"));
}

#[tokio::test]
async fn a_hold_is_everybodys() {
    let database = TestDatabase::create().await;
    let (one, shown) = budget(store_at(&database.url()));
    let (other, _) = budget(store_at(&database.url()));
    one.hold("ops", Duration::from_hours(24)).await;
    assert!(counted(&shown).contains("larkfire_budget_holds_total 1"));
    for budget in [one, other] {
        let Slot::AskAgain { after } = budget.reserve("ops", BOT).await else { panic!("it is held") };
        assert!(after > HOLD_MAX / 2 && after <= HOLD_MAX, "not for a day: {after:?}");
    }
}

#[tokio::test]
async fn without_the_database_a_worker_has_a_share_and_keeps_a_hold() {
    let nowhere = format!("mysql://root@{}/none", free_address());
    let (budget, shown) = budget(store_within(&nowhere, Duration::from_millis(100)));
    assert_eq!(budget.reserve("ops", RARE).await, Slot::Reserved { wait: Duration::ZERO });
    assert!(counted(&shown).contains("{by=\"local\"} 1"));
    let Slot::AskAgain { after } = budget.reserve("ops", RARE).await else { panic!("its share is spent") };
    assert!(after > Duration::from_mins(2), "a share of four, of a card a minute: {after:?}");
    budget.hold("other", Duration::from_mins(5)).await;
    assert!(matches!(budget.reserve("other", BOT).await, Slot::AskAgain { .. }));
}

#[tokio::test]
async fn the_fleet_keeps_the_budget_again_when_the_database_is_back() {
    let quick = Limits { per_minute: 6_000, per_second: 1_000 };
    let database = TestDatabase::create().await;
    let server: SocketAddr = mysql_url().rsplit('@').next().unwrap().parse().unwrap();
    let proxy = ChaosProxy::start(server).await;
    let (budget, _) = budget(store_at(&database.url_at(proxy.address())));
    let reserve_until_more = async |counter: &prometheus::IntCounter, what: &str| {
        let before = counter.get();
        wait_until(Duration::from_secs(30), what, async || {
            let slot = budget.reserve("ops", quick).await;
            if counter.get() > before { Ok(()) } else { Err(slot) }
        })
        .await;
    };
    reserve_until_more(&budget.metrics.fleet, "a slot of the fleet").await;
    proxy.cut();
    reserve_until_more(&budget.metrics.local, "a slot of its own").await;
    proxy.restore();
    reserve_until_more(&budget.metrics.fleet, "a slot of the fleet again").await;
    proxy.stop().await;
}
