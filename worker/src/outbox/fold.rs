//! What goes onto one card.

use std::collections::HashSet;

use jiff::Timestamp;
use shared::envelope::EnvelopeId;

use super::tries::Tries;
use crate::card::Item;
use crate::cards::CardId;
use crate::feishu::verdict::Trouble;
use crate::ledger::{Event, Standing};
use crate::metrics::Outcome;
use crate::pipeline::{Parcel, events_of};

/// Parcels that travel together, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Fold {
    parcels: Vec<Parcel>,
    /// Whether it is a part of a larger one that was refused.
    pub(super) is_piece: bool,
    /// The card it was on when it was sent before, if nobody knows what became of that.
    pub(super) again: Option<CardId>,
    /// The bot it tests, by its place among those of its receiver: no other is sent it.
    pub(super) for_bot: Option<usize>,
}

impl Fold {
    pub(super) const fn of(parcels: Vec<Parcel>) -> Self {
        Self { parcels, is_piece: false, again: None, for_bot: None }
    }

    /// What was under way on a card.
    pub(super) const fn again(card: CardId, parcels: Vec<Parcel>) -> Self {
        Self { parcels, is_piece: true, again: Some(card), for_bot: None }
    }

    /// What tests one bot.
    pub(super) const fn for_bot(bot: usize, parcels: Vec<Parcel>) -> Self {
        Self { parcels, is_piece: true, again: None, for_bot: Some(bot) }
    }

    /// Whether something went wrong with it since it was taken off the queue, or before.
    pub(super) fn has_failed(&self) -> bool {
        self.parcels.iter().any(|parcel| parcel.tries.have_failed())
    }

    /// Whether it may be in the chat already.
    pub(super) const fn is_under_way(&self) -> bool {
        self.again.is_some()
    }

    pub(super) fn into_parcels(self) -> Vec<Parcel> {
        self.parcels
    }

    pub(super) fn parcels(&self) -> &[Parcel] {
        &self.parcels
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parcels.is_empty()
    }

    /// Whether there is something on it that an operator wants told whatever is known.
    pub(super) fn is_forced(&self) -> bool {
        self.parcels.iter().any(Parcel::is_forced)
    }

    /// How many alerts are on it.
    pub(super) fn alerts(&self) -> usize {
        self.shown().iter().flatten().filter(|is_shown| **is_shown).count()
    }

    /// Which alerts of each parcel are on the card: of what is there in several envelopes, the last copy. The others
    /// are told by it, and stay in hand until it is. A replay that is told whatever is known takes nobody's place.
    pub(super) fn shown(&self) -> Vec<Vec<bool>> {
        let mut seen: HashSet<(&str, bool)> = HashSet::new();
        let mut shown: Vec<Vec<bool>> = Vec::with_capacity(self.parcels.len());
        for parcel in self.parcels.iter().rev() {
            let (alerts, is_forced) = (parcel.envelope.alerts.iter().rev(), parcel.is_forced());
            let mut of_parcel: Vec<_> =
                alerts.map(|alert| seen.insert((alert.fingerprint.as_str(), is_forced))).collect();
            of_parcel.reverse();
            shown.push(of_parcel);
        }
        shown.reverse();
        shown
    }

    /// Its alerts as the ledger sees them.
    pub(super) fn claims<'f>(&'f self, receiver: &'f str) -> Vec<Event<'f>> {
        let claims = |parcel: &'f Parcel| events_of(&parcel.envelope, receiver, parcel.is_forced());
        self.parcels.iter().flat_map(claims).collect()
    }

    /// Its alerts as the card sees them.
    pub(super) fn items(&self) -> Vec<Item<'_>> {
        let mut all = Vec::new();
        for (parcel, shown) in self.parcels.iter().zip(self.shown()) {
            let Parcel { envelope, reminders, .. } = parcel;
            let each = envelope.alerts.iter().zip(reminders).zip(shown).filter(|(_, is_shown)| *is_shown);
            all.extend(each.map(|((alert, reminder), _)| Item {
                envelope,
                alert,
                reminder: *reminder,
                attention: None,
            }));
        }
        all
    }

    /// Drops what does not stand any more, with one standing per alert in the order of `claims`; and of an envelope that
    /// is there twice, as after a lost connection, the earlier copy. Parcels with nothing left are settled.
    pub(super) fn keep_standing(&mut self, standings: &[Standing]) {
        let mut standings = standings.iter().rev();
        let mut seen: HashSet<(EnvelopeId, String)> = HashSet::new();
        for parcel in self.parcels.iter_mut().rev() {
            let id = parcel.envelope.id;
            let kept: Vec<Option<Outcome>> = parcel
                .envelope
                .alerts
                .iter()
                .rev()
                .map(|alert| match standings.next() {
                    Some(Standing::Known) => Some(Outcome::Known),
                    Some(Standing::Stale) => Some(Outcome::Stale),
                    Some(Standing::Mine) | None => {
                        (!seen.insert((id, alert.fingerprint.to_string()))).then_some(Outcome::Known)
                    }
                })
                .collect();
            parcel.drop_ended(kept.into_iter().rev());
        }
        for parcel in self.parcels.extract_if(.., |parcel| parcel.envelope.alerts.is_empty()) {
            parcel.settle();
        }
    }

    /// Two folds of half the alerts each, the first to be sent first; `None` if there is one alert only.
    pub(super) fn halves(mut self) -> Result<(Self, Self), Box<Parcel>> {
        let rest = match self.parcels.len() {
            0 | 1 => {
                let Some(mut only) = self.parcels.pop() else {
                    return Ok((Self::default(), Self::default()));
                };
                let alerts = only.envelope.alerts.len();
                if alerts <= 1 {
                    return Err(Box::new(only));
                }
                let rest = only.split_off(alerts / 2);
                self.parcels.push(only);
                vec![rest]
            }
            parcels => self.parcels.split_off(parcels / 2),
        };
        let piece = |parcels| Self { parcels, is_piece: true, again: None, for_bot: None };
        Ok((piece(self.parcels), piece(rest)))
    }

    /// An attempt was made.
    pub(super) fn attempted(&mut self) {
        self.update(Tries::attempted);
    }

    /// Something went wrong with all of it.
    pub(super) fn failed(&mut self, trouble: &Trouble, now: Timestamp) {
        self.update(|tries| tries.failed(trouble.clone(), now));
    }

    fn update(&mut self, change: impl Fn(&mut Tries)) {
        for parcel in &mut self.parcels {
            change(&mut parcel.tries);
        }
    }
}
