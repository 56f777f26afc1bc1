//! One receiver's outbox: waits for better weather and for the budget, folds everything that waits onto one card,
//! sends it, and settles. Outboxes run side by side; one card at a time is under way in each, and what comes
//! meanwhile goes onto the next.

mod broken;
mod fold;
mod page;
mod putting_off;
mod route;
mod sending;
mod sorting;
mod told;
pub(crate) mod tries;
pub(crate) mod updates;
mod weather;

use std::sync::Arc;
use std::time::Duration;

use shared::queue::Publisher;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::budget::Slot;
use crate::pipeline::{House, Parcel};
use crate::receiver::Receiver;
pub(crate) use broken::advice;
use fold::Fold;
pub(crate) use sorting::Album;
use weather::Weather;

/// What a stop waits for a slot of the budget at most, so that what is in hand is told rather than given back.
const LAST_SLOT_WAIT_MAX: Duration = Duration::from_secs(2);

/// A receiver, how it is doing, and what waits for it.
pub(crate) struct Outbox<P> {
    house: Arc<House<P>>,
    receiver: Receiver,
    incoming: mpsc::UnboundedReceiver<Parcel>,
    /// For a chat of the app's.
    album: Option<Album>,
    weather: Weather,
    /// What goes onto the next card.
    waiting: Vec<Parcel>,
    /// Parts of a fold that was refused as a whole; each is sent by itself, before anything else.
    pieces: Vec<Fold>,
    /// Refusals since something was accepted.
    refusals: u32,
}

impl<P: Publisher> Outbox<P> {
    pub(crate) const fn new(
        house: Arc<House<P>>,
        receiver: Receiver,
        incoming: mpsc::UnboundedReceiver<Parcel>,
        album: Option<Album>,
    ) -> Self {
        Self {
            house,
            receiver,
            incoming,
            album,
            weather: Weather::Fair,
            waiting: Vec::new(),
            pieces: Vec::new(),
            refusals: 0,
        }
    }

    /// Delivers until there is nothing more to come.
    pub(crate) async fn run(mut self) {
        loop {
            if self.is_empty() {
                match self.incoming.recv().await {
                    Some(parcel) => self.waiting.push(parcel),
                    None => return,
                }
            }
            self.gather();
            self.turn().await;
        }
    }

    /// One step onwards: something is put off, waited for, or sent.
    async fn turn(&mut self) {
        self.try_for_test();
        self.put_off().await;
        self.sort_out().await;
        if self.is_empty() {
            return;
        }
        if let Some(until) = self.weather.until().filter(|until| *until > Instant::now()) {
            if !self.waited_until(until).await {
                self.give_everything_back();
            }
            return;
        }
        if !self.has_slot().await {
            return;
        }
        self.gather();
        self.sort_out().await;
        let fold = self.pieces.pop().unwrap_or_else(|| Fold::of(std::mem::take(&mut self.waiting)));
        // Boxed, because the whole way to Feishu and back in one type is too deep for the compiler.
        if let Some((fold, page)) = Box::pin(self.standing(fold)).await {
            Box::pin(self.send(fold, page)).await;
        }
    }

    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.pieces.is_empty()
    }

    /// Takes whatever has come.
    fn gather(&mut self) {
        while let Ok(parcel) = self.incoming.try_recv() {
            self.waiting.push(parcel);
        }
    }

    /// Waits for the right to send a card. `false`: not now, or not any more.
    async fn has_slot(&mut self) -> bool {
        for index in 0..self.receiver.budgets.len() {
            if !self.has_slot_of(index).await {
                return false;
            }
        }
        true
    }

    /// The same, of one of the budgets the receiver takes from.
    async fn has_slot_of(&mut self, index: usize) -> bool {
        let Some((name, limits)) = self.receiver.budgets.get(index) else { return true };
        match self.house.budget.reserve(name, *limits).await {
            Slot::Reserved { wait } if wait.is_zero() => true,
            Slot::Reserved { wait } => {
                let at = Instant::now() + wait;
                let in_time = self.waited_until(at).await;
                if !in_time && at > Instant::now() + LAST_SLOT_WAIT_MAX {
                    self.give_everything_back();
                    return false;
                }
                // Told to stop while the slot is near: what is in hand is told first.
                sleep_until(at).await;
                true
            }
            Slot::AskAgain { after } => {
                if !self.waited_until(Instant::now() + after).await {
                    self.give_everything_back();
                }
                false
            }
        }
    }

    /// Waits, and takes in what comes meanwhile. At a stop it says `false`, at once.
    async fn waited_until(&mut self, until: Instant) -> bool {
        let stop = self.house.lifecycle.stop.clone();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return false,
                () = sleep_until(until) => return true,
                Some(parcel) = self.incoming.recv() => self.waiting.push(parcel),
            }
        }
    }

    /// The same fold, less what was superseded while it waited and what is in it twice.
    async fn confirmed(&self, mut fold: Fold) -> Fold {
        if fold.is_under_way() {
            // Feishu may have it already: to find out what its message is called it is sent as it was.
            return fold;
        }
        let standings = self.house.ledger.confirm(&fold.claims(&self.receiver.name)).await;
        fold.keep_standing(&standings);
        fold
    }

    fn give_everything_back(&mut self) {
        self.gather();
        let pieces = self.pieces.drain(..).flat_map(Fold::into_parcels);
        self.house.give_back(self.waiting.drain(..).chain(pieces));
    }
}
