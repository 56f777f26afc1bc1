//! Who may do what, and where. Pure.

use config::{InteractionsConfig, ReceiverConfig, ReceiverDestination};
use model::interaction::Operator;

/// What somebody wants to do about alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// To take them on, or not any more.
    Acknowledge,
    /// To silence them, or not any more.
    Silence,
    /// To change who is on call.
    Swap,
}

/// What the configuration says about people and chats.
#[derive(Clone, Debug, Default)]
pub(super) struct InteractionRules {
    may_acknowledge: Vec<String>,
    may_silence: Vec<String>,
    may_swap: Vec<String>,
    /// Receivers, and the chats they are.
    chats: Vec<(String, String)>,
}

impl InteractionRules {
    pub(super) fn new(config: &InteractionsConfig, receivers: &[ReceiverConfig]) -> Self {
        let chat = |receiver: &ReceiverConfig| match &receiver.destination {
            ReceiverDestination::AppChat { chat_id } => Some((receiver.name.clone(), chat_id.clone())),
            ReceiverDestination::CustomBot { .. } | ReceiverDestination::Bots { .. } => None,
        };
        Self {
            may_acknowledge: config.may_acknowledge.clone(),
            may_silence: config.may_silence.clone(),
            may_swap: config.may_swap.clone(),
            chats: receivers.iter().filter_map(chat).collect(),
        }
    }

    /// Whether this person may; where nobody is named, everybody in the chat may.
    pub(super) fn allow(&self, action: Action, operator: &Operator) -> bool {
        let named = match action {
            Action::Acknowledge => &self.may_acknowledge,
            Action::Silence => &self.may_silence,
            Action::Swap => &self.may_swap,
        };
        let Operator { open_id, user_id, union_id } = operator;
        let is_named = |id: &&String| !id.is_empty() && named.contains(id);
        named.is_empty() || [open_id, user_id, union_id].iter().any(is_named)
    }

    /// Whether this receiver is this chat. One that is not said is nobody's.
    pub(super) fn belongs(&self, receiver: &str, chat_id: &str) -> bool {
        self.receivers_in(chat_id).any(|name| name == receiver)
    }

    /// The receivers that are this chat.
    pub(super) fn receivers_in<'r>(&'r self, chat_id: &'r str) -> impl Iterator<Item = &'r str> {
        self.chats.iter().filter(move |(_, chat)| chat == chat_id).map(|(name, _)| name.as_str())
    }
}

/// What a person is called where a name is written down.
pub(super) fn name_of(operator: &Operator) -> &str {
    ids_of(operator).first().copied().unwrap_or("unknown")
}

/// The ids of a person that are known, the one of this app first.
pub(super) fn ids_of(operator: &Operator) -> Vec<&str> {
    let Operator { open_id, user_id, union_id } = operator;
    [open_id, user_id, union_id].into_iter().map(String::as_str).filter(|id| !id.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(open_id: &str, user_id: &str) -> Operator {
        Operator { open_id: open_id.to_owned(), user_id: user_id.to_owned(), union_id: String::new() }
    }

    #[test]
    fn everybody_may_where_nobody_is_named_and_any_id_names_a_person() {
        let rules = InteractionRules {
            may_silence: vec!["ou_1".to_owned(), "u_2".to_owned()],
            ..InteractionRules::default()
        };
        let may = |action, who: &Operator| rules.allow(action, who);
        assert!(may(Action::Acknowledge, &person("ou_9", "")));
        assert!(may(Action::Silence, &person("ou_1", "")));
        assert!(may(Action::Silence, &person("ou_9", "u_2")));
        assert!(!may(Action::Silence, &person("ou_9", "")));
        let with_blank = InteractionRules { may_silence: vec![String::new()], ..InteractionRules::default() };
        assert!(!with_blank.allow(Action::Silence, &person("ou_9", "")), "no id is nobody's");
    }

    #[test]
    fn a_card_is_used_in_its_own_chat_only() {
        let chats = [("ops", "oc_1"), ("dev", "oc_2"), ("all", "oc_1")];
        let chats = chats.map(|(name, chat)| (name.to_owned(), chat.to_owned())).to_vec();
        let rules = InteractionRules { chats, ..InteractionRules::default() };
        assert!(rules.belongs("ops", "oc_1") && rules.belongs("all", "oc_1"));
        assert!(!rules.belongs("ops", "oc_2") && !rules.belongs("gone", "oc_1") && !rules.belongs("ops", ""));
        assert_eq!(rules.receivers_in("oc_1").collect::<Vec<_>>(), ["ops", "all"]);
    }
}
