//! Who is on call: the rotations of the configuration, and what people have agreed on since. Agreements are in the database, for
//! all workers; each keeps them in memory, so that no card waits for them, and goes on by what it knows while the database is
//! away.

pub mod calendar;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use config::{Reloads, Rotation};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use runtime::clock::Clock;
use runtime::lifecycle::Lifecycle;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{debug, info};

use crate::people::rotation::{Shift, Swap, next_on_duty, on_duty, shifts};
use crate::store::sql::{execute, rows};
use crate::store::{AgedRows, Insert, Store, StoreError};

/// How often it is looked whether another worker has written an agreement down.
const LOOK_EVERY: Duration = Duration::from_secs(15);
/// Agreements that are kept in memory, those that were made last: people make one a week.
const KNOWN_MAX: i64 = 1_000;
/// How long one is kept after its end, so that a calendar shows what was.
const KEPT: Duration = Duration::from_hours(60 * 24);
/// What is kept of a person's name, in bytes; the columns have as many.
const PERSON_BYTES_MAX: usize = 128;

const SWAP: Insert<'_> = Insert {
    table: "larkfire_oncall_swaps",
    columns: &["id", "rotation", "person", "from_ms", "until_ms", "made_ms", "who"],
    key: 1,
};
const ENDED: AgedRows =
    AgedRows { table: "larkfire_oncall_swaps", key: "id", time: "until_ms", together: 500 };

/// Rotation, person, from when and until when.
type SwapRow = (String, String, i64, i64);

/// Who is on call. Clones share it.
#[derive(Clone, Debug)]
pub struct OnCall(Arc<OnCallState>);

#[derive(Debug)]
struct OnCallState {
    store: Store,
    clock: Clock,
    rotations: RwLock<Arc<Vec<Rotation>>>,
    /// Of rotations without one of their own.
    timezone: TimeZone,
    swaps: RwLock<Arc<Vec<Swap>>>,
}

/// How a rotation stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCallNow {
    /// The rotation.
    pub rotation: String,
    /// Who is on call.
    pub person: String,
    /// Until when, if that is known.
    pub until: Option<Timestamp>,
    /// Who is next.
    pub next: Option<String>,
}

impl OnCall {
    /// By these rotations; `timezone` is for those without one.
    pub fn new(store: Store, clock: Clock, rotations: Vec<Rotation>, timezone: TimeZone) -> Self {
        let rotations = RwLock::new(Arc::new(rotations));
        let swaps = RwLock::default();
        Self(Arc::new(OnCallState { store, clock, rotations, timezone, swaps }))
    }

    /// Goes by the rotations of newer configurations from here on.
    pub(crate) fn follow(&self, mut reloads: Reloads, lifecycle: &Lifecycle) {
        let oncall = self.clone();
        lifecycle.spawn_detached(async move {
            while let Some(config) = reloads.next().await {
                let rotations = config.rotations.len();
                let next = Arc::new(config.rotations.clone());
                *oncall.0.rotations.write().unwrap_or_else(PoisonError::into_inner) = next;
                info!(rotations, "the rotations go by the new configuration");
            }
        });
    }

