//! Rows by the hundred thousand: the databases make them by themselves, from numbers.

use std::time::{Duration, Instant};

use worker::store::sql::execute;
use worker::store::{Pool, Store, StoreError};

use crate::progress;

/// Rows of one statement.
const TOGETHER: u32 = 100_000;
/// When the first row was written, and how far apart they are: ten million are a week.
const FIRST_MS: i64 = 1_705_000_000_000;
const APART_MS: i64 = 60;
/// One letter of so many has what hardly any other has.
const RARE_EVERY: u32 = 1_000;
/// Whom such letters were for, what Feishu said of others, and why others died.
pub(super) const RARE_RECEIVER: &str = "dev";
pub(super) const RARE_CODE: i64 = 11_248;
const RARE_REASON: &str = "gave_up";
/// Rows of one card.
const ON_A_CARD: u32 = 20;

/// When the row of this number was written.
pub(super) fn at_ms(row: u32) -> i64 {
    FIRST_MS + i64::from(row) * APART_MS
}

/// When the letter of this number failed last.
pub(super) fn letter_failed_ms(letter: u32) -> i64 {
    FIRST_MS + i64::from(letter)
}

/// The envelope of the row of this number.
pub(super) fn envelope(row: u32) -> [u8; 16] {
    let digits = format!("{row:016}");
    digits.into_bytes().try_into().unwrap_or([0; 16])
}

/// The card of the row of this number.
pub(super) fn card(row: u32) -> String {
    format!("card-{}", row - row % ON_A_CARD)
}

/// The words in which the two differ.
struct Dialect {
    is_file: bool,
}

impl Dialect {
    fn of(store: &Store) -> Self {
        Self { is_file: matches!(store.pool(), Pool::Sqlite(_)) }
    }

    /// Numbers from one to another, as `seq`.
    fn numbers(&self, first: u32, last: u32) -> String {
        if self.is_file {
            format!(
                "(WITH RECURSIVE numbers(seq) AS (SELECT {first} UNION ALL SELECT seq + 1 FROM numbers \
                 WHERE seq < {last}) SELECT seq FROM numbers)"
            )
        } else {
            format!("seq_{first}_to_{last}")
        }
    }

    /// A text as the column of bytes takes it.
    fn bytes(&self, text: &str) -> String {
        if self.is_file { format!("CAST({text} AS BLOB)") } else { text.to_owned() }
    }

    /// `seq` with so many digits.
    fn digits(&self, digits: u32) -> String {
        if self.is_file { format!("PRINTF('%0{digits}d', seq)") } else { format!("LPAD(seq, {digits}, '0')") }
    }
}

/// Fills the history, for so long at most. Returns how many rows there are then.
pub(super) async fn history(store: &Store, rows: u32, time: Duration) -> Result<u32, StoreError> {
    let dialect = Dialect::of(store);
    let begun = Instant::now();
    let mut filled = 0;
    while filled < rows && begun.elapsed() < time {
        let last = (filled + TOGETHER).min(rows);
        let insert = format!(
            "INSERT INTO larkfire_history (at_ms, number, receiver, identity, name, status, outcome, envelope, last_ms, \
             times, card, bot, attempts, code, labels) \
             SELECT {FIRST_MS} + seq * {APART_MS}, seq, {receiver}, {identity}, {name}, seq % 2, \
             CASE WHEN seq % 1000 = 0 THEN 4 WHEN seq % 1000 < 5 THEN 5 WHEN seq % 3 = 0 THEN 2 ELSE 0 END, \
             {envelope}, {FIRST_MS} + seq * {APART_MS}, 1, {card}, {bot}, 0, \
             CASE WHEN seq % {RARE_EVERY} = 0 THEN {RARE_CODE} END, {labels} FROM {numbers}",
            receiver = dialect.bytes("CONCAT('receiver-', seq % 50)"),
            identity = dialect.bytes("CONCAT('id-', seq % 200000, '-', seq % 7)"),
            name = dialect.bytes("CONCAT('Alert', seq % 300)"),
            envelope = dialect.bytes(&dialect.digits(16)),
            card = dialect.bytes(&format!("CONCAT('card-', seq - seq % {ON_A_CARD})")),
            bot = dialect.bytes("CONCAT('receiver-', seq % 50)"),
            labels = dialect.bytes(
                "CONCAT('{\"alertname\":\"Alert', seq % 300, '\",\"namespace\":\"shop\",\"pod\":\"checkout-', seq % 200000, '\"}')"
            ),
            numbers = dialect.numbers(filled + 1, last),
        );
        store.within(|| execute(store.pool(), &insert, &[])).await?;
        filled = last;
        progress(&format!("  {filled} rows"));
    }
    Ok(filled)
}

/// Replaces the dead letters by so many that wait, each of one alert.
pub(super) async fn letters(store: &Store, count: u32) -> Result<(), StoreError> {
    let dialect = Dialect::of(store);
    store.within(|| execute(store.pool(), "DELETE FROM larkfire_dead_letters", &[])).await?;
    let line = format!(
        "CONCAT('{{\"v\":1,\"id\":\"018d0d1e-3b7a-7c3e-9f00-', {}, '\",\"received_at\":\"2024-01-15T10:30:00Z\",\
         \"source\":\"alertmanager\",\"receiver\":\"ops\",\"group_key\":\"g\",\"alerts\":[{{\"fingerprint\":\"f', seq, \
         '\",\"status\":\"firing\",\"labels\":{{\"alertname\":\"Alert', seq % 300, '\",\"severity\":\"critical\"}}}}]}}')",
        dialect.digits(12)
    );
    let insert = format!(
        "INSERT INTO larkfire_dead_letters (letter_key, line_key, receiver, source, reason, code, message, attempts, \
         first_failed_ms, last_failed_ms, stored_ms, state, changed_ms, alerts, summary, body, body_bytes) \
         SELECT {key}, {key}, CASE WHEN seq % {RARE_EVERY} = 1 THEN '{RARE_RECEIVER}' ELSE 'ops' END, 'alertmanager', \
         CASE WHEN seq % {RARE_EVERY} = 2 THEN '{RARE_REASON}' ELSE 'refused' END, \
         CASE WHEN seq % {RARE_EVERY} = 3 THEN {RARE_CODE} ELSE 19024 END, \
         'Key Words Not Found', 1, {FIRST_MS}, {FIRST_MS} + seq, \
         {FIRST_MS}, CASE WHEN seq % 10 = 0 THEN 'replaying' ELSE 'waiting' END, {FIRST_MS}, 1, 'Alert', {body}, \
         LENGTH({body}) FROM {numbers}",
        key = dialect.bytes(&dialect.digits(32)),
        body = dialect.bytes(&line),
        numbers = dialect.numbers(1, count),
    );
    store.within(|| execute(store.pool(), &insert, &[])).await.map(drop)
}
