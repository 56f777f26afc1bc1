//! What is due is claimed, looked at once more, and called about: together where one call does for several cards.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

use config::EscalationConfig;
use futures_util::{StreamExt, stream};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::envelope::Source;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::Escalations;
use super::calling::{CallDeps, CallReport, DueTogether};
use super::decision::{CallResult, NextStep, StepDecision, after_call, decide};
use super::metrics::{CallOutcome, EscalationEvent};
use super::note;
use super::table::{AlertStanding, CLAIMED_MAX, DueEscalation, EscalatedAlert, EscalationClaim};
use crate::alertmanager::{Alertmanager, SilencedThere};
use crate::audit::AuditedAction;
use crate::card_store::Mark;
use crate::history::{HistoryFacts, HistoryOutcome, HistoryRow};
use crate::render::{Escalated, Item};
use crate::store::StoreError;

/// How often it is looked for what is due: how late a call may be in calm.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often it is counted how many wait.
const COUNT_EVERY: Duration = Duration::from_secs(30);
/// What a lease is longer than two requests: budgets are waited for, people looked up, and what came of it is written down.
const LEASE_MARGIN: Duration = Duration::from_mins(2);
/// Calls made at once.
const AT_ONCE: usize = 8;
/// Cards looked at at once, for who has silenced what.
const CARDS_AT_ONCE: usize = 8;
/// How many of the alerts that somebody was called about the trail names.
const NAMED_MAX: usize = 20;

/// Calls about what is due, until the stop.
pub(crate) struct EscalationEngine {
    escalations: Escalations,
    deps: CallDeps,
    timezone: TimeZone,
    lease: Duration,
}

/// The alerts of an escalation that are still to be taken on, and why the others are not.
#[derive(Debug, Default)]
struct OpenAlerts {
    open: Vec<String>,
    acknowledged: usize,
    silenced: usize,
}

impl EscalationEngine {
    /// `timezone` is whose clock quiet hours go by.
    pub(crate) fn new(
        escalations: Escalations,
        deps: CallDeps,
        timezone: TimeZone,
        request_timeout: Duration,
    ) -> Self {
        let lease = request_timeout * 2 + LEASE_MARGIN;
        Self { escalations, deps, timezone, lease }
    }

    /// Calls until the stop. What is under way is finished: dropped in the middle, nobody would be called until its lease has
    /// ended. Who has no escalations is not woken for them.
    pub(crate) async fn run(self, stop: CancellationToken) {
        if !stop.run_until_cancelled(self.escalations.0.plans.any()).await.unwrap_or(false) {
            return;
        }
        let mut counted: Option<Instant> = None;
        let begun = &self.escalations.0.begun;
        let next_look = async || {
            tokio::select! {
                () = begun.notified() => {}
                () = sleep(LOOK_EVERY) => {}
            }
        };
        while stop.run_until_cancelled(next_look()).await.is_some() {
            self.escalations.catch_up().await;
            // A failure is the store's to tell; a second later it is looked again.
            let _looked = Box::pin(self.look(&stop)).await;
            if counted.is_none_or(|at| at.elapsed() >= COUNT_EVERY) {
                counted = Some(Instant::now());
                if let Ok(waiting) = self.escalations.0.table.waiting().await {
                    self.escalations.0.metrics.waiting.set(waiting);
                }
            }
        }
    }

