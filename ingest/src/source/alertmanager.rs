//! Alertmanager's webhook, version 4, and everything that imitates it; Grafana's unified alerting sends the same
//! with additions. Older and foreign senders leave out or misspell nearly every field, so none is relied on. Pure.

use std::borrow::Cow;
use std::collections::HashSet;
use std::mem::take;

use config::DEFAULT_RECEIVER;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use model::envelope::{Notice, Source};

use super::identity::{Identity, Labelled, Rule};
use super::lenient::{ANNOTATIONS_LEFT_OUT, LABELS_LEFT_OUT, LEFT_OUT_BYTES, LEFT_OUT_PAIRS};
use super::reading::AlertReading;
use super::shape::{RawAlert, Shape};
use super::{Context, grafana, link, quote_meta, time};

/// What the alerts of one body are lent of what they have in common, all together, in bytes. Real senders repeat it
/// in each alert; without a limit a few bytes an alert would become the whole of it, 100 000 times.
const LENT_BYTES_MAX: usize = 128 * 1024;
/// What a pair takes beside its text, in bytes.
const PAIR_BYTES: usize = 48;

/// What Alertmanager says since 0.32 where nothing in the group is new, and it is sent again all the same.
const REPEAT_REASON: &str = "repeat interval elapsed";

/// How much of what alerts have in common is hashed for each that has nothing of its own, in bytes. Of more, its own
/// hash is: 100 000 alerts of a few bytes would keep a processor busy for seconds.
const COMMON_HASHED_BYTES_MAX: usize = 1024;

/// The labels that cards go by: what an alert is called, how bad it is, where it is and what tells it from others. Those
/// that routes, owners, links and templates go by are in the configuration.
const WANTED: [&str; 34] = [
    "alertname",
    "rulename",
    "severity",
    "Severity",
    "priority",
    "level",
    "alert_level",
    "告警级别",
    "namespace",
    "exported_namespace",
    "cluster",
    "env",
    "environment",
    "team",
    "owner",
    "service",
    "exported_service",
    "app",
    "pod",
    "exported_pod",
    "container",
    "deployment",
    "statefulset",
    "daemonset",
    "cronjob",
    "instance",
    "exported_instance",
    "host",
    "hostname",
    "node",
    "device",
    "endpoint",
    "job",
    "grafana_folder",
];

/// What an alert is given where it has nothing of its own.
struct Group<'b, 'a> {
    /// What relative links are relative to. Alertmanager's own address is not that: its links lead to Prometheus.
    base: &'b str,
    status: Option<Status>,
    labels: Labels<'a>,
    annotations: Labels<'a>,
    /// The same, as far as it says who an alert is; made when it is first needed.
    known_by: Option<[Labels<'a>; 2]>,
    /// What may still be lent, in bytes.
    room_bytes: usize,
    /// Where a time without a zone is meant.
    zone: &'b TimeZone,
    /// The labels that the configuration goes by.
    keep_labels: &'b [String],
    /// When an end without a status has come, where alerts come without a group; before that it is when they lapse.
    ended_by: Option<Timestamp>,
    /// Whether it is kept when they lapse: their sender says so again and again while they fire.
    keeps_lapse: bool,
}

pub(super) fn read<'a>(shape: Shape<'a>, source: Source, context: &Context) -> AlertReading<'a> {
    let external_url = link::absolute(shape.external_url.0, "");
    let rule = if source == Source::Grafana {
        Rule::of_grafana(context, &external_url, &shape.org_id.0)
    } else {
        Rule::new(context)
    };
    let base = if source == Source::Grafana { &*external_url } else { "" };
    let mut group = Group {
        base,
        status: status(&shape.status.0),
        labels: shape.common_labels.0,
        annotations: shape.common_annotations.0,
        known_by: None,
        room_bytes: LENT_BYTES_MAX,
        zone: &context.timezone,
        keep_labels: &context.keep_labels,
        ended_by: shape.is_bare.then_some(context.received_at),
        keeps_lapse: source == Source::Prometheus,
    };
    let truncated: u64 = shape.truncated_alerts.0.parse().unwrap_or(0);
    // One alert, said again and again: it is told, and how often it was left out is told with it.
    let repeated = u64::try_from(shape.alerts.blank).unwrap_or(u64::MAX);
    let raw_alerts = shape.alerts.items.unwrap_or_default();
    let mut has_replicas = false;
    let alerts = raw_alerts.into_iter().enumerate().map(|(place, mut raw)| {
        has_replicas |= rule.ignores_some(&raw.labels.pairs);
        let mut alert = alert(&mut raw, &mut group, &rule);
        if source == Source::Grafana {
            if grafana::is_test(&alert) {
                Identity::of_test(context.id, place).name(&mut alert);
            }
            grafana::complete(&mut alert, raw, base);
        }
        alert
    });
    let mut alerts: Vec<_> = alerts.collect();
    if has_replicas {
        drop_ends_of_replicas(&mut alerts);
    }
    let notice = if source == Source::Grafana {
        grafana::notice(shape.title.0, shape.message.0, &alerts)
    } else {
        Notice::default()
    };
    AlertReading {
        receiver: named(quote_meta::unquoted(shape.receiver.0)),
        group_key: shape.group_key.0,
        group_labels: shape.group_labels.0,
        external_url,
        truncated: truncated.saturating_add(repeated),
        notice,
        is_repeat: shape.notification_reason.0 == REPEAT_REASON,
        alerts,
    }
}

