//! Cards as Feishu has taken them, so that their page shows them as people see them. Written beside the deliveries, which never
//! wait for it: what the database does not take in time is counted and left out. Kept as long as the history, and within a
//! number of bytes.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use config::HistoryConfig;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use prometheus::{IntCounter, Registry};
use runtime::clock::Clock;
use runtime::metrics::memory;
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::render::Card;
use crate::store::sql::{Value, execute, placeholders, rows};
use crate::store::{AgedRows, Insert, Store, StoreError};

/// The longest card that is kept, in bytes of JSON: Feishu takes none of more than 30 KB.
const CARD_BYTES_MAX: usize = 64 * 1024;
/// Cards that wait to be written at most.
const WAITING_MAX: usize = 256;
/// The same in bytes.
const WAITING_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Cards of one statement. With the pause before it so many are kept in a second: more than all bots of a worker may send.
const TOGETHER_MAX: usize = 32;
/// The same in bytes, well below what old servers take at once (1 MiB).
const TOGETHER_BYTES_MAX: usize = 256 * 1024;
/// How long cards wait for company.
const COMPANY: Duration = Duration::from_secs(1);
/// What is left is written for so long at the end of the process.
const FINISHED_WITHIN: Duration = Duration::from_secs(2);
/// What is counted together to find out what has to make room, in milliseconds.
const SLOT_MS: i64 = 10 * 60 * 1_000;
/// Such counts that are read at most: 180 days of them.
const SLOTS_READ_MAX: i64 = 26_000;

const CARDS: Insert<'_> =
    Insert { table: "larkfire_sent_cards", columns: &["card", "at_ms", "bytes", "body"], key: 1 };
const OLD: AgedRows = AgedRows { table: "larkfire_sent_cards", key: "card", time: "at_ms", together: 100 };

/// The cards. Clones share them.
#[derive(Clone, Debug)]
pub struct SentCards(Option<Arc<SentCardsState>>);

#[derive(Debug)]
struct SentCardsState {
    store: Store,
    clock: Clock,
    keep: Duration,
    bytes_max: u64,
    waiting: Mutex<WaitingCards>,
    /// There is something to be written.
    begun: Notify,
    /// Whether the last write failed: that is said once for as long as it lasts.
    is_failing: AtomicBool,
    written: IntCounter,
    skipped: IntCounter,
}

/// Cards that are not written yet, as they came.
#[derive(Debug, Default)]
struct WaitingCards {
    cards: VecDeque<WaitingCard>,
    bytes: usize,
}

#[derive(Debug)]
struct WaitingCard {
    name: String,
    at_ms: i64,
    json: Vec<u8>,
}

impl SentCards {
    /// Kept in `store` as `config` says. What is written and what is not is shown by `registry`.
    pub fn new(
        store: Store,
        clock: Clock,
        config: HistoryConfig,
        registry: &Registry,
    ) -> prometheus::Result<Self> {
        let written = memory::SENT_CARDS_WRITTEN.counter()?;
        let skipped = memory::SENT_CARDS_SKIPPED.counter()?;
        registry.register(Box::new(written.clone()))?;
        registry.register(Box::new(skipped.clone()))?;
        if !config.enabled || config.cards_bytes == 0 {
            return Ok(Self(None));
        }
        Ok(Self(Some(Arc::new(SentCardsState {
            store,
            clock,
            keep: config.keep,
            bytes_max: config.cards_bytes,
            waiting: Mutex::default(),
            begun: Notify::new(),
            is_failing: AtomicBool::new(false),
            written,
            skipped,
        }))))
    }

    /// Takes note of a card that Feishu has taken just now; one of the same name was changed.
    pub fn note(&self, name: &str, card: &Card) {
        let Some(state) = &self.0 else { return };
        if state.waiting().is_full() {
            return state.skipped.inc();
        }
        let json = serde_json::to_vec(card).unwrap_or_default();
        if json.is_empty() || json.len() > CARD_BYTES_MAX {
            return state.skipped.inc();
        }
        let at_ms = state.clock.now().as_millisecond();
        state.waiting().put(WaitingCard { name: name.to_owned(), at_ms, json });
        state.begun.notify_one();
    }

