//! Alerts that are a text with known words in it: `服务名称: order-service`, one to a line. Pure.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use model::alert::Labels;

use super::time;

/// The words, and the label each one's value goes to.
const WORDS: [(&str, &str); 5] = [
    ("服务名称", "service"),
    ("接口名称", "endpoint"),
    ("命名空间", "namespace"),
    ("触发条件", "trigger"),
    ("告警时间", TIME),
];
/// The short form of 服务名称. An everyday word, so it counts only before a colon at the beginning of a line.
const SHORT_SERVICE: &str = "服务";
/// The label of the time the text gives. It never identifies an alert.
pub(super) const TIME: &str = "time";
/// What stands between a word and its value.
const SEPARATORS: [char; 3] = [':', '：', '\u{3000}'];

/// The first line that is not blank, and what follows it.
pub(super) fn title_and_rest(message: &str) -> (&str, &str) {
    let message = message.trim();
    let (title, rest) = message.split_once('\n').unwrap_or((message, ""));
    (title.trim_end(), rest.trim())
}

/// Adds what the lines say to the labels, without replacing any. A time that can be read is written as RFC 3339,
/// any other stays as it is.
pub(super) fn add_labels(labels: &mut Labels<'_>, message: &str, zone: &TimeZone) {
    for line in message.lines() {
        for (label, value) in pairs_in(line) {
            add(labels, label, value, zone);
        }
    }
}

/// Adds a pair; a time is normalised.
pub(super) fn add(labels: &mut Labels<'_>, label: &'static str, value: &str, zone: &TimeZone) {
    if value.is_empty() {
        return;
    }
    let shown = (label == TIME).then(|| time::instant(value, zone)).flatten();
    let value = shown.map_or_else(|| value.to_owned(), |time| time::shown(time, zone));
    labels.insert_if_absent(Cow::Borrowed(label), Cow::Owned(value));
}

/// The message without the lines that only give a time: what identifies a text that names nothing else.
pub(super) fn without_time(message: &str) -> String {
    let lines = message.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.contains("告警时间")).collect::<Vec<_>>().join("\n")
}

fn pairs_in(line: &str) -> impl Iterator<Item = (&'static str, &str)> {
    let long = WORDS.iter().filter_map(move |(word, label)| {
        let after = line.split_once(word)?.1;
        Some((*label, value_in(after)))
    });
    let short = line
        .trim_start()
        .strip_prefix(SHORT_SERVICE)
        .filter(|after| after.trim_start().starts_with([':', '：']));
    long.chain(short.map(|after| ("service", value_in(after))))
}

/// What follows the first separator, up to the next word on the same line.
fn value_in(after: &str) -> &str {
    let separator = |letter: char| letter.is_whitespace() || SEPARATORS.contains(&letter);
    let value = after.find(separator).and_then(|at| after.get(at..)).unwrap_or_default();
    let next = WORDS.iter().filter_map(|(word, _)| value.find(word)).min().unwrap_or(value.len());
    let value = value.get(..next).unwrap_or(value).trim_start_matches(separator);
    value.trim_end_matches(|letter: char| letter.is_whitespace() || [',', '，', ';', '；'].contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels_of(message: &str) -> Vec<(String, String)> {
        let mut labels = Labels::default();
        add_labels(&mut labels, message, &TimeZone::get("Asia/Shanghai").unwrap());
        labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn a_word_is_found_anywhere_in_its_line_and_its_value_follows() {
        let forms = [
            "服务名称 order",
            "服务名称: order",
            "服务名称:order",
            "服务名称：order",
            "服务名称： order ",
            "  - 服务名称 : order",
            "【告警】服务名称\u{3000}order",
            "**服务名称**: order",
            "服务名称（生产） order",
            "服务: order",
            "服务：order",
            "服务名称=x: order\n服务名称: other",
        ];
        for form in forms {
            assert_eq!(labels_of(form), [("service".to_owned(), "order".to_owned())], "{form}");
        }
    }

    #[test]
    fn everyday_words_and_empty_values_give_no_labels() {
        for text in ["服务不可用 请处理", "调用服务: x", "服务名称", "服务名称: ", "order-service 500"]
        {
            assert_eq!(labels_of(text), [], "{text}");
        }
    }

    #[test]
    fn several_words_on_one_line_keep_their_own_values() {
        let labels = labels_of(
            "服务名称: a b，接口名称 /api/v1/*  命名空间：prod; 触发条件 count > 5, 告警时间 2023-08-01 14:30:00",
        );
        let expected = [
            ("endpoint", "/api/v1/*"),
            ("namespace", "prod"),
            ("service", "a b"),
            ("time", "2023-08-01T14:30:00+08:00"),
            ("trigger", "count > 5"),
        ];
        assert_eq!(labels, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }

    #[test]
    fn a_time_that_cannot_be_read_stays_as_it_is() {
        assert_eq!(labels_of("告警时间 刚才"), [("time".to_owned(), "刚才".to_owned())]);
    }

    #[test]
    fn the_title_is_the_first_line_with_something_in_it() {
        assert_eq!(title_and_rest("\n \r\n[告警] down \r\na\nb\n"), ("[告警] down", "a\nb"));
        assert_eq!(title_and_rest("alone"), ("alone", ""));
    }
}
