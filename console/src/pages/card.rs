//! A card, and every alert on it: those it had no room for as well.

use std::collections::BTreeSet;

use maud::{Markup, html};

use crate::data::{CardAlert, CardDetail};
use crate::frame::{Frame, Section, Sheet};
use crate::links::{labels_list, outcome_of};
use crate::parts::{drawn_card, number};

/// Alerts on one page.
const SHOWN_MAX: usize = 500;

pub(crate) fn card(frame: &Frame<'_>, data: &CardDetail) -> Sheet {
    let title = format!("{} {}", frame.say("Card", "卡片"), data.card);
    let from = frame.query.number("from").and_then(|from| usize::try_from(from).ok()).unwrap_or_default();
    let shown = data.alerts.get(from..).unwrap_or_default();
    let shown = &shown[..shown.len().min(SHOWN_MAX)];
    let beyond = from + shown.len();
    Sheet {
        title: title.clone(),
        section: Some(Section::Alerts),
        refreshed_s: None,
        body: html! {
            h1 { (title) }
            (facts(frame, data))
            @if let Some(content) = &data.content { (drawing(frame, content)) }
            section.panel aria-labelledby="alerts" {
                h2 #alerts { (frame.say("Every alert on it", "卡片上的所有告警")) }
                (table(frame, shown))
                @if beyond < data.alerts.len() {
                    nav.pager aria-label=(frame.say("Pages of the list", "翻页")) {
                        a.button href=(frame.query.with(&[("from", &beyond.to_string())])) rel="next" { (frame.say("More", "更多")) }
                    }
                }
                @if data.has_more { p.soft { (frame.say("There are more than can be shown.", "数量过多，未全部显示。")) } }
            }
        },
    }
}

fn facts(frame: &Frame<'_>, data: &CardDetail) -> Markup {
    let count = |of: usize| number(i64::try_from(of).unwrap_or(i64::MAX));
    let only_counted = data.alerts.iter().filter(|alert| alert.is_only_counted).count();
    html! {
        section.panel aria-label=(frame.say("What it is", "概要")) {
            dl.facts {
                dt { (frame.say("Receiver", "接收方")) } dd { (data.receiver) }
                dt { (frame.say("Delivered", "送达时间")) } dd { (frame.time(data.sent_at)) }
                @if let Some(bot) = &data.bot { dt { (frame.say("Bot", "机器人")) } dd { (bot) } }
                dt { (frame.say("Alerts", "告警数")) }
                dd {
                    (count(data.alerts.len()))
                    @if only_counted > 0 { (frame.say(", of which the card only counts ", "，其中卡片只计数的 ")) (count(only_counted)) }
                }
            }
            div.actions {
                a.button href=(frame.query.with(&[("format", "csv"), ("from", ""), ("lang", "")])) download { "CSV" }
                @if let Some(matchers) = &data.silence_matchers {
                    a.button href=(frame.new_silence(matchers)) { (frame.say("Silence what they share", "按共同标签静默")) }
                }
            }
        }
    }
}

/// The card as people see it in Feishu.
fn drawing(frame: &Frame<'_>, content: &str) -> Markup {
    html! {
        section.panel aria-labelledby="drawn" {
            h2 #drawn { (frame.say("As it was sent", "发送时的样子")) }
            (drawn_card(content))
            details { summary { (frame.say("Its JSON", "卡片 JSON")) } pre tabindex="0" { (content) } }
        }
    }
}

fn table(frame: &Frame<'_>, alerts: &[CardAlert]) -> Markup {
    html! {
        div.scroll { table {
            thead { tr {
                th scope="col" { (frame.say("Alert", "告警")) }
                th scope="col" { (frame.say("State", "状态")) }
                th scope="col" { (frame.say("On the card", "卡片上")) }
                th.wide scope="col" { (frame.say("Labels", "标签")) }
            } }
            tbody { @for alert in alerts {
                tr {
                    td { a href=(frame.alert(&alert.identity)) { @if alert.name.is_empty() { (alert.identity) } @else { (alert.name) } } }
                    td { (outcome_of(frame.language, &alert.status, None)) }
                    td { @if alert.is_only_counted { (frame.say("counted", "只计数")) } @else { (frame.say("by name", "列出")) } }
                    td.wide { (labels_list(&alert.labels, Some(frame))) }
                }
            } }
        } }
    }
}

/// The alerts for a spreadsheet: a column for each label.
pub(crate) fn card_csv(data: &CardDetail) -> String {
    let names: BTreeSet<&str> =
        data.alerts.iter().flat_map(|alert| alert.labels.keys()).map(String::as_str).collect();
    let mut text = String::from("\u{feff}");
    let fixed = ["fingerprint", "name", "status", "only_counted"].into_iter();
    line(&mut text, fixed.chain(names.iter().copied()));
    for alert in &data.alerts {
        let counted = if alert.is_only_counted { "yes" } else { "no" };
        let fixed = [alert.identity.as_str(), &alert.name, &alert.status, counted].into_iter();
        let labels = names.iter().map(|name| alert.labels.get(*name).map_or("", String::as_str));
        line(&mut text, fixed.chain(labels));
    }
    text
}

/// One line as RFC 4180 has it. What a spreadsheet would take for a formula gets a quote before it.
fn line<'c>(text: &mut String, cells: impl Iterator<Item = &'c str>) {
    for (place, cell) in cells.enumerate() {
        if place > 0 {
            text.push(',');
        }
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        text.push('"');
        text.push_str(if is_formula { "'" } else { "" });
        text.push_str(&cell.replace('"', "\"\""));
        text.push('"');
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spreadsheet_gets_a_column_for_each_label_and_no_formula() {
        let alert = |name: &str, labels: &[(&str, &str)]| CardAlert {
            identity: "f1".to_owned(),
            name: name.to_owned(),
            status: "firing".to_owned(),
            is_only_counted: true,
            labels: labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        };
        let alerts = vec![alert("=HYPERLINK(1)", &[("a", "x,\"y\"\nz")]), alert("B", &[("b", "2")])];
        let csv = card_csv(&CardDetail { alerts, ..CardDetail::default() });
        let expected = "\u{feff}\"fingerprint\",\"name\",\"status\",\"only_counted\",\"a\",\"b\"\r\n\
            \"f1\",\"'=HYPERLINK(1)\",\"firing\",\"yes\",\"x,\"\"y\"\"\nz\",\"\"\r\n\
            \"f1\",\"B\",\"firing\",\"yes\",\"\",\"2\"\r\n";
        assert_eq!(csv, expected);
    }
}
