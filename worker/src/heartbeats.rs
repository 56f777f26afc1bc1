//! Heartbeats: alerts that always fire, such as Watchdog, are expected and not delivered; one that does not come is an alert.
//!
//! When each was last heard of is in the database, so all workers together look after them and a restart forgets nothing.
//! Time counts only while somebody listens: `Listening` says whether this worker does, and the database since when one
//! of them always did. After a pause of all of them each heartbeat has its whole time again.

mod alert;
mod index;
mod listening;
mod metrics;
mod table;
mod watch;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use config::{HeartbeatConfig, Reloads};
use jiff::Timestamp;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use tokio::sync::watch::{Receiver, Sender};
use tracing::{debug, info};

use crate::store::{Store, StoreError};
pub use alert::HeartbeatWords;
pub use index::HeartbeatIndex;
pub use listening::{Listening, ListeningPart};
pub use metrics::HeartbeatMetrics;
pub use table::{HeartbeatRow, HeartbeatTable};
pub use watch::HeartbeatWatch;

/// The heartbeats as they are configured now, and what is heard of them. Clones share it.
#[derive(Clone, Debug)]
pub struct Heartbeats {
    table: HeartbeatTable,
    clock: Clock,
    expected: Receiver<Arc<HeartbeatIndex>>,
    /// What the database has not taken yet: when each was heard of, by its name. One for each heartbeat at most.
    unwritten: Arc<Mutex<BTreeMap<String, Timestamp>>>,
    listening: Listening,
}

impl Heartbeats {
    /// Begins with these, and follows their reloads.
    pub fn follow(
        first: &[HeartbeatConfig],
        mut reloads: Reloads,
        store: Store,
        clock: Clock,
        lifecycle: &Lifecycle,
    ) -> Self {
        let publish = Sender::new(Arc::new(HeartbeatIndex::new(first)));
        let expected = publish.subscribe();
        lifecycle.spawn_detached(async move {
            while let Some(config) = reloads.next().await {
                let heartbeats = config.heartbeats.len();
                publish.send_replace(Arc::new(HeartbeatIndex::new(&config.heartbeats)));
                info!(heartbeats, "the heartbeats go by the new configuration");
            }
        });
        Self {
            table: HeartbeatTable::new(store),
            clock,
            expected,
            unwritten: Arc::default(),
            listening: Listening::default(),
        }
    }

    /// Those that are configured now.
    pub fn expected(&self) -> Arc<HeartbeatIndex> {
        Arc::clone(&self.expected.borrow())
    }

    /// Whether this worker takes what comes.
    pub const fn listening(&self) -> &Listening {
        &self.listening
    }

    /// These were heard of, each when it was received. Written down before it is settled; what the database does not take is
    /// kept, and written with what comes next.
    pub async fn heard(&self, heard: BTreeMap<String, Timestamp>) {
        if heard.is_empty() {
            return;
        }
        self.keep(heard);
        if let Err(error) = self.write_down().await {
            debug!(%error, "heartbeats were heard of and are not written down yet");
        }
    }

    /// Writes down what is not yet.
    async fn write_down(&self) -> Result<(), StoreError> {
        let unwritten = std::mem::take(&mut *self.unwritten());
        if unwritten.is_empty() {
            return Ok(());
        }
        let written = self.table.heard(&unwritten, &self.expected(), self.clock.now()).await;
        if written.is_err() {
            self.keep(unwritten);
        }
        written
    }

    fn keep(&self, heard: BTreeMap<String, Timestamp>) {
        let mut unwritten = self.unwritten();
        for (name, at) in heard {
            let last = unwritten.entry(name).or_insert(at);
            *last = at.max(*last);
        }
    }

    fn unwritten(&self) -> MutexGuard<'_, BTreeMap<String, Timestamp>> {
        self.unwritten.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
