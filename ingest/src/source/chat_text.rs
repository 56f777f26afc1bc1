//! What messages for chat bots say in their texts: whether something is over, and which problem it is. Pure.
//!
//! Such a message has no field for either. Its status is in its title's marks, in a line for it, or in the colour of its
//! card. It is known by its whole text, less what changes while the problem is the same: marks of a state, times,
//! percentages, and lines for values. So a recovery that is worded like its alert ends it, and two problems are never one.

use model::alert::Status;

use super::text_alert;

/// What stands before the colon of a line that changes while the problem is the same, in Chinese: any part of it counts.
const CHANGING_PARTS: [&str; 15] = [
    "状态",
    "时间",
    "时值",
    "当前值",
    "触发值",
    "现值",
    "持续",
    "次数",
    "时长",
    "恢复",
    "级别",
    "等级",
    "响应",
    "耗时",
    "日期",
];
/// The same in English: whole words count.
const CHANGING_WORDS: [&str; 17] = [
    "status", "state", "time", "times", "value", "values", "duration", "started", "ended", "starts", "ends",
    "since", "date", "severity", "level", "ping", "count",
];
/// What stands before the colon of a line for the status.
const STATUS_KEYS: [&str; 4] = ["状态", "status", "state", "告警类型"];
/// Words of a title or a status line that say that something is over, with what takes it back.
const OVER_PARTS: [&str; 9] =
    ["已恢复", "恢复正常", "告警恢复", "故障恢复", "恢复通知", "恢复告警", "已解决", "已解除", "告警解除"];
const NOT_OVER_PARTS: [&str; 5] = ["未恢复", "没有恢复", "恢复失败", "无法恢复", "未解决"];
/// The same in English, as words of their own.
const OVER_WORDS: [&str; 3] = ["resolved", "recovered", "恢复"];
/// What says that something fires, whatever else is said beside it.
const FIRING_WORDS: [&str; 5] = ["firing", "problem", "triggered", "unresolved", "alerting"];
/// Marks of a state that are words for something else outside of brackets.
const MARKS_OVER: [&str; 5] = ["ok", "up", "normal", "closed", "recovery"];
const SIGNS_OVER: [char; 3] = ['✅', '🟢', '💚'];
const SIGNS_FIRING: [char; 6] = ['🔴', '❌', '🔥', '🚨', '🟠', '🟡'];
/// Further marks of a state, within brackets: numbers among them are counts.
const MARKS: [&str; 14] = [
    "down",
    "pending",
    "up",
    "warning",
    "warn",
    "error",
    "info",
    "triggered",
    "problem",
    "ok",
    "告警中",
    "已恢复",
    "警告",
    "严重",
];
/// How much of a text is compared, in bytes.
const KEY_BYTES_MAX: usize = 8 * 1024;
/// How long the part of a line before its colon may be, in characters.
const LINE_KEY_MAX: usize = 24;

/// Whether a message says that something is over; `None` if it does not say. `text` is all of it, `title` its title.
pub(super) fn status(title: &str, text: &str) -> Option<Status> {
    let of_lines = || text.lines().filter_map(status_line).find_map(state_in);
    title_state(title).or_else(of_lines)
}

fn title_state(title: &str) -> Option<Status> {
    state_in(title).or_else(|| {
        let mut marks = brackets(title);
        let is_over = marks
            .any(|mark| words(&mark).any(|word| MARKS_OVER.contains(&&*word)) || text_alert::is_over(&mark));
        is_over.then_some(Status::Resolved)
    })
}

/// What a title or the value of a status line says.
fn state_in(text: &str) -> Option<Status> {
    let has_any = |parts: &[&str]| parts.iter().any(|part| text.contains(part));
    let has_word = |list: &[&str]| words(text).any(|word| list.contains(&&*word));
    if has_any(&NOT_OVER_PARTS) || has_word(&FIRING_WORDS) || text.contains(SIGNS_FIRING) {
        return Some(Status::Firing);
    }
    let is_over = has_any(&OVER_PARTS) || has_word(&OVER_WORDS) || text.contains(SIGNS_OVER);
    (is_over || text_alert::is_over(text)).then_some(Status::Resolved)
}

/// The value of a line for the status.
fn status_line(line: &str) -> Option<&str> {
    let (key, value) = key_and_value(line)?;
    let key = key.to_lowercase();
    STATUS_KEYS.iter().any(|known| key.contains(known)).then_some(value)
}

