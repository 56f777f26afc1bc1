//! The console's sessions in the database, and the attempts to log in that failed.

use console::backend::BackendError;
use console::entrance::{
    ATTEMPTS_FORGOTTEN_AFTER, AttemptStore, LoginMethod, Person, SecretHash, SessionEnds, SessionStore,
    Stored, StoredSession, Tried,
};
use jiff::Timestamp;
use runtime::clock::Clock;

use crate::audit::{Audit, AuditedAction};
use crate::store::sql::{Value, execute, rows};
use crate::store::{DeleteSome, Insert, Store, StoreError};

/// What is kept of somebody's name, in characters.
const NAME_CHARS_MAX: usize = 255;

/// What is over is removed so much at once: that never takes long, and is more than can be added meanwhile.
const TOGETHER_MAX: i64 = 1_000;
const OLD_SESSIONS: DeleteSome<'_> = DeleteSome {
    table: "larkfire_console_sessions",
    key: "token",
    condition: "used_ms < ?",
    order: "used_ms",
};
const OLD_ONCE: DeleteSome<'_> =
    DeleteSome { table: "larkfire_console_once", key: "hash", condition: "until_ms < ?", order: "until_ms" };
const OLD_ATTEMPTS: DeleteSome<'_> =
    DeleteSome { table: "larkfire_console_attempts", key: "attempt", condition: "at_ms < ?", order: "at_ms" };
/// Names and addresses whose attempts are known at once; beyond, the oldest make room.
const ATTEMPTS_MAX: i64 = 20_000;
const SESSION: Insert<'_> = Insert {
    table: "larkfire_console_sessions",
    columns: &["token", "way", "subject", "name", "proof", "begun_ms", "used_ms"],
    key: 1,
};
const ATTEMPT: Insert<'_> = Insert {
    table: "larkfire_console_attempts",
    columns: &["attempt", "failures", "at_ms", "open_ms"],
    key: 1,
};
const ONCE: Insert<'_> = Insert { table: "larkfire_console_once", columns: &["hash", "until_ms"], key: 1 };

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

    /// Removes some of what is over.
    async fn clean(&self, old: DeleteSome<'_>, before: Timestamp) -> Result<(), StoreError> {
        let delete = old.statement(self.store.pool().dialect());
        let values = [before.as_millisecond().into(), TOGETHER_MAX.into()];
        self.done(&delete, &values).await.map(drop)
    }

    async fn keep(
        &self,
        token: SecretHash,
        session: &StoredSession,
        over: SessionEnds,
    ) -> Result<(), StoreError> {
        self.clean(OLD_SESSIONS, over.used_before).await?;
        self.clean(DeleteSome { condition: "begun_ms < ?", ..OLD_SESSIONS }, over.begun_before).await?;
        let StoredSession { person, proof, begun_at, used_at } = session;
        let name: String = person.name.chars().take(NAME_CHARS_MAX).collect();
        // Done twice it comes to the same.
        let insert = SESSION.or_replace(self.store.pool().dialect(), "VALUES (?, ?, ?, ?, ?, ?, ?)");
        let values = [
            Value::Bytes(&token),
            person.way.as_str().as_bytes().into(),
            person.subject.as_bytes().into(),
            name.as_bytes().into(),
            Value::Bytes(proof),
            begun_at.as_millisecond().into(),
            used_at.as_millisecond().into(),
        ];
        self.done(&insert, &values).await.map(drop)
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
        self.clean(OLD_ONCE, now).await?;
        let insert = ONCE.or_keep(self.store.pool().dialect(), "VALUES (?, ?)");
        Ok(self.done(&insert, &[Value::Bytes(&what), until.as_millisecond().into()]).await? == 1)
    }
}

impl Sessions {
    async fn read_attempt(&self, key: SecretHash) -> Result<Option<Tried>, StoreError> {
        let select =
            "SELECT failures, at_ms, open_ms FROM larkfire_console_attempts WHERE attempt = ? LIMIT 1";
        let values = [Value::Bytes(&key)];
        let found: Vec<(i64, i64, i64)> =
            self.store.within(|| rows(self.store.pool(), select, &values)).await?;
        Ok(found.into_iter().next().and_then(|(failures, at_ms, open_ms)| {
            Some(Tried {
                failures: u32::try_from(failures).ok()?,
                at: Timestamp::from_millisecond(at_ms).ok()?,
                open_at: Timestamp::from_millisecond(open_ms).ok()?,
            })
        }))
    }

    /// Where it cannot be said whether it was this caller who changed it, it was another.
    async fn change_attempt(
        &self,
        key: SecretHash,
        before: Option<Tried>,
        after: Tried,
    ) -> Result<bool, StoreError> {
        let counted: [Value<'_>; 3] = [
            i64::from(after.failures).into(),
            after.at.as_millisecond().into(),
            after.open_at.as_millisecond().into(),
        ];
        let Some(before) = before else {
            self.make_room(after.at).await?;
            let insert = ATTEMPT.or_keep(self.store.pool().dialect(), "VALUES (?, ?, ?, ?)");
            return Ok(self.done(&insert, &[&[Value::Bytes(&key)][..], &counted].concat()).await? == 1);
        };
        let update = "UPDATE larkfire_console_attempts SET failures = ?, at_ms = ?, open_ms = ? \
             WHERE attempt = ? AND failures = ? AND at_ms = ?";
        let known =
            [Value::Bytes(&key), i64::from(before.failures).into(), before.at.as_millisecond().into()];
        Ok(self.done(update, &[counted, known].concat()).await? == 1)
    }

    /// What is too old goes, and the oldest where there are too many.
    async fn make_room(&self, now: Timestamp) -> Result<(), StoreError> {
        self.clean(OLD_ATTEMPTS, now.checked_sub(ATTEMPTS_FORGOTTEN_AFTER).unwrap_or(Timestamp::MIN)).await?;
        let count =
            "SELECT COUNT(*) FROM (SELECT attempt FROM larkfire_console_attempts LIMIT ?) AS attempts";
        let values = [ATTEMPTS_MAX.into()];
        let known: Vec<(i64,)> = self.store.within(|| rows(self.store.pool(), count, &values)).await?;
        if known.first().is_some_and(|(known,)| *known >= ATTEMPTS_MAX) {
            self.clean(OLD_ATTEMPTS, now).await?;
        }
        Ok(())
    }
}

impl AttemptStore for Sessions {
    fn tried(&self, key: SecretHash) -> Stored<'_, Option<Tried>> {
        Box::pin(async move { told(self.read_attempt(key).await) })
    }

    fn change(&self, key: SecretHash, before: Option<Tried>, after: Tried) -> Stored<'_, bool> {
        Box::pin(async move { told(self.change_attempt(key, before, after).await) })
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
