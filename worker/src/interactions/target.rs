//! The alerts somebody points at. Pure.

use jiff::Timestamp;
use model::alert::Labels;
use model::envelope::{EnvelopeId, Source};

use crate::card_store::StoredCard;
use crate::render::Item;

/// The shortest beginning of a fingerprint that is taken for it: shorter ones are found by accident.
const BEGINNING_CHARACTERS_MIN: usize = 4;

/// An alert that fires.
#[derive(Clone, Debug)]
pub(super) struct TargetAlert {
    pub(super) receiver: String,
    pub(super) fingerprint: String,
    pub(super) name: String,
    pub(super) place: String,
    pub(super) since: Timestamp,
    pub(super) source: Source,
    /// Where it came from, as far as its envelope says.
    pub(super) external_url: String,
    pub(super) labels: Labels<'static>,
    /// Where it can be silenced by hand, if its source says.
    pub(super) silence_url: String,
    /// Who has taken it on.
    pub(super) taken_on_by: Option<String>,
    /// Until when its card shows it to be silent.
    pub(super) shown_silent_until: Option<Timestamp>,
    pub(super) is_firing: bool,
    /// The envelope it came with.
    pub(super) envelope: EnvelopeId,
}

impl TargetAlert {
    /// What fires on a card.
    pub(super) fn firing_on(kept: &StoredCard) -> Vec<Self> {
        Self::all_on(kept).into_iter().filter(|target| target.is_firing).collect()
    }

    /// Everything on a card.
    pub(super) fn all_on(kept: &StoredCard) -> Vec<Self> {
        let items = kept.items();
        let target = |item: &Item<'_>| Self {
            receiver: kept.receiver.clone(),
            fingerprint: item.alert.fingerprint.to_string(),
            name: item.name().to_owned(),
            place: item.place(),
            since: item.since(),
            source: item.envelope.source,
            external_url: item.envelope.external_url.clone().into_owned(),
            labels: item.alert.labels.clone().into_owned(),
            silence_url: item.alert.links.silence.clone().into_owned(),
            taken_on_by: item
                .attention
                .and_then(|attention| attention.acknowledged.as_ref())
                .map(|acknowledged| acknowledged.by.clone()),
            shown_silent_until: item
                .attention
                .and_then(|attention| attention.silenced.as_ref())
                .map(|silenced| silenced.until),
            is_firing: item.is_firing(),
            envelope: item.envelope.id,
        };
        items.iter().map(target).collect()
    }
}

#[cfg(test)]
impl TargetAlert {
    /// One to start from.
    pub(super) fn example() -> Self {
        Self {
            receiver: "ops".to_owned(),
            fingerprint: String::new(),
            name: String::new(),
            place: String::new(),
            since: Timestamp::UNIX_EPOCH,
            source: Source::Alertmanager,
            external_url: String::new(),
            labels: Labels::default(),
            silence_url: String::new(),
            taken_on_by: None,
            shown_silent_until: None,
            is_firing: true,
            envelope: EnvelopeId::from_bytes([0; 16]),
        }
    }
}

/// Each alert once, as on the first of these cards.
pub(super) fn each_once(targets: Vec<TargetAlert>) -> Vec<TargetAlert> {
    let mut seen = std::collections::HashSet::new();
    let is_new = |target: &TargetAlert| seen.insert((target.receiver.clone(), target.fingerprint.clone()));
    targets.into_iter().filter(is_new).collect()
}

/// The alerts that are meant by a fingerprint or its beginning: those with it, or those of the only one that begins so.
/// `None` if that is more than one.
pub(super) fn meant_by(targets: Vec<TargetAlert>, wanted: &str) -> Option<Vec<TargetAlert>> {
    let has_it = targets.iter().any(|target| target.fingerprint == wanted);
    if has_it {
        return Some(targets.into_iter().filter(|target| target.fingerprint == wanted).collect());
    }
    if wanted.chars().count() < BEGINNING_CHARACTERS_MIN {
        return Some(Vec::new());
    }
    let found: Vec<_> = targets.into_iter().filter(|target| target.fingerprint.starts_with(wanted)).collect();
    let is_one = found.windows(2).all(|pair| pair[0].fingerprint == pair[1].fingerprint);
    is_one.then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(fingerprint: &str) -> TargetAlert {
        TargetAlert { fingerprint: fingerprint.to_owned(), ..TargetAlert::example() }
    }

    fn found(wanted: &str) -> Option<Vec<String>> {
        let all = ["abcd1", "abcd12", "abcd34", "ffff00"].map(target).to_vec();
        meant_by(all, wanted).map(|found| found.into_iter().map(|target| target.fingerprint).collect())
    }

    #[test]
    fn a_fingerprint_may_be_shortened_as_long_as_it_means_one_alert() {
        assert_eq!(found("abcd1"), Some(vec!["abcd1".to_owned()]), "the whole one wins");
        assert_eq!(found("abcd3"), Some(vec!["abcd34".to_owned()]));
        assert_eq!(found("abcd"), None);
        assert_eq!(found("fff"), Some(vec![]), "too short to be meant");
        assert_eq!(found("0000"), Some(vec![]));
    }

    #[test]
    fn an_alert_on_several_cards_is_one() {
        assert_eq!(each_once(["a", "b", "a"].map(target).to_vec()).len(), 2);
    }
}
