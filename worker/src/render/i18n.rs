//! What cards say, in both languages. Pure.

use config::Locale;
use jiff::SignedDuration;

use super::count::Count;
use super::state_reason::StateReason;

/// The words of one language.
pub(super) struct Words {
    pub(super) critical: &'static str,
    pub(super) warning: &'static str,
    pub(super) info: &'static str,
    pub(super) firing: &'static str,
    pub(super) resolved: &'static str,
    pub(super) partly_resolved: &'static str,
    pub(super) unheard: &'static str,
    /// On the header of what is over for another reason than that all is well again.
    pub(super) over_badge: &'static str,
    /// On the header of what was told before and still fires.
    pub(super) reminder: &'static str,
    pub(super) taken_on: &'static str,
    pub(super) alert: &'static str,
    pub(super) started: &'static str,
    pub(super) ended: &'static str,
    pub(super) lasts: &'static str,
    /// The time a message gives.
    pub(super) time: &'static str,
    pub(super) lasted: &'static str,
    pub(super) logs: &'static str,
    pub(super) errors: &'static str,
    pub(super) source: &'static str,
    pub(super) dashboard: &'static str,
    pub(super) panel: &'static str,
    pub(super) silence: &'static str,
    /// On a link that silences all of a group.
    pub(super) silence_group: &'static str,
    pub(super) image: &'static str,
    pub(super) runbook: &'static str,
    pub(super) all_alerts: &'static str,
    pub(super) everybody: &'static str,
    pub(super) received: &'static str,
    /// Above the columns of a table.
    pub(super) where_it_is: &'static str,
    pub(super) count: &'static str,
    pub(super) which: &'static str,
    /// Between a fact's name and its value, on one line.
    pub(super) colon: &'static str,
    /// Day, hour, minute, second.
    units: [&'static str; 4],
    locale: Locale,
}

const ZH_CN: Words = Words {
    critical: "严重",
    warning: "警告",
    info: "提示",
    firing: "告警",
    resolved: "已恢复",
    partly_resolved: "部分已恢复",
    unheard: "不再收到",
    over_badge: "已结束",
    reminder: "提醒",
    taken_on: "已认领",
    alert: "告警",
    started: "开始",
    ended: "结束",
    lasts: "已持续",
    time: "时间",
    lasted: "历时",
    logs: "日志",
    errors: "错误日志",
    source: "查看来源",
    dashboard: "仪表盘",
    panel: "面板",
    silence: "静默",
    silence_group: "静默整组",
    image: "截图",
    runbook: "处理手册",
    all_alerts: "查看全部",
    everybody: "所有人",
    received: "收到",
    where_it_is: "位置",
    count: "数量",
    which: "明细",
    colon: "：",
    units: ["天", "小时", "分", "秒"],
    locale: Locale::ZhCn,
};

const EN: Words = Words {
    critical: "CRITICAL",
    warning: "WARNING",
    info: "INFO",
    firing: "FIRING",
    resolved: "RESOLVED",
    partly_resolved: "PARTLY RESOLVED",
    unheard: "NOT HEARD OF",
    over_badge: "ENDED",
    reminder: "REMINDER",
    taken_on: "ACKNOWLEDGED",
    alert: "Alert",
    started: "Started",
    ended: "Ended",
    lasts: "For",
    time: "Time",
    lasted: "Lasted",
    logs: "Logs",
    errors: "Errors",
    source: "Source",
    dashboard: "Dashboard",
    panel: "Panel",
    silence: "Silence",
    silence_group: "Silence group",
    image: "Screenshot",
    runbook: "Runbook",
    all_alerts: "See all",
    everybody: "everybody",
    received: "received",
    where_it_is: "Where",
    count: "Count",
    which: "Which",
    colon: ": ",
    units: ["d", "h", "min", "s"],
    locale: Locale::En,
};

pub(super) fn of(locale: Locale) -> &'static Words {
    match locale {
        Locale::ZhCn => &ZH_CN,
        Locale::En => &EN,
    }
}

