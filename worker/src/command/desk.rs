//! What a command works with: the database, and patience an alert would not have.

use std::time::Duration;

use prometheus::Registry;
use shared::clock::Clock;
use shared::config::{Config, DatabaseConfig};

use super::CommandError;
use crate::audit::Audit;
use crate::dead_letters::{DeadLetterMetrics, DeadLetters};
use crate::store::{Store, file_of};

/// How long a round trip may take at least: somebody is waiting, but nothing waits behind them.
const PATIENCE: Duration = Duration::from_secs(30);

/// The database of the configuration, up to date.
pub(super) struct Desk {
    pub(super) letters: DeadLetters,
    pub(super) trail: Audit,
    pub(super) store: Store,
    pub(super) clock: Clock,
}

impl Desk {
    /// The database as it is.
    pub(super) async fn open(config: &Config) -> Result<Self, CommandError> {
        Self::check_there_is_one(config)?;
        Self::open_or_make(config).await
    }

    fn check_there_is_one(config: &Config) -> Result<(), CommandError> {
        // Making an empty database would hide that the wrong place was looked at.
        if let Some(file) = file_of(&config.database, &config.data_dir).filter(|file| !file.exists()) {
            return Err(CommandError::Failed(format!(
                "there is no database at {}: give the command the configuration (--config), the environment and the \
                 working directory of the process that told the alerts",
                file.display()
            )));
        }
        Ok(())
    }

    /// The database, made if it is not there yet.
    pub(super) async fn open_or_make(config: &Config) -> Result<Self, CommandError> {
        let database =
            DatabaseConfig { timeout: config.database.timeout.max(PATIENCE), ..config.database.clone() };
        // Nobody reads what a command counts.
        let registry = Registry::new();
        let store = Store::open(&database, &config.data_dir, &registry)?;
        store.migrate().await?;
        let metrics = DeadLetterMetrics::register(&registry)
            .map_err(|error| CommandError::Failed(error.to_string()))?;
        let clock = Clock::system();
        let letters = DeadLetters::new(store.clone(), clock.clone(), metrics);
        let trail = Audit::new(store.clone(), clock.clone());
        Ok(Self { letters, trail, store, clock })
    }
}
