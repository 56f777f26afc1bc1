//! Who did what, and when: operators at the command line, and people in Feishu. What takes a while is written before it
//! is done, and again when it is: what a killed command had begun is to be seen as well.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use runtime::clock::Clock;
use serde::Serialize;

use crate::store::sql::{Value, execute, explain, insert, places, rows};
use crate::store::{AgedRows, Pool, Run, Store, StoreError};

/// How long it is kept who did what.
pub(crate) const KEPT: Duration = Duration::from_hours(365 * 24);
/// What is kept of a name, in characters.
const WHO_CHARS_MAX: usize = 255;
/// What is kept of the word for an action, in characters.
const ACTION_CHARS_MAX: usize = 32;
/// What is kept of what it was done to, and of what came of it, in characters.
const TEXT_CHARS_MAX: usize = 4_000;

const LINES: AgedRows = AgedRows { table: "larkfire_audit", key: "id", time: "at_ms", together: 500 };

/// The trail in the database. Clones share it.
#[derive(Clone, Debug)]
pub struct Audit {
    store: Store,
    clock: Clock,
}

/// Something somebody does.
#[derive(Clone, Copy, Debug)]
pub struct AuditedAction<'d> {
    /// Who says to do it.
    pub who: &'d str,
    /// What, in a word.
    pub action: &'d str,
    /// What it is done to.
    pub chosen: &'d str,
    /// How many letters or alerts that are.
    pub meant: usize,
}

/// One line of the trail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AuditEntry {
    /// Its number.
    pub id: i64,
    /// When it was begun.
    pub at: Timestamp,
    /// Who did it: at the command line the system's user and host, or a name of their own choice, which is no proof;
    /// in Feishu the person's id.
    pub who: String,
    /// What was done.
    pub action: String,
    /// How the letters or alerts were chosen.
    pub chosen: String,
    /// How many letters or alerts were meant.
    pub letters: i64,
    /// How many it was done to; unknown if it did not come to its end.
    pub done: Option<i64>,
    /// What came of it, in words, where a number does not say.
    pub outcome: Option<String>,
    /// Why it was done, where somebody was asked.
    pub reason: Option<String>,
}

/// Which lines somebody wants to see.
#[derive(Clone, Copy, Debug)]
pub enum AuditFilter<'w> {
    /// All of them.
    All,
    /// Those that fulfil each of these that is given.
    Chosen {
        /// Begun then or later.
        since: Option<Timestamp>,
        /// By whom.
        who: Option<&'w str>,
        /// What was done.
        action: Option<&'w str>,
        /// With a smaller number than this.
        before: Option<i64>,
    },
    /// Those with one of these actions.
    Actions(&'w [&'w str]),
    /// Those with one of these numbers.
    Ids(&'w [i64]),
}

/// How many of a new line's columns tell it apart from any other.
const IDENTIFYING: usize = 5;

/// The columns of one line.
type AuditRow = (i64, i64, String, String, String, i64, Option<i64>, Option<String>, Option<String>);

impl Audit {
    /// The trail in this database.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// Writes down that something is about to be done; returns the line's number.
    pub async fn begin(&self, action: AuditedAction<'_>) -> Result<i64, StoreError> {
        self.write(action, None, None).await
    }

    /// The same, with the reason that was given.
    pub async fn begin_because(&self, action: AuditedAction<'_>, reason: &str) -> Result<i64, StoreError> {
        self.write(action, None, Some(reason)).await
    }

    /// Writes down to how many letters or alerts it was done.
    pub async fn end(&self, entry: i64, done: u64) -> Result<(), StoreError> {
        let update = "UPDATE larkfire_audit SET done = ? WHERE id = ?";
        let values = [i64::try_from(done).unwrap_or(i64::MAX).into(), entry.into()];
        self.store.within(|| execute(self.store.pool(), update, &values)).await.map(drop)
    }

    /// Writes down what is done already, and what came of it.
    pub async fn note(
        &self,
        action: AuditedAction<'_>,
        done: usize,
        outcome: &str,
    ) -> Result<i64, StoreError> {
        self.write(action, Some((done, outcome)), None).await
    }

