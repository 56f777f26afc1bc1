//! Silences, as Alertmanager has them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// The silences of all Alertmanagers that are configured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Silences {
    /// Each with its own.
    pub alertmanagers: Vec<AlertmanagerSilences>,
}

/// The silences of an Alertmanager.
#[derive(Clone, Debug, Default, Serialize)]
pub struct AlertmanagerSilences {
    /// What the configuration calls it.
    pub name: String,
    /// Why it could not be asked, if so.
    pub error: Option<String>,
    /// Those that have not ended; those that end first come first.
    pub silences: Vec<SilenceRow>,
    /// How many there are, if not all of them are shown.
    pub all: Option<usize>,
}

/// A silence.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SilenceRow {
    /// Its id.
    pub id: String,
    /// What it matches, in Alertmanager's syntax.
    pub matchers: String,
    /// Whether it has begun.
    pub is_active: bool,
    /// When it begins.
    pub starts_at: Timestamp,
    /// When it ends.
    pub ends_at: Timestamp,
    /// By whom it is.
    pub created_by: String,
    /// Why, in their words.
    pub comment: String,
    /// How many alerts it keeps quiet now.
    pub alerts: usize,
}

/// What somebody asks before a silence is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SilenceQuestion {
    /// In which Alertmanager; the only one, or the one called `default`, where none is named.
    pub alertmanager: Option<String>,
    /// What it is to match; empty if nothing was asked yet.
    pub matchers: String,
    /// How long it is to last, such as `4h`.
    pub length: String,
}

/// What a silence would be.
#[derive(Clone, Debug, Default, Serialize)]
pub struct SilencePlan {
    /// The Alertmanagers there are.
    pub alertmanagers: Vec<String>,
    /// The one that is meant.
    pub alertmanager: String,
    /// What it would match.
    pub matchers: String,
    /// How long it would last.
    pub length: String,
    /// Until when; `None` if nothing was asked yet, or it cannot be made.
    pub until: Option<Timestamp>,
    /// Why it cannot be made, if so.
    pub refused: Option<String>,
    /// How many alerts it would hit now, silenced already or not.
    pub count: usize,
    /// Some of them.
    pub hits: Vec<SilenceHit>,
    /// The silence that does the same already, if there is one.
    pub same: Option<SilenceRow>,
}

/// An alert that a silence would hit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SilenceHit {
    /// What it is called.
    pub name: String,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether a silence keeps it quiet already.
    pub is_silenced: bool,
}

/// A silence that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceOrder {
    /// Who.
    pub who: String,
    /// In which Alertmanager.
    pub alertmanager: String,
    /// What it matches.
    pub matchers: String,
    /// Until when.
    pub until: Timestamp,
    /// How many alerts they were told it would hit.
    pub counted: usize,
    /// Why.
    pub reason: String,
}

/// A silence that somebody wants to end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SilenceEnd {
    /// Who.
    pub who: String,
    /// In which Alertmanager it is.
    pub alertmanager: String,
    /// Its id.
    pub id: String,
}
