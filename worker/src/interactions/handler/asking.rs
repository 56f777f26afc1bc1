//! Commands to the bot.

use super::{ActionContext, InteractionHandler};
use crate::interactions::command::BotCommand;
use crate::interactions::metrics::InteractionOutcome;
use crate::interactions::reply::{self, LISTED_MAX, OnCallReply, Reply};
use crate::interactions::report::Report;
use crate::interactions::target::{TargetAlert, each_once, meant_by};
use crate::render::plain_line;
use crate::store::StoreError;
use crate::test_alert::is_of_test;

/// Cards of one receiver that are looked through, the newest first. A storm is on one of them.
const CARDS_MAX: i64 = 50;
/// How much of a word that means no alert is written down, in characters.
const WORD_CHARACTERS_MAX: usize = 200;

impl InteractionHandler {
    pub(super) async fn ask(
        &self,
        wanting: ActionContext<'_>,
        command: &BotCommand,
    ) -> Result<Report, StoreError> {
        let answered = |answer| Ok(Report::plain(InteractionOutcome::Done, wanting.action, "", answer));
        match command {
            BotCommand::Help => answered(Reply::Help),
            BotCommand::Usage => answered(Reply::Usage),
            BotCommand::OnCall => answered(Reply::OnCall(OnCallReply::List(self.oncall_lines()))),
            BotCommand::Swap(order) => self.swap(wanting, order).await,
            BotCommand::Status => answered(self.status().await?),
            BotCommand::Alerts => match self.firing_here(wanting).await? {
                None => answered(Reply::NotAReceiver),
                Some(firing) => {
                    let lines: Vec<_> =
                        firing.iter().map(|target| reply::line(target, &self.style)).collect();
                    let more = lines.len().saturating_sub(LISTED_MAX);
                    answered(Reply::Alerts(lines.into_iter().take(LISTED_MAX).collect(), more))
                }
            },
            BotCommand::Acknowledge { alert } => match self.meant(wanting, alert).await? {
                Ok(targets) => self.acknowledge(wanting, &targets).await,
                Err(answer) => Ok(refused(wanting, alert, answer)),
            },
            BotCommand::Silence { alert, length } => match self.meant(wanting, alert).await? {
                Ok(targets) => Box::pin(self.silence(wanting, &targets, *length)).await,
                Err(answer) => Ok(refused(wanting, alert, answer)),
            },
        }
    }

    /// What fires in the chat, each alert of each receiver once; `None` if the chat is no receiver's.
    async fn firing_here(&self, wanting: ActionContext<'_>) -> Result<Option<Vec<TargetAlert>>, StoreError> {
        let mut is_receiver = false;
        let mut firing = Vec::new();
        for receiver in self.rules.receivers_in(&wanting.interaction.chat_id) {
            is_receiver = true;
            let cards = self.cards.firing_at(receiver, CARDS_MAX).await?;
            let targets = cards.iter().flat_map(TargetAlert::firing_on);
            firing.extend(targets.filter(|target| !is_of_test(target.source, &target.fingerprint)));
        }
        Ok(is_receiver.then(|| each_once(firing)))
    }

    /// The alerts somebody means, or why it is not clear which.
    async fn meant(
        &self,
        wanting: ActionContext<'_>,
        alert: &str,
    ) -> Result<Result<Vec<TargetAlert>, Reply>, StoreError> {
        let Some(firing) = self.firing_here(wanting).await? else { return Ok(Err(Reply::NotAReceiver)) };
        Ok(match meant_by(firing, alert) {
            None => Err(Reply::Ambiguous),
            Some(targets) if targets.is_empty() => Err(Reply::NoSuchAlert),
            Some(targets) => Ok(targets),
        })
    }

    async fn status(&self) -> Result<Reply, StoreError> {
        let locale = self.style.locale;
        let standing = |name: &String| {
            let (is_broken, waiting) = self.metrics.standing(name);
            reply::standing(name, is_broken, waiting, locale)
        };
        let mut lines: Vec<_> = self.receivers.iter().take(LISTED_MAX).map(standing).collect();
        lines.push(reply::dead_letters(self.letters.waiting().await?, locale));
        Ok(Reply::Status(lines))
    }
}

/// It is not clear which alert is meant by this word.
fn refused(wanting: ActionContext<'_>, alert: &str, answer: Reply) -> Report {
    let alert = plain_line(alert, WORD_CHARACTERS_MAX);
    Report::plain(InteractionOutcome::Refused, wanting.action, &alert, answer)
}
