//! What goes onto one card.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use model::envelope::EnvelopeId;

use super::attempts::AttemptState;
use super::in_flight::End;
use super::in_flight::InFlightEnvelope;
use super::in_flight::events_of;
use crate::card_store::CardId;
use crate::feishu::MessageId;
use crate::feishu::verdict::Trouble;
use crate::ledger::{Event, Standing};
use crate::metrics::Outcome;
use crate::render::{Item, StormSoFar};

/// Alerts on a card that tries whether a receiver is back, about. Each attempt makes its card anew, by what stands then; what
/// waits besides goes onto the next, as soon as this one is taken.
const TRIED_WITH_MAX: usize = 1_000;

/// How many of these envelopes, from the first on, go onto a card that tries whether a receiver is back: one at least.
pub(super) fn tried_with(envelopes: &[InFlightEnvelope]) -> usize {
    let mut alerts = 0;
    let is_room = |in_flight: &&InFlightEnvelope| {
        let has_room = alerts < TRIED_WITH_MAX;
        alerts += in_flight.envelope.alerts.len();
        has_room
    };
    envelopes.iter().take_while(is_room).count()
}

/// Envelopes that travel together, in the order they came.
#[derive(Debug, Default)]
pub(super) struct Batch {
    envelopes: Vec<InFlightEnvelope>,
    /// Whether it is a part of a larger one that was refused.
    pub(super) is_piece: bool,
    /// The card it was on when it was sent before, if nobody knows what became of that.
    pub(super) again: Option<CardId>,
    /// The bot it tests, by its place among those of its receiver: no other is sent it.
    pub(super) for_bot: Option<usize>,
    /// The card it went onto.
    pub(super) sent: Option<SentCard>,
    /// The card that counts its alerts, where it is to list them.
    pub(super) continues: Option<Continues>,
    /// What cards before it told.
    pub(super) storm: Option<StormSoFar>,
}

/// A further card, which goes on with the list of another.
#[derive(Debug)]
pub(super) struct Continues {
    /// The card that counts what this one lists.
    pub(super) card: CardId,
    /// The message it is in.
    pub(super) message: Option<MessageId>,
    /// Who sent that.
    pub(super) bot: String,
    /// Of this one, where the first that told them is number one.
    pub(super) number: usize,
}

/// A card that Feishu has taken.
#[derive(Debug)]
pub(super) struct SentCard {
    pub(super) card: CardId,
    /// The message it is in, where Feishu says so.
    pub(super) message: Option<MessageId>,
    /// Who sent it.
    pub(super) bot: String,
    /// The fingerprints of the alerts that it counts and could not list, in order.
    pub(super) summarised: Vec<String>,
}

impl SentCard {
    /// One that only counts these alerts.
    pub(super) fn counting(
        Continues { card, message, bot, .. }: Continues,
        mut summarised: Vec<String>,
    ) -> Self {
        summarised.sort_unstable();
        Self { card, message, bot, summarised }
    }

    /// Whether it only counts this alert.
    pub(super) fn only_counts(&self, fingerprint: &str) -> bool {
        self.summarised.binary_search_by(|known| known.as_str().cmp(fingerprint)).is_ok()
    }
}

impl Batch {
    pub(super) fn of(envelopes: Vec<InFlightEnvelope>) -> Self {
        Self { envelopes, ..Self::default() }
    }

    /// What was under way on a card.
    pub(super) fn again(card: CardId, envelopes: Vec<InFlightEnvelope>) -> Self {
        Self { envelopes, is_piece: true, again: Some(card), ..Self::default() }
    }

    /// What tests one bot.
    pub(super) fn for_bot(bot: usize, envelopes: Vec<InFlightEnvelope>) -> Self {
        Self { envelopes, is_piece: true, for_bot: Some(bot), ..Self::default() }
    }

    /// Whether something went wrong with it since it was taken off the queue, or before.
    pub(super) fn has_failed(&self) -> bool {
        self.envelopes.iter().any(|in_flight| in_flight.tries.have_failed())
    }

    /// Whether it may be in the chat already.
    pub(super) const fn is_under_way(&self) -> bool {
        self.again.is_some()
    }

    pub(super) fn into_envelopes(self) -> Vec<InFlightEnvelope> {
        self.envelopes
    }

    pub(super) fn envelopes_mut(&mut self) -> &mut [InFlightEnvelope] {
        &mut self.envelopes
    }

    pub(super) fn envelopes(&self) -> &[InFlightEnvelope] {
        &self.envelopes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.envelopes.is_empty()
    }

    /// Whether there is something on it that an operator wants delivered whatever is known.
    pub(super) fn is_forced(&self) -> bool {
        self.envelopes.iter().any(InFlightEnvelope::is_forced)
    }

