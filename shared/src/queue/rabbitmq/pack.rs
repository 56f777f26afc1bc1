//! Group commit: what waits for the same place is put into one broker message. The broker's cost is per
//! message, whatever is in it. Pure, apart from asking whether a caller is still there.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::topology::Route;
use crate::queue::{Headers, PublishError};

/// What a message is filled up to. A part that is larger by itself stands alone.
pub(super) const PACK_BYTES_MAX: usize = 64 * 1024;

/// One message of a caller, waiting.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) route: Route,
    pub(super) body: Bytes,
    pub(super) headers: Headers,
    pub(super) caller: Caller,
}

/// Whoever waits for a part's confirmation, and the room its bytes take.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) confirmed: oneshot::Sender<Result<(), PublishError>>,
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
    pub(super) fn is_gone(&self) -> bool {
        self.confirmed.is_closed()
    }
}

/// The next message: the first part whose caller is still there, and what waits behind it for the same place
/// with the same headers, as far as it fits. Parts of one route keep their order.
pub(super) fn next(waiting: &mut VecDeque<Part>) -> Option<Pack> {
    while waiting.front().is_some_and(|part| part.caller.is_gone()) {
        waiting.pop_front();
    }
    let first = waiting.pop_front()?;
    if !may_join(first.route) || waiting.is_empty() || first.body.len() >= PACK_BYTES_MAX {
        let Part { route, body, headers, caller } = first;
        return Some(Pack { route, headers, body, callers: vec![caller] });
    }
    Some(fill(first, waiting))
}

/// Whether what waits is more than one message holds, so that the next one gains nothing by waiting longer.
pub(super) fn is_full(waiting: &VecDeque<Part>) -> bool {
    let Some(first) = waiting.front() else { return false };
    let mut bytes = 0;
    waiting.iter().any(|part| {
        bytes += part.body.len() + 1;
        bytes >= PACK_BYTES_MAX || part.route != first.route || part.headers != first.headers
    }) || !may_join(first.route)
}

fn fill(first: Part, waiting: &mut VecDeque<Part>) -> Pack {
    let Part { route, body: first_body, headers, caller } = first;
    let (mut bytes, mut callers) = (first_body.len(), vec![caller]);
    let (mut bodies, mut left) = (vec![first_body], VecDeque::with_capacity(waiting.len()));
    // Once one of the same route stays behind, the later ones do too: nobody overtakes.
    let mut open = true;
    for part in waiting.drain(..) {
        if part.caller.is_gone() {
            continue;
        }
        let same_place = part.route == route;
        // One more for a line feed between the two, should the body lack it.
        let fits = bytes + part.body.len() < PACK_BYTES_MAX && part.headers == headers;
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

/// Whether bodies of this route are lines, so that two of them one after the other are lines again.
const fn may_join(route: Route) -> bool {
    match route {
        Route::Alerts(_) | Route::Parked(..) | Route::Dead => true,
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
