//! What is said of a step: on its card, in history, in the audit trail. Pure.

use std::time::Duration;

use config::{Callee, EscalationStep, Locale, StepMethod};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);

/// Why a card comes again, and who is on call by the rotations that the step names.
pub(super) fn on_card(
    escalation: &str,
    number: usize,
    waited: Duration,
    on_call: &[(String, String)],
    locale: Locale,
) -> String {
    let waited = shown(waited, locale);
    let of_rotation = |(rotation, person): &(String, String)| match locale {
        Locale::ZhCn => format!("；{rotation} 值班：{person}"),
        Locale::En => format!("; on call ({rotation}): {person}"),
    };
    let on_call: String = on_call.iter().map(of_rotation).collect();
    match locale {
        Locale::ZhCn => format!("{waited}无人认领：升级 {escalation} 第 {number} 步{on_call}"),
        Locale::En => {
            format!("Nobody has taken this on for {waited}: escalation {escalation}, step {number}{on_call}")
        }
    }
}

/// How a step calls, where that is written down: of another receiver its name as well.
pub(super) fn how(method: &StepMethod) -> String {
    match method {
        StepMethod::Receiver(name) => format!("{} {name}", method.as_str()),
        StepMethod::Mention | StepMethod::Urgent(_) | StepMethod::Webhook { .. } => {
            method.as_str().to_owned()
        }
    }
}

/// What stands in history and in the audit trail.
pub(super) fn in_history(escalation: &str, number: usize, how: &str, who: &[String]) -> String {
    let who = if who.is_empty() { String::new() } else { format!(" to {}", who.join(", ")) };
    format!("escalation {escalation}, step {number}: {how}{who}")
}

/// The rotations whose people a step calls.
pub(super) fn rotations_of(step: &EscalationStep) -> impl Iterator<Item = &str> {
    step.who.iter().filter_map(|callee| match callee {
        Callee::OnCall(name) | Callee::NextOnCall(name) | Callee::Person(name) => Some(name.as_str()),
        Callee::Owners => None,
    })
}

/// A time in the largest unit that says enough.
fn shown(time: Duration, locale: Locale) -> String {
    let (count, zh, en) = match time {
        time if time < MINUTE => (time.as_secs(), "秒", "s"),
        time if time < 2 * HOUR => (time.as_secs() / 60, "分钟", "min"),
        time => (time.as_secs() / 3_600, "小时", "h"),
    };
    match locale {
        Locale::ZhCn => format!("{count} {zh}"),
        Locale::En => format!("{count} {en}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_says_for_how_long_nobody_has_taken_it_on_and_who_is_on_call() {
        let on_call = [("primary".to_owned(), "张三".to_owned())];
        let said = |waited, locale| on_card("night", 2, Duration::from_secs(waited), &on_call, locale);
        assert_eq!(said(600, Locale::ZhCn), "10 分钟无人认领：升级 night 第 2 步；primary 值班：张三");
        assert_eq!(
            said(7_300, Locale::En),
            "Nobody has taken this on for 2 h: escalation night, step 2; on call (primary): 张三"
        );
        assert_eq!(
            in_history("night", 1, "urgent_phone", &["ann".to_owned()]),
            "escalation night, step 1: urgent_phone to ann"
        );
        let told = how(&StepMethod::Receiver("managers".to_owned()));
        assert_eq!(in_history("night", 4, &told, &[]), "escalation night, step 4: receiver managers");
    }
}
