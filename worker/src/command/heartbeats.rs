//! `heartbeats list`: which come, and which are missing.

use std::collections::BTreeMap;
use std::process::ExitCode;

use config::{HeartbeatConfig, process};
use serde::Serialize;

use super::context::CommandContext;
use super::terminal::{short, time_in};
use super::{CommandError, Terminal, list, terminal};
use crate::heartbeats::{HeartbeatRow, HeartbeatTable};

/// How many are shown: more than there may be, for those that are not in the configuration any more.
const SHOWN_MAX: usize = 20_000;
/// What is shown of a name, in characters.
const CELL_CHARS_MAX: usize = 48;

/// One of them, for other programs.
#[derive(Debug, Serialize)]
struct ListedHeartbeat {
    name: String,
    state: &'static str,
    last_heard_at: Option<jiff::Timestamp>,
    missing_since: Option<jiff::Timestamp>,
    every_s: u64,
    allowed_s: u64,
    receiver: Option<String>,
}

#[derive(Debug, Serialize)]
struct ListedHeartbeats {
    heartbeats: Vec<ListedHeartbeat>,
}

pub(super) async fn list(
    context: &CommandContext,
    configured: &[HeartbeatConfig],
    json: bool,
    terminal: &mut Terminal<'_>,
) -> Result<ExitCode, CommandError> {
    let known = HeartbeatTable::new(context.store.clone()).all(SHOWN_MAX).await?;
    let heartbeats = listed(known, configured);
    let is_missing = heartbeats.iter().any(|heartbeat| heartbeat.missing_since.is_some());
    if json {
        list::print_json(terminal.out, &ListedHeartbeats { heartbeats })?;
    } else if heartbeats.is_empty() {
        writeln!(terminal.out, "no heartbeats are configured")?;
    } else {
        let moment = |at: Option<jiff::Timestamp>| {
            at.map_or_else(|| "-".to_owned(), |at| time_in(at, &context.timezone))
        };
        let row = |heartbeat: &ListedHeartbeat| {
            [
                short(&heartbeat.name, CELL_CHARS_MAX),
                heartbeat.state.to_owned(),
                moment(heartbeat.last_heard_at),
                format!("{}s", heartbeat.every_s),
                format!("{}s", heartbeat.allowed_s),
                moment(heartbeat.missing_since),
                heartbeat.receiver.as_deref().map_or("-".to_owned(), |name| short(name, CELL_CHARS_MAX)),
            ]
        };
        let rows: Vec<_> = heartbeats.iter().map(row).collect();
        let heading = ["HEARTBEAT", "STATE", "LAST HEARD", "EVERY", "ALLOWED", "MISSING SINCE", "RECEIVER"];
        terminal::print(terminal.out, heading, &rows)?;
    }
    Ok(if is_missing { process::FAILED.into() } else { ExitCode::SUCCESS })
}

/// Those that are known, and those that no worker has looked at yet.
fn listed(known: Vec<HeartbeatRow>, configured: &[HeartbeatConfig]) -> Vec<ListedHeartbeat> {
    let unseen = configured.iter().map(|heartbeat| {
        let row = HeartbeatRow {
            name: heartbeat.name.clone(),
            receiver: heartbeat.receiver.clone().unwrap_or_default(),
            every: heartbeat.every,
            allowed: heartbeat.allowed(),
            heard_at: None,
            missing_since: None,
        };
        (heartbeat.name.clone(), row)
    });
    let mut all: BTreeMap<String, HeartbeatRow> = unseen.collect();
    all.extend(known.into_iter().map(|row| (row.name.clone(), row)));
    let listed = |row: HeartbeatRow| ListedHeartbeat {
        state: match (row.missing_since, row.heard_at) {
            (Some(_), _) => "missing",
            (None, Some(_)) => "heard",
            (None, None) => "awaited",
        },
        name: row.name,
        last_heard_at: row.heard_at,
        missing_since: row.missing_since,
        every_s: row.every.as_secs(),
        allowed_s: row.allowed.as_secs(),
        receiver: Some(row.receiver).filter(|receiver| !receiver.is_empty()),
    };
    all.into_values().map(listed).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_that_no_worker_has_looked_at_yet_is_awaited_and_one_that_is_gone_is_still_there() {
        let configured = |name: &str| HeartbeatConfig {
            name: name.to_owned(),
            matchers: Vec::new(),
            every: Duration::from_mins(1),
            grace: Duration::ZERO,
            receiver: None,
        };
        let known = |name: &str| HeartbeatRow {
            name: name.to_owned(),
            receiver: "ops".to_owned(),
            every: Duration::from_mins(1),
            allowed: Duration::from_mins(1),
            heard_at: Some(jiff::Timestamp::UNIX_EPOCH),
            missing_since: None,
        };
        let listed = listed(vec![known("eu"), known("gone")], &[configured("eu"), configured("us")]);
        let said: Vec<_> = listed.iter().map(|row| (row.name.as_str(), row.state)).collect();
        assert_eq!(said, [("eu", "heard"), ("gone", "heard"), ("us", "awaited")]);
        assert_eq!(listed[2].receiver, None);
    }
}
