//! `Authorization: Bearer KEY`. Several keys, so that they can be changed one sender at a time.

use shared::config::Secret;

use super::digest::Digest;

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