    /// Writes until the stop. What is noted after that is left to [`finish`](Self::finish).
    pub(crate) async fn run(self, stop: CancellationToken) {
        let Some(state) = self.0 else { return };
        let company = async || {
            state.begun.notified().await;
            sleep(COMPANY).await;
        };
        while stop.run_until_cancelled(company()).await.is_some() {
            Box::pin(state.write_some()).await;
            if state.waiting().bytes > 0 {
                state.begun.notify_one();
            }
        }
    }

    /// Writes what is left, for a few seconds at most: what is not written then is counted and left out.
    pub async fn finish(&self) {
        let Some(state) = &self.0 else { return };
        let left = async { while state.write_some().await {} };
        let _too_late = timeout(FINISHED_WITHIN, Box::pin(left)).await;
        let left = std::mem::take(&mut *state.waiting()).cards.len();
        state.skipped.inc_by(left as u64);
    }

    /// Removes what is too old, or too much.
    pub async fn clean(&self) -> Result<(), StoreError> {
        let Some(state) = &self.0 else { return Ok(()) };
        let kept_ms = i64::try_from(state.keep.as_millis()).unwrap_or(i64::MAX);
        let too_old = state.clock.now().as_millisecond().saturating_sub(kept_ms);
        let too_much = state.too_much_before().await?;
        OLD.forget(&state.store, too_old.max(too_much)).await.map(drop)
    }
}

/// A card as JSON, as it was sent last; `None` if it is not kept.
pub async fn find(store: &Store, name: &str) -> Result<Option<String>, StoreError> {
    let select = "SELECT body FROM larkfire_sent_cards WHERE card = ? LIMIT 1";
    let values = [name.as_bytes().into()];
    let found: Vec<(Vec<u8>,)> = store.within(|| rows(store.pool(), select, &values)).await?;
    Ok(found.into_iter().next().and_then(|(body,)| unpacked(&body)))
}

impl SentCardsState {
    /// Writes one batch; says whether there was one.
    async fn write_some(&self) -> bool {
        let cards = self.waiting().take();
        if cards.is_empty() {
            return false;
        }
        let count = cards.len() as u64;
        match self.write(&cards).await {
            Ok(()) => {
                self.written.inc_by(count);
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    info!("cards are kept for their pages again");
                }
            }
            Err(error) => {
                self.skipped.inc_by(count);
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    warn!(
                        %error,
                        "cards are not kept for their pages for now: these will not show them; they are delivered all the same"
                    );
                }
            }
        }
        true
    }

    async fn write(&self, cards: &[WaitingCard]) -> Result<(), StoreError> {
        let packed: Vec<_> = cards.iter().map(|card| packed(&card.json)).collect();
        let values = placeholders(CARDS.columns.len(), cards.len());
        let insert = CARDS.or_replace(self.store.pool().dialect(), &format!("VALUES {values}"));
        let values: Vec<Value<'_>> = cards
            .iter()
            .zip(&packed)
            .flat_map(|(card, body)| {
                let bytes = i64::try_from(body.len()).unwrap_or(i64::MAX);
                let values: [Value<'_>; CARDS.columns.len()] =
                    [card.name.as_bytes().into(), card.at_ms.into(), bytes.into(), body.as_slice().into()];
                values
            })
            .collect();
        self.store.within(|| execute(self.store.pool(), &insert, &values)).await.map(drop)
    }

    /// Before when cards have to go for the others to have room.
    async fn too_much_before(&self) -> Result<i64, StoreError> {
        let select = format!(
            "SELECT at_ms - at_ms % {SLOT_MS} AS slot_ms, CAST(SUM(bytes) AS SIGNED) AS slot_bytes \
             FROM larkfire_sent_cards GROUP BY slot_ms ORDER BY slot_ms DESC LIMIT {SLOTS_READ_MAX}"
        );
        let slots: Vec<(i64, i64)> = self.store.within(|| rows(self.store.pool(), &select, &[])).await?;
        Ok(cutoff(&slots, self.bytes_max))
    }

    fn waiting(&self) -> MutexGuard<'_, WaitingCards> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WaitingCards {
    fn is_full(&self) -> bool {
        self.cards.len() >= WAITING_MAX || self.bytes >= WAITING_BYTES_MAX
    }

    /// One of the same name makes room: a statement has each once.
    fn put(&mut self, card: WaitingCard) {
        if let Some(place) = self.cards.iter().position(|waiting| waiting.name == card.name) {
            let before = self.cards.remove(place);
            self.bytes -= before.map_or(0, |before| before.json.len());
        }
        self.bytes += card.json.len();
        self.cards.push_back(card);
    }

    /// The first of them, as many as are written together.
    fn take(&mut self) -> Vec<WaitingCard> {
        let mut bytes = 0;
        let mut taken = Vec::new();
        while let Some(card) = self.cards.front() {
            bytes += card.json.len();
            if taken.len() >= TOGETHER_MAX || (bytes > TOGETHER_BYTES_MAX && !taken.is_empty()) {
                break;
            }
            self.bytes -= card.json.len();
            taken.extend(self.cards.pop_front());
        }
        taken
    }
}

