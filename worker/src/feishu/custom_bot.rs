//! A custom bot: one webhook URL, which is the credential, and perhaps a secret to sign with.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use config::Secret;
use jiff::{SignedDuration, Timestamp};
use model::signature::bot_sign;
use reqwest::Url;
use thiserror::Error;
use tracing::warn;

use super::body::{self, CardContent};
use super::verdict::{self, Repair, Trouble, Verdict};
use super::webhook::Webhooks;

/// How far apart two clocks may be that agree: an answer takes time, and Feishu takes a signature for an hour.
const CLOCKS_AGREE: Duration = Duration::from_mins(5);

/// Why a custom bot cannot be set up. Says nothing about the URL but what is wrong with it.
#[derive(Debug, Error)]
pub enum CustomBotError {
    /// Not a URL at all.
    #[error("the webhook URL of receiver {receiver} is not a URL: {cause}")]
    NotAUrl {
        /// The receiver's name.
        receiver: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A URL that leads to no web server.
    #[error("the webhook URL of receiver {receiver} must begin with https:// or http://")]
    Scheme {
        /// The receiver's name.
        receiver: String,
    },
}

/// One custom bot; clones are the same one. `Debug` shows neither its URL nor its secret.
#[derive(Clone, Debug)]
pub struct CustomBot {
    webhooks: Webhooks,
    url: Secret,
    secret: Option<Secret>,
    /// What Feishu's clock shows more than ours, in seconds, where a signature was refused for that.
    ahead_s: Arc<AtomicI64>,
}

impl CustomBot {
    /// A bot behind `url`, for the receiver of that name.
    pub fn new(
        webhooks: Webhooks,
        receiver: &str,
        url: Secret,
        secret: Option<Secret>,
    ) -> Result<Self, CustomBotError> {
        let parsed = Url::parse(url.expose()).map_err(|error| CustomBotError::NotAUrl {
            receiver: receiver.to_owned(),
            cause: error.to_string(),
        })?;
        if !matches!(parsed.scheme(), "https" | "http") {
            return Err(CustomBotError::Scheme { receiver: receiver.to_owned() });
        }
        Ok(Self { webhooks, url, secret, ahead_s: Arc::default() })
    }

    /// Sends once and says what the answer means. Signs anew each time: a signature ages by the hour. By Feishu's clock,
    /// once it has refused one for ours: a machine that is in local time is an hour or more away from it for good.
    pub async fn send(&self, content: &CardContent, now: Timestamp) -> Verdict {
        let ahead = SignedDuration::from_secs(self.ahead_s.load(Ordering::Relaxed));
        let signed_at = now.saturating_add(ahead).unwrap_or(now);
        let sign = self.secret.as_ref().map(|secret| bot_sign(secret.expose(), signed_at));
        let body = match body::write(content, sign.as_ref()) {
            Ok(body) => body,
            Err(error) => return Verdict::GiveUp(Trouble::without_code(error.to_string())),
        };
        match self.webhooks.post(self.url.expose(), body).await {
            Ok(answer) => {
                let verdict = verdict::read(answer.status, &answer.body, answer.wait);
                if matches!(verdict, Verdict::Repair(Repair::Signature, _)) {
                    self.learn_clock(answer.date.map(|theirs| theirs.duration_since(now)));
                }
                verdict
            }
            Err(verdict) => verdict,
        }
    }

    /// A signature was refused. Where the clocks agree, the secret is wrong.
    fn learn_clock(&self, ahead: Option<SignedDuration>) {
        let ahead_s =
            ahead.filter(|ahead| ahead.unsigned_abs() > CLOCKS_AGREE).map_or(0, |ahead| ahead.as_secs());
        if ahead_s != 0 && self.ahead_s.swap(ahead_s, Ordering::Relaxed) != ahead_s {
            warn!(ahead_s, "this machine's clock is behind Feishu's: signing by Feishu's");
        } else {
            self.ahead_s.store(ahead_s, Ordering::Relaxed);
        }
    }
}
