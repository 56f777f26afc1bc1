//! Where what people want is done: what an interaction means, whether the person may, and then the action.

mod asking;
mod noting;
mod oncall;
mod pressing;
mod silencing;

use std::collections::BTreeMap;

use jiff::Timestamp;
use model::interaction::{Act, Interaction};
use runtime::clock::Clock;

use super::command;
use super::metrics::InteractionOutcome;
use super::mute::MuteAlertmanagers;
use super::reply::Reply;
use super::report::Report;
use super::rules::{Action, InteractionRules, name_of};
use super::target::TargetAlert;
use crate::alertmanager::{Alertmanagers, MadeSilences};
use crate::card_buttons::value::Keys;
use crate::card_store::{Cards, Mark};
use crate::dead_letters::DeadLetters;
use crate::directory::OwnerResolver;
use crate::history::{History, HistoryOutcome};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::oncall::OnCall;
use crate::render::{Acknowledged, Style};
use crate::store::{Store, StoreError};

/// How Feishu calls a chat of two.
const OF_TWO: &str = "p2p";

/// Everything it takes to do what people want.
#[derive(Debug)]
pub(super) struct InteractionHandler {
    pub(super) rules: InteractionRules,
    pub(super) keys: Keys,
    pub(super) reactions: Vec<String>,
    pub(super) cards: Cards,
    /// Who is on call.
    pub(super) oncall: OnCall,
    pub(super) ledger: std::sync::Arc<Ledger>,
    pub(super) silences: MadeSilences,
    pub(super) mute: MuteAlertmanagers,
    pub(super) history: History,
    pub(super) alertmanagers: Alertmanagers,
    /// Who knows what people are called.
    pub(super) owners: std::sync::Arc<OwnerResolver>,
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
struct ActionContext<'i> {
    interaction: &'i Interaction,
    /// What the person is called where a name is written down.
    by: &'i str,
    /// The word for what is wanted.
    action: &'i str,
    now: Timestamp,
}

impl InteractionHandler {
    /// Does what is wanted, and says what came of it. Fails only while the database is away; it may be tried again then.
    pub(super) async fn act(&self, interaction: &Interaction) -> Result<Report, StoreError> {
        let by = name_of(&interaction.operator);
        let wanting = |action| ActionContext { interaction, by, action, now: self.clock.now() };
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
    async fn react(&self, wanting: ActionContext<'_>, emoji: &str) -> Result<Report, StoreError> {
        if !self.reactions.iter().any(|known| known == emoji) {
            return Ok(Report::ignored());
        }
        let kept = self.cards.in_message(&wanting.interaction.message_id).await?;
        let targets = kept.as_ref().map(TargetAlert::firing_on).unwrap_or_default();
        // People react to other people's messages all day, and to what is over.
        if targets.is_empty() { Ok(Report::ignored()) } else { self.acknowledge(wanting, &targets).await }
    }

    /// Why the person cannot do this to these alerts; `None` if nothing stands in the way.
    fn obstacle(&self, action: Action, wanting: ActionContext<'_>, targets: &[TargetAlert]) -> Option<Reply> {
        if !self.rules.allow(action, &wanting.interaction.operator) {
            return Some(Reply::NotAllowed);
        }
        targets.is_empty().then_some(Reply::NothingFires)
    }

    /// The person looks after these alerts: they are not delivered again until they are over.
    async fn acknowledge(
        &self,
        wanting: ActionContext<'_>,
        targets: &[TargetAlert],
    ) -> Result<Report, StoreError> {
        if let Some(obstacle) = self.obstacle(Action::Acknowledge, wanting, targets) {
            return Ok(wanting.refused(targets, obstacle));
        }
        let pairs: Vec<_> = pairs(targets).collect();
        self.take_on(wanting, &pairs).await?;
        self.note(wanting, targets.iter().map(|target| (target, None)), HistoryOutcome::Acknowledged).await;
        Ok(wanting.done(targets, targets.len(), Reply::Acknowledged(targets.len())))
    }

    /// Writes down who looks after these, by receiver and fingerprint, and shows it on their cards.
    async fn take_on(&self, wanting: ActionContext<'_>, pairs: &[(&str, &str)]) -> Result<(), StoreError> {
        for (receiver, fingerprints) in by_receiver(pairs) {
            self.ledger.acknowledge(receiver, &fingerprints, wanting.by).await?;
        }
        let acknowledged = Acknowledged { by: wanting.by.to_owned(), at: wanting.interaction.received_at };
        self.cards.mark(pairs, &Mark::Acknowledged(acknowledged)).await?;
        Ok(())
    }

    /// Nobody looks after them, after all.
    async fn unacknowledge(
        &self,
        wanting: ActionContext<'_>,
        targets: &[TargetAlert],
    ) -> Result<Report, StoreError> {
        if let Some(obstacle) = self.obstacle(Action::Acknowledge, wanting, targets) {
            return Ok(wanting.refused(targets, obstacle));
        }
        let pairs: Vec<_> = pairs(targets).collect();
        for (receiver, fingerprints) in by_receiver(&pairs) {
            self.ledger.unacknowledge(receiver, &fingerprints).await?;
        }
        self.cards.mark(&pairs, &Mark::Unacknowledged).await?;
        self.note(wanting, targets.iter().map(|target| (target, None)), HistoryOutcome::Unacknowledged).await;
        Ok(wanting.done(targets, targets.len(), Reply::Unacknowledged(targets.len())))
    }
}

impl ActionContext<'_> {
    /// It is not to be done, and why.
    fn refused(&self, targets: &[TargetAlert], answer: Reply) -> Report {
        Report::about(InteractionOutcome::Refused, self.action, targets, 0, answer)
    }

    /// It is done to so many, and to the others not, if something stood in the way.
    fn tried(&self, targets: &[TargetAlert], done: usize, answer: Reply, obstacle: Option<Reply>) -> Report {
        let Some(obstacle) = obstacle else { return self.done(targets, done, answer) };
        let answer = if done == 0 { obstacle } else { Reply::Partly(Box::new(answer), Box::new(obstacle)) };
        Report::about(InteractionOutcome::Failed, self.action, targets, done, answer)
    }

    /// It is done to so many.
    fn done(&self, targets: &[TargetAlert], done: usize, answer: Reply) -> Report {
        Report::about(InteractionOutcome::Done, self.action, targets, done, answer)
    }
}

/// The alerts by receiver and fingerprint.
fn pairs(targets: &[TargetAlert]) -> impl Iterator<Item = (&str, &str)> {
    targets.iter().map(|target| (target.receiver.as_str(), target.fingerprint.as_str()))
}

fn by_receiver<'p>(pairs: &[(&'p str, &'p str)]) -> BTreeMap<&'p str, Vec<&'p str>> {
    let mut sorted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (receiver, fingerprint) in pairs {
        sorted.entry(receiver).or_default().push(fingerprint);
    }
    sorted
}