/// Before when cards have to go, of slots with their bytes, the newest first; the newest stays, whatever is in it.
fn cutoff(slots: &[(i64, i64)], bytes_max: u64) -> i64 {
    let mut bytes = 0_u64;
    let mut newer = i64::MIN;
    for (place, (slot_ms, more)) in slots.iter().enumerate() {
        bytes = bytes.saturating_add(u64::try_from(*more).unwrap_or(0));
        if place > 0 && bytes > bytes_max {
            return newer;
        }
        newer = *slot_ms;
    }
    i64::MIN
}

/// A card's JSON repeats itself: a fifth of it is left.
fn packed(json: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::with_capacity(json.len() / 4), Compression::fast());
    // Into memory, where nothing fails.
    let written = encoder.write_all(json).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}

/// `None` if it was not written by us.
fn unpacked(body: &[u8]) -> Option<String> {
    let mut json = String::new();
    DeflateDecoder::new(body).take(CARD_BYTES_MAX as u64).read_to_string(&mut json).ok()?;
    Some(json)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn card(name: &str, bytes: usize) -> WaitingCard {
        WaitingCard { name: name.to_owned(), at_ms: 0, json: vec![b'x'; bytes] }
    }

    #[test]
    fn a_card_comes_back_as_it_was_packed_and_takes_less_room() {
        let json = r#"{"tag":"div","text":{"tag":"lark_md","content":"磁盘"}},"#.repeat(300);
        let small = packed(json.as_bytes());
        assert_eq!(unpacked(&small), Some(json.clone()));
        assert!(small.len() * 5 < json.len(), "{} of {}", small.len(), json.len());
        assert_eq!(unpacked(b"\xff\xff"), None);
    }

    #[test]
    fn what_waits_is_bounded_and_a_card_that_has_changed_waits_once() {
        let mut waiting = WaitingCards::default();
        for number in 0..40 {
            waiting.put(card(&number.to_string(), 100));
        }
        waiting.put(card("0", 200));
        let taken = waiting.take();
        let names: Vec<_> = taken.iter().map(|card| card.name.as_str()).collect();
        assert_eq!((names.len(), names[0]), (TOGETHER_MAX, "1"));
        let last = waiting.take();
        assert_eq!(last.last().map(|card| card.json.len()), Some(200), "as it was noted last");
        assert_eq!((last.len(), waiting.bytes), (8, 0));
        while !waiting.is_full() {
            waiting.put(card(&waiting.cards.len().to_string(), CARD_BYTES_MAX));
        }
        assert_eq!(waiting.bytes, WAITING_BYTES_MAX);
        assert_eq!(waiting.take().len(), TOGETHER_BYTES_MAX / CARD_BYTES_MAX);
    }

    #[test]
    fn the_oldest_make_room_and_the_newest_stay() {
        let slots = [(30, 10), (20, 10), (10, 10)];
        assert_eq!(cutoff(&slots, 30), i64::MIN, "all of it has room");
        assert_eq!(cutoff(&slots, 29), 20);
        assert_eq!(cutoff(&slots, 1), 30);
        assert_eq!(cutoff(&[], 1), i64::MIN);
    }
}
