//! Many envelopes, each recognisable, and the account of what became of them.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::bodies;
use testkit::http;
use testkit::wait_until::wait_until;
use tokio::task::JoinSet;

use crate::deployment::{Deployment, Part};

/// How many requests are under way at once.
const SENDERS: usize = 16;
/// How long everything may take to arrive.
const PATIENCE: Duration = Duration::from_secs(150);

/// Envelopes being sent in the background.
pub(crate) struct Load {
    senders: JoinSet<Vec<usize>>,
    answered: Arc<AtomicUsize>,
}

impl Load {
    /// Begins to send `count` envelopes of one alert, each once. A request that is not answered, or not with 202, is
    /// not repeated: only what was promised counts.
    pub(crate) fn start(url: &str, count: usize) -> Self {
        let mut senders = JoinSet::new();
        let answered = Arc::new(AtomicUsize::new(0));
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..SENDERS {
            let url = url.to_owned();
            let next = Arc::clone(&next);
            let answered = Arc::clone(&answered);
            senders.spawn(async move {
                let mut promised = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        return promised;
                    }
                    let answer = http::post_json(&url, &body(number)).await;
                    if answer.is_ok_and(|answer| answer.status == 202) {
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

/// Waits until every promised alert is written down as delivered or in the dead letters; fails with those that are not.
pub(crate) async fn account_for(deployment: &Deployment, promised: &BTreeSet<usize>) {
    wait_until(PATIENCE, "every promised alert to be delivered or in the dead letters", async || {
        let delivered = deployment.delivered().await;
        let dead = deployment.dead().await;
        let is_missing = |number: &&usize| {
            let name = fingerprint(**number);
            !delivered.contains(&name) && !dead.contains(&name)
        };
        let missing: Vec<_> = promised.iter().filter(is_missing).collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(format!("{} missing, such as {:?}", missing.len(), missing[0]))
        }
    })
    .await;
}

/// Waits until the counters say that as many alerts have ended as were accepted: all of them delivered, for none of them is
/// like another. Only where no process was killed, and its counters with it.
pub(crate) async fn balance(deployment: &Deployment, alerts: usize) {
    wait_until(PATIENCE, "the counters to balance", async || {
        let metrics =
            [deployment.metrics(Part::Ingest).await, deployment.metrics(Part::Worker).await].concat();
        let accepted = "larkfire_ingest_alerts_accepted_total{source=\"alertmanager\"}";
        let wanted = [
            format!("{accepted} {alerts}\n"),
            format!("larkfire_alerts_total{{outcome=\"delivered\"}} {alerts}\n"),
            "larkfire_alerts_total{outcome=\"duplicate\"} 0\n".to_owned(),
            "larkfire_alerts_total{outcome=\"superseded\"} 0\n".to_owned(),
            "larkfire_alerts_total{outcome=\"dead_lettered\"} 0\n".to_owned(),
            "larkfire_envelopes_in_flight 0\n".to_owned(),
        ];
        match wanted.into_iter().find(|line| !metrics.contains(line)) {
            None => Ok(()),
            Some(line) => {
                let ours = metrics.lines().filter(|line| line.starts_with("larkfire_alerts_total"));
                Err(format!("no {line} among {:?}", ours.collect::<Vec<_>>()))
            }
        }
    })
    .await;
}

fn body(number: usize) -> Value {
    let labels = json!({ "alertname": "Load", "severity": "warning", "number": number.to_string() });
    let alert = json!({
        "status": "firing", "labels": labels, "annotations": {}, "startsAt": "2026-01-15T10:30:00Z",
        "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "", "fingerprint": fingerprint(number)
    });
    json!({
        "version": "4", "groupKey": format!("{{}}:{{number=\"{number}\"}}"), "status": "firing",
        "receiver": "default", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "",
        "truncatedAlerts": 0, "alerts": [alert]
    })
}

/// What makes an alert recognisable.
fn fingerprint(number: usize) -> String {
    bodies::fingerprint([("alertname", "Load"), ("severity", "warning"), ("number", &*number.to_string())])
}
