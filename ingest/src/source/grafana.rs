//! What Grafana's unified alerting adds to an alert: links, and the values that made it fire. Pure.

use std::borrow::Cow;
use std::fmt::Write;

use model::alert::{Alert, Labels, Links};
use model::envelope::Notice;

use super::link;
use super::shape::RawAlert;

/// The annotation the values go to, unless the rule has written its own.
const VALUE: &str = "value";
/// How many significant digits of a value are shown.
const DIGITS: i32 = 4;
/// Above this a number is shown as it came: it is hardly one for people.
const READABLE_MAX: f64 = 1e15;

/// Whether it is the message of a contact point's test button.
pub(super) fn is_test(alert: &Alert<'_>) -> bool {
    alert.labels.get("alertname") == Some("TestAlert") && alert.labels.get("instance") == Some("Grafana")
}

/// What the contact point's own templates say. The built-in message repeats every alert with all it has, and the built-in
/// title what alerts are called, so the first is left out, and the second where each alert has a name.
pub(super) fn notice<'a>(title: Cow<'a, str>, message: Cow<'a, str>, alerts: &[Alert<'_>]) -> Notice<'a> {
    let is_named =
        |alert: &Alert<'_>| alert.labels.get("alertname").is_some_and(|name| !name.trim().is_empty());
    let is_title_needed = !is_built_in_title(&title) || !alerts.iter().all(is_named);
    Notice {
        title: if is_title_needed { title } else { Cow::Borrowed("") },
        message: if is_built_in_message(&message) { Cow::Borrowed("") } else { message },
    }
}

/// `[FIRING:1, RESOLVED:2] …` (reference "Alert sources", 4.1).
fn is_built_in_title(title: &str) -> bool {
    ["[FIRING:", "[RESOLVED]", "[RESOLVED:"].iter().any(|begin| title.trim_start().starts_with(begin))
}

/// `**Firing**`, and below it a list of each alert's value, labels and annotations (reference "Alert sources", 4.1).
fn is_built_in_message(message: &str) -> bool {
    let mut lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    let is_headed = matches!(lines.next(), Some("**Firing**" | "**Resolved**"));
    is_headed && lines.next().is_none_or(|line| line.starts_with("Value:") || line == "Labels:")
}

/// The id of the rule that raised an alert: from its own field, or from `…/alerting/grafana/<id>/view`.
pub(super) fn rule_of<'r>(raw: &'r RawAlert<'_>) -> &'r str {
    if !raw.rule_uid.0.is_empty() {
        return &raw.rule_uid.0;
    }
    let after = raw.generator_url.0.split_once("/alerting/grafana/").map_or("", |(_, after)| after);
    after.split(['/', '?']).next().unwrap_or_default()
}

/// Adds what Alertmanager does not have. Relative links are resolved against Grafana's own address.
pub(super) fn complete<'a>(alert: &mut Alert<'a>, raw: RawAlert<'a>, external_url: &str) {
    alert.links = Links {
        dashboard: link::absolute(raw.dashboard_url.0, external_url),
        panel: link::absolute(raw.panel_url.0, external_url),
        silence: link::absolute(raw.silence_url.0, external_url),
        image: link::absolute(raw.image_url.0, external_url),
    };
    let value = match values(&raw.values.0) {
        listed if listed.is_empty() => value_string(raw.value_string.0),
        listed => Cow::Owned(listed),
    };
    if !value.is_empty() {
        alert.annotations.insert_if_absent(Cow::Borrowed(VALUE), value);
    }
}

/// `B=18.98, C=0` from `{"B":18.98211314475876,"C":0}`.
fn values(values: &Labels<'_>) -> String {
    let mut listed = String::new();
    for (name, number) in values.iter() {
        push_value(&mut listed, name, number);
    }
    listed
}

