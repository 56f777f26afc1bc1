//! What a card at the simulator says: which alerts it shows, and how many it stands for. Pure.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::template::numbers_in;

/// A message that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// When, in microseconds since 1970 by the simulator's clock.
    pub(crate) at_us: i64,
    /// The alerts it shows by themselves.
    pub(crate) shown: BTreeSet<u32>,
    /// How many it stands for, those it only counts included.
    pub(crate) counted: u64,
}

impl Card {
    /// Reads the body of a message, as it was sent.
    pub(crate) fn read(at_us: i64, message: &Value) -> Self {
        let title = title(message);
        let text = message.to_string();
        let shown: BTreeSet<_> = numbers_in(&text).collect();
        // All alerts of a run have one name, so that its count in the title is that of the card.
        let counted = title.rsplit_once('×').and_then(|(_, count)| {
            let digits: String = count.chars().take_while(char::is_ascii_digit).collect();
            digits.parse().ok()
        });
        Self { at_us, shown, counted: counted.unwrap_or(1) }
    }
}

/// The title of a card; of a message that is plain text, its first line.
fn title(message: &Value) -> &str {
    let title = message.pointer("/card/header/title/content").and_then(Value::as_str);
    let text = || message.pointer("/content/text").and_then(Value::as_str);
    title.or_else(text).and_then(|title| title.lines().next()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn card(title: &str, text: &str) -> Value {
        json!({"msg_type": "interactive", "card": {"header": {"title": {"content": title}}, "elements": [{"text": text}]}})
    }

    #[test]
    fn a_card_is_counted_by_its_title_and_read_by_its_details() {
        let one = Card::read(5, &card("[CRITICAL] HighErrorRate · shop/svc-1", "lt00000007 12 %"));
        assert_eq!(one, Card { at_us: 5, shown: [7].into(), counted: 1 });
        let storm =
            card("[CRITICAL] 9000 alerts in shop: HighErrorRate ×9000", "lt00000007 lt00000009 lt00000007");
        assert_eq!(Card::read(5, &storm), Card { at_us: 5, shown: [7, 9].into(), counted: 9_000 });
        let few = Card::read(5, &card("[CRITICAL] HighErrorRate ×3 · shop", ""));
        assert_eq!(few.counted, 3);
    }

    #[test]
    fn plain_text_is_counted_by_its_first_line() {
        let text = json!({"msg_type": "text", "content": {"text": "[CRITICAL] HighErrorRate ×12 · shop\nlt00000001"}});
        assert_eq!(Card::read(0, &text), Card { at_us: 0, shown: [1].into(), counted: 12 });
    }
}
