//! The steps of a worker, each of them at once: a row is read, or decided about and written, or a card is sent.

use super::worker::{Copy, ModelOutbox, Open, Version, Worker};
use super::world::{BrokerPlace, World};
use crate::ledger::batch::{LedgerBatch, LedgerCall, LedgerOperation};
use crate::ledger::decision::{Decision, proven};
use crate::ledger::row::{Event, LedgerRow};

/// The row as the database has it, read now and remembered; without the database it is to be read again.
fn load(world: &mut World, index: usize, copies: Vec<Copy>) -> Open {
    if world.workers[index].is_away {
        return Open { copies, row: None, version: Version::Old };
    }
    let row = world.row;
    if let Some(row) = row {
        world.workers[index].cache = Some((row, Version::Current));
    }
    Open { copies, row, version: Version::Current }
}

/// Decides and writes; `None` if somebody else was faster.
fn settle(world: &mut World, index: usize, open: &Open, operation: LedgerOperation) -> Option<Vec<Decision>> {
    let worker = &world.workers[index];
    let events: Vec<Event<'_>> = open.copies.iter().map(|copy| world.event(copy.number)).collect();
    let policy = worker.policy();
    let is_alone = worker.is_away;
    let is_recorded = |copy: &&Copy| operation == LedgerOperation::Confirm && worker.recorded[copy.number];
    let recorded = open.copies.iter().filter(is_recorded).map(|copy| world.event(copy.number).envelope);
    let call =
        LedgerCall { operation, now: world.now(), policy: &policy, recorded: recorded.collect(), is_alone };
    let batch = LedgerBatch::of(&events, 0..events.len());
    let row = if is_alone { worker.cache.map(|(row, _)| row) } else { open.row };
    let (decisions, next) = batch.judge(&batch.groups[0], row.as_ref(), &call);
    if is_alone {
        let worker = &mut world.workers[index];
        worker.cache = next.map(|row| (row, Version::Own)).or(worker.cache);
        if operation == LedgerOperation::RecordDelivered {
            worker.late.push(open.copies.iter().map(|copy| copy.number).collect());
        }
        return Some(decisions);
    }
    if let Some(next) = next {
        if open.version != Version::Current {
            return None;
        }
        world.write(next);
        world.workers[index].cache = Some((next, Version::Current));
    }
    Some(decisions)
}

pub(super) fn take(world: &mut World, index: usize, number: usize) {
    world.envelopes[number] = BrokerPlace::Out;
    let copy = Copy { number, is_valid: true };
    let event = world.event(number);
    let worker = &world.workers[index];
    if let Some(decision) =
        worker.cache.and_then(|(row, _)| proven(&row, &event, world.now(), &worker.policy()))
    {
        return taken(world, index, &[copy], &[decision]);
    }
    let open = load(world, index, vec![copy]);
    let is_decided = is_decided(world, index, &open, LedgerOperation::Observe);
    world.workers[index].taking = Some(open);
    if is_decided {
        finish_taking(world, index);
    }
}

pub(super) fn finish_taking(world: &mut World, index: usize) {
    let open = world.workers[index].taking.take().unwrap();
    match settle(world, index, &open, LedgerOperation::Observe) {
        Some(decisions) => {
            let is_away = world.workers[index].is_away;
            for (copy, decision) in open.copies.iter().zip(&decisions) {
                if matches!(decision, Decision::Deliver(_)) {
                    world.workers[index].recorded[copy.number] = !is_away;
                }
            }
            taken(world, index, &open.copies, &decisions);
        }
        None => world.workers[index].taking = Some(load(world, index, open.copies)),
    }
}

fn taken(world: &mut World, index: usize, copies: &[Copy], decisions: &[Decision]) {
    for (copy, decision) in copies.iter().zip(decisions) {
        match decision {
            Decision::Deliver(_) => world.workers[index].waiting.push(*copy),
            Decision::Duplicate | Decision::Superseded | Decision::Copy => world.settle(*copy),
            Decision::Elsewhere => panic!("asked about when a card is made only"),
            Decision::Defer { .. } => world.defer(*copy),
        }
        world.decided = world.decided.max(copy.number + 1);
    }
}

/// Everything that waits; what the memory proves needs no row, unless something before it does.
pub(super) fn begin_card(world: &mut World, index: usize) {
    let waiting = std::mem::take(&mut world.workers[index].waiting);
    let worker = &world.workers[index];
    let mut standing = Vec::new();
    let mut open = Vec::new();
    for copy in waiting {
        let event = world.event(copy.number);
        match worker.cache.and_then(|(row, _)| proven(&row, &event, world.now(), &worker.policy())) {
            Some(decision) if open.is_empty() => standing.push((copy, decision)),
            Some(_) | None => open.push(copy),
        }
    }
    let open = load(world, index, open);
    let is_decided = open.copies.is_empty() || is_decided(world, index, &open, LedgerOperation::Confirm);
    world.workers[index].outbox = ModelOutbox::Confirming { standing, open };
    if is_decided {
        finish_confirming(world, index);
    }
}

