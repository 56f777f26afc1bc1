//! Buttons: ours, which are signed, and those of the services Larkfire takes over from.

use std::time::Duration;

use serde_json::{Map, Value};
use shared::alert::Status;
use shared::envelope::EnvelopeId;

use super::{Office, Wanting};
use crate::interaction::answer::Answer;
use crate::interaction::metrics::Outcome;
use crate::interaction::report::Report;
use crate::interaction::rules::Deed;
use crate::interaction::target::Target;
use crate::interaction::value::{Disbelief, Press, Pressed};
use crate::ledger;
use crate::store::StoreError;

/// A button by which somebody confirms what a program has found out about an incident.
const CONFIRM_DIAGNOSIS: &str = "confirm_diagnosis";
/// How much of such a button's incident, and of an unknown button, is written down, in characters.
const INCIDENT_CHARACTERS_MAX: usize = 200;
const VALUE_CHARACTERS_MAX: usize = 1_000;

impl Office {
    pub(super) async fn press(
        &self,
        wanting: Wanting<'_>,
        value: &Map<String, Value>,
    ) -> Result<Report, StoreError> {
        if wanting.action == CONFIRM_DIAGNOSIS {
            return self.confirm(wanting, value).await;
        }
        let is_ours = Press::of(wanting.action).is_some();
        if !is_ours {
            let chosen: String = Value::from(value.clone()).to_string();
            let chosen: String = chosen.chars().take(VALUE_CHARACTERS_MAX).collect();
            let action = if wanting.action.is_empty() { "button" } else { wanting.action };
            return Ok(Report::plain(Outcome::Unknown, action, &chosen, Answer::UnknownButton));
        }
        match self.keys.read(value, wanting.now) {
            Ok(pressed) => Box::pin(self.pressed(wanting, &pressed)).await,
            Err(Disbelief::Forged) => {
                Ok(Report::plain(Outcome::Forged, wanting.action, "a value we did not sign", Answer::Forged))
            }
            Err(Disbelief::Expired) => {
                Ok(Report::plain(Outcome::Refused, wanting.action, "an old button", Answer::Expired))
            }
        }
    }

    async fn pressed(&self, wanting: Wanting<'_>, pressed: &Pressed) -> Result<Report, StoreError> {
        if !self.rules.belongs(&pressed.receiver, &wanting.interaction.chat_id) {
            let chosen = format!("a card of {}", pressed.receiver);
            return Ok(Report::plain(Outcome::Refused, wanting.action, &chosen, Answer::Elsewhere));
        }
        let kept = self.cards.named(&pressed.card).await?;
        let Some(kept) = kept.filter(|kept| kept.receiver == pressed.receiver) else {
            let chosen = format!("a card of {}", pressed.receiver);
            return Ok(Report::plain(Outcome::Failed, wanting.action, &chosen, Answer::CardGone));
        };
        let targets = Target::all_of(&kept);
        match pressed.press {
            Press::Acknowledge => self.acknowledge(wanting, &targets).await,
            Press::Unacknowledge => self.unacknowledge(wanting, &targets).await,
            Press::Silence(hours) => {
                self.silence(wanting, &targets, Duration::from_hours(hours.into())).await
            }
            Press::Unsilence => self.unsilence(wanting, &targets).await,
        }
    }

    /// An incident that is an alert or an envelope of ours is taken on; any other one is only written down.
    async fn confirm(&self, wanting: Wanting<'_>, value: &Map<String, Value>) -> Result<Report, StoreError> {
        let incident = value.get("incident_id").and_then(Value::as_str).unwrap_or_default();
        let incident: String = incident.chars().take(INCIDENT_CHARACTERS_MAX).collect();
        let chosen = format!("incident {incident}");
        if !self.rules.allow(Deed::Acknowledge, &wanting.interaction.operator) {
            return Ok(Report::plain(Outcome::Refused, wanting.action, &chosen, Answer::NotAllowed));
        }
        let entries = match incident.parse::<EnvelopeId>() {
            _ if incident.is_empty() => Vec::new(),
            Ok(envelope) => ledger::find_by_envelope(&self.store, envelope).await?,
            Err(_) => ledger::find_by_fingerprint(&self.store, &incident).await?,
        };
        let fires =
            |entry: &&ledger::Entry| entry.told.is_some_and(|told| told.state.status == Status::Firing);
        let pairs: Vec<_> = entries
            .iter()
            .filter(fires)
            .map(|entry| (entry.receiver.as_str(), entry.fingerprint.as_str()))
            .collect();
        if !pairs.is_empty() {
            self.take_on(wanting, &pairs).await?;
        }
        let answer = Answer::Diagnosis(pairs.len());
        let report = Report::plain(Outcome::Done, wanting.action, &chosen, answer);
        Ok(Report { meant: pairs.len(), done: pairs.len(), ..report })
    }
}