/// What a message is known by.
pub(super) fn key(title: &str, text: &str) -> String {
    let end = text.floor_char_boundary(KEY_BYTES_MAX);
    let lines = text.get(..end).unwrap_or(text).lines().filter(|line| !changes(line));
    let mut key = plain(title);
    for line in lines.map(plain).filter(|line| !line.is_empty()) {
        key.push('\n');
        key.push_str(&line);
    }
    key
}

/// A line without marks of a state, times and percentages.
fn plain(line: &str) -> String {
    let unmarked = without_marks(line);
    let kept = unmarked.split_whitespace().filter(|word| !is_time(word) && !word.contains(signs));
    kept.filter(|word| !is_changing_number(word)).collect::<Vec<_>>().join(" ")
}

/// The title as people know the problem: without marks of its state.
pub(super) fn without_marks(line: &str) -> String {
    let mut rest = line;
    let mut kept = String::new();
    while let Some((before, mark, after)) = next_bracket(rest) {
        kept.push_str(before);
        if !is_mark(mark) {
            kept.push_str(rest.get(before.len()..rest.len() - after.len()).unwrap_or_default());
        }
        rest = after;
    }
    kept.push_str(rest);
    for part in OVER_PARTS.iter().chain(&["告警通知", "恢复通知", "告警触发"]) {
        kept = kept.replace(part, "");
    }
    let is_state = |word: &str| {
        let word = word.trim_matches(|letter: char| !letter.is_alphanumeric()).to_lowercase();
        OVER_WORDS.contains(&&*word) || FIRING_WORDS.contains(&&*word)
    };
    kept.split_whitespace().filter(|word| !is_state(word)).collect::<Vec<_>>().join(" ")
}

fn is_mark(mark: &str) -> bool {
    let mut all = words(mark).filter(|word| !word.bytes().all(|byte| byte.is_ascii_digit())).peekable();
    let has_sign = mark.contains(signs);
    let is_known = |word: String| {
        MARKS.contains(&&*word) || FIRING_WORDS.contains(&&*word) || text_alert::is_mark(&word)
    };
    (all.peek().is_some() || has_sign) && all.all(is_known)
}

fn signs(letter: char) -> bool {
    SIGNS_OVER.contains(&letter) || SIGNS_FIRING.contains(&letter)
}

/// Whether a line is for something that changes while the problem is the same.
fn changes(line: &str) -> bool {
    let Some((key, _)) = key_and_value(line) else { return false };
    CHANGING_PARTS.iter().any(|part| key.contains(part))
        || words(key).any(|word| CHANGING_WORDS.contains(&&*word))
}

/// What stands before and behind the colon of a line, without the marks of markdown.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let line = line
        .trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '#' | '*' | '-' | '>' | '•'));
    let (key, value) = line.split_once([':', '：'])?;
    let is_short = key.chars().count() <= LINE_KEY_MAX;
    is_short.then(|| (key.trim(), value.trim_matches(|letter: char| letter.is_whitespace() || letter == '*')))
}

/// `10:32:01`, `2026-07-16`, `2026-07-16T10:32:01.5+08:00`, `2026年07月16日`.
fn is_time(word: &str) -> bool {
    let word = word.trim_matches(|letter: char| !letter.is_alphanumeric());
    let digits = word.bytes().filter(u8::is_ascii_digit).count();
    let separators = word.matches([':', '-', '/', '年', '月', '日']).count();
    let is_only = |letter: char| {
        letter.is_ascii_digit()
            || matches!(
                letter,
                ':' | '-' | '/' | '.' | '+' | 'T' | 'Z' | '年' | '月' | '日' | '时' | '分' | '秒'
            )
    };
    digits >= 4 && separators >= 2 && word.chars().all(is_only)
}

/// A percentage, or a number with a decimal point: a measured value. `8080` and `web-02` are not.
fn is_changing_number(word: &str) -> bool {
    let word =
        word.trim_matches(|letter: char| matches!(letter, ',' | '，' | '。' | ';' | '(' | ')' | '（' | '）'));
    let number = word.trim_end_matches('%');
    let is_number = number.parse::<f64>().is_ok();
    is_number && (number.len() < word.len() || number.matches('.').count() == 1)
}

