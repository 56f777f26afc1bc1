//! Alertmanagers, as far as alerts are silenced in them and they are asked whether they are there: API v2 (reference "Alert sources", 2).

mod absent;
mod asked;
mod listing;
mod made;
mod silenced;
mod wish;

use std::time::Duration;

use config::{AlertmanagerConfig, DEFAULT_RECEIVER, Secret};
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, Response, Url};
use serde::Deserialize;
use thiserror::Error;

pub use absent::Absent;
pub(crate) use listing::{ListedAlert, ListedSilence, SilenceMatcher};
pub(crate) use made::{MadeSilence, MadeSilences};
pub(crate) use silenced::SilencedThere;
pub use wish::{Unsilenceable, Wish};

/// How long one call may take; somebody waits for the answer, and others behind them.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// How much of an answer is read, in bytes.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How much of a refusal is repeated, in characters.
const REASON_CHARACTERS_MAX: usize = 200;
/// The same of a version, such as `0.27.0`.
const VERSION_CHARACTERS_MAX: usize = 40;
/// How long a silence's id may be, in bytes: it is a UUID, and kept in a column of this length.
const ID_BYTES_MAX: usize = 64;
/// What Alertmanager says of a silence it does not know, with HTTP 500, before 0.26 (reference "Alert sources", 2.2).
const NOT_FOUND: &str = "silence not found";

/// The Alertmanagers that are configured.
#[derive(Debug)]
pub struct Alertmanagers {
    client: Client,
    all: Vec<AlertmanagerConfig>,
    /// Labels that tell replicas apart, and no alerts.
    ignored: Vec<String>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Alertmanager<'a> {
    client: &'a Client,
    config: &'a AlertmanagerConfig,
    ignored: &'a [String],
}

/// Why an Alertmanager did not do what it was asked for. Holds no address and no credentials.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum AlertmanagerError {
    /// Nobody is there.
    #[error("it does not answer")]
    Unreachable,
    /// It was asked, and nobody knows what it made of that.
    #[error("it did not answer in time, and may have done it all the same")]
    TimedOut,
    /// It was not asked: the answers before had taken all the time there is for one person.
    #[error("it answers too slowly, and was not asked for the rest")]
    OutOfTime,
    /// The credentials are not taken.
    #[error("it does not let us in (HTTP {0})")]
    Unauthorized(u16),
    /// It said no.
    #[error("it refused (HTTP {status}): {reason}")]
    Refused {
        /// The status.
        status: u16,
        /// In its own words.
        reason: String,
    },
    /// It said yes, and nothing one could make use of.
    #[error("its answer cannot be read")]
    Unreadable,
}

#[derive(Deserialize)]
struct Status {
    #[serde(rename = "versionInfo")]
    version_info: VersionInfo,
}

#[derive(Deserialize)]
struct VersionInfo {
    version: String,
}

#[derive(Deserialize)]
struct Made {
    #[serde(rename = "silenceID")]
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KnownSilence {
    status: KnownStatus,
    ends_at: Timestamp,
}

#[derive(Deserialize)]
struct KnownStatus {
    state: String,
}

impl AlertmanagerError {
    /// Whether asking once more would only be waiting once more.
    pub const fn is_no_answer(&self) -> bool {
        match self {
            Self::Unreachable | Self::TimedOut | Self::OutOfTime => true,
            Self::Unauthorized(_) | Self::Refused { .. } | Self::Unreadable => false,
        }
    }

    fn says_unknown(&self) -> bool {
        match self {
            Self::Refused { status: 404, .. } => true,
            Self::Refused { status: 500, reason } => reason == NOT_FOUND,
            Self::Refused { .. }
            | Self::Unreachable
            | Self::TimedOut
            | Self::OutOfTime
            | Self::Unauthorized(_)
            | Self::Unreadable => false,
        }
    }
}

impl Alertmanagers {
    /// Those of the configuration; labels of the names in `ignored` tell replicas apart, and no alerts
    /// (`dedup.ignore_labels`).
    pub const fn new(client: Client, all: Vec<AlertmanagerConfig>, ignored: Vec<String>) -> Self {
        Self { client, all, ignored }
    }

