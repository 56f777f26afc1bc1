//! Whether a request is from Feishu, and what it says once decrypted. Pure: headers, bytes and time in.
//!
//! What proves it depends on the body. An event is signed with the encrypt key where there is one, and carries the
//! verification token. A challenge is not signed. An old card callback is signed with the token, never encrypted.

use std::borrow::Cow;
use std::time::Duration;

use config::{LarkConfig, Secret};
use hyper::HeaderMap;
use jiff::Timestamp;
use model::signature::{SignatureHeaders, decrypt, is_same_secret};

use super::body::{Body, EventForm};
use crate::source::text_of;

/// How far a signed timestamp may be from our clock. Feishu repeats an event for 7 h 5 min 15 s, and nobody says that a
/// repeat is stamped anew, so nothing younger may be refused for its age. Within this time the de-duplication
/// keys of what was recorded stop a replay, and they are to be remembered that long (`Interaction::dedup_key`).
const REPLAY_WINDOW: Duration = Duration::from_hours(12);

/// Why a request is not believed. For the log and the metrics; its sender learns none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VerifyError {
    /// The signature is missing or wrong.
    Signature,
    /// The signature is right, but of another day.
    Stale,
    /// It does not decrypt to anything, or there is no key to decrypt it with.
    Encryption,
    /// The verification token is missing or wrong.
    Token,
}

/// Why a body was not opened.
#[derive(Debug)]
pub(super) enum Unopened {
    /// It is not believed.
    Doubted(VerifyError),
    /// It is not JSON, and nothing else was held against it.
    NotJson(serde_json::Error),
}

impl From<VerifyError> for Unopened {
    fn from(doubt: VerifyError) -> Self {
        Self::Doubted(doubt)
    }
}

/// What Feishu proves itself with.
#[derive(Debug)]
pub(super) struct Keys {
    encrypt_key: Option<Secret>,
    verification_token: Option<Secret>,
}

/// A request as it came, its signature looked at and its body decrypted.
#[derive(Debug)]
pub(super) struct SignedRequest<'r> {
    raw: &'r [u8],
    seal: Option<SignatureHeaders<'r>>,
    /// Whether it is signed as events are.
    signed: Result<(), VerifyError>,
    was_encrypted: bool,
    /// The body in plain.
    pub(super) text: Cow<'r, str>,
}

impl VerifyError {
    pub(crate) const LABELS: [&'static str; 4] = ["signature", "stale", "encryption", "token"];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Signature => "signature",
            Self::Stale => "stale",
            Self::Encryption => "encryption",
            Self::Token => "token",
        }
    }
}

impl Keys {
    /// What is configured; `None` if nothing is, and nobody could prove anything.
    pub(super) fn new(config: &LarkConfig) -> Option<Self> {
        let LarkConfig { encrypt_key, verification_token } = config.clone();
        (encrypt_key.is_some() || verification_token.is_some())
            .then_some(Self { encrypt_key, verification_token })
    }

    /// Looks at the signature, then at the body, and decrypts it if it is encrypted.
    pub(super) fn open<'r>(
        &self,
        headers: &'r HeaderMap,
        raw: &'r [u8],
        now: Timestamp,
    ) -> Result<SignedRequest<'r>, Unopened> {
        let seal = seal(headers);
        let signed = self.is_signed(seal.as_ref(), raw, now);
        let text = text_of(raw);
        let outer: Result<Body<'_>, _> = serde_json::from_str(&text);
        let outer = outer.map_err(|error| match (&self.encrypt_key, signed) {
            (Some(_), Err(doubt)) => doubt.into(),
            (_, _) => Unopened::NotJson(error),
        })?;
        if outer.encrypt.0.is_empty() {
            drop(outer);
            return Ok(SignedRequest { raw, seal, signed, was_encrypted: false, text });
        }
        let key = self.encrypt_key.as_ref().ok_or(VerifyError::Encryption)?;
        let content = decrypt(key.expose(), &outer.encrypt.0).map_err(|_| VerifyError::Encryption)?;
        let text = Cow::Owned(text_of(&content).into_owned());
        Ok(SignedRequest { raw, seal, signed, was_encrypted: true, text })
    }

    /// Whether the letter is believed, now that it can be seen what it is.
    pub(super) fn believe(
        &self,
        letter: &SignedRequest<'_>,
        body: &Body<'_>,
        now: Timestamp,
    ) -> Result<(), VerifyError> {
        match body.form() {
            // Without a token it has to show that it knows the key.
            EventForm::Challenge => match &self.verification_token {
                None if letter.was_encrypted => Ok(()),
                None => Err(VerifyError::Token),
                Some(_) => self.check_token(body),
            },
            EventForm::OldCard(_) => letter.signed.or_else(|_| self.check_old_signature(letter, now)),
            EventForm::Event => {
                if self.encrypt_key.is_some() {
                    letter.signed?;
                }
                self.check_token(body)
            }
        }
    }

    fn is_signed(
        &self,
        seal: Option<&SignatureHeaders<'_>>,
        raw: &[u8],
        now: Timestamp,
    ) -> Result<(), VerifyError> {
        let (Some(key), Some(seal)) = (&self.encrypt_key, seal) else { return Err(VerifyError::Signature) };
        if seal.is_of_event(key.expose(), raw) { check_age(seal, now) } else { Err(VerifyError::Signature) }
    }

    fn check_old_signature(&self, letter: &SignedRequest<'_>, now: Timestamp) -> Result<(), VerifyError> {
        let (Some(token), Some(seal)) = (&self.verification_token, &letter.seal) else {
            return Err(VerifyError::Signature);
        };
        if seal.is_of_old_card(token.expose(), letter.raw) {
            check_age(seal, now)
        } else {
            Err(VerifyError::Signature)
        }
    }

    fn check_token(&self, body: &Body<'_>) -> Result<(), VerifyError> {
        match &self.verification_token {
            Some(token) if !is_same_secret(body.verification_token(), token.expose()) => {
                Err(VerifyError::Token)
            }
            Some(_) | None => Ok(()),
        }
    }
}

impl SignedRequest<'_> {
    /// The body. What was decrypted to something else than JSON was not encrypted with our key.
    pub(super) fn body(&self) -> Result<Body<'_>, VerifyError> {
        serde_json::from_str(&self.text).map_err(|_| VerifyError::Encryption)
    }
}

fn seal(headers: &HeaderMap) -> Option<SignatureHeaders<'_>> {
    Some(SignatureHeaders {
        timestamp: only(headers, "x-lark-request-timestamp")?,
        nonce: only(headers, "x-lark-request-nonce")?,
        signature: only(headers, "x-lark-signature")?,
    })
}

fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?.to_str().ok()?;
    // Of two we could check one and a proxy before us the other.
    values.next().is_none().then_some(first)
}

fn check_age(seal: &SignatureHeaders<'_>, now: Timestamp) -> Result<(), VerifyError> {
    let stamped = timestamp(seal.timestamp).ok_or(VerifyError::Stale)?;
    if stamped.duration_since(now).unsigned_abs() <= REPLAY_WINDOW { Ok(()) } else { Err(VerifyError::Stale) }
}

/// Unix time in seconds, or in milliseconds or microseconds, which Feishu uses in other places: told by its size.
fn timestamp(digits: &str) -> Option<Timestamp> {
    let number: i64 = digits.parse().ok()?;
    match digits.len() {
        ..=11 => Timestamp::from_second(number).ok(),
        12..=14 => Timestamp::from_millisecond(number).ok(),
        _ => Timestamp::from_microsecond(number).ok(),
    }
}

#[cfg(test)]
mod tests;
