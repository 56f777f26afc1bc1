//! People's open ids from Feishu itself, by mobile and e-mail, where there is an app to ask with.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use thiserror::Error;

use super::metrics::{OwnerMetrics, Source};
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{AppBot, People};
use crate::store::Breaker;

/// Feishu's contacts.
#[derive(Debug)]
pub(crate) struct Contacts {
    bot: Arc<AppBot>,
    breaker: Breaker,
}

/// Why nobody could be looked up.
#[derive(Debug, Error)]
pub(crate) enum ContactsError {
    /// They failed a moment ago, and are not asked again yet.
    #[error("Feishu's contacts were away a moment ago")]
    Away,
    /// They refused, or did not answer. What Feishu says may repeat what it was asked for: it stays out.
    #[error("Feishu's contacts: {word}, code {code:?}")]
    Failed {
        /// What the answer means.
        word: &'static str,
        /// Feishu's code, if there was one.
        code: Option<i64>,
    },
}

impl Contacts {
    /// The contacts an app sees.
    pub(crate) fn new(bot: Arc<AppBot>, metrics: &OwnerMetrics) -> Self {
        Self { bot, breaker: Breaker::new("Feishu's contact directory", metrics.source(Source::Contacts)) }
    }

    /// Open ids by what was asked for; who is unknown or hidden is left out.
    pub(crate) async fn find(
        &self,
        people: &People,
        now: Timestamp,
    ) -> Result<BTreeMap<String, String>, ContactsError> {
        let Some(pass) = self.breaker.lets_through() else { return Err(ContactsError::Away) };
        let found = self.bot.batch_get_id(people, now).await.map_err(|verdict| ContactsError::of(&verdict));
        self.breaker.learn(pass, found.as_ref().err().map(|error| error as _));
        found
    }
}

impl ContactsError {
    fn of(verdict: &Verdict) -> Self {
        let code = |trouble: &Trouble| trouble.code;
        let code = match verdict {
            Verdict::Ok => None,
            Verdict::SlowDown { trouble, .. }
            | Verdict::TryAgain { trouble, .. }
            | Verdict::MayHaveArrived { trouble, .. }
            | Verdict::Unknown { trouble, .. }
            | Verdict::Unreachable(trouble)
            | Verdict::Repair(_, trouble)
            | Verdict::Broken(trouble)
            | Verdict::GiveUp(trouble) => code(trouble),
        };
        Self::Failed { word: verdict.as_str(), code }
    }
}
