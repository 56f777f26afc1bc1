//! A message as a row: its columns, the same in every table.

use queue::{Headers, Message};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::query_builder::Separated;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite};

/// The columns of a message besides its id.
pub(super) const COLUMNS: &str = "attempt, failure, traceparent, replay, body";

/// A message as it is stored.
pub(crate) struct Stored {
    pub(crate) id: i64,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// Adds the values of the columns to an insert.
pub(super) fn bind(row: &mut Separated<'_, Sqlite, &'static str>, message: &Message) {
    let Headers { attempt, failure, traceparent, replay } = &message.headers;
    row.push_bind(*attempt)
        .push_bind(json(failure.as_ref()))
        .push_bind(traceparent.as_deref())
        .push_bind(json(replay.as_ref()))
        .push_bind(&message.body[..]);
}

/// Reads a row of the id and the columns. A header that cannot be read is left out: the body is what matters.
pub(super) fn read(row: &SqliteRow) -> Result<Stored, sqlx::Error> {
    let headers = Headers {
        attempt: row.try_get("attempt")?,
        failure: parsed(row.try_get("failure")?),
        traceparent: row.try_get("traceparent")?,
        replay: parsed(row.try_get("replay")?),
    };
    Ok(Stored { id: row.try_get("id")?, headers, body: row.try_get("body")? })
}

fn json(header: Option<&impl Serialize>) -> Option<String> {
    header.and_then(|header| serde_json::to_string(header).ok())
}

fn parsed<T: DeserializeOwned>(json: Option<String>) -> Option<T> {
    json.and_then(|json| serde_json::from_str(&json).ok())
}