/// The same from `[ var='B' labels={…} value=18.98211314475876 ], …`, the form that is there when `values` is
/// not. Text of another form is passed on as it is.
fn value_string(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut listed = String::new();
    for series in text.split(" ], [ ") {
        let name = quoted_after(series, "var='").or_else(|| quoted_after(series, "metric='"));
        let number = series.rsplit_once(" value=").map(|(_, number)| number.trim_end_matches([' ', ']']));
        let (Some(name), Some(number)) = (name, number) else { return text };
        push_value(&mut listed, name, number);
    }
    Cow::Owned(listed)
}

fn quoted_after<'t>(text: &'t str, opening: &str) -> Option<&'t str> {
    text.split_once(opening)?.1.split_once('\'').map(|(quoted, _)| quoted)
}

fn push_value(listed: &mut String, name: &str, number: &str) {
    let comma = if listed.is_empty() { "" } else { ", " };
    // Writing to a String cannot fail.
    let _written = write!(listed, "{comma}{name}={}", readable(number));
}

/// The number with four significant digits, its whole part always complete.
pub(super) fn readable(number: &str) -> Cow<'_, str> {
    let Some(value) = number.parse::<f64>().ok().filter(|value| value.abs() < READABLE_MAX) else {
        return Cow::Borrowed(number);
    };
    #[expect(clippy::cast_possible_truncation, reason = "a logarithm of an f64 is within -324..=308")]
    let magnitude = if value == 0.0 { 0 } else { value.abs().log10().floor() as i32 };
    let decimals = usize::try_from(DIGITS - 1 - magnitude).unwrap_or(0);
    let text = format!("{value:.decimals$}");
    if !text.contains('.') {
        return Cow::Owned(text);
    }
    Cow::Owned(text.trim_end_matches('0').trim_end_matches('.').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_with_the_digits_that_matter() {
        let cases = [
            ("18.98211314475876", "18.98"),
            ("0", "0"),
            ("12", "12"),
            ("503.0", "503"),
            ("-0.00034567", "-0.0003457"),
            ("1234567.89", "1234568"),
            ("99999.5", "100000"),
            ("1e300", "1e300"),
            ("NaN", "NaN"),
            ("n/a", "n/a"),
        ];
        for (number, expected) in cases {
            assert_eq!(readable(number), expected, "{number}");
        }
    }

    #[test]
    fn what_the_built_in_templates_repeat_is_left_out_and_everything_else_is_kept() {
        let named = |name: &'static str| Alert {
            fingerprint: model::alert::Fingerprint::of_pairs([("alertname", name)]),
            former: None,
            status: model::alert::Status::Firing,
            starts_at: None,
            ends_at: None,
            labels: [("alertname".into(), name.into())].into_iter().collect(),
            annotations: Labels::default(),
            generator_url: "".into(),
            links: Links::default(),
            mention: model::alert::Mention::default(),
        };
        let built_in = "**Firing**\n\nValue: B=0.82\nLabels:\n - alertname = Slow\n";
        for (title, message, name, kept) in [
            ("[FIRING:1] Slow (shop)", built_in, "Slow", ["", ""]),
            ("[RESOLVED] Slow (shop)", "**Resolved**\n", "Slow", ["", ""]),
            ("[FIRING:1] Slow (shop)", built_in, " ", ["[FIRING:1] Slow (shop)", ""]),
            (
                "Orders are slow",
                "**Firing** now: call Ann",
                "Slow",
                ["Orders are slow", "**Firing** now: call Ann"],
            ),
            ("", "**Firing**\nCall Ann", "Slow", ["", "**Firing**\nCall Ann"]),
        ] {
            let Notice { title, message } = notice(title.into(), message.into(), &[named(name)]);
            assert_eq!([&*title, &*message], kept);
        }
    }

    #[test]
    fn a_value_string_is_read_or_left_as_it_is() {
        let series = "[ var='B' labels={__name__=load, job=node] value=3 ], [ var='C' labels={} value=0 ]";
        assert_eq!(value_string(series.into()), "B=3, C=0");
        assert_eq!(value_string("[ metric='foo' labels={instance=bar} value=10 ]".into()), "foo=10");
        assert_eq!(value_string("[no value]".into()), "[no value]");
        assert_eq!(value_string("".into()), "");
    }
}
