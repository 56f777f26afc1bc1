//! What fires now.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;

/// An alert that fires, as far as is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FiringAlert {
    /// Who it is.
    pub identity: String,
    /// Whom it is for.
    pub receiver: String,
    /// What it is called.
    pub name: String,
    /// Since when it fires, by its sender.
    pub since: Option<Timestamp>,
    /// Its labels.
    pub labels: BTreeMap<String, String>,
    /// Whether it is from an Alertmanager in which it can be silenced from here.
    pub is_silenceable: bool,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct FiringAlerts {
    /// The alerts that match.
    pub alerts: Vec<FiringAlert>,
    /// How many were looked at, if there are more than that.
    pub looked_at: Option<usize>,
    /// Labels that tell replicas apart and no alerts: no silence matches them.
    pub replica_labels: Vec<String>,
}
