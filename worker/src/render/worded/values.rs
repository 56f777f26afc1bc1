//! What a template can say something with. Every text from an alert is cleaned before it gets there; that it is data
//! is seen to where it comes out. Pure.

use std::borrow::Cow;

use jiff::Timestamp;
use minijinja::Value;
use model::alert::Status;

use crate::link::{self, Link, LinkContext, LinkKind};
use crate::people::person::is_somebodys_number;
use crate::render::alert_view::AlertView;
use crate::render::escape::clean;
use crate::render::item::Item;
use crate::render::links::of as links_of;
use crate::render::template::{OF_ALERT, OF_CARD};
use crate::render::view::View;
use crate::render::{header, owners, severity, times};

/// How much of one text is given to a template, in characters.
const VALUE_CHARACTERS_MAX: usize = 2_000;

/// How many different names a title is given.
const NAMES_MAX: usize = 10;

/// Of one alert that is told in detail.
pub(super) fn of_alert(view: &View<'_>, alert_view: &AlertView<'_>, receiver: &str) -> Value {
    Value::from_pairs(pairs(view, &alert_view.item, &links_of(view, alert_view), receiver))
}

/// Of a card; nothing where there is nothing on it.
pub(super) fn of_card(view: &View<'_>, receiver: &str) -> Option<Value> {
    let worst = view.summary.worst?;
    let links = link::of(worst.alert, LinkContext::of(worst.envelope, view.now), view.links);
    let mut pairs = pairs(view, &worst, &links, receiver);
    let (names, _) = view.summary.names(NAMES_MAX);
    let of_card = [
        Value::from(view.summary.all.firing),
        Value::from(view.summary.all.resolved),
        names.iter().map(|group| text(group.name)).collect(),
        header::badge(view).trim_end().into(),
    ];
    pairs.extend(OF_CARD.into_iter().zip(of_card));
    Some(Value::from_pairs(pairs))
}

/// The addresses of an alert that may be linked to.
pub(super) fn links(view: &View<'_>, alert_view: &AlertView<'_>) -> Vec<String> {
    links_of(view, alert_view).into_iter().map(|link| link.url).collect()
}

fn pairs(view: &View<'_>, item: &Item<'_>, found: &[Link], receiver: &str) -> Vec<(&'static str, Value)> {
    let alert = item.alert;
    let words = view.words;
    let alert_text = item.text();
    let (severity, said) = severity::of(item, view.severities);
    let reason = item.state_reason().map(|reason| words.reason(reason)).unwrap_or_default();
    let time = |at: Option<Timestamp>| at.map(|at| times::shown(at, view.timezone)).unwrap_or_default();
    let status_name = if item.is_firing() { words.firing } else { words.resolved };
    let duration = times::length(alert, view.now).map(|span| words.duration(span)).unwrap_or_default();
    let links = found.iter().map(|link| (key_of(link.kind), link.url.as_str()));
    let link_list = found.iter().map(|link| {
        let name = crate::render::links::name(link, words);
        Value::from_pairs([("kind", key_of(link.kind)), ("name", &*name), ("url", &link.url)])
    });
    let texts = |pairs: &model::alert::Labels<'_>| {
        // No card shows by which number people are called, a template's neither.
        let shown = pairs.iter().filter(|(name, value)| !is_somebodys_number(name, value));
        Value::from_pairs(shown.map(|(name, value)| (name.to_owned(), text(value))))
    };
    let values = [
        alert.status.as_str().into(),
        status_name.into(),
        severity.as_str().into(),
        text(severity.word(said, words)),
        text(alert_text.name),
        text(item.place()),
        text(alert_text.summary),
        text(alert_text.description),
        texts(&alert.labels),
        texts(&alert.annotations),
        text(alert.fingerprint.as_str()),
        time(alert.starts_at).into(),
        time(alert.ends_at.filter(|_| alert.status == Status::Resolved)).into(),
        time(Some(item.envelope.received_at)).into(),
        duration.into(),
        item.is_reminder().into(),
        Value::from_pairs(links),
        link_list.collect(),
        owners::names(view).into_iter().map(Value::from).collect(),
        receiver.into(),
        item.envelope.source.as_str().into(),
        view.summary.all.total().into(),
        reason.into(),
        text(&*item.envelope.notice.title),
        text(&*item.envelope.notice.message),
    ];
    OF_ALERT.into_iter().zip(values).collect()
}

fn text<'t>(text: impl Into<Cow<'t, str>>) -> Value {
    Value::from(clean(&text.into(), VALUE_CHARACTERS_MAX))
}

const fn key_of(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Logs => "logs",
        LinkKind::Errors => "errors",
        LinkKind::Source => "source",
        LinkKind::Dashboard => "dashboard",
        LinkKind::Panel => "panel",
        LinkKind::Runbook => "runbook",
        LinkKind::Image => "image",
        LinkKind::Silence => "silence",
        LinkKind::Annotated => "link",
    }
}
