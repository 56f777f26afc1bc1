//! What people are told about what they wanted, in both languages. Pure. Nothing from outside is in it that was not
//! neutralised: answers are texts, in which tags mention people.

mod oncall;
mod trouble;

use config::Locale;

pub(super) use oncall::{OnCallReply, line as oncall_line};

use super::target::TargetAlert;
use crate::alertmanager::AlertmanagerError;
use crate::render::{Style, plain_line, shown_time};

/// Alerts listed in one answer: about a screen of a phone.
pub(super) const LISTED_MAX: usize = 20;
/// How much of a name is shown, in characters.
const NAME_CHARACTERS_MAX: usize = 60;
/// How much of what a silence matches is shown, in characters.
const MATCHERS_CHARACTERS_MAX: usize = 300;
/// The longest link that is shown, in bytes.
const LINK_BYTES_MAX: usize = 1_000;

/// What somebody is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// What the bot can do.
    Help,
    /// How a command is written.
    Usage,
    /// So many alerts are theirs now.
    Acknowledged(usize),
    /// So many alerts are nobody's again.
    Unacknowledged(usize),
    /// Nothing on the card, or of that name, fires any more.
    NothingFires,
    /// So many alerts are silenced, until then.
    Silenced(usize, String),
    /// So many alerts are silenced by what they share, which is this, until then.
    SilencedShared { count: usize, matchers: String, until: String },
    /// The alerts have no name in common, or come from several Alertmanagers.
    NothingShared,
    /// So many silences have ended.
    Unsilenced(usize),
    /// There is no silence that could end.
    NothingSilenced,
    /// No Alertmanager is configured, or not that one.
    NoAlertmanager,
    /// The alerts come from somewhere else; there is a page for it, perhaps.
    NotFromAlertmanager(Option<String>),
    /// No silence would be for that alert only.
    Unsilenceable,
    /// More alerts than are silenced at once.
    TooMany(usize),
    /// It was wanted so long ago that the silence would be over.
    TooLate,
    /// Alertmanager did not silence, and why.
    NotSilenced(AlertmanagerError),
    /// Alertmanager did not end a silence, and why.
    NotUnsilenced(AlertmanagerError),
    /// It was done to some, and what stood in the way of the others.
    Partly(Box<Reply>, Box<Reply>),
    /// The database does not take what came of it.
    Unrecordable,
    /// This person may not.
    NotAllowed,
    /// The card belongs to another chat.
    Elsewhere,
    /// The button is none of ours.
    Forged,
    /// The button is too old.
    Expired,
    /// The card is not kept, or not any more.
    CardGone,
    /// A diagnosis is confirmed; so many alerts of ours are its incident.
    Diagnosis(usize),
    /// Nobody knows what the button is for.
    UnknownButton,
    /// No alert of that name fires in this chat.
    NoSuchAlert,
    /// Several alerts begin like that.
    Ambiguous,
    /// This chat is no receiver's.
    NotAReceiver,
    /// What fires, in lines, and how much more.
    Alerts(Vec<String>, usize),
    /// How it all is, in lines.
    Status(Vec<String>),
    /// Who is on call.
    OnCall(OnCallReply),
}

impl Reply {
    /// In the reader's language.
    pub(super) fn text(&self, locale: Locale) -> String {
        match locale {
            Locale::ZhCn => self.zh(),
            Locale::En => self.en(),
        }
    }

