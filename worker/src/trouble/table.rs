//! The rows of what is the matter. Whatever is done twice comes to the same.

use jiff::Timestamp;

use crate::store::sql::{Value, execute, rows};
use crate::store::{Insert, Store, StoreError};

/// Rows that one worker takes upon itself at a time.
const TAKEN_TOGETHER: usize = 100;
/// For how long nobody else tells what one worker has taken upon itself: if it is not told then, that worker has died.
const TAKEN_MS: i64 = 30_000;
/// What nobody has met with again for so long is over: its receiver may be gone from the configuration.
const FORGOTTEN_MS: i64 = 24 * 3_600_000;
/// What is kept of what Feishu said, in bytes.
const DETAIL_BYTES_MAX: usize = 512;

const ROWS: Insert<'_> = Insert {
    table: "larkfire_trouble",
    columns: &[
        "subject", "kind", "code", "detail", "since_ms", "seen_ms", "over_ms", "told_ms", "taken_ms",
        "taken_by",
    ],
    key: 1,
};
/// What was over is not, if it is met with again.
const AGAIN: [&str; 5] = [
    "kind = NEW(kind)",
    "code = NEW(code)",
    "detail = NEW(detail)",
    "seen_ms = CASE WHEN NEW(seen_ms) > larkfire_trouble.seen_ms THEN NEW(seen_ms) ELSE larkfire_trouble.seen_ms END",
    "over_ms = 0",
];

/// What may be the matter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TroubleKind {
    /// A receiver refuses everything until somebody changes something.
    Refuses,
    /// A receiver cannot be reached, or fails again and again.
    Away,
    /// Dead letters wait.
    DeadLetters,
}

/// Something that is the matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TroubleRow {
    /// What it is about: a bot's name; empty for dead letters.
    pub(super) subject: String,
    /// What it is.
    pub(super) kind: TroubleKind,
    /// What Feishu has answered, if it has.
    pub(super) code: Option<i64>,
    /// What was said.
    pub(super) detail: String,
    /// Since when.
    pub(super) since: Timestamp,
    /// When it was last met with.
    pub(super) seen_at: Timestamp,
}

/// What is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TroubleNews {
    /// It has begun.
    Begun,
    /// It is over, and was told.
    Over,
}

/// Rows that one worker has taken upon itself.
#[derive(Debug)]
pub(super) struct TakenTrouble {
    pub(super) rows: Vec<TroubleRow>,
    by: i64,
}

/// Subject, kind, code, detail, since when, and when it was met with last.
type TroubleColumns = (Vec<u8>, i64, Option<i64>, Vec<u8>, i64, i64);

const COLUMNS: &str = "subject, kind, code, detail, since_ms, seen_ms";

/// The rows. Clones share them.
#[derive(Clone, Debug)]
pub(super) struct TroubleTable {
    store: Store,
}

impl TroubleKind {
    /// All there are.
    const ALL: [Self; 3] = [Self::Refuses, Self::Away, Self::DeadLetters];

    /// As the table has it.
    const fn number(self) -> i64 {
        match self {
            Self::Refuses => 0,
            Self::Away => 1,
            Self::DeadLetters => 2,
        }
    }
}

impl TroubleTable {
    /// Of this database.
    pub(super) const fn new(store: Store) -> Self {
        Self { store }
    }

    /// It was met with.
    pub(super) async fn met(&self, row: &TroubleRow) -> Result<(), StoreError> {
        let detail = &row.detail[..row.detail.floor_char_boundary(DETAIL_BYTES_MAX)];
        let values: [Value<'_>; 6] = [
            row.subject.as_bytes().into(),
            row.kind.number().into(),
            row.code.into(),
            detail.as_bytes().into(),
            row.since.as_millisecond().into(),
            row.seen_at.as_millisecond().into(),
        ];
        let text = "VALUES (?, ?, ?, ?, ?, ?, 0, 0, 0, 0)";
        let text = ROWS.or_update(self.store.pool().dialect(), text, &AGAIN);
        self.store.within(|| execute(self.store.pool(), &text, &values)).await.map(drop)
    }

    /// It is over, unless it was met with since then.
    pub(super) async fn over(
        &self,
        subject: &str,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let update =
            "UPDATE larkfire_trouble SET over_ms = ? WHERE subject = ? AND over_ms = 0 AND seen_ms < ?";
        let values = [now.as_millisecond().into(), subject.as_bytes().into(), since.as_millisecond().into()];
        self.store.within(|| execute(self.store.pool(), update, &values)).await.map(drop)
    }

