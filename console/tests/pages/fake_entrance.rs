//! What an entrance needs, in a test's hands: a clock that is moved, sessions in memory, a Feishu that knows three people.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use console::access::ConsoleRole;
use console::backend::BackendError;
use console::entrance::{
    AttemptStore, ConsoleUser, Entrance, EntranceParts, FeishuEntrance, FeishuLogin, FeishuLoginError,
    FeishuPerson, FeishuRules, KnownSince, Person, SecretHash, SessionEnds, SessionStore, SessionTimes,
    Stored, StoredSession, Tried, hash_password,
};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use prometheus::{IntCounterVec, Opts};
use runtime::clock::Clock;

use crate::harness::Harness;

pub(crate) const PASSWORD: &str = "correct horse ";
static HASH: LazyLock<String> = LazyLock::new(|| hash_password(PASSWORD.as_bytes()).unwrap());
pub(crate) const TENANT: &str = "t-ours";

#[derive(Default)]
pub(crate) struct FakeSessions {
    pub(crate) all: Mutex<BTreeMap<SecretHash, StoredSession>>,
    once: Mutex<BTreeSet<SecretHash>>,
    /// What is known of attempts to log in; `None`: nobody answers.
    pub(crate) attempts: Mutex<Option<BTreeMap<SecretHash, Tried>>>,
    pub(crate) notes: Mutex<Vec<(String, String)>>,
}

fn stored<T: Send + 'static>(value: T) -> Stored<'static, T> {
    Box::pin(std::future::ready(Ok(value)))
}

impl SessionStore for FakeSessions {
    fn begin<'s>(&'s self, token: SecretHash, session: &'s StoredSession, _: SessionEnds) -> Stored<'s, ()> {
        self.all.lock().unwrap().insert(token, session.clone());
        stored(())
    }

    fn find(&self, token: SecretHash) -> Stored<'_, Option<StoredSession>> {
        stored(self.all.lock().unwrap().get(&token).cloned())
    }

    fn used(&self, token: SecretHash, at: Timestamp) -> Stored<'_, ()> {
        if let Some(session) = self.all.lock().unwrap().get_mut(&token) {
            session.used_at = at;
        }
        stored(())
    }

    fn end(&self, token: SecretHash) -> Stored<'_, ()> {
        self.all.lock().unwrap().remove(&token);
        stored(())
    }

    fn end_all<'s>(&'s self, person: &'s Person) -> Stored<'s, u64> {
        self.all.lock().unwrap().retain(|_, session| session.person != *person);
        stored(1)
    }

    fn use_once(&self, what: SecretHash, _: Timestamp, _: Timestamp) -> Stored<'_, bool> {
        stored(self.once.lock().unwrap().insert(what))
    }

    fn note<'s>(&'s self, who: &'s str, action: &'s str, _: &'s str) -> Stored<'s, ()> {
        self.notes.lock().unwrap().push((who.to_owned(), action.to_owned()));
        stored(())
    }
}

impl AttemptStore for FakeSessions {
    fn tried(&self, key: SecretHash) -> Stored<'_, Option<Tried>> {
        let attempts = self.attempts.lock().unwrap();
        let known = attempts.as_ref().map(|attempts| attempts.get(&key).copied());
        let known = known.ok_or_else(|| BackendError::Unavailable("away".to_owned()));
        Box::pin(std::future::ready(known))
    }

    fn change(&self, key: SecretHash, before: Option<Tried>, after: Tried) -> Stored<'_, bool> {
        let mut attempts = self.attempts.lock().unwrap();
        let changed = attempts.as_mut().map(|attempts| {
            let is_still = attempts.get(&key).copied() == before;
            if is_still {
                attempts.insert(key, after);
            }
            is_still
        });
        let changed = changed.ok_or_else(|| BackendError::Unavailable("away".to_owned()));
        Box::pin(std::future::ready(changed))
    }
}

/// A code is the name of whom it is for.
#[derive(Default)]
pub(crate) struct FakeFeishu {
    /// The challenge of the last log-in that was begun.
    pub(crate) challenge: Mutex<String>,
    /// The verifier that the last code came with.
    pub(crate) verifier: Mutex<String>,
}

