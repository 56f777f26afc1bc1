//! Silences through Alertmanager: those there are, what one would hit, making and ending one.

use std::sync::Arc;

use config::DEFAULT_RECEIVER;
use console::backend::BackendError;
use console::data::{
    AlertmanagerSilences, SilenceEnd, SilenceHit, SilenceOrder, SilencePlan, SilenceQuestion, SilenceRow,
    Silences,
};
use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use model::alert::Labels;
use model::matcher::Matcher;
use model::when::duration;
use tracing::{info, warn};

use super::ConsoleBackend;
use crate::alertmanager::{
    Alertmanager, AlertmanagerError, Alertmanagers, ListedAlert, ListedSilence, SilenceMatcher, Wish,
};
use crate::audit::AuditedAction;
use crate::history::{HistoryEntry, HistoryFacts, HistoryOutcome, HistoryRow, HistorySubject};

/// Silences of one Alertmanager that are shown.
const SHOWN_MAX: usize = 500;
/// Alerts that are shown of those a silence would hit.
const HITS_SHOWN_MAX: usize = 50;
/// How long a silence lasts where nobody says.
const LENGTH: &str = "4h";
/// And at most.
const LENGTH_MAX: SignedDuration = SignedDuration::from_hours(30 * 24);
/// How much earlier than now a silence begins: Alertmanager's clock may be behind ours, and takes that for "at once".
const BEGUN_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// So many alerts more than were counted are hit without asking again: alerts come all the time.
const MORE_ALLOWED: usize = 2;

/// What somebody did about alerts, and where.
#[derive(Clone, Copy, Debug)]
struct SilenceAct<'a> {
    who: &'a str,
    /// The Alertmanager's name.
    alertmanager: &'a str,
    outcome: HistoryOutcome,
}

impl ConsoleBackend {
    /// The silences of each Alertmanager; one that does not answer says so.
    pub(super) async fn all_silences(&self) -> Silences {
        let each = self.alertmanagers().map(async |alertmanager| {
            let name = alertmanager.name().to_owned();
            match silences_of(alertmanager).await {
                Ok(mut silences) => {
                    let all = Some(silences.len()).filter(|all| *all > SHOWN_MAX);
                    silences.truncate(SHOWN_MAX);
                    AlertmanagerSilences { name, silences, all, ..AlertmanagerSilences::default() }
                }
                Err(error) => {
                    let error = Some(error.to_string());
                    AlertmanagerSilences { name, error, ..AlertmanagerSilences::default() }
                }
            }
        });
        Silences { alertmanagers: join_all(each).await }
    }

    /// What a silence would be, and what it would hit.
    pub(super) async fn plan_silence(&self, question: SilenceQuestion) -> Result<SilencePlan, BackendError> {
        let names: Vec<_> = self.alertmanagers().map(|one| one.name().to_owned()).collect();
        let asked = question.alertmanager.as_deref();
        let chosen = asked.map_or_else(
            || names.iter().find(|name| *name == DEFAULT_RECEIVER).or(names.first()),
            |asked| names.iter().find(|name| *name == asked),
        );
        let Some(chosen) = chosen.cloned() else {
            return Err(BackendError::Refused(
                "no such Alertmanager is configured (alertmanagers)".to_owned(),
            ));
        };
        let length = if question.length.is_empty() { LENGTH.to_owned() } else { question.length };
        let mut plan = SilencePlan {
            alertmanagers: names,
            alertmanager: chosen,
            matchers: question.matchers,
            length,
            ..SilencePlan::default()
        };
        if plan.matchers.trim().is_empty() {
            return Ok(plan);
        }
        match self.look_ahead(&mut plan).await {
            Ok(()) => {}
            Err(error @ (BackendError::Refused(_) | BackendError::Unavailable(_))) => {
                plan.refused = Some(error.to_string());
            }
            Err(error @ BackendError::Changed(_)) => return Err(error),
        }
        Ok(plan)
    }

    async fn look_ahead(&self, plan: &mut SilencePlan) -> Result<(), BackendError> {
        let matchers = matchers_of(&plan.matchers)?;
        let now = self.deps.clock.now();
        let until = until_of(&plan.length, now)?;
        let alertmanager = self.alertmanager(&plan.alertmanager)?;
        let hits = alertmanager.alerts_matching(&matchers).await.map_err(|error| away(&error))?;
        let same = same_silence(alertmanager, &matchers, until).await?;
        plan.count = hits.len();
        plan.hits = hits.into_iter().take(HITS_SHOWN_MAX).map(hit).collect();
        plan.same = same.map(|silence| row(&silence, &[]));
        plan.until = Some(until);
        Ok(())
    }

