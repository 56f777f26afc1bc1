//! How long a connection has been doing nothing. hyper limits the time for HTTP/1 headers, but neither the first
//! bytes, from which it tells the protocols apart, nor an idle HTTP/2 connection.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// The requests a connection has in hand.
#[derive(Clone, Debug)]
pub(super) struct Activity(watch::Sender<usize>);

/// One request in hand, for as long as it lives.
#[derive(Debug)]
pub(super) struct InHand(watch::Sender<usize>);

impl Activity {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    pub(super) fn begin(&self) -> InHand {
        self.0.send_modify(|requests| *requests += 1);
        InHand(self.0.clone())
    }

    /// Resolves once nothing has been in hand for `limit`.
    pub(super) async fn idle_for(&self, limit: Duration) {
        let mut requests = self.0.subscribe();
        loop {
            let idle = *requests.borrow_and_update() == 0;
            tokio::select! {
                () = sleep(limit), if idle => return,
                // A change is seen even if it was undone meanwhile, so a quick request counts too. The sender is
                // ours: it is never gone.
                _changed = requests.changed() => {}
            }
        }
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        self.0.send_modify(|requests| *requests -= 1);
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::{Instant, advance};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_its_start_and_from_the_end_of_its_last_request() {
        let activity = Activity::new();
        let begun = Instant::now();
        activity.idle_for(LIMIT).await;
        assert_eq!(begun.elapsed(), LIMIT);

        let begun = Instant::now();
        let in_hand = activity.begin();
        let finished = async {
            advance(LIMIT * 3).await;
            drop(in_hand);
        };
        tokio::join!(activity.idle_for(LIMIT), finished);
        assert_eq!(begun.elapsed(), LIMIT * 4);
    }

    #[tokio::test(start_paused = true)]
    async fn a_quick_request_counts_as_activity() {
        let activity = Activity::new();
        let begun = Instant::now();
        let quick = async {
            sleep(LIMIT / 2).await;
            drop(activity.begin());
        };
        tokio::join!(activity.idle_for(LIMIT), quick);
        assert_eq!(begun.elapsed(), LIMIT * 3 / 2);
    }
}
