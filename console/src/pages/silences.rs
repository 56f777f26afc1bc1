//! Silences: those there are, and the form that makes one, with what it would hit before it is made.

use maud::{Markup, html};

use crate::data::{AlertmanagerSilences, SilenceHit, SilencePlan, SilenceRow, Silences};
use crate::frame::{Frame, Section, Sheet};
use crate::language::Language;
use crate::links::labels_list;
use crate::parts::{count, nothing};

use super::dead_letters::reason_field;

/// Seconds after which they are looked at again.
const REFRESHED_S: u32 = 15;
/// How long a silence may be chosen to last.
const LENGTHS: [&str; 8] = ["30m", "1h", "2h", "4h", "12h", "24h", "3d", "7d"];

pub(crate) fn silences(frame: &Frame<'_>, data: &Silences) -> Sheet {
    let title = frame.say("Silences", "静默").to_owned();
    Sheet {
        title: title.clone(),
        section: Some(Section::Silences),
        refreshed_s: Some(REFRESHED_S),
        body: html! {
            h1 { (title) }
            @if data.alertmanagers.is_empty() {
                section.panel { (nothing(frame.say("No Alertmanager is configured (alertmanagers): there is nothing to be silenced here.", "没有配置 Alertmanager（alertmanagers），无法静默。"))) }
            } @else if frame.identity.may_act() {
                p { a.button href=(frame.to("/silences/new")) { (frame.say("New silence", "新建静默")) } }
            }
            @for alertmanager in &data.alertmanagers { (of_one(frame, alertmanager)) }
        },
    }
}

fn of_one(frame: &Frame<'_>, data: &AlertmanagerSilences) -> Markup {
    html! {
        section.panel aria-label=(data.name) {
            h2 { (data.name) " " small { (count(data.silences.len() as u64)) } }
            @if let Some(error) = &data.error { p.state.bad role="alert" { "Alertmanager: " (error) } }
            @else if data.silences.is_empty() { (nothing(frame.say("Nothing is silenced.", "没有静默。"))) }
            @else {
                div.scroll { table {
                    thead { tr {
                        th scope="col" { (frame.say("Matches", "匹配")) }
                        th.num scope="col" { (frame.say("Alerts now", "当前告警数")) }
                        th scope="col" { (frame.say("Ends", "结束")) }
                        th.wide scope="col" { (frame.say("By", "创建者")) }
                        th.wide scope="col" { (frame.say("Why", "原因")) }
                        @if frame.identity.may_act() { th scope="col" { (frame.say("End it", "结束")) } }
                    } }
                    tbody { @for silence in &data.silences { (row(frame, &data.name, silence)) } }
                } }
                @if let Some(all) = data.all { p.soft { (frame.say("There are more; in all: ", "未全部显示；共计：")) (count(all as u64)) } }
            }
        }
    }
}

fn row(frame: &Frame<'_>, alertmanager: &str, silence: &SilenceRow) -> Markup {
    html! {
        tr {
            td { code { (silence.matchers) } @if !silence.is_active { " " span.badge { (frame.say("begins later", "尚未开始")) } } }
            td.num { (count(silence.alerts as u64)) }
            td { (frame.time(silence.ends_at)) }
            td.wide { (silence.created_by) }
            td.wide { (silence.comment) }
            @if frame.identity.may_act() {
                td {
                    form method="post" action=(frame.to("/silences/end")) {
                        (frame.form_token())
                        input type="hidden" name="alertmanager" value=(alertmanager);
                        input type="hidden" name="id" value=(silence.id);
                        button type="submit" aria-label={ (frame.say("End the silence of ", "结束静默 ")) (silence.matchers) } { (frame.say("End", "结束")) }
                    }
                }
            }
        }
    }
}

pub(crate) fn silence_plan(frame: &Frame<'_>, data: &SilencePlan) -> Sheet {
    let title = frame.say("New silence", "新建静默").to_owned();
    Sheet {
        title: title.clone(),
        section: Some(Section::Silences),
        refreshed_s: None,
        body: html! {
            h1 { (title) }
            (question(frame, data))
            @if let Some(refused) = &data.refused { p.state.bad role="alert" { (refused) } }
            @if data.until.is_some() { (answer(frame, data)) }
        },
    }
}

fn question(frame: &Frame<'_>, data: &SilencePlan) -> Markup {
    html! {
        form.panel method="get" action=(frame.to("/silences/new")) {
            label for="matchers" { (frame.say("Matchers, as in Alertmanager", "匹配条件，语法与 Alertmanager 相同")) }
            input #matchers type="text" name="matchers" required value=(data.matchers) spellcheck="false" autocapitalize="off" placeholder=r#"alertname="DiskFull", namespace="shop""#;
            div.actions {
                @if data.alertmanagers.len() > 1 {
                    div {
                        label for="alertmanager" { "Alertmanager" }
                        select #alertmanager name="alertmanager" {
                            @for name in &data.alertmanagers { option value=(name) selected[*name == data.alertmanager] { (name) } }
                        }
                    }
                }
                div {
                    label for="length" { (frame.say("For", "时长")) }
                    select #length name="length" {
                        @for length in LENGTHS { option value=(length) selected[length == data.length] { (length) } }
                    }
                }
                button type="submit" { (frame.say("What would it hit?", "查看会命中哪些告警")) }
            }
        }
    }
}

fn answer(frame: &Frame<'_>, data: &SilencePlan) -> Markup {
    html! {
        section.panel aria-labelledby="hits" {
            h2 #hits { (frame.say("Alerts it hits now", "当前命中的告警")) " " span.badge { (count(data.count as u64)) } }
            @if let Some(same) = &data.same {
                p.state.good role="status" {
                    (frame.say("There is this silence already, until ", "已有相同的静默，至 ")) (frame.time(same.ends_at)) (frame.say(", by ", "，创建者 ")) (same.created_by)
                }
            } @else if frame.identity.may_act() { (make(frame, data)) }
            @if data.hits.is_empty() { (nothing(frame.say("None at the moment; it would hit those that come.", "目前没有；之后出现的告警会被静默。"))) }
            @else { div.scroll { table { tbody { @for hit in &data.hits { (hit_row(frame, hit)) } } } } }
            @if data.count > data.hits.len() { p.soft { (frame.say("And so many more: ", "其余：")) (count((data.count - data.hits.len()) as u64)) } }
        }
    }
}

fn hit_row(frame: &Frame<'_>, hit: &SilenceHit) -> Markup {
    html! {
        tr {
            td { (hit.name) @if hit.is_silenced { " " span.badge { (frame.say("silenced already", "已被静默")) } } }
            td { (labels_list(&hit.labels, Some(frame))) }
        }
    }
}

/// The number is on the button, and goes along: what has grown meanwhile is asked about again.
fn make(frame: &Frame<'_>, data: &SilencePlan) -> Markup {
    let number = count(data.count as u64);
    let said = match frame.language {
        Language::English if data.count == 1 => format!("Silence 1 alert for {}", data.length),
        Language::English => format!("Silence {number} alerts for {}", data.length),
        Language::Chinese => format!("静默 {number} 条告警 {}", data.length),
    };
    html! {
        form method="post" action=(frame.to("/silences/new")) {
            (frame.form_token())
            input type="hidden" name="alertmanager" value=(data.alertmanager);
            input type="hidden" name="matchers" value=(data.matchers);
            @if let Some(until) = data.until { input type="hidden" name="until" value=(until.to_string()); }
            input type="hidden" name="count" value=(data.count);
            div.actions {
                (reason_field(frame, "reason"))
                button.main type="submit" { (said) }
            }
        }
    }
}
