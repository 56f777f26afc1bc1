//! Whether the bot of an app is in a chat.

use serde_json::json;

use super::{ApiRequest, Given, Platform, Stop};
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;

impl Platform {
    pub(super) fn membership(&self, request: &ApiRequest, record: &mut Record) -> Result<Given, Stop> {
        let chat = request.subject.as_deref().and_then(|chat_id| self.chats.get(chat_id));
        let chat =
            chat.ok_or_else(|| Refusal::new(232_006, "Your request specifies a chat_id which is invalid."))?;
        record.verdict = Verdict::Answered;
        Ok(Given::data(&json!({ "is_in_chat": chat.has(&record.token).is_ok() }), false))
    }
}
