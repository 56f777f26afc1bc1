//! Two workers share what the bots may send.

use config::{ClientTls, DatabaseConfig, Secret};
use queue::{Headers, Settlement};
use runtime::clock::Clock;
use testkit::mariadb::TestDatabase;
use testkit::wait_until::wait_until;
use worker::Settings;

use super::{BOTS, bot_of, ops, shown, strict_group};
use crate::harness::{EAGER, WITHIN, Worker, envelope, line, settings};

/// Cards of each worker; more together than a group takes in any second, or a bot at once.
const CARDS: u8 = 12;

#[tokio::test]
async fn two_workers_keep_every_bots_limit_and_the_groups_together() {
    let sim = strict_group().await;
    let folder = tempfile::tempdir().unwrap();
    let shared = TestDatabase::create().await;
    let url = Some(Secret::new(shared.url()));
    let database = DatabaseConfig { url, tls: ClientTls::default(), connections: 4, timeout: WITHIN };
    let start = || {
        let settings = settings(vec![ops(&sim)], EAGER, folder.path());
        Worker::start(Settings { database: database.clone(), ..settings }, Clock::system())
    };
    let mut workers = [start(), start()];
    for round in 0..CARDS {
        // Each gets its next when both have delivered: every alert has a card of its own.
        let mut tags = [0; 2];
        for ((worker, tag), index) in workers.iter_mut().zip(&mut tags).zip([2 * round, 2 * round + 1]) {
            *tag = worker.queue.deliver(line(&envelope("ops", 1 + index)), Headers::default());
        }
        for (worker, tag) in workers.iter_mut().zip(tags) {
            let done =
                wait_until(WITHIN, "a settlement", async || worker.queue.fate(tag).ok_or("in hand")).await;
            assert_eq!(done, Settlement::Done { tag });
        }
    }
    let totals = sim.totals();
    assert_eq!((totals.accepted, totals.throttled, totals.faulted), (2 * u64::from(CARDS), 0, 0));
    assert_eq!(shown(&sim, 1..=2 * CARDS), vec![1; 2 * usize::from(CARDS)]);
    let accepted = sim.accepted();
    for bot in 0..BOTS.len() {
        let share = accepted.iter().filter(|record| bot_of(record) == bot).count();
        assert!((4..=12).contains(&share), "bot {bot} showed {share} of {}", accepted.len());
    }
}
