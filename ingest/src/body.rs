//! Reading a body: within a size, within a time, and within what all bodies together may hold.

use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use config::IngestLimits;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use prometheus::IntGauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::answer::Answer;

/// How much of a refused body is read and thrown away, at most for this long: a client that is still sending when
/// the connection closes sees a reset instead of the answer, and Alertmanager then tries for ever.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);

/// What is allocated before anything has come; most bodies are smaller.
const BUFFER_BYTES_AT_FIRST: usize = 64 * 1024;

/// What all bodies in memory may hold together.
#[derive(Debug)]
pub(crate) struct Budget {
    places: Arc<Semaphore>,
    held: IntGauge,
    body_limit_bytes: usize,
    body_timeout: Duration,
}

/// A body's share of the budget; given back when dropped.
#[derive(Debug)]
pub(crate) struct BodyReservation {
    permit: Option<OwnedSemaphorePermit>,
    held: IntGauge,
}

impl Budget {
    pub(crate) fn new(limits: &IngestLimits, held: IntGauge) -> Self {
        Self {
            places: Arc::new(Semaphore::new(limits.bodies_bytes.min(Semaphore::MAX_PERMITS))),
            held,
            body_limit_bytes: limits.body_bytes,
            body_timeout: limits.body_timeout,
        }
    }

    /// Reads the whole body. The share is to be kept for as long as the bytes, or what was made of them.
    pub(crate) async fn read(&self, body: &mut Incoming) -> Result<(Bytes, BodyReservation), Answer> {
        self.read_within(body, self.body_limit_bytes).await
    }

    /// Reads a body that has a lower limit of its own.
    pub(crate) async fn read_within(
        &self,
        body: &mut Incoming,
        limit_bytes: usize,
    ) -> Result<(Bytes, BodyReservation), Answer> {
        let limit_bytes = limit_bytes.min(self.body_limit_bytes);
        match timeout(self.body_timeout, self.collect(body, limit_bytes)).await {
            Ok(read) => read,
            Err(_) => Err(Answer::BodyTimedOut),
        }
    }

    /// Unpacks a body, within the same limits as one that is not packed.
    pub(crate) async fn inflate(
        &self,
        packed: Bytes,
        share: BodyReservation,
    ) -> Result<(Bytes, BodyReservation), Answer> {
        let places = Arc::clone(&self.places);
        let limit_bytes = self.body_limit_bytes;
        // A few bytes may become the whole limit, so it is done where it holds nobody up.
        let unpacked = spawn_blocking(move || inflated(&packed, share, &places, limit_bytes)).await;
        unpacked.unwrap_or(Err(Answer::Internal))
    }

    /// Reads what a refused request still has to send, so that its sender gets to see why.
    pub(crate) async fn discard(&self, body: &mut Incoming) {
        let mut left = self.body_limit_bytes;
        let discarded = async {
            while let Some(Ok(frame)) = body.frame().await {
                let bytes = frame.data_ref().map_or(0, Bytes::len);
                match left.checked_sub(bytes) {
                    Some(less) => left = less,
                    None => return,
                }
            }
        };
        // Whoever needs longer than that is cut off.
        let _cut_off = timeout(DISCARD_TIMEOUT, discarded).await;
    }

    async fn collect(
        &self,
        body: &mut Incoming,
        limit_bytes: usize,
    ) -> Result<(Bytes, BodyReservation), Answer> {
        let mut share = BodyReservation { permit: None, held: self.held.clone() };
        let announced = usize::try_from(body.size_hint().exact().unwrap_or(0)).unwrap_or(usize::MAX);
        check_size(announced, limit_bytes)?;
        // Room is taken for what has come, not for what is announced: a client that announces much and sends
        // nothing would else keep everybody out.
        let mut bytes = BytesMut::with_capacity(announced.min(BUFFER_BYTES_AT_FIRST));
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| Answer::BodyBroken)?;
            let Ok(data) = frame.into_data() else { continue };
            let length = bytes.len() + data.len();
            check_size(length, limit_bytes)?;
            share.grow(&self.places, length.saturating_sub(share.bytes()))?;
            bytes.extend_from_slice(&data);
        }
        Ok((bytes.freeze(), share))
    }
}

fn inflated(
    packed: &[u8],
    mut share: BodyReservation,
    places: &Arc<Semaphore>,
    limit_bytes: usize,
) -> Result<(Bytes, BodyReservation), Answer> {
    let mut unpacked = BytesMut::new();
    let mut reader = MultiGzDecoder::new(packed);
    let mut buffer = vec![0; BUFFER_BYTES_AT_FIRST];
    loop {
        let count = reader.read(&mut buffer).map_err(|_| Answer::BodyBroken)?;
        if count == 0 {
            return Ok((unpacked.freeze(), share));
        }
        check_size(unpacked.len() + count, limit_bytes)?;
        // Beside the packed bytes, which are still there.
        share.grow(places, count)?;
        unpacked.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
}

fn check_size(bytes: usize, limit_bytes: usize) -> Result<(), Answer> {
    if bytes > limit_bytes { Err(Answer::BodyTooLarge { limit_bytes }) } else { Ok(()) }
}

impl BodyReservation {
    fn bytes(&self) -> usize {
        self.permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    fn grow(&mut self, places: &Arc<Semaphore>, bytes: usize) -> Result<(), Answer> {
        if bytes == 0 {
            return Ok(());
        }
        let count = u32::try_from(bytes).map_err(|_| Answer::MemoryFull)?;
        let more = Arc::clone(places).try_acquire_many_owned(count).map_err(|_| Answer::MemoryFull)?;
        self.held.add(i64::from(count));
        match &mut self.permit {
            Some(permit) => permit.merge(more),
            none => *none = Some(more),
        }
        Ok(())
    }
}

impl Drop for BodyReservation {
    fn drop(&mut self) {
        self.held.sub(i64::try_from(self.bytes()).unwrap_or(i64::MAX));
    }
}
