//! Faults a test can script: what goes wrong with the next requests to a bot or calls of
//! an app, and for how long.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What goes wrong. Except with [`Fault::LostAnswer`], [`Fault::SlowAnswer`] and an [`Fault::OtherAnswer`] that says so
/// no message is judged, counted against a limit, or accepted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// A refusal inside an HTTP 200 of a webhook, or an HTTP 400 of an app's API.
    Refusal {
        /// The code in the body.
        code: i64,
        /// The text in the body.
        msg: String,
    },
    /// HTTP 429 of the gateway, with code 99991400.
    TooManyRequests {
        /// The header `x-ogw-ratelimit-reset`, where it is to be sent.
        reset_seconds: Option<u64>,
    },
    /// An HTTP status of 500 to 599 with a body that is not JSON.
    ServerError {
        /// The status; anything that is no 5xx is answered as 500.
        status: u16,
    },
    /// The connection is reset (TCP RST) instead of an answer.
    Reset,
    /// The message is judged, and shown in the group if it is accepted, but the connection is reset before
    /// the answer.
    LostAnswer,
    /// The message is judged, and shown in the group if it is accepted, but the answer comes so late.
    SlowAnswer {
        /// Milliseconds between the judgement and the answer.
        after_ms: u64,
    },
    /// Something else answers: a gateway, a proxy, a portal, or an API that is not the documented one.
    OtherAnswer {
        /// The status; anything that is none is answered as 500.
        status: u16,
        /// Headers, by their names.
        #[serde(default)]
        headers: Vec<(String, String)>,
        /// The body, byte by byte.
        body: String,
        /// Whether the message is judged before, and shown in the group if it is accepted.
        #[serde(default)]
        is_judged: bool,
    },
    /// The answer's headers come a byte at a time and never end.
    SlowHeaders,
    /// The answer's body never ends.
    EndlessBody,
    /// The connection stays open and nothing comes.
    NeverAnswer,
}

impl Fault {
    /// Whether the message is judged all the same.
    pub(crate) const fn is_judged(&self) -> bool {
        match self {
            Self::LostAnswer | Self::SlowAnswer { .. } | Self::OtherAnswer { is_judged: true, .. } => true,
            Self::Refusal { .. }
            | Self::TooManyRequests { .. }
            | Self::ServerError { .. }
            | Self::OtherAnswer { is_judged: false, .. }
            | Self::Reset
            | Self::SlowHeaders
            | Self::EndlessBody
            | Self::NeverAnswer => false,
        }
    }

    /// How long the right answer is kept back, where that is all that goes wrong.
    pub(crate) const fn delay(&self) -> Option<Duration> {
        if let Self::SlowAnswer { after_ms } = self { Some(Duration::from_millis(*after_ms)) } else { None }
    }
}

/// How long a fault stays before the next one in the queue has its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lasting {
    /// For so many requests.
    Times(u32),
    /// For a time by the simulator's clock, from the moment its turn comes.
    For(Duration),
    /// Until the faults are cleared.
    UntilCleared,
}

/// The faults of one bot, or of one kind of call by an app, in their order.
#[derive(Debug, Default)]
pub(crate) struct FaultQueue {
    entries: VecDeque<(Fault, Lasting)>,
    /// When the turn of the front entry came.
    since: Timestamp,
}

impl FaultQueue {
    pub(crate) fn push(&mut self, fault: Fault, lasting: Lasting, now: Timestamp) {
        if self.entries.is_empty() {
            self.since = now;
        }
        self.entries.push_back((fault, lasting));
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }

    /// The fault that a request meets now.
    pub(crate) fn next(&mut self, now: Timestamp) -> Option<Fault> {
        loop {
            let (fault, lasting) = self.entries.front_mut()?;
            match lasting {
                Lasting::UntilCleared => return Some(fault.clone()),
                Lasting::Times(0) => {}
                Lasting::Times(left) => {
                    *left -= 1;
                    self.since = now;
                    return Some(fault.clone());
                }
                Lasting::For(time) => {
                    let end = self.since + *time;
                    if now < end {
                        return Some(fault.clone());
                    }
                    self.since = end;
                }
            }
            self.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn faults_take_their_turns_by_count_then_by_time_then_until_cleared() {
        let mut queue = FaultQueue::default();
        queue.push(Fault::Reset, Lasting::Times(2), second(0));
        queue.push(Fault::NeverAnswer, Lasting::For(Duration::from_secs(10)), second(0));
        queue.push(Fault::EndlessBody, Lasting::UntilCleared, second(0));

        assert_eq!(queue.next(second(1)), Some(Fault::Reset));
        assert_eq!(queue.next(second(5)), Some(Fault::Reset));
        assert_eq!(queue.next(second(14)), Some(Fault::NeverAnswer), "its turn came at 5 s");
        assert_eq!(queue.next(second(15)), Some(Fault::EndlessBody));
        assert_eq!(queue.next(second(9_999)), Some(Fault::EndlessBody));
        queue.clear();
        assert_eq!(queue.next(second(9_999)), None);
    }

    #[test]
    fn a_fault_for_a_time_passes_also_when_nobody_calls() {
        let mut queue = FaultQueue::default();
        queue.push(Fault::Reset, Lasting::For(Duration::from_secs(20)), second(100));
        assert_eq!(queue.next(second(120)), None);
    }
}
