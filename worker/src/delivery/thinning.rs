//! A storm that goes on is told less often: once a receiver has got a fifth of what it takes in a minute, more of what these
//! cards told already waits for a few seconds, so that one card says what five would. What is new goes out at once. Pure.

use std::collections::{HashSet, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::time::Instant;

use crate::render::Item;

/// How long a card counts.
const WINDOW: Duration = Duration::from_mins(1);
/// Of the cards that a receiver takes in a minute, how many are sent one after the other. For 100 that is what a storm of ten
/// seconds needs, which is over before anybody has read them.
const PROMPT_PERCENT: usize = 20;
/// How long more of the same waits for still more, counted from the card before.
const APART: Duration = Duration::from_secs(5);
/// Kinds that are remembered at most; what is beyond is taken for new.
const KINDS_MAX: usize = 10_000;

/// What the cards of the last minute told.
#[derive(Debug, Default)]
pub(super) struct Thinning {
    cards: VecDeque<Instant>,
    /// What alerts have in common of which one card after the other says the same, hashed: should two kinds ever have one hash,
    /// one of them waits for a few seconds.
    kinds: HashSet<u64>,
    hasher: RandomState,
}

impl Thinning {
    /// A card has told these.
    pub(super) fn told<'e>(&mut self, now: Instant, items: impl Iterator<Item = Item<'e>>) {
        while self.cards.front().is_some_and(|card| now.saturating_duration_since(*card) >= WINDOW) {
            self.cards.pop_front();
        }
        if self.cards.is_empty() {
            self.kinds.clear();
        }
        self.cards.push_back(now);
        for item in items {
            let kind = self.kind(&item);
            if self.kinds.len() < KINDS_MAX {
                self.kinds.insert(kind);
            }
        }
    }

    /// Until when more of the same waits at a receiver that takes so many cards a minute; `None` if it does not.
    pub(super) fn until(&self, now: Instant, cards_per_minute: u32) -> Option<Instant> {
        let is_recent = |card: &&Instant| now.saturating_duration_since(**card) < WINDOW;
        let recent = self.cards.iter().rev().take_while(is_recent).count();
        let prompt =
            usize::try_from(cards_per_minute).unwrap_or(usize::MAX).saturating_mul(PROMPT_PERCENT) / 100;
        let until = *self.cards.back()? + APART;
        (recent >= prompt.max(1) && until > now).then_some(until)
    }

    /// Whether any of these is of a kind that no card of the last minute told.
    pub(super) fn has_news<'e>(&self, mut items: impl Iterator<Item = Item<'e>>) -> bool {
        items.any(|item| !self.kinds.contains(&self.kind(&item)))
    }

    /// By name, severity, and whether it fires.
    fn kind(&self, item: &Item<'_>) -> u64 {
        let severity = item.alert.labels.get("severity");
        self.hasher.hash_one((item.name(), severity, item.is_firing()))
    }
}

#[cfg(test)]
mod tests {
    use model::envelope::{Envelope, decode};
    use testkit::bodies::line;

    use super::*;

    const LIMIT: u32 = 100;

    /// Tells one alert of these on each of so many cards, a tenth of a second apart; says when the last was.
    fn storm(thinning: &mut Thinning, from: Instant, cards: u32, line: &str) -> Instant {
        let envelope = decode(line.trim().as_bytes()).unwrap();
        let mut now = from;
        for _ in 0..cards {
            now += Duration::from_millis(100);
            thinning.told(now, Item::all_of(&envelope).into_iter());
        }
        now
    }

    fn has_news(thinning: &Thinning, line: &str) -> bool {
        let envelope: Envelope<'_> = decode(line.trim().as_bytes()).unwrap();
        thinning.has_news(Item::all_of(&envelope).into_iter())
    }

    #[test]
    fn after_a_fifth_of_what_a_minute_takes_more_of_the_same_waits_for_five_seconds() {
        let mut thinning = Thinning::default();
        let last = storm(&mut thinning, Instant::now(), 19, &line(1, 1));
        assert_eq!(thinning.until(last, LIMIT), None);
        let last = storm(&mut thinning, last, 1, &line(1, 2));
        assert_eq!(thinning.until(last, LIMIT), Some(last + APART));
        assert_eq!(thinning.until(last, 10 * LIMIT), None, "a receiver that takes more gets more");
        assert_eq!(thinning.until(last + APART, LIMIT), None);
        assert!(!has_news(&thinning, &line(3, 9)), "others of that name");
    }

    #[test]
    fn a_name_a_severity_or_an_end_that_no_card_told_is_news() {
        let mut thinning = Thinning::default();
        storm(&mut thinning, Instant::now(), 20, &line(1, 1));
        let of = |from: &str, to: &str| {
            let changed = line(1, 1).replace(from, to);
            assert_ne!(changed, line(1, 1), "{from}");
            changed
        };
        let name = decode(line(1, 1).trim().as_bytes()).unwrap().alerts[0]
            .labels
            .get("alertname")
            .unwrap()
            .to_owned();
        for news in [
            of(&format!("\"alertname\":\"{name}\""), "\"alertname\":\"Other\""),
            of("\"severity\":\"critical\"", "\"severity\":\"page\""),
            of("\"status\":\"firing\"", "\"status\":\"resolved\""),
        ] {
            assert!(has_news(&thinning, &news), "{news}");
        }
    }

    #[test]
    fn a_minute_after_the_last_card_everything_is_new_again() {
        let mut thinning = Thinning::default();
        let last = storm(&mut thinning, Instant::now(), 20, &line(1, 1));
        assert_eq!(thinning.until(last + WINDOW, LIMIT), None);
        let other = line(1, 1).replace("alertname", "name");
        storm(&mut thinning, last + WINDOW, 1, &other);
        assert!(has_news(&thinning, &line(1, 1)));
    }
}
