//! How people are answered: in a thread under what they did, by name.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use config::Locale;
use model::interaction::Interaction;
use runtime::clock::Clock;
use runtime::retry::RetryPolicy;
use tokio::sync::Mutex as FairMutex;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::metrics::InteractionMetrics;
use super::reply::Reply;
use crate::card_store::Cards;
use crate::feishu::limits::{AppCall, CallBudget, SLOW_DOWN_PAUSE};
use crate::feishu::sender::{NO_RECEIVER, Sender};
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{AppBot, CardContent, MessageId, OnceKey, ReplyTo};

/// How long a reply waits in all until its chat has room for it. It is a courtesy: what was wanted is done, and shown on
/// the card. After this nobody remembers having asked.
const PATIENCE: Duration = Duration::from_secs(10);
/// How a reply that was not taken is tried again.
const RETRIES: RetryPolicy =
    RetryPolicy { first: Duration::from_secs(1), cap: Duration::from_secs(3), attempts_max: Some(4) };

/// Who answers. Clones are the same one.
#[derive(Clone, Debug)]
pub(super) struct Replier {
    /// Without an app nobody is answered.
    pub(super) bot: Option<Arc<AppBot>>,
    pub(super) sender: Arc<Sender>,
    /// What the chats that are receivers take, by the receivers' names.
    pub(super) chats: Arc<HashMap<String, CallBudget>>,
    /// Where it stands in which chat a card is.
    pub(super) cards: Cards,
    pub(super) turns: ReplyTurns,
    pub(super) locale: Locale,
    pub(super) clock: Clock,
    pub(super) metrics: InteractionMetrics,
    pub(super) stop: CancellationToken,
}

/// Whose turn it is to answer in a chat, by the budgets' names: one reply after the other, in the order they came.
#[derive(Clone, Debug, Default)]
pub(super) struct ReplyTurns(Arc<Mutex<HashMap<String, Arc<FairMutex<()>>>>>);

impl ReplyTurns {
    fn of(&self, chat: &str) -> Arc<FairMutex<()>> {
        let mut chats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Only chats in which somebody waits are remembered.
        chats.retain(|_, turn| Arc::strong_count(turn) > 1);
        Arc::clone(chats.entry(chat.to_owned()).or_default())
    }
}

/// A reply on its way.
struct ReplyDraft<'r> {
    bot: &'r AppBot,
    to: ReplyTo<'r>,
    content: &'r CardContent,
    once: OnceKey,
    /// What each attempt takes from, the chat's first.
    budgets: &'r [CallBudget],
    /// Until when it waits for room.
    until: Instant,
}

impl Replier {
    /// Answers, as well as that can be done; what came of it is counted.
    pub(super) async fn answer(&self, interaction: &Interaction, answer: &Reply) {
        let Some(bot) = self.bot.as_ref().filter(|_| !interaction.message_id.is_empty()) else {
            return self.metrics.answered(None);
        };
        let until = Instant::now() + PATIENCE;
        let budgets = self.budgets(bot, interaction).await;
        let turn = self.turns.of(budgets.first().map_or("", |chat| &chat.name));
        // After its patience it asks for room once, out of its turn, and at a stop at once.
        let _turn = self.stop.run_until_cancelled(timeout_at(until, turn.lock())).await;
        let content = CardContent::Text(addressed(&interaction.operator.open_id, &answer.text(self.locale)));
        let message_id = MessageId::new(interaction.message_id.as_str());
        let mut verdict = None;
        // Groups may be set up so that nobody opens a thread: then it is an ordinary reply.
        for in_thread in [true, false] {
            let form = if in_thread { "in thread" } else { "plain" };
            let once = OnceKey::of(["answer", interaction.dedup_key.as_str(), form]);
            let to = ReplyTo { message_id: &message_id, in_thread };
            let draft = ReplyDraft { bot, to, content: &content, once, budgets: &budgets, until };
            verdict = self.reply(&draft).await;
            if verdict == Some(Verdict::Ok) {
                return self.metrics.answered(Some(true));
            }
            // What may have arrived is not said again in another form, nor what cannot arrive in any now.
            if matches!(
                verdict,
                None | Some(
                    Verdict::TryAgain { .. }
                        | Verdict::MayHaveArrived { .. }
                        | Verdict::Unreachable(_)
                        | Verdict::SlowDown { .. }
                )
            ) {
                break;
            }
        }
        self.metrics.answered(Some(false));
        let said = verdict.as_ref().map_or("no_room", Verdict::as_str);
        warn!(
            interaction.id = %interaction.id,
            verdict = said,
            "an interaction could not be answered"
        );
    }

