//! Who is told by name: whose alert it is (`rules`), who that is in Feishu (`directory`), and who stands on a card
//! (`roster`).

mod contacts;
mod directory;
mod glob;
mod metrics;
pub mod person;
pub mod roster;
mod rotation;
pub mod rules;
pub(crate) mod table;
pub(crate) mod users;

use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use prometheus::Registry;
use shared::clock::Clock;
use shared::config::{DatabaseConfig, OwnersConfig, ReceiverOwners};
use shared::lifecycle::Lifecycle;
use thiserror::Error;

use crate::card::Item;
use crate::feishu::AppBot;
use crate::receiver::{Receiver, Way};
use crate::store::{OpenError, Store};
use contacts::Contacts;
use directory::Directory;
use metrics::OwnerMetrics;
use person::Person;
use roster::{Manners, Roster, Wanted, wanted};
use rules::Rules;
use table::UserTable;

/// Everything that is needed to name people on cards.
#[derive(Debug)]
pub(crate) struct Owners {
    rules: Rules,
    directory: Directory,
    metrics: OwnerMetrics,
    mention_resolved: bool,
    mention_user_ids: bool,
    people_max: usize,
}

/// Why people cannot be looked up as it is configured.
#[derive(Debug, Error)]
pub enum OwnersError {
    /// The database of the user table.
    #[error(transparent)]
    Table(#[from] OpenError),
    /// Two parts of the process want the same metric.
    #[error("metrics cannot be registered: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// What people are looked up with.
pub(crate) struct Sources<'s> {
    pub(crate) database: &'s DatabaseConfig,
    pub(crate) store: &'s Store,
    /// The app's bot, if there is an app.
    pub(crate) bot: Option<Arc<AppBot>>,
}

impl Owners {
    /// Reads the configuration; asks nobody yet.
    pub(crate) fn new(
        config: &OwnersConfig,
        timezone: TimeZone,
        sources: Sources<'_>,
        registry: &Registry,
        (clock, lifecycle): (Clock, &Lifecycle),
    ) -> Result<Self, OwnersError> {
        let metrics = OwnerMetrics::register(registry)?;
        let table = UserTable::open(&config.table, sources.database, sources.store, &metrics)?;
        let contacts = sources.bot.map(|bot| Contacts::new(bot, &metrics));
        Ok(Self {
            rules: Rules::new(config, timezone),
            directory: Directory::new((table, contacts), config, clock, lifecycle),
            metrics,
            mention_resolved: config.mention_resolved,
            mention_user_ids: config.mention_user_ids,
            people_max: config.mentions_max,
        })
    }

    /// The people on a card for a receiver, within the deadline.
    pub(crate) async fn on_card(&self, items: &[Item<'_>], receiver: &Receiver, now: Timestamp) -> Roster {
        let wanted = self.wanted(items, &receiver.owners, now);
        if wanted.is_empty() {
            return Roster::default();
        }
        let people: Vec<Person> = wanted.iter().map(|wanted| wanted.person.clone()).collect();
        let found = self.directory.find(&people).await;
        // The bot of an app may mention either on a card; of custom bots the guide promises it for open ids only
        // (reference "Feishu", 2).
        let user_ids = self.mention_user_ids || matches!(receiver.way, Way::AppChat(_));
        let manners =
            Manners { all: receiver.owners.allow_mention_all, user_ids, people_max: self.people_max };
        Roster::of(&wanted, |person| found.get(person).cloned().unwrap_or(roster::Found::Late), manners)
    }

    fn wanted(&self, items: &[Item<'_>], receiver: &ReceiverOwners, now: Timestamp) -> Vec<Wanted> {
        wanted(items, &self.rules.at(now), receiver, self.mention_resolved)
    }

    /// Counts the people of a card that was told.
    pub(crate) fn told(&self, roster: &Roster) {
        self.metrics.told(roster);
    }
}
