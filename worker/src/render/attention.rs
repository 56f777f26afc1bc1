//! What people have done about an alert since it was told. Pure.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who looks after an alert, and whether it is silenced.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Attention {
    /// Who has taken it on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acknowledged: Option<Acknowledged>,
    /// Who has silenced it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub silenced: Option<Silenced>,
    /// Who was called because nobody had taken it on, the last of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub escalated: Vec<Escalated>,
    /// Since when nothing was heard of it, if it is over for that and nobody has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unheard_since: Option<Timestamp>,
}

/// Somebody has taken an alert on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// Their name, as it is to be shown.
    pub by: String,
    /// Since when.
    pub at: Timestamp,
}

/// Somebody has silenced an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silenced {
    /// Their name, as it is to be shown.
    pub by: String,
    /// Until when.
    pub until: Timestamp,
}

/// Somebody was called because nobody had taken an alert on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Escalated {
    /// Their names, as they are to be shown; none where a program was told.
    pub who: Vec<String>,
    /// How, in the word of the settings.
    pub how: String,
    /// When.
    pub at: Timestamp,
}

impl Attention {
    /// Who has silenced it, as long as that lasts.
    pub(super) fn silenced_at(&self, now: Timestamp) -> Option<&Silenced> {
        self.silenced.as_ref().filter(|silenced| silenced.until > now)
    }
}
