//! The connections that wait for their client: for a request, for the rest of its headers or of its body, or for a
//! refusal to be read. When all places are taken, the one that has waited longest makes room for the next.
//!
//! Without this one client that opens connections and says nothing, or says it slowly, keeps everybody out for as long
//! as `limits.header_timeout`. A share for each address would be no help: behind a proxy all senders have the same.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// All connections of one listener.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionLimiter(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    line: Mutex<WaitQueue>,
    joined: Notify,
}

/// Whoever waits, in the order in which they began to. Trickling bytes is no new beginning.
#[derive(Debug, Default)]
struct WaitQueue {
    next_ticket: u64,
    waiting: BTreeMap<u64, CancellationToken>,
}

/// One connection. Clones are the same one.
#[derive(Clone, Debug)]
pub(crate) struct ConnectionHandle(Arc<Connection>);

#[derive(Debug)]
struct Connection {
    crowd: ConnectionLimiter,
    displaced: CancellationToken,
    turn: Mutex<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    /// Requests that are read and not answered yet: now the client waits for us.
    requests: usize,
    ticket: u64,
}

/// A request that is worked on, for as long as it lives.
#[derive(Debug)]
pub(crate) struct RequestGuard(ConnectionHandle);

impl ConnectionLimiter {
    /// Takes in a new connection, which waits for its client.
    pub(crate) fn join(&self) -> ConnectionHandle {
        let displaced = CancellationToken::new();
        let ticket = self.wait(displaced.clone());
        let turn = Mutex::new(Slot { requests: 0, ticket });
        ConnectionHandle(Arc::new(Connection { crowd: self.clone(), displaced, turn }))
    }

    /// Has the connection closed that has waited longest; says whether there was one.
    pub(crate) fn displace(&self) -> bool {
        let longest = lock(&self.0.line).waiting.pop_first();
        longest.is_some_and(|(_, displaced)| {
            displaced.cancel();
            true
        })
    }

    /// Resolves once one more waits, counted from the last time this was called.
    pub(crate) async fn another_waits(&self) {
        self.0.joined.notified().await;
    }

    fn wait(&self, displaced: CancellationToken) -> u64 {
        let mut line = lock(&self.0.line);
        let ticket = line.next_ticket;
        line.next_ticket += 1;
        line.waiting.insert(ticket, displaced);
        drop(line);
        self.0.joined.notify_one();
        ticket
    }

    fn leave(&self, ticket: u64) {
        lock(&self.0.line).waiting.remove(&ticket);
    }
}

impl ConnectionHandle {
    /// Resolves when it has to make room.
    pub(crate) async fn displaced(&self) {
        self.0.displaced.cancelled().await;
    }

    /// A request has been read: until it is answered the connection waits for nobody and keeps its place.
    pub(crate) fn work(&self) -> RequestGuard {
        let mut turn = lock(&self.0.turn);
        if turn.requests == 0 {
            self.0.crowd.leave(turn.ticket);
        }
        turn.requests += 1;
        RequestGuard(self.clone())
    }
}

impl Drop for RequestGuard {
    fn drop(&mut self) {
        let ConnectionHandle(connection) = &self.0;
        let mut turn = lock(&connection.turn);
        turn.requests -= 1;
        if turn.requests == 0 {
            turn.ticket = connection.crowd.wait(connection.displaced.clone());
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let ticket = lock(&self.turn).ticket;
        self.crowd.leave(ticket);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_displaced(member: &ConnectionHandle) -> bool {
        member.0.displaced.is_cancelled()
    }

    #[test]
    fn the_one_that_has_waited_longest_goes_first() {
        let crowd = ConnectionLimiter::default();
        let [first, second, third] = [crowd.join(), crowd.join(), crowd.join()];
        // An answer is the beginning of a new wait.
        drop(first.work());
        assert!(crowd.displace());
        assert_eq!([&first, &second, &third].map(is_displaced), [false, true, false]);
        assert!(crowd.displace() && crowd.displace() && !crowd.displace());
        assert_eq!([&first, &second, &third].map(is_displaced), [true; 3]);
    }

    #[test]
    fn whoever_waits_for_us_keeps_its_place() {
        let crowd = ConnectionLimiter::default();
        let member = crowd.join();
        let one = member.work();
        let two = member.work();
        drop(one);
        assert!(!crowd.displace());
        drop(two);
        assert!(crowd.displace());
    }

    #[test]
    fn a_connection_that_ended_is_not_in_the_line() {
        let crowd = ConnectionLimiter::default();
        drop(crowd.join());
        assert!(!crowd.displace());
    }
}
