//! Whose turn it is when nobody keeps the budget together: time is cut into turns by a clock that all workers have, and
//! each sends in its own only. So the cards of a second are few, however many workers there are, and however many alerts
//! wait at each of them at the same moment. Pure.

use super::rates::{JITTER_MS, SECOND_MS};

/// The shortest turn. A worker that wakes up for its turn is some milliseconds late.
const TURN_MS_MIN: i64 = 400;
/// The part of a turn in which something may be sent; the rest keeps the turns apart.
const OPEN_PART: i64 = 4;

/// One worker among all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WorkerPlace {
    /// How many there are, at least 1.
    pub count: u32,
    /// Which of them this one is, from 0.
    pub rank: u32,
}

/// How long a turn is for a receiver that takes so many cards in a second. Half of those are used: what the fleet had
/// given away before it lost the database is sent meanwhile. `n` turns may begin in a window of a second (and what cards
/// may be late), if `n` turns less the open part of one are longer than that.
fn turn_ms(per_second: u32, spacing_ms: i64) -> i64 {
    let most = i64::from(per_second / 2).max(1);
    let shortest_ms = (OPEN_PART * (SECOND_MS + JITTER_MS) / (OPEN_PART * most - 1) + 1).max(TURN_MS_MIN);
    // Where the distance of the fleet's cards is about that, a round is the distance of this worker's: no turn is missed.
    if (shortest_ms..2 * shortest_ms).contains(&spacing_ms) { spacing_ms } else { shortest_ms }
}

/// How long to wait at `now_ms` for the turn of this worker. `spacing_ms` is the distance of the fleet's cards.
pub(super) fn wait_ms(now_ms: i64, place: WorkerPlace, per_second: u32, spacing_ms: i64) -> i64 {
    if place.count <= 1 {
        return 0;
    }
    let turn_ms = turn_ms(per_second, spacing_ms);
    let round_ms = turn_ms * i64::from(place.count);
    let since_ms = (now_ms - turn_ms * i64::from(place.rank)).rem_euclid(round_ms);
    if since_ms < turn_ms / OPEN_PART { 0 } else { round_ms - since_ms }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::pace::most_within;

    const NOW_MS: i64 = 1_705_314_600_000;

    #[test]
    fn a_second_has_no_more_turns_than_half_of_what_the_receiver_takes() {
        for (per_second, most) in [(1, 1), (2, 1), (5, 2), (10, 3), (50, 4)] {
            for count in [2, 3, 8, 40] {
                // Whoever sends as late in its turn as it may, and whoever does at once, by turns.
                let times: Vec<i64> = (0..60_000)
                    .flat_map(|at| (0..count).map(move |rank| (NOW_MS + at, WorkerPlace { count, rank })))
                    .filter(|(now_ms, place)| wait_ms(*now_ms, *place, per_second, 827) == 0)
                    .map(|(now_ms, _)| now_ms)
                    .collect();
                let turns: Vec<i64> = times
                    .chunk_by(|one, next| next - one <= 1)
                    .enumerate()
                    .map(|(index, turn)| if index % 2 == 0 { turn[turn.len() - 1] } else { turn[0] })
                    .collect();
                let found = most_within(&turns, SECOND_MS);
                assert!(found <= most, "{found} in a second, of {count} workers, {per_second} are taken");
            }
        }
    }

    #[test]
    fn whoever_waits_for_its_turn_has_it_then() {
        for count in [1, 2, 5, 16] {
            for rank in 0..count {
                let place = WorkerPlace { count, rank };
                for now_ms in (NOW_MS..NOW_MS + 20_000).step_by(37) {
                    let wait = wait_ms(now_ms, place, 5, 827);
                    assert!((0..=turn_ms(5, 827) * i64::from(count)).contains(&wait));
                    assert_eq!(wait_ms(now_ms + wait, place, 5, 827), 0);
                }
            }
        }
    }
}
