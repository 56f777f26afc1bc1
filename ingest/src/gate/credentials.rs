//! What credentials a path asks for, and whether one that is shown is known; last, which senders may use the custom
//! format. Pure.
//!
//! Credentials are compared without telling by the time it takes how much of a guess was right.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use config::{Credential, GateConfig, Secret};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

use crate::source::Endpoint;

/// Which credentials a path accepts. What is asked for belongs to the receiver that was named, however it was: a rule for
/// `/api/alert/ops` holds for `/api/alert?receiver=ops` as well, for `/alert?receiver=ops`, and for a body that names `ops`.
#[derive(Debug)]
pub(super) struct Rules {
    usual: Vec<Credential>,
    /// Of `/alert` and `/api/alert`.
    paths: HashMap<String, Vec<Credential>>,
    /// By the receivers' names.
    receivers: HashMap<String, Vec<Credential>>,
}

impl Rules {
    pub(super) fn new(config: &GateConfig) -> Self {
        let kinds = [Credential::Bearer, Credential::Basic, Credential::Hmac];
        let usual = kinds.into_iter().filter(|kind| config.has(*kind)).collect();
        let mut paths = HashMap::new();
        let mut receivers = HashMap::new();
        for rule in &config.paths {
            match rule.receiver() {
                Some(receiver) => receivers.insert(receiver.to_owned(), rule.accept.clone()),
                None => paths.insert(rule.path.clone(), rule.accept.clone()),
            };
        }
        Self { usual, paths, receivers }
    }

    /// What is accepted here, or `None` where nothing is asked for.
    pub(super) fn accepted(&self, endpoint: Endpoint, receiver: Option<&str>) -> Option<&[Credential]> {
        let named = receiver.and_then(|receiver| self.of_receiver(receiver));
        let path = if endpoint == Endpoint::LokiFeishu { "/alert" } else { "/api/alert" };
        let rule = named.or_else(|| self.paths.get(path).map(Vec::as_slice));
        let open = rule.is_none() && self.usual.is_empty();
        (!open).then(|| rule.unwrap_or(&self.usual))
    }

    /// What is accepted for a receiver that has a rule of its own.
    pub(super) fn of_receiver(&self, receiver: &str) -> Option<&[Credential]> {
        self.receivers.get(receiver).map(Vec::as_slice)
    }

    /// Whether any receiver has.
    pub(super) fn has_receivers(&self) -> bool {
        !self.receivers.is_empty()
    }
}

/// `Authorization: Bearer KEY`. Several keys, so that they can be changed one sender at a time.
#[derive(Debug)]
pub(super) struct Bearer(Vec<Digest>);

impl Bearer {
    pub(super) fn new(keys: &[Secret]) -> Self {
        Self(keys.iter().map(|key| Digest::of(key.expose().as_bytes())).collect())
    }

    pub(super) fn knows(&self, scheme: &str, key: &[u8]) -> bool {
        scheme.eq_ignore_ascii_case("bearer") && Digest::of(key).is_among(&self.0)
    }
}

/// `Authorization: Basic …`. What is shown is compared as it stands, in base64: there is one way to write it, and so
/// nothing has to be decoded for a stranger.
#[derive(Debug)]
pub(super) struct Basic(Vec<Digest>);

impl Basic {
    /// Each pair is `user:password`.
    pub(super) fn new(pairs: &[Secret]) -> Self {
        Self(pairs.iter().map(|pair| Digest::of(STANDARD.encode(pair.expose()).as_bytes())).collect())
    }

    pub(super) fn knows(&self, scheme: &str, encoded: &[u8]) -> bool {
        scheme.eq_ignore_ascii_case("basic") && Digest::of(encoded).is_among(&self.0)
    }
}

/// The hash of one credential. Digests are equally long, so not even a credential's length shows.
#[derive(Clone)]
struct Digest([u8; 32]);

impl Digest {
    fn of(credential: &[u8]) -> Self {
        Self(Sha256::digest(credential).into())
    }

    /// Whether it is one of `known`. All are looked at, whichever fits.
    fn is_among(&self, known: &[Self]) -> bool {
        known.iter().fold(Choice::from(0), |found, one| found | self.0.ct_eq(&one.0)).into()
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

/// Which senders may use the custom format. A `sender_id` is a name, not a secret.
#[derive(Debug)]
pub(super) struct Senders(HashSet<String>);

impl Senders {
    pub(super) fn new(ids: &[String]) -> Self {
        Self(ids.iter().cloned().collect())
    }

    /// An empty list admits everybody.
    pub(super) fn admit(&self, sender_id: &str) -> bool {
        self.0.is_empty() || self.0.contains(sender_id)
    }
}
