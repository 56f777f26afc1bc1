//! Waiting for a condition with a deadline, in place of sleeping and hoping.

use std::fmt::Debug;
use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

/// The pause between two looks.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks again and again until it finds what the test waits for, and returns it.
///
/// `look` returns `Err` with what it saw as long as that is not it. After `within` the test fails with `what`
/// and the last thing seen; a look that hangs counts as seeing nothing.
pub async fn wait_until<Found, Seen: Debug>(
    within: Duration,
    what: &str,
    mut look: impl AsyncFnMut() -> Result<Found, Seen>,
) -> Found {
    let deadline = Instant::now() + within;
    let mut last = None;
    loop {
        let look = timeout_at(deadline, look()).await;
        let look = look.unwrap_or_else(|_| {
            panic!("a look for {what} hung until the end of {within:?}; last seen: {last:?}")
        });
        match look {
            Ok(found) => return found,
            Err(seen) => last = Some(seen),
        }
        let time_left = Instant::now() + PAUSE <= deadline;
        assert!(time_left, "waited {within:?} for {what}; last seen: {last:?}");
        sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn returns_what_it_found_as_soon_as_it_is_there() {
        let start = Instant::now();
        let mut looks = 0;
        let found = wait_until(Duration::from_secs(5), "the third look", async || {
            looks += 1;
            if looks == 3 { Ok(looks) } else { Err(looks) }
        })
        .await;
        assert_eq!((found, start.elapsed()), (3, 2 * PAUSE));
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "waited 1s for a card; last seen: Some(\"no card\")")]
    async fn fails_with_what_it_waited_for_and_what_it_saw_last() {
        wait_until(Duration::from_secs(1), "a card", async || Err::<(), _>("no card")).await;
    }

    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "a look for an answer hung until the end of 1s")]
    async fn fails_also_when_looking_hangs() {
        wait_until(Duration::from_secs(1), "an answer", async || {
            std::future::pending::<Result<(), ()>>().await
        })
        .await;
    }
}
