//! Commands to the bot.

use super::{Office, Wanting};
use crate::card::plain_line;
use crate::interaction::answer::{self, Answer, LISTED_MAX};
use crate::interaction::command::Command;
use crate::interaction::metrics::Outcome;
use crate::interaction::report::Report;
use crate::interaction::target::{Target, each_once, meant_by};
use crate::store::StoreError;

/// Cards of one receiver that are looked through, the newest first. A storm is on one of them.
const CARDS_MAX: i64 = 50;
/// How much of a word that means no alert is written down, in characters.
const WORD_CHARACTERS_MAX: usize = 200;

impl Office {
    pub(super) async fn ask(&self, wanting: Wanting<'_>, command: &Command) -> Result<Report, StoreError> {
        let answered = |answer| Ok(Report::plain(Outcome::Done, wanting.action, "", answer));
        match command {
            Command::Help => answered(Answer::Help),
            Command::Usage => answered(Answer::Usage),
            Command::Status => answered(self.status().await?),
            Command::Alerts => match self.firing_here(wanting).await? {
                None => answered(Answer::NotAReceiver),
                Some(firing) => {
                    let lines: Vec<_> =
                        firing.iter().map(|target| answer::line(target, &self.style)).collect();
                    let more = lines.len().saturating_sub(LISTED_MAX);
                    answered(Answer::Alerts(lines.into_iter().take(LISTED_MAX).collect(), more))
                }
            },
            Command::Acknowledge { alert } => match self.meant(wanting, alert).await? {
                Ok(targets) => self.acknowledge(wanting, &targets).await,
                Err(answer) => Ok(refused(wanting, alert, answer)),
            },
            Command::Silence { alert, length } => match self.meant(wanting, alert).await? {
                Ok(targets) => Box::pin(self.silence(wanting, &targets, *length)).await,
                Err(answer) => Ok(refused(wanting, alert, answer)),
            },
        }
    }

    /// What fires in the chat, each alert of each receiver once; `None` if the chat is no receiver's.
    async fn firing_here(&self, wanting: Wanting<'_>) -> Result<Option<Vec<Target>>, StoreError> {
        let (mut is_receiver, mut firing) = (false, Vec::new());
        for receiver in self.rules.receivers_in(&wanting.interaction.chat_id) {
            is_receiver = true;
            let cards = self.cards.firing_at(receiver, CARDS_MAX).await?;
            firing.extend(cards.iter().flat_map(Target::firing_on));
        }
        Ok(is_receiver.then(|| each_once(firing)))
    }

    /// The alerts somebody means, or why it is not clear which.
    async fn meant(
        &self,
        wanting: Wanting<'_>,
        alert: &str,
    ) -> Result<Result<Vec<Target>, Answer>, StoreError> {
        let Some(firing) = self.firing_here(wanting).await? else { return Ok(Err(Answer::NotAReceiver)) };
        Ok(match meant_by(firing, alert) {
            None => Err(Answer::Ambiguous),
            Some(targets) if targets.is_empty() => Err(Answer::NoSuchAlert),
            Some(targets) => Ok(targets),
        })
    }

    async fn status(&self) -> Result<Answer, StoreError> {
        let locale = self.style.locale;
        let standing = |name: &String| answer::standing(name, self.metrics.standing(name), locale);
        let mut lines: Vec<_> = self.receivers.iter().take(LISTED_MAX).map(standing).collect();
        lines.push(answer::dead_letters(self.letters.waiting().await?, locale));
        Ok(Answer::Status(lines))
    }
}

/// It is not clear which alert is meant by this word.
fn refused(wanting: Wanting<'_>, alert: &str, answer: Answer) -> Report {
    let alert = plain_line(alert, WORD_CHARACTERS_MAX);
    Report::plain(Outcome::Refused, wanting.action, &alert, answer)
}
