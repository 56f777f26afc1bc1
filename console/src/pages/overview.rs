//! The first page: is everything all right, and if not, what is it.

use maud::{Markup, html};

use crate::data::{MinuteCounts, Overview};
use crate::frame::{Frame, Section, Sheet};
use crate::language::Language;
use crate::parts::{bars, count, figure, nothing, number, seconds};

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 5;

pub(crate) fn overview(frame: &Frame<'_>, data: &Overview) -> Sheet {
    Sheet {
        title: frame.say("Overview", "概览").to_owned(),
        section: Some(Section::Overview),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (frame.say("Overview", "概览")) }
            (state(frame, data))
            (figures(frame, data))
            (rate(frame, &data.minutes))
            (receivers(frame, data))
        },
    }
}

/// What an operator has to know, in sentences.
fn complaints(frame: &Frame<'_>, data: &Overview) -> Vec<String> {
    let mut said = Vec::new();
    if data.is_previewing {
        said.push(
            frame
                .say(
                    "Previewing: cards are shown here and sent to nobody.",
                    "预览模式：卡片只在本机显示，不发送给任何人。",
                )
                .to_owned(),
        );
    }
    if !data.is_database_up {
        said.push(
            frame
                .say(
                    "The database does not answer: alerts are delivered, perhaps twice.",
                    "数据库无响应：告警照常送达，但可能重复。",
                )
                .to_owned(),
        );
    }
    for receiver in data.receivers.iter().filter(|receiver| receiver.health.is_bad()) {
        let word = receiver.health.name(frame.language);
        said.push(match frame.language {
            Language::English => format!("Receiver {}: {word}.", receiver.name),
            Language::Chinese => format!("接收方 {}：{word}。", receiver.name),
        });
    }
    for unmet in &data.unmet {
        said.push(format!("{}{unmet}", frame.say("Not ready: ", "未就绪：")));
    }
    said
}

fn state(frame: &Frame<'_>, data: &Overview) -> Markup {
    let complaints = complaints(frame, data);
    html! {
        @if complaints.is_empty() {
            p.state.good role="status" { (frame.say("All is well: alerts are taken and delivered.", "一切正常：告警正在接收并送达。")) }
        } @else {
            div.state.bad role="alert" {
                ul { @for sentence in &complaints { li { (sentence) } } }
                @if data.is_previewing { p { a href=(frame.to("/preview")) { (frame.say("Look at the cards", "查看卡片")) } } }
            }
        }
    }
}

/// How long the oldest has waited.
fn oldest(frame: &Frame<'_>, waited_s: Option<f64>) -> String {
    waited_s.map_or_else(String::new, |waited| match frame.language {
        Language::English => format!("the oldest for {}", seconds(waited)),
        Language::Chinese => format!("最久 {}", seconds(waited)),
    })
}

fn figures(frame: &Frame<'_>, data: &Overview) -> Markup {
    let latency = data.end_to_end.as_ref();
    let last_minutes = frame.say("last 15 minutes", "最近 15 分钟");
    html! {
        dl.figures {
            (figure(frame.say("Alerts waiting", "等待中的告警"), &number(data.alerts_waiting), &oldest(frame, data.oldest_waiting_s)))
            (figure(frame.say("Dead letters", "死信"), &data.dead_letters_waiting.map_or("–".to_owned(), number), frame.say("waiting for somebody", "待处理")))
            (figure(frame.say("On the queue", "队列中"), &data.queue_messages.map_or("–".to_owned(), number), frame.say("messages", "条消息")))
            (figure(frame.say("Half delivered within", "一半送达用时"), &latency.map_or("–".to_owned(), |of| seconds(of.p50_s)), last_minutes))
            (figure(frame.say("99 % within", "99% 送达用时"), &latency.map_or("–".to_owned(), |of| seconds(of.p99_s)), last_minutes))
            (figure(frame.say("Workers", "worker 数"), &number(data.workers), frame.say("seen in the last minute", "最近一分钟内")))
        }
    }
}

fn rate(frame: &Frame<'_>, minutes: &[MinuteCounts]) -> Markup {
    let sum = |of: fn(&MinuteCounts) -> u64| minutes.iter().map(of).sum::<u64>();
    let title = frame.say("Alerts per minute, last hour", "每分钟告警数（最近一小时）");
    let all = count(sum(MinuteCounts::total));
    html! {
        section.panel aria-labelledby="rate" {
            h2 #rate { (title) }
            @if sum(MinuteCounts::total) == 0 {
                (nothing(frame.say("No alert came in the last hour, or since this process started.", "最近一小时（或本进程启动以来）没有告警。")))
            } @else {
                (bars(minutes, &format!("{title}: {all}")))
                ul.legend {
                    li.seen { (frame.say("delivered", "已送达")) " " b { (count(sum(|minute| minute.delivered))) } }
                    li.seen { (frame.say("summarised", "已汇总")) " " b { (count(sum(|minute| minute.summarised))) } }
                    li.known { (frame.say("duplicate", "重复")) " " b { (count(sum(|minute| minute.duplicate))) } }
                    li.known { (frame.say("superseded", "已取代")) " " b { (count(sum(|minute| minute.superseded))) } }
                    @if sum(|minute| minute.expected) > 0 {
                        li.known { (frame.say("expected", "按预期收到")) " " b { (count(sum(|minute| minute.expected))) } }
                    }
                    li.dead { (frame.say("dead-lettered", "进入死信")) " " b { (count(sum(|minute| minute.dead_lettered))) } }
                }
            }
        }
    }
}

fn receivers(frame: &Frame<'_>, data: &Overview) -> Markup {
    html! {
        section.panel aria-labelledby="receivers" {
            h2 #receivers { (frame.say("Receivers", "接收方")) }
            div.scroll {
                table {
                    thead { tr {
                        th scope="col" { (frame.say("Receiver", "接收方")) }
                        th scope="col" { (frame.say("State", "状态")) }
                        th.num scope="col" { (frame.say("Cards, last minute", "最近一分钟卡片数")) }
                        th.num scope="col" { (frame.say("Waiting", "等待中")) }
                    } }
                    tbody {
                        @for receiver in &data.receivers {
                            tr {
                                th scope="row" { a href=(frame.to("/receivers")) { (receiver.name) } }
                                td { (receiver.health.badge(frame.language)) }
                                td.num { (receiver.cards_last_minute.map_or("–".to_owned(), number)) small { " / " (receiver.cards_per_minute) } }
                                td.num { (number(receiver.alerts_waiting)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
