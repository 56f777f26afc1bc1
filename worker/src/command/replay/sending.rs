//! Sending letters, so many in a second.

use std::sync::Arc;
use std::time::Duration;

use model::envelope::{Envelope, decode};
use queue::{DeadLetterId, Headers, Message, MessageDestination, Publisher, Replay};
use tokio::time::{Instant, sleep_until};

use crate::command::publishing::publish;
use crate::command::{CommandError, Terminal};
use crate::dead_letters::DeadLetters;

/// Letters in one publish: those of a tenth of a second, so that the rate is kept smoothly; and no more than fit into
/// what a queue takes at once.
const TOGETHER_MAX: usize = 20;

/// An action that sends letters again.
pub(super) struct Sending<'d> {
    pub(super) letters: &'d DeadLetters,
    pub(super) publisher: Arc<dyn Publisher>,
    /// Its number in the audit trail.
    pub(super) action: i64,
    pub(super) forced: bool,
    /// Letters in a second, at most.
    pub(super) rate: u32,
}

impl Sending<'_> {
    /// Sends them in their order. Returns those that were sent, and why it ended early if it did.
    pub(super) async fn send(
        &self,
        ids: &[DeadLetterId],
        terminal: &mut Terminal<'_>,
    ) -> (Vec<DeadLetterId>, Option<CommandError>) {
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
            let told = write!(terminal.progress, "\rsent {} of {}", sent.len(), ids.len());
            if let Err(error) = told.and_then(|()| terminal.progress.flush()) {
                return (sent, Some(error.into()));
            }
        }
        let end = writeln!(terminal.progress);
        (sent, end.err().map(CommandError::from))
    }

    async fn send_some(&self, ids: &[DeadLetterId]) -> Result<Vec<DeadLetterId>, CommandError> {
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
            let stuck =
                if unmarked.is_ok() { "" } else { "; they are marked as sent: replay them with --stuck" };
            return Err(CommandError::Failed(format!("{error}{stuck}")));
        }
        Ok(sent)
    }
}
