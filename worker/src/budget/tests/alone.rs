//! Workers without their database, in simulated time: what all of them send together.

use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use testkit::pace::{Most, clock_from};

use super::*;

/// How long each has something to send.
const STORM: Duration = Duration::from_mins(5);

/// Everybody sends whenever it may, for so long. Returns when.
pub(super) async fn storm(budgets: &[Arc<Budget>], length: Duration) -> Vec<Instant> {
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

#[tokio::test(start_paused = true)]
async fn a_fleet_that_starts_without_its_database_keeps_the_budget() {
    let nowhere = format!("mysql://root@{}/none", free_address());
    let mut ids = SmallRng::seed_from_u64(11);
    for draw in 0..20 {
        let budgets: Vec<_> = (0..8)
            .map(|_| {
                let store = store_within(&nowhere, Duration::from_millis(100));
                let mut budget = Budget::new(store, clock_from(NOW_MS), &Registry::new()).unwrap();
                budget.workers.id = ids.random();
                Arc::new(budget)
            })
            .collect();
        let Most { minute, second } = Most::of(&storm(&budgets, STORM).await);
        assert!(minute <= 100 && second <= 5, "draw {draw}: {minute} in 60 s, {second} in 1 s");
    }
}
