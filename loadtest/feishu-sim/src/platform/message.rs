//! Which messages there are. What they say is in the journal; here is what later calls about them depend on.

use std::collections::{BTreeMap, VecDeque};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::content::CardTraits;
use crate::refusal::Refusal;
use crate::window::Window;

/// Messages that can be updated, replied to and recognised by their `uuid`; the oldest are forgotten first.
const MESSAGES_MAX: usize = 100_000;

/// Requests of one app with the same `uuid` make one message within this time.
const ONCE_WITHIN: SignedDuration = SignedDuration::from_hours(1);

pub(super) struct Message {
    pub(super) app_id: String,
    pub(super) chat_id: String,
    pub(super) msg_type: String,
    pub(super) sent_at: Timestamp,
    pub(super) uuid: Option<String>,
    pub(super) card: Option<CardTraits>,
    /// The message it replies to, and the first one of that talk.
    pub(super) reply_to: Option<ReplyTo>,
    pub(super) thread_id: Option<String>,
    /// Somebody has taken it back: the group's owner may do that to any message.
    pub(super) is_recalled: bool,
    /// When its latest updates came.
    pub(super) updates: Window,
}

#[derive(Clone)]
pub(super) struct ReplyTo {
    pub(super) parent_id: String,
    pub(super) root_id: String,
}

impl Message {
    /// The `data` of an answer.
    pub(super) fn data(&self, message_id: &str) -> Value {
        let at = self.sent_at.as_millisecond().to_string();
        let mut data = json!({
            "message_id": message_id, "chat_id": self.chat_id, "msg_type": self.msg_type,
            "create_time": at, "update_time": at, "deleted": false, "updated": false,
            "sender": {"id": self.app_id, "id_type": "app_id", "sender_type": "app"},
        });
        if let Some(reply_to) = &self.reply_to {
            data["parent_id"] = json!(reply_to.parent_id);
            data["root_id"] = json!(reply_to.root_id);
        }
        if let Some(thread_id) = &self.thread_id {
            data["thread_id"] = json!(thread_id);
        }
        data
    }
}

#[derive(Default)]
pub(super) struct Messages {
    known: BTreeMap<String, Message>,
    /// Ids, oldest first.
    order: VecDeque<String>,
    /// The latest message of each app and `uuid`.
    by_uuid: BTreeMap<(String, String), String>,
    sent: u64,
}

impl Messages {
    /// A message that is still in its chat.
    pub(super) fn get(&self, message_id: &str) -> Result<&Message, Refusal> {
        let message = self.known.get(message_id).ok_or_else(unknown)?;
        if message.is_recalled { Err(recalled()) } else { Ok(message) }
    }

    pub(super) fn get_mut(&mut self, message_id: &str) -> Result<&mut Message, Refusal> {
        let message = self.known.get_mut(message_id).ok_or_else(unknown)?;
        if message.is_recalled { Err(recalled()) } else { Ok(message) }
    }

    /// Takes a message out of its chat; says whether there was one.
    pub(super) fn recall(&mut self, message_id: &str) -> bool {
        let message = self.known.get_mut(message_id).filter(|message| !message.is_recalled);
        message.map(|message| message.is_recalled = true).is_some()
    }

    /// The message that this app made with the same `uuid` a short time ago.
    pub(super) fn repeated(&self, app_id: &str, uuid: &str, now: Timestamp) -> Option<(&str, &Message)> {
        let message_id = self.by_uuid.get(&(app_id.to_owned(), uuid.to_owned()))?;
        let message = self.known.get(message_id)?;
        (now.duration_since(message.sent_at) < ONCE_WITHIN).then_some((message_id.as_str(), message))
    }

    /// Keeps a message and returns its new id.
    pub(super) fn add(&mut self, message: Message) -> String {
        self.sent += 1;
        let message_id = format!("om_{:032x}", self.sent);
        if let Some(uuid) = &message.uuid {
            self.by_uuid.insert((message.app_id.clone(), uuid.clone()), message_id.clone());
        }
        self.known.insert(message_id.clone(), message);
        self.order.push_back(message_id.clone());
        if self.order.len() > MESSAGES_MAX {
            self.forget_oldest();
        }
        message_id
    }

    fn forget_oldest(&mut self) {
        let Some(message_id) = self.order.pop_front() else { return };
        let Some(message) = self.known.remove(&message_id) else { return };
        let key = (message.app_id, message.uuid.unwrap_or_default());
        // A later message may have the same `uuid`.
        if self.by_uuid.get(&key) == Some(&message_id) {
            self.by_uuid.remove(&key);
        }
    }
}

fn recalled() -> Refusal {
    Refusal::new(230_011, "The message was recalled.")
}

fn unknown() -> Refusal {
    Refusal::new(99_992_354, "The request you send is not a valid {open_message_id}")
}
