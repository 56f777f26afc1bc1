//! The console's sessions in the database.

use console::backend::BackendError;
use console::entrance::{LoginMethod, Person, SecretHash, SessionEnds, SessionStore, Stored, StoredSession};
use jiff::Timestamp;
use runtime::clock::Clock;

use crate::audit::{Audit, AuditedAction};
use crate::store::sql::{Value, execute, rows};
use crate::store::{Pool, Store, StoreError};

/// What is kept of somebody's name, in characters.
const NAME_CHARS_MAX: usize = 255;

/// Sessions in this database.
pub struct Sessions {
    store: Store,
    audit: Audit,
}

/// The columns of one session.
type SessionRow = (Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>, i64, i64);

impl Sessions {
    /// Those of this database.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { audit: Audit::new(store.clone(), clock), store }
    }

    async fn done(&self, text: &str, values: &[Value<'_>]) -> Result<u64, StoreError> {
        self.store.within(|| execute(self.store.pool(), text, values)).await
    }

    /// Removes what is over: so much at once that it never takes long, and more than can be added meanwhile.
    async fn clean(
        &self,
        table: &str,
        condition: &str,
        column: &str,
        before: Timestamp,
    ) -> Result<(), StoreError> {
        let limited = match self.store.pool() {
            Pool::MySql(_) => format!(" ORDER BY {column} LIMIT 1000"),
            Pool::Sqlite(_) | Pool::Simulated(_) => String::new(),
        };
        let delete = format!("DELETE FROM {table} WHERE {condition}{limited}");
        self.done(&delete, &[before.as_millisecond().into()]).await.map(drop)
    }

    async fn keep(
        &self,
        token: SecretHash,
        session: &StoredSession,
        over: SessionEnds,
    ) -> Result<(), StoreError> {
        let table = "larkfire_console_sessions";
        self.clean(table, "used_ms < ?", "used_ms", over.used_before).await?;
        self.clean(table, "begun_ms < ?", "used_ms", over.begun_before).await?;
        let StoredSession { person, proof, begun_at, used_at } = session;
        let name: String = person.name.chars().take(NAME_CHARS_MAX).collect();
        // Done twice it comes to the same.
        let insert = "REPLACE INTO larkfire_console_sessions (token, way, subject, name, proof, begun_ms, used_ms) \
             VALUES (?, ?, ?, ?, ?, ?, ?)";
        let values = [
            Value::Bytes(&token),
            person.way.as_str().as_bytes().into(),
            person.subject.as_bytes().into(),
            name.as_bytes().into(),
            Value::Bytes(proof),
            begun_at.as_millisecond().into(),
            used_at.as_millisecond().into(),
        ];
        self.done(insert, &values).await.map(drop)
    }

    async fn read(&self, token: SecretHash) -> Result<Option<StoredSession>, StoreError> {
        let select = "SELECT way, subject, name, proof, begun_ms, used_ms FROM larkfire_console_sessions \
             WHERE token = ? LIMIT 1";
        let values = [Value::Bytes(&token)];
        let found: Vec<SessionRow> = self.store.within(|| rows(self.store.pool(), select, &values)).await?;
        Ok(found.into_iter().next().and_then(session))
    }

    /// Where it cannot be said whether it was this caller who came first, it was another.
    async fn first(&self, what: SecretHash, now: Timestamp, until: Timestamp) -> Result<bool, StoreError> {
        self.clean("larkfire_console_once", "until_ms < ?", "until_ms", now).await?;
        let insert = match self.store.pool() {
            Pool::MySql(_) => "INSERT IGNORE INTO larkfire_console_once (hash, until_ms) VALUES (?, ?)",
            Pool::Sqlite(_) | Pool::Simulated(_) => {
                "INSERT OR IGNORE INTO larkfire_console_once (hash, until_ms) VALUES (?, ?)"
            }
        };
        Ok(self.done(insert, &[Value::Bytes(&what), until.as_millisecond().into()]).await? == 1)
    }
}

fn session(row: SessionRow) -> Option<StoredSession> {
    let (way, subject, name, proof, begun_ms, used_ms) = row;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).ok();
    Some(StoredSession {
        person: Person { way: LoginMethod::of(&text(way)?)?, subject: text(subject)?, name: text(name)? },
        proof: proof.try_into().ok()?,
        begun_at: Timestamp::from_millisecond(begun_ms).ok()?,
        used_at: Timestamp::from_millisecond(used_ms).ok()?,
    })
}

fn told<T>(outcome: Result<T, StoreError>) -> Result<T, BackendError> {
    outcome.map_err(BackendError::from)
}

impl SessionStore for Sessions {
    fn begin<'s>(
        &'s self,
        token: SecretHash,
        session: &'s StoredSession,
        over: SessionEnds,
    ) -> Stored<'s, ()> {
        Box::pin(async move { told(self.keep(token, session, over).await) })
    }

    fn find(&self, token: SecretHash) -> Stored<'_, Option<StoredSession>> {
        Box::pin(async move { told(self.read(token).await) })
    }

    fn used(&self, token: SecretHash, at: Timestamp) -> Stored<'_, ()> {
        let update = "UPDATE larkfire_console_sessions SET used_ms = ? WHERE token = ?";
        Box::pin(async move {
            told(self.done(update, &[at.as_millisecond().into(), Value::Bytes(&token)]).await.map(drop))
        })
    }

    fn end(&self, token: SecretHash) -> Stored<'_, ()> {
        let delete = "DELETE FROM larkfire_console_sessions WHERE token = ?";
        Box::pin(async move { told(self.done(delete, &[Value::Bytes(&token)]).await.map(drop)) })
    }

    fn end_all<'s>(&'s self, person: &'s Person) -> Stored<'s, u64> {
        let delete = "DELETE FROM larkfire_console_sessions WHERE subject = ? AND way = ?";
        Box::pin(async move {
            let values = [person.subject.as_bytes().into(), person.way.as_str().as_bytes().into()];
            told(self.done(delete, &values).await)
        })
    }

    fn use_once(&self, what: SecretHash, now: Timestamp, until: Timestamp) -> Stored<'_, bool> {
        Box::pin(async move { told(self.first(what, now, until).await) })
    }

    fn note<'s>(&'s self, who: &'s str, action: &'s str, outcome: &'s str) -> Stored<'s, ()> {
        Box::pin(async move {
            let action = AuditedAction { who, action, chosen: "console", meant: 0 };
            told(self.audit.note(action, 0, outcome).await.map(drop))
        })
    }
}
