//! What nobody will ever end: an alert that ends while it is silenced or inhibited is never sent as resolved. Its
//! Alertmanager is asked; where there is none, or it is another source's, an alert is over when it has not been heard of
//! for `dedup.remember`. One that Prometheus pushes is over when it was not pushed again for as long as it was to hold.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::alert::Alert;
use model::envelope::{Envelope, Source};
use tracing::debug;

use super::{Alertmanager, Alertmanagers};

/// How long an Alertmanager has to say that it has no such alert: once may be in between of two Prometheus.
const ABSENT_FOR: SignedDuration = SignedDuration::from_mins(4);
/// How long that is remembered of what is not asked for any more; it bounds how much that is, together with how many
/// alerts are looked at in that time.
const ABSENT_KEPT: SignedDuration = SignedDuration::from_hours(2);

/// How long nothing was heard of an alert before its Alertmanager is asked: what has just ended is on its way.
const QUIET: SignedDuration = SignedDuration::from_mins(15);
/// What a sender that pushes has beyond what it says itself: a push may be lost, and the ledger writes down that something
/// was seen again only so often.
const LAPSE_SLACK: SignedDuration = SignedDuration::from_mins(2);

/// Says what is over.
#[derive(Debug)]
pub struct Absent {
    alertmanagers: Alertmanagers,
    remember: Duration,
    /// Since when an Alertmanager says that it has none, by receiver and fingerprint; of what was looked at last.
    since: HashMap<(String, String), Timestamp>,
    /// Those that gave no answer: they are not waited for once more in this look.
    silent: Vec<String>,
}

/// For how long a sender that pushes stands by an alert without pushing it again.
fn holds_for(envelope: &Envelope<'_>, alert: &Alert<'_>) -> Option<SignedDuration> {
    let until = alert.ends_at.filter(|_| envelope.source == Source::Prometheus)?;
    Some(until.duration_since(envelope.received_at).max(SignedDuration::ZERO))
}

impl Absent {
    /// `remember` is how long the ledger remembers an alert that nobody sends.
    pub fn new(alertmanagers: Alertmanagers, remember: Duration) -> Self {
        Self { alertmanagers, remember, since: HashMap::new(), silent: Vec::new() }
    }

    /// A look begins.
    pub fn begin(&mut self, now: Timestamp) {
        self.since.retain(|_, first| now.duration_since(*first) < ABSENT_KEPT);
        self.silent.clear();
    }

    /// Whether an alert of this envelope that a receiver was told of, and that was heard of last at `seen`, is over.
    pub async fn is_over(
        &mut self,
        receiver: &str,
        envelope: &Envelope<'_>,
        alert: &Alert<'_>,
        seen: Timestamp,
        now: Timestamp,
    ) -> bool {
        if let Some(holds_for) = holds_for(envelope, alert) {
            return now.duration_since(seen) >= holds_for + LAPSE_SLACK;
        }
        if now.duration_since(seen) < QUIET {
            return false;
        }
        let is_forgotten =
            now.duration_since(seen) >= SignedDuration::try_from(self.remember).unwrap_or_default();
        let is_of_one = envelope.source == Source::Alertmanager;
        let asked: Option<Alertmanager<'_>> =
            self.alertmanagers.of(&envelope.external_url).filter(|_| is_of_one);
        let Some(asked) = asked else { return is_forgotten };
        if self.silent.iter().any(|name| name == asked.name()) {
            return false;
        }
        let key = (receiver.to_owned(), alert.fingerprint.to_string());
        match asked.has_none_with(&alert.labels, now).await {
            Ok(true) => {
                let first = *self.since.entry(key.clone()).or_insert(now);
                let is_over = now.duration_since(first) >= ABSENT_FOR;
                if is_over {
                    self.since.remove(&key);
                }
                is_over
            }
            Ok(false) => {
                self.since.remove(&key);
                false
            }
            Err(error) => {
                let name = asked.name();
                debug!(alertmanager = name, %error, "an Alertmanager could not be asked for an alert that is quiet");
                self.silent.push(name.to_owned());
                false
            }
        }
    }
}
