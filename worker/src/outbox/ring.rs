//! The bots that take turns with a receiver's cards; most receivers have one. What one of them does not take another
//! does at once, and only when none takes any is the receiver itself throttled, away or broken. Pure: times and dice are
//! arguments.
//!
//! What is under way with nobody knowing whether it arrived stays with its bot for the attempts in place, as it would
//! if that was the only one: another bot at once would show it twice sooner, not more surely once.

use std::time::Duration;

use tokio::time::Instant;

use super::weather::Weather;

/// How much longer than an only bot one that does not answer is left out while others take its cards: each look at it
/// may cost a card the time of a whole request, and makes it a card nobody knows the fate of.
const LEFT_OUT: Duration = Duration::from_mins(1);

/// How each bot is doing, and whose turn it is.
#[derive(Debug)]
pub(super) struct Ring {
    /// At least one.
    bots: Vec<Weather>,
    /// The one that sends, or has sent last.
    at: usize,
}

impl Ring {
    /// So many bots, one at least, that all do well.
    pub(super) fn of(bots: usize) -> Self {
        let bots = bots.max(1);
        // The first turn is the first one's.
        Self { bots: std::iter::repeat_with(|| Weather::Fair).take(bots).collect(), at: bots - 1 }
    }

    /// The place of the one that sends.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// It is this one's turn.
    pub(super) const fn turn_to(&mut self, bot: usize) {
        self.at = bot;
    }

    /// How the one that sends is doing.
    pub(super) fn own(&mut self) -> &mut Weather {
        let last = self.bots.len() - 1;
        &mut self.bots[self.at.min(last)]
    }

    /// How the bot of this place is doing, if it has attempts in place left.
    pub(super) fn rough(&self, bot: usize) -> Option<&Weather> {
        self.bots.get(bot).filter(|bot| bot.is_rough())
    }

    /// How the receiver is doing; `None` if there is a bot that takes cards now.
    pub(super) fn weather(&self, now: Instant) -> Option<&Weather> {
        if let Some(rough) = self.bots.iter().find(|bot| bot.is_rough()) {
            return Some(rough);
        }
        if self.able(now).next().is_some() {
            return None;
        }
        // The mildest: one that may be better soon says more than one somebody has to mend.
        self.bots.iter().min_by_key(|bot| (bot.is_broken(), bot.until()))
    }

    /// Whom to ask for a slot, in this order.
    pub(super) fn turns(&self, now: Instant) -> Vec<usize> {
        let places = || (1..=self.bots.len()).map(|step| (self.at + step) % self.bots.len());
        if let Some(weather) = self.weather(now) {
            return places().filter(|place| std::ptr::eq(&raw const self.bots[*place], weather)).collect();
        }
        let able: Vec<_> = self.able(now).collect();
        places().filter(|place| able.contains(place)).collect()
    }

    /// Whether another than the one that sends takes cards now.
    pub(super) fn has_another(&self, now: Instant) -> bool {
        self.able(now).any(|bot| bot != self.at)
    }

    /// The one that sends, or all of them, were told to slow down; returns for how long.
    pub(super) fn slow_down(
        &mut self,
        now: Instant,
        (roll, hint): (f64, Option<Duration>),
        is_of_all: bool,
    ) -> Duration {
        let pause = self.own().slow_down(now, roll, hint);
        if is_of_all {
            self.bots.iter_mut().for_each(|bot| bot.wait_with_others(now + pause));
        }
        pause
    }

    /// Those that are left alone are tried now.
    pub(super) fn try_now(&mut self, now: Instant) {
        self.bots.iter_mut().for_each(|bot| bot.try_now(now));
    }

    fn able(&self, now: Instant) -> impl Iterator<Item = usize> {
        let others = self.bots.len() - 1;
        let is_able = move |bot: &Weather| match bot.until() {
            None => true,
            Some(until) if bot.is_away() && others > 0 => until + LEFT_OUT <= now,
            Some(until) => until <= now && !bot.is_rough(),
        };
        self.bots.iter().enumerate().filter(move |(_, bot)| is_able(bot)).map(|(place, _)| place)
    }
}
