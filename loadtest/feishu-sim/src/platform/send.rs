//! New messages: into a chat, or as a reply to another one.

use super::content;
use super::fields::Fields;
use super::message::{Message, ReplyTo};
use super::{ApiRequest, Given, Platform, Stop};
use crate::audience::Audience;
use crate::record::{Record, Verdict};
use crate::refusal::Refusal;
use crate::window::Window;

const UUID_CHARS_MAX: usize = 50;

/// Where a message goes.
struct Target {
    chat_id: String,
    reply_to: Option<ReplyTo>,
    thread_id: Option<String>,
}

impl Platform {
    pub(super) fn send(
        &mut self,
        fields: &Fields,
        request: &ApiRequest,
        record: &mut Record,
    ) -> Result<Given, Stop> {
        match request.id_type.as_deref() {
            Some("chat_id") => {}
            Some("open_id" | "union_id" | "user_id" | "email") => {
                return Err(Refusal::invalid("receive_id: the simulator has group chats only").into());
            }
            _ => return Err(Refusal::field("receive_id_type is required and one of its options").into()),
        }
        let chat_id = fields.text("receive_id")?.to_owned();
        self.deliver(fields, Target { chat_id, reply_to: None, thread_id: None }, request, record)
    }

    pub(super) fn reply(
        &mut self,
        fields: &Fields,
        request: &ApiRequest,
        record: &mut Record,
    ) -> Result<Given, Stop> {
        let parent_id = request.subject.clone().unwrap_or_default();
        let in_thread = fields.flag("reply_in_thread")?;
        let parent = self.messages.get(&parent_id)?;
        let root_id = parent.reply_to.as_ref().map_or(&parent_id, |above| &above.root_id).clone();
        let chat_id = parent.chat_id.clone();
        let mut thread_id = parent.thread_id.clone();
        if in_thread && thread_id.is_none() {
            if !self.chats.get(&chat_id).is_some_and(|chat| chat.settings.threads) {
                return Err(Refusal::new(230_071, "The group does not support reply in thread.").into());
            }
            thread_id = Some(root_id.replacen("om_", "omt_", 1));
        }
        // What the record names is the new message, if there will be one.
        record.message_id = None;
        record.parent_id = Some(parent_id.clone());
        let reply_to = Some(ReplyTo { parent_id, root_id });
        self.deliver(fields, Target { chat_id, reply_to, thread_id }, request, record)
    }

    fn deliver(
        &mut self,
        fields: &Fields,
        target: Target,
        request: &ApiRequest,
        record: &mut Record,
    ) -> Result<Given, Stop> {
        let msg_type = fields.text("msg_type")?;
        let said = fields.text("content")?;
        let uuid = fields.optional_text("uuid")?.filter(|uuid| !uuid.is_empty());
        if uuid.is_some_and(|uuid| uuid.chars().count() > UUID_CHARS_MAX) {
            return Err(Refusal::field("the max len of uuid is 50").into());
        }
        let Some(chat) = self.chats.get_mut(&target.chat_id) else {
            return Err(Refusal::invalid("invalid receive_id").into());
        };
        chat.has(&record.token)?;
        record.chat_id = Some(target.chat_id.clone());
        if let Some(uuid) = uuid
            && let Some((message_id, message)) = self.messages.repeated(&record.token, uuid, record.at)
        {
            record.verdict = Verdict::Repeated;
            record.message_id = Some(message_id.to_owned());
            return Ok(Given::data(&message.data(message_id), false));
        }
        // As at a webhook, a message whose content turns out to be bad counts against the limit.
        let over_budget = chat.admit(record.at)?;
        let images = self.apps.get(&record.token).map(|app| app.images.clone());
        let audience = Audience { images, ..chat.audience.clone() };
        let content = content::check(msg_type, said, request.body.len(), &audience)?;
        let message = Message {
            app_id: record.token.clone(),
            chat_id: target.chat_id,
            msg_type: msg_type.to_owned(),
            sent_at: record.at,
            uuid: uuid.map(str::to_owned),
            card: content.card,
            reply_to: target.reply_to,
            thread_id: target.thread_id,
            is_recalled: false,
            updates: Window::default(),
        };
        record.show(Verdict::Accepted, &request.body);
        record.mentioned = chat.notified(content.named, &self.users);
        let mut data = message.data("");
        let message_id = self.messages.add(message);
        data["message_id"] = message_id.as_str().into();
        data["body"] = serde_json::json!({"content": said});
        record.message_id = Some(message_id);
        Ok(Given::data(&data, over_budget))
    }
}