    /// How many alerts are on it.
    pub(super) fn alerts(&self) -> usize {
        self.shown().iter().flatten().filter(|is_shown| **is_shown).count()
    }

    /// Which alerts of each envelope are on the card: of what is there in several envelopes, what was received last, and of
    /// two copies the later one. Without the database nobody has said which of them is newer, and what was deferred comes
    /// back behind what came meanwhile. The others are delivered by it, and stay in hand until it is. A replay that is delivered
    /// whatever is known takes nobody's place.
    pub(super) fn shown(&self) -> Vec<Vec<bool>> {
        let mut newest: HashMap<(&str, bool), (Timestamp, usize, usize)> = HashMap::new();
        for (place, in_flight) in self.envelopes.iter().enumerate() {
            for (index, alert) in in_flight.envelope.alerts.iter().enumerate() {
                let this = (in_flight.envelope.received_at, place, index);
                let known = newest.entry((alert.fingerprint.as_str(), in_flight.is_forced())).or_insert(this);
                *known = this.max(*known);
            }
        }
        let mut shown: Vec<Vec<bool>> =
            self.envelopes.iter().map(|in_flight| vec![false; in_flight.envelope.alerts.len()]).collect();
        for (_, place, index) in newest.into_values() {
            shown[place][index] = true;
        }
        shown
    }

