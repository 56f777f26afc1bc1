//! What fires and was delivered through custom bots, as it was delivered. Their cards cannot be changed and the ledger keeps no
//! names, so whoever finds that an alert is not heard of any more reads here what it is called. One row per alert and
//! receiver, whatever the number of its reminders.

mod metrics;
mod now;
mod over;
mod quiet;

use std::sync::Arc;
use std::time::Duration;

use model::alert::Links;
use model::envelope::{Envelope, Notice, encode};
use runtime::clock::Clock;
use tracing::debug;

use crate::render::Item;
use crate::store::sql::{Value, execute};
use crate::store::{Insert, Store, StoreError};
pub use metrics::FiringMetrics;
pub(crate) use now::firing_now;
pub use over::Over;

/// How much is kept of one alert, in bytes: nearly all have less. Longer ones are kept without what explains them, and
/// not at all if they are too long even so.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// How many alerts of one card are kept: it waits for the writing, and the next card behind it.
const OF_A_CARD_MAX: usize = 2_000;
/// Rows written in one statement: with [`LINE_BYTES_MAX`] less than what old servers take at once (1 MiB).
const WRITTEN_TOGETHER_MAX: usize = 100;

const LINES: Insert<'_> = Insert {
    table: "larkfire_firing",
    columns: &["fingerprint", "receiver", "line", "kept_ms", "ended_ms"],
    key: 2,
};

/// The rows. Clones share them.
#[derive(Clone, Debug)]
pub struct Firing {
    store: Store,
    clock: Clock,
    metrics: FiringMetrics,
    /// Those whose cards cannot be changed. Nothing is kept of the others'.
    receivers: Arc<[String]>,
    remember: Duration,
}

/// An alert's name, and its line.
pub(crate) type NamedLine<'l> = (&'l str, Vec<u8>);

impl Firing {
    /// What was delivered to these receivers. `remember` is how long the ledger remembers an alert that nobody sends.
    pub fn new(
        store: Store,
        clock: Clock,
        metrics: FiringMetrics,
        receivers: Vec<String>,
        remember: Duration,
    ) -> Self {
        Self { store, clock, metrics, receivers: receivers.into(), remember }
    }

    /// Keeps what fires of a card that Feishu has. Never fails: what cannot be written is counted.
    pub async fn keep(&self, receiver: &str, items: &[Item<'_>]) {
        if !self.is_kept_for(receiver) {
            return;
        }
        let firing: Vec<_> = items.iter().filter(|item| may_end(item)).collect();
        let mut lines: Vec<NamedLine<'_>> =
            firing.iter().take(OF_A_CARD_MAX).copied().filter_map(line).collect();
        self.metrics.too_large.inc_by((firing.len() - lines.len()) as u64);
        // In one order, so that no two workers wait for each other's rows.
        lines.sort_unstable_by(|one, other| one.0.cmp(other.0));
        lines.dedup_by(|one, other| one.0 == other.0);
        let mut left = &lines[..];
        while !left.is_empty() {
            let (now, later) = left.split_at(left.len().min(WRITTEN_TOGETHER_MAX));
            if let Err(error) = self.write(receiver, now).await {
                self.metrics.unwritten.inc_by(left.len() as u64);
                debug!(%error, receiver, "what fires is not kept");
                return;
            }
            left = later;
        }
    }

    fn is_kept_for(&self, receiver: &str) -> bool {
        self.receivers.iter().any(|known| known == receiver)
    }

    async fn write(&self, receiver: &str, lines: &[NamedLine<'_>]) -> Result<(), StoreError> {
        let places = vec!["(?, ?, ?, ?, 0)"; lines.len()].join(", ");
        let replace = LINES.or_replace(self.store.pool().dialect(), &format!("VALUES {places}"));
        let now = self.now_ms();
        let values: Vec<Value<'_>> = lines
            .iter()
            .flat_map(|(fingerprint, line)| {
                [fingerprint.as_bytes().into(), receiver.as_bytes().into(), line[..].into(), now.into()]
            })
            .collect();
        self.store.within(|| execute(self.store.pool(), &replace, &values)).await.map(drop)
    }

    fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }
}

/// Whether it fires, and may end without a word. Messages, tests among them, are silenced by nobody, and sent once: many
/// have no end.
fn may_end(item: &Item<'_>) -> bool {
    item.is_firing() && !item.is_message()
}

/// An alert by itself as a line of the wire format; `None` if it is too long.
pub(crate) fn line<'i>(item: &Item<'i>) -> Option<NamedLine<'i>> {
    let mut alone = Envelope {
        alerts: vec![item.alert.clone()],
        // It is about the others as well.
        notice: Notice::default(),
        ..item.envelope.of_alerts(&[])
    };
    let mut line = written(&alone)?;
    if line.len() > LINE_BYTES_MAX {
        for alert in &mut alone.alerts {
            (alert.annotations, alert.links) = (model::alert::Labels::default(), Links::default());
        }
        line = written(&alone).filter(|line| line.len() <= LINE_BYTES_MAX)?;
    }
    Some((item.alert.fingerprint.as_str(), line))
}

fn written(envelope: &Envelope<'_>) -> Option<Vec<u8>> {
    Some(encode(envelope).ok()?.first()?.bytes.to_vec())
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