    fn zh(&self) -> String {
        match self {
            Self::Help => HELP_ZH.to_owned(),
            Self::Usage => format!("这条命令没看懂。\n{HELP_ZH}"),
            Self::Acknowledged(count) => format!("已认领 {count} 条告警，恢复之前不再提醒。"),
            Self::Unacknowledged(count) => format!("已取消认领 {count} 条告警。"),
            Self::NothingFires => "这里的告警都已恢复。".to_owned(),
            Self::Silenced(count, until) => format!("已静默 {count} 条告警，到 {until} 为止。"),
            Self::SilencedShared { count, matchers, until } => {
                format!("已按共同标签静默（{}），本卡片上 {count} 条，到 {until} 为止。", shared(matchers))
            }
            Self::NothingShared => {
                "这些告警名称不同，或来自多个 Alertmanager，无法一并静默；请在 Alertmanager 或控制台中静默。"
                    .to_owned()
            }
            Self::Unsilenced(count) => format!("已取消 {count} 条静默。"),
            Self::NothingSilenced => "没有可以取消的静默。".to_owned(),
            Self::NoAlertmanager => "没有配置这条告警所属的 Alertmanager，无法静默。".to_owned(),
            Self::NotFromAlertmanager(link) => {
                with_link("这条告警不是 Alertmanager 发来的，只能在它的来源处静默", link.as_deref(), "。")
            }
            Self::Unsilenceable => "这条告警的标签不完整，无法只静默它一条。".to_owned(),
            Self::TooMany(most) => format!("一次最多静默 {most} 条告警；请在 Alertmanager 里静默。"),
            Self::TooLate => "这个操作来得太晚，静默的时间已经过了。".to_owned(),
            Self::NotSilenced(trouble) => format!("没有静默成功，Alertmanager {}。", trouble::zh(trouble)),
            Self::NotUnsilenced(trouble) => {
                format!("没有取消成功，Alertmanager {}。", trouble::zh(trouble))
            }
            Self::Partly(done, obstacle) => format!("{}但不是全部：{}", done.zh(), obstacle.zh()),
            Self::Unrecordable => "数据库拒绝了这个操作，请联系 Larkfire 的管理员。".to_owned(),
            Self::NotAllowed => "你没有这个操作的权限，请联系管理员（interactions.allow）。".to_owned(),
            Self::Elsewhere => "这张卡片属于另一个群，请在原来的群里操作。".to_owned(),
            Self::Forged => "这个按钮无法识别。".to_owned(),
            Self::Expired => "这张卡片太旧，按钮已失效。".to_owned(),
            Self::CardGone => "这张卡片没有记录，无法操作。可以用 /alerts 查看当前告警。".to_owned(),
            Self::Diagnosis(0) => "已记录对诊断的确认，谢谢。".to_owned(),
            Self::Diagnosis(count) => format!("已记录对诊断的确认，并认领 {count} 条告警，谢谢。"),
            Self::UnknownButton => "已记录；这个按钮在这里没有对应的操作。".to_owned(),
            Self::NoSuchAlert => "本群当前没有这条告警。可以用 /alerts 查看。".to_owned(),
            Self::Ambiguous => "有多条告警以此开头，请写得更长一些。".to_owned(),
            Self::NotAReceiver => "本群没有配置为告警接收者。".to_owned(),
            Self::Alerts(lines, _) if lines.is_empty() => {
                "本群的卡片上没有未恢复的告警（超过 500 条的风暴卡片不在此列）。".to_owned()
            }
            Self::Alerts(lines, more) => listed(lines, *more, "还有", "条"),
            Self::Status(lines) => lines.join("\n"),
            Self::OnCall(reply) => reply.zh(),
        }
    }

    fn en(&self) -> String {
        match self {
            Self::Help => HELP_EN.to_owned(),
            Self::Usage => format!("That is not how this command is written.\n{HELP_EN}"),
            Self::Acknowledged(count) => {
                format!("Acknowledged {}; no reminders until it is over.", alerts(*count))
            }
            Self::Unacknowledged(count) => format!("No longer acknowledged: {}.", alerts(*count)),
            Self::NothingFires => "Nothing here fires any more.".to_owned(),
            Self::Silenced(count, until) => format!("Silenced {} until {until}.", alerts(*count)),
            Self::SilencedShared { count, matchers, until } => {
                format!("Silenced what has {} until {until}: {} of this card.", shared(matchers), alerts(*count))
            }
            Self::NothingShared => {
                "These have no name in common, or come from several Alertmanagers; silence them there or in the console."
                    .to_owned()
            }
            Self::Unsilenced(1) => "Ended 1 silence.".to_owned(),
            Self::Unsilenced(count) => format!("Ended {count} silences."),
            Self::NothingSilenced => "There is no silence that could be ended.".to_owned(),
            Self::NoAlertmanager => {
                "The Alertmanager of this alert is not configured, so it cannot be silenced from here."
                    .to_owned()
            }
            Self::NotFromAlertmanager(link) => with_link(
                "This alert is not from Alertmanager; it can be silenced only where it comes from",
                link.as_deref(),
                ".",
            ),
            Self::Unsilenceable => {
                "Not all labels of this alert are known, so a silence could not be for it alone.".to_owned()
            }
            Self::TooMany(most) => {
                format!("At most {most} alerts are silenced at once; please silence these in Alertmanager.")
            }
            Self::TooLate => "This came so late that the silence would be over already.".to_owned(),
            Self::NotSilenced(trouble) => format!("Not silenced. Alertmanager: {}.", trouble::en(trouble)),
            Self::NotUnsilenced(trouble) => format!("Not ended. Alertmanager: {}.", trouble::en(trouble)),
            Self::Partly(done, obstacle) => format!("{} But not all of them: {}", done.en(), obstacle.en()),
            Self::Unrecordable => {
                "The database does not take this; please tell whoever runs Larkfire.".to_owned()
            }
            Self::NotAllowed => "You may not do this; ask whoever set interactions.allow.".to_owned(),
            Self::Elsewhere => "This card belongs to another chat; please use it there.".to_owned(),
            Self::Forged => "This button is not understood.".to_owned(),
            Self::Expired => "This card is too old for its buttons.".to_owned(),
            Self::CardGone => "Nothing is known of this card any more. /alerts shows what fires.".to_owned(),
            Self::Diagnosis(0) => "The diagnosis is recorded as confirmed, thank you.".to_owned(),
            Self::Diagnosis(count) => {
                format!(
                    "The diagnosis is recorded as confirmed, and {} acknowledged, thank you.",
                    alerts(*count)
                )
            }
            Self::UnknownButton => "Recorded; there is nothing this button does here.".to_owned(),
            Self::NoSuchAlert => "No such alert fires in this chat. /alerts shows what does.".to_owned(),
            Self::Ambiguous => "Several alerts begin like that; please write more of it.".to_owned(),
            Self::NotAReceiver => "This chat is not configured as a receiver of alerts.".to_owned(),
            Self::Alerts(lines, _) if lines.is_empty() => "Nothing fires on the cards in this chat; cards of a storm of more than 500 alerts are not followed.".to_owned(),
            Self::Alerts(lines, more) => listed(lines, *more, "and", "more"),
            Self::Status(lines) => lines.join("\n"),
            Self::OnCall(reply) => reply.en(),
        }
    }
}

