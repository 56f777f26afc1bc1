//! How each bot has answered last, for whoever looks: since when it is in trouble, what it said, when it last took a card. It
//! decides nothing; that is the outbox's.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use crate::feishu::verdict::{Trouble, Verdict};

/// What was heard of each bot, by its name. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReceiverStatuses(Arc<Mutex<BTreeMap<String, BotStatus>>>);

/// What was heard of a bot since this process started.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct BotStatus {
    /// What it answered last.
    pub(crate) standing: BotStanding,
    /// Since when it has answered nothing better.
    pub(crate) since: Option<Timestamp>,
    /// When it last took a card.
    pub(crate) delivered_at: Option<Timestamp>,
    /// What went wrong last.
    pub(crate) error: Option<BotError>,
}

/// Something that went wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct BotError {
    pub(crate) at: Timestamp,
    pub(crate) code: Option<i64>,
    pub(crate) message: String,
}

/// How a bot is doing, by what it answered last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum BotStanding {
    /// It takes cards, or was not asked yet.
    #[default]
    Takes,
    /// It said to slow down.
    SlowsDown,
    /// It failed, or nobody knows whether it did.
    Fails,
    /// Nobody answers.
    Away,
    /// It refuses everything.
    Refuses,
}

impl ReceiverStatuses {
    /// Takes note of an answer.
    pub(crate) fn answered(&self, bot: &str, verdict: &Verdict, now: Timestamp) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(bot.to_owned()).or_default().answered(verdict, now);
    }

    /// What is known of a bot.
    pub(crate) fn of(&self, bot: &str) -> BotStatus {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(bot).cloned().unwrap_or_default()
    }
}

impl BotStatus {
    fn answered(&mut self, verdict: &Verdict, now: Timestamp) {
        let (standing, trouble) = match verdict {
            Verdict::Ok => (BotStanding::Takes, None),
            Verdict::SlowDown { trouble, .. } => (BotStanding::SlowsDown, Some(trouble)),
            Verdict::TryAgain { trouble, .. }
            | Verdict::MayHaveArrived { trouble, .. }
            | Verdict::Unknown { trouble, .. } => (BotStanding::Fails, Some(trouble)),
            Verdict::Unreachable(trouble) => (BotStanding::Away, Some(trouble)),
            // It has answered: the card was the reason.
            Verdict::Repair(_, trouble) | Verdict::GiveUp(trouble) => (BotStanding::Takes, Some(trouble)),
            Verdict::Broken(trouble) => (BotStanding::Refuses, Some(trouble)),
        };
        if *verdict == Verdict::Ok {
            self.delivered_at = Some(now);
        }
        if let Some(Trouble { code, message, .. }) = trouble {
            self.error = Some(BotError { at: now, code: *code, message: message.clone() });
        }
        if self.standing != standing {
            self.standing = standing;
            self.since = (standing != BotStanding::Takes).then_some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_is_known_since_it_began_and_forgotten_when_a_card_is_taken() {
        let statuses = ReceiverStatuses::default();
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(statuses.of("ops"), BotStatus::default());
        let broken =
            Verdict::Broken(Trouble::with_code(19001, "incoming webhook access token invalid".to_owned()));
        statuses.answered("ops", &broken, at(10));
        statuses.answered("ops", &broken, at(20));
        let status = statuses.of("ops");
        assert_eq!((status.standing, status.since), (BotStanding::Refuses, Some(at(10))));
        let error = status.error.unwrap();
        assert_eq!((error.at, error.code), (at(20), Some(19001)));
        statuses.answered("ops", &Verdict::Ok, at(30));
        let status = statuses.of("ops");
        assert_eq!(
            (status.standing, status.since, status.delivered_at),
            (BotStanding::Takes, None, Some(at(30)))
        );
        assert!(status.error.is_some(), "the last error stays to be seen");
    }
}
