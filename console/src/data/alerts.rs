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
    /// What became of it: `delivered`, `summarised`, `duplicate`, `superseded`, `dead_lettered` or `deferred`.
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

/// The life of an alert.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AlertLife {
    /// Who it is.
    pub identity: String,
    /// What happened to it, the newest first.
    pub events: Vec<AlertEvent>,
    /// Whether more happened before that.
    pub has_more: bool,
    /// The dead letters it is in.
    pub dead_letters: Vec<DeadLetterRow>,
}
