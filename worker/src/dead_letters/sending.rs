//! Sending letters, so many in a second.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use model::envelope::{Envelope, decode};
use queue::{DeadLetterId, Headers, Message, MessageDestination, PublishError, Publisher, Replay};
use thiserror::Error;
use tokio::time::{Instant, sleep_until};

use super::DeadLetters;
use super::publishing::publish;
use crate::store::StoreError;

/// Letters in one publish: those of a tenth of a second, so that the rate is kept smoothly; and no more than fit into
/// what a queue takes at once.
const TOGETHER_MAX: usize = 20;

/// An action that sends letters again.
pub(crate) struct Sending<'d> {
    pub(crate) letters: &'d DeadLetters,
    pub(crate) publisher: Arc<dyn Publisher>,
    /// Its number in the audit trail.
    pub(crate) action: i64,
    pub(crate) forced: bool,
    /// Letters in a second, at most.
    pub(crate) rate: u32,
}

/// Why letters are not sent any more.
#[derive(Debug, Error)]
pub(crate) enum SendingError {
    /// The database does not answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The queue does not take them: those that were about to be sent wait as before.
    #[error("{0}")]
    Publish(#[source] PublishError),
    /// The same, and nobody could write down that they wait: they count as sent, until somebody sends them again.
    #[error("{0}; they are marked as sent: replay them with --stuck")]
    Marked(#[source] PublishError),
    /// Nobody wants to know how far it has come.
    #[error("{0}")]
    Unheard(#[from] io::Error),
}

impl Sending<'_> {
    /// Sends them in their order. Returns those that were sent, and why it ended early if it did.
    /// `tell` hears how many were sent so far.
    pub(crate) async fn send(
        &self,
        ids: &[DeadLetterId],
        mut tell: impl FnMut(usize) -> io::Result<()>,
    ) -> (Vec<DeadLetterId>, Option<SendingError>) {
        let together = usize::try_from(self.rate).unwrap_or(1).div_ceil(10).clamp(1, TOGETHER_MAX);
        let mut sent = Vec::with_capacity(ids.len());
        let mut next = Instant::now();
        for some in ids.chunks(together) {
            sleep_until(next).await;
            next += Duration::from_secs(1) * u32::try_from(some.len()).unwrap_or(1) / self.rate;
            match self.send_some(some).await {
                Ok(more) => sent.extend(more),
                Err(error) => return (sent, Some(error)),
            }
            if let Err(error) = tell(sent.len()) {
                return (sent, Some(error.into()));
            }
        }
        (sent, None)
    }

    async fn send_some(&self, ids: &[DeadLetterId]) -> Result<Vec<DeadLetterId>, SendingError> {
        self.letters.begin_replay(ids, self.action).await?;
        // Asked again: somebody else may have discarded one meanwhile.
        let marked = self.letters.being_replayed(ids, self.action).await?;
        let sent: Vec<_> = marked.iter().map(|(id, _)| *id).collect();
        let messages = marked.into_iter().map(|(letter, body)| {
            // What nobody can read has no group; the worker dead-letters it again, unless it is a newer one.
            let shard_key = decode(body.trim_ascii_end()).as_ref().map_or(0, Envelope::shard_key);
            let headers =
                Headers { replay: Some(Replay { letter, forced: self.forced }), ..Headers::default() };
            Message { to: MessageDestination::Alerts { shard_key }, body: body.into(), headers }
        });
        if let Err(error) = publish(&*self.publisher, messages.collect()).await {
            let unmarked = self.letters.end_replay(&sent, self.action).await;
            return Err(if unmarked.is_ok() {
                SendingError::Publish(error)
            } else {
                SendingError::Marked(error)
            });
        }
        Ok(sent)
    }
}
