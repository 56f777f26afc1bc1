//! Bodies of an app bot's calls (reference "Feishu", 4.2, 4.4, 4.5): content is JSON within a string of JSON.

use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::feishu::CardContent;
use crate::feishu::picture::Picture;
use crate::render::{Card, SharedCard};

/// How many bytes of the hash make a key: 40 hex digits, of the 50 characters a `uuid` may have.
const KEY_BYTES: usize = 20;

/// What makes one message of several tries: Feishu shows messages with the same one once within an hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnceKey(String);

impl OnceKey {
    /// A key made of everything that tells one message from another: what is told, to whom, and in which form, because
    /// other content under the same key would not be shown.
    pub fn of<'p>(parts: impl IntoIterator<Item = &'p str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.as_bytes());
            // 0xFF occurs in no UTF-8 text, so no two lists run into the same bytes.
            hash.update([0xff]);
        }
        Self(hex::encode(&hash.finalize()[..KEY_BYTES]))
    }

    /// The key as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Serialize)]
struct AppMessage<'b> {
    #[serde(skip_serializing_if = "Option::is_none")]
    receive_id: Option<&'b str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_in_thread: Option<bool>,
    msg_type: &'b str,
    content: String,
    uuid: &'b str,
}

#[derive(Serialize)]
struct AppUpdate {
    content: String,
}

#[derive(Serialize)]
struct AppText<'b> {
    text: &'b str,
}

/// A message into a chat.
pub(super) fn message(chat_id: &str, content: &CardContent, once: &OnceKey) -> serde_json::Result<Vec<u8>> {
    write(Some(chat_id), None, content, once)
}

/// A reply, perhaps in a thread of its own.
pub(super) fn reply(in_thread: bool, content: &CardContent, once: &OnceKey) -> serde_json::Result<Vec<u8>> {
    write(None, Some(in_thread), content, once)
}

/// What the parts of a form are set apart by. Feishu's pictures are none of text, so it stands in none.
const BOUNDARY: &str = "larkfire-7d1f0c2b9a4e4d55b1c3";
/// What says so in a header.
pub(super) const FORM: &str = "multipart/form-data; boundary=larkfire-7d1f0c2b9a4e4d55b1c3";

/// A picture for messages (reference "Feishu", 4.9), as a form (RFC 7578).
pub(super) fn picture(picture: &Picture) -> Vec<u8> {
    let kind = picture.format.as_str();
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image_type\"\r\n\r\nmessage\r\n\
         --{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"; filename=\"picture.{kind}\"\r\n\
         Content-Type: image/{kind}\r\n\r\n"
    );
    let end = format!("\r\n--{BOUNDARY}--\r\n");
    [head.as_bytes(), &picture.bytes, end.as_bytes()].concat()
}

/// A new card for a message.
pub(super) fn update(card: &Card) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&AppUpdate { content: shared(card)? })
}

fn write(
    receive_id: Option<&str>,
    reply_in_thread: Option<bool>,
    content: &CardContent,
    once: &OnceKey,
) -> serde_json::Result<Vec<u8>> {
    let (msg_type, content) = match content {
        CardContent::Card(card) => ("interactive", shared(card)?),
        CardContent::Previewed(cards) => ("interactive", shared(&cards[0])?),
        CardContent::Text(text) => ("text", serde_json::to_string(&AppText { text })?),
    };
    serde_json::to_vec(&AppMessage { receive_id, reply_in_thread, msg_type, content, uuid: &once.0 })
}

fn shared(card: &Card) -> serde_json::Result<String> {
    serde_json::to_string(&SharedCard(card))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_card_goes_as_a_string_and_is_what_it_was_but_shared() {
        let card = Card::default();
        let body = message("oc_1", &CardContent::Card(Box::new(card.clone())), &OnceKey::of(["a"])).unwrap();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let mut sent: Value = serde_json::from_str(body["content"].as_str().unwrap()).unwrap();
        assert_eq!(sent["config"]["update_multi"].take(), true);
        sent["config"].as_object_mut().unwrap().remove("update_multi");
        assert_eq!(sent, serde_json::to_value(&card).unwrap());
        assert_eq!((&body["receive_id"], &body["msg_type"]), (&json!("oc_1"), &json!("interactive")));
        assert_eq!(body.get("reply_in_thread"), None);
    }

    #[test]
    fn a_key_has_40_characters_and_depends_on_every_part_and_its_place() {
        let key = |parts: &[&str]| OnceKey::of(parts.iter().copied());
        assert_eq!(key(&["e1", "ops", "card"]).0.len(), 40);
        assert_eq!(key(&["e1", "ops", "card"]), key(&["e1", "ops", "card"]));
        for other in
            [&["e1", "ops", "text"][..], &["e1ops", "card"], &["e1", "opscard"], &["ops", "e1", "card"]]
        {
            assert_ne!(key(&["e1", "ops", "card"]), key(other), "{other:?}");
        }
    }
}