    /// The one whose alerts name this address; else the one called `default`; else the only one.
    pub fn of(&self, external_url: &str) -> Option<Alertmanager<'_>> {
        // Read as the configuration is: the case of a host and a port that goes without saying are no difference.
        let named = Url::parse(external_url).ok();
        let without_end = |url: &Url| url.as_str().trim_end_matches('/').to_owned();
        let is_named = |url: &Url| named.as_ref().is_some_and(|named| without_end(named) == without_end(url));
        let found = self
            .all
            .iter()
            .find(|one| one.external_url.iter().chain([&one.url]).any(is_named))
            .or_else(|| self.all.iter().find(|one| one.name == DEFAULT_RECEIVER))
            .or_else(|| self.all.first().filter(|_| self.all.len() == 1));
        found.map(|config| self.ask(config))
    }

    /// The one of this name.
    pub fn named(&self, name: &str) -> Option<Alertmanager<'_>> {
        self.all.iter().find(|one| one.name == name).map(|config| self.ask(config))
    }

    /// All of them, in the order of the configuration.
    pub fn all(&self) -> impl Iterator<Item = Alertmanager<'_>> {
        self.all.iter().map(|config| self.ask(config))
    }

    fn ask<'a>(&'a self, config: &'a AlertmanagerConfig) -> Alertmanager<'a> {
        Alertmanager { client: &self.client, config, ignored: &self.ignored }
    }
}

impl<'a> Alertmanager<'a> {
    /// What the configuration calls it, for longer than this value lasts.
    pub(crate) const fn into_name(self) -> &'a str {
        self.config.name.as_str()
    }
}

impl Alertmanager<'_> {
    /// What the configuration calls it.
    pub fn name(&self) -> &str {
        &self.config.name
    }

    /// Labels that tell replicas apart, and no alerts.
    pub const fn ignored(&self) -> &[String] {
        self.ignored
    }

    /// Asks for its version, which changes nothing.
    pub async fn version(&self) -> Result<String, AlertmanagerError> {
        let answer = ask(self.request(Method::GET, &["status"])).await?;
        let status: Status = serde_json::from_slice(&answer).map_err(|_| AlertmanagerError::Unreadable)?;
        Ok(shown(&status.version_info.version, VERSION_CHARACTERS_MAX))
    }

    /// Makes a silence; returns its id.
    pub async fn silence(&self, wish: &Wish) -> Result<String, AlertmanagerError> {
        let body = serde_json::to_vec(wish).map_err(|_| AlertmanagerError::Unreadable)?;
        let request = self.request(Method::POST, &["silences"]);
        let answer = ask(request.header(CONTENT_TYPE, "application/json").body(body)).await?;
        let made: Made = serde_json::from_slice(&answer).map_err(|_| AlertmanagerError::Unreadable)?;
        let is_id = (1..=ID_BYTES_MAX).contains(&made.id.len());
        is_id.then_some(made.id).ok_or(AlertmanagerError::Unreadable)
    }

    /// Until when a silence lasts, which somebody may have changed; `None` if it has ended, or nobody knows it.
    pub async fn lasts_until(&self, id: &str) -> Result<Option<Timestamp>, AlertmanagerError> {
        match ask(self.request(Method::GET, &["silence", id])).await {
            Ok(answer) => {
                let known: KnownSilence =
                    serde_json::from_slice(&answer).map_err(|_| AlertmanagerError::Unreadable)?;
                Ok(Some(known.ends_at).filter(|_| known.status.state != "expired"))
            }
            Err(error) if error.says_unknown() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Ends a silence. One that has ended, or that nobody knows any more, is no error.
    pub async fn expire(&self, id: &str) -> Result<(), AlertmanagerError> {
        match ask(self.request(Method::DELETE, &["silence", id])).await {
            Ok(_) => Ok(()),
            Err(error) if error.says_unknown() => Ok(()),
            Err(error) => Err(error),
        }
    }

    fn request(&self, method: Method, path: &[&str]) -> RequestBuilder {
        let mut url = self.config.url.clone();
        // Only a URL without a host has no path, and the configuration has refused those.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v2"]).extend(path);
        }
        let request = self.client.request(method, url).timeout(CALL_TIMEOUT);
        match (&self.config.basic_auth, &self.config.bearer_token) {
            (Some(pair), _) => {
                let (user, password) = pair.expose().split_once(':').unwrap_or((pair.expose(), ""));
                request.basic_auth(user, Some(password))
            }
            (None, token) => match token.as_ref().map(Secret::expose) {
                Some(token) => request.bearer_auth(token),
                None => request,
            },
        }
    }
}

