//! SIGTERM in the middle of a load: who is asked to end finishes what is in hand, in time, and nobody notices.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use testkit::bodies;
use testkit::http;
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;

use crate::fleet::Fleet;
use crate::ledger::Delivered;
use crate::{cards, ledger, turn};

/// Alerts that flow meanwhile, each in a request of its own.
const ALERTS: usize = 6_000;
/// Requests under way at once.
const SENDERS: usize = 16;
/// How long everything may take to be delivered.
const PATIENCE: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread")]
async fn who_is_asked_to_end_under_load_does_so_in_time_and_nothing_is_lost_or_delivered_again() {
    let _turn = turn::mine().await;
    let mut fleet = Fleet::start().await;
    let ingests: Vec<_> = fleet.ingests.iter().map(|ingest| ingest.listen).collect();
    let load = Load::start(&ingests);
    // Each of them once, spread over the load; all but one of a kind go on meanwhile.
    let members = fleet.workers.len() + fleet.ingests.len();
    for (number, member) in fleet.workers.iter_mut().chain(&mut fleet.ingests).enumerate() {
        load.wait_for_answers(ALERTS * (number + 1) / (members + 2)).await;
        member.stop().await;
        let output = member.output();
        assert!(output.contains("everything in hand was finished"), "{}:\n{output}", member.name);
        member.start_again();
        member.wait_until_ready().await;
    }
    let promised = load.promised().await;
    assert!(promised.len() > ALERTS / 2, "only {} of {ALERTS} were promised", promised.len());

    let delivered = wait_until(PATIENCE, "everything promised to be delivered", async || {
        let delivered = ledger::delivered(&fleet.database.url()).await;
        let is_missing = |number: &&usize| delivered.get(&fingerprint(**number)) != Some(&Delivered::Firing);
        let missing = promised.iter().filter(is_missing).count();
        if missing == 0 { Ok(delivered.len()) } else { Err(missing) }
    })
    .await;
    fleet.stop().await;
    // What was not promised was not taken either: who is asked to end answers what it has taken.
    assert_eq!((delivered, ledger::dead(&fleet.database.url()).await), (promised.len(), 0));
    let on_cards: usize = cards::all(&fleet.sim).iter().map(cards::Card::alerts).sum();
    assert_eq!(on_cards, promised.len(), "each of them is on one card");
    assert_eq!(fleet.sim.totals().throttled, 0, "and the budget was kept: {:?}", fleet.sim.totals());
}

/// Alerts being sent in the background.
struct Load {
    senders: JoinSet<Vec<usize>>,
    answered: Arc<AtomicUsize>,
}

impl Load {
    /// Begins to send, each alert once, to the ingests in turn. What is not answered with 202 is not repeated: only
    /// what was promised counts.
    fn start(ingests: &[SocketAddr]) -> Self {
        let next = Arc::new(AtomicUsize::new(0));
        let answered = Arc::new(AtomicUsize::new(0));
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            let ingests = ingests.to_owned();
            let next = Arc::clone(&next);
            let answered = Arc::clone(&answered);
            senders.spawn(async move {
                let mut promised = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= ALERTS {
                        return promised;
                    }
                    let url = format!("http://{}/api/alert", ingests[number % ingests.len()]);
                    if http::post_json(&url, &body(number)).await.is_ok_and(|answer| answer.status == 202) {
                        promised.push(number);
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self { senders, answered }
    }

    async fn wait_for_answers(&self, count: usize) {
        wait_until(PATIENCE, "answers", async || {
            let answered = self.answered.load(Ordering::Relaxed);
            if answered >= count { Ok(()) } else { Err(answered) }
        })
        .await;
    }

    async fn promised(self) -> BTreeSet<usize> {
        self.senders.join_all().await.into_iter().flatten().collect()
    }
}

fn body(number: usize) -> serde_json::Value {
    let alert = json!({
        "status": "firing", "labels": { "alertname": "Load", "number": number.to_string() }, "annotations": {},
        "startsAt": "2026-01-15T10:30:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": fingerprint(number)
    });
    json!({
        "version": "4", "groupKey": number.to_string(), "status": "firing", "receiver": "default",
        "alerts": [alert]
    })
}

fn fingerprint(number: usize) -> String {
    bodies::fingerprint([("alertname", "Load"), ("number", &*number.to_string())])
}
