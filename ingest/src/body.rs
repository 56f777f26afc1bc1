//! Reading a body: within a size, within a time, and within what all bodies together may hold.

use std::io::Read as _;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use config::IngestLimits;
use flate2::read::MultiGzDecoder;
use http_body_util::BodyExt;
use hyper::body::{Body, Incoming};
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::answer::Answer;
use crate::memory::Held;

/// How much of a refused body is read and thrown away, at most for this long: a client that is still sending when
/// the connection closes sees a reset instead of the answer, and Alertmanager then tries for ever.
const DISCARD_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a body may take for which nobody has vouched. Feishu waits 3 s for its answer.
const STRANGER_TIMEOUT: Duration = Duration::from_secs(10);
/// What is allocated before anything has come; most bodies are smaller.
const BUFFER_BYTES_AT_FIRST: usize = 64 * 1024;

/// How bodies are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyReader {
    body_limit_bytes: usize,
    body_timeout: Duration,
}

impl BodyReader {
    pub(crate) const fn new(limits: &IngestLimits) -> Self {
        Self { body_limit_bytes: limits.body_bytes, body_timeout: limits.body_timeout }
    }

    /// Reads the whole body. `held` is to be kept for as long as the bytes, or what was made of them.
    pub(crate) async fn read(&self, body: &mut Incoming, held: &mut Held) -> Result<Bytes, Answer> {
        self.read_within(body, held, self.body_limit_bytes).await
    }

    /// Reads a body that has a lower limit of its own.
    pub(crate) async fn read_within(
        &self,
        body: &mut Incoming,
        held: &mut Held,
        limit_bytes: usize,
    ) -> Result<Bytes, Answer> {
        let limit_bytes = limit_bytes.min(self.body_limit_bytes);
        let time =
            if held.is_stranger() { self.body_timeout.min(STRANGER_TIMEOUT) } else { self.body_timeout };
        match timeout(time, collect(body, held, limit_bytes)).await {
            Ok(read) => read,
            Err(_) => Err(Answer::BodyTimedOut),
        }
    }

    /// Unpacks a body, within the same limits as one that is not packed.
    pub(crate) async fn inflate(&self, packed: Bytes, mut held: Held) -> Result<(Bytes, Held), Answer> {
        let limit_bytes = self.body_limit_bytes;
        // A few bytes may become the whole limit, so it is done where it holds nobody up.
        let unpacked = spawn_blocking(move || {
            let unpacked = inflated(&packed, &mut held, limit_bytes)?;
            Ok((unpacked, held))
        });
        unpacked.await.unwrap_or(Err(Answer::Internal))
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
}

async fn collect(body: &mut Incoming, held: &mut Held, limit_bytes: usize) -> Result<Bytes, Answer> {
    let announced = usize::try_from(body.size_hint().exact().unwrap_or(0)).unwrap_or(usize::MAX);
    check_size(announced, limit_bytes)?;
    // Room is taken for what has come, not for what is announced: a client that announces much and sends
    // nothing would else keep everybody out.
    let mut bytes = BytesMut::with_capacity(announced.min(BUFFER_BYTES_AT_FIRST));
    loop {
        let frame = tokio::select! {
            biased;
            () = held.displaced() => return Err(Answer::MemoryFull),
            frame = body.frame() => frame,
        };
        let Some(frame) = frame else { return Ok(bytes.freeze()) };
        let Ok(data) = frame.map_err(|_| Answer::BodyBroken)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        check_size(length, limit_bytes)?;
        held.grow(length.saturating_sub(held.body_bytes())).await?;
        bytes.extend_from_slice(&data);
    }
}

fn inflated(packed: &[u8], held: &mut Held, limit_bytes: usize) -> Result<Bytes, Answer> {
    let runtime = Handle::current();
    let mut unpacked = BytesMut::new();
    let mut reader = MultiGzDecoder::new(packed);
    let mut buffer = vec![0; BUFFER_BYTES_AT_FIRST];
    loop {
        let count = reader.read(&mut buffer).map_err(|_| Answer::BodyBroken)?;
        if count == 0 {
            return Ok(unpacked.freeze());
        }
        check_size(unpacked.len() + count, limit_bytes)?;
        // Beside the packed bytes, which are still there.
        runtime.block_on(held.grow(count))?;
        unpacked.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
}

fn check_size(bytes: usize, limit_bytes: usize) -> Result<(), Answer> {
    if bytes > limit_bytes { Err(Answer::BodyTooLarge { limit_bytes }) } else { Ok(()) }
}
