//! What is said over the socket: a JSON object a line, a question and its answer.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use queue::{Headers, Message, MessageDestination, PublishError, Replay};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// One line at most, in bytes: a letter of 1 MiB in base64, and what is around it.
const LINE_BYTES_MAX: u64 = 1536 * 1024;

/// What a command has for the workers: a dead letter that is to be sent again, or a test alert.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DeadLetterLine {
    shard_key: u64,
    /// In base64: not every letter is text.
    body: String,
    /// Which dead letter it is, if it is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    replay: Option<Replay>,
}

/// Whether the queue has it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Answer {
    Confirmed,
    Busy,
    Unreachable,
    TimedOut,
    Refused(String),
}

impl DeadLetterLine {
    /// `None` for anything but what is on its way to the workers.
    pub(super) fn of(message: &Message) -> Option<Self> {
        let MessageDestination::Alerts { shard_key } = message.to else { return None };
        Some(Self { shard_key, body: STANDARD.encode(&message.body), replay: message.headers.replay })
    }

    pub(super) fn into_message(self) -> Result<Message, base64::DecodeError> {
        let body = STANDARD.decode(self.body)?.into();
        let headers = Headers { replay: self.replay, ..Headers::default() };
        Ok(Message { to: MessageDestination::Alerts { shard_key: self.shard_key }, body, headers })
    }
}

impl From<Result<(), PublishError>> for Answer {
    fn from(published: Result<(), PublishError>) -> Self {
        match published {
            Ok(()) => Self::Confirmed,
            Err(PublishError::Busy) => Self::Busy,
            Err(PublishError::Unreachable) => Self::Unreachable,
            Err(PublishError::TimedOut) => Self::TimedOut,
            Err(PublishError::Refused(why)) => Self::Refused(why),
        }
    }
}

impl From<Answer> for Result<(), PublishError> {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Confirmed => Ok(()),
            Answer::Busy => Err(PublishError::Busy),
            Answer::Unreachable => Err(PublishError::Unreachable),
            Answer::TimedOut => Err(PublishError::TimedOut),
            Answer::Refused(why) => Err(PublishError::Refused(why)),
        }
    }
}

/// The next line; `None` at the end. A line that is too long or cut off is an error.
pub(super) async fn read<T: for<'t> Deserialize<'t>>(
    from: &mut (impl AsyncBufRead + Unpin),
) -> io::Result<Option<T>> {
    let mut line = Vec::new();
    from.take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await?;
    match line.split_last() {
        None => Ok(None),
        Some((b'\n', line)) => Ok(Some(serde_json::from_slice(line)?)),
        Some(_) => Err(io::Error::new(io::ErrorKind::InvalidData, "a line that is too long or cut off")),
    }
}

pub(super) async fn write(to: &mut (impl AsyncWrite + Unpin), value: &impl Serialize) -> io::Result<()> {
    let mut line = serde_json::to_vec(value)?;
    line.push(b'\n');
    to.write_all(&line).await?;
    to.flush().await
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use queue::DeadLetterId;
    use worker::dead_letters::LETTER_BYTES_MAX;

    use super::*;

    fn message(body: Vec<u8>) -> Message {
        let replay = Some(Replay { letter: DeadLetterId(7), forced: true });
        let headers = Headers { replay, ..Headers::default() };
        Message { to: MessageDestination::Alerts { shard_key: u64::MAX }, body: body.into(), headers }
    }

    #[tokio::test]
    async fn the_largest_letter_fits_and_arrives_as_it_was() {
        let sent = message(vec![0xff; LETTER_BYTES_MAX]);
        let mut line = Vec::new();
        write(&mut line, &DeadLetterLine::of(&sent).unwrap()).await.unwrap();
        let letter: DeadLetterLine = read(&mut &line[..]).await.unwrap().unwrap();
        let came = letter.into_message().unwrap();
        assert_eq!((came.to, &came.body, &came.headers), (sent.to, &sent.body, &sent.headers));
    }

    #[tokio::test]
    async fn what_is_no_line_of_ours_is_an_error() {
        let endless = vec![b'x'; usize::try_from(LINE_BYTES_MAX).unwrap() + 1];
        for wrong in [&endless[..], b"{\"publish\":", b"{}\n"] {
            assert!(read::<DeadLetterLine>(&mut &*wrong).await.is_err());
        }
        assert!(read::<DeadLetterLine>(&mut &b""[..]).await.unwrap().is_none());
    }

    #[test]
    fn a_test_alert_is_no_letter_and_nothing_but_the_workers_can_be_sent_to() {
        let test = Message { headers: Headers::default(), ..message(Vec::new()) };
        let came = DeadLetterLine::of(&test).unwrap().into_message().unwrap();
        assert_eq!((came.to, came.headers), (test.to, Headers::default()));
        let elsewhere =
            Message { to: MessageDestination::DeadLetters, body: Bytes::new(), ..message(Vec::new()) };
        assert!(DeadLetterLine::of(&elsewhere).is_none());
    }
}
