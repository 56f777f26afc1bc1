//! Names of interactions: UUID version 7, so that they sort by time. Pure.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::{Builder, Uuid};

/// Names one interaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InteractionId(Uuid);

impl InteractionId {
    /// An id for something received at `now`; the ten bytes are to be random.
    pub fn new(now: Timestamp, random: [u8; 10]) -> Self {
        // The clock of a machine before 1970 is wrong anyway; the id stays unique by its random part.
        let millis = u64::try_from(now.as_millisecond()).unwrap_or(0);
        Self(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
    }
}

impl fmt::Display for InteractionId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}
