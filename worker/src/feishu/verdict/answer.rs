//! An answer's body, read as leniently as it makes no difference: what is shown must not be sent again because a
//! gateway, or a later version of the API, writes a number as a string. Pure.

use serde_json::{Map, Value};

/// A byte order mark, which some proxies and web servers put before JSON.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What an answer says.
pub(super) struct FeishuAnswer {
    pub(super) code: Option<i64>,
    pub(super) said: String,
}

impl FeishuAnswer {
    /// `None` if it is no JSON object.
    pub(super) fn read(body: &[u8]) -> Option<Self> {
        let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
        let answer: Map<String, Value> = serde_json::from_slice(body).ok()?;
        // `StatusCode` and `StatusMessage` are the old names of the same things; they count only where the new ones are
        // missing.
        let code = of_either(&answer, ["code", "StatusCode"], whole);
        let said = of_either(&answer, ["msg", "StatusMessage"], text);
        Some(Self { code, said: said.unwrap_or_default() })
    }
}

fn of_either<T>(
    answer: &Map<String, Value>,
    names: [&str; 2],
    read: impl Fn(&Value) -> Option<T>,
) -> Option<T> {
    names.into_iter().filter_map(|name| answer.get(name)).find(|value| !value.is_null()).and_then(read)
}

/// A whole number, also as `0.0` or `"0"`.
fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole_text(&number.to_string())),
        Value::String(text) => whole_text(text.trim()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn whole_text(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.bytes().all(|digit| digit == b'0') { whole.parse().ok() } else { None }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}
