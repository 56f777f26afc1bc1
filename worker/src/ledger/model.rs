//! The protocol of the claims, model-checked: two workers, three envelopes about one alert, and every order in which
//! their steps can happen, with a crash, a lost connection to the broker or an outage of the database at each of them.
//!
//! What decides is the real code (`batch`, `decision`); the steps around it are those of `engine` and of the outbox: a
//! row is read in one step and written in another, if its version is still the one that was read. What is held:
//! - nothing is lost: once everything is settled the newest state was delivered and is written down, and nothing is claimed;
//! - nothing is stuck: there is a step as long as something is not settled;
//! - nothing is delivered twice, except what was under way when its worker died or lost its envelope, and without the
//!   database.
//!
//! What is deferred comes back once time has passed. Not held where a firing that follows an end within the jitter is
//! decided about before that end: of the two the end is delivered, as it is when that firing was late.
//!
//! Not held without the database: whoever delivered a firing then and does not know that its end was delivered elsewhere takes
//! its return for the same firing. The next repeat of it is delivered.

mod next;
mod steps;
mod worker;
mod world;

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::iter::successors;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use model::alert::Status::{self, Firing, Resolved};

use next::{ModelStep, next_steps};
use world::{Faults, World};

/// What is said of the alert, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Said {
    status: Status,
    began: i64,
    ended: Option<i64>,
    received: i64,
}

/// What comes, the oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Scenario {
    all: [Said; 3],
    /// Whether each is decided about for the first time after the one before it; else they are taken in every order.
    /// Then time passes only after that.
    is_in_order: bool,
    /// What must never be delivered.
    never: Option<Status>,
}

const TWINS_AND_THE_END: Scenario = in_any_order([fires(0), fires(2), ends(100)]);
const THREE_TIMES_THE_SAME: Scenario = in_any_order([fires(0), fires(2), fires(4)]);
const TWO_ENDS: Scenario = in_any_order([fires(0), ends(100), ends(101)]);
const A_RETURN: Scenario = in_any_order([fires(0), ends(100), fires(300)]);
/// It ended at 95, and fires since 98.
const ANOTHER_WITHIN_THE_JITTER: Scenario = in_any_order([
    began(50, fires(60)),
    Said { ended: Some(95), ..began(50, ends(100)) },
    began(98, fires(105)),
]);
/// A Prometheus that was cut off comes back with the old stamp.
const THE_SAME_WITHIN_THE_JITTER: Scenario = in_order([fires(0), ends(100), fires(113)], None);
/// A pair of Alertmanagers, one of which was sending while the alert ended.
const A_LATE_REPLICA: Scenario = in_order([ends(100), fires(113), ends(400)], Some(Firing));
/// Of two hosts one has a clock that is a day ahead.
const A_STAMP_AHEAD: Scenario = in_any_order([began(DAY, fires(0)), ends(100), ends(101)]);
/// An ingest whose clock was a day ahead, and was put right.
const RECEIVED_AHEAD: Scenario = in_order([fires(DAY), ends(100), ends(101)], None);
const DAY: i64 = 86_400;
const WITHOUT_RETURN: [Scenario; 3] = [TWINS_AND_THE_END, THREE_TIMES_THE_SAME, TWO_ENDS];
const ALL: [Scenario; 4] = [TWINS_AND_THE_END, THREE_TIMES_THE_SAME, TWO_ENDS, A_RETURN];
const SOON_AFTER: [Scenario; 4] =
    [ANOTHER_WITHIN_THE_JITTER, THE_SAME_WITHIN_THE_JITTER, A_LATE_REPLICA, A_STAMP_AHEAD];

const NOTHING: Faults = Faults { crashes: 0, losses: 0, failures: 0, outages: 0 };

const fn fires(received: i64) -> Said {
    Said { status: Firing, began: 0, ended: None, received }
}

const fn ends(received: i64) -> Said {
    Said { status: Resolved, ended: Some(received), ..fires(received) }
}

const fn began(began: i64, said: Said) -> Said {
    Said { began, ..said }
}

const fn in_any_order(all: [Said; 3]) -> Scenario {
    Scenario { all, is_in_order: false, never: None }
}

const fn in_order(all: [Said; 3], never: Option<Status>) -> Scenario {
    Scenario { all, is_in_order: true, never }
}

/// How a state was reached.
struct ReachedBy {
    what: String,
    before: Option<Rc<ReachedBy>>,
}

/// Visits every state that can be reached, and returns how many there are.
fn explore(scenario: Scenario, faults: Faults) -> usize {
    let mut seen = HashSet::new();
    let mut open = vec![(World::new(scenario, faults), None)];
    while let Some((world, way)) = open.pop() {
        if !seen.insert(mark(&world)) {
            continue;
        }
        let looked = catch_unwind(AssertUnwindSafe(|| {
            let next = next_steps(&world);
            if world.is_at_rest() {
                world.hold();
            } else {
                assert!(next.iter().any(|step| !step.is_fault), "stuck");
            }
            next
        }));
        let next = looked.unwrap_or_else(|broken| {
            println!("{scenario:?}: {}\n{world:#?}", described(way.as_ref()));
            resume_unwind(broken)
        });
        for ModelStep { what, world, .. } in next {
            if !seen.contains(&mark(&world)) {
                open.push((world, Some(Rc::new(ReachedBy { what, before: way.clone() }))));
            }
        }
    }
    seen.len()
}

/// What a state is known by: a million of them whole would take a gigabyte, and of so many no two have one mark.
fn mark(world: &World) -> u64 {
    BuildHasherDefault::<DefaultHasher>::default().hash_one(world)
}

/// Step by step.
fn described(way: Option<&Rc<ReachedBy>>) -> String {
    let steps = successors(way, |way| way.before.as_ref()).map(|way| way.what.as_str());
    let mut steps: Vec<_> = steps.collect();
    steps.reverse();
    steps.join("; ")
}

fn explore_all(scenarios: &[Scenario], faults: Faults) {
    for scenario in scenarios.iter().copied() {
        let states = explore(scenario, faults);
        println!("{scenario:?}: {states} states");
        assert!(states > 50, "the model does not move");
    }
}

#[test]
fn in_every_order_of_their_steps_two_workers_tell_each_state_once() {
    explore_all(&ALL, NOTHING);
    explore_all(&SOON_AFTER, NOTHING);
}

/// In this order only: whoever sends it again after its end, with such a time, cannot be told from one that returns.
#[test]
fn what_was_received_ahead_of_all_clocks_does_not_mute_what_comes_after() {
    explore_all(&[RECEIVED_AHEAD], NOTHING);
}

#[test]
fn a_crash_at_any_step_loses_nothing_and_doubles_only_what_was_under_way() {
    explore_all(&ALL, Faults { crashes: 1, ..NOTHING });
    explore_all(&SOON_AFTER, Faults { crashes: 1, ..NOTHING });
}

#[test]
fn an_envelope_that_goes_to_another_worker_at_any_step_loses_nothing() {
    explore_all(&ALL, Faults { losses: 1, failures: 1, ..NOTHING });
    explore_all(&SOON_AFTER, Faults { losses: 1, ..NOTHING });
}

#[test]
fn an_outage_of_the_database_with_a_crash_in_it_loses_nothing() {
    explore_all(&WITHOUT_RETURN, Faults { crashes: 1, outages: 1, ..NOTHING });
}

#[test]
fn an_outage_with_a_card_that_fails_loses_nothing() {
    explore_all(&WITHOUT_RETURN, Faults { failures: 1, outages: 1, ..NOTHING });
}
