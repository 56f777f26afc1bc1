//! The command's end of the socket.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use queue::{Message, PublishError, Publisher, Publishing};
use tokio::io::BufReader;
use tokio::net::UnixStream;
use tokio::time::timeout;

use super::wire::{Answer, DeadLetterLine, read, write};

/// How long one letter may take: longer than the queue's own patience, so that its word comes first.
const PATIENCE: Duration = Duration::from_secs(5);

/// Publishes letters through the process that has the queue.
#[derive(Clone, Debug)]
pub struct ControlClient {
    socket: PathBuf,
}

impl ControlClient {
    /// For the process that works on this data directory. An error if none answers.
    pub async fn connect(data_dir: &Path) -> io::Result<Self> {
        let socket = super::socket(data_dir);
        UnixStream::connect(&socket).await?;
        Ok(Self { socket })
    }

    async fn send(&self, letters: Vec<DeadLetterLine>) -> Result<(), PublishError> {
        let stream = UnixStream::connect(&self.socket).await.map_err(|_| PublishError::Unreachable)?;
        let mut stream = BufReader::new(stream);
        for letter in letters {
            let asked = async {
                write(&mut stream, &letter).await?;
                read::<Answer>(&mut stream).await
            };
            match timeout(PATIENCE, asked).await {
                Ok(Ok(Some(answer))) => Result::from(answer)?,
                Ok(Ok(None) | Err(_)) => return Err(PublishError::Unreachable),
                Err(_) => return Err(PublishError::TimedOut),
            }
        }
        Ok(())
    }
}

impl Publisher for ControlClient {
    fn publish(&self, messages: Vec<Message>) -> Publishing {
        let client = self.clone();
        Box::pin(async move {
            let letters: Option<Vec<_>> = messages.iter().map(DeadLetterLine::of).collect();
            let only = || PublishError::Refused("only alerts can be sent this way".to_owned());
            client.send(letters.ok_or_else(only)?).await
        })
    }
}
