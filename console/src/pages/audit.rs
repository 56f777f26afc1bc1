//! Who did what: at the command line, in the pages, and in Feishu.

use maud::{Markup, html};
use serde::Serialize;

use crate::data::ActionRow;
use crate::frame::{Frame, Section, Sheet};
use crate::parts::{nothing, number};

/// Seconds after which it is looked at again.
const REFRESHED_S: u32 = 15;

/// The page's data.
#[derive(Debug, Serialize)]
pub(crate) struct AuditView {
    /// Who is looked for.
    pub(crate) who: Option<String>,
    /// Which action is.
    pub(crate) action: Option<String>,
    /// The newest first.
    pub(crate) actions: Vec<ActionRow>,
    /// The older ones come before this number; `None` if there are none.
    pub(crate) before: Option<i64>,
}

pub(crate) fn audit(frame: &Frame<'_>, data: &AuditView) -> Sheet {
    let title = frame.say("Audit", "操作审计").to_owned();
    Sheet {
        title: title.clone(),
        section: Some(Section::Audit),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (title) }
            (form(frame, data))
            section.panel aria-label=(title) {
                @if data.actions.is_empty() {
                    (nothing(frame.say("Nobody has done such a thing.", "没有此类操作。")))
                } @else {
                    (table(frame, &data.actions))
                }
                @if let Some(before) = data.before {
                    nav.pager aria-label=(frame.say("Pages of the list", "翻页")) {
                        a.button href=(frame.query.with(&[("before", &before.to_string())])) rel="next" { (frame.say("Older", "更早")) }
                    }
                }
            }
        },
    }
}

fn form(frame: &Frame<'_>, data: &AuditView) -> Markup {
    html! {
        form.filter method="get" action=(frame.to("/audit")) role="search" {
            div.grow { label for="who" { (frame.say("Who", "操作人")) } input #who type="search" name="who" value=[data.who.as_deref()]; }
            div.grow { label for="what" { (frame.say("What", "操作")) } input #what type="text" name="action" value=[data.action.as_deref()] placeholder="replay"; }
            button type="submit" { (frame.say("Filter", "过滤")) }
        }
    }
}

fn table(frame: &Frame<'_>, actions: &[ActionRow]) -> Markup {
    html! {
        div.scroll { table {
            caption { (frame.say("The newest first.", "最新的在前。")) }
            thead { tr {
                th scope="col" { (frame.say("When", "时间")) }
                th scope="col" { (frame.say("Who", "操作人")) }
                th scope="col" { (frame.say("What", "操作")) }
                th.num scope="col" { (frame.say("How many", "数量")) }
                th scope="col" { (frame.say("Why", "原因")) }
                th.wide scope="col" { (frame.say("Which", "对象")) }
                th.wide scope="col" { (frame.say("Outcome", "结果")) }
            } }
            tbody { @for action in actions {
                tr {
                    td { (frame.time(action.at)) }
                    td { (action.who) }
                    td { a href=(frame.to(&format!("/actions/{}", action.id))) { (action.action) } }
                    td.num { (action.done.map_or("–".to_owned(), number)) " / " (number(action.meant)) }
                    td { (action.reason.as_deref().unwrap_or("–")) }
                    td.wide { code.cut title=(action.chosen) { (action.chosen) } }
                    td.wide { (action.outcome.as_deref().unwrap_or_default()) }
                }
            } }
        } }
    }
}
