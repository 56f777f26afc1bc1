//! The bots that take turns with a receiver's cards; most receivers have one. What one of them does not take another
//! does at once, and only when none takes any is the receiver itself throttled, away or broken. Pure: times and dice are
//! arguments.
//!
//! What a bot has answered and not taken stays with it for the attempts in place. What may have arrived has pauses of its
//! own (`retries`): another bot at once would show it twice sooner, not more surely once.

use std::time::Duration;

use tokio::time::Instant;

use super::health::ReceiverHealth;

/// How much longer than an only bot one that does not answer is left out while others take its cards: each look at it
/// may cost a card the time of a whole request, and makes it a card nobody knows the fate of.
const LEFT_OUT: Duration = Duration::from_mins(1);

/// How each bot is doing, and whose turn it is.
#[derive(Debug)]
pub(super) struct BotPool {
    /// At least one.
    bots: Vec<ReceiverHealth>,
    /// The one that sends, or has sent last.
    at: usize,
}

impl BotPool {
    /// So many bots, one at least, that all do well.
    pub(super) fn of(bots: usize) -> Self {
        let bots = bots.max(1);
        // The first turn is the first one's.
        Self { bots: std::iter::repeat_with(|| ReceiverHealth::Healthy).take(bots).collect(), at: bots - 1 }
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
    pub(super) fn own(&mut self) -> &mut ReceiverHealth {
        let last = self.bots.len() - 1;
        &mut self.bots[self.at.min(last)]
    }

    /// How the bot of this place is doing, if it has attempts in place left.
    pub(super) fn rough(&self, bot: usize) -> Option<&ReceiverHealth> {
        self.bots.get(bot).filter(|bot| bot.is_rough())
    }

    /// How the receiver is doing; `None` if there is a bot that takes cards now.
    pub(super) fn health(&self, now: Instant) -> Option<&ReceiverHealth> {
        if let Some(rough) = self.bots.iter().find(|bot| bot.is_rough()) {
            return Some(rough);
        }
        if self.able(now).next().is_some() {
            return None;
        }
        // The mildest: one that may be better soon says more than one somebody has to mend.
        self.bots.iter().min_by_key(|bot| (bot.is_broken(), bot.until()))
    }

    /// Since when none of them has taken anything; `None` if one does.
    pub(super) fn absent_since(&self) -> Option<Instant> {
        self.bots.iter().map(ReceiverHealth::since).collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// Whom to ask for a slot, in this order.
    pub(super) fn turns(&self, now: Instant) -> Vec<usize> {
        let places = || (1..=self.bots.len()).map(|step| (self.at + step) % self.bots.len());
        if let Some(health) = self.health(now) {
            return places().filter(|place| std::ptr::eq(&raw const self.bots[*place], health)).collect();
        }
        let able: Vec<_> = self.able(now).collect();
        places().filter(|place| able.contains(place)).collect()
    }

    /// Whether another than the one that sends takes cards now.
    pub(super) fn has_another(&self, now: Instant) -> bool {
        self.able(now).any(|bot| bot != self.at)
    }

    /// Whether another than these takes cards now.
    pub(super) fn has_another_than(&self, these: &[usize], now: Instant) -> bool {
        self.able(now).any(|bot| !these.contains(&bot))
    }

    /// The one that sends, or all of them, were told to slow down; returns for how long.
    pub(super) fn slow_down(
        &mut self,
        now: Instant,
        roll: f64,
        hint: Option<Duration>,
        is_of_all: bool,
    ) -> Duration {
        let pause = self.own().slow_down(now, roll, hint);
        if is_of_all {
            self.bots.iter_mut().for_each(|bot| bot.wait_with_others(now, now + pause));
        }
        pause
    }

    /// Those that are left alone are tried now.
    pub(super) fn try_now(&mut self, now: Instant) {
        self.bots.iter_mut().for_each(|bot| bot.try_now(now));
    }

    fn able(&self, now: Instant) -> impl Iterator<Item = usize> {
        let others = self.bots.len() - 1;
        let is_able = move |bot: &ReceiverHealth| match bot.until() {
            None => true,
            Some(until) if bot.is_away() && others > 0 => until + LEFT_OUT <= now,
            Some(until) => until <= now && !bot.is_rough(),
        };
        self.bots.iter().enumerate().filter(move |(_, bot)| is_able(bot)).map(|(place, _)| place)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn after(bots: &mut BotPool, bot: usize) -> &mut ReceiverHealth {
        bots.turn_to(bot);
        bots.own()
    }

    fn broken(bots: &mut BotPool, bot: usize, now: Instant) {
        after(bots, bot).broke(now, 0.5);
    }

    fn throttled(bots: &mut BotPool, bot: usize, now: Instant) {
        bots.turn_to(bot);
        bots.slow_down(now, 0.5, None, false);
    }

    fn away(bots: &mut BotPool, bot: usize, now: Instant) {
        after(bots, bot).failed(1, now, 0.5, None);
    }

    #[tokio::test(start_paused = true)]
    async fn bots_that_do_well_take_turns() {
        let mut bots = BotPool::of(3);
        let now = Instant::now();
        for expected in [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]] {
            assert_eq!(bots.turns(now), expected);
            bots.turn_to(expected[0]);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_nothing_is_passed_over_for_as_long_as_that_makes_sense() {
        let mut bots = BotPool::of(4);
        let now = Instant::now();
        throttled(&mut bots, 0, now);
        broken(&mut bots, 1, now);
        away(&mut bots, 2, now);
        bots.turn_to(3);
        assert_eq!(bots.turns(now), [3]);
        assert_eq!(bots.turns(now + SECOND), [0, 3], "the pause it was told is over");
        assert_eq!(bots.turns(now + 60 * SECOND), [0, 1, 3], "somebody may have mended it");
        assert_eq!(bots.turns(now + 62 * SECOND), [0, 1, 2, 3], "its own pause, and a minute");
        assert!(bots.health(now).is_none(), "and the receiver does well all the time");
    }

    #[tokio::test(start_paused = true)]
    async fn when_none_takes_anything_the_receiver_does_as_the_mildest_of_them() {
        let mut bots = BotPool::of(3);
        let now = Instant::now();
        for bot in [0, 1, 2] {
            broken(&mut bots, bot, now);
        }
        assert!(bots.health(now).unwrap().is_broken());
        away(&mut bots, 2, now);
        let health = bots.health(now).unwrap();
        assert!(health.is_away() && health.until() == Some(now + SECOND));
        assert_eq!(bots.turns(now + 2 * SECOND), [2], "it is looked at as soon as an only bot");
        throttled(&mut bots, 1, now);
        let health = bots.health(now).unwrap();
        assert!(!health.is_away() && health.until() == Some(now + SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_answered_and_not_taken_holds_up_the_others_for_the_attempts_in_place() {
        let mut bots = BotPool::of(2);
        let now = Instant::now();
        after(&mut bots, 1).failed(3, now, 0.5, None);
        assert!(bots.health(now).unwrap().is_rough());
        assert_eq!(bots.turns(now + SECOND), [1]);
        for _ in 0..2 {
            after(&mut bots, 1).failed(3, now, 0.5, None);
        }
        assert!(bots.health(now).is_none());
        assert_eq!(bots.turns(now), [0]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_group_does_not_take_no_bot_is_asked_for() {
        let mut bots = BotPool::of(3);
        let now = Instant::now();
        broken(&mut bots, 2, now);
        bots.turn_to(0);
        assert_eq!(bots.slow_down(now, 0.5, None, true), SECOND);
        assert_eq!(bots.health(now).and_then(ReceiverHealth::until), Some(now + SECOND));
        assert_eq!(bots.turns(now + SECOND), [1, 0]);
    }

    #[tokio::test(start_paused = true)]
    async fn an_only_bot_is_the_receiver() {
        let mut bots = BotPool::of(0);
        let now = Instant::now();
        assert_eq!(bots.turns(now), [0]);
        away(&mut bots, 0, now);
        assert!(bots.health(now).unwrap().is_away() && !bots.has_another(now + 60 * SECOND));
        assert!(bots.health(now + 2 * SECOND).is_none(), "nobody else takes its cards");
        assert_eq!(bots.turns(now + 2 * SECOND), [0]);
    }
}