    /// Replies in one form, which is one message however often it is tried. `None` if there was no room for it in time.
    async fn reply(&self, draft: &ReplyDraft<'_>) -> Option<Verdict> {
        let mut pauses = RETRIES.pauses();
        loop {
            if !self.has_room(draft).await {
                return None;
            }
            let call = draft.bot.reply(draft.to, draft.content, &draft.once, self.clock.now());
            let slow_down = |_: &Trouble, hint: Option<Duration>| hint.unwrap_or(SLOW_DOWN_PAUSE);
            let verdict = self.sender.send(NO_RECEIVER, draft.budgets, call, slow_down).await.verdict;
            let hint = match &verdict {
                Verdict::SlowDown { hint, .. }
                | Verdict::TryAgain { hint, .. }
                | Verdict::MayHaveArrived { hint, .. } => *hint,
                Verdict::Unreachable(_) => None,
                Verdict::Ok
                | Verdict::Unknown { .. }
                | Verdict::Repair(..)
                | Verdict::Broken(_)
                | Verdict::GiveUp(_) => return Some(verdict),
            };
            let Some(pause) = pauses.after_failure(runtime::entropy::random(), hint) else {
                return Some(verdict);
            };
            if self.stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return Some(verdict);
            }
        }
    }

    /// Waits until there is room for one more message that is not booked by a card; at a stop there is some now, or none.
    async fn has_room(&self, draft: &ReplyDraft<'_>) -> bool {
        let left = draft.until.saturating_duration_since(Instant::now());
        match self.stop.run_until_cancelled(self.sender.spare(draft.budgets, left)).await {
            Some(has_room) => has_room,
            None => self.sender.spare(draft.budgets, Duration::ZERO).await,
        }
    }

    /// What a reply takes from: its chat, as far as that is known, and the app.
    async fn budgets(&self, bot: &AppBot, interaction: &Interaction) -> Vec<CallBudget> {
        let chat = if interaction.chat_id.is_empty() {
            // A reaction does not say where it is.
            let card = self.cards.in_message(&interaction.message_id).await.ok().flatten();
            card.and_then(|card| self.chats.get(&card.receiver).cloned())
        } else {
            let chat = CallBudget::of_other_chat(&interaction.chat_id);
            Some(self.chats.values().find(|known| known.name == chat.name).cloned().unwrap_or(chat))
        };
        let app = CallBudget::of_app(bot.app_id(), AppCall::Reply);
        chat.into_iter().chain([app]).collect()
    }
}

/// The words, with the person in front of them whom they are for.
fn addressed(open_id: &str, words: &str) -> String {
    // The id came with an event that Feishu signed; all the same it is not to be anything but an id.
    let is_id = !open_id.is_empty()
        && open_id != "all"
        && open_id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_id { format!("<at user_id=\"{open_id}\"></at> {words}") } else { words.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_mentions_one_person_and_nobody_else() {
        assert_eq!(addressed("ou_1", "Done."), "<at user_id=\"ou_1\"></at> Done.");
        for id in ["", "all", "\"><at user_id=\"all", "ou 1"] {
            assert_eq!(addressed(id, "Done."), "Done.", "{id}");
        }
    }
}