    /// Makes a silence, unless there is one that does the same: the same press twice is one. Returns its id.
    pub(super) async fn make_silence(&self, order: SilenceOrder) -> Result<String, BackendError> {
        let SilenceOrder { who, alertmanager, matchers: text, until, counted, reason } = order;
        let matchers = matchers_of(&text)?;
        let asked = self.alertmanager(&alertmanager)?;
        // Whoever presses twice waits for the first press, and finds what it has made.
        let _turn = self.silencing.lock().await;
        if let Some(same) = same_silence(asked, &matchers, until).await? {
            return Ok(same.id);
        }
        let now = self.deps.clock.now();
        if until <= now || until.duration_since(now) > LENGTH_MAX {
            return Err(BackendError::Refused("the silence would be over already, or too long".to_owned()));
        }
        let hits = asked.alerts_matching(&matchers).await.map_err(|error| away(&error))?.len();
        if hits > counted + MORE_ALLOWED + counted / 10 {
            return Err(BackendError::Changed(hits));
        }
        let begin = now.saturating_sub(BEGUN_BEFORE).unwrap_or(now);
        let wish = Wish::matching(&matchers, begin, until, &who, &reason)
            .map_err(|error| BackendError::Refused(error.to_string()))?;
        let chosen = format!("{alertmanager}: {} until {until}", shown(&matchers));
        let action = AuditedAction { who: &who, action: "silence", chosen: &chosen, meant: hits };
        let line = self.deps.trail.begin_because(action, &reason).await?;
        let id = asked.silence(&wish).await.map_err(|error| away(&error))?;
        self.deps.trail.end(line, hits as u64).await?;
        info!(who, alertmanager, silence = id, alerts = hits, "an operator silences alerts");
        let act = SilenceAct { who: &who, alertmanager: &alertmanager, outcome: HistoryOutcome::Silenced };
        self.note(act, &matchers, Some(until), Some(&reason)).await;
        Ok(id)
    }

    /// Ends a silence; one that has ended is no error.
    pub(super) async fn end_silence(&self, end: SilenceEnd) -> Result<(), BackendError> {
        let SilenceEnd { who, alertmanager, id } = end;
        let asked = self.alertmanager(&alertmanager)?;
        let silences = asked.silences().await.map_err(|error| away(&error))?;
        let Some(silence) = silences.iter().find(|silence| silence.id == id) else { return Ok(()) };
        let matchers: Vec<_> = silence.matchers.iter().map(SilenceMatcher::text).collect();
        let chosen = format!("{alertmanager}: {}", matchers.join(", "));
        let action = AuditedAction { who: &who, action: "unsilence", chosen: &chosen, meant: 1 };
        let line = self.deps.trail.begin(action).await?;
        asked.expire(&id).await.map_err(|error| away(&error))?;
        self.deps.trail.end(line, 1).await?;
        info!(who, alertmanager, silence = id, "an operator ends a silence");
        // What Alertmanager takes and we cannot read silences nothing that we know of.
        let read = Matcher::all(&matchers.join(", ")).unwrap_or_default();
        let act = SilenceAct { who: &who, alertmanager: &alertmanager, outcome: HistoryOutcome::Unsilenced };
        self.note(act, &read, None, None).await;
        Ok(())
    }

    /// Writes into the history of each alert that a silence hits, as far as it is known here, who did it.
    async fn note(
        &self,
        act: SilenceAct<'_>,
        matchers: &[Matcher],
        until: Option<Timestamp>,
        reason: Option<&str>,
    ) {
        let SilenceAct { who, alertmanager, outcome } = act;
        if !self.deps.history.is_kept() || matchers.is_empty() {
            return;
        }
        let because = reason.map_or_else(|| format!("by {who}"), |reason| format!("by {who}: {reason}"));
        let mut rows = Vec::new();
        let looked = self.each_firing(|receiver, envelope, alert| {
            let is_its = self.alertmanager_of(envelope).is_some_and(|its| its.name() == alertmanager);
            if !is_its || !matchers.iter().all(|matcher| matcher.matches(&alert.labels)) {
                return;
            }
            let subject = HistorySubject {
                identity: alert.fingerprint.as_str(),
                name: alert.labels.get("alertname").unwrap_or_default(),
                labels: &alert.labels,
                status: alert.status,
                envelope: envelope.id,
            };
            let facts = Arc::new(HistoryFacts::at(receiver).because(&because, None));
            rows.push(HistoryRow::about(subject, outcome, &facts).until(until));
        });
        if let Err(error) = looked.await {
            warn!(%error, who, alertmanager, "a silence is not in the history of the alerts it hits");
        }
        self.deps.history.note(rows);
    }

