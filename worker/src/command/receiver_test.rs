//! Tests of receivers: what is sent, what became of it, and that nobody is called for what was read. The command and the
//! console's button share it.

use config::{Locale, ReceiverConfig};
use jiff::Timestamp;
use model::envelope::{EncodeError, EnvelopeId, Line, encode};
use queue::{Headers, Message, MessageDestination, PublishError, Publisher};
use thiserror::Error;

use crate::dead_letters::publishing::publish;
use crate::dead_letters::{DeadLetterState, DeadLetters, Filter, OperatorAction, StoredDeadLetter};
use crate::ledger;
use crate::store::{Store, StoreError};
use crate::test_alert;
use std::time::Duration;

/// What one test is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReceiverTest {
    /// What it is called where its outcome is said.
    pub(crate) name: String,
    /// One of the bots that share a receiver's cards, counted from 1.
    pub(crate) bot: Option<usize>,
    /// How many receivers it is delivered to.
    pub(crate) copies: usize,
}

/// What became of a test.
#[derive(Debug)]
pub(crate) enum TestResult {
    Delivered,
    DeadLettered(Box<StoredDeadLetter>),
    /// A worker has it and has not delivered it.
    InHand,
    /// Nobody has looked at it.
    Waiting,
}

impl TestResult {
    /// The word for programs.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::DeadLettered(_) => "dead_lettered",
            Self::InHand => "in_hand",
            Self::Waiting => "waiting",
        }
    }

    /// Whether nothing more becomes of it.
    pub(crate) const fn is_final(&self) -> bool {
        matches!(self, Self::Delivered | Self::DeadLettered(_))
    }
}

/// A test that somebody wants to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewTest<'t> {
    /// The receiver's name in the configuration.
    pub(crate) receiver: &'t str,
    /// Who sends it; they are named on the card.
    pub(crate) who: &'t str,
    pub(crate) locale: Locale,
    pub(crate) now: Timestamp,
    /// How long somebody waits for it.
    pub(crate) lifetime: Duration,
}

/// Why no test was sent.
#[derive(Debug, Error)]
pub(crate) enum SendTestError {
    #[error("nothing was sent: {0}")]
    Publish(#[from] PublishError),
    #[error("nothing was sent: {0}")]
    Encode(#[from] EncodeError),
}

impl ReceiverTest {
    /// What is tested of the receiver of this name: bots that share its cards one by one, everything else at once. `None` if
    /// there is no such receiver.
    pub(crate) fn all_of(receivers: &[ReceiverConfig], name: &str) -> Option<Vec<Self>> {
        let whole = |copies| Self { name: name.to_owned(), bot: None, copies };
        if receivers.is_empty() {
            // Everything is previewed, whoever it is for.
            return (name == config::DEFAULT_RECEIVER).then(|| vec![whole(1)]);
        }
        let receiver = receivers.iter().find(|receiver| receiver.name == name)?;
        let addresses = receiver.addresses();
        let bots = receiver.bot_addresses();
        // Bots with addresses of their own send by themselves anyway.
        if bots.is_empty() || bots == addresses {
            return Some(vec![whole(addresses.len())]);
        }
        let of_bot = |(bot, name): (usize, String)| Self { name, bot: Some(bot), copies: 1 };
        Some((1..).zip(bots).map(of_bot).collect())
    }

    /// What became of the one that was sent in this envelope.
    pub(crate) async fn result(
        &self,
        store: &Store,
        letters: &DeadLetters,
        id: EnvelopeId,
    ) -> Result<TestResult, StoreError> {
        let known = ledger::find_by_envelope(store, id).await?;
        let is_delivered =
            |entry: &&ledger::TracedAlert| entry.delivered.is_some_and(|delivered| delivered.envelope == id);
        if known.iter().filter(is_delivered).count() >= self.copies {
            return Ok(TestResult::Delivered);
        }
        if let Some(letter) = letters.of_envelope(id).await?.into_iter().next() {
            return Ok(TestResult::DeadLettered(Box::new(letter)));
        }
        Ok(if known.is_empty() { TestResult::Waiting } else { TestResult::InHand })
    }
}

/// Puts the tests on the queue, like any other alert; returns the envelope of each.
pub(crate) async fn send(
    publisher: &dyn Publisher,
    tests: &[ReceiverTest],
    new: NewTest<'_>,
) -> Result<Vec<EnvelopeId>, SendTestError> {
    let NewTest { receiver, who, locale, now, lifetime } = new;
    let mut messages = Vec::new();
    let mut sent = Vec::new();
    for test in tests {
        let id = EnvelopeId::new(now, runtime::entropy::random());
        let envelope = test_alert::envelope(receiver, who, locale, id, now);
        let envelope = test_alert::lasting(envelope, lifetime);
        let envelope = match test.bot {
            Some(bot) => test_alert::of_bot(envelope, bot),
            None => envelope,
        };
        let to = MessageDestination::Alerts { shard_key: envelope.shard_key() };
        let message = |line: Line| Message { to, body: line.bytes, headers: Headers::default() };
        messages.extend(encode(&envelope)?.into_iter().map(message));
        sent.push(id);
    }
    publish(publisher, messages).await?;
    Ok(sent)
}

/// The letter of a test has been read; nobody is to be called because it waits.
pub(crate) async fn discard(
    letters: &DeadLetters,
    letter: &StoredDeadLetter,
    who: &str,
) -> Result<(), StoreError> {
    let filter = Filter { ids: vec![letter.id], states: vec![DeadLetterState::Waiting], ..Filter::default() };
    let action = letters.begin_action(who, OperatorAction::Discard, &filter, 1).await?;
    let done = letters.discard(&[letter.id], action).await?;
    letters.end_action(action, done).await
}
