//! Taking alerts on, and giving them back.

use std::collections::BTreeMap;

use super::{Office, Wanting};
use crate::card::Acknowledged;
use crate::cards::Mark;
use crate::interaction::answer::Answer;
use crate::interaction::report::Report;
use crate::interaction::rules::Deed;
use crate::interaction::target::Target;
use crate::store::StoreError;

impl Office {
    /// The person looks after these alerts: they are not told again until they are over.
    pub(super) async fn acknowledge(
        &self,
        wanting: Wanting<'_>,
        targets: &[Target],
    ) -> Result<Report, StoreError> {
        if !self.rules.allow(Deed::Acknowledge, &wanting.interaction.operator) {
            return Ok(wanting.refused(targets, Answer::NotAllowed));
        }
        if targets.is_empty() {
            return Ok(wanting.refused(targets, Answer::NothingFires));
        }
        let pairs: Vec<_> = pairs(targets).collect();
        self.take_on(wanting, &pairs).await?;
        Ok(wanting.done(targets, (targets.len(), Answer::Acknowledged(targets.len()))))
    }

    /// Writes down who looks after these, by receiver and fingerprint, and shows it on their cards.
    pub(super) async fn take_on(
        &self,
        wanting: Wanting<'_>,
        pairs: &[(&str, &str)],
    ) -> Result<(), StoreError> {
        for (receiver, fingerprints) in by_receiver(pairs) {
            self.ledger.acknowledge(receiver, &fingerprints, wanting.by).await?;
        }
        let acknowledged = Acknowledged { by: wanting.by.to_owned(), at: wanting.interaction.received_at };
        self.cards.mark(pairs, &Mark::Acknowledged(acknowledged)).await?;
        Ok(())
    }

    /// Nobody looks after them, after all.
    pub(super) async fn unacknowledge(
        &self,
        wanting: Wanting<'_>,
        targets: &[Target],
    ) -> Result<Report, StoreError> {
        if !self.rules.allow(Deed::Acknowledge, &wanting.interaction.operator) {
            return Ok(wanting.refused(targets, Answer::NotAllowed));
        }
        if targets.is_empty() {
            return Ok(wanting.refused(targets, Answer::NothingFires));
        }
        let pairs: Vec<_> = pairs(targets).collect();
        for (receiver, fingerprints) in by_receiver(&pairs) {
            self.ledger.unacknowledge(receiver, &fingerprints).await?;
        }
        self.cards.mark(&pairs, &Mark::Unacknowledged).await?;
        Ok(wanting.done(targets, (targets.len(), Answer::Unacknowledged(targets.len()))))
    }
}

/// The alerts by receiver and fingerprint.
pub(super) fn pairs(targets: &[Target]) -> impl Iterator<Item = (&str, &str)> {
    targets.iter().map(|target| (target.receiver.as_str(), target.fingerprint.as_str()))
}

pub(super) fn by_receiver<'p>(pairs: &[(&'p str, &'p str)]) -> BTreeMap<&'p str, Vec<&'p str>> {
    let mut sorted: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (receiver, fingerprint) in pairs {
        sorted.entry(receiver).or_default().push(fingerprint);
    }
    sorted
}