impl Words {
    /// How many fire and how many are over.
    pub(super) fn counts(&self, Count { firing, resolved }: Count) -> String {
        match (self.locale, firing, resolved) {
            (Locale::ZhCn, firing, 0) => format!("{firing} 条告警中"),
            (Locale::ZhCn, 0, resolved) => format!("{resolved} 条已恢复"),
            (Locale::ZhCn, firing, resolved) => format!("{firing} 条告警中，{resolved} 条已恢复"),
            (Locale::En, firing, 0) => format!("{firing} firing"),
            (Locale::En, 0, resolved) => format!("{resolved} resolved"),
            (Locale::En, firing, resolved) => format!("{firing} firing, {resolved} resolved"),
        }
    }

    /// How many of those were told before, and for how long the longest of them has been firing.
    pub(super) fn delivered_before(&self, count: usize, longest: Option<SignedDuration>) -> String {
        let longest = longest.map(|span| self.duration(span));
        match (self.locale, longest) {
            (Locale::ZhCn, None) => format!("其中 {count} 条此前已通知"),
            (Locale::ZhCn, Some(span)) => format!("其中 {count} 条此前已通知，最长已持续 {span}"),
            (Locale::En, None) => format!("{count} told before"),
            (Locale::En, Some(span)) => format!("{count} told before, the longest for {span}"),
        }
    }

    /// That an alert was told before and still fires, and for how long.
    pub(super) fn still_firing(&self, span: Option<SignedDuration>) -> String {
        let span = span.map(|span| self.duration(span));
        match (self.locale, span) {
            (Locale::ZhCn, None) => "提醒：仍未恢复".to_owned(),
            (Locale::ZhCn, Some(span)) => format!("提醒：仍未恢复，已持续 {span}"),
            (Locale::En, None) => "Reminder: still firing".to_owned(),
            (Locale::En, Some(span)) => format!("Reminder: still firing, for {span}"),
        }
    }

    /// That an alert is over, and how long it took.
    pub(super) fn over(&self, span: Option<SignedDuration>) -> String {
        let span = span.map(|span| self.duration(span));
        match (self.locale, span) {
            (Locale::ZhCn, None) => "已恢复".to_owned(),
            (Locale::ZhCn, Some(span)) => format!("已恢复，历时 {span}"),
            (Locale::En, None) => "Resolved".to_owned(),
            (Locale::En, Some(span)) => format!("Resolved after {span}"),
        }
    }

    /// That an alert is over for another reason than that all is well again, and how long it took.
    pub(super) fn over_without_recovery(&self, span: Option<SignedDuration>) -> String {
        let span = span.map(|span| self.duration(span));
        match (self.locale, span) {
            (Locale::ZhCn, None) => "已结束，不代表已恢复".to_owned(),
            (Locale::ZhCn, Some(span)) => format!("已结束，不代表已恢复，历时 {span}"),
            (Locale::En, None) => "Ended, not necessarily recovered".to_owned(),
            (Locale::En, Some(span)) => format!("Ended after {span}, not necessarily recovered"),
        }
    }

