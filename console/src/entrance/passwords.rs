//! Users with passwords: only hashes of them are known (argon2id, RFC 9106).

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use runtime::entropy::random;
use sha2::{Digest, Sha256};
use thiserror::Error;
use tokio::sync::Semaphore;
use tracing::error;

use super::sessions::SecretHash;
use crate::access::ConsoleRole;

/// Passwords looked at at once: each takes 19 MiB and some 50 ms of a core, and deliveries are not to wait for them.
const AT_ONCE: usize = 2;
/// The longest password, in bytes.
const BYTES_MAX: usize = 1_024;

/// A user of the configuration. `Debug` does not show the hash.
#[derive(Clone)]
pub struct ConsoleUser {
    /// The name they log in with, and the audit trail's.
    pub name: String,
    /// A hash of their password, as `$argon2id$…`.
    pub password_hash: String,
    /// What they may do.
    pub role: ConsoleRole,
}

impl std::fmt::Debug for ConsoleUser {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { name, password_hash: _, role } = self;
        formatter.debug_struct("ConsoleUser").field("name", name).field("role", role).finish_non_exhaustive()
    }
}

impl ConsoleUser {
    /// What a session of theirs keeps: it is over when the password is another.
    pub(crate) fn proof(&self) -> SecretHash {
        Sha256::digest(self.password_hash.as_bytes()).into()
    }
}

/// Why there is no hash of a password.
#[derive(Debug, Error)]
#[error("the password cannot be hashed: {0}")]
pub struct HashError(String);

/// A hash of a password, for the configuration: with the parameters that RFC 9106 and OWASP advise for log-ins of people.
pub fn hash_password(password: &[u8]) -> Result<String, HashError> {
    let hash = Argon2::default().hash_password_with_salt(password, &random::<[u8; 16]>());
    hash.map(|hash| hash.to_string()).map_err(|error| HashError(error.to_string()))
}

/// All users.
#[derive(Debug)]
pub(crate) struct Users {
    all: Vec<ConsoleUser>,
    places: Semaphore,
}

impl Users {
    pub(crate) fn new(all: Vec<ConsoleUser>) -> Self {
        Self { all, places: Semaphore::new(AT_ONCE) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&ConsoleUser> {
        self.all.iter().find(|user| user.name == name)
    }

    /// The user of this name, if the password is theirs. It takes as long where there is no such user.
    pub(crate) async fn authenticate(&self, name: &str, password: &str) -> Option<&ConsoleUser> {
        let named = self.find(name);
        let hash = named.or(self.all.first())?.password_hash.clone();
        if password.len() > BYTES_MAX {
            return None;
        }
        let password = password.to_owned();
        let _place = self.places.acquire().await.ok()?;
        let verified = tokio::task::spawn_blocking(move || is_of(&password, &hash)).await;
        named.filter(|_| verified.unwrap_or(false))
    }
}

fn is_of(password: &str, hash: &str) -> bool {
    match PasswordHash::new(hash) {
        Ok(parsed) => Argon2::default().verify_password(password.as_bytes(), &parsed).is_ok(),
        Err(problem) => {
            error!(%problem, "the hash of a console user's password cannot be read");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_password_of_this_user_is_theirs() {
        let user = |name: &str, password: &str| ConsoleUser {
            name: name.to_owned(),
            password_hash: hash_password(password.as_bytes()).unwrap(),
            role: ConsoleRole::Viewer,
        };
        let users = Users::new(vec![user("ann", "correct horse"), user("bob", "battery staple")]);
        let who =
            async |name, password| users.authenticate(name, password).await.map(|user| user.name.clone());
        assert_eq!(who("ann", "correct horse").await.as_deref(), Some("ann"));
        assert_eq!(who("bob", "battery staple").await.as_deref(), Some("bob"));
        for (name, password) in
            [("ann", "battery staple"), ("ann", ""), ("carl", "correct horse"), ("", "correct horse")]
        {
            assert_eq!(who(name, password).await, None, "{name} {password}");
        }
        assert!(!format!("{users:?}").contains("argon2"), "{users:?}");
    }

    #[test]
    fn two_hashes_of_one_password_differ_and_name_their_parameters() {
        let hash = || hash_password(b"correct horse").unwrap();
        assert_ne!(hash(), hash());
        assert!(hash().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash());
    }
}