    /// What is long past is over, and what is over and was never told is forgotten.
    pub(super) async fn tidy(&self, now: Timestamp) -> Result<(), StoreError> {
        let now_ms = now.as_millisecond();
        let update = "UPDATE larkfire_trouble SET over_ms = ? WHERE over_ms = 0 AND seen_ms < ?";
        let values = [now_ms.into(), (now_ms - FORGOTTEN_MS).into()];
        self.store.within(|| execute(self.store.pool(), update, &values)).await?;
        let delete = "DELETE FROM larkfire_trouble WHERE over_ms <> 0 AND told_ms = 0 AND taken_ms < ?";
        let values = [(now_ms - TAKEN_MS).into()];
        self.store.within(|| execute(self.store.pool(), delete, &values)).await.map(drop)
    }

    /// Takes upon this worker what is to be told and nobody else is telling.
    pub(super) async fn take(
        &self,
        news: TroubleNews,
        now: Timestamp,
    ) -> Result<Option<TakenTrouble>, StoreError> {
        let condition = match news {
            TroubleNews::Begun => "over_ms = 0 AND told_ms = 0 AND taken_ms < ?",
            TroubleNews::Over => "over_ms <> 0 AND told_ms <> 0 AND taken_ms < ?",
        };
        let now_ms = now.as_millisecond();
        let free = [Value::from(now_ms - TAKEN_MS)];
        let count = format!("SELECT COUNT(*) FROM larkfire_trouble WHERE {condition} LIMIT 1");
        let due: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), &count, &free)).await?;
        if due.first().is_none_or(|(due,)| *due == 0) {
            return Ok(None);
        }
        // Never zero, which is nobody's.
        let by = i64::from(runtime::entropy::random::<u32>()) + 1;
        let update = format!("UPDATE larkfire_trouble SET taken_ms = ?, taken_by = ? WHERE {condition}");
        let values = [now_ms.into(), by.into(), free[0]];
        self.store.within(|| execute(self.store.pool(), &update, &values)).await?;
        let select = format!(
            "SELECT {COLUMNS} FROM larkfire_trouble WHERE taken_by = ? ORDER BY subject LIMIT {TAKEN_TOGETHER}"
        );
        let own = [Value::from(by)];
        let taken: Vec<TroubleColumns> = self.store.within(|| rows(self.store.pool(), &select, &own)).await?;
        Ok(Some(TakenTrouble { rows: taken.into_iter().filter_map(TroubleRow::of).collect(), by }))
    }

    /// What was taken is on the queue.
    pub(super) async fn told(
        &self,
        news: TroubleNews,
        taken: &TakenTrouble,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let by = [Value::from(taken.by)];
        match news {
            TroubleNews::Begun => {
                let update =
                    "UPDATE larkfire_trouble SET told_ms = ?, taken_ms = 0, taken_by = 0 WHERE taken_by = ?";
                let values = [now.as_millisecond().into(), by[0]];
                self.store.within(|| execute(self.store.pool(), update, &values)).await?;
            }
            TroubleNews::Over => {
                let delete = "DELETE FROM larkfire_trouble WHERE taken_by = ? AND over_ms <> 0";
                self.store.within(|| execute(self.store.pool(), delete, &by)).await?;
                // It was met with again meanwhile: that is another one.
                let update = "UPDATE larkfire_trouble SET since_ms = seen_ms, told_ms = 0, taken_ms = 0, taken_by = 0 \
                     WHERE taken_by = ?";
                self.store.within(|| execute(self.store.pool(), update, &by)).await?;
            }
        }
        Ok(())
    }
}

impl TroubleRow {
    /// `None` for what a later version has written.
    fn of(columns: TroubleColumns) -> Option<Self> {
        let (subject, kind, code, detail, since_ms, seen_ms) = columns;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(Self {
            subject: text(&subject),
            kind: TroubleKind::ALL.into_iter().find(|known| known.number() == kind)?,
            code,
            detail: text(&detail),
            since: Timestamp::from_millisecond(since_ms).ok()?,
            seen_at: Timestamp::from_millisecond(seen_ms).ok()?,
        })
    }
}
