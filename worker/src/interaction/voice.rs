//! How people are answered: in a thread under what they did, by name.

use std::sync::Arc;
use std::time::Duration;

use shared::clock::Clock;
use shared::config::Locale;
use shared::interaction::Interaction;
use shared::retry::RetryPolicy;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::answer::Answer;
use super::metrics::InteractionMetrics;
use crate::feishu::verdict::Verdict;
use crate::feishu::{AppBot, Content, MessageId, OnceKey, ReplyTo};

/// How an answer is tried: the chat takes five messages a second from all bots together. It is a courtesy, and the next
/// person waits.
const PATIENCE: RetryPolicy =
    RetryPolicy { first: Duration::from_secs(1), cap: Duration::from_secs(3), attempts_max: Some(4) };

/// Who answers.
#[derive(Clone, Debug)]
pub(super) struct Voice {
    /// Without an app nobody is answered.
    pub(super) bot: Option<Arc<AppBot>>,
    pub(super) locale: Locale,
    pub(super) clock: Clock,
    pub(super) metrics: InteractionMetrics,
    pub(super) stop: CancellationToken,
}

impl Voice {
    /// Answers, as well as that can be done; what came of it is counted.
    pub(super) async fn answer(&self, interaction: &Interaction, answer: &Answer) {
        let Some(bot) = self.bot.as_ref().filter(|_| !interaction.message_id.is_empty()) else {
            return self.metrics.answered(None);
        };
        let content = Content::Text(addressed(&interaction.operator.open_id, &answer.text(self.locale)));
        let message_id = MessageId::new(interaction.message_id.as_str());
        let mut verdict = Verdict::Ok;
        // Groups may be set up so that nobody opens a thread: then it is an ordinary reply.
        for in_thread in [true, false] {
            let form = if in_thread { "in thread" } else { "plain" };
            let once = OnceKey::of(["answer", interaction.dedup_key.as_str(), form]);
            let to = ReplyTo { message_id: &message_id, in_thread };
            verdict = self.reply(bot, to, (&content, &once)).await;
            if matches!(verdict, Verdict::Ok) {
                return self.metrics.answered(Some(true));
            }
            // What may have arrived is not said again in another form, nor what cannot arrive in any now.
            if matches!(
                verdict,
                Verdict::TryAgain { .. } | Verdict::Unreachable(_) | Verdict::SlowDown { .. }
            ) {
                break;
            }
        }
        self.metrics.answered(Some(false));
        let said = verdict.as_str();
        warn!(
            interaction.id = %interaction.id,
            verdict = said,
            "interaction {} could not be answered ({said})", interaction.id
        );
    }

    /// Replies in one form, which is one message however often it is tried.
    async fn reply(&self, bot: &AppBot, to: ReplyTo<'_>, (content, once): (&Content, &OnceKey)) -> Verdict {
        let mut pauses = PATIENCE.pauses();
        loop {
            let verdict = bot.reply(to, content, once, self.clock.now()).await.verdict;
            let hint = match &verdict {
                Verdict::SlowDown { hint, .. } | Verdict::TryAgain { hint, .. } => *hint,
                Verdict::Unreachable(_) => None,
                Verdict::Ok | Verdict::Repair(..) | Verdict::Broken(_) | Verdict::GiveUp(_) => {
                    return verdict;
                }
            };
            let Some(pause) = pauses.after_failure(rand::random(), hint) else { return verdict };
            if self.stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return verdict;
            }
        }
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
