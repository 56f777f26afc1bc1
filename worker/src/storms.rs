//! What the cards of one storm told together, so that each says what is new since the one before it. One row for each
//! receiver, which all workers add to. It only makes a card clearer, so nothing waits for it long.

use std::time::Duration;

use jiff::Timestamp;
use runtime::clock::Clock;
use tokio::time::timeout;
use tracing::debug;

use crate::render::{Item, StormSoFar};
use crate::store::sql::{Value, execute, rows};
use crate::store::{Insert, Run, Store};

/// After a longer pause between two cards the next one begins another storm.
const PAUSE_MAX: Duration = Duration::from_mins(5);
/// How long a card waits to know what was before it.
const KNOWN_WITHIN: Duration = Duration::from_millis(200);

const CARDS: Insert<'_> = Insert {
    table: "larkfire_storms",
    columns: &["receiver", "begun_ms", "last_ms", "cards", "firing", "resolved"],
    key: 1,
};
/// The time of the last card comes last, because the others look at it. The value of each of them: before when a storm is over.
const UPDATES: [&str; 5] = [
    "begun_ms = CASE WHEN larkfire_storms.last_ms < ? THEN NEW(begun_ms) ELSE larkfire_storms.begun_ms END",
    "cards = CASE WHEN larkfire_storms.last_ms < ? THEN 0 ELSE larkfire_storms.cards END + NEW(cards)",
    "firing = CASE WHEN larkfire_storms.last_ms < ? THEN 0 ELSE larkfire_storms.firing END + NEW(firing)",
    "resolved = CASE WHEN larkfire_storms.last_ms < ? THEN 0 ELSE larkfire_storms.resolved END + NEW(resolved)",
    "last_ms = CASE WHEN NEW(last_ms) > larkfire_storms.last_ms THEN NEW(last_ms) ELSE larkfire_storms.last_ms END",
];

/// When it began, when its last card was, and how many cards, alerts and ends there were.
type StormRow = (i64, i64, i64, i64, i64);

/// The rows. Clones share them.
#[derive(Clone, Debug)]
pub struct Storms {
    store: Store,
    clock: Clock,
}

impl Storms {
    /// Of all receivers.
    pub const fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// What cards told this receiver lately; `None` if none did, or nobody knows.
    pub async fn so_far(&self, receiver: &str) -> Option<StormSoFar> {
        let select = "SELECT begun_ms, last_ms, cards, firing, resolved FROM larkfire_storms \
                      WHERE receiver = ? AND last_ms >= ? LIMIT 1";
        let values = [receiver.as_bytes().into(), self.begins_after_ms().into()];
        let found = self.store.within(|| rows(self.store.pool(), select, &values));
        let found: Vec<StormRow> = timeout(KNOWN_WITHIN, found).await.ok()?.ok()?;
        let (begun_ms, last_ms, cards, firing, resolved) = *found.first()?;
        let count = |count: i64| usize::try_from(count).unwrap_or(0);
        Some(StormSoFar {
            begun_at: Timestamp::from_millisecond(begun_ms).ok()?,
            last_card_at: Timestamp::from_millisecond(last_ms).ok()?,
            cards: count(cards),
            firing: count(firing),
            resolved: count(resolved),
        })
    }

    /// Adds what a card told, or counted before; a failure only makes the next card less clear.
    pub async fn add(&self, receiver: &str, cards: i64, items: &[Item<'_>]) {
        let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let firing = count(items.iter().filter(|item| item.is_new()).count());
        let resolved = count(items.iter().filter(|item| !item.is_firing()).count());
        let now_ms = self.clock.now().as_millisecond();
        let ended_ms = self.begins_after_ms();
        let mut values: Vec<Value<'_>> = vec![receiver.as_bytes().into()];
        let counts = [cards, firing, resolved];
        values.extend([now_ms, now_ms].into_iter().chain(counts).chain([ended_ms; 4]).map(Value::from));
        let text = &CARDS.or_update(self.store.pool().dialect(), "VALUES (?, ?, ?, ?, ?, ?)", &UPDATES);
        let values = &values;
        let once = |run| async move {
            // A count that is added twice is worse than one that is missing.
            match run {
                Run::First => execute(self.store.pool(), text, values).await,
                Run::MaybeAgain => Ok(0),
            }
        };
        if let Err(error) = self.store.within_knowing(once).await {
            debug!(%error, receiver, "what a storm's cards told is not counted");
        }
    }

    /// A storm whose last card was before this is over.
    fn begins_after_ms(&self) -> i64 {
        let pause_ms = i64::try_from(PAUSE_MAX.as_millis()).unwrap_or(i64::MAX);
        self.clock.now().as_millisecond().saturating_sub(pause_ms)
    }
}
