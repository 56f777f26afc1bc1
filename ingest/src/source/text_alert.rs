//! An alert whose source is a text: what the custom and the Loki-Feishu format have in common. Pure.

use std::borrow::Cow;

use model::alert::{Alert, Labels, Links, Mention, Status};

use super::identity::Identity;
use super::text_lines;

/// How many digits a mainland mobile number has without its country code.
const MAINLAND_DIGITS: usize = 11;

/// What says that something is over, in the words of usual senders.
const OVER: [&str; 12] = [
    "resolved",
    "ok",
    "recovered",
    "recovery",
    "up",
    "closed",
    "cleared",
    "normal",
    "恢复",
    "已恢复",
    "恢复正常",
    "正常",
];
/// What a message is called that somebody sends to see whether it arrives.
const TESTS: [&str; 8] =
    ["test", "testing", "test alert", "test message", "测试", "测试告警", "测试消息", "告警测试"];
/// What messages mark their state with, in brackets before the title.
const MARKS: [&str; 18] = [
    "告警",
    "报警",
    "恢复",
    "已恢复",
    "告警恢复",
    "恢复通知",
    "告警通知",
    "故障",
    "故障恢复",
    "firing",
    "resolved",
    "alert",
    "alerting",
    "ok",
    "problem",
    "recovery",
    "recovered",
    "critical",
];

/// Whether the word says that something is over.
pub(super) fn is_over(word: &str) -> bool {
    let word = word.trim().to_lowercase();
    OVER.contains(&&*word)
}

/// Whether a message is a test by its title: it is delivered each time.
pub(super) fn is_test(message: &str) -> bool {
    let (title, _) = text_lines::title_and_rest(message);
    let is_mark = |letter: char| !letter.is_alphanumeric();
    let title = title.trim_matches(is_mark).to_lowercase();
    TESTS.contains(&&*title)
}

/// Whether messages mark their state with this word.
pub(super) fn is_mark(word: &str) -> bool {
    MARKS.contains(&word)
}

/// The title without the marks of its state, which a recovery has others of: `【恢复】x` ends `【告警】x`.
pub(super) fn unmarked(title: &str) -> &str {
    let mut rest = title.trim();
    while let Some((mark, after)) = bracketed(rest) {
        if !MARKS.contains(&&*mark.trim().to_lowercase()) {
            break;
        }
        rest = after.trim_start();
    }
    rest
}

/// What stands in brackets at the beginning, and what follows.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let pairs = [('[', ']'), ('【', '】'), ('(', ')'), ('（', '）')];
    let (open, close) = pairs.into_iter().find(|(open, _)| text.starts_with(*open))?;
    text.get(open.len_utf8()..)?.split_once(close)
}

/// The alert: the text's first line is its name, the rest its description.
pub(super) fn told<'a>(
    message: &str,
    mut labels: Labels<'a>,
    identity: Identity<'a>,
    status: Status,
    mention: Mention<'a>,
) -> Alert<'a> {
    let (title, rest) = text_lines::title_and_rest(message);
    labels.insert_if_absent("alertname".into(), Cow::Owned(title.to_owned()));
    let mut annotations = Labels::default();
    for (name, text) in [("summary", title), ("description", rest)] {
        if !text.is_empty() {
            annotations.insert_if_absent(name.into(), Cow::Owned(text.to_owned()));
        }
    }
    Alert {
        fingerprint: identity.fingerprint,
        former: identity.former,
        status,
        // The text's own time is when the line was logged, not when the alert began: repeats would look new.
        starts_at: None,
        ends_at: None,
        labels,
        annotations,
        generator_url: Cow::Borrowed(""),
        links: Links::default(),
        mention,
    }
}

/// Whom the payload names, with mainland numbers in the form Feishu knows them by.
pub(super) fn mention<'a>(usernames: Vec<Cow<'a, str>>, phones: Vec<Cow<'a, str>>) -> Mention<'a> {
    Mention { usernames, mobiles: phones.into_iter().map(international).collect(), open_ids: Vec::new() }
}

fn international(phone: Cow<'_, str>) -> Cow<'_, str> {
    let mainland = phone.len() == MAINLAND_DIGITS && phone.bytes().all(|byte| byte.is_ascii_digit());
    if mainland { Cow::Owned(format!("+86{phone}")) } else { phone }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_same_in_each_state() {
        for title in
            ["订单服务异常", "【告警】订单服务异常", "[RESOLVED] 订单服务异常", "【恢复】 [告警]订单服务异常"]
        {
            assert_eq!(unmarked(title), "订单服务异常", "{title}");
        }
        for title in ["[order] down", "【告警", ""] {
            assert_eq!(unmarked(title), title);
        }
    }

    #[test]
    fn a_test_is_known_by_its_title_alone() {
        for message in ["test", "【测试】", "[Test] \nline", "  测试告警!"] {
            assert!(is_test(message), "{message}");
        }
        for message in ["test failed on ci", "测试环境 数据库告警", "order down\ntest"] {
            assert!(!is_test(message), "{message}");
        }
    }
}
