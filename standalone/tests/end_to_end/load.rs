//! Many envelopes, each recognisable, and the account of what became of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::json;
use testkit::http;
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;

use crate::deployment::Deployment;

/// How many requests are under way at once.
const SENDERS: usize = 16;
/// How long everything may take to arrive: parked envelopes return after 5 s, and after 30 s the second time.
const PATIENCE: Duration = Duration::from_secs(150);

/// Envelopes being sent in the background.
pub(crate) struct Load {
    senders: JoinSet<Vec<usize>>,
    answered: Arc<AtomicUsize>,
}

impl Load {
    /// Begins to send `count` envelopes, each once. A request that is not answered, or not with 202, is not
    /// repeated: only what was promised counts.
    pub(crate) fn start(url: &str, count: usize) -> Self {
        let (mut senders, answered) = (JoinSet::new(), Arc::new(AtomicUsize::new(0)));
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..SENDERS {
            let (url, next, answered) = (url.to_owned(), Arc::clone(&next), Arc::clone(&answered));
            senders.spawn(async move {
                let mut promised = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return promised;
                    }
                    let body =
                        json!({ "message": format!("envelope {}", marker(number)), "sender_id": "load" });
                    if http::post_json(&url, &body).await.is_ok_and(|answer| answer.status == 202) {
                        promised.push(number);
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self { senders, answered }
    }

    /// Waits until this many requests have been answered, or failed.
    pub(crate) async fn wait_for_answers(&self, count: usize) {
        wait_until(PATIENCE, "answers", async || {
            let answered = self.answered.load(Ordering::Relaxed);
            if answered >= count { Ok(()) } else { Err(answered) }
        })
        .await;
    }

    /// Waits for the senders; returns the envelopes that were answered with 202.
    pub(crate) async fn promised(self) -> BTreeSet<usize> {
        self.senders.join_all().await.into_iter().flatten().collect()
    }
}

/// Waits until every promised envelope is on a card or in the dead letters; fails with those that are not.
pub(crate) async fn account_for(deployment: &Deployment, promised: &BTreeSet<usize>) {
    let mut dead = BTreeSet::new();
    wait_until(PATIENCE, "every promised envelope on a card or in the dead letters", async || {
        let told: BTreeSet<usize> = deployment
            .sim
            .accepted()
            .iter()
            .filter_map(|record| numbered(&record.message()?.to_string()))
            .collect();
        if promised.is_subset(&told) {
            return Ok(());
        }
        let letters = deployment.dead_letters().await;
        dead.extend(letters.iter().filter_map(|letter| numbered(letter)));
        let missing: Vec<_> =
            promised.iter().filter(|number| !told.contains(number) && !dead.contains(number)).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{} missing, such as {:?}", missing.len(), missing[0]))
        }
    })
    .await;
}

/// What makes an envelope recognisable. The `x` ends the number, so that 1 is not found in 12.
fn marker(number: usize) -> String {
    format!("no{number}x")
}

fn numbered(text: &str) -> Option<usize> {
    let (_, behind) = text.split_once("envelope no")?;
    behind.split_once('x')?.0.parse().ok()
}