    /// What a silence of exactly this alert would match; `None` where none can be made, or not all of its labels are known.
    pub(super) fn silence_matchers(&self, newest: Option<&HistoryEntry>) -> Option<String> {
        let labels: Labels<'_> = newest?
            .labels
            .iter()
            .map(|(name, value)| (name.as_str().into(), value.as_str().into()))
            .collect();
        self.matchers_for(&labels)
    }

    /// What a silence of everything with these labels would match.
    pub(super) fn matchers_for(&self, labels: &Labels<'_>) -> Option<String> {
        let first = self.alertmanagers().next()?;
        let counts = |name: &str| !first.ignored().iter().any(|ignored| ignored == name);
        let is_named = labels.get("alertname").is_some_and(|name| !name.is_empty());
        (is_named && labels.are_whole()).then(|| {
            let each = labels.iter().filter(|(name, _)| counts(name));
            each.map(|(name, value)| Matcher::equal(name, value).to_string()).collect::<Vec<_>>().join(", ")
        })
    }

    /// Those that are configured.
    pub(super) fn alertmanagers(&self) -> impl Iterator<Item = Alertmanager<'_>> {
        self.deps.alertmanagers.iter().flat_map(Alertmanagers::all)
    }

    fn alertmanager(&self, name: &str) -> Result<Alertmanager<'_>, BackendError> {
        let found = self.alertmanagers().find(|one| one.name() == name);
        found.ok_or_else(|| BackendError::Refused(format!("no Alertmanager {name} is configured")))
    }
}

async fn silences_of(alertmanager: Alertmanager<'_>) -> Result<Vec<SilenceRow>, AlertmanagerError> {
    let silences = alertmanager.silences().await?;
    let hits = if silences.is_empty() { Vec::new() } else { alertmanager.silenced_alerts().await? };
    Ok(silences.iter().map(|silence| row(silence, &hits)).collect())
}

async fn same_silence(
    alertmanager: Alertmanager<'_>,
    matchers: &[Matcher],
    until: Timestamp,
) -> Result<Option<ListedSilence>, BackendError> {
    let silences = alertmanager.silences().await.map_err(|error| away(&error))?;
    Ok(silences.into_iter().find(|silence| silence.covers(matchers, until)))
}

fn row(silence: &ListedSilence, hits: &[ListedAlert]) -> SilenceRow {
    let matchers: Vec<_> = silence.matchers.iter().map(SilenceMatcher::text).collect();
    SilenceRow {
        id: silence.id.clone(),
        matchers: matchers.join(", "),
        is_active: silence.is_active(),
        starts_at: silence.starts_at,
        ends_at: silence.ends_at,
        created_by: silence.created_by.clone(),
        comment: silence.comment.clone(),
        alerts: hits.iter().filter(|hit| hit.silenced_by().contains(&silence.id)).count(),
    }
}

fn hit(alert: ListedAlert) -> SilenceHit {
    let is_silenced = !alert.silenced_by().is_empty();
    let mut labels = alert.labels;
    let name = labels.remove("alertname").unwrap_or_default();
    SilenceHit { name, labels, is_silenced }
}

fn matchers_of(text: &str) -> Result<Vec<Matcher>, BackendError> {
    let matchers = Matcher::all(text).map_err(|error| BackendError::Refused(error.to_string()))?;
    let is_for_everything = matchers.iter().all(|matcher| matcher.matches(&Labels::default()));
    if is_for_everything {
        return Err(BackendError::Refused(crate::alertmanager::Unsilenceable::Everything.to_string()));
    }
    Ok(matchers)
}

fn until_of(length: &str, now: Timestamp) -> Result<Timestamp, BackendError> {
    let refused =
        || BackendError::Refused(format!("length {length}: expected 30m, 4h or 2d, 30 days at most"));
    let length = SignedDuration::try_from(duration(length).map_err(|_| refused())?).map_err(|_| refused())?;
    if length.is_zero() || length > LENGTH_MAX {
        return Err(refused());
    }
    let until = now.checked_add(length).map_err(|_| refused())?;
    // As exactly as Alertmanager keeps it and a form carries it, so that the same press is the same silence.
    Ok(Timestamp::from_second(until.as_second()).unwrap_or(until))
}

fn shown(matchers: &[Matcher]) -> String {
    matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn away(error: &AlertmanagerError) -> BackendError {
    match error {
        AlertmanagerError::Unreachable
        | AlertmanagerError::TimedOut
        | AlertmanagerError::OutOfTime
        | AlertmanagerError::Unreadable => BackendError::Unavailable(format!("Alertmanager: {error}")),
        AlertmanagerError::Unauthorized(_) | AlertmanagerError::Refused { .. } => {
            BackendError::Refused(format!("Alertmanager: {error}"))
        }
    }
}
