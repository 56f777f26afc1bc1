//! A believed body → the interaction it is, if it is one of ours. Pure.

use std::borrow::Cow;

use config::Secret;
use jiff::Timestamp;
use model::interaction::{Act, Interaction, InteractionId, Mentioned, Operator};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::body::{Action, Body, Event, EventContent, EventForm, Ids, Message};
use crate::source::lenient::Text;

/// How much of a message's text is kept, in bytes: commands are short.
const TEXT_BYTES_MAX: usize = 8 * 1024;
/// How long an id may be, in bytes; a longer one is none.
const ID_BYTES_MAX: usize = 256;
/// How large a button's value may be, in bytes: a whole card of Feishu's has at most as many.
const VALUE_BYTES_MAX: usize = 30_000;
/// How much of a hash a de-duplication key takes, in bytes.
const KEY_BYTES: usize = 16;

/// What is known about a body besides itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Arrival {
    pub(super) id: InteractionId,
    pub(super) received_at: Timestamp,
}

/// What a body turned out to be.
#[derive(Debug)]
pub(super) enum EventReading {
    /// Something for the queue.
    Taken(Box<Interaction>),
    /// An event we have no use for: another type, a bot's doing, a message without text.
    Ignored,
    /// An event of a type we take, without what makes it useful. It would not be better the next time.
    Unusable,
}

/// The types of event we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Reaction,
    Button,
}

/// What is read out of an event before it becomes an interaction.
struct FoundInteraction {
    operator: Option<Operator>,
    chat_id: String,
    message_id: String,
    act: Option<Act>,
}

impl Body<'_> {
    /// Whether somebody pressed a button and now waits for a toast.
    pub(super) fn is_press(&self) -> bool {
        matches!(self.form(), EventForm::OldCard(_)) || self.kind_of_event() == Some(Kind::Button)
    }

    fn kind_of_event(&self) -> Option<Kind> {
        let event = self.event.0.as_ref()?;
        match self.event_type() {
            "im.message.receive_v1" => Some(Kind::Message),
            "im.message.reaction.created_v1" => Some(Kind::Reaction),
            "card.action.trigger" | "card.action.trigger_v1" => Some(Kind::Button),
            // Hand-made bodies leave the type out.
            "" if event.message.0.is_some() => Some(Kind::Message),
            "" if event.reaction_type.0.is_some() => Some(Kind::Reaction),
            "" if event.action.0.is_some() => Some(Kind::Button),
            _ => None,
        }
    }

    /// What this body, whose plain text is `text`, is to us.
    pub(super) fn read(&self, text: &str, arrival: Arrival) -> EventReading {
        let found = match (self.form(), self.kind_of_event(), &self.event.0) {
            (EventForm::OldCard(action), _, _) => Some(self.old_press(action)),
            (_, Some(kind), Some(event)) => event.read(kind),
            (_, _, _) => None,
        };
        let Some(FoundInteraction { operator, chat_id, message_id, act }) = found else {
            return EventReading::Ignored;
        };
        let (Some(operator), Some(act)) = (operator, act) else { return EventReading::Unusable };
        let event_id = id(self.event_id());
        let dedup_key = dedup_key(&act, &message_id, &event_id, text);
        let Arrival { id, received_at } = arrival;
        let whole = Interaction { id, received_at, dedup_key, event_id, operator, chat_id, message_id, act };
        EventReading::Taken(Box::new(whole))
    }

    fn old_press(&self, action: &Action<'_>) -> FoundInteraction {
        let open_id = id(&self.open_id);
        let user_id = id(&self.user_id);
        FoundInteraction {
            operator: named(Operator { open_id, user_id, union_id: String::new() }),
            chat_id: id(&self.open_chat_id),
            message_id: id(&self.open_message_id),
            act: action.read(&self.token),
        }
    }
}

