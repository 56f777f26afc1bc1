//! Side by side between chats, one after the other within one: what a person presses in a chat does not wait for what is
//! slow in another. Pure.

use std::collections::{HashMap, VecDeque};

use model::interaction::Interaction;

/// Interactions in hand at once, those that wait in their lanes included. RabbitMQ gives out no more unacknowledged.
const IN_HAND_MAX: usize = 100;

/// The chat an interaction belongs to. A reaction does not say which: then it is the message it was put on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Lane(String);

/// The lanes in which something is worked on, each with what waits behind it.
#[derive(Debug)]
pub(super) struct Lanes<T> {
    lanes: HashMap<Lane, VecDeque<T>>,
    in_hand: usize,
}

impl Lane {
    pub(super) fn of(interaction: &Interaction) -> Self {
        let Interaction { chat_id, message_id, .. } = interaction;
        Self(if chat_id.is_empty() { format!("message {message_id}") } else { format!("chat {chat_id}") })
    }
}

impl<T> Default for Lanes<T> {
    fn default() -> Self {
        Self { lanes: HashMap::new(), in_hand: 0 }
    }
}

impl<T> Lanes<T> {
    /// Whether more may be taken.
    pub(super) const fn has_room(&self) -> bool {
        self.in_hand < IN_HAND_MAX
    }

    /// Takes one in; given back if it is to be worked on now.
    pub(super) fn enter(&mut self, lane: &Lane, one: T) -> Option<T> {
        self.in_hand += 1;
        if let Some(behind) = self.lanes.get_mut(lane) {
            behind.push_back(one);
            None
        } else {
            self.lanes.insert(lane.clone(), VecDeque::new());
            Some(one)
        }
    }

    /// The one that was worked on in this lane is out of hand; the next is to be worked on now.
    pub(super) fn leave(&mut self, lane: &Lane) -> Option<T> {
        self.in_hand -= 1;
        let next = self.lanes.get_mut(lane).and_then(VecDeque::pop_front);
        if next.is_none() {
            self.lanes.remove(lane);
        }
        next
    }

    /// Everything that waits, out of hand now.
    pub(super) fn drain(&mut self) -> Vec<T> {
        let waiting: Vec<T> = self.lanes.values_mut().flat_map(std::mem::take).collect();
        self.in_hand -= waiting.len();
        waiting
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lane(name: &str) -> Lane {
        Lane(name.to_owned())
    }

    #[test]
    fn one_after_the_other_in_a_lane_and_side_by_side_between_lanes() {
        let mut lanes = Lanes::default();
        assert_eq!(lanes.enter(&lane("a"), 1), Some(1));
        assert_eq!(lanes.enter(&lane("a"), 2), None);
        assert_eq!(lanes.enter(&lane("b"), 3), Some(3), "another lane waits for nobody");
        assert_eq!(lanes.leave(&lane("a")), Some(2));
        assert_eq!(lanes.leave(&lane("a")), None);
        assert_eq!(lanes.enter(&lane("a"), 4), Some(4), "a lane that is empty is free");
        assert_eq!(lanes.in_hand, 2);
    }

    #[test]
    fn what_is_in_hand_has_a_limit_and_what_is_drained_counts_no_more() {
        let mut lanes = Lanes::default();
        let started = (0..IN_HAND_MAX).filter_map(|index| lanes.enter(&lane("a"), index)).count();
        assert!(started == 1 && !lanes.has_room());
        assert_eq!(lanes.drain().len(), IN_HAND_MAX - 1);
        assert!(lanes.has_room() && lanes.leave(&lane("a")).is_none());
        assert!(lanes.in_hand == 0 && lanes.lanes.is_empty());
    }
}
