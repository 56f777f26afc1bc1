//! Who somebody is in Feishu: looked up in the user table and among the app's contacts, within a deadline, and cached.

mod called;
mod contacts;
mod lookup;
pub(crate) mod metrics;
pub(crate) mod table;
pub(crate) mod users;

use std::sync::Arc;

use config::{DatabaseConfig, OwnersConfig, ReceiverOwners, SeverityWords};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use prometheus::Registry;
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use thiserror::Error;

use crate::feishu::AppBot;
use crate::oncall::OnCall;
use crate::people::mentions::{MentionPolicy, Mentions, PersonLookup, wanted};
use crate::people::person::Person;
use crate::people::rules::OwnerRules;
use crate::render::{self, Item};
use crate::store::{OpenError, Store};
pub(crate) use called::CalledPeople;
use contacts::Contacts;
use lookup::Directory;
use metrics::OwnerMetrics;
use table::UserTable;

/// Everything that is needed to name people on cards.
#[derive(Debug)]
pub(crate) struct OwnerResolver {
    severities: SeverityWords,
    rules: OwnerRules,
    directory: Directory,
    metrics: OwnerMetrics,
    /// Who has swapped turns with whom.
    oncall: OnCall,
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

/// Who sends a card: which ids of people a mention may have depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CardSender {
    /// A custom bot, or nobody (the preview).
    CustomBot,
    /// The app's bot.
    AppBot,
}

/// What people are looked up with.
pub(crate) struct Sources<'s> {
    pub(crate) database: &'s DatabaseConfig,
    pub(crate) store: &'s Store,
    /// The app's bot, if there is an app.
    pub(crate) bot: Option<Arc<AppBot>>,
    /// Who has swapped turns with whom.
    pub(crate) oncall: OnCall,
}

impl OwnerResolver {
    /// Reads the configuration; asks nobody yet.
    pub(crate) fn new(
        config: &OwnersConfig,
        severities: SeverityWords,
        timezone: TimeZone,
        sources: Sources<'_>,
        registry: &Registry,
        clock: Clock,
        lifecycle: &Lifecycle,
    ) -> Result<Self, OwnersError> {
        let metrics = OwnerMetrics::register(registry)?;
        let table = UserTable::open(&config.table, sources.database, sources.store, &metrics)?;
        let contacts = sources.bot.map(|bot| Contacts::new(bot, &metrics));
        Ok(Self {
            severities,
            rules: OwnerRules::new(config, timezone),
            directory: Directory::new(table, contacts, config, clock, lifecycle),
            metrics,
            oncall: sources.oncall,
            mention_resolved: config.mention_resolved,
            mention_user_ids: config.mention_user_ids,
            people_max: config.mentions_max,
        })
    }

    /// The people on a card for a receiver, within the deadline.
    pub(crate) async fn on_card(
        &self,
        items: &[Item<'_>],
        receiver: &ReceiverOwners,
        sender: CardSender,
        now: Timestamp,
    ) -> Mentions {
        let mut worst_first: Vec<&Item<'_>> = items.iter().collect();
        worst_first.sort_by_key(|item| render::urgency(item, &self.severities));
        let alerts = worst_first.into_iter().map(|item| (item.alert, item.is_firing()));
        let swaps = self.oncall.swaps();
        let rotations = self.oncall.rotations();
        let duty = self.rules.at(now, &rotations, &swaps);
        let wanted = wanted(alerts, &duty, receiver, self.mention_resolved, self.people_max);
        if wanted.is_empty() {
            return Mentions::default();
        }
        let people: Vec<Person> = wanted.iter().map(|wanted| wanted.person.clone()).collect();
        let found = self.directory.find(&people).await;
        // The bot of an app may mention either on a card; of custom bots the guide promises it for open ids only
        // (reference "Feishu", 2).
        let user_ids = self.mention_user_ids || sender == CardSender::AppBot;
        let policy = MentionPolicy { all: receiver.allow_mention_all, user_ids, people_max: self.people_max };
        Mentions::of(&wanted, |person| found.get(person).cloned().unwrap_or(PersonLookup::Late), policy)
    }

    /// The same people by their names alone, for a card that is updated: that is nobody's call.
    pub(crate) async fn by_name(
        &self,
        items: &[Item<'_>],
        receiver: Option<&ReceiverOwners>,
        now: Timestamp,
    ) -> Mentions {
        let Some(receiver) = receiver else { return Mentions::default() };
        self.on_card(items, receiver, CardSender::AppBot, now).await.quiet()
    }

    /// What the user table calls whoever has one of these ids of Feishu's.
    pub(crate) async fn name_of(&self, ids: &[&str]) -> Option<String> {
        self.directory.name_of(ids).await
    }

    /// Counts the people of a card that was delivered.
    pub(crate) fn card_delivered(&self, mentions: &Mentions) {
        self.metrics.card_delivered(mentions);
    }
}
