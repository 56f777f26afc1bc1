//! Mutations of a body as JSON, so that what comes out is mostly a body of the same format; and now and then as
//! bytes, so that what is no JSON is met too.

use libfuzzer_sys::fuzzer_mutate;
use serde_json::{Map, Value};

/// The names the formats use.
const KEYS: &[&str] = &[
    "alerts",
    "status",
    "labels",
    "annotations",
    "startsAt",
    "endsAt",
    "generatorURL",
    "fingerprint",
    "receiver",
    "groupKey",
    "groupLabels",
    "commonLabels",
    "commonAnnotations",
    "externalURL",
    "version",
    "truncatedAlerts",
    "orgId",
    "state",
    "title",
    "message",
    "ruleId",
    "ruleName",
    "ruleUrl",
    "rule_url",
    "imageUrl",
    "image_url",
    "tags",
    "evalMatches",
    "metric",
    "value",
    "values",
    "valueString",
    "silenceURL",
    "dashboardURL",
    "panelURL",
    "imageURL",
    "sender_id",
    "chat_id",
    "timestamp",
    "metadata",
    "severity",
    "at_name",
    "at_phone",
    "alertname",
];
/// Values with a meaning in some field.
const WORDS: &[&str] = &[
    "",
    "firing",
    "resolved",
    "RESOLVED",
    "ok",
    "paused",
    "pending",
    "no_data",
    "1",
    "4",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999999Z",
    "-009999-01-01T00:00:00Z",
    "2026-03-02T07:15:30.25+08:00",
    "2026-03-02 07:15:30 +0800 CST m=+1",
    "1690871400",
    "99999999999999999999",
    "-1",
    "1e308",
    "?x",
    "/x",
    "//x",
    "a:1",
    "\\",
    "web\\.hook\\",
    "wei，lan",
    "服务名称: 服务名称：",
    "服务:",
    "告警时间 9999-12-31T23:59:59",
    "[ var='",
    "[ var='B' labels={} value=1 ], [ metric='",
    "\u{0}",
    "\u{1f600}",
    "\"",
    "http://",
    "https://x/",
];
/// How often a part is repeated at most, to come near the limits on counts and lengths, and how long that may get.
const REPEATS_MAX: usize = 120;
const REPEATED_BYTES_MAX: usize = 16 * 1024;

/// A small generator: the fuzzer wants the same seed to give the same mutation.
struct Dice(u64);

impl Dice {
    fn below(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides.max(1)
    }

    fn one_of<'l>(&mut self, list: &[&'l str]) -> &'l str {
        list[self.below(list.len())]
    }
}

/// Changes `data` in place as libFuzzer asks for. `steer` puts back what makes the format recognised.
pub fn mutate(
    data: &mut [u8],
    size: usize,
    max_size: usize,
    seed: u32,
    steer: fn(&mut Map<String, Value>),
) -> usize {
    let mut dice = Dice(u64::from(seed) | 1 << 32);
    let parsed = if dice.below(4) == 0 { None } else { serde_json::from_slice(&data[..size]).ok() };
    let Some(mut body) = parsed else { return fuzzer_mutate(data, size, max_size) };
    for _ in 0..=dice.below(3) {
        change(&mut body, &mut dice);
    }
    if let Value::Object(fields) = &mut body {
        steer(fields);
    }
    let text = body.to_string();
    if text.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..text.len()].copy_from_slice(text.as_bytes());
    text.len()
}

/// The same for bodies that nothing has to be put back into.
pub fn mutate_freely(data: &mut [u8], size: usize, max_size: usize, seed: u32) -> usize {
    mutate(data, size, max_size, seed, |_| {})
}

/// Goes down to some part of the body and changes it there.
fn change(value: &mut Value, dice: &mut Dice) {
    if dice.below(4) > 0 {
        let chosen = match value {
            Value::Array(items) if !items.is_empty() => {
                let index = dice.below(items.len());
                items.get_mut(index)
            }
            Value::Object(fields) if !fields.is_empty() => {
                let index = dice.below(fields.len());
                fields.values_mut().nth(index)
            }
            _ => None,
        };
        if let Some(part) = chosen {
            return change(part, dice);
        }
    }
    change_here(value, dice);
}

fn change_here(value: &mut Value, dice: &mut Dice) {
    match (value, dice.below(4)) {
        (Value::Array(items), 0) => {
            let index = dice.below(items.len());
            let part = items.get(index).cloned().unwrap_or_else(|| leaf(dice));
            let times = repeats(part.to_string().len(), dice);
            items.extend(std::iter::repeat_n(part, times));
        }
        (Value::Array(items), 1) => items.push(leaf(dice)),
        (Value::Array(items), 2) if !items.is_empty() => {
            items.remove(dice.below(items.len()));
        }
        (Value::Object(fields), 0) => {
            for _ in 0..=dice.below(REPEATS_MAX) {
                fields.insert(format!("{}{}", dice.one_of(KEYS), dice.below(100)), leaf(dice));
            }
        }
        (Value::Object(fields), 1) => {
            fields.insert(dice.one_of(KEYS).to_owned(), leaf(dice));
        }
        (Value::Object(fields), 2) => {
            let name = fields.keys().nth(dice.below(fields.len())).cloned();
            name.and_then(|name| fields.remove(&name));
        }
        (Value::String(text), 0) => *text = text.repeat(repeats(text.len(), dice)),
        (Value::String(text), 1) => text.push_str(dice.one_of(WORDS)),
        (Value::String(text), 2) => {
            let mut bytes = text.clone().into_bytes();
            let size = bytes.len();
            bytes.resize(size + 16, 0);
            let size = fuzzer_mutate(&mut bytes, size, size + 16);
            *text = String::from_utf8_lossy(&bytes[..size]).into_owned();
        }
        (value, _) => *value = leaf(dice),
    }
}

fn repeats(bytes: usize, dice: &mut Dice) -> usize {
    dice.below(REPEATS_MAX).min(REPEATED_BYTES_MAX / bytes.max(1))
}

fn leaf(dice: &mut Dice) -> Value {
    match dice.below(12) {
        0 => Value::Null,
        1 => Value::from(dice.below(2) == 0),
        2 => Value::from(dice.below(1000)),
        3 => Value::from(f64::from(u32::try_from(dice.below(1000)).unwrap_or(0)) * 1e17 + 0.5),
        4 => Value::Array(Vec::new()),
        5 => Value::Object(Map::new()),
        _ => Value::from(dice.one_of(WORDS)),
    }
}
