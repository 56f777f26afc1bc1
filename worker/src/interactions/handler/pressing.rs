//! Buttons: ours, which are signed, and those of the services Larkfire takes over from.

use std::time::Duration;

use model::alert::Status;
use model::envelope::EnvelopeId;
use model::interaction::Interaction;
use serde_json::{Map, Value};

use super::{ActionContext, InteractionHandler};
use crate::card_buttons::value::{Press, Pressed, ValueError};
use crate::interactions::metrics::InteractionOutcome;
use crate::interactions::reply::Reply;
use crate::interactions::report::Report;
use crate::interactions::rules::Action;
use crate::interactions::target::TargetAlert;
use crate::ledger;
use crate::render::plain_line;
use crate::store::StoreError;

/// A button by which somebody confirms what a program has found out about an incident.
const CONFIRM_DIAGNOSIS: &str = "confirm_diagnosis";
/// How much of such a button's incident, and of an unknown button, is written down, in characters.
const INCIDENT_CHARACTERS_MAX: usize = 200;
const VALUE_CHARACTERS_MAX: usize = 1_000;
const ACTION_CHARACTERS_MAX: usize = 32;

impl InteractionHandler {
    pub(super) async fn press(
        &self,
        wanting: ActionContext<'_>,
        value: &Map<String, Value>,
        option: &str,
    ) -> Result<Report, StoreError> {
        if wanting.action == CONFIRM_DIAGNOSIS {
            return self.confirm(wanting, value).await;
        }
        let is_ours = Press::of(wanting.action).is_some();
        if !is_ours {
            // As JSON, which has no line feeds and nothing a terminal obeys.
            let mut chosen = Value::from(value.clone()).to_string();
            if !option.is_empty() {
                chosen = format!("{chosen} option {}", Value::from(option));
            }
            let chosen: String = chosen.chars().take(VALUE_CHARACTERS_MAX).collect();
            let action = plain_line(wanting.action, ACTION_CHARACTERS_MAX);
            let action = if action.is_empty() { "button" } else { &action };
            return Ok(Report::plain(InteractionOutcome::Unknown, action, &chosen, Reply::UnknownButton));
        }
        match self.keys.read(value, wanting.now) {
            Ok(pressed) => Box::pin(self.pressed(wanting, &pressed)).await,
            Err(ValueError::Forged) => Ok(Report::plain(
                InteractionOutcome::Forged,
                wanting.action,
                "a value we did not sign",
                Reply::Forged,
            )),
            Err(ValueError::Expired) => Ok(Report::plain(
                InteractionOutcome::Refused,
                wanting.action,
                "an old button",
                Reply::Expired,
            )),
        }
    }

    async fn pressed(&self, wanting: ActionContext<'_>, pressed: &Pressed) -> Result<Report, StoreError> {
        if !self.is_here(wanting, pressed).await? {
            let chosen = format!("a card of {}", pressed.receiver);
            return Ok(Report::plain(InteractionOutcome::Refused, wanting.action, &chosen, Reply::Elsewhere));
        }
        let kept = self.cards.named(&pressed.card).await?;
        let Some(kept) = kept.filter(|kept| kept.receiver == pressed.receiver) else {
            let chosen = format!("a card of {}", pressed.receiver);
            return Ok(Report::plain(InteractionOutcome::Failed, wanting.action, &chosen, Reply::CardGone));
        };
        let targets = TargetAlert::firing_on(&kept);
        match pressed.press {
            Press::Acknowledge => self.acknowledge(wanting, &targets).await,
            Press::Unacknowledge => self.unacknowledge(wanting, &targets).await,
            Press::Silence(hours) => {
                self.silence(wanting, &targets, Duration::from_hours(hours.into())).await
            }
            Press::SilenceShared(hours) => {
                self.silence_shared(wanting, &targets, Duration::from_hours(hours.into())).await
            }
            // A silence goes on when its alert is over, and keeps it quiet when it comes back.
            Press::Unsilence => self.unsilence(wanting, TargetAlert::all_on(&kept)).await,
        }
    }

    /// Whether a card is pressed in its own chat, wherever it was forwarded to. Where Feishu does not say which chat it
    /// was, by the message: a forwarded card is another one.
    async fn is_here(&self, wanting: ActionContext<'_>, pressed: &Pressed) -> Result<bool, StoreError> {
        let Interaction { chat_id, message_id, .. } = wanting.interaction;
        if !chat_id.is_empty() {
            return Ok(self.rules.belongs(&pressed.receiver, chat_id));
        }
        let kept = self.cards.in_message(message_id).await?;
        Ok(kept.is_some_and(|kept| kept.receiver == pressed.receiver))
    }

    /// An incident that is an alert or an envelope of ours, at a receiver in this chat, is taken on; any other one is only
    /// written down. Nobody has signed such a button: all that speaks for it is who presses it, and where.
    async fn confirm(
        &self,
        wanting: ActionContext<'_>,
        value: &Map<String, Value>,
    ) -> Result<Report, StoreError> {
        let incident = match value.get("incident_id") {
            Some(Value::String(incident)) => plain_line(incident, INCIDENT_CHARACTERS_MAX),
            Some(Value::Number(incident)) => incident.to_string(),
            Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => String::new(),
        };
        let chosen = format!("incident {incident}");
        if !self.rules.allow(Action::Acknowledge, &wanting.interaction.operator) {
            return Ok(Report::plain(
                InteractionOutcome::Refused,
                wanting.action,
                &chosen,
                Reply::NotAllowed,
            ));
        }
        let entries = match incident.parse::<EnvelopeId>() {
            _ if incident.is_empty() => Vec::new(),
            Ok(envelope) => ledger::find_by_envelope(&self.store, envelope).await?,
            Err(_) => ledger::find_by_fingerprint(&self.store, &incident).await?,
        };
        let fires = |entry: &&ledger::TracedAlert| {
            entry.delivered.is_some_and(|delivered| delivered.state.status == Status::Firing)
        };
        let is_here =
            |entry: &&ledger::TracedAlert| self.rules.belongs(&entry.receiver, &wanting.interaction.chat_id);
        let elsewhere = entries.iter().filter(fires).filter(|entry| !is_here(entry)).count();
        let firing: Vec<_> = entries.iter().filter(fires).filter(is_here).collect();
        if elsewhere > 0 && firing.is_empty() {
            let answer = Reply::Elsewhere;
            let report = Report::plain(InteractionOutcome::Refused, wanting.action, &chosen, answer);
            return Ok(Report { meant: elsewhere, ..report });
        }
        let pairs: Vec<_> =
            firing.iter().map(|entry| (entry.receiver.as_str(), entry.fingerprint.as_str())).collect();
        if !pairs.is_empty() {
            self.take_on(wanting, &pairs).await?;
            self.note_taken_on(wanting, &firing).await;
        }
        let answer = Reply::Diagnosis(pairs.len());
        let report = Report::plain(InteractionOutcome::Done, wanting.action, &chosen, answer);
        Ok(Report { meant: pairs.len(), done: pairs.len(), ..report })
    }
}
