//! What was delivered, so that nothing is delivered twice: one row per alert and receiver, a claim on it for whoever is about to
//! tell, and a pure function that decides (`decision`). Workers share the rows in SQL and nothing else; a cache in front
//! of them answers repeats, and answers everything while the database is away.

mod acks;
mod batch;
mod cache;
mod columns;
mod decision;
mod engine;
mod known;
mod late;
mod memory;
mod metrics;
#[cfg(test)]
mod model;
mod mysql;
mod naming;
mod port;
mod postgres;
mod row;
mod simulated;
mod sqlite;
mod superseded;
mod table;
mod trace;
mod traced_alert;

use std::sync::Mutex;
use std::time::Duration;

use config::DedupConfig;
use prometheus::Registry;
use runtime::clock::Clock;
use runtime::retry::RetryPolicy;
use tokio::time::{Instant, sleep};
use tracing::warn;

use crate::store::{SmallSteps, StepResult, Store, StoreError};
use batch::LedgerOperation;
use decision::{Policy, millis};
use memory::MemoryLedger;
use metrics::LedgerMetrics;
use row::{Holder, Millis};
use table::Table;

pub use acks::{TakenOn, find_taken_on};
pub(crate) use batch::fitting;
pub use decision::{Decision, Occasion, Standing};
pub use row::Event;
pub use trace::{find_by_envelope, find_by_fingerprint};
pub use traced_alert::{EntryClaim, EntryDelivered, EntryState, TracedAlert};

/// The pause between two tries to write down what was delivered, at the end.
const FINISH_PAUSE: Duration = Duration::from_millis(100);
/// Rows removed in one statement: few enough that nobody waits long for the locks on them.
const CLEAN_ROWS_MAX: u32 = 500;

/// The ledger of this process.
#[derive(Debug)]
pub struct Ledger {
    table: Table,
    policy: Policy,
    remember: Duration,
    clock: Clock,
    memory: Mutex<MemoryLedger>,
    /// Held by whoever writes what was delivered while the database was away; nobody decides before that is done.
    late_turn: tokio::sync::Mutex<()>,
    metrics: LedgerMetrics,
}

impl Ledger {
    /// A ledger over `store`. Its metrics are shown by `registry`.
    pub fn new(
        store: Store,
        config: DedupConfig,
        clock: Clock,
        registry: &Registry,
    ) -> prometheus::Result<Self> {
        Ok(Self {
            table: Table(store),
            policy: Policy::new(&config, Holder(runtime::entropy::random())),
            remember: config.remember,
            clock,
            memory: Mutex::new(MemoryLedger::new(config.cache_entries)),
            late_turn: tokio::sync::Mutex::new(()),
            metrics: LedgerMetrics::register(registry)?,
        })
    }

    /// Decides about each event, in their order, and claims what is to be delivered. Never fails: without the database it
    /// goes by the cache, and tells what that does not know.
    pub async fn observe(&self, events: &[Event<'_>]) -> Vec<Decision> {
        let now = self.now();
        let decisions = self.run(LedgerOperation::Observe, events, now).await;
        self.say_superseded(events, &decisions, now);
        self.say_known(events, &decisions, now);
        decisions
    }

    /// Which of these claims still stand, in their order; renews their leases. To be asked when the card is made.
    /// Without the database all of them do, unless the cache knows better.
    pub async fn confirm(&self, claims: &[Event<'_>]) -> Vec<Standing> {
        let standing = |decision| match decision {
            Decision::Deliver(_) => Standing::Mine,
            Decision::Duplicate => Standing::Duplicate,
            Decision::Superseded => Standing::Superseded,
            Decision::Copy => Standing::Copy,
            // An end that came before it was delivered meanwhile: when it is back it is asked whether it has returned.
            Decision::Defer { .. } => Standing::Later,
            Decision::Elsewhere => Standing::Elsewhere,
        };
        self.run(LedgerOperation::Confirm, claims, self.now()).await.into_iter().map(standing).collect()
    }

    /// They are on a card. Without the database this is kept, and written when it is back.
    pub async fn delivered(&self, claims: &[Event<'_>]) {
        self.run(LedgerOperation::RecordDelivered, claims, self.now()).await;
    }

    /// Their envelope went to the dead letters: whoever comes next tells them.
    pub async fn release(&self, claims: &[Event<'_>]) {
        self.run(LedgerOperation::Release, claims, self.now()).await;
    }

    /// Their envelope was deferred, and comes back: the claims hold for longer than the longest pause.
    pub async fn renew(&self, claims: &[Event<'_>]) {
        self.run(LedgerOperation::Renew, claims, self.now()).await;
    }

    /// Writes down what was delivered while the database was away. Costs nothing where that is nothing.
    pub async fn catch_up(&self) {
        self.write_late().await;
    }

    /// The same before the process ends, when nobody else knows of it: the database may be back and not be asked yet, so
    /// it is waited for, for as long as it is left alone at most.
    pub async fn finish(&self) {
        let deadline = Instant::now() + RetryPolicy::RECONNECT.cap;
        loop {
            self.write_late().await;
            if self.memory().late.is_empty() {
                return;
            }
            if Instant::now() >= deadline {
                break;
            }
            sleep(FINISH_PAUSE).await;
        }
        let lost = self.memory().late.abandon();
        self.metrics.unrecorded.inc_by(lost);
        warn!(
            alerts = lost,
            "alerts were delivered and could not be recorded: the database is away at the end"
        );
    }

    /// Removes the rows nobody has touched for `dedup.remember`, a few at a time, until none is left. Returns how many.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        let before = self.now().saturating_sub(millis(self.remember));
        self.forget_acknowledgements(before).await?;
        let mut steps = SmallSteps::default();
        loop {
            let rows = self.table.clean(before, CLEAN_ROWS_MAX).await?;
            self.metrics.cleaned.inc_by(rows);
            if !steps.go_on(StepResult::of(rows, CLEAN_ROWS_MAX.into())).await {
                return Ok(steps.done);
            }
        }
    }

    fn now(&self) -> Millis {
        self.clock.now().as_millisecond()
    }
}
