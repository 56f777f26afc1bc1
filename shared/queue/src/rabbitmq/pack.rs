//! Group commit: what waits for the same place is put into one broker message. The broker's cost is per
//! message, whatever is in it. Pure, apart from asking whether a caller is still there.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, oneshot};
use tokio::time::Instant;

use super::topology::Route;
use crate::{Headers, PublishError};

/// What a message is filled up to. A part that is larger by itself stands alone.
pub(super) const PACK_BYTES_MAX: usize = 64 * 1024;

/// One message of a caller, waiting.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) route: Route,
    pub(super) body: Bytes,
    pub(super) headers: Headers,
    /// Whether it is to be a message of its own.
    pub(super) alone: bool,
    pub(super) caller: Caller,
}

/// Whoever waits for a part's confirmation, and the room its bytes take.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) confirmed: oneshot::Sender<Result<(), PublishError>>,
    /// Until when it is written, or not at all: then nobody need wonder whether it is stored.
    pub(super) write_by: Instant,
    /// Shared by the parts of one publish.
    pub(super) _room: Arc<OwnedSemaphorePermit>,
}

/// One broker message and everybody who waits for it.
#[derive(Debug)]
pub(super) struct Pack {
    pub(super) route: Route,
    pub(super) headers: Headers,
    pub(super) body: Bytes,
    pub(super) callers: Vec<Caller>,
}

impl Caller {
    /// Whether nobody waits any more.
    fn is_gone(&self) -> bool {
        self.confirmed.is_closed()
    }

    /// Whether it is too late to write it.
    fn is_late(&self, now: Instant) -> bool {
        self.write_by < now
    }

    /// Says that it was not written.
    fn refuse(self) {
        let _gone = self.confirmed.send(Err(PublishError::Busy));
    }
}

/// The next message: the first part whose caller is still there, and what waits behind it for the same place
/// with the same headers, as far as it fits. Parts of one route keep their order.
pub(super) fn next(waiting: &mut VecDeque<Part>, now: Instant) -> Option<Pack> {
    while let Some(late) = waiting.pop_front_if(|part| part.caller.is_gone() || part.caller.is_late(now)) {
        late.caller.refuse();
    }
    let first = waiting.pop_front()?;
    if !may_join(&first) || waiting.is_empty() || first.body.len() >= PACK_BYTES_MAX {
        let Part { route, body, headers, caller, .. } = first;
        return Some(Pack { route, headers, body, callers: vec![caller] });
    }
    Some(fill(first, waiting, now))
}

/// Whether what waits is more than one message holds, so that the next one gains nothing by waiting longer.
pub(super) fn is_full(waiting: &VecDeque<Part>) -> bool {
    let Some(first) = waiting.front() else { return false };
    let mut bytes = 0;
    waiting.iter().any(|part| {
        bytes += part.body.len() + 1;
        bytes >= PACK_BYTES_MAX || part.route != first.route || part.headers != first.headers || part.alone
    }) || !may_join(first)
}

fn fill(first: Part, waiting: &mut VecDeque<Part>, now: Instant) -> Pack {
    let Part { route, body: first_body, headers, caller, .. } = first;
    let mut bytes = first_body.len();
    let mut callers = vec![caller];
    let mut bodies = vec![first_body];
    let mut left = VecDeque::with_capacity(waiting.len());
    // Once one of the same route stays behind, the later ones do too: nobody overtakes.
    let mut open = true;
    for part in waiting.drain(..) {
        if part.caller.is_gone() || part.caller.is_late(now) {
            part.caller.refuse();
            continue;
        }
        let same_place = part.route == route;
        // One more for a line feed between the two, should the body lack it.
        let fits = bytes + part.body.len() < PACK_BYTES_MAX && part.headers == headers && !part.alone;
        if open && same_place && fits {
            bytes += part.body.len() + 1;
            bodies.push(part.body);
            callers.push(part.caller);
        } else {
            open &= !same_place;
            left.push_back(part);
        }
    }
    *waiting = left;
    Pack { route, headers, body: join(bodies, bytes), callers }
}

/// Whether others may stand behind it in one message. Bodies that are lines are lines again, one after the other.
const fn may_join(part: &Part) -> bool {
    match part.route {
        Route::Alerts(_) | Route::Parked(..) | Route::Dead => !part.alone,
        Route::Interactions => false,
    }
}

fn join(mut bodies: Vec<Bytes>, capacity: usize) -> Bytes {
    if bodies.len() == 1 {
        return bodies.swap_remove(0);
    }
    let mut joined = BytesMut::with_capacity(capacity);
    for body in bodies {
        if joined.last().is_some_and(|&byte| byte != b'\n') {
            joined.extend_from_slice(b"\n");
        }
        joined.extend_from_slice(&body);
    }
    joined.freeze()
}

#[cfg(test)]
mod tests;
