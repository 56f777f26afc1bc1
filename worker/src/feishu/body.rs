//! The body of one request to a custom bot (custom bot guide, "message types" and "signature verification").

use serde::Serialize;
use shared::signature::BotSign;

use crate::card::Card;

/// Feishu's limit for the whole body, in bytes. The documents say 20 KB, 30 KB and 100 KB in different places; the
/// smallest holds.
pub const BODY_BYTES_MAX: usize = 20_000;
/// What is around the card in a signed body: `{"timestamp":…,"sign":…,"msg_type":"interactive","card":…}` with ten
/// digits of time and 44 characters of base64. A test counts it.
const AROUND_CARD_BYTES: usize = 113;
/// How large a card may be, so that its request stays within the limit.
pub const CARD_BYTES_MAX: usize = BODY_BYTES_MAX - AROUND_CARD_BYTES;

/// What is to be told.
#[derive(Clone, Debug)]
pub enum Content {
    /// A card.
    Card(Box<Card>),
    /// Plain text, already neutralised.
    Text(String),
}

#[derive(Serialize)]
struct Body<'b> {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sign: Option<Signed<'b>>,
    #[serde(flatten)]
    message: Message<'b>,
}

#[derive(Serialize)]
struct Signed<'b> {
    timestamp: &'b str,
    sign: &'b str,
}

#[derive(Serialize)]
#[serde(tag = "msg_type", rename_all = "snake_case")]
enum Message<'b> {
    Interactive { card: &'b Card },
    Text { content: Text<'b> },
}

#[derive(Serialize)]
struct Text<'b> {
    text: &'b str,
}

/// Writes the body. Strings and numbers only, so there is nothing the serialiser could refuse.
pub(super) fn write(content: &Content, sign: Option<&BotSign>) -> serde_json::Result<Vec<u8>> {
    let sign = sign.map(|signed| Signed { timestamp: &signed.timestamp, sign: &signed.sign });
    let message = match content {
        Content::Card(card) => Message::Interactive { card },
        Content::Text(text) => Message::Text { content: Text { text } },
    };
    serde_json::to_vec(&Body { sign, message })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;
    use shared::signature::bot_sign;

    use super::*;

    fn signed() -> BotSign {
        bot_sign("secret", Timestamp::from_second(1_700_000_000).unwrap())
    }

    #[test]
    fn the_bytes_around_a_card_are_counted() {
        let card = Card::default();
        let bare = serde_json::to_vec(&card).unwrap().len();
        let body = write(&Content::Card(Box::new(card)), Some(&signed())).unwrap();
        assert_eq!(body.len() - bare, AROUND_CARD_BYTES);
    }

    #[test]
    fn a_text_body_has_content_and_a_card_body_has_not() {
        let text = write(&Content::Text("hello".to_owned()), None).unwrap();
        let text: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(text, json!({"msg_type": "text", "content": {"text": "hello"}}));

        let card = write(&Content::Card(Box::default()), Some(&signed())).unwrap();
        let card: serde_json::Value = serde_json::from_slice(&card).unwrap();
        assert_eq!(card["msg_type"], "interactive");
        assert_eq!(card["timestamp"], "1700000000");
        assert!(card["card"].is_object() && card.get("content").is_none());
    }
}
