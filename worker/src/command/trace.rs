//! `trace`: what became of an alert or of an envelope, from everything that is written down about it.

use std::io::Write;
use std::process::ExitCode;

use serde_json::{Value, json};
use shared::envelope::EnvelopeId;

use super::arguments::TraceArguments;
use super::desk::Desk;
use super::text::{plain, time};
use super::{CommandError, Terminal, list};
use crate::audit::Entry as AuditEntry;
use crate::dead_letters::{Letter, ReplayOutcome, State};
use crate::ledger::{self, EntryState};

/// What is known.
struct Known {
    ledger: Vec<ledger::Entry>,
    letters: Vec<Letter>,
    audit: Vec<AuditEntry>,
}

pub(super) async fn trace(
    desk: &Desk,
    asked: &TraceArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let what = asked.what.trim();
    let envelope: Option<EnvelopeId> = what.parse().ok();
    let mut known = of_envelope(desk, envelope).await?;
    if known.is_nothing() {
        // Grafana's rules have ids that look like those of envelopes.
        known = of_alert(desk, what).await?;
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

impl Known {
    const fn is_nothing(&self) -> bool {
        self.ledger.is_empty() && self.letters.is_empty()
    }
}

async fn of_envelope(desk: &Desk, envelope: Option<EnvelopeId>) -> Result<Known, CommandError> {
    let Some(envelope) = envelope else {
        return Ok(Known { ledger: Vec::new(), letters: Vec::new(), audit: Vec::new() });
    };
    let ledger = ledger::find_by_envelope(&desk.store, envelope).await?;
    with_audit(desk, ledger, desk.letters.of_envelope(envelope).await?).await
}

async fn of_alert(desk: &Desk, fingerprint: &str) -> Result<Known, CommandError> {
    let ledger = ledger::find_by_fingerprint(&desk.store, fingerprint).await?;
    with_audit(desk, ledger, desk.letters.of_alert(fingerprint).await?).await
}

async fn with_audit(
    desk: &Desk,
    ledger: Vec<ledger::Entry>,
    letters: Vec<Letter>,
) -> Result<Known, CommandError> {
    let mut actions: Vec<_> = letters.iter().filter_map(|letter| letter.changed_by).collect();
    actions.sort_unstable();
    actions.dedup();
    let audit = desk.letters.audit_of(&actions).await?;
    Ok(Known { ledger, letters, audit })
}

fn nothing(what: &str, out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(
        out,
        "nothing is known of {}: it was not told as far as this database remembers, nobody is about to tell it, and \
         no dead letter holds it.",
        plain(what)
    )?;
    writeln!(
        out,
        "It may never have been accepted (was its request answered 202?), it may still wait on the queue, its \
         envelope may have held nothing new, or it is forgotten: what was told after dedup.remember, dead letters 30 \
         days after they were settled. An envelope is found only while it was the last to tell one of its alerts."
    )?;
    Ok(())
}

fn print(known: &Known, out: &mut dyn Write) -> Result<(), CommandError> {
    for entry in &known.ledger {
        writeln!(out, "alert {} at {}", plain(&entry.fingerprint), plain(&entry.receiver))?;
        match &entry.told {
            Some(told) => {
                let at = time(told.at);
                writeln!(out, "  told     {}, at {at}, by envelope {}", state(&told.state), told.envelope)?;
            }
            None => writeln!(out, "  told     never")?,
        }
        if let Some(claim) = &entry.claim {
            let until = time(claim.until);
            writeln!(
                out,
                "  claimed  {}, by envelope {}: nobody else tells it before {until}",
                state(&claim.state),
                claim.envelope
            )?;
        }
    }
    if known.ledger.is_empty() {
        writeln!(out, "no receiver was told of it")?;
    }
    for letter in &known.letters {
        writeln!(out, "dead letter {}: {}", letter.id, fate(letter))?;
    }
    for entry in &known.audit {
        let (at, who) = (time(entry.at), plain(&entry.who));
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

/// Why it died and what was done about it, in words.
fn fate(letter: &Letter) -> String {
    let code = letter.code.map(|code| format!(" {code}")).unwrap_or_default();
    let died = format!(
        "died at {} ({}{code}: {})",
        time(letter.last_failed_at),
        letter.reason,
        plain(&letter.message)
    );
    let is = |outcome: ReplayOutcome| letter.outcome.as_deref() == Some(outcome.as_str());
    let changed_at = time(letter.changed_at);
    let known = State::ALL.into_iter().find(|state| state.as_str() == letter.state);
    match known {
        Some(State::Waiting) if is(ReplayOutcome::DeadAgain) => {
            format!("{died} when it was replayed; it waits")
        }
        Some(State::Waiting) | None => format!("{died}; it waits"),
        Some(State::Replaying) => format!("{died}; replayed at {changed_at}, still under way"),
        Some(State::Discarded) => format!("{died}; discarded at {changed_at}"),
        Some(State::Replayed) if is(ReplayOutcome::ToldSince) => {
            format!("{died}; at {changed_at} a replay found that it had been told since")
        }
        Some(State::Replayed) if is(ReplayOutcome::ResolvedSince) => {
            format!("{died}; at {changed_at} a replay found that it had been resolved since")
        }
        Some(State::Replayed) => format!("{died}; replayed, and told at {changed_at}"),
    }
}

fn as_json(known: &Known) -> Value {
    let state =
        |state: &EntryState| json!({ "status": state.status, "began": state.instance, "seen": state.seen });
    let entry = |entry: &ledger::Entry| {
        json!({
            "receiver": entry.receiver,
            "fingerprint": entry.fingerprint,
            "told": entry.told.as_ref().map(|told| {
                json!({ "state": state(&told.state), "at": told.at, "envelope": told.envelope })
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