/// One alert in the list of what fires.
pub(super) fn line(target: &TargetAlert, style: &Style) -> String {
    let short = |text: &str| plain_line(text, NAME_CHARACTERS_MAX);
    let taken_on = target.taken_on_by.as_ref().map(|_| match style.locale {
        Locale::ZhCn => "已认领".to_owned(),
        Locale::En => "acknowledged".to_owned(),
    });
    let parts = [
        Some(short(&target.name)),
        Some(short(&target.place)),
        Some(shown_time(target.since, style)),
        taken_on,
        Some(short(&target.fingerprint)),
    ];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// A receiver in the list of how it all is: whether it refuses everything, and how many alerts wait for it.
pub(super) fn standing(receiver: &str, is_broken: bool, waiting: i64, locale: Locale) -> String {
    let name = plain_line(receiver, NAME_CHARACTERS_MAX);
    match (locale, is_broken) {
        (Locale::ZhCn, true) => format!("{name}：飞书拒收，待发 {waiting} 条"),
        (Locale::ZhCn, false) => format!("{name}：正常，待发 {waiting} 条"),
        (Locale::En, true) => format!("{name}: refuses everything, {waiting} alerts wait"),
        (Locale::En, false) => format!("{name}: in order, {waiting} alerts wait"),
    }
}

/// How many dead letters wait.
pub(super) fn dead_letters(waiting: i64, locale: Locale) -> String {
    match locale {
        Locale::ZhCn => format!("死信：{waiting} 条待处理"),
        Locale::En => format!("Dead letters: {waiting} wait for an operator"),
    }
}

fn listed(lines: &[String], more: usize, and: &str, unit: &str) -> String {
    let rest = (more > 0).then(|| format!("… {and} {more} {unit}"));
    lines.iter().cloned().chain(rest).collect::<Vec<_>>().join("\n")
}

/// What a silence matches, without what would mention somebody.
fn shared(matchers: &str) -> String {
    plain_line(matchers, MATCHERS_CHARACTERS_MAX)
}

fn alerts(count: usize) -> String {
    if count == 1 { "1 alert".to_owned() } else { format!("{count} alerts") }
}

/// Only what can be nothing but a link is shown as one.
fn with_link(words: &str, link: Option<&str>, end: &str) -> String {
    let is_harmless = |link: &&str| {
        link.len() <= LINK_BYTES_MAX
            && (link.starts_with("http://") || link.starts_with("https://"))
            && link.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '<' | '>' | '"'))
    };
    match link.filter(is_harmless) {
        Some(link) => format!("{words}{end} {link}"),
        None => format!("{words}{end}"),
    }
}

const HELP_ZH: &str = "可用的命令：\n\
    /alerts 本群当前的告警\n\
    /ack 指纹 认领一条告警，恢复之前不再提醒\n\
    /silence 指纹 [时长] 在 Alertmanager 静默，如 30m、4h、2d；默认 1h\n\
    /oncall 谁在值班，下一位是谁\n\
    /oncall swap 轮值 人|我 [时长|起 止] 调班\n\
    /status 运行情况\n\
    /help 本说明\n\
    指纹见 /alerts，只写开头几位也可以。";
const HELP_EN: &str = "What I can do:\n\
    /alerts what fires in this chat\n\
    /ack FINGERPRINT you look after an alert: no reminders until it is over\n\
    /silence FINGERPRINT [TIME] silence it in Alertmanager: 30m, 4h, 2d; 1h if you do not say\n\
    /oncall who is on call, and who is next\n\
    /oncall swap ROTATION PERSON|me [TIME|FROM UNTIL] somebody stands in\n\
    /status how I am\n\
    /help this\n\
    /alerts shows the fingerprints; the beginning of one is enough.";

#[cfg(test)]
mod tests;
