//! The escalations in the database: written when their card is delivered, claimed by one worker when they are due, and kept for
//! a while when they are over, so that a card that comes again begins none anew.
//!
//! A claim is a lease: whoever has it is the only one that calls, and if that process dies another does, once the lease
//! has ended.

use std::time::Duration;

use jiff::Timestamp;
use model::envelope::{Envelope, decode, lines};
use runtime::clock::Clock;

use super::decision::{EscalationProgress, NextStep};
use crate::feishu::OnceKey;
use crate::ledger::fitting;
use crate::store::sql::{Transaction, Value, execute, places, rows};
use crate::store::{AgedRows, DeleteSome, Insert, SmallSteps, StepResult, Store, StoreError};

/// Escalations that are claimed together: at most so many are done twice as late as they need be if a worker dies.
pub const CLAIMED_MAX: usize = 500;
/// How many of them one statement names.
const TOGETHER_MAX: usize = 50;
/// Alerts written in one statement.
const WRITTEN_TOGETHER_MAX: usize = 200;
/// How long an escalation is kept, and with it which card an alert is called about: longer than any takes.
const KEPT: Duration = Duration::from_hours(9 * 24);
/// How long one that is over is kept: longer than an envelope is tried.
const OVER_KEPT: Duration = Duration::from_hours(2 * 24);
/// Rows deleted in one statement.
const DELETED_TOGETHER: u64 = 500;

const ESCALATION: Insert<'_> = Insert {
    table: "larkfire_escalations",
    columns: &[
        "id",
        "escalation",
        "receiver",
        "card",
        "message",
        "content",
        "alerts",
        "is_critical",
        "begun_ms",
        "step",
        "attempts",
        "due_ms",
        "lease_until_ms",
        "holder",
    ],
    key: 1,
};
const ON_ESCALATION: Insert<'_> = Insert {
    table: "larkfire_escalation_alerts",
    columns: &["fingerprint", "receiver", "escalation", "id", "begun_ms"],
    key: 3,
};
const OLD: AgedRows = AgedRows {
    table: "larkfire_escalation_alerts",
    key: "fingerprint, receiver, escalation",
    time: "begun_ms",
    together: DELETED_TOGETHER,
};

/// An escalation that begins.
#[derive(Clone, Debug)]
pub struct BegunEscalation {
    /// Names it, by its card and escalation.
    pub id: String,
    /// The name in the configuration.
    pub escalation: String,
    /// At whose chat or bot.
    pub receiver: String,
    /// The card.
    pub card: String,
    /// The message it is in, where Feishu says so.
    pub message: Option<String>,
    /// The worst alerts, as lines of the wire format.
    pub content: Vec<u8>,
    /// Those that keep it going.
    pub fingerprints: Vec<String>,
    /// How many there are in all.
    pub alerts: usize,
    /// Whether something critical fires.
    pub is_critical: bool,
    /// When the card was delivered.
    pub begun_ms: i64,
    /// When the first step is due.
    pub due_ms: i64,
}

/// An escalation that was claimed.
#[derive(Clone, Debug)]
pub struct DueEscalation {
    /// Names it.
    pub id: Vec<u8>,
    /// The name in the configuration.
    pub escalation: String,
    /// At whose chat or bot.
    pub receiver: String,
    /// The card.
    pub card: String,
    /// The message it is in, where Feishu says so.
    pub message: Option<String>,
    /// The worst alerts, as they were delivered.
    pub envelopes: Vec<Envelope<'static>>,
    /// How far it is.
    pub progress: EscalationProgress,
    /// When its step was due.
    pub due_ms: i64,
}

/// How an alert stands that somebody may be called for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalatedAlert {
    /// Of which escalation.
    pub escalation: Vec<u8>,
    /// Who it is.
    pub fingerprint: String,
    /// How it stands.
    pub standing: AlertStanding,
}

/// Whether somebody is to be called for an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlertStanding {
    /// It fires, and nobody has taken it on.
    Open,
    /// It is over.
    Ended,
    /// Somebody has taken it on.
    Acknowledged,
    /// Somebody has silenced it.
    Silenced,
}

/// The right to call somebody about what was claimed.
#[derive(Clone, Copy, Debug)]
pub struct EscalationClaim {
    holder: i64,
}

type DueRow = (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, Option<Vec<u8>>, Vec<u8>, i64, i64, i64, i64, i64);
type StandingRow = (Vec<u8>, Vec<u8>, i64, i64, i64);

/// The rows. Clones share them.
#[derive(Clone, Debug)]
pub struct EscalationTable {
    /// The database.
    pub store: Store,
    /// What it tells the time by.
    pub clock: Clock,
}

/// Names an escalation: the same for the same card.
pub fn id_of(card: &str, escalation: &str) -> String {
    OnceKey::of(["escalation", card, escalation]).as_str().to_owned()
}

