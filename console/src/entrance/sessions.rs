//! Who is logged in: tokens, when a session is over, and where sessions are kept.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use runtime::entropy::random;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::backend::BackendError;

/// How much newer a session's last use has to be before it is written down again.
const NOTED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// A hash under which something secret is known without being kept.
pub type SecretHash = [u8; 32];

/// An answer of the store, once it is there.
pub type Stored<'s, T> = BoxFuture<'s, Result<T, BackendError>>;

/// Where sessions are kept. Only hashes of tokens get there.
pub trait SessionStore: Send + Sync + 'static {
    /// Keeps a new session, and forgets those that were begun or used too long ago.
    fn begin<'s>(
        &'s self,
        token: SecretHash,
        session: &'s StoredSession,
        over: SessionEnds,
    ) -> Stored<'s, ()>;
    /// The session of this token.
    fn find(&self, token: SecretHash) -> Stored<'_, Option<StoredSession>>;
    /// Notes that it is used.
    fn used(&self, token: SecretHash, at: Timestamp) -> Stored<'_, ()>;
    /// Ends it.
    fn end(&self, token: SecretHash) -> Stored<'_, ()>;
    /// Ends all sessions of somebody; says how many there were.
    fn end_all<'s>(&'s self, person: &'s Person) -> Stored<'s, u64>;
    /// Whether this was not used before; it counts as used until that time.
    fn use_once(&self, what: SecretHash, now: Timestamp, until: Timestamp) -> Stored<'_, bool>;
    /// Writes into the audit trail who came or went.
    fn note<'s>(&'s self, who: &'s str, action: &'s str, outcome: &'s str) -> Stored<'s, ()>;
}

/// How somebody proved who they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginMethod {
    /// By a name and a password of the configuration.
    Password,
    /// By Feishu.
    Feishu,
}

impl LoginMethod {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Password, Self::Feishu];

    /// The word for it in the database, in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Feishu => "feishu",
        }
    }

    /// The way with this word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|way| way.as_str() == word)
    }
}

/// Somebody who logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// How they did.
    pub way: LoginMethod,
    /// What tells them from others: the name of a user, or Feishu's `open_id`.
    pub subject: String,
    /// As the audit trail names them.
    pub name: String,
}

/// One session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Whose it is.
    pub person: Person,
    /// A hash of what let them in: with another password it is over.
    pub proof: SecretHash,
    /// When they logged in.
    pub begun_at: Timestamp,
    /// When it was used last, to the minute.
    pub used_at: Timestamp,
}

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct SessionTimes {
    /// Without being used.
    pub idle: SignedDuration,
    /// In all.
    pub longest: SignedDuration,
}

/// Before which moments sessions are over.
#[derive(Clone, Copy, Debug)]
pub struct SessionEnds {
    /// If they were used last before this.
    pub used_before: Timestamp,
    /// If they were begun before this.
    pub begun_before: Timestamp,
}

impl SessionTimes {
    pub(crate) fn ends(&self, now: Timestamp) -> SessionEnds {
        let before = |time| now.checked_sub(time).unwrap_or(Timestamp::MIN);
        SessionEnds { used_before: before(self.idle), begun_before: before(self.longest) }
    }
}

impl StoredSession {
    pub(crate) fn is_over(&self, ends: SessionEnds) -> bool {
        self.used_at < ends.used_before || self.begun_at < ends.begun_before
    }

    pub(crate) fn is_to_be_noted(&self, now: Timestamp) -> bool {
        now.duration_since(self.used_at) >= NOTED_EVERY
    }
}

/// What a browser shows to be let in again, and whatever else nobody may guess. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Token(String);

impl std::fmt::Debug for Token {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Token")
    }
}

impl Token {
    pub(crate) fn new() -> Self {
        Self(encoded(&random::<[u8; 32]>()))
    }

    /// The one that a browser shows, if it has the form of one.
    pub(crate) fn shown(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        (bytes.len() == 32).then(|| Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What is kept of it.
    pub(crate) fn hash(&self) -> SecretHash {
        Sha256::digest(self.0.as_bytes()).into()
    }

    /// What the forms of whoever shows it carry.
    pub(crate) fn form_token(&self) -> String {
        encoded(&Sha256::digest([b"form ", self.0.as_bytes()].concat()))
    }

    /// Its PKCE challenge (RFC 7636, 4.2).
    pub(crate) fn challenge(&self) -> String {
        encoded(&self.hash())
    }
}

/// Whether two texts are the same, in a time that does not say where they differ.
pub(crate) fn is_same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}

pub(crate) fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(begun_s: i64, used_s: i64) -> StoredSession {
        StoredSession {
            person: Person { way: LoginMethod::Password, subject: "a".to_owned(), name: "a".to_owned() },
            proof: [0; 32],
            begun_at: Timestamp::from_second(begun_s).unwrap(),
            used_at: Timestamp::from_second(used_s).unwrap(),
        }
    }

    #[test]
    fn a_session_ends_when_it_is_not_used_and_at_last_anyhow() {
        let times =
            SessionTimes { idle: SignedDuration::from_secs(60), longest: SignedDuration::from_secs(600) };
        let is_over =
            |begun, used, now| session(begun, used).is_over(times.ends(Timestamp::from_second(now).unwrap()));
        assert!(!is_over(0, 0, 60));
        assert!(is_over(0, 0, 61), "not used");
        assert!(!is_over(0, 590, 600));
        assert!(is_over(0, 600, 601), "used, and too old");
    }

    #[test]
    fn a_challenge_is_that_of_the_standard() {
        let verifier = Token("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk".to_owned());
        assert_eq!(verifier.challenge(), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "RFC 7636, B");
    }

    #[test]
    fn tokens_differ_and_their_forms_do_not_tell_them() {
        let [one, other] = [Token::new(), Token::new()];
        assert_ne!(one, other);
        assert_eq!(Token::shown(one.as_str()), Some(one.clone()));
        assert!(Token::shown("short").is_none() && Token::shown("").is_none());
        assert_ne!(one.form_token(), encoded(&one.hash()), "what is in the database is in no page");
    }
}
