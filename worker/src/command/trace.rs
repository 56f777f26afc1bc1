//! `trace`: what became of alerts, from everything that is written down about them: the history by name, the ledger, the
//! dead letters and what operators did with those.

mod printed;
pub(crate) mod report;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::process::ExitCode;

use config::process;
use model::envelope::EnvelopeId;

use super::arguments::TraceArguments;
use super::context::CommandContext;
use super::{CommandError, Terminal, list};
use crate::dead_letters::{Filter, Order, StoredDeadLetter};
use crate::history::{self, HistoryFilter, HistoryPage};
use crate::ledger;
use report::TraceReport;

/// The beginning of a fingerprint says which is meant from so many characters on.
const PREFIX_CHARS_MIN: usize = 4;
/// Alerts that ledger and dead letters are asked about, of those in the history: the newest.
const ASKED_ABOUT_MAX: usize = 50;
/// Dead letters that are looked for by labels.
const BY_LABELS_MAX: usize = 100;

pub(super) async fn trace(
    context: &CommandContext,
    asked: TraceArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let asks_json = asked.json;
    let known = find(context, asked).await?;
    let code = if known.is_nothing() { process::FAILED.into() } else { ExitCode::SUCCESS };
    if asks_json {
        list::print_json(terminal.out, &known.as_json(context.clock.now()))?;
    } else if known.is_nothing() {
        printed::nothing(terminal.out)?;
    } else {
        printed::print(&known, context.clock.now(), &context.timezone, terminal.out)?;
    }
    if known.history.has_more {
        writeln!(terminal.progress, "there is more: --limit shows more of it, --since and --until less")?;
    }
    if let Some(scanned) = known.history.scanned {
        writeln!(
            terminal.progress,
            "only the newest {scanned} entries were looked at: --since, --until, --receiver or a name leads further back"
        )?;
    }
    Ok(code)
}

/// Everything that is known of what is asked for.
async fn find(context: &CommandContext, asked: TraceArguments) -> Result<TraceReport, CommandError> {
    let now = context.clock.now();
    let most = usize::try_from(asked.limit).unwrap_or(usize::MAX);
    let filter = HistoryFilter {
        labels: asked.labels,
        receiver: asked.receiver,
        outcome: asked.outcome,
        card: asked.card,
        since: asked.since.map(|when| when.moment(now)),
        until: asked.until.map(|when| when.moment(now)),
        ..HistoryFilter::default()
    };
    let what = asked.what.map(|what| what.trim().to_owned()).filter(|what| !what.is_empty());
    let Some(what) = what else {
        let history = history::find(&context.store, &filter, most).await?;
        let letters = letters_by_labels(context, &filter).await?;
        return with_the_rest(context, &filter, history, Vec::new(), letters).await;
    };
    if let Ok(envelope) = what.parse::<EnvelopeId>() {
        let known = of_envelope(context, &filter, envelope, most).await?;
        // Grafana's rules have ids that look like those of envelopes.
        if !known.is_nothing() {
            return Ok(known);
        }
    }
    let known = of_fingerprint(context, &filter, &what, most).await?;
    if !known.is_nothing() {
        return Ok(known);
    }
    let named = HistoryFilter { name: Some(what), ..filter };
    let history = history::find(&context.store, &named, most).await?;
    with_the_rest(context, &named, history, Vec::new(), Vec::new()).await
}

async fn of_envelope(
    context: &CommandContext,
    filter: &HistoryFilter,
    envelope: EnvelopeId,
    most: usize,
) -> Result<TraceReport, CommandError> {
    let filter = HistoryFilter { envelope: Some(envelope), ..filter.clone() };
    let history = history::find(&context.store, &filter, most).await?;
    let ledger = ledger::find_by_envelope(&context.store, envelope).await?;
    let letters = context.letters.of_envelope(envelope).await?;
    with_the_rest(context, &filter, history, ledger, letters).await
}

async fn of_fingerprint(
    context: &CommandContext,
    filter: &HistoryFilter,
    fingerprint: &str,
    most: usize,
) -> Result<TraceReport, CommandError> {
    let is_long = fingerprint.chars().count() >= PREFIX_CHARS_MIN;
    let filter = HistoryFilter { identity: Some(fingerprint.to_owned()), ..filter.clone() };
    let history =
        if is_long { history::find(&context.store, &filter, most).await? } else { HistoryPage::default() };
    let ledger = ledger::find_by_fingerprint(&context.store, fingerprint).await?;
    let letters = context.letters.of_alert(fingerprint).await?;
    with_the_rest(context, &filter, history, ledger, letters).await
}

/// What the ledger and the dead letters know besides of the alerts that were found, and what was done with those.
async fn with_the_rest(
    context: &CommandContext,
    filter: &HistoryFilter,
    history: HistoryPage,
    mut ledger: Vec<ledger::TracedAlert>,
    mut letters: Vec<StoredDeadLetter>,
) -> Result<TraceReport, CommandError> {
    let mut asked: BTreeSet<String> = ledger.iter().map(|entry| entry.fingerprint.clone()).collect();
    for entry in &history.entries {
        if asked.len() < ASKED_ABOUT_MAX && asked.insert(entry.identity.clone()) {
            ledger.extend(ledger::find_by_fingerprint(&context.store, &entry.identity).await?);
            letters.extend(context.letters.of_alert(&entry.identity).await?);
        }
    }
    if let Some(receiver) = &filter.receiver {
        ledger.retain(|entry| entry.receiver == *receiver);
        letters.retain(|letter| letter.receiver == *receiver);
    }
    letters.sort_by_key(|letter| std::cmp::Reverse(letter.id));
    letters.dedup_by_key(|letter| letter.id);
    let mut taken_on = BTreeMap::new();
    for fingerprint in asked {
        let by = ledger::find_taken_on(&context.store, &fingerprint).await?;
        taken_on.extend(by.into_iter().map(|by| ((by.receiver.clone(), fingerprint.clone()), by)));
    }
    let mut actions: Vec<_> = letters.iter().filter_map(|letter| letter.changed_by).collect();
    actions.sort_unstable();
    actions.dedup();
    let audit = context.letters.audit_of(&actions).await?;
    Ok(TraceReport { history, ledger, taken_on, letters, audit })
}

/// Labels are in the letters themselves, for longer than in the history.
async fn letters_by_labels(
    context: &CommandContext,
    filter: &HistoryFilter,
) -> Result<Vec<StoredDeadLetter>, CommandError> {
    if filter.labels.is_empty() {
        return Ok(Vec::new());
    }
    let letters = Filter {
        receiver: filter.receiver.clone(),
        since: filter.since,
        until: filter.until,
        labels: filter.labels.clone(),
        ..Filter::default()
    };
    Ok(context.letters.find(&letters, Order::NewestFirst, BY_LABELS_MAX).await?)
}