impl EscalationTable {
    pub(super) fn now_ms(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    /// Writes one down; one that is there already stays as it is.
    pub async fn begin(&self, begun: &BegunEscalation) -> Result<(), StoreError> {
        self.store.within(|| Box::pin(self.write(begun))).await
    }

    async fn write(&self, begun: &BegunEscalation) -> Result<(), sqlx::Error> {
        let dialect = self.store.pool().dialect();
        let receiver = fitting(&begun.receiver);
        let mut transaction = Transaction::begin(self.store.pool()).await?;
        let insert = ESCALATION.or_keep(dialect, "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, 0, ?, 0, 0)");
        let values = [
            begun.id.as_bytes().into(),
            begun.escalation.as_bytes().into(),
            receiver.as_bytes().into(),
            begun.card.as_bytes().into(),
            begun.message.as_deref().map(str::as_bytes).into(),
            begun.content.as_slice().into(),
            i64::try_from(begun.alerts).unwrap_or(i64::MAX).into(),
            i64::from(begun.is_critical).into(),
            begun.begun_ms.into(),
            begun.due_ms.into(),
        ];
        transaction.execute(&insert, &values).await?;
        for together in begun.fingerprints.chunks(WRITTEN_TOGETHER_MAX) {
            let places = vec!["(?, ?, ?, ?, ?)"; together.len()].join(", ");
            let replace = ON_ESCALATION.or_replace(dialect, &format!("VALUES {places}"));
            let values: Vec<Value<'_>> = together
                .iter()
                .flat_map(|fingerprint| {
                    [
                        fingerprint.as_bytes().into(),
                        receiver.as_bytes().into(),
                        begun.escalation.as_bytes().into(),
                        begun.id.as_bytes().into(),
                        begun.begun_ms.into(),
                    ]
                })
                .collect();
            transaction.execute(&replace, &values).await?;
        }
        transaction.commit().await
    }

    /// Claims what is due, the longest first, for so long: nobody else calls about it meanwhile.
    pub async fn claim(&self, lease: Duration) -> Result<(EscalationClaim, Vec<DueEscalation>), StoreError> {
        let claim = EscalationClaim { holder: runtime::entropy::random() };
        let select = format!(
            "SELECT id FROM larkfire_escalations WHERE due_ms <= ? AND lease_until_ms <= ? \
             ORDER BY due_ms, begun_ms LIMIT {CLAIMED_MAX}"
        );
        let now = self.now_ms();
        let values = [Value::from(now); 2];
        let found: Vec<(Vec<u8>,)> = self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        // In one order, so that no two workers wait for each other's rows.
        let mut ids: Vec<Vec<u8>> = found.into_iter().map(|(id,)| id).collect();
        ids.sort_unstable();
        let until = now.saturating_add(i64::try_from(lease.as_millis()).unwrap_or(i64::MAX));
        let mut due = Vec::new();
        for together in ids.chunks(TOGETHER_MAX) {
            let named = places(together.len());
            // Whose it is already has claimed it, and was not told.
            let update = format!(
                "UPDATE larkfire_escalations SET holder = ?, lease_until_ms = ? \
                 WHERE id IN ({named}) AND due_ms <= ? AND (lease_until_ms <= ? OR holder = ?)"
            );
            let mut values: Vec<Value<'_>> = vec![claim.holder.into(), until.into()];
            values.extend(together.iter().map(|id| Value::Bytes(id)));
            values.extend([now, now, claim.holder].map(Value::from));
            self.store.within(|| execute(self.store.pool(), &update, &values)).await?;
            let select = format!(
                "SELECT id, escalation, receiver, card, message, content, is_critical, begun_ms, step, attempts, due_ms \
                 FROM larkfire_escalations WHERE id IN ({named}) AND holder = ? AND lease_until_ms > ?"
            );
            let mut values: Vec<Value<'_>> = together.iter().map(|id| Value::Bytes(id)).collect();
            values.extend([claim.holder, now].map(Value::from));
            let found: Vec<DueRow> = self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
            due.extend(found.into_iter().map(read));
        }
        due.sort_by_key(|escalation| (escalation.due_ms, escalation.progress.begun_at));
        Ok((claim, due))
    }

    /// How the alerts stand for which these were begun and no newer one.
    pub async fn standings(&self, due: &[DueEscalation]) -> Result<Vec<EscalatedAlert>, StoreError> {
        let mut all = Vec::new();
        for together in due.chunks(TOGETHER_MAX) {
            let select = format!(
                "SELECT e.id, e.fingerprint, \
                 CAST(CASE WHEN l.told_status = 1 THEN 1 ELSE 0 END AS SIGNED), \
                 CAST(CASE WHEN a.told_at = l.told_at THEN 1 ELSE 0 END AS SIGNED), \
                 CAST(CASE WHEN EXISTS (SELECT 1 FROM larkfire_silences s WHERE s.fingerprint = e.fingerprint \
                 AND s.receiver = e.receiver AND s.until_ms > ?) THEN 1 ELSE 0 END AS SIGNED) \
                 FROM larkfire_escalation_alerts e \
                 LEFT JOIN larkfire_ledger l ON l.fingerprint = e.fingerprint AND l.receiver = e.receiver \
                 LEFT JOIN larkfire_acknowledgements a ON a.fingerprint = e.fingerprint AND a.receiver = e.receiver \
                 WHERE e.id IN ({})",
                places(together.len())
            );
            let mut values: Vec<Value<'_>> = vec![self.now_ms().into()];
            values.extend(together.iter().map(|due| Value::Bytes(&due.id)));
            let found: Vec<StandingRow> =
                self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
            all.extend(found.into_iter().map(|(escalation, fingerprint, ended, acknowledged, silenced)| {
                let standing = match (ended, acknowledged, silenced) {
                    (0, 0, 0) => AlertStanding::Open,
                    (0, 0, _) => AlertStanding::Silenced,
                    (0, ..) => AlertStanding::Acknowledged,
                    (..) => AlertStanding::Ended,
                };
                let fingerprint = String::from_utf8_lossy(&fingerprint).into_owned();
                EscalatedAlert { escalation, fingerprint, standing }
            }));
        }
        Ok(all)
    }

    /// What was claimed comes to what is next, and is free again; what is not ours any more stays as it is.
    pub async fn go_on(
        &self,
        claim: EscalationClaim,
        due: &[&DueEscalation],
        next: NextStep,
    ) -> Result<(), StoreError> {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let (set, first): (&str, Vec<Value<'_>>) = match next {
            NextStep::Again(at) => ("attempts = attempts + 1, due_ms = ?", vec![at.as_millisecond().into()]),
            NextStep::Step { number, after, not_before } => {
                let number = i64::try_from(number).unwrap_or(i64::MAX);
                let not_before = not_before.as_millisecond();
                let after = millis(after);
                (
                    "step = ?, attempts = 0, \
                     due_ms = CASE WHEN begun_ms + ? > ? THEN begun_ms + ? ELSE ? END",
                    vec![number.into(), after.into(), not_before.into(), after.into(), not_before.into()],
                )
            }
            NextStep::Over => ("due_ms = NULL", Vec::new()),
        };
        self.update(claim, due, set, &first).await
    }

    /// What was claimed waits until then, and is free again.
    pub async fn postpone(
        &self,
        claim: EscalationClaim,
        due: &[&DueEscalation],
        until: Timestamp,
    ) -> Result<(), StoreError> {
        self.update(claim, due, "due_ms = ?", &[until.as_millisecond().into()]).await
    }

    async fn update(
        &self,
        claim: EscalationClaim,
        due: &[&DueEscalation],
        set: &str,
        first: &[Value<'_>],
    ) -> Result<(), StoreError> {
        for together in due.chunks(TOGETHER_MAX) {
            // Done twice it finds nothing of its own the second time.
            let update = format!(
                "UPDATE larkfire_escalations SET {set}, lease_until_ms = 0, holder = 0 \
                 WHERE holder = ? AND id IN ({})",
                places(together.len())
            );
            let mut values = first.to_vec();
            values.push(claim.holder.into());
            values.extend(together.iter().map(|due| Value::Bytes(&due.id)));
            self.store.within(|| execute(self.store.pool(), &update, &values)).await?;
        }
        Ok(())
    }

    /// How many wait for a step.
    pub async fn waiting(&self) -> Result<i64, StoreError> {
        let select = "SELECT COUNT(*) FROM larkfire_escalations WHERE due_ms IS NOT NULL";
        let found: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), select, &[])).await?;
        Ok(found.first().map_or(0, |(count,)| *count))
    }

    /// Forgets what is over for a while, and what nobody will come back to.
    pub async fn clean(&self) -> Result<(), StoreError> {
        let millis = |time: Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX);
        let now = self.now_ms();
        OLD.forget(&self.store, now.saturating_sub(millis(KEPT))).await?;
        for (condition, before) in [("due_ms IS NULL AND begun_ms < ?", OVER_KEPT), ("begun_ms < ?", KEPT)] {
            let delete =
                DeleteSome { table: "larkfire_escalations", key: "id", condition, order: "begun_ms" };
            let delete = delete.statement(self.store.pool().dialect());
            let most = i64::try_from(DELETED_TOGETHER).unwrap_or(i64::MAX);
            let values = [now.saturating_sub(millis(before)).into(), most.into()];
            let mut steps = SmallSteps::default();
            loop {
                let removed = self.store.within(|| execute(self.store.pool(), &delete, &values)).await?;
                if !steps.go_on(StepResult::of(removed, DELETED_TOGETHER)).await {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn read(row: DueRow) -> DueEscalation {
    let (id, escalation, receiver, card, message, content, is_critical, begun_ms, step, attempts, due_ms) =
        row;
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    // What a later version has written and this one cannot read is called about without its alerts.
    let envelopes = lines(&content).filter_map(|line| Some(decode(line).ok()?.into_owned())).collect();
    DueEscalation {
        id,
        escalation: text(escalation),
        receiver: text(receiver),
        card: text(card),
        message: message.map(text),
        envelopes,
        progress: EscalationProgress {
            begun_at: Timestamp::from_millisecond(begun_ms).unwrap_or_default(),
            step: usize::try_from(step).unwrap_or(usize::MAX),
            attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
            is_critical: is_critical != 0,
        },
        due_ms,
    }
}
