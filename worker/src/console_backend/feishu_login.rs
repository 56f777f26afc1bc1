//! Log in with Feishu for the console: the app asks who somebody is, and who is in a chat.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use console::entrance::{FeishuLogin, FeishuLoginError, FeishuPerson, KnownSince};
use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use runtime::clock::Clock;
use tokio::sync::Mutex;
use tracing::warn;

use crate::feishu::{AppBot, LoginTrouble};

/// How long it is taken for true who is in a chat: each look counts against the company's calls of a month.
const MEMBERS_KEPT: SignedDuration = SignedDuration::from_mins(30);
/// How long while Feishu does not say.
const MEMBERS_KEPT_AT_MOST: SignedDuration = SignedDuration::from_hours(4);
/// How often somebody who is not there is looked for again when they log in.
const LOOKED_AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// The app, asked for the console.
pub(super) struct FeishuAppLogin {
    bot: Arc<AppBot>,
    clock: Clock,
    chats: Mutex<HashMap<String, ChatMembers>>,
}

struct ChatMembers {
    people: BTreeSet<String>,
    at: Timestamp,
}

impl FeishuAppLogin {
    pub(super) fn new(bot: Arc<AppBot>, clock: Clock) -> Self {
        Self { bot, clock, chats: Mutex::default() }
    }

    /// One look at a time, which is everybody's.
    async fn is_in(&self, chat_id: &str, open_id: &str, known: KnownSince) -> Result<bool, FeishuLoginError> {
        let mut chats = self.chats.lock().await;
        let now = self.clock.now();
        let age = |members: &ChatMembers| now.duration_since(members.at);
        if let Some(members) = chats.get(chat_id) {
            let is_there = members.people.contains(open_id);
            let kept = if is_there || known == KnownSince::Lately { MEMBERS_KEPT } else { LOOKED_AGAIN };
            if age(members) < kept {
                return Ok(is_there);
            }
        }
        match self.bot.members(chat_id, now).await {
            Ok(people) => {
                let is_there = people.contains(open_id);
                // As many as are configured.
                chats.insert(chat_id.to_owned(), ChatMembers { people, at: now });
                Ok(is_there)
            }
            Err(verdict) => {
                warn!(
                    chat_id,
                    verdict = verdict.as_str(),
                    "Feishu does not say who is in a chat whose members may see the console"
                );
                let old = chats.get(chat_id).filter(|members| age(members) < MEMBERS_KEPT_AT_MOST);
                let old = old.map(|members| members.people.contains(open_id));
                old.ok_or_else(|| {
                    FeishuLoginError::Unavailable(format!("the members of {chat_id}: {}", verdict.as_str()))
                })
            }
        }
    }
}

impl FeishuLogin for FeishuAppLogin {
    fn authorize_url(&self, redirect_uri: &str, state: &str, challenge: &str) -> String {
        self.bot.authorize_url(redirect_uri, state, challenge)
    }

    fn person<'f>(
        &'f self,
        code: &'f str,
        verifier: &'f str,
        redirect_uri: &'f str,
    ) -> BoxFuture<'f, Result<FeishuPerson, FeishuLoginError>> {
        Box::pin(async move {
            let user = self.bot.user_of(code, verifier, redirect_uri).await.map_err(meaning)?;
            Ok(FeishuPerson { open_id: user.open_id, tenant_key: user.tenant_key, name: user.name })
        })
    }

    fn is_member<'f>(
        &'f self,
        chat_id: &'f str,
        open_id: &'f str,
        known: KnownSince,
    ) -> BoxFuture<'f, Result<bool, FeishuLoginError>> {
        Box::pin(self.is_in(chat_id, open_id, known))
    }
}

/// What Feishu's codes mean for whoever logs in (reference "Feishu", 9).
fn meaning(LoginTrouble { code, said }: LoginTrouble) -> FeishuLoginError {
    match code {
        Some(20_003 | 20_004 | 20_005 | 20_049 | 20_065) => FeishuLoginError::Again(said),
        Some(20_010) => FeishuLoginError::NotOpen(said),
        Some(20_008 | 20_021 | 20_022 | 20_023 | 20_066) => FeishuLoginError::NoAccount(said),
        Some(20_050 | 20_072) | None => FeishuLoginError::Unavailable(said),
        Some(_) => FeishuLoginError::Configuration(said),
    }
}
