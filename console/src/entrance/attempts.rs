//! Attempts to log in, as all workers count them together: whoever guesses gains nothing by asking another worker. With the
//! database away each worker goes by what it remembers itself.

use std::net::IpAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::sessions::{SecretHash, Stored};
use super::throttle::{AttemptLimits, BY_ADDRESS, BY_NAME, Tried, network};
use crate::backend::BackendError;

/// How often it is begun anew because another worker came between. So many attempts at one moment are no person's.
const ROUNDS_MAX: usize = 4;
/// How much is kept of the hash of a name that no user has: it may be a password, written where a name belongs. As many of them
/// as these bytes tell apart are counted.
const UNKNOWN_BYTES: usize = 2;

/// Where attempts are kept. Names and addresses get there as hashes.
pub trait AttemptStore: Send + Sync + 'static {
    /// What is known of those under this key.
    fn tried(&self, key: SecretHash) -> Stored<'_, Option<Tried>>;
    /// Writes down what is known now, if it is still `before`: says whether it was.
    fn change(&self, key: SecretHash, before: Option<Tried>, after: Tried) -> Stored<'_, bool>;
}

/// Whose name somebody writes.
#[derive(Clone, Copy, Debug)]
pub(super) enum TriedName<'n> {
    /// A user's.
    User(&'n str),
    /// Nobody's.
    Nobody(&'n str),
}

/// The attempts of all workers.
pub(super) struct SharedAttempts(pub(super) Arc<dyn AttemptStore>);

/// What one attempt is counted under.
pub(super) struct AttemptKeys {
    name: Option<SecretHash>,
    address: SecretHash,
}

impl AttemptKeys {
    pub(super) fn of(name: Option<TriedName<'_>>, address: IpAddr) -> Self {
        let name = name.map(|name| match name {
            TriedName::User(name) => key(b"user ", name.as_bytes()),
            TriedName::Nobody(name) => key(b"nobody ", &Sha256::digest(name.as_bytes())[..UNKNOWN_BYTES]),
        });
        Self { name, address: key(b"address ", network(address).to_string().as_bytes()) }
    }

    fn each(&self) -> impl Iterator<Item = (SecretHash, AttemptLimits)> {
        let name = self.name.map(|name| (name, BY_NAME));
        name.into_iter().chain([(self.address, BY_ADDRESS)])
    }
}

fn key(kind: &[u8], what: &[u8]) -> SecretHash {
    Sha256::digest([kind, what].concat()).into()
}

impl SharedAttempts {
    /// Begins an attempt, which counts as failed until it is known better. Says how long to wait, if that has to be; then it does
    /// not count.
    pub(super) async fn begin(
        &self,
        keys: &AttemptKeys,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>, BackendError> {
        for (key, _) in keys.each() {
            if let Some(wait) = waits(self.0.tried(key).await?, now) {
                return Ok(Some(wait));
            }
        }
        for (key, limits) in keys.each() {
            if let Some(wait) = self.count(key, limits, now).await? {
                return Ok(Some(wait));
            }
        }
        Ok(None)
    }

    async fn count(
        &self,
        key: SecretHash,
        limits: AttemptLimits,
        now: Timestamp,
    ) -> Result<Option<SignedDuration>, BackendError> {
        for _ in 0..ROUNDS_MAX {
            let before = self.0.tried(key).await?;
            if let Some(wait) = waits(before, now) {
                return Ok(Some(wait));
            }
            if self.0.change(key, before, limits.next(before, now)).await? {
                return Ok(None);
            }
        }
        Ok(Some(SignedDuration::from_secs(1)))
    }

    /// It went well. Whoever has one right password is not free to guess at others.
    pub(super) async fn succeeded(&self, keys: &AttemptKeys, now: Timestamp) -> Result<(), BackendError> {
        if let Some(name) = keys.name {
            self.changed(name, |_| Tried::nothing(now)).await?;
        }
        self.changed(keys.address, Tried::without_one).await
    }

    async fn changed(&self, key: SecretHash, change: impl Fn(Tried) -> Tried) -> Result<(), BackendError> {
        for _ in 0..ROUNDS_MAX {
            let Some(before) = self.0.tried(key).await? else { return Ok(()) };
            if self.0.change(key, Some(before), change(before)).await? {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn waits(tried: Option<Tried>, now: Timestamp) -> Option<SignedDuration> {
    tried.map(|tried| tried.wait(now)).filter(|wait| *wait > SignedDuration::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_of_a_name_that_no_user_has_does_not_tell_it() {
        let address = IpAddr::from([10, 0, 0, 1]);
        let of = |name| AttemptKeys::of(Some(name), address).name.unwrap();
        let names: Vec<_> = (0..200_000).map(|number| format!("secret {number}")).collect();
        let keys: std::collections::HashSet<_> =
            names.iter().map(|name| of(TriedName::Nobody(name))).collect();
        assert!(keys.len() <= 1 << (8 * UNKNOWN_BYTES), "each is that of many names: {}", keys.len());
        assert_ne!(of(TriedName::User("ann")), of(TriedName::User("bob")));
        assert_ne!(of(TriedName::User("ann")), of(TriedName::Nobody("ann")));
    }
}
