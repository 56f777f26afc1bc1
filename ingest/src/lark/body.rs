//! The shape of everything Feishu posts to us: challenges, events of both schemas, card callbacks old and new. Read
//! leniently and without copies, because most of it is read before it is believed. Pure.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::source::lenient::{Item, List, Object, Text};

/// How many people one message may mention; the rest is left out.
const MENTIONS_MAX: usize = 50;

/// A body, whichever it is.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Body<'a> {
    /// Everything else, encrypted.
    pub(super) encrypt: Text<'a>,
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) challenge: Text<'a>,
    /// The verification token in schema 1.0 and in challenges; the update token in old card callbacks.
    pub(super) token: Text<'a>,
    pub(super) uuid: Text<'a>,
    pub(super) header: Object<Header<'a>>,
    pub(super) event: Object<Event<'a>>,
    pub(super) open_id: Text<'a>,
    pub(super) user_id: Text<'a>,
    pub(super) open_message_id: Text<'a>,
    pub(super) open_chat_id: Text<'a>,
    pub(super) action: Object<Action<'a>>,
}

/// What a body is.
#[derive(Debug)]
pub(super) enum EventForm<'b, 'a> {
    /// Feishu wants to see whether the address is ours.
    Challenge,
    /// A button, by the old callback.
    OldCard(&'b Action<'a>),
    /// An event, the new card callback among them.
    Event,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Header<'a> {
    pub(super) event_id: Text<'a>,
    pub(super) event_type: Text<'a>,
    pub(super) token: Text<'a>,
}

/// The event parts of all the types we take, in one.
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Event<'a> {
    #[serde(rename = "type")]
    pub(super) kind: Text<'a>,
    pub(super) message: Object<Message<'a>>,
    pub(super) sender: Object<Sender<'a>>,
    pub(super) reaction_type: Object<ReactionType<'a>>,
    pub(super) operator_type: Text<'a>,
    pub(super) user_id: Object<Ids<'a>>,
    pub(super) message_id: Text<'a>,
    pub(super) operator: Object<Ids<'a>>,
    pub(super) action: Object<Action<'a>>,
    pub(super) context: Object<CardContext<'a>>,
    /// The update token of a card.
    pub(super) token: Text<'a>,
}

#[expect(clippy::struct_field_names, reason = "Feishu's names")]
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Message<'a> {
    pub(super) message_id: Text<'a>,
    pub(super) parent_id: Text<'a>,
    pub(super) chat_id: Text<'a>,
    pub(super) chat_type: Text<'a>,
    /// JSON in a text.
    pub(super) content: Text<'a>,
    pub(super) mentions: List<Mention<'a>, MENTIONS_MAX>,
    /// Where some documentation has it; Feishu puts it beside the message.
    pub(super) sender: Object<Sender<'a>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct EventContent<'a> {
    pub(super) text: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Mention<'a> {
    pub(super) key: Text<'a>,
    pub(super) id: Object<Ids<'a>>,
    pub(super) name: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Sender<'a> {
    pub(super) sender_id: Object<Ids<'a>>,
    pub(super) sender_type: Text<'a>,
}

#[expect(clippy::struct_field_names, reason = "Feishu's names")]
#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct Ids<'a> {
    pub(super) open_id: Text<'a>,
    pub(super) user_id: Text<'a>,
    pub(super) union_id: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct ReactionType<'a> {
    pub(super) emoji_type: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Action<'a> {
    /// An object or a text. Left unread until it is believed: it may hold anything.
    #[serde(borrow)]
    pub(super) value: Option<&'a RawValue>,
    #[serde(borrow)]
    pub(super) option: Text<'a>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
pub(super) struct CardContext<'a> {
    pub(super) open_message_id: Text<'a>,
    pub(super) open_chat_id: Text<'a>,
}

impl Item for Mention<'_> {}

impl<'a> Body<'a> {
    pub(super) fn form(&self) -> EventForm<'_, 'a> {
        if self.kind.0 == "url_verification" {
            return EventForm::Challenge;
        }
        match (&self.header.0, &self.event.0, &self.action.0) {
            (None, None, Some(action)) => EventForm::OldCard(action),
            (_, _, _) => EventForm::Event,
        }
    }

    /// The verification token, wherever this schema has it.
    pub(super) fn verification_token(&self) -> &str {
        self.header.0.as_ref().map_or(&self.token, |header| &header.token).0.as_ref()
    }

    /// Feishu's name for the event, in either schema.
    pub(super) fn event_id(&self) -> &Text<'a> {
        self.header.0.as_ref().map_or(&self.uuid, |header| &header.event_id)
    }

    /// The event's type; empty where the body does not say.
    pub(super) fn event_type(&self) -> &str {
        match (&self.header.0, &self.event.0) {
            (Some(header), _) => &header.event_type.0,
            (None, Some(event)) => &event.kind.0,
            (None, None) => "",
        }
    }
}
