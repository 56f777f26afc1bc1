//! Something that is done to many letters: how far it has come, and what became of each.

use maud::{Markup, html};

use crate::data::{ActionDetail, ActionRow};
use crate::frame::{Frame, Section, Sheet};
use crate::links::outcome_of;
use crate::parts::{nothing, number};

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 2;

pub(crate) fn action(frame: &Frame<'_>, data: &ActionDetail) -> Sheet {
    let ActionRow { id, action, .. } = &data.action;
    let title = format!("{} {id}: {action}", frame.say("Action", "操作"));
    let is_under_way = data.is_running || data.outcomes.get("replaying").is_some_and(|letters| *letters > 0);
    Sheet {
        title: title.clone(),
        section: Some(Section::Audit),
        refreshed_s: is_under_way.then_some(REFRESHED_S),
        body: html! {
            h1 { (title) }
            (progress(frame, data))
            (facts(frame, &data.action))
            (letters(frame, data))
        },
    }
}

fn progress(frame: &Frame<'_>, data: &ActionDetail) -> Markup {
    let meant = data.action.meant.max(data.reached);
    html! {
        section.panel aria-label=(frame.say("Progress", "进度")) {
            @if meant > 0 && (data.is_running || !data.outcomes.is_empty()) {
                p role="status" {
                    strong { (number(data.reached)) (frame.say(" of ", " / ")) (number(meant)) }
                    @if let Some(rate) = data.per_second { ", " (format!("{rate:.1}")) (frame.say(" a second", " 封/秒")) }
                    @if data.is_running { (frame.say(", going on", "，进行中")) }
                }
                progress max=(meant) value=(data.reached) aria-label=(frame.say("Progress", "进度")) {}
            }
            @if let Some(failure) = &data.failure { p.state.bad role="alert" { (frame.say("It ended early: ", "提前结束：")) (failure) } }
            ul.legend {
                @for (outcome, letters) in &data.outcomes {
                    @let (state, of) = outcome.split_once(": ").map_or((outcome.as_str(), None), |(state, of)| (state, Some(of)));
                    li { (outcome_of(frame.language, state, of)) " " b { (number(*letters)) } }
                }
            }
        }
    }
}

fn facts(frame: &Frame<'_>, action: &ActionRow) -> Markup {
    html! {
        section.panel aria-label=(frame.say("What was asked for", "操作内容")) {
            dl.facts {
                dt { (frame.say("Who", "操作人")) } dd { (action.who) }
                dt { (frame.say("When", "时间")) } dd { (frame.time(action.at)) }
                @if let Some(reason) = &action.reason { dt { (frame.say("Reason", "原因")) } dd { (reason) } }
                dt { (frame.say("Which", "对象")) } dd { code { (action.chosen) } }
                dt { (frame.say("How many", "数量")) }
                dd {
                    @match action.done {
                        Some(done) => { (number(done)) (frame.say(" of ", " / ")) (number(action.meant)) },
                        None => { (number(action.meant)) },
                    }
                }
                @if let Some(outcome) = &action.outcome { dt { (frame.say("Outcome", "结果")) } dd { (outcome) } }
            }
        }
    }
}

fn letters(frame: &Frame<'_>, data: &ActionDetail) -> Markup {
    html! {
        @if !data.letters.is_empty() {
            section.panel aria-labelledby="letters" {
                h2 #letters { (frame.say("Its letters, changed last", "涉及的死信（最近变更）")) }
                div.scroll { table {
                    thead { tr {
                        th scope="col" { (frame.say("Letter", "死信")) }
                        th scope="col" { (frame.say("Alerts", "告警")) }
                        th scope="col" { (frame.say("What became of it", "结果")) }
                    } }
                    tbody { @for letter in &data.letters {
                        tr id=(format!("letter-{}", letter.id)) {
                            th scope="row" { a href=(frame.to(&format!("/dead-letters/{}", letter.id))) { (letter.id) } }
                            td { span.cut { (letter.summary) } }
                            td {
                                (outcome_of(frame.language, &letter.state, letter.outcome.as_deref()))
                                @if letter.state == "waiting" { " " small { (letter.message) } }
                            }
                        }
                    } }
                } }
            }
        } @else if data.outcomes.is_empty() && data.action.done.is_none() && !data.is_running {
            (nothing(frame.say("Nothing is known of letters of this action.", "没有与此操作相关的死信。")))
        }
    }
}