async fn ask(request: RequestBuilder) -> Result<Vec<u8>, AlertmanagerError> {
    ask_within(request, ANSWER_BYTES_MAX).await
}

async fn ask_within(request: RequestBuilder, bytes_max: usize) -> Result<Vec<u8>, AlertmanagerError> {
    // The error names the address, which is nobody's business in a chat.
    let response = request.send().await.map_err(|error| {
        if error.is_connect() { AlertmanagerError::Unreachable } else { AlertmanagerError::TimedOut }
    })?;
    let status = response.status().as_u16();
    let answer = read(response, bytes_max).await?;
    match status {
        200..=299 => Ok(answer),
        401 | 403 => Err(AlertmanagerError::Unauthorized(status)),
        _ => {
            // A JSON string with the reason, or whatever stands in front of it has to say.
            let text = serde_json::from_slice::<String>(&answer)
                .unwrap_or_else(|_| String::from_utf8_lossy(&answer).into_owned());
            Err(AlertmanagerError::Refused { status, reason: shown(&text, REASON_CHARACTERS_MAX) })
        }
    }
}

/// What somebody else said, fit for a terminal and a chat: on one line, without what only machines see.
fn shown(text: &str, characters_max: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|c| !c.is_control()).take(characters_max).collect()
}

async fn read(mut response: Response, bytes_max: usize) -> Result<Vec<u8>, AlertmanagerError> {
    let mut answer = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| AlertmanagerError::TimedOut)? {
        answer.extend_from_slice(&chunk);
        if answer.len() > bytes_max {
            return Err(AlertmanagerError::Unreadable);
        }
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(all: &[(&str, &str, Option<&str>)]) -> Alertmanagers {
        let url = |text: &str| Url::parse(text).unwrap();
        let config = |(name, address, external): &(&str, &str, Option<&str>)| AlertmanagerConfig {
            name: (*name).to_owned(),
            url: url(address),
            external_url: external.map(url),
            basic_auth: None,
            bearer_token: None,
        };
        Alertmanagers::new(Client::builder().build().unwrap(), all.iter().map(config).collect(), Vec::new())
    }

    fn chosen<'a>(all: &'a Alertmanagers, external_url: &str) -> Option<&'a str> {
        all.of(external_url).map(|one| one.config.name.as_str())
    }

    #[tokio::test]
    async fn an_alert_is_silenced_where_it_came_from() {
        crate::feishu::http_client(CALL_TIMEOUT, None).unwrap();
        let all = configured(&[
            ("eu", "http://am-eu:9093", Some("https://am.example.com/eu")),
            ("us", "http://am-us:9093/", None),
        ]);
        assert_eq!(chosen(&all, "https://am.example.com/eu/"), Some("eu"));
        assert_eq!(chosen(&all, "http://am-us:9093"), Some("us"));
        assert_eq!(chosen(&all, "HTTPS://AM.example.com:443/eu"), Some("eu"));
        assert_eq!(chosen(&all, "http://elsewhere:9093"), None, "which of the two would be a guess");
        let one = configured(&[("eu", "http://am-eu:9093", None)]);
        assert_eq!(chosen(&one, "http://elsewhere:9093"), Some("eu"));
        let with_default = configured(&[("eu", "http://a", None), ("default", "http://b", None)]);
        assert_eq!(chosen(&with_default, ""), Some("default"));
    }

    #[test]
    fn what_somebody_else_says_is_one_short_line() {
        assert_eq!(shown(" 0.27.0\u{1b}[2J\n (x)", 40), "0.27.0[2J (x)");
        assert_eq!(shown(&"长".repeat(300), 200).chars().count(), 200);
    }
}
