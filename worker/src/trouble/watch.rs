//! Looks for trouble: what this worker's own bots have answered, and which dead letters wait.

use std::collections::BTreeMap;
use std::time::Duration;

use config::{BOT_MARK, TroubleConfig};
use jiff::{SignedDuration, Timestamp};
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use tokio::time::sleep;
use tracing::{debug, warn};

use super::table::{TroubleKind, TroubleNews, TroubleRow, TroubleTable};
use super::words::TroubleWords;
use crate::dead_letters::DeadLetters;
use crate::own_alerts::OwnAlerts;
use crate::receiver_status::{BotStanding, ReceiverStatuses};
use crate::store::{Store, StoreError};

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// Receivers whose dead letters are named.
const NAMED_MAX: usize = 5;

/// Where trouble is looked for.
pub(crate) struct TroubleSources {
    /// How each bot has answered.
    pub(crate) statuses: ReceiverStatuses,
    /// The bots' names.
    pub(crate) bots: Vec<String>,
    /// What waits for an operator.
    pub(crate) letters: DeadLetters,
}

/// One worker's part in it.
pub(crate) struct TroubleWatch {
    config: TroubleConfig,
    sources: TroubleSources,
    table: TroubleTable,
    own_alerts: OwnAlerts,
    words: TroubleWords,
    clock: Clock,
    /// Of bots that have taken nothing since then.
    met: BTreeMap<String, MetTrouble>,
}

/// What a bot has met with in a row.
#[derive(Clone, Copy, Debug)]
struct MetTrouble {
    since: Timestamp,
    /// The last of it that is written down.
    written: Option<Timestamp>,
}

impl TroubleWatch {
    /// By these settings, in this database.
    pub(crate) fn new(
        config: TroubleConfig,
        sources: TroubleSources,
        store: Store,
        own_alerts: OwnAlerts,
        words: TroubleWords,
        clock: Clock,
    ) -> Self {
        let table = TroubleTable::new(store);
        Self { config, sources, table, own_alerts, words, clock, met: BTreeMap::new() }
    }

    /// Looks until the stop.
    pub(crate) async fn run(mut self, lifecycle: Lifecycle) {
        let looks = async {
            loop {
                sleep(LOOK_EVERY).await;
                // A failure is the store's to tell; the next look is soon.
                if let Err(error) = Box::pin(self.look()).await {
                    debug!(%error, "own trouble could not be looked for");
                }
            }
        };
        lifecycle.stop.run_until_cancelled(Box::pin(looks)).await;
    }

    /// Looks once.
    async fn look(&mut self) -> Result<(), StoreError> {
        let now = self.clock.now();
        self.look_at_bots(now).await?;
        self.look_at_letters(now).await?;
        self.table.tidy(now).await?;
        for news in [TroubleNews::Begun, TroubleNews::Over] {
            if let Some(taken) = self.table.take(news, now).await? {
                let alerts: Vec<_> = match news {
                    TroubleNews::Begun => taken.rows.iter().map(|row| self.words.begun(row)).collect(),
                    TroubleNews::Over => taken.rows.iter().map(|row| self.words.over(row, now)).collect(),
                };
                if let Err(error) = self.own_alerts.publish(alerts, now).await {
                    // It is taken again after a while, here or elsewhere.
                    warn!(%error, "own trouble could not be published");
                    continue;
                }
                self.table.told(news, &taken, now).await?;
            }
        }
        Ok(())
    }

    async fn look_at_bots(&mut self, now: Timestamp) -> Result<(), StoreError> {
        for bot in self.sources.bots.iter().filter(|bot| !is_of(bot, &self.config.receiver)) {
            let status = self.sources.statuses.of(bot);
            let kind = match status.standing {
                BotStanding::Refuses => TroubleKind::Refuses,
                BotStanding::Fails | BotStanding::Away => TroubleKind::Away,
                BotStanding::Takes | BotStanding::SlowsDown => {
                    self.met.remove(bot);
                    // Whoever was the last to meet with it, this is later.
                    if let Some(delivered_at) = status.delivered_at {
                        self.table.over(bot, delivered_at, now).await?;
                    }
                    continue;
                }
            };
            let Some(error) = status.error else { continue };
            let first = MetTrouble { since: status.since.unwrap_or(error.at), written: None };
            let met = self.met.entry(bot.clone()).or_insert(first);
            let after = SignedDuration::try_from(self.config.after).unwrap_or(SignedDuration::MAX);
            let is_long = kind == TroubleKind::Refuses || now.duration_since(met.since) >= after;
            // Only what is new: another worker may have seen its end since.
            if !is_long || met.written.is_some_and(|written| written >= error.at) {
                continue;
            }
            let row = TroubleRow {
                subject: bot.clone(),
                kind,
                code: error.code,
                detail: error.message.clone(),
                since: met.since,
                seen_at: error.at,
            };
            self.table.met(&row).await?;
            met.written = Some(error.at);
        }
        Ok(())
    }

    async fn look_at_letters(&self, now: Timestamp) -> Result<(), StoreError> {
        let waiting = self.sources.letters.waiting_by_receiver().await?;
        let waiting: Vec<_> =
            waiting.into_iter().filter(|(receiver, _)| !is_of(receiver, &self.config.receiver)).collect();
        if waiting.is_empty() {
            return self.table.over("", now, now).await;
        }
        let each = waiting.iter().take(NAMED_MAX).map(|(receiver, letters)| {
            let receiver = if receiver.is_empty() { "-" } else { receiver };
            format!("{receiver}: {letters}")
        });
        let more = if waiting.len() > NAMED_MAX { ", …" } else { "" };
        let detail = each.collect::<Vec<_>>().join(", ") + more;
        let row = TroubleRow {
            subject: String::new(),
            kind: TroubleKind::DeadLetters,
            code: None,
            detail,
            since: now,
            seen_at: now,
        };
        self.table.met(&row).await
    }
}

/// Whether it is this receiver, or one of its bots.
fn is_of(bot: &str, receiver: &str) -> bool {
    bot.strip_prefix(receiver).is_some_and(|rest| rest.is_empty() || rest.starts_with(BOT_MARK))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receiver_is_itself_and_its_bots_and_no_other_that_begins_like_it() {
        assert!(is_of("ops", "ops") && is_of("ops/2", "ops"));
        assert!(!is_of("ops2", "ops") && !is_of("dev", "ops") && !is_of("", "ops"));
    }
}
