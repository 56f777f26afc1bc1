//! What is known of alerts, put together by alert and receiver: what happened, in its order, what stands, and what waits. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::envelope::EnvelopeId;
use serde_json::{Value, json};

use crate::audit::AuditEntry;
use crate::dead_letters::StoredDeadLetter;
use crate::history::{HistoryEntry, HistoryOutcome, HistoryPage};
use crate::ledger::{EntryState, TakenOn, TracedAlert};

/// What is known.
#[derive(Debug, Default)]
pub(crate) struct TraceReport {
    pub(crate) history: HistoryPage,
    pub(crate) ledger: Vec<TracedAlert>,
    /// Who has taken on which alert, by receiver and fingerprint.
    pub(crate) taken_on: BTreeMap<(String, String), TakenOn>,
    pub(crate) letters: Vec<StoredDeadLetter>,
    pub(crate) audit: Vec<AuditEntry>,
}

/// One alert at one receiver.
#[derive(Debug)]
pub(crate) struct TracedTogether<'r> {
    pub(crate) receiver: &'r str,
    pub(crate) identity: &'r str,
    /// What happened, the oldest first.
    pub(crate) entries: Vec<&'r HistoryEntry>,
    /// What the ledger has of it.
    pub(crate) stands: Option<&'r TracedAlert>,
    /// Who looks after it.
    pub(crate) taken_on: Option<&'r TakenOn>,
}

/// That an alert waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Waiting<'r> {
    pub(crate) envelope: EnvelopeId,
    /// Since when, as far as that is written down.
    pub(crate) since: Timestamp,
    /// Until when it was put aside; `None` if somebody has it in hand, as far as is known.
    pub(crate) until: Option<Timestamp>,
    pub(crate) reason: &'r str,
}

impl TraceReport {
    pub(crate) const fn is_nothing(&self) -> bool {
        self.history.entries.is_empty() && self.ledger.is_empty() && self.letters.is_empty()
    }

    /// What is known of each alert at each receiver; what happened last comes first.
    pub(crate) fn together(&self) -> Vec<TracedTogether<'_>> {
        let mut all: Vec<TracedTogether<'_>> = Vec::new();
        for entry in &self.history.entries {
            let one = one_of(&mut all, &entry.receiver, &entry.identity);
            one.entries.push(entry);
        }
        for row in &self.ledger {
            one_of(&mut all, &row.receiver, &row.fingerprint).stands = Some(row);
        }
        for one in &mut all {
            one.entries.sort_by_key(|entry| entry.at);
            let key = (one.receiver.to_owned(), one.identity.to_owned());
            one.taken_on = self.taken_on.get(&key);
        }
        all
    }

    pub(crate) fn as_json(&self, now: Timestamp) -> Value {
        let state = |state: &EntryState| json!({ "status": state.status, "began": state.instance, "seen": state.seen });
        let entry = |entry: &TracedAlert| {
            json!({
                "receiver": entry.receiver,
                "fingerprint": entry.fingerprint,
                "delivered": entry.delivered.as_ref().map(|delivered| {
                    json!({ "state": state(&delivered.state), "at": delivered.at, "envelope": delivered.envelope })
                }),
                "claim": entry.claim.as_ref().map(|claim| {
                    json!({ "state": state(&claim.state), "until": claim.until, "envelope": claim.envelope })
                }),
                "touched_at": entry.touched_at,
            })
        };
        let together = self.together();
        let waiting = together.iter().filter_map(|one| {
            let Waiting { envelope, since, until, reason } = one.waiting(now)?;
            Some(json!({
                "receiver": one.receiver, "identity": one.identity, "envelope": envelope,
                "since": since, "until": until, "reason": reason,
            }))
        });
        json!({
            "history": self.history.entries,
            "has_more": self.history.has_more || self.history.scanned.is_some(),
            "waiting": waiting.collect::<Vec<_>>(),
            "taken_on": self.taken_on.iter().map(|((_, identity), by)| {
                json!({ "identity": identity, "receiver": by.receiver, "who": by.who, "at": by.at })
            }).collect::<Vec<_>>(),
            "ledger": self.ledger.iter().map(entry).collect::<Vec<_>>(),
            "dead_letters": self.letters,
            "audit": self.audit,
        })
    }
}

