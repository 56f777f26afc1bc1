//! What is remembered of an envelope's attempts, across parkings. Pure.

use jiff::{SignedDuration, Timestamp};
use shared::queue::{Failure, Headers, ParkStep, Reason};

use crate::feishu::verdict::Trouble;

/// How long ago a failure is recent.
const YOUNG: SignedDuration = SignedDuration::from_mins(2);

/// The attempts at one envelope so far.
#[derive(Clone, Debug)]
pub(crate) struct Tries {
    /// How often it was parked before.
    parked: u32,
    /// Whether an attempt was made since.
    tried: bool,
    attempts: u32,
    first_failed_at: Option<Timestamp>,
    trouble: Trouble,
}

impl Tries {
    /// What the headers of its message say.
    pub(crate) fn of(headers: &Headers) -> Self {
        let before = headers.failure.as_ref();
        Self {
            parked: headers.attempt,
            tried: false,
            attempts: before.map_or(0, |failure| failure.attempts),
            first_failed_at: before.map(|failure| failure.first_failed_at),
            trouble: before.map_or_else(
                || Trouble::without_code(""),
                |failure| Trouble { code: failure.code, message: failure.message.clone() },
            ),
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

    /// Remembers what went wrong, and when that began.
    pub(super) fn failed(&mut self, trouble: Trouble, now: Timestamp) {
        self.trouble = trouble;
        self.first_failed_at.get_or_insert(now);
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

    /// Whether patience is at its end. The first failure counts, however often it was parked since.
    pub(super) fn exhausted(&self, give_up_after: std::time::Duration, now: Timestamp) -> bool {
        let patience = SignedDuration::try_from(give_up_after).unwrap_or(SignedDuration::MAX);
        self.first_failed_at.is_some_and(|first| now.duration_since(first) >= patience)
    }

    /// How long it should be parked now: longer each time.
    pub(super) fn step(&self) -> ParkStep {
        let index = usize::try_from(self.parked).unwrap_or(usize::MAX).min(ParkStep::ALL.len() - 1);
        ParkStep::ALL[index]
    }

    /// How long it should be parked although nothing was tried: briefly at first, then half a minute, so that a long
    /// absence is not spent passing messages round.
    pub(super) fn untried_step(&self, now: Timestamp) -> ParkStep {
        let is_young = self.first_failed_at.is_none_or(|first| now.duration_since(first) < YOUNG);
        if is_young { ParkStep::Seconds5 } else { ParkStep::Seconds30 }
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
        }
    }
}