pub(super) fn finish_confirming(world: &mut World, index: usize) {
    let outbox = std::mem::replace(&mut world.workers[index].outbox, ModelOutbox::Idle);
    let ModelOutbox::Confirming { mut standing, open } = outbox else { return };
    if !open.copies.is_empty() {
        let Some(decisions) = settle(world, index, &open, LedgerOperation::Confirm) else {
            let open = load(world, index, open.copies);
            world.workers[index].outbox = ModelOutbox::Confirming { standing, open };
            return;
        };
        standing.extend(open.copies.into_iter().zip(decisions));
    }
    // As a batch does: of an envelope that is there twice a living copy, and the later one.
    let places = 0..standing.len();
    let (living, dead): (Vec<_>, Vec<_>) = places.rev().partition(|place| standing[*place].0.is_valid);
    let mut kept = Vec::new();
    for place in living.into_iter().chain(dead) {
        let (copy, decision) = standing[place];
        let is_there = kept.iter().any(|other: &usize| standing[*other].0.number == copy.number);
        match decision {
            Decision::Deliver(_) if !is_there => kept.push(place),
            Decision::Elsewhere => world.put_back(copy),
            Decision::Defer { .. } => world.defer(copy),
            Decision::Deliver(_) | Decision::Duplicate | Decision::Superseded | Decision::Copy => {
                world.settle(copy);
            }
        }
    }
    kept.sort_unstable();
    let card: Vec<Copy> = kept.into_iter().map(|place| standing[place].0).collect();
    if !card.is_empty() {
        world.workers[index].outbox = ModelOutbox::Confirmed(card);
    }
}

pub(super) fn send(world: &mut World, index: usize) {
    let ModelOutbox::Confirmed(card) = world.workers[index].outbox.clone() else { return };
    // Of several envelopes with one alert the last is shown.
    let shown = world.status(card[card.len() - 1].number);
    let newest = card.iter().map(|copy| copy.number).max().unwrap();
    assert_eq!(shown, world.status(newest), "an older state is shown");
    world.deliver(shown, card.iter().any(|copy| !copy.is_valid));
    let remembered = world.workers[index].cache.filter(|(_, version)| *version != Version::Own);
    world.workers[index].outbox = match remembered {
        // By the row as it is remembered; whoever has none reads it.
        Some((row, version)) => ModelOutbox::Recording(Open { copies: card, row: Some(row), version }),
        None => ModelOutbox::Sent(card),
    };
}

pub(super) fn begin_recording(world: &mut World, index: usize) {
    let ModelOutbox::Sent(copies) = world.workers[index].outbox.clone() else { return };
    let open = load(world, index, copies);
    world.workers[index].outbox = ModelOutbox::Recording(open);
}

pub(super) fn finish_recording(world: &mut World, index: usize) {
    let outbox = std::mem::replace(&mut world.workers[index].outbox, ModelOutbox::Idle);
    let ModelOutbox::Recording(open) = outbox else { return };
    if settle(world, index, &open, LedgerOperation::RecordDelivered).is_none() {
        let open = load(world, index, open.copies);
        world.workers[index].outbox = ModelOutbox::Recording(open);
        return;
    }
    for copy in open.copies {
        world.settle(copy);
    }
}

pub(super) fn write_late(world: &mut World, index: usize) {
    let delivered = world.workers[index].late.remove(0);
    let copies = delivered.into_iter().map(|number| Copy { number, is_valid: false }).collect();
    let open = load(world, index, copies);
    settle(world, index, &open, LedgerOperation::RecordDelivered);
}

/// What is about to be written is written, and the worker does not hear of it.
pub(super) fn written_unheard(world: &World, index: usize) -> Vec<World> {
    let Worker { taking, outbox, .. } = &world.workers[index];
    let on_card = match outbox {
        ModelOutbox::Confirming { open, .. } => Some((open, LedgerOperation::Confirm)),
        ModelOutbox::Recording(open) => Some((open, LedgerOperation::RecordDelivered)),
        ModelOutbox::Idle | ModelOutbox::Confirmed(_) | ModelOutbox::Sent(_) => None,
    };
    let opens = taking.iter().map(|open| (open, LedgerOperation::Observe)).chain(on_card);
    let rows = opens.filter_map(|(open, operation)| outcome(world, index, open, operation));
    rows.map(|row| {
        let mut next = world.clone();
        next.write(row);
        next
    })
    .collect()
}

/// The row that would be written now.
fn outcome(world: &World, index: usize, open: &Open, operation: LedgerOperation) -> Option<LedgerRow> {
    let mut next = world.clone();
    settle(&mut next, index, open, operation)?;
    next.row.filter(|row| world.row != Some(*row))
}

/// What needs no write is decided by what was read, and so at that moment.
fn is_decided(world: &World, index: usize, open: &Open, operation: LedgerOperation) -> bool {
    !world.workers[index].is_away && outcome(world, index, open, operation).is_none()
}
