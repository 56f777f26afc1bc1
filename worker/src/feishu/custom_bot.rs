//! A custom bot: one webhook URL, which is the credential, and perhaps a secret to sign with.

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use shared::config::Secret;
use shared::signature::bot_sign;
use thiserror::Error;

use super::body::{self, Content};
use super::exchange::{self, JSON};
use super::verdict::{self, Trouble, Verdict};

/// Time for a connection to come about, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Idle connections kept per host; more than one worker's receivers rarely use at once.
const IDLE_CONNECTIONS_MAX: usize = 8;
/// How long they are kept: less than the usual minute after which the other side hangs up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(45);

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
    /// The HTTP client did not start.
    #[error("the HTTP client cannot be set up: {0}")]
    Client(#[source] reqwest::Error),
}

/// The HTTP client all receivers share. It sends once: when to try again is decided in one place, and not here.
pub fn http_client(request_timeout: Duration) -> Result<Client, CustomBotError> {
    // Another part of the process may have installed the provider before; either is ring.
    let _installed_before = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .connect_timeout(CONNECT_TIMEOUT.min(request_timeout))
        .timeout(request_timeout)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .referer(false)
        .user_agent(concat!("larkfire/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(CustomBotError::Client)
}

/// One custom bot. `Debug` shows neither its URL nor its secret.
#[derive(Debug)]
pub struct CustomBot {
    client: Client,
    url: Secret,
    secret: Option<Secret>,
}

impl CustomBot {
    /// A bot behind `url`, for the receiver of that name.
    pub fn new(
        client: Client,
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
        Ok(Self { client, url, secret })
    }

    /// Sends once and says what the answer means. Signs anew each time: a signature ages by the hour.
    pub async fn send(&self, content: &Content, now: Timestamp) -> Verdict {
        let sign = self.secret.as_ref().map(|secret| bot_sign(secret.expose(), now));
        let body = match body::write(content, sign.as_ref()) {
            Ok(body) => body,
            Err(error) => return Verdict::GiveUp(Trouble::without_code(error.to_string())),
        };
        let request = self.client.post(self.url.expose()).header(CONTENT_TYPE, JSON).body(body);
        match exchange::once(request).await {
            Ok(answer) => verdict::read(answer.status, &answer.body, answer.wait),
            Err(verdict) => verdict,
        }
    }
}