impl Event<'_> {
    fn read(&self, kind: Kind) -> Option<FoundInteraction> {
        match kind {
            Kind::Message => {
                self.message.0.as_ref().map_or(Some(FoundInteraction::NOTHING), |said| self.message(said))
            }
            Kind::Reaction => self.reaction(),
            Kind::Button => Some(self.press()),
        }
    }

    fn message(&self, message: &Message<'_>) -> Option<FoundInteraction> {
        let sender = self.sender.0.as_ref().or(message.sender.0.as_ref());
        // Bots that answer bots do not end.
        if sender.is_some_and(|sender| !matches!(&*sender.sender_type.0, "user" | "")) {
            return None;
        }
        let text = text_in(&message.content.0).filter(|text| !text.trim().is_empty())?;
        let mentions = message.mentions.items.iter().flatten().map(|mention| Mentioned {
            key: id(&mention.key),
            open_id: mention.id.0.as_ref().map(|ids| id(&ids.open_id)).unwrap_or_default(),
            name: id(&mention.name),
        });
        let mentions = mentions.collect();
        let parent_id = id(&message.parent_id);
        let act = Act::Message { text, mentions, parent_id, chat_type: id(&message.chat_type) };
        Some(FoundInteraction {
            operator: sender.and_then(|sender| operator(sender.sender_id.0.as_ref())),
            chat_id: id(&message.chat_id),
            message_id: id(&message.message_id),
            act: Some(act),
        })
    }

    fn reaction(&self) -> Option<FoundInteraction> {
        if !matches!(&*self.operator_type.0, "user" | "") {
            return None;
        }
        let emoji =
            self.reaction_type.0.as_ref().map(|reaction| id(&reaction.emoji_type)).unwrap_or_default();
        let message_id = id(&self.message_id);
        // On which message is all a reaction says.
        let act = (!emoji.is_empty() && !message_id.is_empty()).then_some(Act::Reaction { emoji });
        Some(FoundInteraction {
            operator: operator(self.user_id.0.as_ref()),
            chat_id: String::new(),
            message_id,
            act,
        })
    }

    fn press(&self) -> FoundInteraction {
        let context = self.context.0.as_ref();
        FoundInteraction {
            operator: operator(self.operator.0.as_ref()),
            chat_id: context.map(|context| id(&context.open_chat_id)).unwrap_or_default(),
            message_id: context.map(|context| id(&context.open_message_id)).unwrap_or_default(),
            act: self.action.0.as_ref().and_then(|action| action.read(&self.token)),
        }
    }
}

impl FoundInteraction {
    const NOTHING: Self =
        Self { operator: None, chat_id: String::new(), message_id: String::new(), act: None };
}

impl Action<'_> {
    fn read(&self, token: &Text<'_>) -> Option<Act> {
        let raw = self.value.map_or("", |value| value.get());
        if raw.len() > VALUE_BYTES_MAX {
            return None;
        }
        let (action, value) = value(serde_json::from_str(raw).unwrap_or_default());
        let option = id(&self.option);
        let token = id(token);
        // A button that says nothing could mean anything.
        let says_something = !action.is_empty() || !value.is_empty() || !option.is_empty();
        let update_token = Some(token).filter(|token| !token.is_empty()).map(Secret::new);
        says_something.then_some(Act::Button { action, value, option, update_token })
    }
}

/// What stays the same however often Feishu sends it.
fn dedup_key(act: &Act, message_id: &str, event_id: &str, text: &str) -> String {
    if let Act::Message { .. } = act
        && !message_id.is_empty()
    {
        // Feishu may send a message again under another event id.
        return format!("message:{message_id}");
    }
    if !event_id.is_empty() {
        return format!("event:{event_id}");
    }
    match act {
        // One token is given out for one press. The hash, because the key is kept longer than a token should be.
        Act::Button { update_token: Some(token), .. } => format!("press:{}", hash(token.expose())),
        Act::Button { .. } | Act::Message { .. } | Act::Reaction { .. } => format!("body:{}", hash(text)),
    }
}

/// What the button is for, and its value as an object. A text may be one, or an object once more as a text.
fn value(value: Value) -> (String, Map<String, Value>) {
    let fields = match value {
        Value::Object(fields) => fields,
        Value::String(text) => match serde_json::from_str(&text) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) | Err(_) => return (text, Map::new()),
        },
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => return Default::default(),
    };
    let action = fields.get("action").and_then(Value::as_str).unwrap_or_default().to_owned();
    (action, fields)
}

/// The text in a message's content; none in a picture's.
fn text_in(content: &str) -> Option<String> {
    let text = match serde_json::from_str::<EventContent<'_>>(content) {
        Ok(content) => content.text.0,
        Err(_) => Cow::Borrowed(content),
    };
    let kept = text.get(..text.floor_char_boundary(TEXT_BYTES_MAX))?;
    Some(kept.to_owned())
}

fn operator(ids: Option<&Ids<'_>>) -> Option<Operator> {
    let Ids { open_id, user_id, union_id } = ids?;
    named(Operator { open_id: id(open_id), user_id: id(user_id), union_id: id(union_id) })
}

fn named(operator: Operator) -> Option<Operator> {
    (operator != Operator::default()).then_some(operator)
}

fn id(text: &Text<'_>) -> String {
    if text.0.len() > ID_BYTES_MAX { String::new() } else { text.0.clone().into_owned() }
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text).get(..KEY_BYTES).unwrap_or_default())
}

#[cfg(test)]
mod tests;
