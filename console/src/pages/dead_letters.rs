//! What could not be delivered: listed, chosen, sent again or given up.

use maud::{Markup, html};
use serde::Serialize;

use crate::data::{DeadLetterCount, DeadLetterPage, DeadLetterRow};
use crate::frame::{Frame, Section, Sheet};
use crate::links::{filter_form, outcome_of};
use crate::parts::{nothing, number};

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 10;

/// The page's data.
#[derive(Debug, Serialize)]
pub(crate) struct DeadLettersView {
    /// The filter, as it was read.
    pub(crate) query: String,
    #[serde(flatten)]
    pub(crate) page: DeadLetterPage,
}

pub(crate) fn dead_letters(frame: &Frame<'_>, data: &DeadLettersView) -> Sheet {
    let title = frame.say("Dead letters", "死信").to_owned();
    let page = &data.page;
    Sheet {
        title: title.clone(),
        section: Some(Section::DeadLetters),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (title) }
            (filter_form(frame, "/dead-letters", &data.query, frame.say(
                "severity=\"critical\", @receiver=ops, @reason=refused, @code=9499, @age<2h",
                "severity=\"critical\", @receiver=ops, @reason=refused, @code=9499, @age<2h",
            )))
            @if page.letters.is_empty() {
                section.panel { (nothing(if data.query.is_empty() {
                    frame.say("No dead letters wait: everything was delivered.", "没有待处理的死信：所有告警都已送达。")
                } else {
                    frame.say("No dead letter matches.", "没有匹配的死信。")
                })) }
            } @else {
                section.panel aria-label=(title) {
                    (table(frame, data))
                    @if frame.identity.may_act() { (all_form(frame, data)) }
                    (pager(frame, page))
                }
            }
        },
    }
}

fn table(frame: &Frame<'_>, data: &DeadLettersView) -> Markup {
    let may_act = frame.identity.may_act();
    html! {
        form #chosen method="post" action=(frame.to("/dead-letters/replay")) {
            (frame.form_token())
            input type="hidden" name="q" value=(data.query);
            div.scroll {
                table {
                    caption { (frame.say("The newest first.", "最新的在前。")) }
                    thead { tr {
                        @if may_act { th scope="col" { input type="checkbox" data-all aria-label=(frame.say("Choose all on this page", "选中本页全部")); } }
                        th scope="col" { (frame.say("Failed", "失败时间")) }
                        th scope="col" { (frame.say("Receiver", "接收方")) }
                        th scope="col" { (frame.say("Alerts", "告警")) }
                        th scope="col" { (frame.say("Reason", "原因")) }
                        th.wide scope="col" { (frame.say("What was said", "返回信息")) }
                        th.wide scope="col" { (frame.say("State", "状态")) }
                    } }
                    tbody { @for letter in &data.page.letters { (row(frame, letter)) } }
                }
            }
            @if may_act {
                div.actions {
                    (reason_field(frame, "reason-chosen"))
                    button.main type="submit" data-needs-chosen {
                        span data-chosen=(frame.say("Replay {} chosen", "重放选中的 {} 封")) { (frame.say("Replay those chosen", "重放选中的")) }
                    }
                    button.grave type="submit" formaction=(frame.to("/dead-letters/discard")) data-needs-chosen {
                        span data-chosen=(frame.say("Discard {} chosen", "丢弃选中的 {} 封")) { (frame.say("Discard those chosen", "丢弃选中的")) }
                    }
                }
            }
        }
    }
}

fn row(frame: &Frame<'_>, letter: &DeadLetterRow) -> Markup {
    let id = letter.id;
    let path = frame.to(&format!("/dead-letters/{id}"));
    html! {
        tr id=(format!("letter-{id}")) {
            @if frame.identity.may_act() {
                td { input type="checkbox" name="id" value=(id) aria-label=(format!("{} {id}", frame.say("Choose letter", "选中死信"))); }
            }
            td { a href=(path) { (frame.time(letter.last_failed_at)) } }
            td { @if letter.receiver.is_empty() { "–" } @else { (letter.receiver) } }
            td { a.cut href=(path) { @if letter.summary.is_empty() { (frame.say("unreadable", "无法解析")) } @else { (letter.summary) } } @if letter.alerts > 1 { small { "× " (number(letter.alerts)) } } }
            td.nowrap { (letter.reason) @if let Some(code) = letter.code { " " small { (code) } } }
            td.wide { span.cut title=(letter.message) { (letter.message) } }
            td.wide { (outcome_of(frame.language, &letter.state, letter.outcome.as_deref())) }
        }
    }
}

/// Everything that matches, with its number on the buttons; hidden while single ones are chosen, so that nobody means those.
fn all_form(frame: &Frame<'_>, data: &DeadLettersView) -> Markup {
    let DeadLetterCount { count, is_more, until } = data.page.matching;
    let many = number(i64::try_from(count).unwrap_or(i64::MAX));
    html! {
        @if count > 0 {
            form.panel data-unless-chosen method="post" action=(frame.to("/dead-letters/replay")) {
                (frame.form_token())
                input type="hidden" name="all" value="1";
                input type="hidden" name="q" value=(data.query);
                input type="hidden" name="until" value=(until.to_string());
                input type="hidden" name="count" value=(count);
                h3 { (frame.say("All that wait and match", "所有等待中且匹配的")) }
                p.soft {
                    @if data.query.is_empty() { (frame.say("No filter: every letter that waits.", "没有过滤条件：所有等待中的死信。")) } @else { code { (data.query) } }
                    @if is_more { " " (frame.say("There may be more; these are the oldest.", "可能还有更多；这里只包括最早的。")) }
                    " " (frame.say("Counted ", "统计于 ")) (frame.time(until)) (frame.say("; what fails later is not meant.", "；之后失败的不包括在内。"))
                }
                div.actions {
                    (reason_field(frame, "reason-all"))
                    button.main type="submit" { (frame.say("Replay all ", "全部重放：")) (many) (frame.say("", " 封")) }
                    button.grave type="submit" formaction=(frame.to("/dead-letters/discard")) { (frame.say("Discard all ", "全部丢弃：")) (many) (frame.say("", " 封")) }
                }
            }
        }
    }
}

/// Asked before anything is done, and kept with it.
pub(super) fn reason_field(frame: &Frame<'_>, id: &str) -> Markup {
    html! {
        div.grow {
            label for=(id) { (frame.say("Reason, for the audit trail", "原因（记入操作审计）")) }
            input type="text" id=(id) name="reason" required maxlength="500" autocomplete="off";
        }
    }
}

fn pager(frame: &Frame<'_>, page: &DeadLetterPage) -> Markup {
    html! {
        @if let Some(looked_into) = page.looked_into {
            p.soft { (frame.say("Labels of so many letters were looked into, no more: ", "按标签只查看了这么多封：")) (looked_into) }
        }
        @if let Some(before) = page.before {
            nav.pager aria-label=(frame.say("Pages of the list", "翻页")) {
                a.button href=(frame.query.with(&[("before", &before.to_string())])) rel="next" { (frame.say("Older", "更早")) }
            }
        }
    }
}
