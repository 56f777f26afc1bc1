//! Which heartbeats an alert is a sign of. Pure.

use std::collections::HashMap;

use config::HeartbeatConfig;
use model::alert::Labels;
use model::matcher::Matcher;

/// The configured heartbeats, so that an alert is held against the few that may be meant and not against thousands.
#[derive(Debug, Default)]
pub struct HeartbeatIndex {
    heartbeats: Vec<HeartbeatConfig>,
    places: HashMap<String, usize>,
    /// By a label and the value that one of their matchers wants of it.
    by_label: HashMap<String, HashMap<String, Vec<usize>>>,
    /// Those that want no value of any label.
    others: Vec<usize>,
}

impl HeartbeatIndex {
    /// Of these.
    pub fn new(heartbeats: &[HeartbeatConfig]) -> Self {
        let heartbeats = heartbeats.to_vec();
        let mut wanted: HashMap<(&str, &str), usize> = HashMap::new();
        for pair in heartbeats.iter().flat_map(|heartbeat| heartbeat.matchers.iter().filter_map(pair)) {
            *wanted.entry(pair).or_default() += 1;
        }
        let mut by_label: HashMap<String, HashMap<String, Vec<usize>>> = HashMap::new();
        let mut others = Vec::new();
        for (place, heartbeat) in heartbeats.iter().enumerate() {
            // All may want the same name of an alert, and each a cluster of its own.
            let rarest = heartbeat.matchers.iter().filter_map(pair).min_by_key(|pair| wanted.get(pair));
            match rarest {
                Some((name, value)) => {
                    let values = by_label.entry(name.to_owned()).or_default();
                    values.entry(value.to_owned()).or_default().push(place);
                }
                None => others.push(place),
            }
        }
        let places =
            heartbeats.iter().enumerate().map(|(place, heartbeat)| (heartbeat.name.clone(), place)).collect();
        Self { heartbeats, places, by_label, others }
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.heartbeats.is_empty()
    }

    /// All of them.
    pub fn all(&self) -> &[HeartbeatConfig] {
        &self.heartbeats
    }

    /// The one of this name.
    pub fn named(&self, name: &str) -> Option<&HeartbeatConfig> {
        self.places.get(name).and_then(|place| self.heartbeats.get(*place))
    }

    /// Those that an alert with these labels is a sign of.
    pub fn of<'i>(&'i self, labels: &'i Labels<'_>) -> impl Iterator<Item = &'i HeartbeatConfig> {
        let by_value = self.by_label.iter().filter_map(|(name, values)| values.get(labels.get(name)?));
        let candidates =
            by_value.flatten().chain(&self.others).filter_map(|place| self.heartbeats.get(*place));
        candidates.filter(|heartbeat| heartbeat.matchers.iter().all(|matcher| matcher.matches(labels)))
    }
}

/// The label and the value that a matcher asks for; one that is empty may be missing as well.
fn pair(matcher: &Matcher) -> Option<(&str, &str)> {
    let value = matcher.equal_value().filter(|value| !value.is_empty())?;
    Some((matcher.name(), value))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn heartbeat(name: &str, matchers: &str) -> HeartbeatConfig {
        HeartbeatConfig {
            name: name.to_owned(),
            matchers: Matcher::all(matchers).unwrap(),
            every: Duration::from_mins(1),
            grace: Duration::ZERO,
            receiver: None,
        }
    }

    fn found(index: &HeartbeatIndex, pairs: &[(&'static str, &'static str)]) -> Vec<String> {
        let labels: Labels<'_> =
            pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let mut found: Vec<_> = index.of(&labels).map(|heartbeat| heartbeat.name.clone()).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn an_alert_is_a_sign_of_every_heartbeat_whose_matchers_all_hold() {
        let index = HeartbeatIndex::new(&[
            heartbeat("eu", "alertname=Watchdog,cluster=eu"),
            heartbeat("us", "alertname=Watchdog,cluster=us"),
            heartbeat("any", "alertname=~\"Watchdog|DeadMansSwitch\""),
            heartbeat("bare", "alertname=Watchdog,cluster=\"\""),
        ]);
        assert_eq!(found(&index, &[("alertname", "Watchdog"), ("cluster", "eu")]), ["any", "eu"]);
        assert_eq!(found(&index, &[("alertname", "Watchdog")]), ["any", "bare"]);
        assert_eq!(found(&index, &[("alertname", "DeadMansSwitch"), ("cluster", "us")]), ["any"]);
        assert!(found(&index, &[("alertname", "DiskFull"), ("cluster", "eu")]).is_empty());
    }
}
