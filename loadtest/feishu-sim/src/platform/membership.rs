//! Whether the bot of an app is in a chat, and which people are.

use serde_json::json;

use super::{ApiRequest, Given, Platform, Stop};
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;
use crate::request::parameter;

/// Members of one page, where the call does not say how many, and at most.
const PAGE_SIZE: usize = 20;
const PAGE_SIZE_MAX: usize = 100;

impl Platform {
    pub(super) fn membership(&self, request: &ApiRequest, record: &mut Record) -> Result<Given, Stop> {
        let chat = request.subject.as_deref().and_then(|chat_id| self.chats.get(chat_id));
        let chat =
            chat.ok_or_else(|| Refusal::new(232_006, "Your request specifies a chat_id which is invalid."))?;
        record.verdict = Verdict::Answered;
        Ok(Given::data(&json!({ "is_in_chat": chat.has(&record.token).is_ok() }), false))
    }

    /// People only: bots are left out.
    pub(super) fn members(&self, request: &ApiRequest, record: &mut Record) -> Result<Given, Stop> {
        let query = request.query.as_deref();
        if parameter(query, "member_id_type").is_some_and(|kind| kind != "open_id") {
            return Err(Refusal::field("member_id_type: the simulator has open_id only").into());
        }
        let size = match parameter(query, "page_size").map(str::parse) {
            None => PAGE_SIZE,
            Some(Ok(size)) if (1..=PAGE_SIZE_MAX).contains(&size) => size,
            Some(_) => return Err(Refusal::field("page_size is from 1 to 100").into()),
        };
        let chat = request.subject.as_deref().and_then(|chat_id| self.chats.get(chat_id));
        let chat =
            chat.ok_or_else(|| Refusal::new(232_006, "Your request specifies a chat_id which is invalid."))?;
        if chat.has(&record.token).is_err() {
            return Err(Refusal::new(232_011, "Operator can NOT be out of the chat.").into());
        }
        let start = parameter(query, "page_token").unwrap_or("0").parse::<usize>();
        let start = start.map_err(|_| Refusal::field("page_token is none of ours"))?;
        let all = &chat.settings.members;
        let items: Vec<_> = all
            .iter()
            .skip(start)
            .take(size)
            .map(|open_id| json!({"member_id": open_id, "member_id_type": "open_id", "name": open_id}))
            .collect();
        let next = start + items.len();
        let has_more = next < all.len();
        let page_token = if has_more { next.to_string() } else { String::new() };
        record.verdict = Verdict::Answered;
        Ok(Given::data(
            &json!({"items": items, "member_total": all.len(), "has_more": has_more, "page_token": page_token}),
            false,
        ))
    }
}
