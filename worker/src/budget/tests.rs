//! A worker without its database, and with one that hangs.

mod alone;
mod hanging;

use std::path::Path;

use config::{ClientTls, DatabaseConfig, Secret};
use testkit::ports::free_address;
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;

use super::*;

const NOW_MS: i64 = 1_705_314_600_000;
const BOT: Limits = Limits { per_minute: 100, per_second: 5 };
/// One card a minute, so that no pause of the machine lets a second one through.
const RARE: Limits = Limits { per_minute: 1, per_second: 1 };

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

#[tokio::test]
async fn without_the_database_a_worker_has_a_share_and_keeps_a_hold() {
    let nowhere = format!("mysql://root@{}/none", free_address());
    let store = store_within(&nowhere, Duration::from_millis(100));
    let (early, _) = budget(store.clone());
    let mut asked = 0;
    // It may be its turn just now; what has had a slot then is passed over.
    let after = wait_until(Duration::from_secs(30), "the turn of another", async || {
        asked += 1;
        match early.reserve(&format!("ops{asked}"), RARE).await {
            SendSlot::AskAgain { after } => Ok(after),
            SendSlot::Reserved { wait } => Err(wait),
        }
    })
    .await;
    let (budget, shown) = budget(store);
    assert!(
        after < Duration::from_secs(30),
        "turns are of seconds, also where a card is of minutes: {after:?}"
    );
    let fast = Limits { per_minute: 100, per_second: 1_000 };
    wait_until(Duration::from_secs(30), "a turn", async || match budget.reserve("fast", fast).await {
        SendSlot::Reserved { wait } => Ok(wait),
        SendSlot::AskAgain { after } => Err(after),
    })
    .await;
    assert!(counted(&shown).contains("{by=\"local\"} 1"));
    let SendSlot::AskAgain { after } = budget.reserve("fast", fast).await else {
        panic!("its share is spent")
    };
    assert!(after > Duration::from_secs(5), "a share of sixteen: {after:?}");
    budget.hold("other", Duration::from_mins(5)).await;
    assert!(matches!(budget.reserve("other", BOT).await, SendSlot::AskAgain { .. }));
}
