//! The protocol of the claims, model-checked: two workers, three envelopes about one alert, and every order in which
//! their steps can happen, with a crash, a lost connection to the broker or an outage of the database at each of them.
//!
//! What decides is the real code (`batch`, `decision`); the steps around it are those of `engine` and of the outbox: a
//! row is read in one step and written in another, if its version is still the one that was read. What is held:
//! - nothing is lost: once everything is settled the newest state was told and is written down, and nothing is claimed;
//! - nothing is stuck: there is a step as long as something is not settled;
//! - nothing is told twice, except what was under way when its worker died or lost its envelope, and without the
//!   database.
//!
//! Not held without the database: whoever told a firing then and does not know that its end was told elsewhere takes
//! its return for the same firing. The next repeat of it is told.

mod steps;
mod worker;
mod world;

use std::collections::HashSet;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::iter::successors;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use shared::alert::Status::{self, Firing, Resolved};

use world::{Faults, Step, World};

/// What comes, the oldest first, and when it was received, in seconds. It is taken in every order.
type Scenario = [(Status, i64); 3];

const TWINS_AND_THE_END: Scenario = [(Firing, 0), (Firing, 2), (Resolved, 100)];
const THREE_TIMES_THE_SAME: Scenario = [(Firing, 0), (Firing, 2), (Firing, 4)];
const TWO_ENDS: Scenario = [(Firing, 0), (Resolved, 100), (Resolved, 101)];
const A_RETURN: Scenario = [(Firing, 0), (Resolved, 100), (Firing, 300)];
const WITHOUT_RETURN: [Scenario; 3] = [TWINS_AND_THE_END, THREE_TIMES_THE_SAME, TWO_ENDS];
const ALL: [Scenario; 4] = [TWINS_AND_THE_END, THREE_TIMES_THE_SAME, TWO_ENDS, A_RETURN];

const NOTHING: Faults = Faults { crashes: 0, losses: 0, failures: 0, outages: 0 };

/// How a state was reached.
struct Way {
    what: String,
    before: Option<Rc<Way>>,
}

/// Visits every state that can be reached, and returns how many there are.
fn explore(scenario: Scenario, faults: Faults) -> usize {
    let (mut seen, mut open) = (HashSet::new(), vec![(World::new(scenario, faults), None)]);
    while let Some((world, way)) = open.pop() {
        if !seen.insert(mark(&world)) {
            continue;
        }
        let looked = catch_unwind(AssertUnwindSafe(|| {
            let next = world.steps();
            if world.is_at_rest() {
                world.hold();
            } else {
                assert!(next.iter().any(|step| !step.is_fault), "stuck");
            }
            next
        }));
        let next = looked.unwrap_or_else(|broken| {
            println!("{scenario:?}: {}\n{world:#?}", told(way.as_ref()));
            resume_unwind(broken)
        });
        for Step { what, world, .. } in next {
            if !seen.contains(&mark(&world)) {
                open.push((world, Some(Rc::new(Way { what, before: way.clone() }))));
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
fn told(way: Option<&Rc<Way>>) -> String {
    let steps = successors(way, |way| way.before.as_ref()).map(|way| way.what.as_str());
    let mut steps: Vec<_> = steps.collect();
    steps.reverse();
    steps.join("; ")
}

fn explore_all(scenarios: &[Scenario], faults: Faults) {
    for scenario in scenarios.iter().copied() {
        let states = explore(scenario, faults);
        println!("{scenario:?}: {states} states");
        assert!(states > 100, "the model does not move");
    }
}

#[test]
fn in_every_order_of_their_steps_two_workers_tell_each_state_once() {
    explore_all(&ALL, NOTHING);
}

#[test]
fn a_crash_at_any_step_loses_nothing_and_doubles_only_what_was_under_way() {
    explore_all(&ALL, Faults { crashes: 1, ..NOTHING });
}

#[test]
fn an_envelope_that_goes_to_another_worker_at_any_step_loses_nothing() {
    explore_all(&ALL, Faults { losses: 1, failures: 1, ..NOTHING });
}

#[test]
fn an_outage_of_the_database_with_a_crash_in_it_loses_nothing() {
    explore_all(&WITHOUT_RETURN, Faults { crashes: 1, outages: 1, ..NOTHING });
}

#[test]
fn an_outage_with_a_card_that_fails_loses_nothing() {
    explore_all(&WITHOUT_RETURN, Faults { failures: 1, outages: 1, ..NOTHING });
}
