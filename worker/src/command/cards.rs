//! `cards show`: which alerts a card counts and could not list.

use std::io::Write;
use std::process::ExitCode;

use config::process;

use super::arguments::ShowCardArguments;
use super::context::CommandContext;
use super::terminal::{count, plain, time};
use super::{CommandError, Terminal, list};
use crate::summarised::{self, SummarisedAlert, SummarisedCard};

pub(super) async fn show(
    context: &CommandContext,
    asked: &ShowCardArguments,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let found = summarised::find(&context.store, asked.card.trim()).await?;
    let Some(card) = found else {
        writeln!(
            terminal.progress,
            "no card {} is known that could not list all of its alerts: one that lists them says so in its last line, and \
             what others counted is kept for 30 days",
            plain(&asked.card)
        )?;
        return Ok(process::FAILED.into());
    };
    if asked.json {
        list::print_json(terminal.out, &card)?;
    } else {
        print(&card, terminal.out)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(card: &SummarisedCard, out: &mut dyn Write) -> Result<(), CommandError> {
    writeln!(
        out,
        "card {} for {}, sent {}, counts {} without a name",
        plain(&card.card),
        plain(&card.receiver),
        time(card.sent_at),
        count(card.alerts.len(), "alert")
    )?;
    for alert in &card.alerts {
        print_alert(alert, out)?;
    }
    Ok(())
}

fn print_alert(alert: &SummarisedAlert, out: &mut dyn Write) -> Result<(), CommandError> {
    let labels: Vec<_> =
        alert.labels.iter().map(|(name, value)| format!("{}={}", plain(name), plain(value))).collect();
    writeln!(out, "  {:8} {} {}", plain(&alert.status), plain(&alert.fingerprint), labels.join(" "))?;
    Ok(())
}