    /// Why an alert is in its state, in a sentence.
    pub(super) const fn reason(&self, reason: StateReason) -> &'static str {
        let (zh, en) = match reason {
            StateReason::NoData => (
                "没有数据：规则的查询没有返回任何结果，实际状态未知",
                "No data: the rule's query returns nothing, so nobody knows how it is",
            ),
            StateReason::Error => {
                ("规则求值出错，实际状态未知", "The rule cannot be evaluated, so nobody knows how it is")
            }
            StateReason::KeptNoData => (
                "现在没有数据，沿用之前的告警状态",
                "There are no data now; it is said to fire because it did before",
            ),
            StateReason::KeptError => (
                "规则求值出错，沿用之前的告警状态",
                "The rule cannot be evaluated now; it is said to fire because it did before",
            ),
            StateReason::DataAreBack => ("数据已恢复", "There are data again"),
            StateReason::ErrorIsOver => ("规则求值已恢复正常", "The rule can be evaluated again"),
            StateReason::OverForNoData => {
                ("没有数据，规则把这种情况视为正常", "There are no data, which the rule takes for normal")
            }
            StateReason::OverForError => (
                "规则求值出错，规则把这种情况视为正常",
                "The rule cannot be evaluated, which it takes for normal",
            ),
            StateReason::MissingSeries => {
                ("规则的查询不再返回这条时间序列", "The rule's query no longer returns this series")
            }
            StateReason::Paused => ("规则已被暂停", "The rule was paused"),
            StateReason::Updated => ("规则已被修改", "The rule was changed"),
            StateReason::RuleDeleted => ("规则已被删除", "The rule was deleted"),
        };
        match self.locale {
            Locale::ZhCn => zh,
            Locale::En => en,
        }
    }

    /// The same in the fewest words, for titles and lists.
    pub(super) const fn reason_badge(&self, reason: StateReason) -> &'static str {
        let (zh, en) = match reason {
            StateReason::NoData | StateReason::KeptNoData | StateReason::OverForNoData => {
                ("无数据", "NO DATA")
            }
            StateReason::Error | StateReason::KeptError | StateReason::OverForError => ("求值出错", "ERROR"),
            StateReason::DataAreBack => ("数据恢复", "DATA ARE BACK"),
            StateReason::ErrorIsOver => ("求值恢复", "ERROR IS OVER"),
            StateReason::MissingSeries => ("序列消失", "SERIES GONE"),
            StateReason::Paused => ("规则已暂停", "RULE PAUSED"),
            StateReason::Updated => ("规则已修改", "RULE CHANGED"),
            StateReason::RuleDeleted => ("规则已删除", "RULE DELETED"),
        };
        match self.locale {
            Locale::ZhCn => zh,
            Locale::En => en,
        }
    }

    /// What the rule says by itself, where that is not the reason.
    pub(super) fn of_the_rule(&self, text: &str) -> String {
        match self.locale {
            Locale::ZhCn => format!("规则文案：{text}"),
            Locale::En => format!("The rule's text: {text}"),
        }
    }

    /// Who has taken an alert on, and when.
    pub(super) fn taken_on(&self, by: &str, at: &str) -> String {
        match self.locale {
            Locale::ZhCn => format!("{by} 已认领（{at}）"),
            Locale::En => format!("Acknowledged by {by}, {at}"),
        }
    }

    /// Who has silenced an alert, and until when.
    pub(super) fn silenced(&self, by: &str, until: &str) -> String {
        match self.locale {
            Locale::ZhCn => format!("{by} 已静默至 {until}"),
            Locale::En => format!("Silenced by {by} until {until}"),
        }
    }

    /// Who was called because nobody had taken an alert on, how and when.
    pub(super) fn escalated(&self, who: &[String], how: &str, at: &str) -> String {
        let how = self.way_of_calling(how);
        match (self.locale, who) {
            (Locale::ZhCn, []) => format!("无人认领，已升级：{how}（{at}）"),
            (Locale::ZhCn, who) => format!("无人认领，已呼叫 {}：{how}（{at}）", who.join("、")),
            (Locale::En, []) => format!("Nobody took it on: {how}, {at}"),
            (Locale::En, who) => format!("Nobody took it on: {} called by {how}, {at}", who.join(", ")),
        }
    }

    /// How somebody is called, by the word of the settings.
    pub(super) const fn way_of_calling(&self, how: &str) -> &'static str {
        let (zh, en) = match how.as_bytes() {
            b"mention" => ("再次 @", "another mention"),
            b"urgent_app" => ("应用内加急", "an urgent push"),
            b"urgent_sms" => ("短信加急", "a text message"),
            b"urgent_phone" => ("电话加急", "telephone"),
            b"receiver" => ("通知其他接收方", "a card for another receiver"),
            _ => ("Webhook", "a webhook"),
        };
        match self.locale {
            Locale::ZhCn => zh,
            Locale::En => en,
        }
    }

    /// Of how many of several alerts somebody was called.
    pub(super) fn escalated_count(&self, count: usize) -> String {
        match self.locale {
            Locale::ZhCn => format!("{count} 条已升级"),
            Locale::En => format!("{count} escalated"),
        }
    }

    /// Since when nothing was heard of an alert.
    pub(super) fn unheard_since(&self, since: &str) -> String {
        match self.locale {
            Locale::ZhCn => format!("自 {since} 起不再收到，视为结束"),
            Locale::En => format!("Not heard of since {since}: taken for over"),
        }
    }

    /// Whom a card is for that another receiver is sent, in its title.
    pub(super) fn instead_of(&self, receiver: &str) -> String {
        match self.locale {
            Locale::ZhCn => format!("代 {receiver}"),
            Locale::En => format!("FOR {receiver}"),
        }
    }

    /// The same, and why.
    pub(super) fn cannot_be_reached(&self, receiver: &str) -> String {
        match self.locale {
            Locale::ZhCn => format!("本应发给 {receiver}，目前无法送达"),
            Locale::En => format!("for {receiver}, which cannot be reached"),
        }
    }

    /// The button that leads to all alerts of a card.
    pub(super) fn all_of(&self, count: usize) -> String {
        match self.locale {
            Locale::ZhCn => format!("全部 {count} 条"),
            Locale::En => format!("All {count}"),
        }
    }

    /// How many of several alerts somebody has taken on.
    pub(super) fn taken_on_count(&self, count: usize) -> String {
        match self.locale {
            Locale::ZhCn => format!("{count} 条已认领"),
            Locale::En => format!("{count} acknowledged"),
        }
    }

    /// How many of several alerts are silenced.
    pub(super) fn silenced_count(&self, count: usize) -> String {
        match self.locale {
            Locale::ZhCn => format!("{count} 条已静默"),
            Locale::En => format!("{count} silenced"),
        }
    }

    /// The title of a storm after its badge. `place` may be empty.
    pub(super) fn storm(&self, count: usize, place: &str, names: &str) -> String {
        match (self.locale, place) {
            (Locale::ZhCn, "") => format!("{count} 条：{names}"),
            (Locale::ZhCn, place) => format!("{place} {count} 条：{names}"),
            (Locale::En, "") => format!("{count} alerts: {names}"),
            (Locale::En, place) => format!("{count} alerts in {place}: {names}"),
        }
    }

    /// One of several places, and how many others there are.
    pub(super) fn place(&self, first: &str, others: usize) -> String {
        match (self.locale, others) {
            (_, 0) => first.to_owned(),
            (Locale::ZhCn, others) => format!("{first} 等 {} 处", others + 1),
            (Locale::En, others) => format!("{first} +{others}"),
        }
    }

    /// How many are not even counted by name.
    pub(super) fn others(&self, kinds: usize, beyond: Count) -> String {
        let counts = self.counts(beyond);
        match (self.locale, kinds) {
            (Locale::ZhCn, _) => format!("其余 {kinds} 类：{counts}"),
            (Locale::En, 1) => format!("1 other kind: {counts}"),
            (Locale::En, _) => format!("{kinds} other kinds: {counts}"),
        }
    }

    /// How many labels are not shown.
    pub(super) fn more_labels(&self, count: usize) -> String {
        match (self.locale, count) {
            (Locale::ZhCn, count) => format!("另 {count} 个标签"),
            (Locale::En, 1) => "+1 label".to_owned(),
            (Locale::En, count) => format!("+{count} labels"),
        }
    }

    /// A value of a label that so many of a hundred alerts have.
    pub(super) fn of_most(&self, value: &str, percent: usize) -> String {
        match self.locale {
            Locale::ZhCn => format!("{value}（{percent} %）"),
            Locale::En => format!("{value}, for {percent} %"),
        }
    }

    /// How many annotations are not shown.
    pub(super) fn more_annotations(&self, count: usize) -> String {
        match (self.locale, count) {
            (Locale::ZhCn, count) => format!("另 {count} 条注解"),
            (Locale::En, 1) => "+1 annotation".to_owned(),
            (Locale::En, count) => format!("+{count} annotations"),
        }
    }

    /// How many labels were too many, and are not known here.
    pub(super) fn labels_not_kept(&self, count: u64) -> String {
        match (self.locale, count) {
            (Locale::ZhCn, count) => format!("另 {count} 个标签超出上限，未保留"),
            (Locale::En, 1) => "+1 label not kept".to_owned(),
            (Locale::En, count) => format!("+{count} labels not kept"),
        }
    }

    /// How many annotations were too many, and are not known here.
    pub(super) fn annotations_not_kept(&self, count: u64) -> String {
        match (self.locale, count) {
            (Locale::ZhCn, count) => format!("另 {count} 条注解超出上限，未保留"),
            (Locale::En, 1) => "+1 annotation not kept".to_owned(),
            (Locale::En, count) => format!("+{count} annotations not kept"),
        }
    }

    /// A text that one of several alerts says.
    pub(super) fn example(&self, text: &str) -> String {
        match self.locale {
            Locale::ZhCn => format!("例如：{text}"),
            Locale::En => format!("e.g. {text}"),
        }
    }

    /// That every alert is listed that came.
    pub(super) const fn all_listed(&self, is_cut: bool) -> &'static str {
        match (self.locale, is_cut) {
            (Locale::ZhCn, false) => "已全部列出。",
            (Locale::ZhCn, true) => "收到的已全部列出。",
            (Locale::En, false) => "Everything is listed.",
            (Locale::En, true) => "Everything that was received is listed.",
        }
    }

    /// How many of all alerts a card lists by name, and where the others are: perhaps on the card that comes next.
    pub(super) fn listed(&self, listed: usize, all: usize, where_else: &str, may_go_on: bool) -> String {
        let rest = all - listed;
        if may_go_on {
            return match (self.locale, where_else) {
                (Locale::ZhCn, "") => {
                    format!("共 {all} 条，已列出 {listed} 条；其余 {rest} 条见下一张卡片（若有）。")
                }
                (Locale::ZhCn, place) => {
                    format!("共 {all} 条，已列出 {listed} 条；其余 {rest} 条见下一张卡片，若未发送：{place}")
                }
                (Locale::En, "") => {
                    format!("{listed} of {all} listed; the other {rest} on the next card, if there is one.")
                }
                (Locale::En, place) => {
                    format!("{listed} of {all} listed; the other {rest} on the next card, or else: {place}")
                }
            };
        }
        match (self.locale, where_else) {
            (Locale::ZhCn, "") => format!("共 {all} 条，已列出 {listed} 条，其余 {rest} 条未列出。"),
            (Locale::ZhCn, place) => format!("共 {all} 条，已列出 {listed} 条；其余 {rest} 条：{place}"),
            (Locale::En, "") => format!("{listed} of {all} listed; the other {rest} are not."),
            (Locale::En, place) => format!("{listed} of {all} listed; the other {rest}: {place}"),
        }
    }

    /// Which of several cards it is; nothing on the first. There are at most three others
    /// (`delivery.continuation_cards`).
    pub(super) const fn part(&self, number: usize) -> Option<&'static str> {
        Some(match (self.locale, number) {
            (_, 0 | 1) => return None,
            (Locale::ZhCn, 2) => "续 2",
            (Locale::ZhCn, 3) => "续 3",
            (Locale::ZhCn, _) => "续 4",
            (Locale::En, 2) => "PART 2",
            (Locale::En, 3) => "PART 3",
            (Locale::En, _) => "PART 4",
        })
    }

    /// What is new since the last card.
    pub(super) fn since_last_card(&self, news: Count, last: &str) -> String {
        match (self.locale, news.firing, news.resolved) {
            (Locale::ZhCn, firing, 0) => format!("{last} 以来新增 {firing} 条"),
            (Locale::ZhCn, 0, resolved) => format!("{last} 以来恢复 {resolved} 条"),
            (Locale::ZhCn, firing, resolved) => format!("{last} 以来新增 {firing} 条、恢复 {resolved} 条"),
            (Locale::En, firing, 0) => format!("+{firing} since {last}"),
            (Locale::En, 0, resolved) => format!("{resolved} ended since {last}"),
            (Locale::En, firing, resolved) => format!("+{firing} since {last}, {resolved} ended"),
        }
    }

    /// What all cards of a storm told together.
    pub(super) fn in_storm(&self, all: Count, cards: usize, begun: &str) -> String {
        let Count { firing, resolved } = all;
        match self.locale {
            Locale::ZhCn => format!("{begun} 起共 {cards} 张卡片：{firing} 条告警，{resolved} 条恢复"),
            Locale::En => format!("{firing} alerts and {resolved} ends on {cards} cards since {begun}"),
        }
    }

    /// That details were left out to make room.
    pub(super) const fn shortened(&self) -> &'static str {
        match self.locale {
            Locale::ZhCn => "内容过长，已省略部分细节",
            Locale::En => "some details were left out to make room",
        }
    }

    /// How many people there was no room for, or no name.
    pub(super) fn more_people(&self, count: usize) -> String {
        match self.locale {
            Locale::ZhCn => format!("另 {count} 人"),
            Locale::En => format!("{count} more"),
        }
    }

    /// How many envelopes a card is made of, and the id of the first.
    pub(super) fn envelopes(&self, count: usize, first: &str) -> String {
        match (self.locale, count) {
            (_, 1) => first.to_owned(),
            (Locale::ZhCn, _) => format!("{count} 个信封，首个 {first}"),
            (Locale::En, _) => format!("{count} envelopes, the first {first}"),
        }
    }

    /// How many alerts the sender left out before we saw them.
    pub(super) fn left_out(&self, count: u64, is_firing: bool) -> String {
        match (self.locale, is_firing) {
            (Locale::ZhCn, true) => format!("发送方另外省略了 {count} 条"),
            (Locale::ZhCn, false) => format!("发送方另外省略了 {count} 条，可能仍在告警"),
            (Locale::En, true) => format!("{count} more were left out by the sender"),
            (Locale::En, false) => format!("{count} more were left out by the sender and may still fire"),
        }
    }

    /// A span of time in its two largest units.
    pub(super) fn duration(&self, span: SignedDuration) -> String {
        let seconds = span.as_secs().max(0);
        let amounts = [seconds / 86_400, seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60];
        let first = amounts.iter().position(|amount| *amount > 0).unwrap_or(amounts.len() - 1);
        let parts = amounts.iter().zip(self.units).skip(first).take(2);
        let shown = parts.enumerate().filter(|(index, (amount, _))| *index == 0 || **amount > 0);
        shown.map(|(_, (amount, unit))| format!("{amount} {unit}")).collect::<Vec<_>>().join(" ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_its_two_largest_units() {
        for (seconds, shown) in [
            (0, "0 s"),
            (59, "59 s"),
            (60, "1 min"),
            (3_905, "1 h 5 min"),
            (86_460, "1 d"),
            (200_000, "2 d 7 h"),
        ] {
            assert_eq!(of(Locale::En).duration(SignedDuration::from_secs(seconds)), shown);
        }
        assert_eq!(of(Locale::ZhCn).duration(SignedDuration::from_secs(-5)), "0 秒");
    }
}
