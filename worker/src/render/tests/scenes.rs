//! What the tests tell: single alerts, and storms made by rule, the same in every run.

use jiff::{SignedDuration, Timestamp};
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::{Envelope, EnvelopeId, Notice, Source};

use super::super::{Acknowledged, Attention, Item, Silenced, StormSoFar};

/// How many alerts of a storm come in one envelope.
const ENVELOPE_ALERTS: usize = 25;

/// Envelopes, which of their alerts were told before, and what people have done about some.
pub(super) struct Scene {
    pub(super) envelopes: Vec<Envelope<'static>>,
    pub(super) is_reminder: fn(&Alert<'_>) -> bool,
    /// For the first alerts, in their order.
    pub(super) attention: Vec<Attention>,
}

impl Scene {
    pub(super) fn items(&self) -> Vec<Item<'_>> {
        let items = self.envelopes.iter().flat_map(Item::all_of);
        let attention = self.attention.iter().map(Some).chain(std::iter::repeat(None));
        items
            .zip(attention)
            .map(|(item, attention)| Item { reminder: (self.is_reminder)(item.alert), attention, ..item })
            .collect()
    }
}

pub(super) fn now() -> Timestamp {
    "2024-01-15T10:35:00Z".parse().unwrap()
}

pub(super) fn alert(name: &str, labels: Vec<(String, String)>, text: &str) -> Alert<'static> {
    let mut pairs = vec![("alertname".to_owned(), name.to_owned())];
    pairs.extend(labels);
    Alert {
        fingerprint: Fingerprint::of_pairs([("alertname", name)]),
        former: None,
        status: Status::Firing,
        starts_at: Some(now()),
        ends_at: None,
        labels: pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
        annotations: [
            ("summary".into(), text.to_owned().into()),
            ("description".into(), text.to_owned().into()),
        ]
        .into_iter()
        .collect(),
        generator_url: "http://prometheus.example/graph".into(),
        links: Links::default(),
        mention: Mention::default(),
    }
}

pub(super) fn envelope(alerts: Vec<Alert<'static>>, truncated: u64) -> Envelope<'static> {
    Envelope {
        id: EnvelopeId::new(now(), [7; 10]),
        received_at: now(),
        source: Source::Alertmanager,
        receiver: "default".into(),
        group_key: "g".into(),
        group_labels: Labels::default(),
        external_url: "http://alertmanager.example".into(),
        truncated,
        notice: Notice::default(),
        is_repeat: false,
        is_unheard: false,
        instead_of: "".into(),
        alerts,
    }
}

/// The `index`-th of a storm: some names are frequent and many are not, every seventh is over.
fn gust(index: usize) -> Alert<'static> {
    let (name, namespace, severity) = match index % 10 {
        0..=3 => ("KubePodCrashLooping".to_owned(), "prod", "critical"),
        4 | 5 => ("HighErrorRate".to_owned(), "prod", "warning"),
        6 => ("TargetDown".to_owned(), "monitoring", "critical"),
        7 => ("CertificateEndsSoon".to_owned(), "edge", "info"),
        8 => (format!("Rule{}", index / 10 % 30), "batch", "warning"),
        _ => ("NobodySaid".to_owned(), "staging", ""),
    };
    let pairs = [("namespace", namespace), ("severity", severity), ("cluster", "cn-east-1")];
    let mut labels: Vec<_> = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    labels.push(("pod".to_owned(), format!("{}-{index}", name.to_lowercase())));
    let mut alert = alert(&name, labels, &format!("{name}: number {index} is not well"));
    let seconds = i64::try_from(index % 600).unwrap();
    alert.starts_at = Some(now() - SignedDuration::from_secs(900 - seconds));
    if index % 7 == 6 {
        alert.status = Status::Resolved;
        alert.ends_at = Some(now() - SignedDuration::from_secs(10));
    }
    alert
}

/// A storm of so many alerts, in many envelopes of two senders.
pub(super) fn storm(alerts: usize) -> Scene {
    let alerts: Vec<_> = (0..alerts).map(gust).collect();
    let envelopes = alerts.chunks(ENVELOPE_ALERTS).enumerate().map(|(index, alerts)| {
        let second = i64::try_from(index).unwrap();
        let received_at = now() - SignedDuration::from_secs(120) + SignedDuration::from_millis(second * 100);
        Envelope {
            id: EnvelopeId::new(received_at, [7; 10]),
            received_at,
            group_key: format!("g{index}").into(),
            external_url: format!("http://alertmanager-{}.example:9093", index % 2).into(),
            truncated: u64::from(index == 0) * 12,
            ..envelope(alerts.to_vec(), 0)
        }
    });
    Scene { envelopes: envelopes.collect(), is_reminder: |_| false, attention: Vec::new() }
}

/// Sixty pods of three replica sets that fail alike, nearly all of them in one rack.
pub(super) fn crash_loop() -> Scene {
    let alert = |index: usize| {
        let rack = if index % 20 == 7 { "r3" } else { "r12" };
        let pod = format!("checkout-7f9c6d8b{}-{}", index / 20, ["x2k4q", "m8v2c", "b7n5t"][index % 3]);
        let pairs = [
            ("namespace", "shop"),
            ("severity", "critical"),
            ("cluster", "prod-bj"),
            ("rack", rack),
            ("pod", &format!("{pod}{index}")),
        ];
        let labels = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        alert("KubePodCrashLooping", labels, "The pod is restarting again and again.")
    };
    let alerts = (0..60).map(alert).collect();
    Scene { envelopes: vec![envelope(alerts, 0)], is_reminder: |_| false, attention: Vec::new() }
}

