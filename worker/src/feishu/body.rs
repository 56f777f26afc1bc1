//! The body of one request to a custom bot (custom bot guide, "message types" and "signature verification").

use model::signature::BotSign;
use serde::Serialize;

use crate::render::Card;

/// What is to be delivered.
#[derive(Clone, Debug)]
pub enum CardContent {
    /// A card.
    Card(Box<Card>),
    /// A card for the preview, which shows it in either format: the one that is configured, and the other.
    Previewed(Box<[Card; 2]>),
    /// Plain text, already neutralised.
    Text(String),
}

impl CardContent {
    /// The card, if it is one.
    pub fn card(&self) -> Option<&Card> {
        match self {
            Self::Card(card) => Some(card),
            Self::Previewed(cards) => cards.first(),
            Self::Text(_) => None,
        }
    }
}

#[derive(Serialize)]
struct Body<'b> {
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    sign: Option<Signed<'b>>,
    #[serde(flatten)]
    message: WebhookMessage<'b>,
}

#[derive(Serialize)]
struct Signed<'b> {
    timestamp: &'b str,
    sign: &'b str,
}

#[derive(Serialize)]
#[serde(tag = "msg_type", rename_all = "snake_case")]
enum WebhookMessage<'b> {
    Interactive { card: &'b Card },
    Text { content: WebhookText<'b> },
}

#[derive(Serialize)]
struct WebhookText<'b> {
    text: &'b str,
}

/// Writes the body. Strings and numbers only, so there is nothing the serialiser could refuse.
pub(super) fn write(content: &CardContent, sign: Option<&BotSign>) -> serde_json::Result<Vec<u8>> {
    let sign = sign.map(|signed| Signed { timestamp: &signed.timestamp, sign: &signed.sign });
    let message = match content {
        CardContent::Card(card) => WebhookMessage::Interactive { card },
        CardContent::Previewed(cards) => WebhookMessage::Interactive { card: &cards[0] },
        CardContent::Text(text) => WebhookMessage::Text { content: WebhookText { text } },
    };
    serde_json::to_vec(&Body { sign, message })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use model::signature::bot_sign;
    use serde_json::json;

    use super::super::limits::AROUND_CARD_BYTES;
    use super::*;

    fn signed() -> BotSign {
        bot_sign("secret", Timestamp::from_second(1_700_000_000).unwrap())
    }

    #[test]
    fn the_bytes_around_a_card_are_counted() {
        let card = Card::default();
        let bare = serde_json::to_vec(&card).unwrap().len();
        let body = write(&CardContent::Card(Box::new(card)), Some(&signed())).unwrap();
        assert_eq!(body.len() - bare, AROUND_CARD_BYTES);
    }

    #[test]
    fn a_text_body_has_content_and_a_card_body_has_not() {
        let text = write(&CardContent::Text("hello".to_owned()), None).unwrap();
        let text: serde_json::Value = serde_json::from_slice(&text).unwrap();
        assert_eq!(text, json!({"msg_type": "text", "content": {"text": "hello"}}));

        let card = write(&CardContent::Card(Box::default()), Some(&signed())).unwrap();
        let card: serde_json::Value = serde_json::from_slice(&card).unwrap();
        assert_eq!(card["msg_type"], "interactive");
        assert_eq!(card["timestamp"], "1700000000");
        assert!(card["card"].is_object() && card.get("content").is_none());
    }
}
