//! What requests hold of memory, and the limits on it: headers of all requests in hand, bodies of all of them, and within
//! those the bodies of strangers. A stranger is whoever has proven nothing yet: a caller of Feishu's addresses, or one whose
//! signature is still to be checked against its body.
//!
//! Strangers have a share of their own, and whoever finds no room displaces the slowest of them. Without this one that sends
//! much and never finishes would keep out whoever has the right credentials.

mod strangers;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::IngestLimits;
use hyper::http::request::Parts;
use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::answer::Answer;
use strangers::{Part, Strangers};

/// What one header takes in memory beside its bytes: its places in the map and in the allocator, twice for growth.
const FIELD_BYTES: usize = 256;
/// What one request takes beside its headers: a task, a stream, its path.
const REQUEST_BYTES: usize = 2 * 1024;
/// Headers of all requests in hand may take this part of `limits.bodies_bytes` beside it.
const HEADERS_PART: usize = 4;
/// And never less than this: some hundreds of ordinary requests.
const HEADERS_BYTES_MIN: usize = 1024 * 1024;
/// How long whoever displaces somebody waits for the room. It takes as long as a task takes to be woken.
const ROOM_TIMEOUT: Duration = Duration::from_secs(1);

/// The memory of one ingest.
#[derive(Clone, Debug)]
pub(crate) struct Memory(Arc<Pools>);

#[derive(Debug)]
struct Pools {
    headers: Arc<Semaphore>,
    bodies: Arc<Semaphore>,
    /// Within `bodies`.
    bodies_of_strangers: Arc<Semaphore>,
    bodies_limit_bytes: usize,
    strangers: Mutex<Strangers>,
    held: IntGauge,
}

/// What one request holds; given back when dropped.
#[derive(Debug)]
pub(crate) struct Held {
    pools: Arc<Pools>,
    headers: Option<OwnedSemaphorePermit>,
    body: Option<OwnedSemaphorePermit>,
    stranger: Option<Stranger>,
}

/// The standing of a request that has proven nothing.
#[derive(Debug)]
struct Stranger {
    pools: Arc<Pools>,
    id: u64,
    displaced: CancellationToken,
    body: Option<OwnedSemaphorePermit>,
}

/// The bytes that the headers of a request take.
pub(crate) fn header_bytes(parts: &Parts) -> usize {
    let fields = parts.headers.iter();
    let fields = fields.map(|(name, value)| FIELD_BYTES + name.as_str().len() + value.len());
    let address = parts.uri.path().len() + parts.uri.query().map_or(0, str::len);
    REQUEST_BYTES + address + fields.sum::<usize>()
}

impl Memory {
    /// With these limits; `held` shows what bodies take.
    pub(crate) fn new(limits: &IngestLimits, held: IntGauge) -> Self {
        let semaphore = |bytes: usize| Arc::new(Semaphore::new(bytes.min(Semaphore::MAX_PERMITS)));
        let bodies = limits.bodies_bytes;
        Self(Arc::new(Pools {
            headers: semaphore((bodies / HEADERS_PART).max(HEADERS_BYTES_MIN)),
            bodies: semaphore(bodies),
            // One whole body that is signed, and no more.
            bodies_of_strangers: semaphore(limits.body_bytes.min(bodies)),
            bodies_limit_bytes: bodies,
            strangers: Mutex::default(),
            held,
        }))
    }

    /// Takes in a request whose headers take so much; a stranger, until `vouch`.
    pub(crate) async fn admit(&self, header_bytes: usize) -> Result<Held, Answer> {
        let pools = &self.0;
        let displaced = CancellationToken::new();
        let id = pools.strangers().enter(Instant::now(), displaced.clone());
        let stranger = Stranger { pools: Arc::clone(pools), id, displaced, body: None };
        let mut held = Held { pools: Arc::clone(pools), headers: None, body: None, stranger: Some(stranger) };
        held.headers =
            Some(pools.take(Part::Headers, &pools.headers, header_bytes, held.stranger_id()).await?);
        pools.strangers().add(id, Part::Headers, header_bytes);
        Ok(held)
    }
}

impl Held {
    /// Whether it has proven nothing yet.
    pub(crate) const fn is_stranger(&self) -> bool {
        self.stranger.is_some()
    }

    /// Resolves when it has to make room; never, once somebody has vouched for it.
    pub(crate) async fn displaced(&self) {
        match &self.stranger {
            Some(stranger) => stranger.displaced.cancelled().await,
            None => std::future::pending().await,
        }
    }

    /// It has proven what it has to: its place is its own from now on.
    pub(crate) fn vouch(&mut self) {
        self.stranger = None;
    }

    /// What of it counts as a body, in bytes.
    pub(crate) fn body_bytes(&self) -> usize {
        self.body.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    /// Has its body take so many bytes more.
    pub(crate) async fn grow(&mut self, bytes: usize) -> Result<(), Answer> {
        if bytes == 0 {
            return Ok(());
        }
        let pools = Arc::clone(&self.pools);
        let id = self.stranger_id();
        if let Some(stranger) = &mut self.stranger {
            let more = pools.take(Part::Body, &pools.bodies_of_strangers, bytes, id).await?;
            merge(&mut stranger.body, more);
        }
        let more = pools.take(Part::Body, &pools.bodies, bytes, id).await?;
        merge(&mut self.body, more);
        pools.held.add(i64::try_from(bytes).unwrap_or(i64::MAX));
        if let Some(id) = id {
            pools.strangers().add(id, Part::Body, bytes);
        }
        Ok(())
    }

    /// Has its body take so much from now on. What would not fit even if nobody else held anything is refused for good.
    pub(crate) async fn resize(&mut self, bytes: usize) -> Result<(), Answer> {
        let limit_bytes = self.pools.bodies_limit_bytes;
        if bytes > limit_bytes {
            return Err(Answer::TooLargeInMemory { bytes, limit_bytes });
        }
        let held = self.body_bytes();
        let less = held.saturating_sub(bytes);
        if let Some(released) = self.body.as_mut().and_then(|permit| permit.split(less)) {
            self.pools.held.sub(i64::try_from(less).unwrap_or(i64::MAX));
            drop(released);
        }
        self.grow(bytes.saturating_sub(held)).await
    }

    fn stranger_id(&self) -> Option<u64> {
        self.stranger.as_ref().map(|stranger| stranger.id)
    }
}

impl Pools {
    /// Takes so many bytes of a pool, and displaces strangers for them if that helps.
    async fn take(
        &self,
        part: Part,
        pool: &Arc<Semaphore>,
        bytes: usize,
        asker: Option<u64>,
    ) -> Result<OwnedSemaphorePermit, Answer> {
        let count = u32::try_from(bytes).map_err(|_| Answer::MemoryFull)?;
        if let Ok(permit) = Arc::clone(pool).try_acquire_many_owned(count) {
            return Ok(permit);
        }
        let lacking = bytes.saturating_sub(pool.available_permits());
        if !self.strangers().displace(part, lacking, asker, Instant::now()) {
            return Err(Answer::MemoryFull);
        }
        match timeout(ROOM_TIMEOUT, Arc::clone(pool).acquire_many_owned(count)).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) | Err(_) => Err(Answer::MemoryFull),
        }
    }

    fn strangers(&self) -> MutexGuard<'_, Strangers> {
        self.strangers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn merge(permit: &mut Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) {
    match permit {
        Some(permit) => permit.merge(more),
        none => *none = Some(more),
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.pools.held.sub(i64::try_from(self.body_bytes()).unwrap_or(i64::MAX));
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.pools.strangers().leave(self.id);
    }
}

#[cfg(test)]
mod tests;
