//! What was not heard of lately; taking it upon oneself to say so; and forgetting what is over.

use std::time::Duration;

use jiff::Timestamp;
use model::envelope::{Envelope, decode};

use super::{Firing, millis};
use crate::store::sql::{Value, execute, rows};
use crate::store::{SmallSteps, StepResult, StoreError};

/// For how long nobody else ends what one has taken upon itself. If it is still not over then, whoever that was has
/// died, or its word is on its way and the ledger knows the next one for the same.
const TAKEN_FOR: Duration = Duration::from_hours(1);
/// Rows deleted in one statement.
const DELETED_TOGETHER: usize = 100;
/// Rows looked at together when some are forgotten.
const WALKED_TOGETHER: usize = 500;

/// Where a look goes on: what was kept when, and what it is called.
pub(super) type Whereto = (i64, Vec<u8>, Vec<u8>);

/// Something that fires and was not heard of lately.
#[derive(Debug)]
pub(super) struct QuietAlert {
    pub(super) receiver: String,
    /// It alone, as it was delivered.
    pub(super) envelope: Envelope<'static>,
    /// When it was heard of last.
    pub(super) since: Timestamp,
    fingerprint: Vec<u8>,
    kept_ms: i64,
}

/// Fingerprint, receiver, line, when it was kept, and when it was seen last.
type QuietRow = (Vec<u8>, Vec<u8>, Vec<u8>, i64, Option<i64>);

/// Fingerprint, receiver, when it was kept, and whether it is over.
type WalkedRow = (Vec<u8>, Vec<u8>, i64, i64);

impl Firing {
    /// At most so many of what was not heard of for so long, from there on; and where to go on after that, if there may
    /// be more.
    pub(super) async fn quiet(
        &self,
        quiet: Duration,
        from: &Whereto,
        most: usize,
    ) -> Result<(Vec<QuietAlert>, Option<Whereto>), StoreError> {
        let select = format!(
            "SELECT f.fingerprint, f.receiver, f.line, f.kept_ms, l.told_seen FROM larkfire_firing f \
             LEFT JOIN larkfire_ledger l ON l.fingerprint = f.fingerprint AND l.receiver = f.receiver \
             WHERE f.kept_ms < ? AND f.ended_ms < ? AND (f.kept_ms > ? OR (f.kept_ms = ? \
             AND (f.fingerprint > ? OR (f.fingerprint = ? AND f.receiver > ?)))) \
             AND (l.told_seen IS NULL OR (l.told_status = 0 AND l.told_seen < ?)) \
             ORDER BY f.kept_ms, f.fingerprint, f.receiver LIMIT {most}"
        );
        let now = self.now_ms();
        let (kept, fingerprint, receiver) = from;
        let before = now - millis(quiet);
        let values = [
            before.into(),
            (now - millis(TAKEN_FOR)).into(),
            (*kept).into(),
            (*kept).into(),
            fingerprint.as_slice().into(),
            fingerprint.as_slice().into(),
            receiver.as_slice().into(),
            before.into(),
        ];
        let rows: Vec<QuietRow> = self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        let next = rows.last().filter(|_| rows.len() == most);
        let next =
            next.map(|(fingerprint, receiver, _, kept, _)| (*kept, fingerprint.clone(), receiver.clone()));
        let quiet = rows.into_iter().filter_map(read).filter(|quiet| self.is_kept_for(&quiet.receiver));
        Ok((quiet.collect(), next))
    }

    /// Takes it upon this worker to end it; says whether nobody else has.
    pub(super) async fn take(&self, quiet: &QuietAlert) -> Result<bool, StoreError> {
        let update = "UPDATE larkfire_firing SET ended_ms = ? \
             WHERE fingerprint = ? AND receiver = ? AND kept_ms = ? AND ended_ms < ?";
        let now = self.now_ms();
        let values = [
            now.into(),
            quiet.fingerprint.as_slice().into(),
            quiet.receiver.as_bytes().into(),
            quiet.kept_ms.into(),
            (now - millis(TAKEN_FOR)).into(),
        ];
        // Done twice, the second time finds it taken, by ourselves: then it waits as if this worker had died.
        Ok(self.store.within(|| execute(self.store.pool(), update, &values)).await? == 1)
    }

