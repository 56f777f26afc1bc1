//! What the texts of a group's alerts have in common: said once, with `{pod}` where each says its own. Pure.

/// A value as short as this stands in a text by chance.
const VALUE_BYTES_MIN: usize = 3;

/// What a text of one alert has to do with its labels.
enum TextPart<'t> {
    Literal(&'t str),
    /// The value of the label with this position.
    Value(usize),
}

/// The text that is the same for all, apart from the values of the labels in which they differ; `None` if there is none.
pub(super) fn shared<'t, V: Fn(usize) -> &'t str>(
    labels: &[&str],
    alerts: impl Iterator<Item = AlertWords<'t, V>> + Clone,
) -> Option<String> {
    let mut alerts = alerts;
    let first = alerts.next()?;
    if alerts.clone().all(|alert| alert.text == first.text) {
        return Some(first.text.to_owned());
    }
    let values: Vec<_> = (0..labels.len()).map(&first.value).collect();
    let parts = parts(first.text, &values);
    alerts.all(|alert| is_like(alert.text, &parts, alert.value)).then(|| {
        let mut text = String::with_capacity(first.text.len());
        for part in &parts {
            match part {
                TextPart::Literal(literal) => text.push_str(literal),
                TextPart::Value(label) => text.extend(["{", labels[*label], "}"]),
            }
        }
        text
    })
}

/// A text of an alert, and its value of the label with that position among those in which the group differs.
pub(super) struct AlertWords<'t, V> {
    pub(super) text: &'t str,
    pub(super) value: V,
}

/// The text in parts: the longest value that stands at a place is meant there.
fn parts<'t>(text: &'t str, values: &[&str]) -> Vec<TextPart<'t>> {
    let mut parts = Vec::new();
    let mut literal = 0;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        let found = values
            .iter()
            .enumerate()
            .filter(|(_, value)| value.len() >= VALUE_BYTES_MIN && rest.starts_with(**value));
        if let Some((label, value)) = found.max_by_key(|(_, value)| value.len()) {
            parts.push(TextPart::Literal(&text[literal..at]));
            parts.push(TextPart::Value(label));
            at += value.len();
            literal = at;
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    parts.push(TextPart::Literal(&text[literal..]));
    parts
}

fn is_like<'t>(text: &str, parts: &[TextPart<'_>], value: impl Fn(usize) -> &'t str) -> bool {
    let mut rest = text;
    for part in parts {
        let expected = match part {
            TextPart::Literal(literal) => literal,
            TextPart::Value(label) => value(*label),
        };
        let Some(after) = rest.strip_prefix(expected) else { return false };
        rest = after;
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(alerts: &[(&'static str, [&'static str; 2])]) -> Option<String> {
        let words =
            alerts.iter().map(|(text, values)| AlertWords { text, value: |label: usize| values[label] });
        shared(&["pod", "container"], words)
    }

    #[test]
    fn what_all_say_is_said_once_with_a_place_for_what_each_says() {
        let same = of(&[("disk is full", ["a-1", "log"]), ("disk is full", ["a-2", "app"])]);
        assert_eq!(same.as_deref(), Some("disk is full"));
        let alike = of(&[("Pod a-1 (log) fails", ["a-1", "log"]), ("Pod a-22 (app) fails", ["a-22", "app"])]);
        assert_eq!(alike.as_deref(), Some("Pod {pod} ({container}) fails"));
        assert_eq!(of(&[("12 % of a-1", ["a-1", ""]), ("13 % of a-2", ["a-2", ""])]), None);
        let by_chance = of(&[("like a-1", ["a-1", ""]), ("like a-1", ["a-2", ""])]);
        assert_eq!(by_chance.as_deref(), Some("like a-1"));
        assert_eq!(of(&[]), None);
    }
}
