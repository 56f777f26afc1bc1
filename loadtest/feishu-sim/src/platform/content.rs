//! The `content` of an app's message: JSON inside a string.
//!
//! Of the types the platform takes, the simulator takes `text` and `interactive`.

use serde_json::Value;

use crate::audience::Audience;
use crate::card;
use crate::inline_tag::inline_tags;
use crate::message::notified;
use crate::refusal::Refusal;

/// 30 KB for a whole request with a card, in the strict reading.
const CARD_BODY_LIMIT_BYTES: usize = 30_000;

/// 150 KB for a whole request with a text, in the strict reading.
const TEXT_BODY_LIMIT_BYTES: usize = 150_000;

/// What is worth knowing of a message that can be made.
pub(super) struct CheckedContent {
    /// Ids of those it mentions.
    pub(super) named: Vec<String>,
    pub(super) card: Option<CardTraits>,
}

/// What decides whether a card can be updated, and by which.
#[derive(Debug, Clone, Copy)]
pub(super) struct CardTraits {
    /// `update_multi` is there and true.
    pub(super) shared: bool,
    pub(super) is_schema_2: bool,
}

pub(super) fn check(
    msg_type: &str,
    content: &str,
    body_bytes: usize,
    audience: &Audience,
) -> Result<CheckedContent, Refusal> {
    let limit_bytes = match msg_type {
        "text" => TEXT_BODY_LIMIT_BYTES,
        "interactive" => CARD_BODY_LIMIT_BYTES,
        _ => return Err(Refusal::invalid("msg_type: the simulator takes text and interactive")),
    };
    if body_bytes > limit_bytes {
        return Err(Refusal::new(230_025, "The length of the message content reaches its limit."));
    }
    let Ok(content) = serde_json::from_str::<Value>(content) else {
        return Err(Refusal::invalid("content is not a string of JSON"));
    };
    if msg_type == "interactive" { interactive(&content, audience) } else { text(&content, audience) }
}

fn text(content: &Value, audience: &Audience) -> Result<CheckedContent, Refusal> {
    let Some(text) = content["text"].as_str().filter(|text| !text.is_empty()) else {
        return Err(Refusal::invalid("content has no text"));
    };
    let tags = inline_tags(text, "at");
    let named = notified(tags.iter().filter_map(|tag| tag.attribute("user_id")), audience)?;
    Ok(CheckedContent { named, card: None })
}

fn interactive(content: &Value, audience: &Audience) -> Result<CheckedContent, Refusal> {
    let Some(members) = content.as_object() else {
        return Err(Refusal::invalid("content is no card"));
    };
    let named = card::check(members, audience).map_err(Refusal::heard_by_app)?;
    let card = CardTraits {
        shared: content["config"]["update_multi"] == true,
        is_schema_2: content["schema"] == "2.0",
    };
    Ok(CheckedContent { named, card: Some(card) })
}
