//! The body of a message: which of the five forms it has, and whether that form is complete.

mod post;

use serde_json::{Map, Value};

use crate::audience::Audience;
use crate::card;
use crate::inline_tag::inline_tags;
use crate::refusal::Refusal;

/// The guide's limit of 20 KB for the whole body; the strict reading is 20 000 bytes.
const BODY_LIMIT_BYTES: usize = 20_000;

/// The limit that the text of 19036 names.
const SIZE_LIMIT_BYTES: usize = 30 << 10;

/// Reads the body as a JSON object.
pub(crate) fn parse(body: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if body.len() > SIZE_LIMIT_BYTES {
        return Err(Refusal::too_large());
    }
    if body.len() > BODY_LIMIT_BYTES {
        return Err(Refusal::bad_request("the body is larger than 20 KB"));
    }
    match serde_json::from_slice(body) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(Refusal::bad_request("the body is no JSON object")),
        Err(_) => Err(Refusal::bad_request("the body is no JSON")),
    }
}

/// What a message says, by its form.
pub(crate) enum MessageContent<'a> {
    Text(&'a str),
    Post(&'a Map<String, Value>),
    /// An image or the card of a group chat: nothing but a key.
    Key,
    Card(&'a Map<String, Value>),
}

impl<'a> MessageContent<'a> {
    /// Checks the form that `msg_type` asks for.
    pub(crate) fn of(body: &'a Map<String, Value>) -> Result<Self, Refusal> {
        let msg_type = match body.get("msg_type") {
            None => return Err(Refusal::params("can't find msg_type")),
            Some(Value::String(msg_type)) => msg_type.as_str(),
            Some(_) => return Err(Refusal::bad_request("msg_type is no string")),
        };
        match msg_type {
            "text" => Ok(Self::Text(member(body, "text")?)),
            "post" => match body.get("content").and_then(|content| content.get("post")) {
                Some(Value::Object(locales)) => Ok(Self::Post(locales)),
                _ => Err(Refusal::bad_request("content.post is no object")),
            },
            "image" => key(body, "image_key", "img_"),
            "share_chat" => key(body, "share_chat_id", "oc_"),
            "interactive" => match body.get("card") {
                Some(Value::Object(card)) => Ok(Self::Card(card)),
                _ => Err(Refusal::params("unknown card value")),
            },
            _ => Err(Refusal::params("unknown msg_type")),
        }
    }

    /// Checks what is said and returns the mentioned members' ids, `all` for everybody.
    pub(crate) fn check(&self, audience: &Audience) -> Result<Vec<String>, Refusal> {
        match self {
            Self::Text(text) => {
                let tags = inline_tags(text, "at");
                notified(tags.iter().filter_map(|tag| tag.attribute("user_id")), audience)
            }
            Self::Post(locales) => post::check(locales, audience),
            Self::Key => Ok(Vec::new()),
            Self::Card(members) => card::check(members, audience),
        }
    }

    /// Whether a keyword occurs in the text. Buttons and alternative texts do not count: that they are
    /// scanned is not documented, so a sender must not rely on it.
    pub(crate) fn contains_any(&self, keywords: &[String]) -> bool {
        let contains = |text: &str| keywords.iter().any(|keyword| text.contains(keyword.as_str()));
        match self {
            Self::Text(text) => contains(text),
            Self::Post(members) | Self::Card(members) => {
                members.values().any(|value| any_text(value, &contains))
            }
            Self::Key => false,
        }
    }
}

/// The ids among these that get a notification. Text and post tolerate others, which are shown as a plain
/// name.
pub(crate) fn notified<'a>(
    ids: impl Iterator<Item = &'a str>,
    audience: &Audience,
) -> Result<Vec<String>, Refusal> {
    let mut notified = Vec::new();
    for id in ids {
        if id == "all" && !audience.at_all {
            return Err(Refusal::at_all());
        }
        if id == "all" || audience.known_ids.contains(id) {
            notified.push(id.to_owned());
        }
    }
    Ok(notified)
}

fn key<'a>(body: &'a Map<String, Value>, name: &str, prefix: &str) -> Result<MessageContent<'a>, Refusal> {
    if member(body, name)?.starts_with(prefix) {
        Ok(MessageContent::Key)
    } else {
        Err(Refusal::bad_request(&format!("content.{name} is no key of the platform")))
    }
}

fn member<'a>(body: &'a Map<String, Value>, name: &str) -> Result<&'a str, Refusal> {
    body.get("content")
        .and_then(|content| content.get(name))
        .and_then(Value::as_str)
        .ok_or_else(|| Refusal::bad_request(&format!("content.{name} is no string")))
}

fn any_text(value: &Value, contains: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Object(members) => {
            members.get("tag").and_then(Value::as_str) != Some("button")
                && members.iter().any(|(name, value)| match (name.as_str(), value) {
                    ("title" | "text" | "content", Value::String(text)) => contains(text),
                    ("alt", _) => false,
                    _ => any_text(value, contains),
                })
        }
        Value::Array(items) => items.iter().any(|item| any_text(item, contains)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}
