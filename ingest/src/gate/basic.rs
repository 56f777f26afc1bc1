//! `Authorization: Basic …`. What is shown is compared as it stands, in base64: there is one way to write it, and
//! so nothing has to be decoded for a stranger.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use shared::config::Secret;

use super::digest::Digest;

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
