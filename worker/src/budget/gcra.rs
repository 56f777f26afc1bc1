//! When the next slot is: the generic cell rate algorithm (the "leaky bucket as a meter" of ITU-T I.371) over two
//! limits at once. Where the usual form keeps the theoretical arrival time, this one keeps that time less the
//! tolerance, which is simply when the limit has room again; so a slot is the latest of a few times. Pure.
//!
//! `mysql.rs` and `postgres.rs` have the same function in SQL, and a test holds them together.

use super::rates::{Rate, Rates};

/// [`RESERVE_AHEAD_MAX`](super::RESERVE_AHEAD_MAX).
pub const RESERVE_AHEAD_MS: i64 = 5_000;
/// [`HOLD_MAX`](super::HOLD_MAX).
pub const HOLD_MAX_MS: i64 = 600_000;
/// How far a clock may be set back without a card too many. Further back a burst may be spent twice, which is
/// better than a receiver that is silent until the clock is there again.
const SET_BACK_MAX_MS: i64 = 5_000;

/// What is known about a receiver. Times are milliseconds since 1970; a receiver never heard of has zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GcraState {
    /// When the minute's limit has room again.
    pub minute_free_ms: i64,
    /// When the second's limit has room again.
    pub second_free_ms: i64,
    /// Nobody sends before that.
    pub held_until_ms: i64,
    /// How long that hold was when it was put, and so how far away its end can be.
    pub held_for_ms: i64,
}

/// The next slot of somebody who asks at `now_ms`: how long to wait for it, and the state after that. A wait longer
/// than `ahead_ms`, at most [`RESERVE_AHEAD_MS`], means that nothing was reserved.
pub fn reserve(state: GcraState, now_ms: i64, rates: Rates, ahead_ms: i64) -> (i64, GcraState) {
    let GcraState { minute_free_ms, second_free_ms, held_until_ms, held_for_ms } = state;
    // No time is further away than one was ever put, or else the clock was set back or the limits were changed.
    let minute_free_ms = minute_free_ms.min(now_ms + furthest_ms(rates.minute));
    let second_free_ms = second_free_ms.min(now_ms + furthest_ms(rates.second));
    let held_until_ms = held_until_ms.min(now_ms + held_for_ms);
    let slot_ms = now_ms.max(minute_free_ms).max(second_free_ms).max(held_until_ms);
    let wait_ms = slot_ms - now_ms;
    if wait_ms > ahead_ms {
        return (wait_ms, GcraState { minute_free_ms, second_free_ms, held_until_ms, held_for_ms });
    }
    // A hold counts as a burst that was spent: whoever was told to slow down does not start with one.
    let after = |free_ms: i64, rate: Rate| {
        free_ms.max(held_until_ms).max(slot_ms - rate.tolerance_ms()) + rate.interval_ms
    };
    let minute_free_ms = after(minute_free_ms, rates.minute);
    let second_free_ms = after(second_free_ms, rates.second);
    (wait_ms, GcraState { minute_free_ms, second_free_ms, held_until_ms, held_for_ms })
}

/// How many slots there are now, by the minute's limit: what may go at once, but for the pace within a second.
pub fn left(state: GcraState, now_ms: i64, rate: Rate) -> i64 {
    if state.held_until_ms.min(now_ms + state.held_for_ms) > now_ms {
        return 0;
    }
    let free_ms = state.minute_free_ms.min(now_ms + furthest_ms(rate));
    if free_ms > now_ms {
        return 0;
    }
    ((now_ms - free_ms) / rate.interval_ms + 1).min(rate.burst)
}

/// How far away a limit can have room again at most.
pub fn furthest_ms(rate: Rate) -> i64 {
    RESERVE_AHEAD_MS + rate.interval_ms + SET_BACK_MAX_MS
}

