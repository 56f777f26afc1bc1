//! One worker: what it has in hand, and what it remembers. It takes envelopes and sends cards side by side; of cards one
//! at a time, with everything on it that waits.

use config::DedupConfig;

use crate::ledger::decision::{Decision, Policy};
use crate::ledger::row::{Holder, LedgerRow};

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
    pub(super) row: Option<LedgerRow>,
    pub(super) version: Version,
}

/// How far the card is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum ModelOutbox {
    Idle,
    Confirming { standing: Vec<(Copy, Decision)>, open: Open },
    Confirmed(Vec<Copy>),
    Sent(Vec<Copy>),
    Recording(Open),
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Worker {
    holder: i64,
    pub(super) is_away: bool,
    pub(super) cache: Option<(LedgerRow, Version)>,
    /// By envelope: whether our taking it in hand is in the row.
    pub(super) recorded: [bool; 3],
    /// What was delivered without the database, card by card.
    pub(super) late: Vec<Vec<usize>>,
    pub(super) taking: Option<Open>,
    pub(super) waiting: Vec<Copy>,
    pub(super) outbox: ModelOutbox,
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
            outbox: ModelOutbox::Idle,
        }
    }

    /// The next start of it, which knows nothing.
    pub(super) fn restarted(&self) -> Self {
        Self { is_away: self.is_away, ..Self::new(self.holder + 10) }
    }

    pub(super) fn copies(&self) -> impl Iterator<Item = Copy> {
        let on_card = match &self.outbox {
            ModelOutbox::Idle => Vec::new(),
            ModelOutbox::Confirming { standing, open } => {
                standing.iter().map(|(copy, _)| *copy).chain(open.copies.iter().copied()).collect()
            }
            ModelOutbox::Confirmed(copies) | ModelOutbox::Sent(copies) => copies.clone(),
            ModelOutbox::Recording(open) => open.copies.clone(),
        };
        let taking = self.taking.iter().flat_map(|open| open.copies.clone());
        on_card.into_iter().chain(taking.collect::<Vec<_>>()).chain(self.waiting.clone())
    }

    pub(super) fn invalidate(&mut self) {
        let invalidate = |copies: &mut Vec<Copy>| copies.iter_mut().for_each(|copy| copy.is_valid = false);
        invalidate(&mut self.waiting);
        self.taking.iter_mut().for_each(|open| invalidate(&mut open.copies));
        match &mut self.outbox {
            ModelOutbox::Idle => {}
            ModelOutbox::Confirming { standing, open } => {
                for (copy, _) in standing {
                    copy.is_valid = false;
                }
                invalidate(&mut open.copies);
            }
            ModelOutbox::Confirmed(copies) | ModelOutbox::Sent(copies) => invalidate(copies),
            ModelOutbox::Recording(open) => invalidate(&mut open.copies),
        }
    }

    pub(super) fn row_was_written(&mut self) {
        let opens = self.taking.iter_mut().chain(match &mut self.outbox {
            ModelOutbox::Confirming { open, .. } | ModelOutbox::Recording(open) => Some(open),
            ModelOutbox::Idle | ModelOutbox::Confirmed(_) | ModelOutbox::Sent(_) => None,
        });
        let versions = opens.map(|open| &mut open.version);
        for version in versions.chain(self.cache.as_mut().map(|(_, version)| version)) {
            if *version == Version::Current {
                *version = Version::Old;
            }
        }
    }

    pub(super) const fn has_delivered_unrecorded(&self) -> bool {
        matches!(self.outbox, ModelOutbox::Sent(_) | ModelOutbox::Recording(_))
    }

    pub(super) const fn is_sending(&self) -> bool {
        matches!(self.outbox, ModelOutbox::Confirmed(_) | ModelOutbox::Sent(_) | ModelOutbox::Recording(_))
    }

    pub(super) fn is_at_rest(&self) -> bool {
        !self.is_away && self.late.is_empty() && self.copies().next().is_none()
    }

    /// The card did not arrive, and what was on it waits as before.
    pub(super) fn with_failed_card(&self) -> Option<Self> {
        let ModelOutbox::Confirmed(copies) = &self.outbox else { return None };
        let waiting = [copies.as_slice(), &self.waiting].concat();
        Some(Self { waiting, outbox: ModelOutbox::Idle, ..self.clone() })
    }

    pub(super) fn policy(&self) -> Policy {
        Policy::new(&DedupConfig::default(), Holder(self.holder))
    }
}