    /// Its alerts as the ledger sees them.
    pub(super) fn claims<'f>(&'f self, receiver: &'f str) -> Vec<Event<'f>> {
        let claims = |in_flight: &'f InFlightEnvelope| {
            events_of(&in_flight.envelope, receiver, in_flight.if_delivered())
        };
        self.envelopes.iter().flat_map(claims).collect()
    }

    /// Those of its alerts that the card it went onto only counts.
    pub(super) fn summarised_items(&self) -> Vec<Item<'_>> {
        let Some(sent) = self.sent.as_ref().filter(|sent| !sent.summarised.is_empty()) else {
            return Vec::new();
        };
        let mut items = self.items();
        items.retain(|item| sent.only_counts(item.alert.fingerprint.as_str()));
        items
    }

    /// Its alerts as the card sees them.
    pub(super) fn items(&self) -> Vec<Item<'_>> {
        let mut all = Vec::new();
        for (in_flight, shown) in self.envelopes.iter().zip(self.shown()) {
            let InFlightEnvelope { envelope, reminders, .. } = in_flight;
            let each = envelope.alerts.iter().zip(reminders).zip(shown).filter(|(_, is_shown)| *is_shown);
            all.extend(
                each.map(|((alert, reminder), _)| Item { reminder: *reminder, ..Item::of(envelope, alert) }),
            );
        }
        all
    }

    /// Drops what does not stand any more, with one standing per alert in the order of `claims`; and of an envelope that
    /// is there twice, as after a lost connection, all copies but one: a living one if there is one, for what a dead
    /// one carries is gone with this process. Envelopes with nothing left are settled; what has ended is named to `note`.
    ///
    /// Returns what another worker has taken in hand after us. It is not ours to deliver, and not ours to settle either.
    pub(super) fn keep_standing(
        &mut self,
        standings: &[Standing],
        mut note: impl FnMut(&Item<'_>, Outcome),
    ) -> Vec<InFlightEnvelope> {
        let mut each = standings.iter().copied().chain(std::iter::repeat(Standing::Mine));
        let of_envelopes = self.envelopes.iter().map(|in_flight| in_flight.envelope.alerts.len());
        let standings: Vec<Vec<Standing>> =
            of_envelopes.map(|alerts| each.by_ref().take(alerts).collect()).collect();
        let mut seen: HashSet<(EnvelopeId, String)> = HashSet::new();
        let mut elsewhere = vec![false; self.envelopes.len()];
        for is_alive in [true, false] {
            let all = self.envelopes.iter_mut().zip(&standings).zip(&mut elsewhere).rev();
            for ((in_flight, standings), elsewhere) in all {
                if in_flight.is_alive() != is_alive {
                    continue;
                }
                let id = in_flight.envelope.id;
                let gave_way = in_flight.tries.gave_way();
                let alerts = in_flight.envelope.alerts.iter().zip(standings).rev();
                let envelope = &in_flight.envelope;
                let mut ended = |alert, outcome| {
                    note(&Item::of(envelope, alert), outcome);
                    Some(End::Outcome(outcome))
                };
                let ends: Vec<Option<End>> = alerts
                    .map(|(alert, standing)| match standing {
                        Standing::Duplicate => ended(alert, Outcome::Duplicate),
                        Standing::Superseded => ended(alert, Outcome::Superseded),
                        Standing::Copy => Some(End::Copy),
                        Standing::Mine | Standing::Later | Standing::Elsewhere => {
                            // Whoever has given way once does not again: of many copies each would, for ever.
                            *elsewhere |= match standing {
                                Standing::Elsewhere => !gave_way,
                                Standing::Later => true,
                                Standing::Mine
                                | Standing::Duplicate
                                | Standing::Superseded
                                | Standing::Copy => false,
                            };
                            let is_first = seen.insert((id, alert.fingerprint.to_string()));
                            (!is_first).then_some(End::Copy)
                        }
                    })
                    .collect();
                in_flight.drop_ended(ends.into_iter().rev());
            }
        }
        // Of one envelope all alerts wait if one has to: it is in two hands as a whole.
        let mut kept = Vec::new();
        let mut away = Vec::new();
        for (in_flight, is_elsewhere) in std::mem::take(&mut self.envelopes).into_iter().zip(elsewhere) {
            match (in_flight.envelope.alerts.is_empty(), is_elsewhere) {
                (true, _) => in_flight.settle(),
                (false, true) => away.push(in_flight),
                (false, false) => kept.push(in_flight),
            }
        }
        self.envelopes = kept;
        away
    }

    /// Two batches of half the alerts each, the first to be sent first; `None` if there is one alert only.
    pub(super) fn halves(mut self) -> Result<(Self, Self), Box<InFlightEnvelope>> {
        let rest = match self.envelopes.len() {
            0 | 1 => {
                let Some(mut only) = self.envelopes.pop() else {
                    return Ok((Self::default(), Self::default()));
                };
                let alerts = only.envelope.alerts.len();
                if alerts <= 1 {
                    return Err(Box::new(only));
                }
                let rest = only.split_off(alerts / 2);
                self.envelopes.push(only);
                vec![rest]
            }
            envelopes => self.envelopes.split_off(envelopes / 2),
        };
        let piece = |envelopes| Self { envelopes, is_piece: true, ..Self::default() };
        Ok((piece(self.envelopes), piece(rest)))
    }

    /// An attempt was made.
    pub(super) fn attempted(&mut self) {
        self.update(AttemptState::attempted);
    }

    /// Something went wrong with all of it.
    pub(super) fn failed(&mut self, trouble: &Trouble, now: Timestamp) {
        self.update(|tries| tries.failed(trouble.clone(), now));
    }

    fn update(&mut self, change: impl Fn(&mut AttemptState)) {
        for in_flight in &mut self.envelopes {
            change(&mut in_flight.tries);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;
    use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
    use model::envelope::{Envelope, Notice, Source};
    use prometheus::Registry;
    use queue::{Delivery, Headers};
    use tokio::sync::mpsc;
    use tokio::time::Instant;

    use super::super::in_flight::AckGuard;
    use super::super::settlement::SettlementRecorder;
    use super::*;
    use crate::metrics::Metrics;

    /// One alert in an envelope that was received at this second.
    fn received_at(second: i64) -> InFlightEnvelope {
        let metrics = Metrics::register(&Registry::new()).unwrap();
        let recorder = Arc::new(SettlementRecorder::new(metrics, mpsc::unbounded_channel().0));
        let delivery = Delivery::new(Bytes::new(), Headers::default(), 1, mpsc::unbounded_channel().0);
        let received_at = Timestamp::from_second(second).unwrap();
        let alert = Alert {
            fingerprint: Fingerprint::of_pairs([("alertname", "Disk")]).into_owned(),
            former: None,
            status: Status::Firing,
            starts_at: None,
            ends_at: None,
            labels: Labels::default(),
            annotations: Labels::default(),
            generator_url: "".into(),
            links: Links::default(),
            mention: Mention::default(),
        };
        let headers = Headers::default();
        InFlightEnvelope {
            envelope: Envelope {
                id: EnvelopeId::new(received_at, [1; 10]),
                received_at,
                source: Source::Alertmanager,
                receiver: "ops".into(),
                group_key: "".into(),
                group_labels: Labels::default(),
                external_url: "".into(),
                truncated: 0,
                notice: Notice::default(),
                is_repeat: false,
                is_unheard: false,
                instead_of: "".into(),
                alerts: vec![alert],
            },
            reminders: vec![false],
            tries: AttemptState::of(&headers),
            headers,
            taken_at: Instant::now(),
            is_sorted: false,
            share: AckGuard::of(delivery, 1, &recorder).remove(0),
            place: None,
            overtakes: false,
        }
    }

    #[test]
    fn of_an_alert_in_several_envelopes_what_was_received_last_is_shown_wherever_it_stands() {
        for order in [[10, 20, 30], [30, 10, 20], [20, 30, 10]] {
            let batch = Batch::of(order.map(received_at).into());
            let shown: Vec<bool> = batch.shown().into_iter().flatten().collect();
            assert_eq!(shown, order.map(|second| second == 30), "{order:?}");
            assert_eq!(batch.alerts(), 1);
        }
    }
}
