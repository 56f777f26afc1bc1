//! Who has which message in hand, and which is next. Pure, but for the callers' ends of channels.

use std::collections::{BTreeSet, VecDeque};

use queue::Subscription;

use super::request::ReceiveRequest;

/// One subscription's place in its table.
#[derive(Debug)]
pub(super) struct SubscriptionState {
    pub(super) which: Subscription,
    /// The first id that was never handed out.
    next: i64,
    /// Handed out once and given back.
    returned: BTreeSet<i64>,
    in_hand: BTreeSet<i64>,
    /// Settled, and still in the table.
    settled: BTreeSet<i64>,
    /// Consumers that wait for something.
    pub(super) waiting: VecDeque<ReceiveRequest>,
    /// Whether there may be something from `next` on; spares asking the table each time.
    pub(super) may_have_more: bool,
}

impl SubscriptionState {
    pub(super) const fn new(which: Subscription) -> Self {
        Self {
            which,
            next: 0,
            returned: BTreeSet::new(),
            in_hand: BTreeSet::new(),
            settled: BTreeSet::new(),
            waiting: VecDeque::new(),
            may_have_more: true,
        }
    }

    /// Where to read on, and whether what is there was handed out before. What was given back goes first: it
    /// is older than everything else.
    pub(super) fn next(&self) -> Option<(i64, bool)> {
        match self.returned.first() {
            Some(&id) => Some((id, true)),
            None => self.may_have_more.then_some((self.next, false)),
        }
    }

    /// A message is handed out.
    pub(super) fn take(&mut self, id: i64) {
        self.returned.remove(&id);
        self.next = self.next.max(id + 1);
        self.in_hand.insert(id);
    }

    /// A message that was given back is not in the table any more.
    pub(super) fn missing(&mut self, id: i64) {
        self.returned.remove(&id);
    }

    pub(super) fn settle(&mut self, id: i64) {
        if self.in_hand.remove(&id) {
            self.settled.insert(id);
        }
    }

    pub(super) fn give_back(&mut self, id: i64) {
        if self.in_hand.remove(&id) {
            self.returned.insert(id);
        }
    }

    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.len()
    }

    /// How many were handed out and are still in the table.
    pub(super) fn handed_out(&self) -> usize {
        self.in_hand.len() + self.settled.len()
    }

    /// Ids to delete, ascending.
    pub(super) fn settled(&self) -> Vec<i64> {
        self.settled.iter().copied().collect()
    }

    pub(super) fn has_settled(&self) -> bool {
        !self.settled.is_empty()
    }

    /// They are deleted, and that is on disk.
    pub(super) fn forget(&mut self, ids: &[i64]) {
        for id in ids {
            self.settled.remove(id);
        }
    }

    /// Whether everything that was handed out is settled, on disk, or back.
    pub(super) fn is_settled(&self) -> bool {
        self.in_hand.is_empty() && self.settled.is_empty()
    }
}

/// The engine-wide name of a message: the subscription in the lowest digits, so that the settlements of all
/// tables come through one channel.
pub(super) fn tag(which: Subscription, id: i64) -> u64 {
    id.unsigned_abs() * 3 + index(which) as u64
}

/// The subscription's index and the id of a tag.
pub(super) fn untag(tag: u64) -> (usize, i64) {
    let index = usize::try_from(tag % 3).unwrap_or_default();
    (index, i64::try_from(tag / 3).unwrap_or(i64::MAX))
}

/// The place of a subscription's lane.
pub(super) const fn index(which: Subscription) -> usize {
    match which {
        Subscription::Alerts => 0,
        Subscription::Dead => 1,
        Subscription::Interactions => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_next_and_oldest_first() {
        let mut lane = SubscriptionState::new(Subscription::Alerts);
        for id in 1..=3 {
            lane.take(id);
        }
        lane.give_back(3);
        lane.give_back(1);
        assert_eq!(lane.next(), Some((1, true)));
        lane.take(1);
        assert_eq!(lane.next(), Some((3, true)));
        lane.take(3);
        assert_eq!(lane.next(), Some((4, false)));
    }

    #[test]
    fn settled_means_on_disk() {
        let mut lane = SubscriptionState::new(Subscription::Alerts);
        lane.take(1);
        lane.settle(1);
        assert!(!lane.is_settled());
        lane.forget(&[1]);
        assert!(lane.is_settled());
    }

    #[test]
    fn a_tag_names_one_message_of_one_table() {
        for which in [Subscription::Alerts, Subscription::Dead, Subscription::Interactions] {
            assert_eq!(untag(tag(which, 77)), (index(which), 77));
        }
    }
}
