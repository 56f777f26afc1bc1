//! `send-test`: an alert that says it is a test, put on the queue like any other, and what became of it.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use config::process;
use config::{Config, DEFAULT_RECEIVER};
use model::envelope::EnvelopeId;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::arguments::SendTestArguments;
use super::context::CommandContext;
use super::receiver_test::{self, NewTest, ReceiverTest, TestResult};
use super::terminal::plain;
use super::{CommandError, ReplayPublisher, Terminal, context, list};
use crate::feishu::advice::advice;

/// How often it is looked.
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub(super) async fn send_test(
    config: &Config,
    asked: SendTestArguments,
    open: impl AsyncFnOnce() -> Result<ReplayPublisher, CommandError>,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let receiver = asked.receiver.trim();
    let tests = ReceiverTest::all_of(&config.receivers, receiver).ok_or_else(|| unknown(config, receiver))?;
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
    let who = context::who();
    let now = context.clock.now();
    let new = NewTest { receiver, who: &who, locale: config.locale, now, lifetime: asked.wait };
    let sent = receiver_test::send(&*publisher, &tests, new)
        .await
        .map_err(|error| CommandError::Failed(error.to_string()))?;
    for (ReceiverTest { name, .. }, id) in tests.iter().zip(&sent) {
        writeln!(terminal.progress, "sent a test alert to {name} (envelope {id})")?;
    }
    let begun = Instant::now();
    let mut all_delivered = true;
    let mut results = Vec::new();
    for (test, id) in tests.iter().zip(sent) {
        let came = wait_for(&context, test, id, begun + asked.wait).await?;
        all_delivered &= matches!(came, TestResult::Delivered);
        if let TestResult::DeadLettered(letter) = &came {
            receiver_test::discard(&context.letters, letter, &who).await?;
        }
        let waited = if matches!(came, TestResult::Delivered) { begun.elapsed() } else { asked.wait };
        if asked.json {
            results.push(as_json(&came, &test.name, id, waited));
        } else {
            writeln!(terminal.out, "{}", said(&came, &test.name, id, waited))?;
        }
    }
    if asked.json {
        list::print_json(terminal.out, &json!({ "receiver": receiver, "tests": results }))?;
    }
    Ok(if all_delivered { ExitCode::SUCCESS } else { process::FAILED.into() })
}

/// The same for programs. `waited` is how long that took.
fn as_json(came: &TestResult, name: &str, id: EnvelopeId, waited: Duration) -> Value {
    let letter = match came {
        TestResult::DeadLettered(letter) => Some(letter),
        TestResult::Delivered | TestResult::InHand | TestResult::Waiting => None,
    };
    json!({
        "name": letter.map_or(name, |letter| letter.receiver.as_str()),
        "envelope": id,
        "outcome": came.as_str(),
        "waited_s": waited.as_secs_f64(),
        "code": letter.and_then(|letter| letter.code),
        "message": letter.map(|letter| &letter.message),
        "advice": letter.map(|letter| advice(letter.code).en),
    })
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
             queue.prefix, and with this database? Left on the queue it expires a minute after it was sent (envelope {id})"
        ),
    }
}

fn unknown(config: &Config, name: &str) -> CommandError {
    let names: Vec<_> = config.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    let there_are = if names.is_empty() {
        format!("none but the preview, which {DEFAULT_RECEIVER} means")
    } else {
        names.join(", ")
    };
    CommandError::Usage(format!(
        "no receiver {} is configured here; there are: {there_are}. Give the command the configuration and the \
         environment of the worker",
        plain(name)
    ))
}

/// Looks until nothing more becomes of it, or until the deadline.
async fn wait_for(
    context: &CommandContext,
    test: &ReceiverTest,
    id: EnvelopeId,
    deadline: Instant,
) -> Result<TestResult, CommandError> {
    loop {
        let result = test.result(&context.store, &context.letters, id).await?;
        if result.is_final() || Instant::now() >= deadline {
            return Ok(result);
        }
        sleep(LOOK_EVERY).await;
    }
}
