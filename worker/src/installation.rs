//! Which installation a database belongs to. Two that share one by mistake take each other's alerts for delivered ones, and spend
//! each other's budgets: so the first writes down who it is, and another one refuses to start.
//!
//! With RabbitMQ an installation is the place of its queues: cluster, virtual host and prefix, the same for all workers of
//! a fleet whatever address each of them has. Embedded, it is an id that is made once in the data directory.

mod data_dir;
mod gate;
mod record;

use std::path::{Path, PathBuf};

use config::{Config, QueueConfig};
use queue::rabbitmq::{GreetingError, QueueHome, queue_home};
use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::store::StoreError;
pub(crate) use gate::Gate;
pub use record::{adopt, claim, recorded};

/// The text of a label may have so many characters.
const LABEL_CHARS_MAX: usize = 255;
/// How much of an embedded installation's id its label shows, in characters.
const SHORT_ID_CHARS: usize = 8;

/// One installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    /// 64 hexadecimal digits.
    pub id: String,
    /// Who that is, in words, without secrets.
    pub label: String,
}

/// Where an installation is known by. Nothing is asked for a database that nobody else can have.
#[derive(Clone, Debug)]
pub enum InstallationOrigin {
    /// The place of its queues.
    Queues(QueueConfig),
    /// The data directory of an embedded queue.
    DataDir(PathBuf),
}

/// Why it cannot be said which installation this is, or which one the database belongs to.
#[derive(Debug, Error)]
pub enum InstallationError {
    /// The broker does not answer.
    #[error("{0}")]
    Broker(#[from] GreetingError),
    /// The data directory cannot be read or written.
    #[error("{path}: {cause}")]
    DataDir {
        /// The file.
        path: String,
        /// What the system said.
        cause: std::io::Error,
    },
    /// The database does not answer.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// Something does not answer in time.
    #[error("no answer in time")]
    TimedOut,
}

/// Whose a database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DatabaseOwner {
    /// Nobody has said so yet.
    Nobody,
    /// It is ours.
    Us,
    /// Another installation's.
    Another(Conflict),
}

/// Two installations on one database.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the database of database.url (DATABASE_URL) belongs to another installation, {other}; this one is {ours}. Give each a \
     database of its own; or, if the other one is no more (its broker was replaced, say), run adopt-database with this \
     configuration"
)]
pub struct Conflict {
    /// The label of who wrote itself down.
    pub other: String,
    /// Our label.
    pub ours: String,
}

/// Whose it is, by what is written down in it.
pub(crate) fn owner(recorded: Option<&Installation>, ours: &Installation) -> DatabaseOwner {
    match recorded {
        None => DatabaseOwner::Nobody,
        Some(recorded) if recorded.id == ours.id => DatabaseOwner::Us,
        Some(recorded) => {
            DatabaseOwner::Another(Conflict { other: recorded.label.clone(), ours: ours.label.clone() })
        }
    }
}

impl InstallationOrigin {
    /// `None` for a database that is a file in the data directory.
    pub fn of(config: &Config) -> Option<Self> {
        config.database.url.as_ref()?;
        Some(match &config.queue {
            Some(queue) => Self::Queues(queue.clone()),
            None => Self::DataDir(config.data_dir.clone()),
        })
    }

    /// Which one it is; `None` if its broker gives no name. In a data directory its id is made if it is not there.
    pub(crate) async fn installation(&self) -> Result<Option<Installation>, InstallationError> {
        match self {
            Self::Queues(config) => Ok(queue_home(config).await?.as_ref().map(Installation::of_queues)),
            Self::DataDir(folder) => {
                let there = folder.clone();
                // A disk may be slow, and nothing else is to wait for it.
                let id = tokio::task::spawn_blocking(move || data_dir::id(&there)).await;
                let id = id.unwrap_or_else(|error| Err((folder.clone(), error.into())));
                let id = id.map_err(|(path, cause)| InstallationError::DataDir {
                    path: path.display().to_string(),
                    cause,
                })?;
                Ok(Some(Installation::of_data_dir(&id, folder)))
            }
        }
    }

    /// The same without making anything.
    pub(crate) async fn installation_so_far(&self) -> Result<Option<Installation>, InstallationError> {
        match self {
            Self::DataDir(folder) if !data_dir::is_named(folder) => Ok(None),
            Self::Queues(_) | Self::DataDir(_) => self.installation().await,
        }
    }
}

impl Installation {
    fn of_queues(QueueHome { cluster, vhost, prefix }: &QueueHome) -> Self {
        Self::of(
            &["queues", cluster, vhost, prefix],
            &format!(
                "on RabbitMQ's cluster {cluster:?} in the virtual host {vhost:?} with the prefix {prefix:?}"
            ),
        )
    }

    fn of_data_dir(id: &str, folder: &Path) -> Self {
        let short: String = id.chars().take(SHORT_ID_CHARS).collect();
        Self::of(&["data_dir", id], &format!("embedded in {} with the id {short}", folder.display()))
    }

    /// By what tells it from others. Hashed with the lengths: ("a", "bc") is not ("ab", "c").
    fn of(parts: &[&str], label: &str) -> Self {
        let hash = parts.iter().fold(Sha256::new(), |hash, part| {
            let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
            hash.chain_update(length.to_be_bytes()).chain_update(part)
        });
        Self { id: hex::encode(hash.finalize()), label: label.chars().take(LABEL_CHARS_MAX).collect() }
    }
}

#[cfg(test)]
mod tests;
