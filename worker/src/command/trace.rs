//! `trace`: what became of an alert or of an envelope, from everything that is written down about it.

use std::io::Write;
use std::process::ExitCode;

use model::envelope::EnvelopeId;
use serde_json::{Value, json};

use super::arguments::TraceArguments;
use super::context::CommandContext;
use super::terminal::{plain, time};
use super::{CommandError, Terminal, list};
use crate::audit::AuditEntry;
use crate::dead_letters::{DeadLetterState, ReplayOutcome, StoredDeadLetter};
use crate::ledger::{self, EntryState};

/// What is known.
struct TraceReport {
    ledger: Vec<ledger::TracedAlert>,
    letters: Vec<StoredDeadLetter>,
    audit: Vec<AuditEntry>,
}

pub(super) async fn trace(
    context: &CommandContext,
    asked: &TraceArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let what = asked.what.trim();
    let envelope: Option<EnvelopeId> = what.parse().ok();
    let mut known = of_envelope(context, envelope).await?;
    if known.is_nothing() {
        // Grafana's rules have ids that look like those of envelopes.
        known = of_alert(context, what).await?;
    }
    if asked.json {
        list::print_json(terminal.out, &as_json(&known))?;
    } else if known.is_nothing() {
        nothing(what, terminal.out)?;
    } else {
        print(&known, terminal.out)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl TraceReport {
    const fn is_nothing(&self) -> bool {
        self.ledger.is_empty() && self.letters.is_empty()
    }
}

async fn of_envelope(
    context: &CommandContext,
    envelope: Option<EnvelopeId>,
) -> Result<TraceReport, CommandError> {
    let Some(envelope) = envelope else {
        return Ok(TraceReport { ledger: Vec::new(), letters: Vec::new(), audit: Vec::new() });
    };
    let ledger = ledger::find_by_envelope(&context.store, envelope).await?;
    with_audit(context, ledger, context.letters.of_envelope(envelope).await?).await
}

async fn of_alert(context: &CommandContext, fingerprint: &str) -> Result<TraceReport, CommandError> {
    let ledger = ledger::find_by_fingerprint(&context.store, fingerprint).await?;
    with_audit(context, ledger, context.letters.of_alert(fingerprint).await?).await
}

async fn with_audit(
    context: &CommandContext,
    ledger: Vec<ledger::TracedAlert>,
    letters: Vec<StoredDeadLetter>,
) -> Result<TraceReport, CommandError> {
    let mut actions: Vec<_> = letters.iter().filter_map(|letter| letter.changed_by).collect();
    actions.sort_unstable();
    actions.dedup();
    let audit = context.letters.audit_of(&actions).await?;
    Ok(TraceReport { ledger, letters, audit })
}

fn nothing(what: &str, out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(
        out,
        "nothing is known of {}: it was not delivered as far as this database remembers, nobody is about to deliver it, \
         and no dead letter holds it.",
        plain(what)
    )?;
    writeln!(
        out,
        "It may never have been accepted (was its request answered 202?), it may still wait on the queue, its \
         envelope may have held nothing new, or it is forgotten: what was delivered after dedup.remember, dead letters 30 \
         days after they were settled. An envelope is found only while it was the last to deliver one of its alerts."
    )?;
    Ok(())
}

fn print(known: &TraceReport, out: &mut dyn Write) -> Result<(), CommandError> {
    for entry in &known.ledger {
        writeln!(out, "alert {} at {}", plain(&entry.fingerprint), plain(&entry.receiver))?;
        match &entry.delivered {
            Some(delivered) => {
                let at = time(delivered.at);
                writeln!(
                    out,
                    "  delivered  {}, at {at}, by envelope {}",
                    state(&delivered.state),
                    delivered.envelope
                )?;
            }
            None => writeln!(out, "  delivered  never")?,
        }
        if let Some(claim) = &entry.claim {
            let until = time(claim.until);
            writeln!(
                out,
                "  claimed    {}, by envelope {}: nobody else delivers it before {until}",
                state(&claim.state),
                claim.envelope
            )?;
        }
    }
    if known.ledger.is_empty() {
        writeln!(out, "it was delivered to no receiver")?;
    }
    for letter in &known.letters {
        writeln!(out, "dead letter {}: {}", letter.id, fate(letter))?;
    }
    for entry in &known.audit {
        let at = time(entry.at);
        let who = plain(&entry.who);
        writeln!(
            out,
            "action {} at {at} by {who}: {} {}",
            entry.id,
            plain(&entry.action),
            plain(&entry.chosen)
        )?;
    }
    Ok(())
}

fn state(state: &EntryState) -> String {
    format!("{} (began {}, seen so {})", state.status.as_str(), time(state.instance), time(state.seen))
}

/// Why it became a dead letter and what was done about it, in words.
fn fate(letter: &StoredDeadLetter) -> String {
    let code = letter.code.map(|code| format!(" {code}")).unwrap_or_default();
    let dead_lettered = format!(
        "dead-lettered at {} ({}{code}: {})",
        time(letter.last_failed_at),
        letter.reason,
        plain(&letter.message)
    );
    let is = |outcome: ReplayOutcome| letter.outcome.as_deref() == Some(outcome.as_str());
    let changed_at = time(letter.changed_at);
    let known = DeadLetterState::ALL.into_iter().find(|state| state.as_str() == letter.state);
    match known {
        Some(DeadLetterState::Waiting) if is(ReplayOutcome::DeadLetteredAgain) => {
            format!("{dead_lettered} when it was replayed; it waits")
        }
        Some(DeadLetterState::Waiting) | None => format!("{dead_lettered}; it waits"),
        Some(DeadLetterState::Replaying) => {
            format!("{dead_lettered}; replayed at {changed_at}, still under way")
        }
        Some(DeadLetterState::Discarded) => format!("{dead_lettered}; discarded at {changed_at}"),
        Some(DeadLetterState::Replayed) if is(ReplayOutcome::DeliveredSince) => {
            format!("{dead_lettered}; at {changed_at} a replay found that it had been delivered since")
        }
        Some(DeadLetterState::Replayed) if is(ReplayOutcome::ResolvedSince) => {
            format!("{dead_lettered}; at {changed_at} a replay found that it had been resolved since")
        }
        Some(DeadLetterState::Replayed) => {
            format!("{dead_lettered}; replayed, and delivered at {changed_at}")
        }
    }
}

fn as_json(known: &TraceReport) -> Value {
    let state =
        |state: &EntryState| json!({ "status": state.status, "began": state.instance, "seen": state.seen });
    let entry = |entry: &ledger::TracedAlert| {
        json!({
            "receiver": entry.receiver,
            "fingerprint": entry.fingerprint,
            "delivered": entry.delivered.as_ref().map(|delivered| {
                json!({ "state": state(&delivered.state), "at": delivered.at, "envelope": delivered.envelope })
            }),
            "claim": entry.claim.as_ref().map(|claim| {
                json!({ "state": state(&claim.state), "until": claim.until, "envelope": claim.envelope })
            }),
            "touched_at": entry.touched_at,
        })
    };
    json!({
        "ledger": known.ledger.iter().map(entry).collect::<Vec<_>>(),
        "dead_letters": known.letters,
        "audit": known.audit,
    })
}
