//! Who an alert is: the rule of docs/identity.md, in one place. Pure.
//!
//! Two alerts that a person would call two never get one fingerprint. So a sender's own fingerprint counts as it stands
//! only where it can be recomputed from the labels; anywhere else the labels count as well. Where the rule comes to what
//! versions before it came to, the fingerprint is the same text as theirs.

use std::borrow::Cow;

use model::alert::{Alert, Fingerprint};
use model::envelope::EnvelopeId;

use super::Context;

/// A fingerprint, and the one of former versions where that was another.
#[derive(Debug)]
pub(super) struct Identity<'a> {
    pub(super) fingerprint: Fingerprint<'a>,
    pub(super) former: Option<Fingerprint<'a>>,
}

/// An alert that has labels, in full.
pub(super) struct Labelled<'l, 'a> {
    /// Its sender's own fingerprint.
    pub(super) named: Option<Fingerprint<'a>>,
    /// Sorted by name; never empty.
    pub(super) pairs: &'l [(Cow<'a, str>, Cow<'a, str>)],
    /// Stands for more of them.
    pub(super) beyond: Option<&'l Fingerprint<'a>>,
    /// The rule that raised it, where the source names one: it tells alerts apart whose fingerprint does not count.
    pub(super) rule: &'l str,
}

/// Who sent it, and which of its labels tell replicas apart.
#[derive(Debug)]
pub(super) struct Rule<'c> {
    /// What the address says, or else what the body offers.
    pub(super) origin: Cow<'c, str>,
    ignored: &'c [String],
}

impl<'a> Identity<'a> {
    pub(super) fn new(fingerprint: Fingerprint<'a>, former: Fingerprint<'a>) -> Self {
        let former = (former != fingerprint).then_some(former);
        Self { fingerprint, former }
    }

    /// Of what is delivered each time it comes, such as the message of a test button.
    pub(super) fn of_test(id: EnvelopeId, place: usize) -> Self {
        let id = id.to_string();
        let place = place.to_string();
        let fingerprint = Fingerprint::of_pairs([("test", &*id), ("place", &*place)]);
        Self { fingerprint, former: None }
    }

    /// Gives it to an alert.
    pub(super) fn name(self, alert: &mut Alert<'a>) {
        (alert.fingerprint, alert.former) = (self.fingerprint, self.former);
    }
}

impl<'c> Rule<'c> {
    /// The rule for a body that says nothing of its origin itself. An Alertmanager's `externalURL` is not that: the members
    /// of a cluster often have one each.
    pub(super) fn new(context: &'c Context) -> Self {
        Self { origin: Cow::Borrowed(&*context.origin), ignored: &context.ignore_labels }
    }

    /// The rule for a body of Grafana's, which links to itself and has organisations.
    pub(super) fn of_grafana(context: &'c Context, link: &str, organisation: &str) -> Self {
        let address = if context.origin.is_empty() { address_of(link) } else { context.origin.clone() };
        let is_known = !address.is_empty() || !organisation.is_empty();
        let origin = if is_known { format!("{address} {organisation}") } else { String::new() };
        Self { origin: origin.into(), ignored: &context.ignore_labels }
    }

    /// Whether a label tells replicas apart, and no alerts.
    pub(super) fn ignores(&self, name: &str) -> bool {
        self.ignored.iter().any(|ignored| ignored == name)
    }

    /// Whether some of these labels are left out. If nothing else would be left, none is.
    pub(super) fn ignores_some(&self, pairs: &[(Cow<'_, str>, Cow<'_, str>)]) -> bool {
        let ignored = pairs.iter().filter(|(name, _)| self.ignores(name)).count();
        (1..pairs.len()).contains(&ignored)
    }

    /// Who a labelled alert is.
    pub(super) fn of_labelled<'a>(&self, alert: Labelled<'_, 'a>) -> Identity<'a> {
        let Labelled { named, pairs, beyond, rule } = alert;
        let all = || pairs.iter().map(|(name, value)| (&**name, &**value));
        let ignores_some = self.ignores_some(pairs);
        let known = || all().filter(|(name, _)| !(ignores_some && self.ignores(name)));
        let is_whole = beyond.is_none();
        let is_proven =
            is_whole && named.as_ref().is_some_and(|named| *named == Fingerprint::of_labels(all()));
        let fingerprint = if self.origin.is_empty() && is_proven {
            Fingerprint::of_labels(known())
        } else if self.origin.is_empty() && is_whole && named.is_none() {
            Fingerprint::of_pairs(known())
        } else {
            let labels = Fingerprint::of_pairs(known());
            // A fingerprint that can be recomputed says no more than the labels; one that cannot may stand for replicas.
            let counts = named.as_ref().filter(|_| !is_proven && !ignores_some);
            Fingerprint::of_pairs([
                ("origin", &*self.origin),
                ("fingerprint", counts.map_or("", Fingerprint::as_str)),
                ("labels", labels.as_str()),
                ("beyond", beyond.map_or("", Fingerprint::as_str)),
                ("rule", if ignores_some { rule } else { "" }),
            ])
        };
        let former = named.unwrap_or_else(|| Fingerprint::of_pairs(all()));
        Identity::new(fingerprint, former)
    }

    /// Who an alert is that has nothing but what its group has in common, or its annotations; `known_by` stands for that.
    pub(super) fn of_unlabelled<'a>(
        &self,
        named: Option<Fingerprint<'a>>,
        known_by: Fingerprint<'static>,
    ) -> Identity<'a> {
        match named {
            None if self.origin.is_empty() => Identity::new(known_by.clone(), known_by),
            named => {
                let fingerprint = Fingerprint::of_pairs([
                    ("origin", &*self.origin),
                    ("fingerprint", named.as_ref().map_or("", Fingerprint::as_str)),
                    ("known_by", known_by.as_str()),
                ]);
                Identity::new(fingerprint, named.unwrap_or(known_by))
            }
        }
    }

    /// Who an alert is that has other things to be known by; `former` is what was made of them before.
    pub(super) fn of_pairs<'p>(
        &self,
        pairs: impl IntoIterator<Item = (&'p str, &'p str)>,
        former: Fingerprint<'static>,
    ) -> Identity<'static>
    where
        'c: 'p,
    {
        let pairs: Vec<_> = pairs.into_iter().collect();
        let of = |pairs: &[(&str, &str)]| Fingerprint::of_pairs(pairs.iter().copied());
        if self.origin.is_empty() {
            return Identity::new(of(&pairs), former);
        }
        let known_by = of(&pairs);
        Identity::new(of(&[("origin", &*self.origin), ("known_by", known_by.as_str())]), former)
    }
}

/// Where a Grafana is reached, without the scheme: equal for the members of a cluster, which share `root_url`.
fn address_of(link: &str) -> String {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let rest = rest.split(['?', '#']).next().unwrap_or(rest);
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    format!("{}{}", host.to_ascii_lowercase(), path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests;
