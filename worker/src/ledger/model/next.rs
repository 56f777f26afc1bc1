//! Everything that can happen next: what each worker can do, and what can go wrong with it.

use super::steps;
use super::worker::{ModelOutbox, Worker};
use super::world::{BrokerPlace, World};

/// What happens, and what comes of it.
#[derive(Clone, Debug)]
pub(super) struct ModelStep {
    pub(super) what: String,
    pub(super) is_fault: bool,
    pub(super) world: World,
}

/// Everything that can happen next.
pub(super) fn next_steps(world: &World) -> Vec<ModelStep> {
    let mut steps = Vec::new();
    if !world.is_later && world.decided == world.envelopes.len() {
        let mut next = world.clone();
        next.is_later = true;
        for place in next.envelopes.iter_mut().filter(|place| **place == BrokerPlace::Deferred) {
            *place = BrokerPlace::Ready;
        }
        steps.push(ModelStep { what: "time passes".to_owned(), is_fault: false, world: next });
    }
    // Until the first has done something, the second is just the same.
    let is_begin = world.workers[0] == Worker::new(1) && world.workers[1] == Worker::new(2);
    for index in if is_begin { 0..1 } else { 0..2 } {
        let mut push = |is_fault, what: &str, next| {
            steps.push(ModelStep { what: format!("{index}: {what}"), is_fault, world: next });
        };
        steps_of(world, index, &mut |what, next| push(false, what, next));
        faults_of(world, index, &mut |what, next| push(true, what, next));
    }
    steps
}

/// What can go wrong with a worker next.
fn faults_of(world: &World, index: usize, then: &mut impl FnMut(&str, World)) {
    let worker = &world.workers[index];
    if world.left.crashes > 0 {
        let mut next = world.clone();
        next.left.crashes -= 1;
        next.excused += u8::from(worker.has_delivered_unrecorded());
        next.is_unwritten |= !worker.late.is_empty();
        next.hand_back(index);
        next.workers[index] = worker.restarted();
        then("dies", next);
    }
    if world.left.losses > 0 && worker.copies().any(|copy| copy.is_valid) {
        let mut next = world.clone();
        next.left.losses -= 1;
        // It is sent, and somebody else may be about to send it.
        next.excused += u8::from(worker.is_sending());
        next.hand_back(index);
        next.workers[index].invalidate();
        then("loses its connection to the broker", next);
    }
    if world.left.failures > 0
        && let Some(failed) = worker.with_failed_card()
    {
        let mut next = world.clone();
        next.left.failures -= 1;
        next.workers[index] = failed;
        then("its card fails", next);
    }
    if world.left.outages > 0 && !worker.is_away {
        let mut next = world.clone();
        next.left.outages -= 1;
        next.had_outage = true;
        for unheard in steps::written_unheard(&next, index) {
            then("loses the database after a write", unheard.away(index));
        }
        then("loses the database", next.away(index));
    }
}

/// What a worker can do next.
fn steps_of(world: &World, index: usize, then: &mut impl FnMut(&str, World)) {
    let worker = &world.workers[index];
    let mut change = |what: &str, change: &dyn Fn(&mut World)| {
        let mut next = world.clone();
        change(&mut next);
        then(what, next);
    };
    if worker.is_away {
        change("has the database again", &|next| next.workers[index].is_away = false);
    }
    // Nobody decides before what was delivered is written down.
    if !worker.late.is_empty() && !worker.is_away {
        return change("writes what it delivered", &|next| steps::write_late(next, index));
    }
    match &worker.taking {
        Some(_) => change("decides", &|next| steps::finish_taking(next, index)),
        None => {
            for number in (0..3).filter(|number| world.is_ready(*number)) {
                change(&format!("takes {number}"), &|next| steps::take(next, index, number));
            }
        }
    }
    match &worker.outbox {
        ModelOutbox::Idle if worker.waiting.is_empty() => {}
        ModelOutbox::Idle => change("looks at what waits", &|next| steps::begin_card(next, index)),
        ModelOutbox::Confirming { .. } => change("confirms", &|next| steps::finish_confirming(next, index)),
        ModelOutbox::Confirmed(_) => change("sends", &|next| steps::send(next, index)),
        ModelOutbox::Sent(_) => {
            change("reads what it records in", &|next| steps::begin_recording(next, index));
        }
        ModelOutbox::Recording(_) => change("records", &|next| steps::finish_recording(next, index)),
    }
}
