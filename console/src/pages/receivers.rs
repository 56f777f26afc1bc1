//! The receivers: how each is doing, in words, and what to do about it.

use maud::{Markup, html};
use serde::Serialize;

use crate::data::{BotSummary, DeliveryError, ReceiverKind, ReceiverSummary};
use crate::frame::{Frame, Section, Sheet};
use crate::language::Language;
use crate::parts::{nothing, number, seconds};

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 5;

/// The page's data.
#[derive(Debug, Serialize)]
pub(crate) struct ReceiversView {
    pub(crate) receivers: Vec<ReceiverSummary>,
}

pub(crate) fn receivers(frame: &Frame<'_>, data: &ReceiversView) -> Sheet {
    let title = frame.say("Receivers", "接收方").to_owned();
    Sheet {
        title: title.clone(),
        section: Some(Section::Receivers),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (title) }
            @if data.receivers.is_empty() {
                (nothing(frame.say("No receiver is configured.", "没有配置接收方。")))
            }
            @for receiver in &data.receivers { (one(frame, receiver)) }
            p.soft {
                (frame.say(
                    "State, errors and what waits in memory are of the process that answers; cards and what is deferred are of all workers.",
                    "状态、错误和内存中的等待数属于应答页面的这个进程；卡片数和延后数属于全部 worker。",
                ))
            }
        },
    }
}

fn one(frame: &Frame<'_>, receiver: &ReceiverSummary) -> Markup {
    let name = &receiver.name;
    html! {
        section.panel aria-label=(name) {
            h2 { (name) " " (receiver.health.badge(frame.language)) " " small { (receiver.kind.name(frame.language)) } }
            dl.facts {
                dt { (frame.say("Cards, last minute", "最近一分钟卡片数")) }
                dd {
                    @if let Some(cards) = receiver.cards_last_minute {
                        meter min="0" max=(receiver.cards_per_minute) value=(cards) high=(receiver.cards_per_minute * 9 / 10) {}
                        " " (number(cards)) (frame.say(" of ", " / ")) (receiver.cards_per_minute)
                    } @else { "–" }
                }
                dt { (frame.say("Waiting here", "在本进程等待")) }
                dd {
                    (number(receiver.alerts_waiting))
                    @if let Some(oldest) = receiver.oldest_waiting_s { (frame.say(", the oldest for ", "，最久已等待 ")) (seconds(oldest)) }
                }
                @if let Some(deferred) = receiver.alerts_deferred {
                    dt { (frame.say("Deferred", "延后")) }
                    dd {
                        (number(deferred))
                        @if let Some(until) = receiver.deferred_until { (frame.say(", the last until ", "，最晚至 ")) (frame.time(until)) }
                    }
                }
                dt { (frame.say("Dead letters", "死信")) }
                dd {
                    @match receiver.dead_letters {
                        Some(0) => "0",
                        Some(letters) => { a href=(frame.letters_of_receiver(name)) { (number(letters)) } },
                        None => "–",
                    }
                }
                dt { (frame.say("Last card taken", "最近一次成功")) }
                dd {
                    @match receiver.delivered_at {
                        Some(at) => { (frame.time(at)) },
                        None => (frame.say("none since this process started", "本进程启动以来没有")),
                    }
                }
                @for bot in &receiver.bots { (bot_facts(frame, bot, receiver)) }
            }
            div.actions {
                a.button href=(frame.history_of_receiver(name)) { (frame.say("Its alerts", "它的告警")) }
                @if frame.identity.may_act() {
                    form method="post" action=(frame.test_of_receiver(&receiver.configured_as)) {
                        (frame.form_token())
                        button type="submit" { (frame.say("Send a test", "发送测试")) }
                    }
                }
            }
        }
    }
}

fn bot_facts(frame: &Frame<'_>, bot: &BotSummary, receiver: &ReceiverSummary) -> Markup {
    html! {
        @if bot.name != receiver.name {
            dt { (frame.say("Bot ", "机器人 ")) (bot.name) }
            dd { (bot.health.badge(frame.language)) @if let Some(since) = bot.since { " " (frame.since(since)) } }
        } @else if let Some(since) = bot.since {
            dt { (frame.say("In trouble since", "异常始于")) }
            dd { (frame.time(since)) }
        }
        @if let Some(error) = &bot.error {
            dt { (frame.say("Last error", "最近一次错误")) }
            dd { (error_text(frame, error)) }
        }
    }
}

fn error_text(frame: &Frame<'_>, error: &DeliveryError) -> Markup {
    html! {
        (frame.time(error.at)) " " code { (error.message) }
        @if let Some(code) = error.code { " (" (code) ")" }
        @if let Some(advice) = error.advice { p { strong { (frame.language.say(advice.en, advice.zh)) } } }
    }
}

impl ReceiverKind {
    const fn name(self, language: Language) -> &'static str {
        match self {
            Self::CustomBot => language.say("custom bot", "自定义机器人"),
            Self::Bots => language.say("several bots of one group", "同一群的多个机器人"),
            Self::AppChat => language.say("chat of the app", "应用机器人的群"),
            Self::Preview => language.say("preview", "预览"),
        }
    }
}
