//! Bodies as Alertmanager sends them, of a known size per alert.

use std::fmt::Write as _;
use std::net::SocketAddr;

use bytes::Bytes;
use serde_json::{Value, json};

use crate::plan::SERVICES;

/// A whole HTTP/1.1 request with one group of alerts. `seed` makes the groups differ.
pub(crate) fn request(to: SocketAddr, alerts: u32, alert_bytes: usize, seed: u32) -> Bytes {
    let body = body(alerts, alert_bytes, seed);
    let length = body.len();
    let mut request = String::with_capacity(length + 256);
    // Writing to a string cannot fail.
    let _infallible = write!(
        request,
        "POST /api/alert HTTP/1.1\r\nHost: {to}\r\nUser-Agent: Alertmanager/0.27.0\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    request.into()
}

fn body(alerts: u32, alert_bytes: usize, seed: u32) -> String {
    let group = labels(seed % SERVICES);
    let alerts = (0..alerts).map(|index| {
        let instance = format!("10.0.{seed}.{index}:8080");
        let pod = format!("checkout-{seed:04}-{index:05}");
        let mut names =
            Names { instance, pod, fingerprint: String::new(), summary: "12 % of checkouts fail".into() };
        let labels = alert(&group, 0, &names)["labels"].take();
        let labels = labels.as_object().into_iter().flatten();
        names.fingerprint = testkit::bodies::fingerprint(
            labels
                .map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()))
                .collect::<Vec<_>>(),
        );
        alert(&group, alert_bytes, &names)
    });
    envelope(&group, &alerts.collect::<Vec<_>>()).to_string()
}

/// The labels of a group.
pub(crate) fn labels(service: u32) -> Value {
    json!({"alertname": "HighErrorRate", "namespace": "shop", "service": format!("svc-{service}")})
}

/// A group as Alertmanager posts it.
pub(crate) fn envelope(group: &Value, alerts: &[Value]) -> Value {
    json!({
        "version": "4",
        "groupKey": format!("{{}}/{{severity=\"critical\"}}:{group}"),
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "default",
        "groupLabels": group,
        "commonLabels": group,
        "commonAnnotations": {"runbook_url": "https://runbooks.example/HighErrorRate"},
        "externalURL": "http://alertmanager.example:9093",
        "alerts": alerts,
    })
}

/// What tells an alert from the others of its group.
pub(crate) struct Names {
    pub(crate) instance: String,
    pub(crate) pod: String,
    pub(crate) fingerprint: String,
    pub(crate) summary: String,
}

/// An alert, filled up with description to its size.
pub(crate) fn alert(group: &Value, alert_bytes: usize, names: &Names) -> Value {
    let mut labels = group.clone();
    labels["severity"] = "critical".into();
    labels["cluster"] = "eu-1".into();
    labels["instance"] = names.instance.as_str().into();
    labels["pod"] = names.pod.as_str().into();
    let mut alert = json!({
        "status": "firing",
        "labels": labels,
        "annotations": {
            "summary": names.summary,
            "runbook_url": "https://runbooks.example/HighErrorRate",
            "description": "",
        },
        "startsAt": "2026-01-15T10:30:00.123Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.example/graph?g0.expr=rate%28errors%5B5m%5D%29+%3E+0.05",
        "fingerprint": names.fingerprint,
    });
    let missing = alert_bytes.saturating_sub(alert.to_string().len());
    let description: String = "5xx above 5 % for ten minutes. ".chars().cycle().take(missing).collect();
    alert["annotations"]["description"] = description.into();
    alert
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::ALERT_BYTES;

    #[test]
    fn alerts_have_the_size_that_was_asked_for_and_names_of_their_own() {
        let body: Value = serde_json::from_str(&body(3, ALERT_BYTES, 7)).unwrap();
        let alerts = body["alerts"].as_array().unwrap();
        assert_eq!(alerts.len(), 3);
        assert!(alerts.iter().all(|alert| alert.to_string().len() == ALERT_BYTES));
        assert_ne!(alerts[0]["fingerprint"], alerts[1]["fingerprint"]);
    }
}
