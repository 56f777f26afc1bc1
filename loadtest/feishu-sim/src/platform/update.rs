//! A new card for a message that is already in its chat.

use jiff::SignedDuration;
use serde_json::json;

use super::content;
use super::fields::Fields;
use super::{ApiRequest, Given, Platform, Stop};
use crate::audience::Audience;
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;
use crate::settings::Limits;

/// How long a card can be updated.
const UPDATABLE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Updates of one message within a second; 300 is what they come to in a minute.
const LIMITS: Limits = Limits { per_second: 5, per_minute: 300, enforced: true };

/// A card of schema 2.0 cannot become one of 1.0.
const SCHEMA_FELL: u32 = 200_830;

impl Platform {
    pub(super) fn update(
        &mut self,
        fields: &Fields,
        request: &ApiRequest,
        record: &mut Record,
    ) -> Result<Given, Stop> {
        let said = fields.text("content")?;
        let message = self.messages.get_mut(request.subject.as_deref().unwrap_or_default())?;
        if message.app_id != record.token {
            return Err(Refusal::new(230_012, "The operator is not the message sender.").into());
        }
        record.chat_id = Some(message.chat_id.clone());
        let Some(shown) = message.card else {
            return Err(Refusal::invalid("only an interactive message can be updated").into());
        };
        if record.at.duration_since(message.sent_at) > UPDATABLE {
            return Err(
                Refusal::new(230_031, "The message sent for more than 14 days can NOT be updated.").into()
            );
        }
        let Some(chat) = self.chats.get(&message.chat_id) else {
            return Err(Refusal::new(232_009, "The chat is dissolved.").into());
        };
        chat.has(&record.token)?;
        let over_budget = !message.updates.admits(&LIMITS, record.at);
        if over_budget && chat.settings.limits.enforced {
            return Err(Refusal::too_often_here("message").into());
        }
        message.updates.note(&LIMITS, record.at);
        let images = self.apps.get(&record.token).map(|app| app.images.clone());
        let audience = Audience { images, ..chat.audience.clone() };
        let content = content::check("interactive", said, request.body.len(), &audience)?;
        let Some(card) = content.card.filter(|card| card.shared && shown.shared) else {
            return Err(Refusal::invalid("update_multi has to be true in both cards").into());
        };
        if shown.is_schema_2 && !card.is_schema_2 {
            let refusal = Refusal::content(SCHEMA_FELL, "a card of schema 2.0 cannot become one of 1.0");
            return Err(refusal.heard_by_app().into());
        }
        message.card = Some(card);
        record.show(Verdict::Updated, &request.body);
        Ok(Given::data(&json!({}), over_budget))
    }
}