/// The receiver the sender means. `default` is what people call the one for everything nothing else takes: it says
/// that nothing was chosen, so the routes choose.
fn named(receiver: Cow<'_, str>) -> Cow<'_, str> {
    if receiver == DEFAULT_RECEIVER { Cow::Borrowed("") } else { receiver }
}

/// While one replica says that an alert fires, it does, whatever another says in the same body.
fn drop_ends_of_replicas(alerts: &mut Vec<Alert<'_>>) {
    let firing = alerts.iter().filter(|alert| alert.status == Status::Firing);
    let firing: HashSet<_> = firing.map(|alert| alert.fingerprint.clone().into_owned()).collect();
    alerts.retain(|alert| alert.status == Status::Firing || !firing.contains(&alert.fingerprint));
}

fn alert<'a>(raw: &mut RawAlert<'a>, group: &mut Group<'_, 'a>, rule: &Rule<'_>) -> Alert<'a> {
    let identity = identity(raw, group, rule);
    let mut pairs = take(&mut raw.labels.pairs);
    if rule.ignores_some(&pairs) {
        pairs.retain(|(name, _)| !rule.ignores(name));
    }
    let all = pairs.len();
    // What is kept of too many labels before the others.
    let is_wanted = |name: &str| WANTED.contains(&name) || group.keep_labels.iter().any(|kept| kept == name);
    let own = Labels::chosen(pairs, is_wanted);
    let labels_left_out = all - own.len();
    let labels = or_common(own, &group.labels, &mut group.room_bytes);
    let mut annotations = or_common(take(&mut raw.annotations.0), &group.annotations, &mut group.room_bytes);
    say_left_out(&mut annotations, labels_left_out);
    // Rather told once too often than not at all: a status nobody knows is a firing one.
    let ended = time::instant(&raw.ends_at.0, group.zone);
    let has_ended = ended.is_some_and(|ended| group.ended_by.is_some_and(|now| ended <= now));
    let known = status(&raw.status.0).or(group.status).or(has_ended.then_some(Status::Resolved));
    let status = known.unwrap_or(Status::Firing);
    Alert {
        fingerprint: identity.fingerprint,
        former: identity.former,
        status,
        starts_at: time::instant(&raw.starts_at.0, group.zone),
        ends_at: match status {
            // Some senders put the time here at which the alert would lapse.
            Status::Firing => ended.filter(|_| group.keeps_lapse),
            Status::Resolved => ended,
        },
        labels,
        annotations,
        generator_url: link::absolute(take(&mut raw.generator_url.0), group.base),
        links: Links::default(),
        mention: Mention::default(),
    }
}

/// Says how many labels were too many, if any were. Where there is no room for that, annotations make some, which is said, too.
fn say_left_out(annotations: &mut Labels<'_>, labels: usize) {
    if labels == 0 || annotations.insert_if_absent(LABELS_LEFT_OUT.into(), labels.to_string().into()) {
        return;
    }
    let own = annotations.make_room(LEFT_OUT_PAIRS, LEFT_OUT_BYTES);
    for (name, left_out) in [(LABELS_LEFT_OUT, labels), (ANNOTATIONS_LEFT_OUT, own)] {
        annotations.insert_if_absent(name.into(), left_out.to_string().into());
    }
}

/// The two words Alertmanager uses, in any case; `None` for anything else.
fn status(text: &str) -> Option<Status> {
    [Status::Firing, Status::Resolved].into_iter().find(|status| text.eq_ignore_ascii_case(status.as_str()))
}

/// What all alerts have in common is also what an alert without anything has, as long as there is room.
fn or_common<'a>(own: Labels<'a>, common: &Labels<'a>, room_bytes: &mut usize) -> Labels<'a> {
    if !own.is_empty() {
        return own;
    }
    let bytes: usize = common.iter().map(|(name, value)| PAIR_BYTES + name.len() + value.len()).sum();
    match room_bytes.checked_sub(bytes) {
        Some(left) => {
            *room_bytes = left;
            common.clone()
        }
        None => own,
    }
}

/// Before 0.19 Alertmanager sent no fingerprint. An alert without labels of its own is known by its annotations
/// too, or all such alerts would be taken for one. What it is lent counts, whether there was room for it or not.
fn identity<'a>(raw: &mut RawAlert<'a>, group: &mut Group<'_, 'a>, rule: &Rule<'_>) -> Identity<'a> {
    let named = Fingerprint::own(take(&mut raw.fingerprint.0));
    if !raw.labels.pairs.is_empty() {
        return rule.of_labelled(Labelled {
            named,
            pairs: &raw.labels.pairs,
            beyond: raw.labels.beyond.as_ref(),
            rule: grafana::rule_of(raw),
        });
    }
    let Group { labels, annotations, .. } = group;
    let common = || [known_by("commonLabels", labels), known_by("commonAnnotations", annotations)];
    let [labels, annotations] = group.known_by.get_or_insert_with(common);
    let own = &raw.annotations.0;
    let annotations = if own.is_empty() { &*annotations } else { own };
    rule.of_unlabelled(named, Fingerprint::of_pairs(labels.iter().chain(annotations.iter())))
}

fn known_by<'a>(name: &'static str, common: &Labels<'a>) -> Labels<'a> {
    let bytes: usize = common.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes <= COMMON_HASHED_BYTES_MAX {
        return common.clone();
    }
    let hash = Fingerprint::of_pairs(common.iter());
    [(name.into(), hash.as_str().to_owned().into())].into_iter().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::sync::Arc;

    use model::alert::LABELS_MAX;

    use super::super::test_context::context;
    use super::*;

    fn read_group(body: &str) -> AlertReading<'_> {
        read(Shape::read(body).unwrap().unwrap(), Source::Alertmanager, &context())
    }

    #[test]
    fn the_name_default_says_nothing_and_any_other_is_meant() {
        for (name, meant) in [
            ("default", ""),
            ("", ""),
            ("Default", "Default"),
            ("default-ops", "default-ops"),
            ("ops", "ops"),
        ] {
            let body = format!(r#"{{"receiver":"{name}","alerts":[]}}"#);
            for source in [Source::Alertmanager, Source::Grafana] {
                assert_eq!(
                    read(Shape::read(&body).unwrap().unwrap(), source, &context()).receiver,
                    meant,
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn what_is_lent_has_a_limit_and_who_an_alert_is_does_not_depend_on_it() {
        let value = "x".repeat(8000);
        let alerts = vec![r#"{"annotations":{"summary":"same"}}"#; 1000].join(",");
        let body = format!(r#"{{"commonLabels":{{"alertname":"Down","a":"{value}"}},"alerts":[{alerts}]}}"#);
        let alerts = read_group(&body).alerts;
        let lent = alerts.iter().filter(|alert| alert.labels.get("alertname") == Some("Down")).count();
        assert!((1..100).contains(&lent) && alerts.len() == 1000, "{lent}");
        assert_eq!(alerts.iter().map(|alert| &alert.fingerprint).collect::<HashSet<_>>().len(), 1);
    }

    #[test]
    fn large_common_labels_are_told_apart_by_their_hash() {
        let body = |value: &str, summary: &str| {
            let value = value.repeat(2000);
            format!(
                r#"{{"commonLabels":{{"a":"{value}"}},"alerts":[{{"annotations":{{"summary":"{summary}"}}}}]}}"#
            )
        };
        let known_by = |body: &str| read_group(body).alerts[0].fingerprint.as_str().to_owned();
        let one = known_by(&body("x", "1"));
        assert_eq!(one, known_by(&body("x", "1")));
        assert!(one != known_by(&body("y", "1")) && one != known_by(&body("x", "2")));
    }

    #[test]
    fn only_a_repeat_for_its_own_sake_is_one() {
        let reasons = ["first notification", "new alerts added", "all alerts resolved", "unknown", ""];
        for (reason, is_repeat) in
            reasons.map(|reason| (reason, false)).into_iter().chain([(REPEAT_REASON, true)])
        {
            let body = format!(r#"{{"notification_reason":"{reason}","alerts":[]}}"#);
            assert_eq!(read_group(&body).is_repeat, is_repeat, "{reason}");
        }
        assert!(!read_group(r#"{"alerts":[]}"#).is_repeat);
    }

    #[test]
    fn alerts_in_an_array_of_their_own_are_over_once_their_end_has_come() {
        let alert = |end: &str| {
            format!(r#"{{"labels":{{"a":"{end}"}},"endsAt":"{end}","status":{{"state":"active"}}}}"#)
        };
        let ends = ["2026-03-02T07:00:00Z", "2026-03-02 16:00:00", "0001-01-01T00:00:00Z"];
        let body = format!("[{}]", ends.map(alert).join(","));
        let context = Context {
            received_at: "2026-03-02T07:16:00Z".parse().unwrap(),
            timezone: TimeZone::get("Asia/Shanghai").unwrap(),
            ..context()
        };
        let alerts = read(Shape::read(&body).unwrap().unwrap(), Source::Alertmanager, &context).alerts;
        let states: Vec<_> = alerts.iter().map(|alert| alert.status).collect();
        assert_eq!(states, [Status::Resolved, Status::Firing, Status::Firing]);
    }

    #[test]
    fn of_too_many_labels_those_that_something_goes_by_are_kept_and_it_is_said_how_many_are_not() {
        let pairs =
            |count: usize| (0..count).map(|n| format!(r#""a{n:02}":"x""#)).collect::<Vec<_>>().join(",");
        let body = format!(
            r#"{{"alerts":[{{"labels":{{{},"severity":"page","tenant":"t"}},"annotations":{{{}}}}}]}}"#,
            pairs(80),
            pairs(70)
        );
        let context = Context { keep_labels: Arc::from(["tenant".to_owned()]), ..context() };
        let alerts = read(Shape::read(&body).unwrap().unwrap(), Source::Alertmanager, &context).alerts;
        let [labels, annotations] = [&alerts[0].labels, &alerts[0].annotations];
        assert_eq!((labels.get("severity"), labels.get("tenant")), (Some("page"), Some("t")));
        assert_eq!(labels.len(), LABELS_MAX);
        let left_out = [LABELS_LEFT_OUT, ANNOTATIONS_LEFT_OUT].map(|name| annotations.get(name));
        assert_eq!((left_out, annotations.len()), ([Some("18"), Some("8")], LABELS_MAX));
    }

    #[test]
    fn alerts_about_nothing_are_told_some_times_and_counted_after_that() {
        let body = format!(r#"{{"truncatedAlerts":3,"alerts":[{}{{}}]}}"#, "{},".repeat(104));
        let reading = read_group(&body);
        assert_eq!((reading.alerts.len(), reading.truncated), (100, 8));
    }
}
