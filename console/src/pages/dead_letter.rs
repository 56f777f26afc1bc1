//! One dead letter: why it could not be delivered, what is in it, what can be done.

use maud::{Markup, html};

use crate::data::{DeadLetterAlert, DeadLetterDetail, DeadLetterRow};
use crate::frame::{Frame, Section, Sheet};
use crate::links::{labels_list, outcome_of};
use crate::parts::{drawn_card, nothing, number};

use super::dead_letters::reason_field;

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 5;

pub(crate) fn dead_letter(frame: &Frame<'_>, data: &DeadLetterDetail) -> Sheet {
    let letter = &data.letter;
    let title = format!("{} {}", frame.say("Dead letter", "死信"), letter.id);
    Sheet {
        title: title.clone(),
        section: Some(Section::DeadLetters),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (title) " " (outcome_of(frame.language, &letter.state, letter.outcome.as_deref())) }
            (why(frame, data))
            @if frame.identity.may_act() && ["waiting", "replaying"].contains(&letter.state.as_str()) { (actions(frame, letter)) }
            (contents(frame, &data.contents))
            (texts(frame, data))
        },
    }
}

fn why(frame: &Frame<'_>, data: &DeadLetterDetail) -> Markup {
    let DeadLetterRow { receiver, reason, code, message, attempts, source, envelope, changed_at, .. } =
        &data.letter;
    html! {
        section.panel aria-labelledby="why" {
            h2 #why { (frame.say("Why", "原因")) }
            dl.facts {
                dt { (frame.say("Receiver", "接收方")) }
                dd { @if receiver.is_empty() { (frame.say("not known", "未知")) } @else { (receiver) } }
                dt { (frame.say("Reason", "原因")) }
                dd { (reason) @if let Some(code) = code { ", Feishu " (code) } }
                dt { (frame.say("What was said", "返回信息")) }
                dd { code { (message) } }
                @if let Some(advice) = &data.advice {
                    dt { (frame.say("What to do", "处理建议")) }
                    dd { strong { (frame.language.say(advice.en, advice.zh)) } }
                }
                dt { (frame.say("First failed", "首次失败")) }
                dd { (frame.time(data.letter.first_failed_at)) }
                dt { (frame.say("Last failed", "最近失败")) }
                dd { (frame.time(data.letter.last_failed_at)) ", " (number(*attempts)) (frame.say(" attempts", " 次尝试")) }
                dt { (frame.say("Format", "格式")) }
                dd { (source.as_deref().unwrap_or("–")) }
                @if let Some(envelope) = envelope {
                    dt { "Envelope" }
                    dd { code { (envelope) } " " button.quiet type="button" data-copy=(envelope) { (frame.say("copy", "复制")) } }
                }
                @if let Some(action) = &data.action {
                    dt { (frame.say("Last action", "最近操作")) }
                    dd {
                        a href=(frame.to(&format!("/actions/{}", action.id))) { (action.action) }
                        ", " (action.who) ", " (frame.time(*changed_at))
                        @if let Some(reason) = &action.reason { ": " (reason) }
                    }
                }
            }
        }
    }
}

fn actions(frame: &Frame<'_>, letter: &DeadLetterRow) -> Markup {
    html! {
        section.panel aria-labelledby="act" {
            h2 #act { (frame.say("What to do with it", "处理")) }
            form method="post" action=(frame.to("/dead-letters/replay")) {
                (frame.form_token())
                input type="hidden" name="id" value=(letter.id);
                div.actions {
                    (reason_field(frame, "reason"))
                    @if letter.is_whole {
                        button.main type="submit" { (frame.say("Send again", "重新发送")) }
                        button type="submit" name="anyway" value="1" { (frame.say("Send even if delivered since", "即使已送达也发送")) }
                    }
                    button.grave type="submit" formaction=(frame.to("/dead-letters/discard")) { (frame.say("Discard", "丢弃")) }
                }
                @if !letter.is_whole { p.soft { (frame.say("It was too large to be kept whole and cannot be sent again.", "内容过大，未完整保留，无法重新发送。")) } }
            }
        }
    }
}

fn contents(frame: &Frame<'_>, alerts: &[DeadLetterAlert]) -> Markup {
    html! {
        section.panel aria-labelledby="alerts" {
            h2 #alerts { (frame.say("Alerts in it", "其中的告警")) }
            @if alerts.is_empty() { (nothing(frame.say("It cannot be read; its bytes are below.", "无法解析；原始内容见下。"))) }
            ul.line {
                @for alert in alerts {
                    li.(if alert.status == "resolved" { "good" } else { "bad" }) {
                        p { a href=(frame.alert(&alert.identity)) { @if alert.name.is_empty() { (alert.identity) } @else { (alert.name) } } " " span.soft { (alert.status) } }
                        (labels_list(&alert.labels, Some(frame)))
                    }
                }
            }
        }
    }
}

fn texts(frame: &Frame<'_>, data: &DeadLetterDetail) -> Markup {
    html! {
        @if let Some(card) = &data.refused_card {
            section.panel aria-labelledby="refused" {
                h2 #refused { (frame.say("The card that was refused", "被拒收的卡片")) }
                (drawn_card(card))
                details { summary { (frame.say("Its JSON", "卡片 JSON")) } pre tabindex="0" { (card) } }
            }
        }
        section.panel {
            details { summary { (frame.say("What is in it", "原始内容")) } pre { (data.payload) }
                button type="button" data-copy=(data.payload) { (frame.say("Copy", "复制")) } }
        }
    }
}
