//! What `trace` has found, in words.

use std::io::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::report::{TraceReport, TracedTogether, Waiting};
use crate::command::CommandError;
use crate::command::terminal::{count, plain, time_in};
use crate::dead_letters::{DeadLetterState, ReplayOutcome, StoredDeadLetter};
use crate::history::{HistoryEntry, HistoryOutcome};
use crate::ledger::EntryState;
use crate::metrics::Outcome;

/// Prints in one time zone.
struct Printer<'p> {
    out: &'p mut dyn Write,
    timezone: &'p TimeZone,
}

pub(super) fn nothing(out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(
        out,
        "nothing is known of it: it was not delivered as far as this database remembers, nobody is about to deliver it, \
         and no dead letter holds it."
    )?;
    writeln!(
        out,
        "It may never have been accepted (was its request answered 202?), it may still wait on the queue, or it is \
         forgotten: the history after history.keep, what was delivered after dedup.remember, dead letters 30 days after \
         they were settled. The envelope of a repeat is found only while it is the last one: look by name and time."
    )?;
    Ok(())
}

pub(super) fn print(
    known: &TraceReport,
    now: Timestamp,
    timezone: &TimeZone,
    out: &mut dyn Write,
) -> Result<(), CommandError> {
    let mut printer = Printer { out, timezone };
    for one in known.together() {
        printer.alert(&one, now)?;
    }
    for letter in &known.letters {
        let fate = printer.fate(letter);
        writeln!(printer.out, "dead letter {}: {fate}", letter.id)?;
    }
    for entry in &known.audit {
        let at = printer.time(entry.at);
        let who = plain(&entry.who);
        let action = plain(&entry.action);
        writeln!(printer.out, "action {} at {at} by {who}: {action} {}", entry.id, plain(&entry.chosen))?;
    }
    Ok(())
}

impl Printer<'_> {
    fn time(&self, moment: Timestamp) -> String {
        time_in(moment, self.timezone)
    }

    fn alert(&mut self, one: &TracedTogether<'_>, now: Timestamp) -> Result<(), CommandError> {
        let name = if one.name().is_empty() { String::new() } else { format!("{} ", plain(one.name())) };
        let receiver = if one.receiver.is_empty() { "no receiver".to_owned() } else { plain(one.receiver) };
        writeln!(self.out, "alert {name}{} at {receiver}", plain(one.identity))?;
        if let Some(newest) = one.entries.last().filter(|entry| !entry.labels.is_empty()) {
            let labels =
                newest.labels.iter().map(|(name, value)| format!("{}={}", plain(name), plain(value)));
            writeln!(self.out, "  labels     {}", labels.collect::<Vec<_>>().join(" "))?;
        }
        for entry in &one.entries {
            let said = self.entry(entry);
            writeln!(self.out, "  {}  {:13} {said}", self.time(entry.at), entry.outcome.as_str())?;
        }
        self.stands(one, now)?;
        if let Some(by) = one.taken_on {
            writeln!(
                self.out,
                "  taken on   by {} at {}: no reminders until it is over",
                plain(&by.who),
                self.time(by.at)
            )?;
        }
        if let Some(Waiting { envelope, since, until, reason }) = one.waiting(now) {
            let until = until.map_or_else(
                || "it is back from there, or was not put aside".to_owned(),
                |until| format!("put aside until {}", self.time(until)),
            );
            let since = self.time(since);
            writeln!(
                self.out,
                "  waits      since {since}, by envelope {envelope}: {until}; {}",
                plain(reason)
            )?;
        }
        Ok(())
    }

    /// What the ledger says.
    fn stands(&mut self, one: &TracedTogether<'_>, now: Timestamp) -> Result<(), CommandError> {
        let Some(row) = one.stands else { return Ok(()) };
        match &row.delivered {
            Some(delivered) => {
                let at = self.time(delivered.at);
                let state = self.state(&delivered.state);
                writeln!(self.out, "  delivered  {state}, at {at}, by envelope {}", delivered.envelope)?;
            }
            None => writeln!(self.out, "  delivered  never")?,
        }
        if let Some(claim) = row.claim.as_ref().filter(|claim| claim.until > now) {
            let until = self.time(claim.until);
            let state = self.state(&claim.state);
            writeln!(
                self.out,
                "  claimed    {state}, by envelope {}: nobody else delivers it before {until}",
                claim.envelope
            )?;
        }
        Ok(())
    }

    /// What happened, but for its name and its time.
    fn entry(&self, entry: &HistoryEntry) -> String {
        let mut parts = vec![format!("{}, by envelope {}", entry.status.as_str(), entry.envelope)];
        if entry.times > 1 {
            let last = self.time(entry.last_at);
            parts[0] = format!(
                "{}, {} times until {last}, the last by envelope {}",
                entry.status.as_str(),
                entry.times,
                entry.envelope
            );
        }
        parts.extend(entry.card.as_ref().map(|card| format!("card {}", plain(card))));
        parts.extend(entry.bot.as_ref().map(|bot| format!("bot {}", plain(bot))));
        if entry.attempts > 0 {
            parts.push(count(usize::try_from(entry.attempts).unwrap_or_default(), "failed attempt"));
        }
        parts.extend(entry.until.map(|until| format!("until {}", self.time(until))));
        let code = entry.code.map(|code| format!(" (code {code})")).unwrap_or_default();
        let by = entry.by.map(|by| format!(", envelope {by}")).unwrap_or_default();
        parts.extend(entry.reason.as_ref().map(|reason| format!("because: {}{code}{by}", plain(reason))));
        if let (HistoryOutcome::Ended(Outcome::Summarised), Some(card)) = (entry.outcome, &entry.card) {
            parts.push(format!("that card counts it and could not list it (cards show {})", plain(card)));
        }
        parts.join("; ")
    }

    fn state(&self, state: &EntryState) -> String {
        let EntryState { instance, status, seen } = *state;
        format!("{} (began {}, seen so {})", status.as_str(), self.time(instance), self.time(seen))
    }

    /// Why it became a dead letter and what was done about it.
    fn fate(&self, letter: &StoredDeadLetter) -> String {
        let code = letter.code.map(|code| format!(" {code}")).unwrap_or_default();
        let dead_lettered = format!(
            "dead-lettered at {} ({}{code}: {})",
            self.time(letter.last_failed_at),
            letter.reason,
            plain(&letter.message)
        );
        let is = |outcome: ReplayOutcome| letter.outcome.as_deref() == Some(outcome.as_str());
        let changed_at = self.time(letter.changed_at);
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
}
