//! Who an alert is. Pure.

use std::borrow::Cow;
use std::fmt;
use std::hash::Hasher;

use fnv::FnvHasher;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::owned;

/// How long a source's own fingerprint may be; Alertmanager's has 16 characters, a UUID 36.
const OWN_BYTES_MAX: usize = 64;
/// How many bytes of the hash make a fingerprint of ours: 16 hex digits, like Alertmanager's.
const HASH_BYTES: usize = 8;

/// Names an alert across its states, re-sends and replicas.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'a> Fingerprint<'a> {
    /// The source's own fingerprint, as given; `None` if it is empty, too long or not printable ASCII.
    pub fn own(text: Cow<'a, str>) -> Option<Self> {
        let usable =
            (1..=OWN_BYTES_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
        usable.then_some(Self(text))
    }

    /// A fingerprint made from the pairs that identify the alert, in whatever order they come.
    pub fn of_pairs<'p>(pairs: impl IntoIterator<Item = (&'p str, &'p str)>) -> Fingerprint<'static> {
        let mut sorted: Vec<_> = pairs.into_iter().collect();
        sorted.sort_unstable();
        let mut hash = Sha256::new();
        for (name, value) in sorted {
            // 0xFF occurs in no UTF-8 text, so no two different sets run into the same bytes.
            hash.update(name.as_bytes());
            hash.update([0xff]);
            hash.update(value.as_bytes());
            hash.update([0xff]);
        }
        Fingerprint(Cow::Owned(hex::encode(&hash.finalize()[..HASH_BYTES])))
    }

    /// The fingerprint Prometheus and Alertmanager give to labels (FNV-1a, 64 bits), from pairs sorted by name.
    pub fn of_labels<'p>(sorted: impl IntoIterator<Item = (&'p str, &'p str)>) -> Fingerprint<'static> {
        let mut hasher = FnvHasher::default();
        for (name, value) in sorted {
            hasher.write(name.as_bytes());
            hasher.write_u8(0xff);
            hasher.write(value.as_bytes());
            hasher.write_u8(0xff);
        }
        Fingerprint(Cow::Owned(hex::encode(hasher.finish().to_be_bytes())))
    }

    /// The fingerprint as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Copies it if it is borrowed.
    pub fn into_owned(self) -> Fingerprint<'static> {
        Fingerprint(owned(self.0))
    }
}

impl fmt::Display for Fingerprint<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
