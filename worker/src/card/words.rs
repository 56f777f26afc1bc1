//! What cards say, in both languages.

use jiff::SignedDuration;
use shared::config::Locale;

/// The words of one language.
pub(super) struct Words {
    pub(super) critical: &'static str,
    pub(super) warning: &'static str,
    pub(super) info: &'static str,
    pub(super) firing: &'static str,
    pub(super) resolved: &'static str,
    pub(super) alert: &'static str,
    pub(super) started: &'static str,
    pub(super) ended: &'static str,
    pub(super) lasts: &'static str,
    pub(super) lasted: &'static str,
    pub(super) source: &'static str,
    pub(super) dashboard: &'static str,
    pub(super) panel: &'static str,
    pub(super) silence: &'static str,
    pub(super) image: &'static str,
    pub(super) runbook: &'static str,
    pub(super) all_alerts: &'static str,
    pub(super) received: &'static str,
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
    alert: "告警",
    started: "开始",
    ended: "结束",
    lasts: "已持续",
    lasted: "历时",
    source: "查看来源",
    dashboard: "仪表盘",
    panel: "面板",
    silence: "静默",
    image: "截图",
    runbook: "处理手册",
    all_alerts: "查看全部",
    received: "收到",
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
    alert: "Alert",
    started: "Started",
    ended: "Ended",
    lasts: "For",
    lasted: "Lasted",
    source: "Source",
    dashboard: "Dashboard",
    panel: "Panel",
    silence: "Silence",
    image: "Screenshot",
    runbook: "Runbook",
    all_alerts: "See all",
    received: "received",
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
    pub(super) fn counts(&self, firing: usize, resolved: usize) -> String {
        match (self.locale, firing, resolved) {
            (Locale::ZhCn, firing, 0) => format!("{firing} 条告警中"),
            (Locale::ZhCn, 0, resolved) => format!("{resolved} 条已恢复"),
            (Locale::ZhCn, firing, resolved) => format!("{firing} 条告警中，{resolved} 条已恢复"),
            (Locale::En, firing, 0) => format!("{firing} firing"),
            (Locale::En, 0, resolved) => format!("{resolved} resolved"),
            (Locale::En, firing, resolved) => format!("{firing} firing, {resolved} resolved"),
        }
    }

    /// How many are not shown in detail, and what they are.
    pub(super) fn more(&self, count: usize, names: &str) -> String {
        match self.locale {
            Locale::ZhCn => format!("另有 {count} 条：{names}"),
            Locale::En => format!("+ {count} more: {names}"),
        }
    }

    /// How many are not shown at all.
    pub(super) fn counts_left(&self, count: usize) -> String {
        match self.locale {
            Locale::ZhCn => format!("另有 {count} 条"),
            Locale::En => format!("+ {count} more"),
        }
    }

    /// That there are further names.
    pub(super) const fn and_others(&self) -> &'static str {
        match self.locale {
            Locale::ZhCn => "，等",
            Locale::En => " and others",
        }
    }

    /// How many alerts the sender left out before we saw them.
    pub(super) fn left_out(&self, count: u64) -> String {
        match self.locale {
            Locale::ZhCn => format!("发送方另外省略了 {count} 条"),
            Locale::En => format!("{count} more were left out by the sender"),
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
