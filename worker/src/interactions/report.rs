//! What came of an interaction: for the metrics, for the audit trail, and for whoever wanted it. Pure.

use super::metrics::InteractionOutcome;
use super::reply::Reply;
use super::target::TargetAlert;

/// How many alerts the trail names one by one.
const NAMED_MAX: usize = 20;

/// What came of it.
#[derive(Clone, Debug)]
pub(super) struct Report {
    pub(super) outcome: InteractionOutcome,
    /// What was wanted, in a word.
    pub(super) action: String,
    /// Of what.
    pub(super) chosen: String,
    /// Of how many alerts.
    pub(super) meant: usize,
    /// To how many of them it was done.
    pub(super) done: usize,
    /// What is answered, if anything.
    pub(super) answer: Option<Reply>,
}

impl Report {
    /// It is not for us: nothing is answered, and nothing written down.
    pub(super) fn ignored() -> Self {
        let nothing = String::new();
        let outcome = InteractionOutcome::Ignored;
        Self { outcome, action: nothing.clone(), chosen: nothing, meant: 0, done: 0, answer: None }
    }

    /// An answer to something that is about no alert.
    pub(super) fn plain(outcome: InteractionOutcome, action: &str, chosen: &str, answer: Reply) -> Self {
        let action = action.to_owned();
        let chosen = chosen.to_owned();
        Self { outcome, action, chosen, meant: 0, done: 0, answer: Some(answer) }
    }

    /// An answer to something that is about alerts, and to how many of them it was done.
    pub(super) fn about(
        outcome: InteractionOutcome,
        action: &str,
        targets: &[TargetAlert],
        done: usize,
        answer: Reply,
    ) -> Self {
        let named = targets.iter().take(NAMED_MAX);
        let mut chosen: Vec<_> =
            named.map(|target| format!("{}/{}", target.receiver, target.fingerprint)).collect();
        if targets.len() > NAMED_MAX {
            chosen.push(format!("and {} more", targets.len() - NAMED_MAX));
        }
        let action = action.to_owned();
        let chosen = chosen.join(" ");
        let meant = targets.len();
        Self { outcome, action, chosen, meant, done, answer: Some(answer) }
    }
}
