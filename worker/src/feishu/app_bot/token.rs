//! The tenant's token: fetched once for everybody who waits for it, renewed before it ends.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use config::Secret;
use jiff::Timestamp;
use serde::Deserialize;
use tokio::sync::Mutex;

use crate::feishu::verdict::{Trouble, Verdict};

/// How long before its end a token is renewed. Feishu's own clients take 3 and 10 minutes; from half an hour on a new
/// one is given, and the old one stays valid, so there is time for a call that is under way.
const MARGIN: Duration = Duration::from_mins(5);

/// A token and when to renew it.
#[derive(Debug)]
pub(super) struct Token {
    secret: Secret,
    renew_at: Timestamp,
}

#[derive(Deserialize)]
struct Granted {
    tenant_access_token: String,
    /// Seconds from now.
    expire: u32,
}

impl Token {
    /// Reads a successful answer to a request of `asked_at`.
    pub(super) fn read(answer: &[u8], asked_at: Timestamp) -> Result<Self, Verdict> {
        let granted = serde_json::from_slice::<Granted>(answer);
        let Some(granted) = granted.ok().filter(|granted| !granted.tenant_access_token.is_empty()) else {
            let trouble = Trouble::without_code("the answer to a request for a token holds none");
            return Err(Verdict::TryAgain { hint: None, trouble });
        };
        let life = Duration::from_secs(granted.expire.into());
        // A token with a short life is not renewed with every call.
        let renew_at = asked_at.saturating_add(life.saturating_sub(MARGIN.min(life / 2))).unwrap_or(asked_at);
        Ok(Self { secret: Secret::new(granted.tenant_access_token), renew_at })
    }
}

/// The token of an app, shared by all its calls.
#[derive(Debug, Default)]
pub(super) struct Tokens {
    /// Held while a token is fetched, so that only one call fetches it.
    latest: Mutex<Latest>,
    fetches: AtomicU64,
}

#[derive(Debug, Default)]
struct Latest {
    token: Option<Token>,
    failure: Option<Verdict>,
}

impl Tokens {
    /// The token in use, or a new one where that has to be renewed or is the one that was `refused`.
    pub(super) async fn get(
        &self,
        refused: Option<&Secret>,
        now: Timestamp,
        fetch: impl AsyncFnOnce() -> Result<Token, Verdict>,
    ) -> Result<Secret, Verdict> {
        let fetches = self.fetches.load(Ordering::Acquire);
        let mut latest = self.latest.lock().await;
        if let Some(token) = &latest.token
            && now < token.renew_at
            && refused != Some(&token.secret)
        {
            return Ok(token.secret.clone());
        }
        // While this call waited for its turn another one asked, in vain: asking again would only make a queue.
        if self.fetches.load(Ordering::Acquire) != fetches
            && let Some(failure) = &latest.failure
        {
            return Err(failure.clone());
        }
        let answer = fetch().await;
        self.fetches.fetch_add(1, Ordering::Release);
        match answer {
            Ok(token) => {
                let secret = token.secret.clone();
                *latest = Latest { token: Some(token), failure: None };
                Ok(secret)
            }
            Err(failure) => {
                *latest = Latest { token: None, failure: Some(failure.clone()) };
                Err(failure)
            }
        }
    }
}
