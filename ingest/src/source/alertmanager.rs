//! Alertmanager's webhook, version 4, and everything that imitates it; Grafana's unified alerting sends the same
//! with additions. Older and foreign senders leave out or misspell nearly every field, so none is relied on.

use std::borrow::Cow;
use std::mem::take;

use shared::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use shared::config::DEFAULT_RECEIVER;
use shared::envelope::Source;

use super::reading::Reading;
use super::shape::{RawAlert, Shape};
use super::{grafana, link, quote_meta, time};

/// What the alerts of one body are lent of what they have in common, all together, in bytes. Real senders repeat it
/// in each alert; without a limit a few bytes an alert would become the whole of it, 100 000 times.
const LENT_BYTES_MAX: usize = 128 * 1024;
/// What a pair takes beside its text, in bytes.
const PAIR_BYTES: usize = 48;

/// How much of what alerts have in common is hashed for each that has nothing of its own, in bytes. Of more, its own
/// hash is: 100 000 alerts of a few bytes would keep a processor busy for seconds.
const COMMON_HASHED_BYTES_MAX: usize = 1024;

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
}

pub(super) fn read(shape: Shape<'_>, source: Source) -> Reading<'_> {
    let external_url = link::absolute(shape.external_url.0, "");
    let base = if source == Source::Grafana { &*external_url } else { "" };
    let mut group = Group {
        base,
        status: status(&shape.status.0),
        labels: shape.common_labels.0,
        annotations: shape.common_annotations.0,
        known_by: None,
        room_bytes: LENT_BYTES_MAX,
    };
    let truncated: u64 = shape.truncated_alerts.0.parse().unwrap_or(0);
    // One alert, said again and again: it is told, and how often it was left out is told with it.
    let repeated = u64::try_from(shape.alerts.blank).unwrap_or(u64::MAX);
    let raw_alerts = shape.alerts.items.unwrap_or_default();
    let alerts = raw_alerts.into_iter().map(|mut raw| {
        let mut alert = alert(&mut raw, &mut group);
        if source == Source::Grafana {
            grafana::complete(&mut alert, raw, base);
        }
        alert
    });
    let alerts = alerts.collect();
    Reading {
        receiver: named(quote_meta::unquoted(shape.receiver.0)),
        group_key: shape.group_key.0,
        group_labels: shape.group_labels.0,
        external_url,
        truncated: truncated.saturating_add(repeated),
        alerts,
    }
}

/// The receiver the sender means. `default` is what people call the one for everything nothing else takes: it says
/// that nothing was chosen, so the routes choose.
fn named(receiver: Cow<'_, str>) -> Cow<'_, str> {
    if receiver == DEFAULT_RECEIVER { Cow::Borrowed("") } else { receiver }
}

fn alert<'a>(raw: &mut RawAlert<'a>, group: &mut Group<'_, 'a>) -> Alert<'a> {
    let fingerprint =
        Fingerprint::own(take(&mut raw.fingerprint.0)).unwrap_or_else(|| fingerprint(raw, group));
    let labels = or_common(take(&mut raw.labels.0), &group.labels, &mut group.room_bytes);
    let annotations = or_common(take(&mut raw.annotations.0), &group.annotations, &mut group.room_bytes);
    // Rather told once too often than not at all: a status nobody knows is a firing one.
    let status = status(&raw.status.0).or(group.status).unwrap_or(Status::Firing);
    Alert {
        fingerprint,
        status,
        starts_at: time::instant(&raw.starts_at.0),
        ends_at: match status {
            // Some senders put the time here at which the alert would lapse.
            Status::Firing => None,
            Status::Resolved => time::instant(&raw.ends_at.0),
        },
        labels,
        annotations,
        generator_url: link::absolute(take(&mut raw.generator_url.0), group.base),
        links: Links::default(),
        mention: Mention::default(),
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
fn fingerprint(raw: &RawAlert<'_>, group: &mut Group<'_, '_>) -> Fingerprint<'static> {
    let own = &raw.labels.0;
    if !own.is_empty() {
        return Fingerprint::of_pairs(own.iter());
    }
    let Group { labels, annotations, .. } = group;
    let common = || [known_by("commonLabels", labels), known_by("commonAnnotations", annotations)];
    let [labels, annotations] = group.known_by.get_or_insert_with(common);
    let annotations = if raw.annotations.0.is_empty() { &*annotations } else { &raw.annotations.0 };
    Fingerprint::of_pairs(labels.iter().chain(annotations.iter()))
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

    use super::*;

    fn read_group(body: &str) -> Reading<'_> {
        read(Shape::read(body).unwrap().unwrap(), Source::Alertmanager)
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
                assert_eq!(read(Shape::read(&body).unwrap().unwrap(), source).receiver, meant, "{name}");
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
    fn alerts_about_nothing_are_told_some_times_and_counted_after_that() {
        let body = format!(r#"{{"truncatedAlerts":3,"alerts":[{}{{}}]}}"#, "{},".repeat(104));
        let reading = read_group(&body);
        assert_eq!((reading.alerts.len(), reading.truncated), (100, 8));
    }
}
