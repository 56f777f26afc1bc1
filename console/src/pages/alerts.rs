//! What became of alerts: found by name, labels, receiver, outcome, card and time.

use maud::{Markup, html};
use model::matcher::Query;
use serde::Serialize;

use crate::data::{AlertEvent, AlertPage};
use crate::frame::{Frame, Section, Sheet};
use crate::links::{filter_form, outcome_of};
use crate::parts::{nothing, number};

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 10;

/// The page's data.
#[derive(Debug, Serialize)]
pub(crate) struct AlertsView {
    /// The filter, as it was read.
    pub(crate) query: String,
    #[serde(flatten)]
    pub(crate) page: AlertPage,
}

pub(crate) fn alerts(frame: &Frame<'_>, data: &AlertsView) -> Sheet {
    let title = frame.say("Alerts", "告警").to_owned();
    let AlertPage { events, before, looked_at } = &data.page;
    Sheet {
        title: title.clone(),
        section: Some(Section::Alerts),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (title) }
            (filter_form(frame, "/alerts", &data.query, r#"alertname="DiskFull", @receiver=ops, @outcome=deferred, @age<2h"#))
            section.panel aria-label=(frame.say("What became of them", "去向")) {
                @if events.is_empty() {
                    (nothing(frame.say("Nothing is known of such alerts.", "没有此类告警的记录。")))
                } @else {
                    (table(frame, events))
                }
                @if let Some(looked_at) = looked_at {
                    p.soft { (frame.say("Only so many entries were looked at: ", "只查看了这么多条：")) (number(i64::try_from(*looked_at).unwrap_or(i64::MAX))) (frame.say(". A name, @receiver or @age leads further back.", "。加上名称、@receiver 或 @age 可查得更早。")) }
                }
                @if let Some(before) = before {
                    nav.pager aria-label=(frame.say("Pages of the list", "翻页")) {
                        a.button href=(frame.query.with(&[("before", before)])) rel="next" { (frame.say("Older", "更早")) }
                    }
                }
            }
        },
    }
}

fn table(frame: &Frame<'_>, events: &[AlertEvent]) -> Markup {
    html! {
        div.scroll { table {
            caption { (frame.say("The newest first.", "最新的在前。")) }
            thead { tr {
                th scope="col" { (frame.say("When", "时间")) }
                th scope="col" { (frame.say("Alert", "告警")) }
                th scope="col" { (frame.say("State", "状态")) }
                th scope="col" { (frame.say("Outcome", "结局")) }
                th.wide scope="col" { (frame.say("Receiver", "接收方")) }
                th.wide scope="col" { (frame.say("Why", "原因")) }
            } }
            tbody { @for event in events {
                tr {
                    td { (frame.time(event.last_at)) @if event.times > 1 { " " small { "× " (number(event.times)) } } }
                    td { a.cut href=(frame.alert(&event.identity)) { @if event.name.is_empty() { (event.identity) } @else { (event.name) } } }
                    td { (outcome_of(frame.language, &event.status, None)) }
                    td { (outcome_of(frame.language, &event.outcome, None)) }
                    td.wide { @if event.receiver.is_empty() { "–" } @else { a href=(frame.filtered("/alerts", &Query::default().and("receiver", &event.receiver))) { (event.receiver) } } }
                    td.wide { @if let Some(reason) = &event.reason { span.cut title=(reason) { (reason) } } }
                }
            } }
        } }
    }
}
