//! What became of a test of a receiver.

use maud::{Markup, html};

use crate::data::{ReceiverTests, TestAlert, TestState};
use crate::frame::{Frame, Section, Sheet};
use crate::language::Language;

/// Seconds after which it is looked at again, until nothing more becomes of it.
const REFRESHED_S: u32 = 1;

pub(crate) fn receiver_tests(frame: &Frame<'_>, data: &ReceiverTests) -> Sheet {
    let title = format!("{} {}", frame.say("Test of", "测试接收方"), data.receiver);
    let is_over = data.tests.iter().all(|test| test.state.is_final());
    Sheet {
        title: title.clone(),
        section: Some(Section::Receivers),
        refreshed_s: (!is_over).then_some(REFRESHED_S),
        body: html! {
            h1 { (title) }
            @for test in &data.tests { (one(frame, test)) }
            p { a.button href=(frame.to("/receivers")) { (frame.say("Back to the receivers", "返回接收方列表")) } }
        },
    }
}

fn one(frame: &Frame<'_>, test: &TestAlert) -> Markup {
    let state = test.state;
    html! {
        section.panel aria-label=(test.name) {
            h2 { (test.name) " " span.badge.(state.tone()) role="status" { (state.name(frame.language)) } }
            p { (state.sentence(frame.language)) }
            dl.facts {
                @if let Some(message) = &test.message {
                    dt { (frame.say("What was said", "返回信息")) }
                    dd { code { (message) } @if let Some(code) = test.code { " (" (code) ")" } }
                }
                @if let Some(advice) = test.advice {
                    dt { (frame.say("What to do", "处理建议")) }
                    dd { strong { (frame.language.say(advice.en, advice.zh)) } }
                }
                dt { (frame.say("Sent", "发送时间")) }
                dd { (frame.time(test.sent_at)) }
                @if !state.is_final() {
                    dt { (frame.say("Expires", "过期时间")) }
                    dd { (frame.time(test.expires_at)) }
                }
                dt { "Envelope" }
                dd { code { (test.envelope) } " " a href=(frame.alert(&test.identity)) { (frame.say("its life", "经过")) } }
            }
        }
    }
}

impl TestState {
    const fn name(self, language: Language) -> &'static str {
        match self {
            Self::Waiting => language.say("on the queue", "队列中"),
            Self::InHand => language.say("in hand", "处理中"),
            Self::Delivered => language.say("delivered", "已送达"),
            Self::DeadLettered => language.say("not delivered", "未送达"),
            Self::Expired => language.say("expired", "已过期"),
        }
    }

    const fn sentence(self, language: Language) -> &'static str {
        match self {
            Self::Waiting => language.say("No worker has taken it yet.", "还没有 worker 取走它。"),
            Self::InHand => language.say(
                "A worker has it: it waits for the receiver's budget, or Feishu has not answered yet.",
                "worker 已取走：正在等待接收方的限额，或飞书尚未应答。",
            ),
            Self::Delivered => language.say("It is in the chat.", "已出现在群里。"),
            Self::DeadLettered => language.say(
                "It could not be delivered. Its dead letter is discarded, so that nobody is called for it.",
                "无法送达。对应的死信会自动丢弃，不会因此告警。",
            ),
            Self::Expired => language.say(
                "It was not delivered in time and is not delivered any more. Is a worker running, and does the receiver take cards?",
                "未能及时送达，之后也不会再送达。请确认 worker 正在运行，且接收方正常收卡片。",
            ),
        }
    }

    const fn tone(self) -> &'static str {
        match self {
            Self::Waiting | Self::InHand => "warn",
            Self::Delivered => "good",
            Self::DeadLettered | Self::Expired => "bad",
        }
    }
}
