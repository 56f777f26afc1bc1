//! Workers whose database hangs now and then, in simulated time: whoever has asked is answered when it goes on, all at
//! once.

use std::fmt::{self, Debug};

use futures_util::future::BoxFuture;
use testkit::pace::{Most, clock_from};

use super::alone::storm;
use super::*;
use crate::store::{DatabaseLink, SimulatedDatabase};

/// How often the database hangs, and for how long: longer than several slots are apart, shorter than anybody's patience.
const EVERY: Duration = Duration::from_secs(20);
const HANGS_FOR: Duration = Duration::from_secs(4);
/// From a worker to the database, or back.
const WAY: Duration = Duration::from_millis(2);

/// Where statements, or their answers, are held up.
#[derive(Clone, Copy, Debug)]
enum HeldUp {
    Statements,
    Answers,
    /// Always, and each by something else.
    AnswersAlways,
}

struct HangingLink {
    begun: Instant,
    clock: Clock,
    held_up: HeldUp,
    asked: Mutex<u64>,
}

impl HangingLink {
    /// How much longer nothing gets through.
    fn hangs_for(&self) -> Duration {
        let since = Duration::from_millis(
            u64::try_from(self.begun.elapsed().as_millis() % EVERY.as_millis()).unwrap_or_default(),
        );
        HANGS_FOR.saturating_sub(since)
    }
}

impl DatabaseLink for HangingLink {
    fn request(&self) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async {
            let hangs_for =
                if matches!(self.held_up, HeldUp::Statements) { self.hangs_for() } else { Duration::ZERO };
            sleep(hangs_for + WAY).await;
            Ok(())
        })
    }

    fn answer(&self) -> BoxFuture<'_, Result<(), sqlx::Error>> {
        Box::pin(async {
            let hangs_for = match self.held_up {
                HeldUp::Statements => Duration::ZERO,
                HeldUp::Answers => self.hangs_for(),
                HeldUp::AnswersAlways => {
                    let mut asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
                    *asked += 1;
                    Duration::from_millis(*asked * 619 % 3_000)
                }
            };
            sleep(hangs_for + WAY).await;
            Ok(())
        })
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

impl Debug for HangingLink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HangingLink").field("held_up", &self.held_up).finish_non_exhaustive()
    }
}

/// A fleet on one database.
fn fleet(workers: usize, held_up: HeldUp) -> Vec<Arc<Budget>> {
    let clock = clock_from(NOW_MS);
    let link = || {
        Arc::new(HangingLink {
            begun: Instant::now(),
            clock: clock.clone(),
            held_up,
            asked: Mutex::default(),
        })
    };
    let database = SimulatedDatabase::new(link());
    let budget = |_| {
        let registry = Registry::new();
        let store = Store::simulated(database.over(link()), Duration::from_secs(5), &registry)
            .expect("metrics of its own");
        Arc::new(Budget::new(store, clock.clone(), &registry).expect("metrics of its own"))
    };
    (0..workers).map(budget).collect()
}

#[tokio::test(start_paused = true)]
async fn slots_that_are_answered_late_and_together_are_not_used_together() {
    for held_up in [HeldUp::Answers, HeldUp::Statements] {
        let budgets = fleet(8, held_up);
        let stop = CancellationToken::new();
        let mut known = JoinSet::new();
        for budget in &budgets {
            known.spawn(Arc::clone(budget).keep_known(stop.clone()));
        }
        let length = Duration::from_mins(5);
        let sent = storm(&budgets, length).await;
        let Most { minute, second } = Most::of(&sent);
        assert!(minute <= 100 && second <= 5, "{held_up:?}: {minute} in 60 s, {second} in 1 s");
        // A fleet that is answered at once sends 73 in a minute.
        assert!(
            sent.len() >= 5 * 55,
            "{held_up:?}: nobody is silent for longer than it hangs: {}",
            sent.len()
        );
        stop.cancel();
        known.join_all().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_whose_database_is_always_late_is_not_silent() {
    let budgets = fleet(1, HeldUp::AnswersAlways);
    budgets[0].make_known().await;
    let sent = storm(&budgets, Duration::from_mins(5)).await;
    let Most { minute, second } = Most::of(&sent);
    assert!(minute <= 100 && second <= 5, "{minute} in 60 s, {second} in 1 s");
    assert!(sent.len() >= 5 * 10, "{} in five minutes", sent.len());
}
