//! What a silence is to be. Pure.

use jiff::Timestamp;
use model::alert::Labels;
use model::matcher::Matcher;
use serde::Serialize;
use thiserror::Error;

use super::listing::SilenceMatcher;

/// A silence that somebody wants, as the API takes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Wish {
    matchers: Vec<SilenceMatcher>,
    starts_at: Timestamp,
    ends_at: Timestamp,
    created_by: String,
    comment: String,
}

/// Why no silence would be for that alert only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unsilenceable {
    /// A silence needs a label that is not empty.
    #[error("the alert has no labels")]
    NoLabels,
    /// Everything would be silent: Alertmanager makes no such silence.
    #[error("one of the matchers has to ask for a label that is not empty")]
    Everything,
    /// Some of it was cut off when it came in, so a silence would match something else or nothing.
    #[error("not all of the alert's labels are known")]
    Cut,
}

impl Wish {
    /// The silence of exactly one alert: a matcher for each label, with an equals sign (reference "Alert sources", 2.4).
    /// Labels of these names tell replicas apart and no alerts: without them it silences what each replica sends.
    pub fn of(
        labels: &Labels<'_>,
        ignored: &[String],
        starts_at: Timestamp,
        ends_at: Timestamp,
        created_by: &str,
        comment: &str,
    ) -> Result<Self, Unsilenceable> {
        // An empty value stands for a label that is not there, and one that is has to be among the matchers.
        let counts = |name: &str| !ignored.iter().any(|ignored| ignored == name);
        if !labels.iter().any(|(name, value)| counts(name) && !value.is_empty()) {
            return Err(Unsilenceable::NoLabels);
        }
        if !labels.are_whole() {
            return Err(Unsilenceable::Cut);
        }
        let matchers = labels.iter().filter(|(name, _)| counts(name));
        let matchers = matchers.map(|(name, value)| SilenceMatcher::equal(name, value));
        Ok(Self {
            matchers: matchers.collect(),
            starts_at,
            ends_at,
            created_by: created_by.to_owned(),
            comment: comment.to_owned(),
        })
    }
}

impl Wish {
    /// The silence of all that these match.
    pub fn matching(
        matchers: &[Matcher],
        starts_at: Timestamp,
        ends_at: Timestamp,
        created_by: &str,
        comment: &str,
    ) -> Result<Self, Unsilenceable> {
        if matchers.iter().all(|matcher| matcher.matches(&Labels::default())) {
            return Err(Unsilenceable::Everything);
        }
        let matchers = matchers.iter().map(SilenceMatcher::of);
        Ok(Self {
            matchers: matchers.collect(),
            starts_at,
            ends_at,
            created_by: created_by.to_owned(),
            comment: comment.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use model::alert::{LABEL_VALUE_BYTES_MAX, LABELS_MAX};
    use serde_json::json;

    use super::*;

    fn labels(pairs: &[(&str, &str)]) -> Labels<'static> {
        pairs.iter().map(|(name, value)| ((*name).to_owned().into(), (*value).to_owned().into())).collect()
    }

    fn wish(pairs: &[(&str, &str)]) -> Result<Wish, Unsilenceable> {
        let at = |seconds: i64| Timestamp::from_second(1_700_000_000 + seconds).unwrap();
        Wish::of(&labels(pairs), &["replica".to_owned()], at(0), at(3600), "ou_1", "from the chat")
    }

    #[test]
    fn each_label_is_matched_by_its_value_and_nothing_is_a_pattern() {
        let wish = wish(&[("alertname", "Disk.*|full"), ("note", ""), ("url", "a=\"b\"")]).unwrap();
        let equal = |name: &str, value: &str| json!({ "name": name, "value": value, "isRegex": false, "isEqual": true });
        assert_eq!(
            serde_json::to_value(&wish).unwrap(),
            json!({
                "matchers": [equal("alertname", "Disk.*|full"), equal("note", ""), equal("url", "a=\"b\"")],
                "startsAt": "2023-11-14T22:13:20Z",
                "endsAt": "2023-11-14T23:13:20Z",
                "createdBy": "ou_1",
                "comment": "from the chat",
            })
        );
    }

    #[test]
    fn what_would_silence_everything_is_not_wanted() {
        let now = Timestamp::from_second(1_700_000_000).unwrap();
        let wish = |text: &str| {
            let matchers = Matcher::all(text).unwrap();
            Wish::matching(&matchers, now, now, "ann", "why").map(|wish| wish.matchers.len())
        };
        assert_eq!(wish(r#"a!="x", b=~".*""#), Err(Unsilenceable::Everything));
        assert_eq!(wish(r#"a!="x", b=~".+""#), Ok(2));
    }

    #[test]
    fn what_tells_replicas_apart_is_matched_by_no_silence() {
        let of_each =
            ["a", "b"].map(|replica| wish(&[("alertname", "DiskFull"), ("replica", replica)]).unwrap());
        assert_eq!(of_each[0], of_each[1]);
        assert_eq!(of_each[0], wish(&[("alertname", "DiskFull")]).unwrap());
        assert_eq!(wish(&[("replica", "a")]), Err(Unsilenceable::NoLabels));
    }

    #[test]
    fn what_a_silence_could_not_name_is_not_silenced() {
        assert_eq!(wish(&[]), Err(Unsilenceable::NoLabels));
        assert_eq!(wish(&[("a", "")]), Err(Unsilenceable::NoLabels));
        assert_eq!(wish(&[("a", &"字".repeat(LABEL_VALUE_BYTES_MAX))]), Err(Unsilenceable::Cut));
        let many: Vec<_> = (0..LABELS_MAX).map(|number| format!("label{number}")).collect();
        let many: Vec<_> = many.iter().map(|name| (name.as_str(), "x")).collect();
        assert_eq!(wish(&many), Err(Unsilenceable::Cut));
        // The fifth of these does not fit, and without it the silence would be for others as well.
        let long = "x".repeat(LABEL_VALUE_BYTES_MAX - 8);
        let large: Vec<_> = ["a", "b", "c", "d", "only"].map(|name| (name, long.as_str())).to_vec();
        assert_eq!(labels(&large).get("only"), None);
        assert_eq!(wish(&large), Err(Unsilenceable::Cut));
        assert!(wish(&large[..2]).is_ok());
    }
}
