//! Why Grafana says what it says of an alert, where that is not the rule's own condition: there are no data, the rule
//! was paused, and the like (reference "Alert sources", 4.2). Pure.

use model::alert::{Alert, Status};

/// Where Grafana says it; several are parted by commas.
pub(super) const STATE_REASON: &str = "grafana_state_reason";
/// What an alert of Grafana's is called where its rule could not be asked, and why. The rule's name is in another label.
const STAND_INS: [(&str, StateReason); 2] =
    [("DatasourceNoData", StateReason::NoData), ("DatasourceError", StateReason::Error)];

/// Why an alert is in its state, where that is not because its rule's condition holds or does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum StateReason {
    /// It fires because the rule's query has no data.
    NoData,
    /// It fires because the rule cannot be evaluated.
    Error,
    /// It fires on because it did before there were no data.
    KeptNoData,
    /// It fires on because it did before the rule could not be evaluated.
    KeptError,
    /// There are data again.
    DataAreBack,
    /// The rule can be evaluated again.
    ErrorIsOver,
    /// There are no data, which the rule takes for normal.
    OverForNoData,
    /// The rule cannot be evaluated, which it takes for normal.
    OverForError,
    /// The query no longer has the series.
    MissingSeries,
    /// Somebody paused the rule.
    Paused,
    /// Somebody changed the rule.
    Updated,
    /// Somebody deleted the rule.
    RuleDeleted,
}

impl StateReason {
    /// `None` where the alert's own texts say it, and where Grafana gives a reason that nobody knows, which is then shown
    /// like any other annotation.
    pub(super) fn of(alert: &Alert<'_>) -> Option<Self> {
        let stand_in = stand_in(alert.labels.get("alertname").unwrap_or_default());
        let said = alert.annotations.get(STATE_REASON).unwrap_or_default();
        match (alert.status, stand_in) {
            (Status::Firing, Some(reason)) => Some(reason),
            (Status::Firing, None) => of_firing(said),
            (Status::Resolved, Some(reason)) => {
                of_ended(said).filter(|reason| !reason.is_of_data()).or(Some(reason.undone()))
            }
            (Status::Resolved, None) => of_ended(said),
        }
    }

    /// Whether the alert is over for another reason than that all is well again: how it is, nobody knows.
    pub(super) const fn is_end_without_recovery(self) -> bool {
        match self {
            Self::OverForNoData
            | Self::OverForError
            | Self::MissingSeries
            | Self::Paused
            | Self::Updated
            | Self::RuleDeleted => true,
            Self::NoData
            | Self::Error
            | Self::KeptNoData
            | Self::KeptError
            | Self::DataAreBack
            | Self::ErrorIsOver => false,
        }
    }

    const fn is_of_data(self) -> bool {
        matches!(self, Self::OverForNoData | Self::OverForError)
    }

    /// How it ends that a rule could not be asked.
    const fn undone(self) -> Self {
        if matches!(self, Self::Error) { Self::ErrorIsOver } else { Self::DataAreBack }
    }
}

/// The reason, if an alert of this name stands for a rule that could not be asked.
fn stand_in(name: &str) -> Option<StateReason> {
    STAND_INS.iter().find(|(known, _)| *known == name).map(|(_, reason)| *reason)
}

/// Whether an alert of this name stands for a rule that could not be asked.
pub(super) fn is_stand_in(name: &str) -> bool {
    stand_in(name).is_some()
}

fn of_firing(said: &str) -> Option<StateReason> {
    match said {
        "NoData" => Some(StateReason::NoData),
        "Error" => Some(StateReason::Error),
        "NoData, KeepLast" => Some(StateReason::KeptNoData),
        "Error, KeepLast" => Some(StateReason::KeptError),
        _ => None,
    }
}

fn of_ended(said: &str) -> Option<StateReason> {
    match said {
        "NoData" => Some(StateReason::OverForNoData),
        "Error" => Some(StateReason::OverForError),
        "MissingSeries" => Some(StateReason::MissingSeries),
        "Paused" => Some(StateReason::Paused),
        "Updated" => Some(StateReason::Updated),
        "RuleDeleted" => Some(StateReason::RuleDeleted),
        _ => None,
    }
}
