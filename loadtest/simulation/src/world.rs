//! What all parts of one simulation share: the time, the dice, the conditions and the records.

use std::fmt::Write;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::distr::uniform::{SampleRange, SampleUniform};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::Instant;

use crate::conditions::{Condition, Conditions};
use crate::records::Records;

/// One simulated world. Clones share it.
#[derive(Clone)]
pub(crate) struct World(Arc<Inner>);

struct Inner {
    epoch: Timestamp,
    started: Instant,
    dice: Mutex<StdRng>,
    conditions: Mutex<Conditions>,
    records: Mutex<Records>,
    /// What happened, line by line, where somebody wants to read it.
    story: Option<Mutex<String>>,
}

impl World {
    /// A world that begins now.
    pub(crate) fn new(seed: u64, is_told: bool) -> Self {
        Self(Arc::new(Inner {
            epoch: Timestamp::from_second(1_768_473_000).unwrap_or_default(),
            started: Instant::now(),
            dice: Mutex::new(StdRng::seed_from_u64(seed ^ 0x5eed)),
            conditions: Mutex::default(),
            records: Mutex::default(),
            story: is_told.then(Mutex::default),
        }))
    }

    /// The right time.
    pub(crate) fn now(&self) -> Timestamp {
        self.at(self.elapsed())
    }

    /// The right time so long after the beginning.
    pub(crate) fn at(&self, since: Duration) -> Timestamp {
        self.0.epoch + SignedDuration::try_from(since).unwrap_or_default()
    }

    /// How long it has gone on.
    pub(crate) fn elapsed(&self) -> Duration {
        self.0.started.elapsed()
    }

    /// A value out of a range.
    pub(crate) fn roll<T: SampleUniform>(&self, range: impl SampleRange<T>) -> T {
        lock(&self.0.dice).random_range(range)
    }

    /// True so often.
    pub(crate) fn chance(&self, probability: f64) -> bool {
        lock(&self.0.dice).random_bool(probability)
    }

    /// Waits for some milliseconds.
    pub(crate) async fn pause(&self, millis: impl SampleRange<u64>) {
        let millis = self.roll(millis);
        tokio::time::sleep(Duration::from_millis(millis)).await;
    }

    /// Whether this is how things are now.
    pub(crate) fn holds(&self, condition: Condition) -> bool {
        lock(&self.0.conditions).holds(condition, self.elapsed())
    }

    /// Makes it so for a while.
    pub(crate) fn begin(&self, condition: Condition, lasts: Duration) {
        self.say(|| format!("from now for {} s: {condition:?}", lasts.as_secs_f32()));
        lock(&self.0.conditions).begin(condition, self.elapsed() + lasts);
    }

    /// What is written down for the checks.
    pub(crate) fn records(&self) -> MutexGuard<'_, Records> {
        lock(&self.0.records)
    }

    /// Adds a line to the story, if there is one.
    pub(crate) fn say(&self, line: impl FnOnce() -> String) {
        if let Some(story) = &self.0.story {
            let at = self.elapsed();
            // Writing to a string does not fail.
            let _written = writeln!(lock(story), "{:>10.3} {}", at.as_secs_f64(), line());
        }
    }

    /// The story so far.
    pub(crate) fn story(&self) -> String {
        self.0.story.as_ref().map(|story| lock(story).clone()).unwrap_or_default()
    }

    /// Runs something that belongs to no process: the network, a server, time.
    pub(crate) fn spawn(part: impl Future<Output = ()> + Send + 'static) {
        #[expect(clippy::disallowed_methods, reason = "it ends with the simulation's runtime")]
        tokio::spawn(part);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl std::fmt::Debug for World {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("World")
    }
}
