//! Names of envelopes: UUID version 7, so that they sort by time. Pure.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// Names one envelope. Envelopes of the same request follow one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EnvelopeId(Uuid);

impl EnvelopeId {
    /// An id for something received at `now`; the ten bytes are to be random.
    pub fn new(now: Timestamp, mut random: [u8; 10]) -> Self {
        // Leaves `part` room to count up, so that the ids of one request never wrap round and lose their order.
        random[6] &= 0x7f;
        // The clock of a machine before 1970 is wrong anyway; the id stays unique by its random part.
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }

    /// The id of the `index`-th envelope a request was split into; the zeroth keeps this one.
    #[must_use]
    pub fn part(self, index: u32) -> Self {
        // Only the last four bytes count up, so time, version and variant stay as they are.
        let mut bytes = self.0.into_bytes();
        let [.., a, b, c, d] = &mut bytes;
        let counted = u32::from_be_bytes([*a, *b, *c, *d]).wrapping_add(index);
        [*a, *b, *c, *d] = counted.to_be_bytes();
        Self(Uuid::from_bytes(bytes))
    }

    /// When what it names was received, to the millisecond, as the id says; `None` of one that is not of ours (UUID version 7).
    pub fn received_at(&self) -> Option<Timestamp> {
        let (seconds, nanoseconds) =
            self.0.get_timestamp().filter(|_| self.0.get_version_num() == 7)?.to_unix();
        Timestamp::new(i64::try_from(seconds).ok()?, i32::try_from(nanoseconds).ok()?).ok()
    }

    /// The id as a database keeps it.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The id a database has kept.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }
}

impl fmt::Display for EnvelopeId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl FromStr for EnvelopeId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}
