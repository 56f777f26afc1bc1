//! Whether an Alertmanager still has an alert. Where that cannot be told for certain it has.

use jiff::{SignedDuration, Timestamp};
use model::alert::Labels;
use reqwest::Method;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Alertmanager, AlertmanagerError, ask};

/// How long an Alertmanager runs before what it does not have is not there: it keeps no alerts over a restart, and
/// Prometheus sends what fires again within a minute or two (reference "Alert sources", 1.11).
const KNOWS_ALL_AFTER: SignedDuration = SignedDuration::from_mins(10);
/// How long a value may be to be asked for; of a longer one we may have kept a part only.
const VALUE_BYTES_MAX: usize = 256;
/// How much is asked for: the labels have a place in an address.
const ASKED_BYTES_MAX: usize = 4096;

#[derive(Deserialize)]
struct Running {
    /// When it was started.
    uptime: Timestamp,
}

#[derive(Deserialize)]
struct KnownReceiver {
    name: String,
}

impl Alertmanager<'_> {
    /// The names of its receivers: what it writes into `receiver` of each group.
    pub(crate) async fn receivers(&self) -> Result<Vec<String>, AlertmanagerError> {
        let answer = ask(self.request(Method::GET, &["receivers"])).await?;
        let receivers: Vec<KnownReceiver> =
            serde_json::from_slice(&answer).map_err(|_| AlertmanagerError::Unreadable)?;
        Ok(receivers.into_iter().map(|receiver| receiver.name).collect())
    }

    /// Whether it has no alert with these labels, silenced or not, from any replica, and has run for long enough to know.
    pub async fn has_none_with(
        &self,
        labels: &Labels<'_>,
        now: Timestamp,
    ) -> Result<bool, AlertmanagerError> {
        let filters = filters(labels, self.ignored);
        if filters.is_empty() {
            return Ok(false);
        }
        let all = ["active", "silenced", "inhibited", "unprocessed"].map(|kind| (kind, "true".to_owned()));
        let query: Vec<_> =
            all.into_iter().chain(filters.into_iter().map(|filter| ("filter", filter))).collect();
        let mut request =
            self.request(Method::GET, &["alerts"]).build().map_err(|_| AlertmanagerError::Unreadable)?;
        request.url_mut().query_pairs_mut().extend_pairs(&query);
        let answer = ask(reqwest::RequestBuilder::from_parts(self.client.clone(), request)).await;
        let answer = match answer {
            Ok(answer) => answer,
            // So many that not all of them are read.
            Err(AlertmanagerError::Unreadable) => return Ok(false),
            Err(error) => return Err(error),
        };
        let found: Vec<IgnoredAny> =
            serde_json::from_slice(&answer).map_err(|_| AlertmanagerError::Unreadable)?;
        if !found.is_empty() {
            return Ok(false);
        }
        let answer = ask(self.request(Method::GET, &["status"])).await?;
        let running: Running = serde_json::from_slice(&answer).map_err(|_| AlertmanagerError::Unreadable)?;
        Ok(now.duration_since(running.uptime) >= KNOWS_ALL_AFTER)
    }
}

/// Matchers of those labels that can be written in every version, as many as fit. Fewer find more alerts, and so none
/// that is there is missed.
fn filters(labels: &Labels<'_>, ignored: &[String]) -> Vec<String> {
    let counts = |name: &str| !ignored.iter().any(|ignored| ignored == name);
    let is_plain = |name: &str| {
        let mut bytes = name.bytes();
        bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
            && bytes.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    let mut room = ASKED_BYTES_MAX;
    labels
        .iter()
        .filter(|(name, _)| counts(name))
        .filter(|(name, value)| is_plain(name) && (1..=VALUE_BYTES_MAX).contains(&value.len()))
        .map(|(name, value)| {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            format!("{name}=\"{value}\"")
        })
        .filter(|filter| match room.checked_sub(filter.len()) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_asked_for_exactly_is_not_asked_for() {
        let long = "x".repeat(VALUE_BYTES_MAX + 1);
        let pairs = [("a", "1\\\"\n2"), ("b.c", "x"), ("d", ""), ("e", long.as_str()), ("_f", "y")];
        let labels: Labels<'_> = pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        assert_eq!(filters(&labels, &[]), [r#"_f="y""#, r#"a="1\\\"\n2""#]);
        assert_eq!(filters(&labels, &["a".to_owned()]), [r#"_f="y""#], "any replica's will do");
    }
}
