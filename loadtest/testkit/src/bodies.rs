//! What benchmarks read: bodies and lines of any size, made of the golden files that say what senders write.

use model::alert::Fingerprint;
use serde_json::Value;

/// What Alertmanager sends.
pub const ALERTMANAGER: &str = include_str!("../../../ingest/tests/golden/alertmanager-firing.json");
/// What Grafana sends.
pub const GRAFANA: &str = include_str!("../../../ingest/tests/golden/grafana-firing.json");
/// What Grafana sent up to version 8: one alert a body.
pub const GRAFANA_LEGACY: &str = include_str!("../../../ingest/tests/golden/grafana-legacy-alerting.json");
/// The custom format: one alert a body.
pub const CUSTOM: &str = include_str!("../../../ingest/tests/golden/custom-full.json");
/// The Loki-Feishu format: one alert a body.
pub const LOKI_FEISHU: &str = include_str!("../../../ingest/tests/golden/loki-feishu-full.json");
/// What becomes of Alertmanager's: an array with one line of the wire format.
const LINES: &str = include_str!("../../../ingest/tests/golden/alertmanager-firing.expected.json");

/// The body with its first alert so many times, each time about something else.
pub fn group(body: &str, alerts: usize) -> String {
    repeated(parsed(body), alerts, 0).to_string()
}

/// The fingerprint Alertmanager gives to these labels, so that it is believed.
pub fn fingerprint<'l>(labels: impl IntoIterator<Item = (&'l str, &'l str)>) -> String {
    let mut sorted: Vec<_> = labels.into_iter().collect();
    sorted.sort_unstable();
    Fingerprint::of_labels(sorted).to_string()
}

/// A line of the wire format with so many alerts; lines of different numbers have no alert in common.
pub fn line(alerts: usize, number: usize) -> String {
    repeated(parsed(LINES)[0].take(), alerts, number).to_string() + "\n"
}

fn parsed(golden: &str) -> Value {
    serde_json::from_str(golden).expect("a golden file is JSON")
}

fn repeated(mut group: Value, alerts: usize, number: usize) -> Value {
    let one = group["alerts"][0].take();
    let alerts = (0..alerts).map(|index| {
        let mut alert = one.clone();
        alert["labels"]["instance"] = format!("10.4.{number}.{index}:9100").into();
        let labels = alert["labels"].as_object().expect("labels are an object").iter();
        let pairs: Vec<_> =
            labels.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).collect();
        let fingerprint = fingerprint(pairs);
        alert["fingerprint"] = fingerprint.into();
        if let Some(alert) = alert.as_object_mut() {
            alert.remove("identity");
        }
        alert
    });
    group["alerts"] = alerts.collect();
    group
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use model::envelope::{Envelope, decode};

    use super::*;

    #[test]
    fn lines_are_envelopes_whose_alerts_all_differ() {
        let lines = [line(3, 0), line(3, 1)];
        let envelopes: Vec<Envelope<'_>> =
            lines.iter().map(|line| decode(line.as_bytes()).unwrap()).collect();
        let alerts = envelopes.iter().flat_map(|envelope| &envelope.alerts);
        assert_eq!(alerts.map(|alert| &alert.fingerprint).collect::<HashSet<_>>().len(), 6);
    }

    #[test]
    fn groups_keep_what_is_not_their_alerts() {
        let group: Value = serde_json::from_str(&group(GRAFANA, 2)).unwrap();
        assert_eq!(group["orgId"], parsed(GRAFANA)["orgId"]);
        assert_eq!(group["alerts"].as_array().map(Vec::len), Some(2));
    }
}
