//! One worker: what it has in hand, and what it remembers. It takes envelopes and sends cards side by side; of cards one
//! at a time, with everything on it that waits.

use shared::config::DedupConfig;

use super::steps;
use super::world::{Place, World};
use crate::ledger::decision::Policy;
use crate::ledger::row::{Holder, Row};

/// An envelope in somebody's hand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Copy {
    pub(super) number: usize,
    /// Whether the connection it came by is still there.
    pub(super) is_valid: bool,
}

/// What is known of a row's version.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Version {
    /// It is the database's.
    Current,
    /// Somebody has written it since.
    Old,
    /// Only this process knows the row.
    Own,
}

/// Events that are decided about together, by a row that was read.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Open {
    pub(super) copies: Vec<Copy>,
    pub(super) row: Option<Row>,
    pub(super) version: Version,
}

/// How far the card is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Outbox {
    Idle,
    Confirming { standing: Vec<(Copy, bool)>, open: Open },
    Confirmed(Vec<Copy>),
    Sent(Vec<Copy>),
    Recording(Open),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    holder: i64,
    pub(super) is_away: bool,
    pub(super) cache: Option<(Row, Version)>,
    /// By envelope: whether our taking it in hand is in the row.
    pub(super) recorded: [bool; 3],
    /// What was told without the database, card by card.
    pub(super) late: Vec<Vec<usize>>,
    pub(super) taking: Option<Open>,
    pub(super) waiting: Vec<Copy>,
    pub(super) outbox: Outbox,
}

impl Worker {
    pub(super) const fn new(holder: i64) -> Self {
        Self {
            holder,
            is_away: false,
            cache: None,
            recorded: [false; 3],
            late: Vec::new(),
            taking: None,
            waiting: Vec::new(),
            outbox: Outbox::Idle,
        }
    }

    /// The next start of it, which knows nothing.
    pub(super) fn restarted(&self) -> Self {
        Self { is_away: self.is_away, ..Self::new(self.holder + 10) }
    }

    pub(super) fn copies(&self) -> impl Iterator<Item = Copy> {
        let on_card = match &self.outbox {
            Outbox::Idle => Vec::new(),
            Outbox::Confirming { standing, open } => {
                standing.iter().map(|(copy, _)| *copy).chain(open.copies.iter().copied()).collect()
            }
            Outbox::Confirmed(copies) | Outbox::Sent(copies) => copies.clone(),
            Outbox::Recording(open) => open.copies.clone(),
        };
        let taking = self.taking.iter().flat_map(|open| open.copies.clone());
        on_card.into_iter().chain(taking.collect::<Vec<_>>()).chain(self.waiting.clone())
    }

    pub(super) fn invalidate(&mut self) {
        let invalidate = |copies: &mut Vec<Copy>| copies.iter_mut().for_each(|copy| copy.is_valid = false);
        invalidate(&mut self.waiting);
        self.taking.iter_mut().for_each(|open| invalidate(&mut open.copies));
        match &mut self.outbox {
            Outbox::Idle => {}
            Outbox::Confirming { standing, open } => {
                for (copy, _) in standing {
                    copy.is_valid = false;
                }
                invalidate(&mut open.copies);
            }
            Outbox::Confirmed(copies) | Outbox::Sent(copies) => invalidate(copies),
            Outbox::Recording(open) => invalidate(&mut open.copies),
        }
    }

    pub(super) fn row_was_written(&mut self) {
        let opens = self.taking.iter_mut().chain(match &mut self.outbox {
            Outbox::Confirming { open, .. } | Outbox::Recording(open) => Some(open),
            Outbox::Idle | Outbox::Confirmed(_) | Outbox::Sent(_) => None,
        });
        let versions = opens.map(|open| &mut open.version);
        for version in versions.chain(self.cache.as_mut().map(|(_, version)| version)) {
            if *version == Version::Current {
                *version = Version::Old;
            }
        }
    }

    pub(super) const fn has_told_unrecorded(&self) -> bool {
        matches!(self.outbox, Outbox::Sent(_) | Outbox::Recording(_))
    }

    pub(super) const fn is_sending(&self) -> bool {
        matches!(self.outbox, Outbox::Confirmed(_) | Outbox::Sent(_) | Outbox::Recording(_))
    }

    pub(super) fn is_at_rest(&self) -> bool {
        !self.is_away && self.late.is_empty() && self.copies().next().is_none()
    }

    /// The card did not arrive, and what was on it waits as before.
    pub(super) fn with_failed_card(&self) -> Option<Self> {
        let Outbox::Confirmed(copies) = &self.outbox else { return None };
        let waiting = [copies.as_slice(), &self.waiting].concat();
        Some(Self { waiting, outbox: Outbox::Idle, ..self.clone() })
    }

    /// What it can do next.
    pub(super) fn steps(&self, index: usize, world: &World, then: &mut impl FnMut(&str, World)) {
        let mut change = |what: &str, change: &dyn Fn(&mut World)| {
            let mut next = world.clone();
            change(&mut next);
            then(what, next);
        };
        if self.is_away {
            change("has the database again", &|next| next.workers[index].is_away = false);
        }
        // Nobody decides before what was told is written down.
        if !self.late.is_empty() && !self.is_away {
            return change("writes what it told", &|next| steps::write_late(next, index));
        }
        match &self.taking {
            Some(_) => change("decides", &|next| steps::finish_taking(next, index)),
            None => {
                for number in (0..3).filter(|number| world.envelopes[*number] == Place::Ready) {
                    change(&format!("takes {number}"), &|next| steps::take(next, index, number));
                }
            }
        }
        match &self.outbox {
            Outbox::Idle if self.waiting.is_empty() => {}
            Outbox::Idle => change("looks at what waits", &|next| steps::begin_card(next, index)),
            Outbox::Confirming { .. } => change("confirms", &|next| steps::finish_confirming(next, index)),
            Outbox::Confirmed(_) => change("sends", &|next| steps::send(next, index)),
            Outbox::Sent(_) => {
                change("reads what it records in", &|next| steps::begin_recording(next, index));
            }
            Outbox::Recording(_) => change("records", &|next| steps::finish_recording(next, index)),
        }
    }

    pub(super) fn policy(&self) -> Policy {
        Policy::new(&DedupConfig::default(), Holder(self.holder))
    }
}