    /// Deletes what is over, and what nobody has. Says how many alerts that were.
    pub async fn clean(&self) -> Result<u64, StoreError> {
        let now = self.now_ms();
        let mut from: Whereto = (i64::MIN, Vec::new(), Vec::new());
        let mut steps = SmallSteps::default();
        loop {
            let walked = self.walk(now, &from).await?;
            let Some((fingerprint, receiver, kept_ms, _)) = walked.last() else { return Ok(steps.done) };
            from = (*kept_ms, fingerprint.clone(), receiver.clone());
            let over: Vec<_> = walked.iter().filter(|(.., over)| *over != 0).collect();
            for over in over.chunks(DELETED_TOGETHER) {
                // What has fired again meanwhile is kept anew, and stays.
                let each =
                    vec!["(fingerprint = ? AND receiver = ? AND kept_ms < ?)"; over.len()].join(" OR ");
                let delete = format!("DELETE FROM larkfire_firing WHERE {each}");
                let values: Vec<Value<'_>> = over
                    .iter()
                    .flat_map(|(fingerprint, receiver, ..)| {
                        [fingerprint.as_slice().into(), receiver.as_slice().into(), now.into()]
                    })
                    .collect();
                self.store.within(|| execute(self.store.pool(), &delete, &values)).await?;
            }
            let count = over.len() as u64;
            let is_last = walked.len() < WALKED_TOGETHER;
            let step = if is_last { StepResult::Done(count) } else { StepResult::GoesOn(count) };
            if !steps.go_on(step).await {
                return Ok(steps.done);
            }
        }
    }

    /// The rows after that one, and whether each is over. What fires is passed once in a cleaning, however much there is of it.
    async fn walk(&self, now: i64, from: &Whereto) -> Result<Vec<WalkedRow>, StoreError> {
        // What the ledger has forgotten may not have been said yet; after twice the time nobody will.
        let select = format!(
            "SELECT f.fingerprint, f.receiver, f.kept_ms, \
             CAST(CASE WHEN l.told_status = 1 OR (l.fingerprint IS NULL AND f.kept_ms < ?) THEN 1 ELSE 0 END AS SIGNED) \
             FROM larkfire_firing f \
             LEFT JOIN larkfire_ledger l ON l.fingerprint = f.fingerprint AND l.receiver = f.receiver \
             WHERE f.kept_ms < ? AND f.kept_ms >= ? AND (f.kept_ms > ? \
             OR f.fingerprint > ? OR (f.fingerprint = ? AND f.receiver > ?)) \
             ORDER BY f.kept_ms, f.fingerprint, f.receiver LIMIT {WALKED_TOGETHER}"
        );
        let (kept, fingerprint, receiver) = from;
        let forgotten = now - millis(self.remember.saturating_mul(2));
        let values = [
            forgotten.into(),
            now.into(),
            (*kept).into(),
            (*kept).into(),
            fingerprint.as_slice().into(),
            fingerprint.as_slice().into(),
            receiver.as_slice().into(),
        ];
        self.store.within(|| rows(self.store.pool(), &select, &values)).await
    }
}

/// `None` if a build that nobody knows has written it.
fn read(row: QuietRow) -> Option<QuietAlert> {
    let (fingerprint, receiver, line, kept_ms, seen) = row;
    let envelope = decode(&line).ok()?.into_owned();
    let since = Timestamp::from_millisecond(seen.unwrap_or(kept_ms)).ok()?;
    Some(QuietAlert {
        receiver: String::from_utf8_lossy(&receiver).into_owned(),
        envelope,
        since,
        fingerprint,
        kept_ms,
    })
}
