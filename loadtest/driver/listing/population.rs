//! Alerts made by rule, the same in every run, as lines of the wire format. Pure.

use serde_json::{Value, json};

use crate::scenario::{NameKind, Population};

/// Alerts of one envelope, as ingest cuts them.
const ENVELOPE_ALERTS: usize = 100;
const APPS: [&str; 8] =
    ["cart", "checkout", "payments", "search", "inventory", "gateway", "profile", "orders"];
/// What a storm is made of.
const STORM_KINDS: usize = 30;
const STORM_NAMESPACES: [&str; 8] = ["shop", "pay", "infra", "edge", "batch", "data", "ml", "web"];
const STORM_SET: usize = 10;

/// What tells an alert from the others.
struct AlertNames {
    alertname: String,
    namespace: &'static str,
    /// The label it is called by, and its value.
    label: &'static str,
    value: String,
}

/// The lines of a population.
pub(super) fn lines(population: &Population) -> Vec<String> {
    let of = usize::try_from(population.of).unwrap_or(1);
    let count = usize::try_from(population.alerts).unwrap_or(0);
    if matches!(population.names, NameKind::Hosts) {
        return written(ill_hosts(of).take(count).map(host));
    }
    written((0..count).map(|index| names(population.names, of, count, index)))
}

/// The lines of a storm of many kinds.
pub(super) fn storm(alerts: u32) -> Vec<String> {
    let count = usize::try_from(alerts).unwrap_or(0);
    written((0..count).map(|index| {
        let set = index / STORM_SET;
        AlertNames {
            alertname: format!("Kube{}NotReady", ending(set % STORM_KINDS, 8)),
            namespace: STORM_NAMESPACES[set / STORM_KINDS % STORM_NAMESPACES.len()],
            label: "pod",
            value: pod(set, index),
        }
    }))
}

fn names(kind: NameKind, of: usize, count: usize, index: usize) -> AlertNames {
    let alike = |label, value| AlertNames {
        alertname: "KubePodCrashLooping".to_owned(),
        namespace: "shop",
        label,
        value,
    };
    match kind {
        NameKind::Pods => alike("pod", pod(index / of, index)),
        NameKind::StatefulSets => {
            let set = index / of;
            alike("pod", format!("{}-{:02}-{}", APPS[set % APPS.len()], set / APPS.len(), index % of))
        }
        NameKind::Hosts => host(index),
        NameKind::Addresses => {
            let in_network = count.div_ceil(of).max(1);
            // Every address, or every second, third … of a network.
            let last = index / of * (250 / in_network).max(1) + 1;
            alike("instance", format!("10.12.{}.{}:9100", index % of, last % 255))
        }
        NameKind::Alertnames => AlertNames {
            alertname: format!("Kube{}{index}NotReady", ending(index, 6)),
            namespace: "shop",
            label: "pod",
            value: pod(index, index),
        },
    }
}

fn host(number: usize) -> AlertNames {
    AlertNames {
        alertname: "NodeDown".to_owned(),
        namespace: "infra",
        label: "instance",
        value: format!("bj-web-{number:04}"),
    }
}

/// The numbers of the hosts that are ill, where so many of a hundred are, by chance.
fn ill_hosts(of: usize) -> impl Iterator<Item = usize> {
    (0..).filter(move |number| {
        let dice = u64::try_from(*number).unwrap_or(0).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995;
        let dice = (dice ^ (dice >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 33;
        usize::try_from(dice % 100).unwrap_or(0) < of
    })
}

fn pod(set: usize, index: usize) -> String {
    format!("{}-{}-{}", APPS[set % APPS.len()], ending(set, 10), ending(index + 7_000_000, 5))
}

/// Letters and digits as Kubernetes ends the names of its pods with.
fn ending(seed: usize, length: usize) -> String {
    let alphabet = b"bcdfghjklmnpqrstvwxz2456789";
    let mut state = u64::try_from(seed + 1).unwrap_or(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut letter = || {
        state ^= state >> 29;
        state = state.wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let place = usize::try_from(state >> 33).unwrap_or(0);
        char::from(alphabet[place % alphabet.len()])
    };
    (0..length).map(|_| letter()).collect()
}

fn written(names: impl Iterator<Item = AlertNames>) -> Vec<String> {
    let alerts: Vec<_> = names.map(|names| alert(&names)).collect();
    let line = |(number, alerts): (usize, &[Value])| {
        let line = json!({
            "v": 1,
            "id": format!("019cad67-6574-7707-8707-{number:012x}"),
            "received_at": "2026-03-02T07:16:00Z",
            "source": "alertmanager",
            "receiver": "default",
            "group_key": "g",
            "external_url": "http://alertmanager.example:9093",
            "alerts": alerts,
        });
        line.to_string()
    };
    alerts.chunks(ENVELOPE_ALERTS).enumerate().map(line).collect()
}

fn alert(names: &AlertNames) -> Value {
    let mut labels = json!({
        "alertname": names.alertname,
        "cluster": "prod-bj",
        "container": "app",
        "endpoint": "http",
        "job": "kube-state-metrics",
        "namespace": names.namespace,
        "prometheus": "monitoring/k8s",
        "service": "kube-prometheus-kube-state-metrics",
        "severity": "critical",
    });
    labels[names.label] = names.value.as_str().into();
    let pairs = labels.as_object().into_iter().flatten();
    let pairs: Vec<_> =
        pairs.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())).collect();
    let fingerprint = testkit::bodies::fingerprint(pairs);
    json!({
        "fingerprint": fingerprint,
        "status": "firing",
        "starts_at": "2026-03-02T07:15:30Z",
        "labels": labels,
        "annotations": {
            "summary": "Pod is crash looping.",
            "description": format!("{} was not ready for more than 15 minutes.", names.value),
            "runbook_url": "https://runbooks.example/KubePodCrashLooping",
        },
        "generator_url": "http://prometheus.example/graph?g0.expr=increase%28restarts%5B5m%5D%29+%3E+0",
    })
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_population_has_as_many_different_alerts_as_it_says() {
        for (kind, of) in [
            (NameKind::Pods, 10),
            (NameKind::StatefulSets, 3),
            (NameKind::Hosts, 50),
            (NameKind::Addresses, 64),
            (NameKind::Alertnames, 1),
        ] {
            let values = (0..3_000).map(|index| {
                let names = names(kind, of, 3_000, index);
                (names.alertname, names.value)
            });
            assert_eq!(values.collect::<HashSet<_>>().len(), 3_000, "{kind:?}");
        }
    }

    #[test]
    fn of_a_half_affected_fleet_every_second_host_is_ill_here_and_there() {
        let ill: Vec<_> = ill_hosts(50).take(1_000).collect();
        assert!((1_800..2_200).contains(&ill[999]), "{}", ill[999]);
        let side_by_side = ill.windows(2).filter(|pair| pair[0] + 1 == pair[1]).count();
        assert!((400..600).contains(&side_by_side), "{side_by_side}");
    }
}
