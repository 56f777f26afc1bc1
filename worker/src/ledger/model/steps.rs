//! The steps of a worker, each of them at once: a row is read, or decided about and written, or a card is sent.

use super::worker::{Copy, Open, Outbox, Version, Worker};
use super::world::{Place, World};
use crate::ledger::batch::{Batch, Call, Deed};
use crate::ledger::decision::{Decision, proven};
use crate::ledger::row::{Event, Millis, Row};

/// The time of everything we do: later than whatever is received, and leases do not end meanwhile.
const NOW: Millis = 1_700_001_000_000;

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
fn settle(world: &mut World, index: usize, open: &Open, deed: Deed) -> Option<Vec<Decision>> {
    let worker = &world.workers[index];
    let events: Vec<Event<'_>> = open.copies.iter().map(|copy| world.event(copy.number)).collect();
    let (policy, is_alone) = (worker.policy(), worker.is_away);
    let is_recorded = |copy: &&Copy| deed == Deed::Confirm && worker.recorded[copy.number];
    let recorded = open.copies.iter().filter(is_recorded).map(|copy| world.event(copy.number).envelope);
    let call = Call { deed, now: NOW, policy: &policy, recorded: recorded.collect(), is_alone };
    let batch = Batch::of(&events, 0..events.len());
    let row = if is_alone { worker.cache.map(|(row, _)| row) } else { open.row };
    let (decisions, next) = batch.judge(&batch.groups[0], row.as_ref(), &call);
    if is_alone {
        let worker = &mut world.workers[index];
        worker.cache = next.map(|row| (row, Version::Own)).or(worker.cache);
        if deed == Deed::Tell {
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
    world.envelopes[number] = Place::Out;
    let copy = Copy { number, is_valid: true };
    let (event, worker) = (world.event(number), &world.workers[index]);
    if let Some(decision) = worker.cache.and_then(|(row, _)| proven(&row, &event, NOW, &worker.policy())) {
        return taken(world, index, &[copy], &[decision]);
    }
    let open = load(world, index, vec![copy]);
    let is_decided = is_decided(world, index, &open, Deed::Observe);
    world.workers[index].taking = Some(open);
    if is_decided {
        finish_taking(world, index);
    }
}

pub(super) fn finish_taking(world: &mut World, index: usize) {
    let open = world.workers[index].taking.take().unwrap();
    match settle(world, index, &open, Deed::Observe) {
        Some(decisions) => {
            let is_away = world.workers[index].is_away;
            for (copy, decision) in open.copies.iter().zip(&decisions) {
                if matches!(decision, Decision::Tell(_)) {
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
            Decision::Tell(_) => world.workers[index].waiting.push(*copy),
            Decision::Known | Decision::Stale => world.settle(*copy),
        }
    }
}

/// Everything that waits; what the memory proves needs no row, unless something before it does.
pub(super) fn begin_card(world: &mut World, index: usize) {
    let waiting = std::mem::take(&mut world.workers[index].waiting);
    let (worker, mut standing, mut open) = (&world.workers[index], Vec::new(), Vec::new());
    for copy in waiting {
        let event = world.event(copy.number);
        match worker.cache.and_then(|(row, _)| proven(&row, &event, NOW, &worker.policy())) {
            Some(decision) if open.is_empty() => standing.push((copy, is_to_tell(decision))),
            Some(_) | None => open.push(copy),
        }
    }
    let open = load(world, index, open);
    let is_decided = open.copies.is_empty() || is_decided(world, index, &open, Deed::Confirm);
    world.workers[index].outbox = Outbox::Confirming { standing, open };
    if is_decided {
        finish_confirming(world, index);
    }
}

pub(super) fn finish_confirming(world: &mut World, index: usize) {
    let outbox = std::mem::replace(&mut world.workers[index].outbox, Outbox::Idle);
    let Outbox::Confirming { mut standing, open } = outbox else { return };
    if !open.copies.is_empty() {
        let Some(decisions) = settle(world, index, &open, Deed::Confirm) else {
            let open = load(world, index, open.copies);
            world.workers[index].outbox = Outbox::Confirming { standing, open };
            return;
        };
        standing.extend(open.copies.into_iter().zip(decisions.into_iter().map(is_to_tell)));
    }
    let mut card: Vec<Copy> = Vec::new();
    // As a fold does: of an envelope that is there twice the later copy.
    for (copy, is_mine) in standing.into_iter().rev() {
        let is_there = card.iter().any(|other| other.number == copy.number);
        if is_mine && !is_there {
            card.insert(0, copy);
        } else {
            world.settle(copy);
        }
    }
    if !card.is_empty() {
        world.workers[index].outbox = Outbox::Confirmed(card);
    }
}

pub(super) fn send(world: &mut World, index: usize) {
    let Outbox::Confirmed(card) = world.workers[index].outbox.clone() else { return };
    // Of several envelopes with one alert the last is shown.
    let shown = world.status(card[card.len() - 1].number);
    let newest = card.iter().map(|copy| copy.number).max().unwrap();
    assert_eq!(shown, world.status(newest), "an older state is shown");
    world.tell(shown, card.iter().any(|copy| !copy.is_valid));
    let remembered = world.workers[index].cache.filter(|(_, version)| *version != Version::Own);
    world.workers[index].outbox = match remembered {
        // By the row as it is remembered; whoever has none reads it.
        Some((row, version)) => Outbox::Recording(Open { copies: card, row: Some(row), version }),
        None => Outbox::Sent(card),
    };
}

pub(super) fn begin_recording(world: &mut World, index: usize) {
    let Outbox::Sent(copies) = world.workers[index].outbox.clone() else { return };
    let open = load(world, index, copies);
    world.workers[index].outbox = Outbox::Recording(open);
}

pub(super) fn finish_recording(world: &mut World, index: usize) {
    let outbox = std::mem::replace(&mut world.workers[index].outbox, Outbox::Idle);
    let Outbox::Recording(open) = outbox else { return };
    if settle(world, index, &open, Deed::Tell).is_none() {
        let open = load(world, index, open.copies);
        world.workers[index].outbox = Outbox::Recording(open);
        return;
    }
    for copy in open.copies {
        world.settle(copy);
    }
}

pub(super) fn write_late(world: &mut World, index: usize) {
    let told = world.workers[index].late.remove(0);
    let copies = told.into_iter().map(|number| Copy { number, is_valid: false }).collect();
    let open = load(world, index, copies);
    settle(world, index, &open, Deed::Tell);
}

/// What is about to be written is written, and the worker does not hear of it.
pub(super) fn written_unheard(world: &World, index: usize) -> Vec<World> {
    let Worker { taking, outbox, .. } = &world.workers[index];
    let on_card = match outbox {
        Outbox::Confirming { open, .. } => Some((open, Deed::Confirm)),
        Outbox::Recording(open) => Some((open, Deed::Tell)),
        Outbox::Idle | Outbox::Confirmed(_) | Outbox::Sent(_) => None,
    };
    let opens = taking.iter().map(|open| (open, Deed::Observe)).chain(on_card);
    let rows = opens.filter_map(|(open, deed)| outcome(world, index, open, deed));
    rows.map(|row| {
        let mut next = world.clone();
        next.write(row);
        next
    })
    .collect()
}

/// The row that would be written now.
fn outcome(world: &World, index: usize, open: &Open, deed: Deed) -> Option<Row> {
    let mut next = world.clone();
    settle(&mut next, index, open, deed)?;
    next.row.filter(|row| world.row != Some(*row))
}

/// What needs no write is decided by what was read, and so at that moment.
fn is_decided(world: &World, index: usize, open: &Open, deed: Deed) -> bool {
    !world.workers[index].is_away && outcome(world, index, open, deed).is_none()
}

const fn is_to_tell(decision: Decision) -> bool {
    matches!(decision, Decision::Tell(_))
}
