//! What was told.

pub(crate) mod schema;

use jiff::Timestamp;
use prometheus::Registry;
use shared::alert::Status;
use shared::clock::Clock;
use shared::config::DedupConfig;
use shared::envelope::EnvelopeId;

use crate::store::Store;

#[derive(Clone, Debug)]
pub struct Event<'a> {
    pub receiver: &'a str,
    pub fingerprint: &'a str,
    pub status: Status,
    pub starts_at: Option<Timestamp>,
    pub received_at: Timestamp,
    pub envelope: EnvelopeId,
    pub forced: bool,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Tell(Occasion),
    Known,
    Stale,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    New,
    Resolved,
    Returned,
    Reminder,
    Again,
    Forced,
}
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Mine,
    Known,
    Stale,
}
#[derive(Clone, Debug)]
pub struct Ledger;
impl Ledger {
    pub fn new(_: Store, _: DedupConfig, _: Clock, _: &Registry) -> prometheus::Result<Self> {
        Ok(Self)
    }
    pub async fn observe(&self, events: &[Event<'_>]) -> Vec<Decision> {
        events.iter().map(|_| Decision::Tell(Occasion::New)).collect()
    }
    pub async fn confirm(&self, events: &[Event<'_>]) -> Vec<Standing> {
        events.iter().map(|_| Standing::Mine).collect()
    }
    pub async fn told(&self, _: &[Event<'_>]) {}
    pub async fn release(&self, _: &[Event<'_>]) {}
    pub async fn renew(&self, _: &[Event<'_>]) {}
    pub async fn clean(&self) -> u64 {
        0
    }
}