impl FeishuLogin for FakeFeishu {
    fn authorize_url(&self, redirect_uri: &str, state: &str, challenge: &str) -> String {
        challenge.clone_into(&mut self.challenge.lock().unwrap());
        format!("https://accounts.example/authorize?redirect_uri={redirect_uri}&state={state}")
    }

    fn person<'f>(
        &'f self,
        code: &'f str,
        verifier: &'f str,
        _: &'f str,
    ) -> BoxFuture<'f, Result<FeishuPerson, FeishuLoginError>> {
        verifier.clone_into(&mut self.verifier.lock().unwrap());
        let person = match code {
            "old" => Err(FeishuLoginError::Again("20004 expired".to_owned())),
            "away" => Err(FeishuLoginError::Unavailable("no answer".to_owned())),
            _ => Ok(FeishuPerson {
                open_id: format!("ou_{code}"),
                tenant_key: if code == "stranger" { "t-theirs" } else { TENANT }.to_owned(),
                name: code.to_uppercase(),
            }),
        };
        Box::pin(std::future::ready(person))
    }

    fn is_member<'f>(
        &'f self,
        _: &'f str,
        open_id: &'f str,
        _: KnownSince,
    ) -> BoxFuture<'f, Result<bool, FeishuLoginError>> {
        Box::pin(std::future::ready(Ok(["ou_member", "ou_stranger"].contains(&open_id))))
    }
}

pub(crate) struct EntranceHarness {
    pub(crate) harness: Harness,
    pub(crate) sessions: Arc<FakeSessions>,
    pub(crate) feishu: Arc<FakeFeishu>,
    pub(crate) logins: IntCounterVec,
    second: Arc<AtomicI64>,
}

impl EntranceHarness {
    /// For `ann`, who acts, and `bob`, who looks.
    pub(crate) async fn new() -> Self {
        Self::with(Arc::default(), |_| {}).await
    }

    pub(crate) async fn with(sessions: Arc<FakeSessions>, change: impl FnOnce(&mut EntranceParts)) -> Self {
        let second = Arc::new(AtomicI64::new(1_700_000_000));
        let time = Arc::clone(&second);
        let user =
            |name: &str, role| ConsoleUser { name: name.to_owned(), password_hash: HASH.clone(), role };
        let feishu = Arc::new(FakeFeishu::default());
        let rules = FeishuRules {
            tenant_key: Some(TENANT.to_owned()),
            operators: ["ou_op".to_owned()].into(),
            viewer_chats: vec!["oc_1".to_owned()],
            ..FeishuRules::default()
        };
        let logins = IntCounterVec::new(Opts::new("logins", "logins"), &["way", "result"]).unwrap();
        let mut parts = EntranceParts {
            hosts: vec!["larkfire.example.com".to_owned()],
            public_url: Some("http://larkfire.example.com".to_owned()),
            is_https: false,
            path_prefix: String::new(),
            users: vec![user("ann", ConsoleRole::Operator), user("bob", ConsoleRole::Viewer)],
            feishu: Some(FeishuEntrance { rules, port: Arc::clone(&feishu) as _ }),
            trusted_header: None,
            is_proxy: Arc::new(|_| false),
            times: SessionTimes {
                idle: SignedDuration::from_hours(8),
                longest: SignedDuration::from_hours(24),
            },
            sessions: Arc::clone(&sessions) as _,
            attempts: Arc::clone(&sessions) as _,
            logins: logins.clone(),
            clock: Clock::from_fn(move || Timestamp::from_second(time.load(Ordering::Relaxed)).unwrap()),
        };
        change(&mut parts);
        let prefix = parts.path_prefix.clone();
        let harness = Harness::behind(Arc::new(Entrance::new(parts)), &prefix).await;
        Self { harness, sessions, feishu, logins, second }
    }

    pub(crate) fn pass(&self, hours: i64, seconds: i64) {
        self.second.fetch_add(hours * 3_600 + seconds, Ordering::Relaxed);
    }

    pub(crate) fn counted(&self, way: &str, result: &str) -> u64 {
        self.logins.with_label_values(&[way, result]).get()
    }
}
