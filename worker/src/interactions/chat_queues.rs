//! Side by side between chats, one after the other within one: what a person presses in a chat does not wait for what is
//! slow in another. Pure.

use std::collections::{HashMap, VecDeque};

use model::interaction::Interaction;

/// Interactions in hand at once, those that wait in the queues of their chats included. RabbitMQ gives out no more unacknowledged.
const IN_HAND_MAX: usize = 100;

/// The chat an interaction belongs to. A reaction does not say which: then it is the message it was put on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct ChatKey(String);

/// The chats for which something is worked on, each with what waits behind it.
#[derive(Debug)]
pub(super) struct ChatQueues<T> {
    chats: HashMap<ChatKey, VecDeque<T>>,
    in_hand: usize,
}

impl ChatKey {
    pub(super) fn of(interaction: &Interaction) -> Self {
        let Interaction { chat_id, message_id, .. } = interaction;
        Self(if chat_id.is_empty() { format!("message {message_id}") } else { format!("chat {chat_id}") })
    }
}

impl<T> Default for ChatQueues<T> {
    fn default() -> Self {
        Self { chats: HashMap::new(), in_hand: 0 }
    }
}

impl<T> ChatQueues<T> {
    /// Whether more may be taken.
    pub(super) const fn has_room(&self) -> bool {
        self.in_hand < IN_HAND_MAX
    }

    /// Takes one in; given back if it is to be worked on now.
    pub(super) fn enter(&mut self, chat: &ChatKey, one: T) -> Option<T> {
        self.in_hand += 1;
        if let Some(behind) = self.chats.get_mut(chat) {
            behind.push_back(one);
            None
        } else {
            self.chats.insert(chat.clone(), VecDeque::new());
            Some(one)
        }
    }

    /// The one that was worked on in this chat is out of hand; the next is to be worked on now.
    pub(super) fn leave(&mut self, chat: &ChatKey) -> Option<T> {
        self.in_hand -= 1;
        let next = self.chats.get_mut(chat).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.chats.remove(chat);
        }
        next
    }

    /// Everything that waits, out of hand now.
    pub(super) fn drain(&mut self) -> Vec<T> {
        let waiting: Vec<T> = self.chats.values_mut().flat_map(std::mem::take).collect();
        self.in_hand -= waiting.len();
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(name: &str) -> ChatKey {
        ChatKey(name.to_owned())
    }

    #[test]
    fn one_after_the_other_in_a_chat_and_side_by_side_between_chats() {
        let mut chats = ChatQueues::default();
        assert_eq!(chats.enter(&chat("a"), 1), Some(1));
        assert_eq!(chats.enter(&chat("a"), 2), None);
        assert_eq!(chats.enter(&chat("b"), 3), Some(3), "another chat waits for nobody");
        assert_eq!(chats.leave(&chat("a")), Some(2));
        assert_eq!(chats.leave(&chat("a")), None);
        assert_eq!(chats.enter(&chat("a"), 4), Some(4), "a chat that is empty is free");
        assert_eq!(chats.in_hand, 2);
    }

    #[test]
    fn what_is_in_hand_has_a_limit_and_what_is_drained_counts_no_more() {
        let mut chats = ChatQueues::default();
        let started = (0..IN_HAND_MAX).filter_map(|index| chats.enter(&chat("a"), index)).count();
        assert!(started == 1 && !chats.has_room());
        assert_eq!(chats.drain().len(), IN_HAND_MAX - 1);
        assert!(chats.has_room() && chats.leave(&chat("a")).is_none());
        assert!(chats.in_hand == 0 && chats.chats.is_empty());
    }
}
