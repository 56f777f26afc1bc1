//! How the receivers are doing: by what this process heard of their bots, and by what the database has of all workers.

use std::time::Duration;

use config::{BOT_MARK, ReceiverConfig};
use console::data::{Advice, BotSummary, DeliveryError, HealthWord, ReceiverKind, ReceiverSummary};
use jiff::{SignedDuration, Timestamp};

use runtime::metrics::delivery::OUTBOX_OLDEST_AGE;

use super::ConsoleBackend;
use super::readings::MetricReadings;
use crate::feishu::advice::advice;
use crate::history::{cards_since, deferred};
use crate::receiver::{BotAccess, Receiver};
use crate::receiver_status::{BotStanding, BotStatus};

const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// How long the page waits for the database's part before it is shown without.
const DATABASE_WITHIN: Duration = Duration::from_secs(2);

/// What is known of a receiver by its settings.
#[derive(Clone, Debug)]
pub(super) struct ReceiverFacts {
    name: String,
    /// What the configuration calls it.
    configured_as: String,
    kind: ReceiverKind,
    cards_per_minute: u32,
    bots: Vec<String>,
}

impl ReceiverFacts {
    /// Of all receivers.
    pub(super) fn all_of(receivers: &[Receiver], configs: &[ReceiverConfig]) -> Vec<Self> {
        receivers.iter().map(|receiver| Self::of(receiver, configs)).collect()
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where its cards go.
    pub(super) const fn kind(&self) -> ReceiverKind {
        self.kind
    }

    fn of(receiver: &Receiver, configs: &[ReceiverConfig]) -> Self {
        // Each of several bots that are sent every card is a receiver: its name is the common one's with a number.
        let is_of = |config: &&ReceiverConfig| {
            let rest = receiver.name.strip_prefix(config.name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(BOT_MARK))
        };
        let config = configs.iter().find(is_of);
        let per_bot = config.map_or(0, |config| config.cards_per_minute);
        let bots: Vec<_> = receiver.group().iter().map(|bot| bot.name.clone()).collect();
        let several = u32::try_from(bots.len().max(1)).unwrap_or(u32::MAX);
        let kind = match receiver.way {
            BotAccess::CustomBot(_) => ReceiverKind::CustomBot,
            BotAccess::Group(_) => ReceiverKind::Bots,
            BotAccess::AppChat(_) => ReceiverKind::AppChat,
            BotAccess::Preview(_) => ReceiverKind::Preview,
        };
        Self {
            name: receiver.name.clone(),
            configured_as: config.map_or_else(|| receiver.name.clone(), |config| config.name.clone()),
            kind,
            cards_per_minute: per_bot.saturating_mul(several),
            bots: if bots.is_empty() { vec![receiver.name.clone()] } else { bots },
        }
    }
}

impl ConsoleBackend {
    /// Never fails: what the database does not say is left out.
    pub(super) async fn summaries(&self, readings: &MetricReadings, now: Timestamp) -> Vec<ReceiverSummary> {
        let since = now.checked_sub(MINUTE).unwrap_or(Timestamp::MIN);
        let asked = async {
            let cards = cards_since(&self.deps.store, since).await.ok();
            let deferred = deferred(&self.deps.store, now).await.ok();
            let letters = self.deps.letters.waiting_by_receiver().await.ok();
            (cards, deferred, letters)
        };
        let (cards, deferred, letters) =
            tokio::time::timeout(DATABASE_WITHIN, asked).await.unwrap_or_default();
        let summary = |facts: &ReceiverFacts| {
            let mut summary = self.of_process(facts);
            // What waits for nothing has an age of zero.
            summary.oldest_waiting_s =
                readings.of_receiver(OUTBOX_OLDEST_AGE.name, &facts.name).filter(|age| *age > 0.0);
            let cards = cards.as_ref().filter(|_| self.deps.history.is_kept());
            summary.cards_last_minute =
                cards.map(|all| all.iter().find(|of| of.receiver == facts.name).map_or(0, |of| of.count));
            if let Some(all) = deferred.as_ref().filter(|_| self.deps.history.is_kept()) {
                let of = all.iter().find(|of| of.receiver == facts.name);
                summary.alerts_deferred = Some(of.map_or(0, |of| of.count));
                summary.deferred_until = of.and_then(|of| Timestamp::from_millisecond(of.last_ms).ok());
            }
            summary.dead_letters = letters.as_ref().map(|all| {
                let of_receiver = all.iter().filter(|(name, _)| is_of_receiver(name, facts));
                of_receiver.map(|(_, count)| count).sum()
            });
            summary
        };
        self.deps.receivers.iter().map(summary).collect()
    }

    fn of_process(&self, facts: &ReceiverFacts) -> ReceiverSummary {
        let (_, alerts_waiting) = self.deps.metrics.standing(&facts.name);
        let statuses: Vec<_> = facts.bots.iter().map(|bot| (bot, self.deps.statuses.of(bot))).collect();
        let health = statuses.iter().map(|(_, status)| word(status.standing)).min().unwrap_or_default();
        let delivered_at = statuses.iter().filter_map(|(_, status)| status.delivered_at).max();
        ReceiverSummary {
            name: facts.name.clone(),
            configured_as: facts.configured_as.clone(),
            kind: facts.kind,
            health,
            alerts_waiting,
            cards_per_minute: facts.cards_per_minute,
            delivered_at,
            bots: statuses.into_iter().map(|(name, status)| bot(name, status)).collect(),
            ..ReceiverSummary::default()
        }
    }
}

fn is_of_receiver(name: &str, facts: &ReceiverFacts) -> bool {
    name == facts.name || facts.bots.iter().any(|bot| bot == name)
}

const fn word(standing: BotStanding) -> HealthWord {
    match standing {
        BotStanding::Takes => HealthWord::Healthy,
        BotStanding::SlowsDown => HealthWord::Throttled,
        BotStanding::Fails => HealthWord::Retrying,
        BotStanding::Away => HealthWord::Unreachable,
        BotStanding::Refuses => HealthWord::Misconfigured,
    }
}

fn bot(name: &str, status: BotStatus) -> BotSummary {
    let is_broken = status.standing == BotStanding::Refuses;
    let error = status.error.map(|error| {
        let advice = is_broken.then(|| advice(error.code)).map(|text| Advice { en: text.en, zh: text.zh });
        DeliveryError { at: error.at, code: error.code, message: error.message, advice }
    });
    BotSummary { name: name.to_owned(), health: word(status.standing), since: status.since, error }
}
