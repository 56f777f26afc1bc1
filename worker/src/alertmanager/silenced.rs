//! What is silenced in an Alertmanager now, whoever silenced it there.

use std::collections::{BTreeMap, HashSet};

use model::alert::{Fingerprint, Labels};

use super::{Alertmanager, AlertmanagerError, ListedAlert};

/// The alerts that some silence of an Alertmanager keeps quiet.
#[derive(Debug, Default)]
pub(crate) struct SilencedThere {
    /// As ingest makes them of labels, where the sender's own can be recomputed.
    fingerprints: HashSet<String>,
    /// For all others.
    labels: HashSet<Vec<(String, String)>>,
    ignored: Vec<String>,
}

impl Alertmanager<'_> {
    /// The alerts that are silenced in it now.
    pub(crate) async fn silenced_there(&self) -> Result<SilencedThere, AlertmanagerError> {
        let silenced = self.silenced_alerts().await?;
        let is_none = silenced.iter().all(|alert| alert.silenced_by().is_empty());
        // Of replicas with one identity one that is not silenced is told all the same.
        let active =
            if is_none || self.ignored.is_empty() { Vec::new() } else { self.active_alerts().await? };
        Ok(SilencedThere::of(&silenced, &active, self.ignored))
    }
}

impl SilencedThere {
    /// Those of the first that have a silence, but for what is among the second as well.
    fn of(silenced: &[ListedAlert], active: &[ListedAlert], ignored: &[String]) -> Self {
        let mut found = Self { ignored: ignored.to_vec(), ..Self::default() };
        let known = |alert: &ListedAlert| known_by(pairs(&alert.labels), ignored);
        let told: HashSet<_> = active.iter().map(known).collect();
        let quiet = silenced.iter().filter(|alert| !alert.silenced_by().is_empty()).map(known);
        for labels in quiet.filter(|labels| !told.contains(labels)) {
            let sorted = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            found.fingerprints.insert(Fingerprint::of_labels(sorted).as_str().to_owned());
            found.labels.insert(labels);
        }
        found
    }

    /// Whether an alert is among them, by its fingerprint or, where they are known, by its labels. One that has lost labels on its way
    /// is none of them: then somebody is called who need not be.
    pub(crate) fn has(&self, fingerprint: &str, labels: Option<&Labels<'_>>) -> bool {
        let is_known = |labels: &Labels<'_>| self.labels.contains(&known_by(labels.iter(), &self.ignored));
        self.fingerprints.contains(fingerprint) || labels.is_some_and(is_known)
    }
}

fn pairs(labels: &BTreeMap<String, String>) -> impl Iterator<Item = (&str, &str)> {
    labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))
}

/// The labels that tell an alert from others, in the order of their names: as ingest has it, all of them where none would be left.
fn known_by<'l>(
    pairs: impl Iterator<Item = (&'l str, &'l str)>,
    ignored: &[String],
) -> Vec<(String, String)> {
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let all: Vec<(&str, &str)> = pairs.collect();
    let counts = |(name, _): &&(&str, &str)| !ignored.iter().any(|ignored| ignored == name);
    let known: Vec<_> = all.iter().filter(counts).map(|pair| owned(*pair)).collect();
    if known.is_empty() { all.into_iter().map(owned).collect() } else { known }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(labels: &str, silenced_by: &str) -> ListedAlert {
        let json = format!(
            r#"{{"labels":{labels},"status":{{"state":"suppressed","silencedBy":{silenced_by},"inhibitedBy":[]}}}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    fn labels(pairs: &[(&'static str, &'static str)]) -> Labels<'static> {
        pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
    }

    #[test]
    fn an_alert_is_silenced_by_a_silence_and_not_by_being_inhibited() {
        let silenced = [listed(r#"{"alertname":"A"}"#, r#"["s1"]"#), listed(r#"{"alertname":"B"}"#, "[]")];
        let there = SilencedThere::of(&silenced, &[], &[]);
        let own = Fingerprint::of_labels([("alertname", "A")]);
        assert!(there.has(own.as_str(), None), "of those whose labels are not kept as well");
        assert!(there.has("any", Some(&labels(&[("alertname", "A")]))));
        assert!(!there.has("any", Some(&labels(&[("alertname", "B")]))));
        assert!(!there.has("any", Some(&labels(&[]))), "what has lost its labels is nobody's");
        let more = labels(&[("alertname", "A"), ("pod", "x")]);
        assert!(!there.has("any", Some(&more)));
    }

    #[test]
    fn of_two_replicas_one_that_is_told_keeps_the_alert_from_being_silenced() {
        let ignored = ["replica".to_owned()];
        let silenced = [listed(r#"{"alertname":"A","replica":"a"}"#, r#"["s1"]"#)];
        let active = [listed(r#"{"alertname":"A","replica":"b"}"#, "[]")];
        let own = labels(&[("alertname", "A"), ("replica", "b")]);
        assert!(SilencedThere::of(&silenced, &[], &ignored).has("any", Some(&own)));
        assert!(!SilencedThere::of(&silenced, &active, &ignored).has("any", Some(&own)));
    }
}
