//! What a command works with: the database, patience an alert would not have, and who gives it.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use config::{Config, DatabaseConfig};
use jiff::tz::TimeZone;
use prometheus::Registry;
use runtime::clock::Clock;

use super::CommandError;
use crate::audit::Audit;
use crate::dead_letters::{DeadLetterMetrics, DeadLetters};
use crate::store::{Store, file_of};

/// How long a round trip may take at least: somebody is waiting, but nothing waits behind them.
const PATIENCE: Duration = Duration::from_secs(30);

/// The database of the configuration, up to date.
pub(super) struct CommandContext {
    pub(super) letters: DeadLetters,
    pub(super) trail: Audit,
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// In which operators are told of times.
    pub(super) timezone: TimeZone,
}

impl CommandContext {
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
        Ok(Self { letters, trail, store, clock, timezone: config.timezone.clone() })
    }
}

/// Who is at the command line, for the audit trail: what the system says, which is no proof. `user@host`; the number of
/// the user where it has no name.
pub(super) fn who() -> String {
    let user = fs::metadata("/proc/self").map(|process| process.uid());
    let user = user.map_or_else(
        |_| "unknown user".to_owned(),
        |id| {
            let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
            name_of(id, &users).map_or_else(|| format!("user {id}"), str::to_owned)
        },
    );
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = host.trim();
    format!("{user}@{}", if host.is_empty() { "unknown host" } else { host })
}

/// The name of a user in `/etc/passwd`: the first field, where the third is the number.
fn name_of(id: u32, users: &str) -> Option<&str> {
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        let number = fields.nth(1)?;
        (number.parse() == Ok(id)).then_some(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_without_a_name_has_a_number() {
        let users = "root:x:0:0:root:/root:/bin/bash\nbroken\nann:x:1000:1000::/home/ann:/bin/sh\n";
        assert_eq!(name_of(1000, users), Some("ann"));
        assert_eq!(name_of(1001, users), None);
    }
}
