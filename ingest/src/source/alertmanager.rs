//! Alertmanager's webhook, version 4, and everything that imitates it; Grafana's unified alerting sends the same
//! with additions. Older and foreign senders leave out or misspell nearly every field, so none is relied on.

use std::mem::take;

use shared::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use shared::envelope::Source;

use super::reading::Reading;
use super::shape::{RawAlert, Shape};
use super::{grafana, link, quote_meta, time};

/// What an alert is given where it has nothing of its own.
struct Group<'b, 'a> {
    /// What relative links are relative to. Alertmanager's own address is not that: its links lead to Prometheus.
    base: &'b str,
    status: Option<Status>,
    labels: Labels<'a>,
    annotations: Labels<'a>,
}

pub(super) fn read(shape: Shape<'_>, source: Source) -> Reading<'_> {
    let external_url = link::absolute(shape.external_url.0, "");
    let base = if source == Source::Grafana { &*external_url } else { "" };
    let group = Group {
        base,
        status: status(&shape.status.0),
        labels: shape.common_labels.0,
        annotations: shape.common_annotations.0,
    };
    let raw_alerts = shape.alerts.items.unwrap_or_default();
    let alerts = raw_alerts.into_iter().map(|mut raw| {
        let mut alert = alert(&mut raw, &group);
        if source == Source::Grafana {
            grafana::complete(&mut alert, raw, base);
        }
        alert
    });
    let alerts = alerts.collect();
    Reading {
        receiver: quote_meta::unquoted(shape.receiver.0),
        group_key: shape.group_key.0,
        group_labels: shape.group_labels.0,
        external_url,
        truncated: shape.truncated_alerts.0.parse().unwrap_or(0),
        alerts,
    }
}

fn alert<'a>(raw: &mut RawAlert<'a>, group: &Group<'_, 'a>) -> Alert<'a> {
    let own_labels = take(&mut raw.labels.0);
    let nameless = own_labels.is_empty();
    let labels = or_common(own_labels, &group.labels);
    let annotations = or_common(take(&mut raw.annotations.0), &group.annotations);
    // Rather told once too often than not at all: a status nobody knows is a firing one.
    let status = status(&raw.status.0).or(group.status).unwrap_or(Status::Firing);
    Alert {
        fingerprint: Fingerprint::own(take(&mut raw.fingerprint.0))
            .unwrap_or_else(|| fingerprint(&labels, &annotations, nameless)),
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

/// What all alerts have in common is also what an alert without anything has.
fn or_common<'a>(own: Labels<'a>, common: &Labels<'a>) -> Labels<'a> {
    if own.is_empty() { common.clone() } else { own }
}

/// Before 0.19 Alertmanager sent no fingerprint. An alert without labels of its own is known by its annotations
/// too, or all such alerts would be taken for one.
fn fingerprint(labels: &Labels<'_>, annotations: &Labels<'_>, nameless: bool) -> Fingerprint<'static> {
    let annotations = annotations.iter().filter(|_| nameless);
    Fingerprint::of_pairs(labels.iter().chain(annotations))
}