    /// What people have agreed on, as far as it is known here; the last made last.
    pub fn swaps(&self) -> Arc<Vec<Swap>> {
        Arc::clone(&self.0.swaps.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rotations of the configuration.
    pub fn rotations(&self) -> Arc<Vec<Rotation>> {
        Arc::clone(&self.0.rotations.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The rotation of this name.
    pub fn rotation(&self, name: &str) -> Option<Rotation> {
        self.rotations().iter().find(|rotation| rotation.name == name).cloned()
    }

    /// How each rotation stands now.
    pub fn now(&self) -> Vec<OnCallNow> {
        let OnCallState { clock, timezone, .. } = &*self.0;
        let swaps = self.swaps();
        let now = clock.now();
        let standing = |rotation: &Rotation| {
            let next = next_on_duty(rotation, &swaps, timezone, now);
            Some(OnCallNow {
                rotation: rotation.name.clone(),
                person: on_duty(rotation, &swaps, timezone, now)?.to_owned(),
                until: next.map(|next| next.from),
                next: next.map(|next| next.person.to_owned()),
            })
        };
        self.rotations().iter().filter_map(standing).collect()
    }

    /// When the turn that is now ends, if another follows.
    pub fn ends(&self, rotation: &Rotation) -> Option<Timestamp> {
        let swaps = self.swaps();
        next_on_duty(rotation, &swaps, &self.0.timezone, self.0.clock.now()).map(|next| next.from)
    }

    /// The moment that a day and a time mean by a rotation's clock.
    pub fn moment(&self, rotation: &Rotation, at: jiff::civil::DateTime) -> Option<Timestamp> {
        let zone = rotation.timezone.as_ref().unwrap_or(&self.0.timezone);
        at.to_zoned(zone.clone()).ok().map(|at| at.timestamp())
    }

    /// The calendar of a rotation, from some weeks ago until a while from now, as iCalendar.
    pub fn calendar(&self, rotation: &Rotation) -> String {
        let now = self.0.clock.now();
        let swaps = self.swaps();
        let days = |days: i64| SignedDuration::from_hours(24 * days);
        let from = now.saturating_sub(days(calendar::PAST_DAYS)).unwrap_or(Timestamp::MIN);
        let until = now.saturating_add(days(calendar::FUTURE_DAYS)).unwrap_or(Timestamp::MAX);
        let listed: Vec<Shift<'_>> = shifts(rotation, &swaps, &self.0.timezone, from, until);
        calendar::written(&rotation.name, &listed, now)
    }

    /// Writes down that somebody stands in. `id` tells it from others: written twice it is one.
    pub async fn swap(&self, id: &str, swap: &Swap, who: &str) -> Result<(), StoreError> {
        let OnCallState { store, clock, .. } = &*self.0;
        let insert = SWAP.or_keep(store.pool().dialect(), "VALUES (?, ?, ?, ?, ?, ?, ?)");
        let person = cut(&swap.person);
        let who = cut(who);
        let values = [
            id.as_bytes().into(),
            swap.rotation.as_str().into(),
            person.into(),
            swap.from.as_millisecond().into(),
            swap.until.as_millisecond().into(),
            clock.now().as_millisecond().into(),
            who.into(),
        ];
        store.within(|| execute(store.pool(), &insert, &values)).await?;
        self.look().await
    }

    /// Keeps what is known up to date until the stop.
    pub(crate) async fn keep_known(self, stop: CancellationToken) {
        loop {
            if let Err(error) = self.look().await {
                debug!(%error, "who stands in for whom is what was known last");
            }
            if stop.run_until_cancelled(sleep(LOOK_EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// Reads what people have agreed on.
    pub async fn look(&self) -> Result<(), StoreError> {
        let OnCallState { store, swaps, .. } = &*self.0;
        let select = format!(
            "SELECT rotation, person, from_ms, until_ms FROM larkfire_oncall_swaps \
             ORDER BY made_ms DESC, id LIMIT {KNOWN_MAX}"
        );
        let found: Vec<SwapRow> = store.within(|| rows(store.pool(), &select, &[])).await?;
        let swap = |(rotation, person, from_ms, until_ms)| {
            let from = Timestamp::from_millisecond(from_ms).ok()?;
            Some(Swap { rotation, person, from, until: Timestamp::from_millisecond(until_ms).ok()? })
        };
        let known: Vec<Swap> = found.into_iter().rev().filter_map(swap).collect();
        *swaps.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(known);
        Ok(())
    }

    /// Forgets what has ended long ago.
    pub(crate) async fn clean(&self) -> Result<(), StoreError> {
        let OnCallState { store, clock, .. } = &*self.0;
        let kept_ms = i64::try_from(KEPT.as_millis()).unwrap_or(i64::MAX);
        ENDED.forget(store, clock.now().as_millisecond().saturating_sub(kept_ms)).await.map(drop)
    }
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(PERSON_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}
