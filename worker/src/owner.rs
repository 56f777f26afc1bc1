//! Who is told by name: whose alert it is (`rules`), who that is in Feishu (`directory`), and who stands on a card
//! (`roster`).

mod contacts;
mod directory;
mod glob;
pub(crate) mod metrics;
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
use crate::store::{OpenError, Store};
use contacts::Contacts;
use directory::Directory;
use metrics::OwnerMetrics;
use person::Person;
use roster::{Manners, Roster, wanted};
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

    /// The people on a card for a receiver, within the deadline. `is_app` is whether the app's bot sends it.
    pub(crate) async fn on_card(
        &self,
        items: &[Item<'_>],
        (receiver, is_app): (&ReceiverOwners, bool),
        now: Timestamp,
    ) -> Roster {
        let wanted = wanted(items, &self.rules.at(now), receiver, (self.mention_resolved, self.people_max));
        if wanted.is_empty() {
            return Roster::default();
        }
        let people: Vec<Person> = wanted.iter().map(|wanted| wanted.person.clone()).collect();
        let found = self.directory.find(&people).await;
        // The bot of an app may mention either on a card; of custom bots the guide promises it for open ids only
        // (reference "Feishu", 2).
        let user_ids = self.mention_user_ids || is_app;
        let manners = Manners { all: receiver.allow_mention_all, user_ids, people_max: self.people_max };
        Roster::of(&wanted, |person| found.get(person).cloned().unwrap_or(roster::Found::Late), manners)
    }

    /// The same people by their names alone, for a card that is updated: that is nobody's call.
    pub(crate) async fn by_name(
        &self,
        items: &[Item<'_>],
        receiver: Option<&ReceiverOwners>,
        now: Timestamp,
    ) -> Roster {
        let Some(receiver) = receiver else { return Roster::default() };
        self.on_card(items, (receiver, true), now).await.quiet()
    }

    /// What the user table calls whoever has one of these ids of Feishu's.
    pub(crate) async fn name_of(&self, ids: &[&str]) -> Option<String> {
        self.directory.name_of(ids).await
    }

    /// Counts the people of a card that was told.
    pub(crate) fn told(&self, roster: &Roster) {
        self.metrics.told(roster);
    }
}
