//! What people do in Feishu that concerns us: a message to the bot, a reaction, a button pressed. One interaction is
//! one message on the queue, one JSON object. Pure.

mod id;
#[cfg(test)]
mod tests;

use bytes::Bytes;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::secret::Secret;

pub use id::InteractionId;

/// The version of the wire format this build writes, and the only one it reads.
pub const WIRE_VERSION: u32 = 1;

/// One thing somebody did. Texts are empty where Feishu did not say.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interaction {
    /// Names it in logs and in the audit trail.
    pub id: InteractionId,
    /// When ingest had read the whole request.
    pub received_at: Timestamp,
    /// The same whenever Feishu sends the same thing again, which it does up to seven hours later. Whoever acts on
    /// interactions remembers these for at least twelve hours.
    pub dedup_key: String,
    /// Feishu's name for the event (`uuid` in schema 1.0); empty for old card callbacks.
    #[serde(default)]
    pub event_id: String,
    /// Who did it.
    pub operator: Operator,
    /// Where; empty for reactions.
    #[serde(default)]
    pub chat_id: String,
    /// The message itself, or the one that was reacted to or whose button was pressed.
    #[serde(default)]
    pub message_id: String,
    /// What was done.
    #[serde(flatten)]
    pub act: Act,
}

/// A person, as Feishu names people. At least one of the names is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Operator {
    /// Of this app.
    pub open_id: String,
    /// Of this tenant; sent only to apps that may see it.
    pub user_id: String,
    /// Of this developer.
    pub union_id: String,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Act {
    /// A text was sent to the bot or to a group it is in.
    Message {
        /// The text; people in it are placeholders that `mentions` explains.
        text: String,
        /// The people in the text.
        #[serde(default)]
        mentions: Vec<Mentioned>,
        /// The message it replies to.
        #[serde(default)]
        parent_id: String,
        /// `group` or `p2p`.
        #[serde(default)]
        chat_type: String,
    },
    /// An emoji was put on a message.
    Reaction {
        /// Feishu's name for it: `DONE`, `THUMBSUP`.
        emoji: String,
    },
    /// A button on a card was pressed, or an option of a menu was chosen.
    Button {
        /// What the button is for: `action` of its value, or the whole value where that is a text.
        action: String,
        /// The button's value as the card defined it. Comes back through the client: data, not proof.
        #[serde(default)]
        value: Map<String, Value>,
        /// The option that was chosen.
        #[serde(default)]
        option: String,
        /// Allows two updates of the card within 30 minutes.
        #[serde(
            default,
            serialize_with = "write_secret",
            deserialize_with = "read_secret",
            skip_serializing_if = "Option::is_none"
        )]
        update_token: Option<Secret>,
    },
}

/// Somebody a text mentions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Mentioned {
    /// The placeholder in the text: `@_user_1`.
    pub key: String,
    /// The open id; empty for `@_all`.
    pub open_id: String,
    /// The name shown.
    pub name: String,
}

impl Act {
    /// Every kind, for metrics that show each from the start.
    pub const KINDS: [&'static str; 3] = ["message", "reaction", "button"];

    /// The word used on the wire, in logs and in metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Message { .. } => "message",
            Self::Reaction { .. } => "reaction",
            Self::Button { .. } => "button",
        }
    }
}

/// Why a message is not an interaction of ours. Such a message is counted, and not kept: it may hold a token.
#[derive(Debug, Error)]
pub enum InteractionDecodeError {
    /// Written by a newer build, or by something else.
    #[error("wire version {found} is not {WIRE_VERSION}, the one this build reads")]
    Version {
        /// The version the message claims.
        found: u32,
    },
    /// Not JSON, or not of the documented shape. What it says instead is not repeated.
    #[error("not an interaction: {:?} error at line {} column {}", .0.classify(), .0.line(), .0.column())]
    Malformed(#[from] serde_json::Error),
}

#[derive(Serialize)]
struct WireInteraction<'i> {
    v: u32,
    #[serde(flatten)]
    interaction: &'i Interaction,
}

#[derive(Deserialize)]
struct InteractionVersion {
    v: u32,
}

/// Writes the body of its message.
pub fn encode(interaction: &Interaction) -> Result<Bytes, serde_json::Error> {
    serde_json::to_vec(&WireInteraction { v: WIRE_VERSION, interaction }).map(Bytes::from)
}

/// Reads the body of a message. Unknown fields are ignored; an unknown version is refused whatever else it holds.
pub fn decode(body: &[u8]) -> Result<Interaction, InteractionDecodeError> {
    let InteractionVersion { v: found } = serde_json::from_slice(body)?;
    if found != WIRE_VERSION {
        return Err(InteractionDecodeError::Version { found });
    }
    Ok(serde_json::from_slice(body)?)
}

#[expect(clippy::ref_option, reason = "the signature serde asks for")]
fn write_secret<S: Serializer>(secret: &Option<Secret>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(Secret::expose).serialize(serializer)
}

fn read_secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Secret>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.map(Secret::new))
}