fn one_of<'a, 'r>(
    all: &'a mut Vec<TracedTogether<'r>>,
    receiver: &'r str,
    identity: &'r str,
) -> &'a mut TracedTogether<'r> {
    let known = all.iter().position(|one| one.receiver == receiver && one.identity == identity);
    let place = known.unwrap_or(all.len());
    if known.is_none() {
        all.push(TracedTogether { receiver, identity, entries: Vec::new(), stands: None, taken_on: None });
    }
    &mut all[place]
}

impl<'r> TracedTogether<'r> {
    /// What it is called.
    pub(crate) fn name(&self) -> &'r str {
        self.entries.last().map_or("", |entry| entry.name.as_str())
    }

    /// Whether it waits to be delivered, and for what.
    pub(crate) fn waiting(&self, now: Timestamp) -> Option<Waiting<'r>> {
        let claim = self.stands.and_then(|row| row.claim).filter(|claim| claim.until > now);
        let of_alert = self.entries.iter().filter(|entry| !entry.outcome.is_act());
        let last = of_alert.max_by_key(|entry| entry.last_at);
        let deferred = last.filter(|entry| entry.outcome == HistoryOutcome::Deferred);
        let delivered_at = self.stands.and_then(|row| row.delivered).map(|delivered| delivered.at);
        if let Some(entry) = deferred.filter(|entry| delivered_at.is_none_or(|at| at < entry.last_at)) {
            let reason = entry.reason.as_deref().unwrap_or_default();
            let until = entry.until.filter(|until| *until > now);
            return Some(Waiting { envelope: entry.envelope, since: entry.at, until, reason });
        }
        let row = self.stands?;
        let claim = claim?;
        Some(Waiting {
            envelope: claim.envelope,
            since: row.touched_at,
            until: None,
            reason: "a worker has it in hand: its card is being sent, or waits for its receiver or for the budget",
        })
    }
}

#[cfg(test)]
mod tests {
    use model::alert::Status;

    use super::*;
    use crate::metrics::Outcome;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn entry(second: i64, outcome: HistoryOutcome) -> HistoryEntry {
        HistoryEntry {
            at: at(second),
            receiver: "ops".to_owned(),
            identity: "f1".to_owned(),
            name: "Disk".to_owned(),
            status: Status::Firing,
            outcome,
            envelope: EnvelopeId::new(at(second), [1; 10]),
            by: None,
            times: 1,
            last_at: at(second),
            until: Some(at(second + 30)),
            card: None,
            bot: None,
            attempts: 0,
            code: None,
            reason: Some("away".to_owned()),
            labels: BTreeMap::new(),
        }
    }

    /// The seconds until when it waits, or why not.
    fn waiting(entries: Vec<HistoryEntry>, now: i64) -> Result<i64, &'static str> {
        let report = TraceReport {
            history: HistoryPage { entries, ..HistoryPage::default() },
            ..TraceReport::default()
        };
        let together = report.together();
        let waiting = together[0].waiting(at(now)).ok_or("it does not wait")?;
        waiting.until.map(Timestamp::as_second).ok_or("it is not put aside")
    }

    #[test]
    fn what_was_put_aside_last_waits_and_what_ended_since_does_not() {
        let deferred = || entry(100, HistoryOutcome::Deferred);
        assert_eq!(waiting(vec![deferred()], 110), Ok(130));
        assert_eq!(waiting(vec![deferred()], 140), Err("it is not put aside"), "it is in somebody's hands");
        let ended = entry(120, Outcome::Delivered.into());
        assert_eq!(waiting(vec![ended, deferred()], 125), Err("it does not wait"));
        let before = entry(90, Outcome::Delivered.into());
        assert_eq!(waiting(vec![deferred(), before], 110), Ok(130), "a later state waits");
        let taken_on = entry(105, HistoryOutcome::Acknowledged);
        assert_eq!(waiting(vec![taken_on, deferred()], 110), Ok(130), "what people do delivers nothing");
    }
}
