//! Values of buttons. A value comes back through people's clients, so it is signed; and it is short, because a card has
//! a budget of bytes. Pure.

use config::Secret;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::feishu::limits::PRESSABLE;

/// The version of what is signed.
const VERSION: i64 = 1;
/// What a key for values is made from a secret with, so that no other use of the secret yields it.
const PURPOSE: &[u8] = b"larkfire button value 1";
/// How much of the signature travels, in bytes: far more than can be tried.
const SIGNATURE_BYTES: usize = 16;

/// What a button is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Press {
    /// I look after it.
    Acknowledge,
    /// I do not, after all.
    Unacknowledge,
    /// Nobody wants to hear of it for so many hours.
    Silence(u8),
    /// Nobody wants to hear of anything that has what these share, for so many hours.
    SilenceShared(u8),
    /// I want to hear of it again.
    Unsilence,
}

/// What a button says when it is pressed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pressed {
    /// What is wanted.
    pub press: Press,
    /// The receiver whose card it is.
    pub receiver: String,
    /// The card, by the name it is kept under.
    pub card: String,
}

/// Why a value is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueError {
    /// There is no signature, or not one of ours.
    Forged,
    /// It was one of ours, too long ago.
    Expired,
}

/// The keys: the first signs, all of them are taken.
#[derive(Clone)]
pub struct Keys(Vec<Hmac<Sha256>>);

impl Press {
    /// What buttons offer.
    pub const ALL: [Self; 9] = [
        Self::Acknowledge,
        Self::Unacknowledge,
        Self::Silence(1),
        Self::Silence(4),
        Self::Silence(24),
        Self::SilenceShared(1),
        Self::SilenceShared(4),
        Self::SilenceShared(24),
        Self::Unsilence,
    ];

    /// The word in values, in the audit trail and in logs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Acknowledge => "ack",
            Self::Unacknowledge => "unack",
            Self::Silence(1) => "silence_1h",
            Self::Silence(4) => "silence_4h",
            Self::Silence(_) => "silence_24h",
            Self::SilenceShared(1) => "silence_all_1h",
            Self::SilenceShared(4) => "silence_all_4h",
            Self::SilenceShared(_) => "silence_all_24h",
            Self::Unsilence => "unsilence",
        }
    }

    /// What a word stands for.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|press| press.as_str() == word)
    }
}

impl Keys {
    /// Keys made from secrets.
    pub fn of<'s>(secrets: impl IntoIterator<Item = &'s Secret>) -> Self {
        let derived = |secret: &Secret| {
            let mut derived = Hmac::<Sha256>::new_from_slice(secret.expose().as_bytes()).ok()?;
            derived.update(PURPOSE);
            Hmac::new_from_slice(&derived.finalize().into_bytes()).ok()
        };
        Self(secrets.into_iter().filter_map(derived).collect())
    }

    /// The value of a button that was put on a card now; `None` without a key.
    pub fn sign(&self, pressed: &Pressed, now: Timestamp) -> Option<Map<String, Value>> {
        let expires = now.saturating_add(SignedDuration::try_from(PRESSABLE).ok()?).ok()?.as_second();
        let signature = hex::encode(signature(self.0.first()?, pressed, expires));
        let fields = [
            ("action", pressed.press.as_str().into()),
            ("v", VERSION.into()),
            ("receiver", pressed.receiver.as_str().into()),
            ("card", pressed.card.as_str().into()),
            ("expires", expires.into()),
            ("sig", signature.into()),
        ];
        Some(fields.into_iter().map(|(name, value): (_, Value)| (name.to_owned(), value)).collect())
    }

    /// What a value says, if we wrote it and it may still be pressed.
    pub fn read(&self, value: &Map<String, Value>, now: Timestamp) -> Result<Pressed, ValueError> {
        let text = |name: &str| value.get(name).and_then(Value::as_str).ok_or(ValueError::Forged);
        let number = |name: &str| value.get(name).and_then(Value::as_i64).ok_or(ValueError::Forged);
        let press = Press::of(text("action")?).ok_or(ValueError::Forged)?;
        let pressed =
            Pressed { press, receiver: text("receiver")?.to_owned(), card: text("card")?.to_owned() };
        let expires = number("expires")?;
        let version = number("v")?;
        let shown = hex::decode(text("sig")?).map_err(|_| ValueError::Forged)?;
        // All of them are compared, so that the time taken says nothing about which one it was.
        let is_ours = self
            .0
            .iter()
            .fold(false, |found, key| bool::from(signature(key, &pressed, expires).ct_eq(&shown)) | found);
        if version != VERSION || !is_ours {
            return Err(ValueError::Forged);
        }
        if expires <= now.as_second() { Err(ValueError::Expired) } else { Ok(pressed) }
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} keys", self.0.len())
    }
}

fn signature(key: &Hmac<Sha256>, pressed: &Pressed, expires: i64) -> [u8; SIGNATURE_BYTES] {
    let mut mac = key.clone();
    let version = VERSION.to_string();
    let expires = expires.to_string();
    for part in [&version, pressed.press.as_str(), &pressed.receiver, &pressed.card, &expires] {
        mac.update(part.as_bytes());
        // 0xFF occurs in no UTF-8 text, so no two values run into the same bytes.
        mac.update(&[0xff]);
    }
    let mut signature = [0; SIGNATURE_BYTES];
    for (place, byte) in signature.iter_mut().zip(mac.finalize().into_bytes()) {
        *place = byte;
    }
    signature
}

#[cfg(test)]
mod tests;
