//! The chat a payload of the custom format names: taken at its word where the settings allow that. Pure.

use std::collections::HashMap;

use config::ReceiverConfig;
use model::envelope::{Envelope, Source};

/// The label ingest keeps the name in.
const LABEL: &str = "chat_id";

/// The chats payloads may name, and which receiver is in each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Chats(HashMap<String, String>);

/// What became of the wish for a chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Named {
    /// There is none.
    Nowhere,
    /// It goes to that chat.
    Followed,
    /// It is not among those that are allowed; it goes where it would have gone without.
    NotAllowed,
}

impl Named {
    /// What is counted.
    pub(crate) const COUNTED: [Self; 2] = [Self::Followed, Self::NotAllowed];

    /// The label value in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Nowhere => "nowhere",
            Self::Followed => "followed",
            Self::NotAllowed => "not_allowed",
        }
    }
}

impl Chats {
    /// Those of these that some receiver is in; loading the configuration sees to it that there is one.
    pub(crate) fn new(allowed: &[String], receivers: &[ReceiverConfig]) -> Self {
        let receiver = |chat: &String| {
            let within = receivers.iter().find(|receiver| receiver.is_in(chat))?;
            Some((chat.clone(), within.name.clone()))
        };
        Self(allowed.iter().filter_map(receiver).collect())
    }

    /// Addresses an envelope to the receiver in the chat it names. Where no chats are allowed, as with custom bots, the
    /// name is a label like others.
    pub(crate) fn address(&self, envelope: &mut Envelope<'_>) -> Named {
        if self.0.is_empty() || envelope.source != Source::Custom {
            return Named::Nowhere;
        }
        let named = envelope.alerts.iter().find_map(|alert| alert.labels.get(LABEL));
        let Some(named) = named.filter(|named| !named.is_empty()) else { return Named::Nowhere };
        let Some(receiver) = self.0.get(named) else { return Named::NotAllowed };
        envelope.receiver = receiver.clone().into();
        Named::Followed
    }
}

#[cfg(test)]
mod tests {
    use config::ReceiverDestination;
    use model::envelope::decode;

    use super::*;

    fn chats(allowed: &[&str]) -> Chats {
        let receiver = |(name, chat): (&str, &str)| ReceiverConfig {
            template: None,
            card_format: config::CardFormat::V1,
            name: name.to_owned(),
            destination: ReceiverDestination::AppChat { chat_id: chat.to_owned() },
            cards_per_minute: 1,
            cards_per_second: 1,
            fallback: None,
            owners: config::ReceiverOwners::default(),
            escalation: None,
        };
        let receivers = [("ops", "oc_1"), ("oc_2", "oc_2")].map(receiver);
        let allowed: Vec<_> = allowed.iter().map(ToString::to_string).collect();
        Chats::new(&allowed, &receivers)
    }

    fn addressed(chats: &Chats, source: &str, chat: &str) -> (Named, String) {
        let line = format!(
            r#"{{"v":1,"id":"018d0d1e-3b7a-7c3e-9f00-000000000001","received_at":"2024-01-15T10:30:00Z","source":"{source}","receiver":"asked","alerts":[{{"fingerprint":"f","status":"firing","labels":{{"chat_id":"{chat}"}}}}]}}"#
        );
        let mut envelope = decode(line.as_bytes()).unwrap();
        (chats.address(&mut envelope), envelope.receiver.into_owned())
    }

    #[test]
    fn an_allowed_chat_is_followed_to_the_receiver_in_it_and_any_other_is_not() {
        let chats = chats(&["oc_1", "oc_2"]);
        assert_eq!(addressed(&chats, "custom", "oc_1"), (Named::Followed, "ops".to_owned()));
        assert_eq!(addressed(&chats, "custom", "oc_2"), (Named::Followed, "oc_2".to_owned()));
        assert_eq!(addressed(&chats, "custom", "oc_3"), (Named::NotAllowed, "asked".to_owned()));
        assert_eq!(addressed(&chats, "custom", ""), (Named::Nowhere, "asked".to_owned()));
    }

    #[test]
    fn only_the_custom_format_has_a_word_in_it_and_only_where_chats_are_allowed() {
        assert_eq!(addressed(&chats(&["oc_1"]), "alertmanager", "oc_1").0, Named::Nowhere);
        assert_eq!(addressed(&chats(&[]), "custom", "oc_1").0, Named::Nowhere);
    }
}