fn words(text: &str) -> impl Iterator<Item = String> {
    let separates = |letter: char| !letter.is_alphanumeric();
    text.split(separates).filter(|word| !word.is_empty()).map(str::to_lowercase)
}

/// What stands in brackets.
fn brackets(text: &str) -> impl Iterator<Item = String> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (_, mark, after) = next_bracket(rest)?;
        rest = after;
        Some(mark.to_owned())
    })
}

/// What stands before the next brackets, in them, and behind them.
fn next_bracket(text: &str) -> Option<(&str, &str, &str)> {
    let pairs = [('[', ']'), ('【', '】'), ('(', ')'), ('（', '）')];
    let at = text.find(|letter| pairs.iter().any(|(open, _)| *open == letter))?;
    let (before, rest) = text.split_at(at);
    let open = rest.chars().next()?;
    let (_, close) = pairs.into_iter().find(|(known, _)| *known == open)?;
    let (mark, after) = rest.get(open.len_utf8()..)?.split_once(close)?;
    Some((before, mark, after))
}

/// A text in markdown as people would read it, and the first link in it. Cards show the text of alerts as it is, so its marks
/// would stand there.
pub(super) fn unformatted(markdown: &str) -> (String, String) {
    let mut link = String::new();
    let lines: Vec<String> = markdown.lines().map(|line| unformatted_line(line, &mut link)).collect();
    (lines.join("\n").trim().to_owned(), link)
}

fn unformatted_line(line: &str, address: &mut String) -> String {
    let line = without_tags(line);
    let line = line.trim_start_matches(['#', '>', ' ']).replace("**", "").replace("__", "");
    let mut rest = line.as_str();
    let mut kept = String::new();
    while let Some((before, text, after)) = next_bracket(rest) {
        let opening = rest.get(before.len()..).and_then(|from| from.chars().next());
        let target = after.strip_prefix('(').and_then(|target| target.split_once(')'));
        if let (Some('['), Some((target, after))) = (opening, target) {
            kept.push_str(before.strip_suffix('!').unwrap_or(before));
            kept.push_str(text);
            if address.is_empty() {
                target.trim().clone_into(address);
            }
            rest = after;
        } else {
            kept.push_str(rest.get(..rest.len() - after.len()).unwrap_or_default());
            rest = after;
        }
    }
    kept.push_str(rest);
    kept.trim_end().to_owned()
}

/// Without `<font …>`, `<br>`, `<at …>…</at>` and the like; what looks like none of them stays.
fn without_tags(line: &str) -> String {
    const TAGS: [&str; 10] = ["font", "br", "at", "text_tag", "b", "i", "a", "p", "strong", "@"];
    let mut rest = line;
    let mut kept = String::new();
    while let Some((before, from)) = rest.split_once('<') {
        kept.push_str(before);
        let name = from.trim_start_matches('/');
        let is_tag = TAGS.iter().any(|tag| {
            name.strip_prefix(tag).is_some_and(|after| *tag == "@" || after.starts_with([' ', '>', '/', '=']))
        });
        match from.split_once('>').filter(|_| is_tag) {
            Some((tag, after)) if tag.starts_with("at") && !tag.ends_with('/') => {
                rest = after.split_once("</at>").map_or(after, |(_, after)| after);
            }
            Some((_, after)) => rest = after,
            None => {
                kept.push('<');
                rest = from;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// Whom `<at user_id="ou_…">`, `<at id=ou_…>` and `<@name>` mention in a text.
pub(super) fn mentioned(text: &str) -> Vec<String> {
    let quoted = |from: &str| {
        let from = from.trim_start_matches(['"', '\'', '\\']);
        let end = from
            .find(|letter: char| matches!(letter, '"' | '\'' | '\\' | '>' | '/') || letter.is_whitespace());
        from.get(..end.unwrap_or(from.len())).unwrap_or_default().to_owned()
    };
    let of_feishu = text.split("<at ").skip(1).filter_map(|tag| {
        let tag = tag.split('>').next().unwrap_or(tag);
        let value = ["user_id=", "email=", "id="].iter().find_map(|name| tag.split_once(name))?.1;
        Some(quoted(value))
    });
    let of_wecom = text.split("<@").skip(1).map(quoted);
    of_feishu.chain(of_wecom).filter(|name| !name.is_empty()).collect()
}

#[cfg(test)]
mod tests;