/// Nobody sends for `pause_ms`, or for longer if that was said before.
pub fn hold(state: GcraState, now_ms: i64, pause_ms: i64) -> GcraState {
    let until_ms = now_ms + pause_ms;
    if until_ms <= state.held_until_ms {
        return state;
    }
    GcraState { held_until_ms: until_ms, held_for_ms: pause_ms, ..state }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::Limits;
    use super::super::rates::JITTER_MS;
    use super::*;
    use testkit::pace::most_within;

    const NOW_MS: i64 = 1_705_314_600_000;
    const BOT: Limits = Limits { per_minute: 100, per_second: 5 };

    /// The slots of somebody who asks after each of these gaps, and is held before some of the questions.
    fn slots(rates: Rates, gaps_ms: &[(i64, Option<i64>)]) -> Vec<i64> {
        let mut state = GcraState::default();
        let mut latest_ms = NOW_MS;
        let mut slots = Vec::new();
        for (gap_ms, pause_ms) in gaps_ms {
            let now_ms = latest_ms + gap_ms;
            latest_ms = latest_ms.max(now_ms);
            if let Some(pause_ms) = pause_ms {
                state = hold(state, now_ms, *pause_ms);
            }
            let (wait_ms, after) = reserve(state, now_ms, rates, RESERVE_AHEAD_MS);
            state = after;
            if wait_ms <= RESERVE_AHEAD_MS {
                slots.push(now_ms + wait_ms);
            }
        }
        slots
    }

    fn limits() -> impl Strategy<Value = Limits> {
        let any = (1_u32..=400, 1_u32..=30);
        let per = |(per_minute, per_second)| Limits { per_minute, per_second };
        prop_oneof![Just(BOT), any.prop_map(per)]
    }

    /// Storms, trickles, silences, and a clock that is set back a little.
    fn gaps() -> impl Strategy<Value = Vec<(i64, Option<i64>)>> {
        let gap = prop_oneof![4 => Just(0), 8 => 0_i64..1_500, 1 => 0_i64..90_000, 1 => -SET_BACK_MAX_MS..0];
        vec((gap, proptest::option::weighted(0.01, 0_i64..20_000)), 1..600)
    }

    proptest! {
        #[test]
        fn no_window_has_more_arrivals_than_the_receiver_takes(
            limits in limits(),
            gaps in gaps(),
            late in vec(0..=JITTER_MS, 600),
        ) {
            let slots = slots(Rates::below(limits), &gaps);
            let mut arrivals: Vec<_> = slots.iter().zip(&late).map(|(slot, late)| slot + late).collect();
            arrivals.sort_unstable();
            for times in [slots, arrivals] {
                prop_assert!(most_within(&times, 60_000) <= limits.per_minute as usize);
                prop_assert!(most_within(&times, 1_000) <= limits.per_second as usize);
            }
        }

        #[test]
        fn nobody_gets_a_slot_within_a_hold(before in gaps(), pause_ms in 0..HOLD_MAX_MS, later_ms in 0..HOLD_MAX_MS) {
            let rates = Rates::below(BOT);
            let mut state = GcraState::default();
            let mut now_ms = NOW_MS;
            for (gap_ms, _) in before {
                now_ms += gap_ms;
                state = reserve(state, now_ms, rates, RESERVE_AHEAD_MS).1;
            }
            state = hold(hold(state, now_ms, pause_ms), now_ms, pause_ms / 2);
            let (wait_ms, _) = reserve(state, now_ms + later_ms, rates, RESERVE_AHEAD_MS);
            prop_assert!(later_ms + wait_ms >= pause_ms, "a later and shorter hold has not shortened it");
        }
    }

    #[test]
    fn what_is_left_is_what_may_go_at_once_and_comes_back_one_by_one() {
        let rates = Rates::below(BOT);
        let mut state = GcraState::default();
        for left_before in (1..=rates.minute.burst).rev() {
            assert_eq!(left(state, NOW_MS, rates.minute), left_before);
            // As if the second's limit were not there.
            let pace = Rates { second: rates.minute, ..rates };
            state = reserve(state, NOW_MS, pace, 0).1;
        }
        assert_eq!(left(state, NOW_MS, rates.minute), 0);
        assert_eq!(left(state, NOW_MS + rates.minute.interval_ms, rates.minute), 1);
        assert_eq!(left(state, NOW_MS + 3_600_000, rates.minute), rates.minute.burst);
        let held = hold(GcraState::default(), NOW_MS, 5_000);
        assert_eq!(left(held, NOW_MS + 4_000, rates.minute), 0);
    }

    #[test]
    fn after_a_quiet_minute_four_cards_go_at_once_and_the_fifth_within_a_second() {
        let slots = slots(Rates::below(BOT), &[(0, None); 5]);
        assert_eq!(slots.iter().map(|slot| slot - NOW_MS).collect::<Vec<_>>(), [0, 0, 0, 0, 651]);
    }

    #[test]
    fn a_storm_gets_the_pace_that_is_promised() {
        // Ten minutes of somebody who asks every 50 ms.
        let slots = slots(Rates::below(BOT), &vec![(50, None); 12_000]);
        assert_eq!(most_within(&slots, 60_000), 90, "in the first minute");
        assert!((735..=760).contains(&slots.len()), "{} in ten", slots.len());
    }

    /// How many cards bots of one group, and the group, are sent in each minute by somebody who looks every millisecond.
    fn cards_of_a_group(bots: usize) -> Vec<usize> {
        let count = u32::try_from(bots).unwrap();
        let own = Rates::below(BOT);
        let group = Rates::below(Limits { per_minute: count * BOT.per_minute, ..BOT });
        let mut states = vec![GcraState::default(); bots];
        let mut together = GcraState::default();
        let mut sent = Vec::new();
        let mut next = 0;
        let mut free_ms = NOW_MS;
        for now_ms in NOW_MS..NOW_MS + 5 * 60_000 {
            if now_ms < free_ms {
                continue;
            }
            let turns: Vec<_> = (0..bots).map(|step| (next + step) % bots).collect();
            let granted = turns.into_iter().find(|bot| {
                let (wait_ms, after) = reserve(states[*bot], now_ms, own, 0);
                states[*bot] = after;
                wait_ms == 0
            });
            let Some(bot) = granted else { continue };
            next = bot + 1;
            let (wait_ms, after) = reserve(together, now_ms, group, RESERVE_AHEAD_MS);
            together = after;
            free_ms = now_ms + wait_ms;
            sent.push((bot, free_ms));
        }
        let all: Vec<_> = sent.iter().map(|(_, at_ms)| *at_ms).collect();
        assert!(most_within(&all, 1_000) <= 5, "the group takes no more");
        for bot in 0..bots {
            let own: Vec<_> = sent.iter().filter(|(by, _)| *by == bot).map(|(_, at_ms)| *at_ms).collect();
            assert!(most_within(&own, 60_000) <= 100 && most_within(&own, 1_000) <= 5, "nor does bot {bot}");
        }
        let of_minute =
            |minute: i64| all.iter().filter(|at_ms| (**at_ms - NOW_MS) / 60_000 == minute).count();
        (0..5).map(of_minute).collect()
    }

    #[test]
    fn three_bots_of_a_group_are_sent_three_times_what_one_is_and_none_too_much() {
        let one = cards_of_a_group(1);
        let three = cards_of_a_group(3);
        assert_eq!((one[0], three[0]), (90, 230), "the first minute, with its bursts");
        for minute in 1..5 {
            assert!(three[minute] * 10 >= one[minute] * 29, "{three:?} of three, {one:?} of one");
        }
        assert!(cards_of_a_group(6)[4] <= 300, "and six are held back by the group");
    }

    #[test]
    fn after_a_hold_there_is_no_burst() {
        let slots = slots(Rates::below(BOT), &[(0, Some(2_000)), (0, None), (0, None)]);
        assert_eq!(slots.iter().map(|slot| slot - NOW_MS).collect::<Vec<_>>(), [2_000, 2_827, 3_654]);
    }

    #[test]
    fn a_clock_that_was_set_back_silences_nobody_for_long() {
        let rates = Rates::below(BOT);
        let (_, ahead) = reserve(GcraState::default(), NOW_MS + 86_400_000, rates, RESERVE_AHEAD_MS);
        let (wait_ms, healed) = reserve(ahead, NOW_MS, rates, RESERVE_AHEAD_MS);
        assert!(wait_ms > RESERVE_AHEAD_MS, "too far away to be given");
        let (wait_ms, _) = reserve(healed, NOW_MS + wait_ms, rates, RESERVE_AHEAD_MS);
        assert_eq!(wait_ms, 0, "and there when it was said to be");
    }

    #[test]
    fn a_hold_does_not_grow_with_a_clock_that_was_set_back() {
        let rates = Rates::below(BOT);
        let held = hold(GcraState::default(), NOW_MS, 8_000);
        let (wait_ms, healed) = reserve(held, NOW_MS - HOLD_MAX_MS, rates, RESERVE_AHEAD_MS);
        assert_eq!(wait_ms, 8_000);
        let shorter = hold(healed, NOW_MS - HOLD_MAX_MS, 2_000);
        assert_eq!(reserve(shorter, NOW_MS - HOLD_MAX_MS, rates, RESERVE_AHEAD_MS).0, 8_000);
        let longer = hold(shorter, NOW_MS - HOLD_MAX_MS, 60_000);
        assert_eq!(reserve(longer, NOW_MS - 2 * HOLD_MAX_MS, rates, RESERVE_AHEAD_MS).0, 60_000);
    }
}
