//! Who is called when nobody takes an alert on. An escalation begins when a card tells an alert for the first time, and goes
//! through its steps until somebody has acknowledged or silenced the alerts of the card, or they are over.
//!
//! What is to be called about, and when, is in the database, so it survives restarts; any number of workers claim what is
//! due, and one of them calls. While the database is away what begins is kept in memory: it is late, and written before the
//! ledger is, so that whoever dies in between has the card delivered again.

mod calling;
pub mod decision;
mod engine;
mod live_plans;
mod metrics;
mod note;
pub mod plan;
mod quota;
pub mod table;
mod webhook;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::SeverityWords;
use prometheus::Registry;
use runtime::clock::Clock;
use tokio::sync::Notify;
use tracing::{debug, warn};

use crate::firing;
use crate::ledger::fitting;
use crate::render::{self, Item};
use crate::routing::Router;
use crate::store::{Store, StoreError};
use crate::test_alert::is_of_test;
pub(crate) use calling::CallDeps;
pub(crate) use engine::EscalationEngine;
pub use live_plans::LivePlans;
use metrics::{EscalationEvent, EscalationMetrics};
use plan::EscalationPlans;
pub(crate) use quota::UrgentQuota;
use table::{BegunEscalation, EscalationTable, id_of};

/// Alerts of a card that keep its escalation going: of a storm the worst.
const FOLLOWED_MAX: usize = 500;
/// Alerts of a card that are told again when somebody is called: of a storm the worst.
const TOLD_MAX: usize = 20;
/// Escalations that are kept in memory while the database is away.
const LATE_MAX: usize = 10_000;

/// What escalates. Clones share it.
#[derive(Clone, Debug)]
pub struct Escalations(Arc<EscalationsState>);

#[derive(Debug)]
struct EscalationsState {
    plans: LivePlans,
    severities: SeverityWords,
    table: EscalationTable,
    metrics: EscalationMetrics,
    /// What began while the database did not take it.
    late: Mutex<VecDeque<BegunEscalation>>,
    /// Something began that may be due before the next look.
    begun: Notify,
}

/// A card that Feishu has taken.
#[derive(Clone, Copy, Debug)]
pub struct ToldCard<'t> {
    /// For whom.
    pub receiver: &'t str,
    /// Its name.
    pub card: &'t str,
    /// The message it is in, where Feishu says so.
    pub message: Option<&'t str>,
}

impl Escalations {
    /// By these plans, in this database.
    pub fn new(
        plans: LivePlans,
        severities: SeverityWords,
        store: Store,
        clock: Clock,
        registry: &Registry,
    ) -> prometheus::Result<Self> {
        let metrics = EscalationMetrics::register(registry)?;
        let table = EscalationTable { store, clock };
        let late = Mutex::default();
        let begun = Notify::new();
        Ok(Self(Arc::new(EscalationsState { plans, severities, table, metrics, late, begun })))
    }

    /// A card with these alerts was delivered: what fires on it and was not told before is to be taken on.
    pub async fn begin(&self, told: ToldCard<'_>, items: &[Item<'_>], router: &Router) {
        let EscalationsState { table, metrics, begun, .. } = &*self.0;
        let plans = self.0.plans.now();
        if plans.is_empty() {
            return;
        }
        let mut by_name: BTreeMap<&str, Vec<&Item<'_>>> = BTreeMap::new();
        for item in items.iter().filter(|item| item.is_new() && !is_test(item)) {
            let by_route = router.escalation_of(&item.alert.labels, told.receiver);
            if let Some(plan) = plans.of(told.receiver, item, by_route) {
                by_name.entry(&plan.name).or_default().push(item);
            }
        }
        for (name, items) in by_name {
            let Some(escalation) = self.begun(&plans, told, name, items) else { continue };
            metrics.event(EscalationEvent::Begun, 1);
            if let Err(error) = table.begin(&escalation).await {
                debug!(%error, escalation = name, receiver = told.receiver, "an escalation is written down later");
                self.keep_for_later(escalation);
            }
            begun.notify_one();
        }
    }

    fn begun(
        &self,
        plans: &EscalationPlans,
        told: ToldCard<'_>,
        name: &str,
        mut items: Vec<&Item<'_>>,
    ) -> Option<BegunEscalation> {
        let EscalationsState { severities, table, .. } = &*self.0;
        let first = plans.named(name)?.steps.first()?.after;
        items.sort_by_key(|item| render::urgency(item, severities));
        let lines = items.iter().take(TOLD_MAX).filter_map(|item| firing::line(item));
        let content = lines.flat_map(|(_, line)| line).collect();
        let followed = items.iter().take(FOLLOWED_MAX);
        let mut fingerprints: Vec<_> =
            followed.map(|item| fitting(item.alert.fingerprint.as_str()).into_owned()).collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        let begun_ms = table.now_ms();
        Some(BegunEscalation {
            id: id_of(told.card, name),
            escalation: name.to_owned(),
            receiver: told.receiver.to_owned(),
            card: told.card.to_owned(),
            message: told.message.map(str::to_owned),
            content,
            alerts: items.len(),
            fingerprints,
            is_critical: items.iter().any(|item| plans.is_critical(item)),
            begun_ms,
            due_ms: begun_ms.saturating_add(millis(first)),
        })
    }

    fn keep_for_later(&self, escalation: BegunEscalation) {
        let mut late = self.late();
        if late.len() >= LATE_MAX {
            self.0.metrics.event(EscalationEvent::Lost, 1);
            warn!(
                escalation = escalation.escalation,
                receiver = escalation.receiver,
                card = escalation.card,
                "an escalation is lost: the database is away, and too many wait for it"
            );
            return;
        }
        late.push_back(escalation);
        self.show_late(&late);
    }

    fn late(&self) -> MutexGuard<'_, VecDeque<BegunEscalation>> {
        self.0.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show_late(&self, late: &VecDeque<BegunEscalation>) {
        self.0.metrics.late.set(i64::try_from(late.len()).unwrap_or(i64::MAX));
    }

    /// Writes down what began while the database was away, the oldest first, as far as that goes.
    pub async fn catch_up(&self) {
        while let Some(next) = { self.late().front().cloned() } {
            if self.0.table.begin(&next).await.is_err() {
                return;
            }
            let mut late = self.late();
            // Nobody else takes from the front, but what was written may have been written by a second one of us.
            if late.front().is_some_and(|front| front.id == next.id) {
                late.pop_front();
            }
            self.show_late(&late);
        }
    }

    /// Forgets what is over for a while.
    pub async fn clean(&self) -> Result<(), StoreError> {
        let table = &self.0.table;
        table.clean().await?;
        quota::clean(&table.store, table.now_ms()).await
    }
}

/// Tests fire for nobody.
fn is_test(item: &Item<'_>) -> bool {
    is_of_test(item.envelope.source, item.alert.fingerprint.as_str())
}

fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
