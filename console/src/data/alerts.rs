//! What became of alerts.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

use super::DeadLetterRow;

/// Something that happened to an alert, once or several times.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AlertEvent {
    /// When; of what happened several times, the first time.
    pub at: Timestamp,
    /// The last time.
    pub last_at: Timestamp,
    /// How often.
    pub times: i64,
    /// For whom it was; empty where there was no receiver.
    pub receiver: String,
    /// Who the alert is.
    pub identity: String,
    /// What it is called.
    pub name: String,
    /// `firing` or `resolved`.
    pub status: String,
    /// What became of it: `delivered`, `summarised`, `duplicate`, `superseded`, `dead_lettered`, `expected` or
    /// `deferred`.
    pub outcome: String,
    /// The envelope it came with; of several the last.
    pub envelope: String,
    /// The envelope that has delivered it instead.
    pub by: Option<String>,
    /// Until when it was put aside.
    pub until: Option<Timestamp>,
    /// The card it is on.
    pub card: Option<String>,
    /// The bot that sent that.
    pub bot: Option<String>,
    /// Attempts that were made.
    pub attempts: i64,
    /// Feishu's code, where that is the reason.
    pub code: Option<i64>,
    /// Why.
    pub reason: Option<String>,
    /// Its labels, as far as there was room for them.
    pub labels: BTreeMap<String, String>,
}

/// Some of what happened, the newest first.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AlertPage {
    /// What happened.
    pub events: Vec<AlertEvent>,
    /// Where the older ones go on; `None` if there are none.
    pub before: Option<String>,
    /// How many were looked at, if no more were although there are more.
    pub looked_at: Option<usize>,
}

/// How an alert stands at a receiver, by the ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AlertStanding {
    /// The receiver.
    pub receiver: String,
    /// The state that was delivered last, if one was: `firing` or `resolved`.
    pub delivered_status: Option<String>,
    /// When that was.
    pub delivered_at: Option<Timestamp>,
    /// That it waits to be delivered, and for what.
    pub waits: Option<AlertWait>,
    /// Who looks after it.
    pub acknowledged_by: Option<String>,
    /// Since when.
    pub acknowledged_at: Option<Timestamp>,
    /// Until when somebody has silenced it from here.
    pub silenced_until: Option<Timestamp>,
    /// Who that was, in words.
    pub silenced_by: Option<String>,
}

/// That an alert waits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AlertWait {
    /// Since when, as far as that is written down.
    pub since: Timestamp,
    /// Until when it is put aside; `None` if a worker has it in hand.
    pub until: Option<Timestamp>,
    /// Why.
    pub reason: String,
    /// The envelope that waits.
    pub envelope: String,
}

/// Logs around an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLink {
    /// Whether only lines that look like errors are shown.
    pub is_errors_only: bool,
    /// Where they are.
    pub url: String,
}

/// The life of an alert.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AlertLife {
    /// Who it is.
    pub identity: String,
    /// What happened to it, the newest first.
    pub events: Vec<AlertEvent>,
    /// Whether more happened before that.
    pub has_more: bool,
    /// How it stands at each receiver.
    pub standings: Vec<AlertStanding>,
    /// Where its logs are.
    pub log_links: Vec<LogLink>,
    /// What a silence for it alone would match; `None` where none can be made here.
    pub silence_matchers: Option<String>,
    /// The dead letters it is in.
    pub dead_letters: Vec<DeadLetterRow>,
}
