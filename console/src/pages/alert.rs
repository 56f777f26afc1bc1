//! The life of one alert: everything that happened to it, in its order, for each receiver.

use maud::{Markup, html};

use crate::data::{AlertEvent, AlertLife, AlertStanding, AlertWait};
use crate::frame::{Frame, Section, Sheet};
use crate::links::{labels_list, outcome_of, tone_of};
use crate::parts::{nothing, number};

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 5;

pub(crate) fn alert(frame: &Frame<'_>, data: &AlertLife) -> Sheet {
    let newest = data.events.first();
    let name = newest.map(|event| event.name.as_str()).filter(|name| !name.is_empty());
    let title = name.unwrap_or(&data.identity).to_owned();
    Sheet {
        title: title.clone(),
        section: Some(Section::Alerts),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (title) @if let Some(event) = newest { " " (outcome_of(frame.language, &event.status, None)) } }
            section.panel aria-label=(frame.say("Who it is", "标识")) {
                p { code { (data.identity) } " " button.quiet type="button" data-copy=(data.identity) { (frame.say("copy", "复制")) } }
                @if let Some(event) = newest { (labels_list(&event.labels, Some(frame))) }
                (leads(frame, data))
            }
            @if !data.standings.is_empty() {
                section.panel aria-labelledby="now" {
                    h2 #now { (frame.say("How it stands now", "当前状态")) }
                    @for standing in &data.standings { (stands(frame, standing)) }
                }
            }
            section.panel aria-labelledby="life" {
                h2 #life { (frame.say("What happened, the newest first", "经过（最新的在前）")) }
                @if data.events.is_empty() {
                    (nothing(frame.say("The history knows nothing of it: it never came, or it was too long ago.", "历史中没有记录：从未收到，或已超过保留期。")))
                }
                ol.line { @for event in &data.events { (one(frame, event)) } }
                @if data.has_more { p.soft { (frame.say("More happened before that.", "更早还有其他记录。")) } }
            }
            @if !data.dead_letters.is_empty() {
                section.panel aria-labelledby="letters" {
                    h2 #letters { (frame.say("Dead letters it is in", "所在的死信")) }
                    ul { @for letter in &data.dead_letters {
                        li {
                            a href=(frame.to(&format!("/dead-letters/{}", letter.id))) { (letter.id) } " "
                            (frame.time(letter.last_failed_at)) " " (letter.reason) " "
                            (outcome_of(frame.language, &letter.state, letter.outcome.as_deref()))
                        }
                    } }
                }
            }
        },
    }
}

/// Where to look further.
fn leads(frame: &Frame<'_>, data: &AlertLife) -> Markup {
    html! {
        @if !data.log_links.is_empty() || data.silence_matchers.is_some() {
            div.actions {
                @for link in &data.log_links {
                    a.button href=(link.url) rel="noreferrer" {
                        @if link.is_errors_only { (frame.say("Errors in the logs", "错误日志")) } @else { (frame.say("Logs", "日志")) }
                    }
                }
                @if let Some(matchers) = &data.silence_matchers {
                    a.button href=(frame.new_silence(matchers)) { (frame.say("Silence it", "静默")) }
                }
            }
        }
    }
}

fn stands(frame: &Frame<'_>, standing: &AlertStanding) -> Markup {
    html! {
        h3 { @if standing.receiver.is_empty() { (frame.say("no receiver", "没有接收方")) } @else { (standing.receiver) } }
        dl.facts {
            dt { (frame.say("Delivered last", "最近送达")) }
            dd {
                @match (&standing.delivered_status, standing.delivered_at) {
                    (Some(status), Some(at)) => { (outcome_of(frame.language, status, None)) " " (frame.time(at)) },
                    _ => (frame.say("never, as far as is remembered", "没有记录")),
                }
            }
            @if let Some(AlertWait { since, until, reason, envelope }) = &standing.waits {
                dt { (frame.say("Waits", "等待中")) }
                dd {
                    @match until {
                        Some(until) => { strong { (frame.say("put aside until ", "延后至 ")) (frame.time(*until)) } },
                        None => strong { (frame.say("in hand", "处理中")) },
                    }
                    ", " (frame.since(*since)) @if !reason.is_empty() { ": " (reason) }
                    " " span.soft { "envelope " code { (envelope) } }
                }
            }
            @if let (Some(who), Some(at)) = (&standing.acknowledged_by, standing.acknowledged_at) {
                dt { (frame.say("Acknowledged", "已认领")) }
                dd { (who) ", " (frame.since(at)) }
            }
            @if let Some(until) = standing.silenced_until {
                dt { (frame.say("Silenced", "已静默")) }
                dd { (frame.say("until ", "至 ")) (frame.time(until)) @if let Some(by) = &standing.silenced_by { ", " (by) } }
            }
        }
    }
}

fn one(frame: &Frame<'_>, event: &AlertEvent) -> Markup {
    html! {
        li.(tone_of(&event.outcome, None)) {
            p {
                (outcome_of(frame.language, &event.outcome, None)) " "
                (outcome_of(frame.language, &event.status, None)) " "
                strong { (event.receiver) } " " (frame.time(event.at))
                @if event.times > 1 { " – " (frame.time(event.last_at)) ", " (number(event.times)) (frame.say(" times", " 次")) }
            }
            @if let Some(reason) = &event.reason { p { (reason) @if let Some(code) = event.code { " (" (code) ")" } } }
            @if let Some(until) = event.until { p { (frame.say("put aside until ", "延后至 ")) (frame.time(until)) } }
            p.soft {
                @if let Some(card) = &event.card { (frame.say("card ", "卡片 ")) a href=(frame.card(card)) { code { (card) } } " " }
                @if let Some(bot) = &event.bot { (frame.say("by bot ", "经机器人 ")) (bot) " " }
                @if event.attempts > 0 { (number(event.attempts)) (frame.say(" failed attempts ", " 次失败尝试 ")) }
                "envelope " code { (event.envelope) }
                @if let Some(by) = &event.by { (frame.say(", delivered by envelope ", "，由该 envelope 送达 ")) code { (by) } }
            }
        }
    }
}
