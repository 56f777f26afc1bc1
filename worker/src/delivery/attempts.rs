//! What is remembered of an envelope's attempts, across parkings. Pure.

use jiff::{SignedDuration, Timestamp};
use queue::{DeferStep, Failure, FailureMarks, Headers, Reason};

use crate::feishu::verdict::Trouble;

/// Why an envelope was put off that gave way to a copy of itself.
const GAVE_WAY: &str = "another worker has a copy of it in hand";
/// How long ago a failure is recent.
const YOUNG: SignedDuration = SignedDuration::from_mins(2);

/// The attempts at one envelope so far.
#[derive(Clone, Debug)]
pub(crate) struct AttemptState {
    /// How often it was deferred before.
    deferred: u32,
    /// Whether an attempt was made since.
    tried: bool,
    attempts: u32,
    first_failed_at: Option<Timestamp>,
    trouble: Trouble,
    /// How often it was left alone after an attempt that ended without a word on what became of it, or with one nobody
    /// knows; before a parking included.
    unresolved: u32,
    /// Whether any of them may have arrived.
    may_have_arrived: bool,
    /// Whether it was put off last because another worker had a copy of it in hand.
    gave_way: bool,
}

impl AttemptState {
    /// What the headers of its message say.
    pub(crate) fn of(headers: &Headers) -> Self {
        let before = headers.failure.as_ref();
        let attempts = before.map_or(0, |failure| failure.attempts);
        let trouble = before.map_or_else(
            || Trouble::without_code(""),
            |failure| Trouble {
                code: failure.code,
                message: failure.message.clone(),
                may_have_arrived: failure.marks.may_have_arrived,
                is_by_itself: failure.marks.by_itself,
            },
        );
        let may_have_arrived = trouble.may_have_arrived;
        // The headers count all attempts together; what is deferred after one of these has made few of any other kind.
        let unresolved = if may_have_arrived || trouble.is_by_itself { attempts.max(1) } else { 0 };
        Self {
            deferred: headers.attempt,
            tried: false,
            attempts,
            first_failed_at: before.map(|failure| failure.first_failed_at),
            trouble,
            unresolved,
            may_have_arrived,
            gave_way: before.is_some_and(|failure| failure.marks.gave_way),
        }
    }

    /// One more attempt is made.
    pub(super) const fn attempted(&mut self) {
        self.attempts = self.attempts.saturating_add(1);
        self.tried = true;
    }

    /// Whether an attempt was made since it was taken off the queue.
    pub(super) const fn was_tried(&self) -> bool {
        self.tried
    }

    /// Whether anything went wrong so far, also before a parking.
    pub(super) const fn have_failed(&self) -> bool {
        self.first_failed_at.is_some()
    }

    /// The attempts so far, those before a parking included.
    pub(super) const fn attempts(&self) -> u32 {
        self.attempts
    }

    /// It is left unresolved once more, for a pause of its own.
    pub(super) const fn left_unresolved(&mut self) {
        self.unresolved = self.unresolved.saturating_add(1);
    }

    /// Attempts so far of which nobody knows what came, or what the answer meant.
    pub(super) const fn unresolved(&self) -> u32 {
        self.unresolved
    }

    /// Whether it may be in the chat already.
    pub(super) const fn may_have_arrived(&self) -> bool {
        self.may_have_arrived
    }

    /// When something went wrong for the first time.
    pub(super) const fn first_failed_at(&self) -> Option<Timestamp> {
        self.first_failed_at
    }

    /// Remembers what went wrong, and when that began.
    pub(super) fn failed(&mut self, trouble: Trouble, now: Timestamp) {
        self.may_have_arrived |= trouble.may_have_arrived;
        self.gave_way = false;
        // What may have arrived may still have when a later attempt was not even sent.
        self.trouble = if self.may_have_arrived { trouble.that_may_have_arrived() } else { trouble };
        self.first_failed_at.get_or_insert(now);
    }

    /// It is put off because another worker has a copy of it in hand.
    pub(super) fn give_way(&mut self, now: Timestamp) {
        self.failed(Trouble::without_code(GAVE_WAY), now);
        self.gave_way = true;
    }

    /// Whether that is why it was put off last.
    pub(super) const fn gave_way(&self) -> bool {
        self.gave_way
    }

    /// It is put off without an attempt. What an attempt has shown before says more than that.
    pub(crate) fn postponed(&mut self, why: &str, now: Timestamp) {
        if self.first_failed_at.is_none() {
            self.failed(Trouble::without_code(why), now);
        }
    }

    /// The same as before, with a reason of our own.
    pub(crate) fn because(mut self, why: &str) -> Self {
        self.trouble = Trouble::without_code(why);
        self
    }

    /// Whether patience is at its end. The first failure counts, however often it was deferred since.
    pub(super) fn exhausted(&self, give_up_after: std::time::Duration, now: Timestamp) -> bool {
        let patience = SignedDuration::try_from(give_up_after).unwrap_or(SignedDuration::MAX);
        self.first_failed_at.is_some_and(|first| now.duration_since(first) >= patience)
    }

    /// How long it should be deferred now: longer each time.
    pub(super) fn step(&self) -> DeferStep {
        let index = usize::try_from(self.deferred).unwrap_or(usize::MAX).min(DeferStep::ALL.len() - 1);
        DeferStep::ALL[index]
    }

    /// How long it should be deferred although nothing was tried: briefly at first, then half a minute, so that a long
    /// absence is not spent passing messages round.
    pub(super) fn untried_step(&self, now: Timestamp) -> DeferStep {
        let is_young = self.first_failed_at.is_none_or(|first| now.duration_since(first) < YOUNG);
        if is_young { DeferStep::Seconds5 } else { DeferStep::Seconds30 }
    }

    /// What the headers of the message it travels on with say.
    pub(crate) fn failure(&self, reason: Reason, receiver: &str, now: Timestamp) -> Failure {
        Failure {
            reason,
            receiver: receiver.to_owned(),
            code: self.trouble.code,
            message: self.trouble.message.clone(),
            attempts: self.attempts,
            first_failed_at: self.first_failed_at.unwrap_or(now),
            last_failed_at: now,
            marks: FailureMarks {
                may_have_arrived: self.may_have_arrived,
                by_itself: self.trouble.is_by_itself,
                gave_way: self.gave_way,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gave_way_is_known_to_have_also_if_it_may_have_arrived() {
        for before in ["HTTP 503", "no answer in time"] {
            let mut attempts = AttemptState::of(&Headers::default());
            let trouble = Trouble::without_code(before);
            let trouble = if before == "HTTP 503" { trouble } else { trouble.that_may_have_arrived() };
            attempts.failed(trouble, Timestamp::UNIX_EPOCH);
            assert!(!attempts.gave_way(), "{before}");
            attempts.give_way(Timestamp::UNIX_EPOCH);
            assert!(attempts.gave_way(), "{before}");
            let failure = attempts.failure(Reason::Unavailable, "ops", Timestamp::UNIX_EPOCH);
            let headers = Headers { failure: Some(failure), ..Headers::default() };
            let again = AttemptState::of(&headers);
            assert!(again.gave_way() && again.may_have_arrived() == (before != "HTTP 503"), "{before}");
        }
    }
}