    /// The newest lines, the newest first.
    pub async fn entries(&self, wanted: AuditFilter<'_>, most: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let Some((select, values)) = entries_query(wanted, most) else { return Ok(Vec::new()) };
        let lines: Vec<AuditRow> = self.store.within(|| rows(self.store.pool(), &select, &values)).await?;
        let entry = |(id, at_ms, who, action, chosen, letters, done, outcome, reason)| AuditEntry {
            id,
            at: Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::MIN),
            who,
            action,
            chosen,
            letters,
            done,
            outcome,
            reason,
        };
        Ok(lines.into_iter().map(entry).collect())
    }

    /// How the database finds them.
    pub async fn plan(&self, wanted: AuditFilter<'_>, most: usize) -> Result<Vec<String>, StoreError> {
        let Some((select, values)) = entries_query(wanted, most) else { return Ok(Vec::new()) };
        self.store.within(|| explain(self.store.pool(), &select, &values)).await
    }

    /// Forgets what was kept long enough.
    pub(crate) async fn clean(&self) -> Result<(), StoreError> {
        let kept = SignedDuration::try_from(KEPT).unwrap_or(SignedDuration::MAX);
        let before = self.clock.now().checked_sub(kept).unwrap_or(Timestamp::MIN);
        LINES.forget(&self.store, before.as_millisecond()).await.map(drop)
    }

    async fn write(
        &self,
        action: AuditedAction<'_>,
        end: Option<(usize, &str)>,
        reason: Option<&str>,
    ) -> Result<i64, StoreError> {
        let text = "INSERT INTO larkfire_audit (at_ms, who, action, chosen, letters, done, outcome, reason) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        let shortened = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let who = shortened(action.who, WHO_CHARS_MAX);
        let name = shortened(action.action, ACTION_CHARS_MAX);
        let chosen = shortened(action.chosen, TEXT_CHARS_MAX);
        let outcome = end.map(|(_, outcome)| shortened(outcome, TEXT_CHARS_MAX));
        let reason = reason.map(|reason| shortened(reason, TEXT_CHARS_MAX));
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let values = [
            self.clock.now().as_millisecond().into(),
            who.as_str().into(),
            name.as_str().into(),
            chosen.as_str().into(),
            number(action.meant).into(),
            end.map(|(done, _)| number(done)).into(),
            outcome.as_deref().into(),
            reason.as_deref().into(),
        ];
        let pool = self.store.pool();
        let values = &values[..];
        let once = async |run| {
            if run == Run::MaybeAgain
                && let Some(line) = written(pool, &values[..IDENTIFYING]).await?
            {
                return Ok(line);
            }
            insert(pool, text, values).await
        };
        self.store.within_knowing(once).await
    }
}

/// The statement for the newest lines, and its values; `None` where none is wanted.
fn entries_query(wanted: AuditFilter<'_>, most: usize) -> Option<(String, Vec<Value<'_>>)> {
    let (condition, mut values): (String, Vec<Value<'_>>) = match wanted {
        AuditFilter::All => ("1 = 1".to_owned(), Vec::new()),
        AuditFilter::Chosen { since, who, action, before } => {
            let conditions = [
                since.map(|since| ("at_ms >= ?", Value::Number(since.as_millisecond()))),
                who.map(|who| ("who = ?", Value::Text(who))),
                action.map(|action| ("action = ?", Value::Text(action))),
                before.map(|before| ("id < ?", Value::Number(before))),
            ];
            let (conditions, values): (Vec<_>, Vec<_>) = conditions.into_iter().flatten().unzip();
            (["1 = 1"].into_iter().chain(conditions).collect::<Vec<_>>().join(" AND "), values)
        }
        AuditFilter::Actions([]) | AuditFilter::Ids([]) => return None,
        AuditFilter::Actions(actions) => (
            format!("action IN ({})", places(actions.len())),
            actions.iter().map(|action| Value::Text(action)).collect(),
        ),
        AuditFilter::Ids(ids) => {
            (format!("id IN ({})", places(ids.len())), ids.iter().map(|id| Value::Number(*id)).collect())
        }
    };
    let select = format!(
        "SELECT id, at_ms, who, action, chosen, letters, done, outcome, reason FROM larkfire_audit \
         WHERE {condition} ORDER BY id DESC LIMIT ?"
    );
    values.push(i64::try_from(most).unwrap_or(i64::MAX).into());
    Some((select, values))
}

/// The number of the line with these first columns, which two different actions do not share.
async fn written(pool: &Pool, values: &[Value<'_>]) -> Result<Option<i64>, sqlx::Error> {
    let select = "SELECT id FROM larkfire_audit WHERE at_ms = ? AND who = ? AND action = ? AND chosen = ? \
         AND letters = ? ORDER BY id DESC LIMIT 1";
    let lines: Vec<(i64,)> = rows(pool, select, values).await?;
    Ok(lines.first().map(|(line,)| *line))
}
