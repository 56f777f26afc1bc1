//! Telling a program: one POST with JSON, which may be signed as ingest takes it (`X-Signature: sha256=HEX` of `TIME.BODY`, the
//! time in `X-Timestamp`). The address is a credential: it stands in no log and no error.

use std::time::Duration;

use config::Secret;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use reqwest::{Client, Response, StatusCode};
use serde::Serialize;
use sha2::Sha256;

use super::decision::CallResult;

/// The longest pause that an answer can ask for.
const HINT_MAX: Duration = Duration::from_mins(10);

/// What a program is told.
#[derive(Debug, Serialize)]
pub(super) struct WebhookBody<'b> {
    /// The version of this format.
    pub(super) v: u32,
    /// The same for the same step of the same cards: a second one is the same call.
    pub(super) id: &'b str,
    pub(super) escalation: &'b str,
    /// Counted from one.
    pub(super) step: usize,
    pub(super) receiver: &'b str,
    /// When the first of the cards was delivered.
    pub(super) since: Timestamp,
    pub(super) at: Timestamp,
    /// Who is to be called, by name.
    pub(super) people: &'b [String],
    /// The names of the cards.
    pub(super) cards: Vec<&'b str>,
    /// The alerts that fire and nobody has taken on; of a storm the worst.
    pub(super) alerts: Vec<WebhookAlert<'b>>,
}

/// One alert.
#[derive(Debug, Serialize)]
pub(super) struct WebhookAlert<'b> {
    pub(super) fingerprint: &'b str,
    pub(super) name: &'b str,
    pub(super) starts_at: Option<Timestamp>,
    pub(super) labels: Vec<[&'b str; 2]>,
}

/// What came of telling it.
#[derive(Debug)]
pub(super) struct WebhookReport {
    pub(super) result: CallResult,
    /// Why not; nothing of the address.
    pub(super) why: Option<String>,
}

/// Tells it, once.
pub(super) async fn post(
    client: &Client,
    url: &Secret,
    secret: Option<&Secret>,
    body: &WebhookBody<'_>,
    now: Timestamp,
) -> WebhookReport {
    let Ok(body) = serde_json::to_vec(body) else {
        return WebhookReport {
            result: CallResult::Refused,
            why: Some("it cannot be written as JSON".to_owned()),
        };
    };
    let mut request = client.post(url.expose()).header(CONTENT_TYPE, "application/json");
    if let Some(secret) = secret {
        let seconds = now.as_second().to_string();
        let signature = signature(secret.expose().as_bytes(), &seconds, &body);
        request = request.header("X-Timestamp", seconds).header("X-Signature", signature);
    }
    match request.body(body).send().await {
        Ok(answer) if answer.status().is_success() => WebhookReport { result: CallResult::Made, why: None },
        Ok(answer) => {
            let why = Some(format!("HTTP {}", answer.status().as_u16()));
            WebhookReport { result: refused(&answer), why }
        }
        Err(error) => {
            // The address is a credential, and reqwest puts it into its errors.
            let why = if error.is_timeout() { "no answer in time" } else { "it cannot be reached" };
            WebhookReport { result: CallResult::NotNow { hint: None }, why: Some(why.to_owned()) }
        }
    }
}

/// What cannot pass falls through to the next step.
fn refused(answer: &Response) -> CallResult {
    let status = answer.status();
    let may_pass = status.is_server_error()
        || [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_EARLY, StatusCode::TOO_MANY_REQUESTS]
            .contains(&status);
    if !may_pass {
        return CallResult::Refused;
    }
    let header = answer.headers().get(RETRY_AFTER).and_then(|header| header.to_str().ok());
    let hint = header.and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
    CallResult::NotNow { hint: hint.map(|hint| hint.min(HINT_MAX)) }
}

fn signature(key: &[u8], seconds: &str, body: &[u8]) -> String {
    // A key of any length is one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return String::new() };
    mac.update(seconds.as_bytes());
    mac.update(b".");
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_openssl_makes() {
        // printf '1700000000.{"v":1}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let expected = "sha256=7d7078b5a4f592e863b78a87e2c8fece8a1bddfd672427275c08b77d67dea7ef";
        assert_eq!(signature(b"0123456789abcdef", "1700000000", br#"{"v":1}"#), expected);
    }
}