/// What cards told before one of a storm.
pub(super) fn so_far() -> StormSoFar {
    StormSoFar {
        begun_at: now() - SignedDuration::from_mins(12),
        last_card_at: now() - SignedDuration::from_mins(2),
        cards: 4,
        firing: 371,
        resolved: 30,
    }
}

/// The part of a storm that is over.
pub(super) fn calm_again() -> Scene {
    let mut scene = storm(200);
    for envelope in &mut scene.envelopes {
        envelope.alerts.retain(|alert| alert.status == Status::Resolved);
        envelope.truncated = 0;
    }
    scene
}

/// Disks that differ in two labels and were measured, and many kinds of which each has a few alerts.
pub(super) fn measured() -> Scene {
    let disk = |index: usize| {
        let labels = [("severity", "critical".to_owned()), ("namespace", "prod".to_owned())];
        let own = [
            ("instance", format!("db-{}", index / 2)),
            ("mountpoint", ["/", "/var/lib"][index % 2].to_owned()),
        ];
        let labels = labels.into_iter().chain(own).map(|(name, value)| (name.to_owned(), value));
        let mut alert = alert("DiskFull", labels.collect(), "disk is full");
        alert.annotations.insert_if_absent("value".into(), format!("{} %", 90 + index).into());
        alert.starts_at = Some(now() - SignedDuration::from_secs(60 * i64::try_from(index).unwrap()));
        alert
    };
    let kind = |index: usize| {
        let labels = [("severity", "warning".to_owned()), ("namespace", format!("team-{}", index % 3))];
        let labels = labels.into_iter().chain([("pod", format!("job-{index}"))]);
        let labels = labels.map(|(name, value)| (name.to_owned(), value));
        alert(&format!("Job{}Late", index / 6), labels.collect(), "late")
    };
    let alerts = (0..8).map(disk).chain((0..60).map(kind)).collect();
    Scene { envelopes: vec![envelope(alerts, 0)], is_reminder: |_| false, attention: Vec::new() }
}

/// One alert that was told before.
pub(super) fn reminder() -> Scene {
    let labels = [("severity", "critical"), ("namespace", "prod"), ("service", "checkout")];
    let labels = labels.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let mut alert = alert("HighErrorRate", labels, "12 % of the requests fail");
    alert.starts_at = Some(now() - SignedDuration::from_secs(2 * 3_600 + 300));
    Scene { envelopes: vec![envelope(vec![alert], 0)], is_reminder: |_| true, attention: Vec::new() }
}

/// Several alerts, all of which were told before.
pub(super) fn reminders() -> Scene {
    let mut scene = storm(6);
    scene.envelopes[0].truncated = 0;
    Scene { is_reminder: |_| true, ..scene }
}

/// A few alerts of two envelopes: new ones, one that was told before, and one that is over.
pub(super) fn mixed() -> Scene {
    let mut scene = storm(8);
    let mut again = scene.envelopes[0].clone();
    scene.envelopes[0].truncated = 0;
    again.alerts = vec![alert("DiskFull", vec![("severity".to_owned(), "critical".to_owned())], "97 %")];
    again.alerts[0].starts_at = Some(now() - SignedDuration::from_hours(50));
    again.id = EnvelopeId::new(now(), [8; 10]);
    (again.received_at, again.truncated, again.source) = (now(), 0, Source::Grafana);
    scene.envelopes.push(again);
    let is_reminder = |alert: &Alert<'_>| alert.labels.get("alertname") == Some("DiskFull");
    Scene { is_reminder, ..scene }
}

fn seen(by: &str) -> Attention {
    let acknowledged = Some(Acknowledged { by: by.to_owned(), at: now() - SignedDuration::from_secs(60) });
    Attention { acknowledged, ..Attention::default() }
}

fn silenced(until: Timestamp) -> Silenced {
    Silenced { by: "Bob".to_owned(), until }
}

/// One alert that somebody has taken on and silenced. A name is no markdown, and mentions nobody.
pub(super) fn attended() -> Scene {
    let silenced = silenced(now() + SignedDuration::from_hours(4));
    let attention = vec![Attention { silenced: Some(silenced), ..seen("🔴 Ann **<at id=all></at>**") }];
    Scene { attention, is_reminder: |_| false, ..reminder() }
}

/// Several alerts: one taken on, one silenced, one whose silence is over, and one that nobody has looked at.
pub(super) fn attended_among_others() -> Scene {
    let ends = [now() + SignedDuration::from_hours(1), now() - SignedDuration::from_hours(1)];
    let mut attention = vec![seen("Ann")];
    attention.extend(ends.map(|until| Attention { silenced: Some(silenced(until)), ..Attention::default() }));
    let mut scene = storm(4);
    scene.envelopes[0].truncated = 0;
    Scene { attention, ..scene }
}