    /// Calls about everything that is due now.
    pub(crate) async fn look(&self, stop: &CancellationToken) -> Result<(), StoreError> {
        while !stop.is_cancelled() {
            let (claim, due) = self.escalations.0.table.claim(self.lease).await?;
            let is_all = due.len() < CLAIMED_MAX;
            if !due.is_empty() {
                self.work(claim, due, stop).await?;
            }
            if is_all {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn work(
        &self,
        claim: EscalationClaim,
        due: Vec<DueEscalation>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let plans = self.escalations.0.plans.now();
        let standings = self.escalations.0.table.standings(&due).await?;
        let mut open = open_alerts(standings);
        self.leave_out_silenced(&due, &mut open).await;
        self.leave_out_silenced_elsewhere(&due, &mut open).await;
        let now = self.escalations.0.table.clock.now();
        let mut together: BTreeMap<(&str, &str, usize), Vec<&DueEscalation>> = BTreeMap::new();
        let mut over = Vec::new();
        for escalation in &due {
            let plan = plans.named(&escalation.escalation);
            let ended = open.get(&escalation.id).map_or(Some(EscalationEvent::Ended), OpenAlerts::end);
            let decision = plan.map(|plan| decide(&plan.steps, &escalation.progress, &self.timezone, now));
            match (ended, decision) {
                (Some(event), _) => over.push((escalation, event)),
                (None, None) => over.push((escalation, EscalationEvent::Unconfigured)),
                (None, Some(StepDecision::Finished)) => over.push((escalation, EscalationEvent::Finished)),
                (None, Some(StepDecision::Postpone(until))) => {
                    self.postpone(claim, escalation, plan, until).await?;
                }
                (None, Some(StepDecision::Call)) => {
                    let number = escalation.progress.step;
                    together
                        .entry((&escalation.escalation, &escalation.receiver, number))
                        .or_default()
                        .push(escalation);
                }
            }
        }
        self.end(claim, &over).await?;
        let groups: Vec<DueTogether<'_>> = together
            .into_iter()
            .filter_map(|((name, receiver, number), due)| {
                group(plans.named(name)?, receiver, number, due, &open)
            })
            .collect();
        let calls: Vec<_> = groups.iter().map(|group| self.call(claim, group, stop)).collect();
        let done: Vec<Result<(), StoreError>> = stream::iter(calls).buffer_unordered(AT_ONCE).collect().await;
        done.into_iter().collect()
    }

    /// Silences are made for what alerts share as well; those stand on their cards only.
    async fn leave_out_silenced(&self, due: &[DueEscalation], open: &mut HashMap<Vec<u8>, OpenAlerts>) {
        let kept = due.iter().filter(|due| due.message.is_some());
        let looks: Vec<_> = kept.map(|due| self.silenced_on(due)).collect();
        let found: Vec<Option<(Vec<u8>, Vec<String>)>> =
            stream::iter(looks).buffer_unordered(CARDS_AT_ONCE).collect().await;
        for (id, silenced) in found.into_iter().flatten() {
            if let Some(open) = open.get_mut(&id) {
                open.leave_out(|fingerprint| silenced.iter().any(|silenced| silenced == fingerprint));
            }
        }
    }

    /// Silences that were made in Alertmanager itself are known there only. One that does not answer spares nobody a call.
    async fn leave_out_silenced_elsewhere(
        &self,
        due: &[DueEscalation],
        open: &mut HashMap<Vec<u8>, OpenAlerts>,
    ) {
        let is_open = |due: &&DueEscalation| open.get(&due.id).is_some_and(|open| !open.open.is_empty());
        let of_due: Vec<_> =
            due.iter().filter(is_open).map(|due| (due, self.alertmanagers_of(due))).collect();
        let names: BTreeSet<&str> = of_due.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        let asked: Vec<_> = names.into_iter().map(|name| self.silenced_in(name)).collect();
        let found: HashMap<String, SilencedThere> =
            stream::iter(asked).buffer_unordered(AT_ONCE).filter_map(std::future::ready).collect().await;
        for (due, names) in of_due {
            let Some(open) = open.get_mut(&due.id) else { continue };
            let there: Vec<_> = names.iter().filter_map(|name| found.get(*name)).collect();
            let items: Vec<Item<'_>> = due.envelopes.iter().flat_map(Item::all_of).collect();
            open.leave_out(|fingerprint| {
                let kept = items.iter().find(|item| item.alert.fingerprint.as_str() == fingerprint);
                there.iter().any(|there| there.has(fingerprint, kept.map(|item| &item.alert.labels)))
            });
        }
    }

    /// The names of those that have sent the alerts of an escalation.
    fn alertmanagers_of(&self, due: &DueEscalation) -> BTreeSet<&str> {
        let sent = due.envelopes.iter().filter(|envelope| envelope.source == Source::Alertmanager);
        sent.filter_map(|envelope| self.deps.alertmanagers.of(&envelope.external_url))
            .map(Alertmanager::into_name)
            .collect()
    }

    async fn silenced_in(&self, name: &str) -> Option<(String, SilencedThere)> {
        match self.deps.alertmanagers.named(name)?.silenced_there().await {
            Ok(there) => Some((name.to_owned(), there)),
            Err(error) => {
                debug!(alertmanager = name, %error, "an Alertmanager could not be asked for what is silenced: people are called");
                None
            }
        }
    }

    /// Which alerts are silenced on the card of an escalation, if it is kept.
    async fn silenced_on(&self, due: &DueEscalation) -> Option<(Vec<u8>, Vec<String>)> {
        let now = self.escalations.0.table.clock.now();
        let card = self.deps.cards.named(&due.card).await.ok().flatten()?;
        let is_silenced = |item: &Item<'_>| {
            let silenced = item.attention.and_then(|attention| attention.silenced.as_ref());
            silenced.is_some_and(|silenced| silenced.until > now)
        };
        let items = card.items();
        let silenced = items.iter().filter(|item| is_silenced(item));
        let silenced = silenced.map(|item| item.alert.fingerprint.as_str().to_owned());
        Some((due.id.clone(), silenced.collect()))
    }

    async fn postpone(
        &self,
        claim: EscalationClaim,
        due: &DueEscalation,
        plan: Option<&EscalationConfig>,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let step = plan.and_then(|plan| plan.steps.get(due.progress.step));
        if let Some(step) = step {
            self.escalations.0.metrics.called(step.method.as_str(), CallOutcome::Postponed, 1);
        }
        self.escalations.0.table.postpone(claim, &[due], until).await
    }

    /// These have come to their end.
    async fn end(
        &self,
        claim: EscalationClaim,
        over: &[(&DueEscalation, EscalationEvent)],
    ) -> Result<(), StoreError> {
        for (due, event) in over {
            info!(
                escalation = due.escalation,
                receiver = due.receiver,
                card = due.card,
                why = event.as_str(),
                "an escalation is over"
            );
            self.escalations.0.metrics.event(*event, 1);
        }
        let over: Vec<_> = over.iter().map(|(due, _)| *due).collect();
        self.escalations.0.table.go_on(claim, &over, NextStep::Over).await
    }

    /// Makes one call for all of these, and writes down what comes next.
    async fn call(
        &self,
        claim: EscalationClaim,
        group: &DueTogether<'_>,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        let report = Box::pin(self.deps.call(group)).await;
        let now = self.escalations.0.table.clock.now();
        self.count(group, &report, now);
        let roll = runtime::entropy::random();
        let mut by_next: Vec<(NextStep, Vec<&DueEscalation>)> = Vec::new();
        for due in &group.due {
            let next = after_call(&group.plan.steps, &due.progress, report.result, roll, now);
            match by_next.iter_mut().find(|(known, _)| *known == next) {
                Some((_, all)) => all.push(due),
                None => by_next.push((next, vec![due])),
            }
        }
        let mut written = Ok(());
        for (next, due) in &by_next {
            if *next == NextStep::Over {
                self.escalations.0.metrics.event(EscalationEvent::Finished, due.len());
            }
            written = written.and(self.write_down(claim, due, *next, stop).await);
        }
        // Somebody was called, whatever becomes of writing it down.
        self.note(group, &report, now).await;
        written
    }

    /// What came of a call is known here alone, and whoever does not know it calls once more: it is tried until the database has it,
    /// or the stop. Nothing else could be done without a database.
    async fn write_down(
        &self,
        claim: EscalationClaim,
        due: &[&DueEscalation],
        next: NextStep,
        stop: &CancellationToken,
    ) -> Result<(), StoreError> {
        loop {
            let written = self.escalations.0.table.go_on(claim, due, next).await;
            let is_done = written.is_ok() || stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none();
            if is_done {
                return written;
            }
        }
    }

    fn count(&self, group: &DueTogether<'_>, report: &CallReport, now: Timestamp) {
        let metrics = &self.escalations.0.metrics;
        let how = group.step.method.as_str();
        let outcome = match report.result {
            CallResult::Made => CallOutcome::Made,
            CallResult::Refused if report.is_over_limit => CallOutcome::OverLimit,
            CallResult::Refused => CallOutcome::Refused,
            CallResult::NotNow { .. } => CallOutcome::Failed,
        };
        let is_made = outcome == CallOutcome::Made;
        let first = if is_made { 1 } else { group.due.len() };
        metrics.called(how, outcome, first);
        metrics.called(how, CallOutcome::Together, group.due.len() - first);
        metrics.unreached.inc_by(report.unreached as u64);
        if is_made {
            for due in &group.due {
                let late_ms = now.as_millisecond().saturating_sub(due.due_ms).max(0);
                metrics.lateness.observe(Duration::from_millis(late_ms.unsigned_abs()).as_secs_f64());
            }
        }
    }

    /// Who was called when stands in the log, in history, in the audit trail and on the cards.
    async fn note(&self, group: &DueTogether<'_>, report: &CallReport, now: Timestamp) {
        let how = note::how(&group.step.method);
        let number = group.number + 1;
        let escalation = group.plan.name.as_str();
        let receiver = group.receiver;
        let alerts = group.open.len();
        let cards = group.due.len();
        let first = group.items();
        let name = first.first().map_or("", |item| item.name());
        let why = report.why.as_deref();
        if report.result == CallResult::Made {
            info!(
                escalation,
                step = number,
                how,
                receiver,
                alert.name = name,
                alerts,
                cards,
                who = report.who.join(", "),
                unreached = report.unreached,
                "somebody was called about alerts nobody has taken on"
            );
        } else {
            warn!(
                escalation,
                step = number,
                how,
                receiver,
                alert.name = name,
                alerts,
                cards,
                code = report.code,
                error = why,
                "nobody was called by a step of an escalation"
            );
        }
        if matches!(report.result, CallResult::NotNow { .. }) {
            return;
        }
        let said = note::in_history(escalation, number, &how, &report.who);
        let said = why.map_or_else(|| said.clone(), |why| format!("{said}: {why}"));
        self.note_history(group, &said, report.code);
        let named: Vec<_> =
            group.open.iter().take(NAMED_MAX).map(|open| format!("{receiver}/{open}")).collect();
        let chosen = named.join(" ");
        let who = format!("escalation {escalation}");
        let action = AuditedAction { who: &who, action: "escalate", chosen: &chosen, meant: alerts };
        let done = if report.result == CallResult::Made { alerts } else { 0 };
        // What cannot be written down was done all the same; the log has it.
        let _unwritten = self.deps.trail.note(action, done, &said).await;
        if report.result == CallResult::Made {
            let mark = Mark::Escalated(Escalated {
                who: report.who.clone(),
                how: group.step.method.as_str().to_owned(),
                at: now,
            });
            let pairs: Vec<_> = group.open.iter().map(|open| (receiver, *open)).collect();
            let _unmarked = self.deps.cards.mark(&pairs, &mark).await;
        }
    }

    fn note_history(&self, group: &DueTogether<'_>, said: &str, code: Option<i64>) {
        if !self.deps.history.is_kept() {
            return;
        }
        let facts = HistoryFacts::at(group.receiver).because(said, code);
        let facts = std::sync::Arc::new(facts);
        let rows =
            group.items().into_iter().map(|item| HistoryRow::new(&item, HistoryOutcome::Escalated, &facts));
        self.deps.history.note(rows);
    }
}

impl OpenAlerts {
    /// Those of them that are silenced.
    fn leave_out(&mut self, is_silenced: impl Fn(&str) -> bool) {
        let before = self.open.len();
        self.open.retain(|fingerprint| !is_silenced(fingerprint));
        self.silenced += before - self.open.len();
    }

    /// Why there is nothing to call about; `None` if there is.
    fn end(&self) -> Option<EscalationEvent> {
        match self {
            Self { open, .. } if !open.is_empty() => None,
            Self { acknowledged: 1.., .. } => Some(EscalationEvent::Acknowledged),
            Self { silenced: 1.., .. } => Some(EscalationEvent::Silenced),
            Self { .. } => Some(EscalationEvent::Ended),
        }
    }
}

fn group<'d>(
    plan: &'d EscalationConfig,
    receiver: &'d str,
    number: usize,
    due: Vec<&'d DueEscalation>,
    open: &'d HashMap<Vec<u8>, OpenAlerts>,
) -> Option<DueTogether<'d>> {
    let step = plan.steps.get(number)?;
    let open = due.iter().filter_map(|due| open.get(&due.id)).flat_map(|open| &open.open);
    let mut open: Vec<&str> = open.map(String::as_str).collect();
    open.sort_unstable();
    open.dedup();
    Some(DueTogether { plan, step, number, receiver, due, open })
}

fn open_alerts(standings: Vec<EscalatedAlert>) -> HashMap<Vec<u8>, OpenAlerts> {
    let mut all: HashMap<Vec<u8>, OpenAlerts> = HashMap::new();
    for EscalatedAlert { escalation, fingerprint, standing } in standings {
        let alerts = all.entry(escalation).or_default();
        match standing {
            AlertStanding::Open => alerts.open.push(fingerprint),
            AlertStanding::Acknowledged => alerts.acknowledged += 1,
            AlertStanding::Silenced => alerts.silenced += 1,
            AlertStanding::Ended => {}
        }
    }
    all
}
