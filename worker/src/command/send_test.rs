//! `send-test`: an alert that says it is a test, put on the queue like any other, and what became of it.

use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
use config::process;
use config::{Config, DEFAULT_RECEIVER};
use model::envelope::{EnvelopeId, Line, encode};
use model::when::duration;
use queue::{Headers, Message, MessageDestination};
use tokio::time::{Instant, sleep};

use super::context::CommandContext;
use super::terminal::plain;
use super::{CommandError, ReplayPublisher, Terminal, context};
use crate::dead_letters::publishing::publish;
use crate::dead_letters::{DeadLetterState, Filter, OperatorAction, StoredDeadLetter};
use crate::feishu::advice::advice;
use crate::ledger;
use crate::test_alert;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Arguments of `send-test`.
#[derive(Args, Debug)]
pub struct SendTestArguments {
    /// The receiver's name, as in the configuration
    pub receiver: String,
    /// How long to wait for what becomes of it
    #[arg(long, default_value = "20s", value_name = "TIME", value_parser = duration)]
    pub wait: Duration,
}

/// What one test is for.
struct Aim {
    /// What it is called where its outcome is said.
    name: String,
    /// One of the bots that share a receiver's cards, counted from 1.
    bot: Option<usize>,
    /// How many receivers it is delivered to.
    copies: usize,
}

/// What became of it.
enum TestResult {
    Delivered,
    DeadLettered(Box<StoredDeadLetter>),
    /// A worker has it and has not delivered it.
    InHand,
    /// Nobody has looked at it.
    Waiting,
}

pub(super) async fn send_test(
    config: &Config,
    asked: SendTestArguments,
    open: impl AsyncFnOnce() -> Result<ReplayPublisher, CommandError>,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let receiver = asked.receiver.trim();
    let aims = aims(config, receiver)?;
    let ReplayPublisher { publisher, is_read } = open().await?;
    if !is_read {
        let stopped = "nothing was sent: no larkfire works on this data directory; start it, and try again";
        return Err(CommandError::Failed(stopped.to_owned()));
    }
    // The one process has its database in the same directory, and makes it when it first needs it.
    let context = if config.queue.is_none() {
        CommandContext::open_or_make(config).await?
    } else {
        CommandContext::open(config).await?
    };
    let now = context.clock.now();
    let who = context::who();
    let mut messages = Vec::new();
    let mut sent = Vec::new();
    for aim in aims {
        let id = EnvelopeId::new(now, runtime::entropy::random());
        let envelope = test_alert::envelope(receiver, &who, config.locale, id, now);
        let envelope = match aim.bot {
            Some(bot) => test_alert::of_bot(envelope, bot),
            None => envelope,
        };
        let to = MessageDestination::Alerts { shard_key: envelope.shard_key() };
        let lines = encode(&envelope).map_err(|error| CommandError::Failed(error.to_string()))?;
        let message = |line: Line| Message { to, body: line.bytes, headers: Headers::default() };
        messages.extend(lines.into_iter().map(message));
        sent.push((aim, id));
    }
    publish(&*publisher, messages)
        .await
        .map_err(|error| CommandError::Failed(format!("nothing was sent: {error}")))?;
    for (Aim { name, .. }, id) in &sent {
        writeln!(terminal.progress, "sent a test alert to {name} (envelope {id})")?;
    }
    let begun = Instant::now();
    let mut all_delivered = true;
    for (aim, id) in &sent {
        let came = wait_for(&context, *id, aim.copies, begun + asked.wait).await?;
        all_delivered &= matches!(came, TestResult::Delivered);
        if let TestResult::DeadLettered(letter) = &came {
            discard(&context, letter, &who).await?;
        }
        let waited = if matches!(came, TestResult::Delivered) { begun.elapsed() } else { asked.wait };
        writeln!(terminal.out, "{}", said(&came, &aim.name, *id, waited))?;
    }
    Ok(if all_delivered { ExitCode::SUCCESS } else { process::FAILED.into() })
}

