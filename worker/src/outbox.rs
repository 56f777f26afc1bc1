//! One receiver's outbox: waits for better weather and for the budget, folds everything that waits onto one card,
//! sends it, and settles. Outboxes run side by side; one card at a time is under way in each, and what comes
//! meanwhile goes onto the next.

mod broken;
mod fold;
mod page;
mod putting_off;
mod refusals;
mod ring;
mod route;
mod sending;
mod sorting;
mod told;
mod trial;
pub(crate) mod tries;
pub(crate) mod updates;
mod weather;

use std::sync::Arc;
use std::time::Duration;

use shared::queue::Publisher;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::budget::{Limits, Slot};
use crate::pipeline::{House, Parcel};
use crate::receiver::Receiver;
pub(crate) use broken::advice;
use fold::Fold;
use ring::Ring;
pub(crate) use sorting::Album;
use weather::Weather;

/// What a stop waits for a slot of the budget at most, so that what is in hand is told rather than given back.
const LAST_SLOT_WAIT_MAX: Duration = Duration::from_secs(2);

/// What a bot may keep the cards of its group waiting for its budget, where it alone was to send them: longer than slots
/// are booked ahead, so only one that was told to slow down does.
const HELD_MIN: Duration = Duration::from_secs(5);

/// A receiver, how it is doing, and what waits for it.
pub(crate) struct Outbox<P> {
    house: Arc<House<P>>,
    receiver: Receiver,
    incoming: mpsc::UnboundedReceiver<Parcel>,
    /// For a chat of the app's.
    album: Option<Album>,
    /// How its bots are doing.
    ring: Ring,
    /// What goes onto the next card.
    waiting: Vec<Parcel>,
    /// Parts of a fold that was refused as a whole; each is sent by itself, before anything else.
    pieces: Vec<Fold>,
    /// Refusals since something was accepted.
    refusals: u32,
}

impl<P: Publisher> Outbox<P> {
    pub(crate) fn new(
        house: Arc<House<P>>,
        receiver: Receiver,
        incoming: mpsc::UnboundedReceiver<Parcel>,
        album: Option<Album>,
    ) -> Self {
        let ring = Ring::of(receiver.group().len());
        Self { house, receiver, incoming, album, ring, waiting: Vec::new(), pieces: Vec::new(), refusals: 0 }
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
        self.set_trials_apart().await;
        self.try_for_test();
        self.put_off().await;
        self.sort_out().await;
        if self.is_empty() {
            return;
        }
        let now = Instant::now();
        let weather = self.trial().map_or_else(|| self.ring.weather(now), |bot| self.ring.rough(bot));
        if let Some(until) = weather.and_then(Weather::until).filter(|until| *until > now) {
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
        let fold = self.next_fold();
        // Boxed, because the whole way to Feishu and back in one type is too deep for the compiler.
        if let Some((fold, page)) = Box::pin(self.standing(fold)).await {
            Box::pin(self.send(fold, page)).await;
        }
    }

    /// What goes out now: a piece, or everything that waits on one card. A test of one bot that came while the slot of
    /// another was waited for is no part of that.
    fn next_fold(&mut self) -> Fold {
        if let Some(piece) = self.pieces.pop() {
            return piece;
        }
        let trials = self.trials_that_came();
        Fold::of(std::mem::replace(&mut self.waiting, trials))
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
        match self.trial() {
            Some(bot) => self.has_slot_for_trial(bot).await,
            None => self.has_slot_through(&self.ring.turns(Instant::now())).await,
        }
    }

    /// The same, through one of these bots: the first that may send now, or else the one that may be the soonest.
    async fn has_slot_through(&mut self, turns: &[usize]) -> bool {
        let mut soonest: Option<(Duration, usize, String, Limits)> = None;
        for (bot, name, limits) in self.budgets_of(turns) {
            let Slot::AskAgain { after } = self.house.budget.reserve_now(&name, limits).await else {
                self.ring.turn_to(bot);
                return self.has_slot_together().await;
            };
            if soonest.as_ref().is_none_or(|(least, ..)| after < *least) {
                soonest = Some((after, bot, name, limits));
            }
        }
        if let Some((after, bot, name, limits)) = soonest {
            self.ring.turn_to(bot);
            let now = Instant::now();
            if after > HELD_MIN && self.ring.has_another_than(turns, now) {
                // Another worker was told to slow down: the other bots need not wait for that as well.
                self.ring.own().held(now + after);
                return false;
            }
            if !self.has_slot_of(&name, limits).await {
                return false;
            }
        }
        self.has_slot_together().await
    }

    /// What these bots take from, each by itself; nothing where there is no choice.
    fn budgets_of(&self, bots: &[usize]) -> Vec<(usize, String, Limits)> {
        let group = self.receiver.group();
        let each = bots.iter().filter_map(|place| Some((*place, group.get(*place)?)));
        each.map(|(place, bot)| (place, bot.name.clone(), bot.limits)).collect()
    }

    /// The same, from what the receiver takes from whoever sends to it.
    async fn has_slot_together(&mut self) -> bool {
        for (name, limits) in self.receiver.budgets.clone() {
            if !self.has_slot_of(&name, limits).await {
                return false;
            }
        }
        true
    }

    /// The same, of one of the budgets.
    async fn has_slot_of(&mut self, name: &str, limits: Limits) -> bool {
        let slot = self.house.budget.reserve(name, limits).await;
        self.has_come(slot).await
    }

    /// Waits for this slot.
    async fn has_come(&mut self, slot: Slot) -> bool {
        match slot {
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
