//! What silences there are in an Alertmanager, and what it has that some matchers hit.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use model::matcher::{Condition, Matcher};
use reqwest::{Method, RequestBuilder};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Alertmanager, AlertmanagerError, ask_within};

/// How much of a list is read, in bytes: 10 000 alerts of Prometheus have about as many.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A silence that ends so much earlier than another is the same: somebody pressed twice.
const SAME_WITHIN: SignedDuration = SignedDuration::from_mins(2);

/// A silence as Alertmanager has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedSilence {
    pub(crate) id: String,
    status: ListedState,
    pub(crate) matchers: Vec<SilenceMatcher>,
    pub(crate) starts_at: Timestamp,
    pub(crate) ends_at: Timestamp,
    #[serde(default)]
    pub(crate) created_by: String,
    #[serde(default)]
    pub(crate) comment: String,
}

#[derive(Clone, Debug, Deserialize)]
struct ListedState {
    state: String,
}

/// One matcher of a silence, as the API has it. Before 0.22 there was none that something must not be equal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct SilenceMatcher {
    name: String,
    value: String,
    is_regex: bool,
    #[serde(default = "yes")]
    is_equal: bool,
}

/// An alert as Alertmanager has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ListedAlert {
    #[serde(default)]
    pub(crate) labels: BTreeMap<String, String>,
    status: ListedAlertState,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedAlertState {
    #[serde(default)]
    silenced_by: Vec<String>,
}

const fn yes() -> bool {
    true
}

impl SilenceMatcher {
    /// As it is written.
    pub(crate) fn text(&self) -> String {
        let operator = match (self.is_equal, self.is_regex) {
            (true, false) => "=",
            (false, false) => "!=",
            (true, true) => "=~",
            (false, true) => "!~",
        };
        let quoted = self.value.replace('\\', r"\\").replace('"', r#"\""#).replace('\n', r"\n");
        format!("{}{operator}\"{quoted}\"", self.name)
    }

    /// The same as this one.
    pub(super) fn of(matcher: &Matcher) -> Self {
        let (value, is_regex, is_equal) = match matcher.condition() {
            Condition::Equal(value) => (value, false, true),
            Condition::NotEqual(value) => (value, false, false),
            Condition::Match(value) => (value, true, true),
            Condition::NoMatch(value) => (value, true, false),
        };
        Self { name: matcher.name().to_owned(), value: value.to_owned(), is_regex, is_equal }
    }

    /// The one that wants exactly this value of this label.
    pub(super) fn equal(name: &str, value: &str) -> Self {
        Self { name: name.to_owned(), value: value.to_owned(), is_regex: false, is_equal: true }
    }
}

impl ListedSilence {
    /// Whether it has begun; one that has not is to begin later.
    pub(crate) fn is_active(&self) -> bool {
        self.status.state == "active"
    }

    /// Whether it matches exactly what these do, and for as long at least.
    pub(crate) fn covers(&self, matchers: &[Matcher], until: Timestamp) -> bool {
        let own: BTreeSet<_> = self.matchers.iter().cloned().collect();
        let wanted: BTreeSet<_> = matchers.iter().map(SilenceMatcher::of).collect();
        let nearly = until.saturating_sub(SAME_WITHIN).unwrap_or(Timestamp::MIN);
        self.is_active() && self.ends_at >= nearly && own == wanted
    }
}

impl ListedAlert {
    /// The silences that keep it quiet.
    pub(crate) fn silenced_by(&self) -> &[String] {
        &self.status.silenced_by
    }
}

impl Alertmanager<'_> {
    /// The silences that have not ended; those that end first come first.
    pub(crate) async fn silences(&self) -> Result<Vec<ListedSilence>, AlertmanagerError> {
        let mut found: Vec<ListedSilence> = self.list(self.request(Method::GET, &["silences"])).await?;
        found.retain(|silence| silence.status.state != "expired");
        found.sort_by_key(|silence| silence.ends_at);
        Ok(found)
    }

    /// The alerts that are silenced now.
    pub(crate) async fn silenced_alerts(&self) -> Result<Vec<ListedAlert>, AlertmanagerError> {
        let query =
            [("active", "false"), ("silenced", "true"), ("inhibited", "true"), ("unprocessed", "false")];
        self.list(self.asking_for(&query)?).await
    }

    /// The alerts that nothing keeps quiet now.
    pub(super) async fn active_alerts(&self) -> Result<Vec<ListedAlert>, AlertmanagerError> {
        let query =
            [("active", "true"), ("silenced", "false"), ("inhibited", "false"), ("unprocessed", "false")];
        self.list(self.asking_for(&query)?).await
    }

    /// The alerts that all of these match, silenced or not.
    pub(crate) async fn alerts_matching(
        &self,
        matchers: &[Matcher],
    ) -> Result<Vec<ListedAlert>, AlertmanagerError> {
        let texts: Vec<_> = matchers.iter().map(ToString::to_string).collect();
        let all = ["active", "silenced", "inhibited", "unprocessed"].map(|kind| (kind, "true"));
        let filters = texts.iter().map(|text| ("filter", text.as_str()));
        let query: Vec<_> = all.into_iter().chain(filters).collect();
        self.list(self.asking_for(&query)?).await
    }

    fn asking_for(&self, query: &[(&str, &str)]) -> Result<RequestBuilder, AlertmanagerError> {
        let mut request =
            self.request(Method::GET, &["alerts"]).build().map_err(|_| AlertmanagerError::Unreadable)?;
        request.url_mut().query_pairs_mut().extend_pairs(query);
        Ok(RequestBuilder::from_parts(self.client.clone(), request))
    }

    async fn list<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<Vec<T>, AlertmanagerError> {
        let answer = ask_within(request, LIST_BYTES_MAX).await?;
        serde_json::from_slice(&answer).map_err(|_| AlertmanagerError::Unreadable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn silence(matchers: &str) -> ListedSilence {
        let json = format!(
            r#"{{"id":"s1","status":{{"state":"active"}},"matchers":{matchers},"startsAt":"2026-01-15T10:00:00Z",
                "endsAt":"2026-01-15T14:00:00Z","createdBy":"ann","comment":"c","updatedAt":"2026-01-15T10:00:00Z"}}"#
        );
        serde_json::from_str(&json).unwrap()
    }

    #[test]
    fn a_silence_of_the_same_matchers_in_any_order_for_as_long_is_the_same() {
        let matchers = Matcher::all(r#"alertname="Disk", pod=~"web-.*", team!="x""#).unwrap();
        let at = |hour| format!("2026-01-15T{hour}:00:00Z").parse::<Timestamp>().unwrap();
        let own = silence(
            r#"[{"name":"team","value":"x","isRegex":false,"isEqual":false},
                {"name":"pod","value":"web-.*","isRegex":true},{"name":"alertname","value":"Disk","isRegex":false}]"#,
        );
        assert!(own.covers(&matchers, at(14)));
        let seconds_later = at(14) + SignedDuration::from_secs(90);
        assert!(own.covers(&matchers, seconds_later), "it was pressed twice");
        assert!(!own.covers(&matchers, at(15)), "it ends before");
        assert!(!own.covers(&matchers[..2], at(12)), "it is for fewer");
        let texts: Vec<_> = own.matchers.iter().map(SilenceMatcher::text).collect();
        assert_eq!(texts, [r#"team!="x""#, r#"pod=~"web-.*""#, r#"alertname="Disk""#]);
    }
}
