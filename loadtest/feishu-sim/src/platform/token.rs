//! The tokens apps call with: who gets one, and how long it is good for.

use std::collections::VecDeque;
use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::fields::Fields;
use super::{Given, Platform, Stop};
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;

const LIFE: SignedDuration = SignedDuration::from_hours(2);

/// While this much is left of a token, asking for one gives the same.
const SAME_UNTIL: SignedDuration = SignedDuration::from_mins(30);

/// Tokens remembered of one app; two are valid at a time at most, the others show who calls with them.
const TOKENS_MAX: usize = 16;

/// Tokens of one app, oldest first.
pub(super) struct Tokens {
    app_id: String,
    known: VecDeque<(String, Timestamp)>,
    issued: u64,
}

impl Tokens {
    pub(super) fn new(app_id: &str) -> Self {
        Self { app_id: app_id.to_owned(), known: VecDeque::new(), issued: 0 }
    }

    /// The token to use from now on and its end.
    fn ask(&mut self, now: Timestamp) -> (String, Timestamp) {
        if let Some(newest) = self.known.back()
            && newest.1.duration_since(now) >= SAME_UNTIL
        {
            return newest.clone();
        }
        self.issued += 1;
        let digest = Sha256::digest(format!("{} {} {now}", self.app_id, self.issued));
        let mut token = "t-".to_owned();
        for byte in digest.iter().take(16) {
            // Writing to a string cannot fail.
            let _written = write!(token, "{byte:02x}");
        }
        self.known.push_back((token.clone(), now + LIFE));
        if self.known.len() > TOKENS_MAX {
            self.known.pop_front();
        }
        (token, now + LIFE)
    }

    pub(super) fn expire(&mut self, now: Timestamp) {
        for (_, end) in &mut self.known {
            *end = now.min(*end);
        }
    }

    pub(super) fn knows(&self, token: &str) -> bool {
        self.known.iter().any(|(known, _)| known == token)
    }

    pub(super) fn is_valid(&self, token: &str, now: Timestamp) -> bool {
        self.known.iter().any(|(known, end)| known == token && now < *end)
    }
}

impl Platform {
    /// `tenant_access_token/internal`, whose answer is flat.
    pub(super) fn token(&mut self, fields: &Fields, record: &mut Record) -> Result<Given, Stop> {
        let bad = |_| Refusal::new(10003, "invalid param");
        let app_id = fields.text("app_id").map_err(bad)?;
        let secret = fields.text("app_secret").map_err(bad)?;
        let app = self.apps.get_mut(app_id).ok_or_else(|| Refusal::new(10003, "invalid param"))?;
        if !app.settings.enabled {
            return Err(Refusal::new(10014, "app is disabled").into());
        }
        if app.settings.secret != secret {
            return Err(Refusal::new(10015, "app secret invalid").into());
        }
        let (token, end) = app.tokens.ask(record.at);
        record.verdict = Verdict::Answered;
        let expire = end.duration_since(record.at).as_secs();
        let body = json!({"code": 0, "msg": "ok", "tenant_access_token": token, "expire": expire});
        Ok(Given { body, over_budget: false })
    }
}

/// Checks the form of the `Authorization` header.
pub(super) fn check(authorization: Option<&str>) -> Result<(), Refusal> {
    let Some(token) = authorization.and_then(|value| value.strip_prefix("Bearer ")) else {
        return Err(Refusal::new(
            99_991_661,
            "Missing access token for authorization. Please make a request with token attached.",
        ));
    };
    match token.get(..2) {
        Some("t-") => Ok(()),
        Some("u-") => Err(Refusal::new(99_991_668, "Invalid access token for authorization.")),
        _ => Err(Refusal::new(
            99_991_671,
            "Invalid access token, access_token should start with 't-' or 'u-'.",
        )),
    }
}

pub(super) fn invalid() -> Refusal {
    Refusal::new(
        99_991_663,
        "Invalid access token for authorization. Please make a request with token attached.",
    )
}
