//! Which delivery tags may be acknowledged together. Pure: tags in, acknowledgements out.
//!
//! A multiple-ack covers every tag up to its own, seen or not. With several queues on one channel a later tag
//! can be seen before an earlier one, so "everything below is settled" has to be known, not assumed.

use std::collections::BTreeSet;

/// The deliveries of one channel that are not acknowledged yet. Its sets hold no more than what is
/// delivered and unacknowledged, which the prefetch window bounds.
#[derive(Debug, Default)]
pub(super) struct AckWindow {
    /// Every tag up to here was seen; the broker counts from 1 without gaps.
    frontier: u64,
    /// Seen beyond the frontier.
    ahead: BTreeSet<u64>,
    /// Seen and not settled.
    in_hand: BTreeSet<u64>,
    /// Settled since the last `flush`, mostly in their order.
    settled: Vec<u64>,
}

/// What to tell the broker.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Acks {
    /// Acknowledge everything up to and including this tag.
    pub(super) up_to: Option<u64>,
    /// Acknowledge these one by one.
    pub(super) single: Vec<u64>,
}

impl AckWindow {
    /// A delivery arrived.
    pub(super) fn seen(&mut self, tag: u64) {
        self.in_hand.insert(tag);
        if tag != self.frontier + 1 {
            self.ahead.insert(tag);
            return;
        }
        self.frontier = tag;
        while self.ahead.first() == Some(&(self.frontier + 1)) {
            self.ahead.pop_first();
            self.frontier += 1;
        }
    }

    /// A delivery may be forgotten. Says whether it was in hand.
    pub(super) fn settle(&mut self, tag: u64) -> bool {
        let was_in_hand = self.in_hand.remove(&tag);
        if was_in_hand {
            self.settled.push(tag);
        }
        was_in_hand
    }

    /// A delivery goes back. Says whether it was in hand; if so the caller tells the broker, before the next
    /// `flush`, so that no multiple-ack covers it first.
    pub(super) fn give_back(&mut self, tag: u64) -> bool {
        self.in_hand.remove(&tag)
    }

    /// How many deliveries are neither settled nor given back.
    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.len()
    }

    /// What was settled since the last time, in as few acknowledgements as is safe.
    pub(super) fn flush(&mut self) -> Acks {
        let blocked_from = self.in_hand.first().copied().unwrap_or(u64::MAX).min(self.frontier + 1);
        let mut settled = std::mem::take(&mut self.settled);
        settled.sort_unstable();
        let single = settled.split_off(settled.partition_point(|tag| *tag < blocked_from));
        // The last settled tag itself, not the one before the blockade: that may have been given back, and
        // the broker closes the channel on a tag it no longer knows.
        Acks { up_to: settled.pop(), single }
    }
}

#[cfg(test)]
mod tests;
