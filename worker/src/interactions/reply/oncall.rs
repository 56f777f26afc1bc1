//! What people are told about who is on call. Pure.

use config::Locale;

use super::NAME_CHARACTERS_MAX;
use crate::oncall::OnCallNow;
use crate::people::person::Person;
use crate::render::{Style, plain_line, shown_time};

/// What somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::interactions) enum OnCallReply {
    /// Who is on call, in lines.
    List(Vec<String>),
    /// Somebody stands in.
    Swapped { rotation: String, person: String, time: String },
    /// There is no rotation of that name.
    NoSuchRotation,
    /// It would begin after its end, be over already, or no turn ends.
    NoSuchTurn,
}

impl OnCallReply {
    pub(super) fn zh(&self) -> String {
        match self {
            Self::List(lines) if lines.is_empty() => "没有配置轮值。".to_owned(),
            Self::List(lines) => lines.join("\n"),
            Self::Swapped { rotation, person, time } => format!("{rotation} 已调班：{person}（{time}）。"),
            Self::NoSuchRotation => "没有这个轮值；/oncall 列出所有轮值。".to_owned(),
            Self::NoSuchTurn => "时间无效：结束早于开始、已经过去，或本班没有终点，请写明时长。".to_owned(),
        }
    }

    pub(super) fn en(&self) -> String {
        match self {
            Self::List(lines) if lines.is_empty() => "No rotation is configured.".to_owned(),
            Self::List(lines) => lines.join("\n"),
            Self::Swapped { rotation, person, time } => format!("{rotation}: {person} is on call, {time}."),
            Self::NoSuchRotation => "There is no such rotation; /oncall lists them.".to_owned(),
            Self::NoSuchTurn => {
                "That time is over, ends before it begins, or the turn has no end: say for how long."
                    .to_owned()
            }
        }
    }
}

/// A rotation in the list of who is on call.
pub(in crate::interactions) fn line(now: &OnCallNow, style: &Style) -> String {
    let name = |text: &str| match Person::parse(text) {
        // A number is never shown.
        Some(Person::Mobile(_)) => "***".to_owned(),
        Some(_) | None => plain_line(text, NAME_CHARACTERS_MAX),
    };
    let rotation = plain_line(&now.rotation, NAME_CHARACTERS_MAX);
    let person = name(&now.person);
    let next = now.next.as_deref().map(name).zip(now.until.map(|until| shown_time(until, style)));
    match (style.locale, next) {
        (Locale::ZhCn, Some((next, until))) => format!("{rotation}：{person}，至 {until}；下一位 {next}"),
        (Locale::ZhCn, None) => format!("{rotation}：{person}"),
        (Locale::En, Some((next, until))) => format!("{rotation}: {person} until {until}; next {next}"),
        (Locale::En, None) => format!("{rotation}: {person}"),
    }
}