/// What became of a test, in a sentence. `waited` is how long that took.
fn said(came: &TestResult, name: &str, id: EnvelopeId, waited: Duration) -> String {
    match came {
        TestResult::Delivered => format!("delivered to {name} in {:.1} s", waited.as_secs_f64()),
        TestResult::DeadLettered(letter) => {
            let code = letter.code.map(|code| format!("code {code}: ")).unwrap_or_default();
            let message = plain(&letter.message);
            let advice = advice(letter.code).en;
            // Of bots that are each sent every card the letter knows which it was.
            let name = if letter.receiver.starts_with(name) { plain(&letter.receiver) } else { plain(name) };
            format!("not delivered to {name}, dead-lettered: {code}{message}; {advice}")
        }
        TestResult::InHand => format!(
            "a worker has it and could not deliver it to {name} within {waited:?}: it waits for the receiver's budget, or \
             Feishu does not answer. The worker's log says which (envelope {id}); `trace {id}` looks again"
        ),
        TestResult::Waiting => format!(
            "no worker has taken it within {waited:?}: does one run (is its /readyz 200?), on this broker and \
             queue.prefix, and with this database? It waits on the queue; `trace {id}` looks again"
        ),
    }
}

/// What is tested of a receiver: bots that share its cards one by one, everything else at once. Without receivers
/// everything is previewed, whoever it is for.
fn aims(config: &Config, name: &str) -> Result<Vec<Aim>, CommandError> {
    let names: Vec<_> = config.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let whole = |copies| Aim { name: name.to_owned(), bot: None, copies };
    if let Some(receiver) = config.receivers.iter().find(|receiver| receiver.name == name) {
        let addresses = receiver.addresses();
        let bots = receiver.bot_addresses();
        // Bots with addresses of their own send by themselves anyway.
        if bots.is_empty() || bots == addresses {
            return Ok(vec![whole(addresses.len())]);
        }
        let aim = |(bot, name): (usize, String)| Aim { name, bot: Some(bot), copies: 1 };
        return Ok((1..).zip(bots).map(aim).collect());
    }
    if names.is_empty() && name == DEFAULT_RECEIVER {
        return Ok(vec![whole(1)]);
    }
    let there_are = if names.is_empty() {
        format!("none but the preview, which {DEFAULT_RECEIVER} means")
    } else {
        names.join(", ")
    };
    Err(CommandError::Usage(format!(
        "no receiver {} is configured here; there are: {there_are}. Give the command the configuration and the \
         environment of the worker",
        plain(name)
    )))
}

/// Looks until each bot has delivered it, until one could not be, or until the deadline.
async fn wait_for(
    context: &CommandContext,
    id: EnvelopeId,
    bots: usize,
    deadline: Instant,
) -> Result<TestResult, CommandError> {
    loop {
        let delivered = ledger::find_by_envelope(&context.store, id).await?;
        if delivered
            .iter()
            .filter(|entry| entry.delivered.is_some_and(|delivered| delivered.envelope == id))
            .count()
            >= bots
        {
            return Ok(TestResult::Delivered);
        }
        if let Some(letter) = context.letters.of_envelope(id).await?.into_iter().next() {
            return Ok(TestResult::DeadLettered(Box::new(letter)));
        }
        if Instant::now() >= deadline {
            return Ok(if delivered.is_empty() { TestResult::Waiting } else { TestResult::InHand });
        }
        sleep(LOOK_EVERY).await;
    }
}

/// The letter has been read; nobody is to be called because it waits.
async fn discard(context: &CommandContext, letter: &StoredDeadLetter, who: &str) -> Result<(), CommandError> {
    let filter = Filter { ids: vec![letter.id], states: vec![DeadLetterState::Waiting], ..Filter::default() };
    let action = context.letters.begin_action(who, OperatorAction::Discard, &filter, 1).await?;
    let done = context.letters.discard(&[letter.id], action).await?;
    context.letters.end_action(action, done).await?;
    Ok(())
}
