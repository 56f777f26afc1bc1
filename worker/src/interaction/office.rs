//! Where what people want is done: what an interaction means, whether the person may, and then the deed.

mod acknowledging;
mod asking;
mod pressing;
mod silencing;
mod unsilencing;

use jiff::Timestamp;
use shared::clock::Clock;
use shared::interaction::{Act, Interaction};

use super::answer::Answer;
use super::command;
use super::metrics::Outcome;
use super::report::Report;
use super::rules::{Rules, name_of};
use super::silences::Silences;
use super::target::Target;
use super::value::Keys;
use crate::alertmanager::Alertmanagers;
use crate::card::Style;
use crate::cards::Cards;
use crate::dead_letters::DeadLetters;
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::owner::Owners;
use crate::store::{Store, StoreError};

/// How Feishu calls a chat of two.
const OF_TWO: &str = "p2p";

/// Everything it takes to do what people want.
#[derive(Debug)]
pub(super) struct Office {
    pub(super) rules: Rules,
    pub(super) keys: Keys,
    pub(super) reactions: Vec<String>,
    pub(super) cards: Cards,
    pub(super) ledger: std::sync::Arc<Ledger>,
    pub(super) silences: Silences,
    pub(super) alertmanagers: Alertmanagers,
    /// Who knows what people are called.
    pub(super) owners: std::sync::Arc<Owners>,
    pub(super) letters: DeadLetters,
    pub(super) metrics: Metrics,
    pub(super) style: Style,
    pub(super) store: Store,
    pub(super) clock: Clock,
    /// The receivers' names, for whoever asks how they are.
    pub(super) receivers: Vec<String>,
}

/// Who wants something, where, and since when.
#[derive(Clone, Copy, Debug)]
struct Wanting<'i> {
    interaction: &'i Interaction,
    /// What the person is called where a name is written down.
    by: &'i str,
    /// The word for what is wanted.
    action: &'i str,
    now: Timestamp,
}

impl Office {
    /// Does what is wanted, and says what came of it. Fails only while the database is away; it may be tried again then.
    pub(super) async fn act(&self, interaction: &Interaction) -> Result<Report, StoreError> {
        let by = name_of(&interaction.operator);
        let wanting = |action| Wanting { interaction, by, action, now: self.clock.now() };
        match &interaction.act {
            Act::Button { action, value, option, .. } => {
                Box::pin(self.press(wanting(action), value, option)).await
            }
            Act::Reaction { emoji } => self.react(wanting("ack"), emoji).await,
            Act::Message { text, mentions, chat_type, .. } => {
                match command::read(text, mentions, chat_type != OF_TWO) {
                    Some(command) => Box::pin(self.ask(wanting(command.as_str()), &command)).await,
                    None => Ok(Report::ignored()),
                }
            }
        }
    }

    /// An emoji that says "I have it" takes on what is on the card.
    async fn react(&self, wanting: Wanting<'_>, emoji: &str) -> Result<Report, StoreError> {
        if !self.reactions.iter().any(|known| known == emoji) {
            return Ok(Report::ignored());
        }
        let kept = self.cards.in_message(&wanting.interaction.message_id).await?;
        let targets = kept.as_ref().map(Target::firing_on).unwrap_or_default();
        // People react to other people's messages all day, and to what is over.
        if targets.is_empty() { Ok(Report::ignored()) } else { self.acknowledge(wanting, &targets).await }
    }
}

impl Wanting<'_> {
    /// It is not to be done, and why.
    fn refused(&self, targets: &[Target], answer: Answer) -> Report {
        Report::about(Outcome::Refused, self.action, targets, (0, answer))
    }

    /// It is done to so many, and to the others not, if something stood in the way.
    fn tried(&self, targets: &[Target], (done, answer): (usize, Answer), obstacle: Option<Answer>) -> Report {
        let Some(obstacle) = obstacle else { return self.done(targets, (done, answer)) };
        let answer = if done == 0 { obstacle } else { Answer::Partly(Box::new(answer), Box::new(obstacle)) };
        Report::about(Outcome::Failed, self.action, targets, (done, answer))
    }

    /// It is done to so many.
    fn done(&self, targets: &[Target], done: (usize, Answer)) -> Report {
        Report::about(Outcome::Done, self.action, targets, done)
    }
}
