//! `larkfire explain`: what would become of a payload, step by step, without sending anything.

mod cards;
mod gate;
mod links;
mod logs;
mod owners;
mod routes;
mod rows;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use config::{Config, ConfigErrors};
use console::backend::ExplainsPayload;
use ingest::Addressing;
use ingest::source::{Context, Endpoint, SourceError, parse, text_of};
use jiff::Timestamp;
use model::alert::Alert;
use model::envelope::{EncodeError, Envelope, EnvelopeDecodeError, EnvelopeId, Line, encode};
use runtime::clock::Clock;
use serde_json::{Value, json};
use thiserror::Error;
use worker::link::LinkContext;
use worker::preview::Colours;
use worker::routing::{Router, UnknownReceiver};

use rows::Rows;

/// Alerts listed by fingerprint.
const ALERTS_LISTED_MAX: usize = 20;
/// Stands for an id that is not given before a request is accepted.
const NO_ID: [u8; 10] = [0; 10];

/// Why a payload cannot be explained.
#[derive(Debug, Error)]
pub enum ExplainError {
    /// The file cannot be read.
    #[error("{0}")]
    Read(#[from] io::Error),
    /// Ingest would refuse it.
    #[error("it would be refused: {0}")]
    Refused(#[from] SourceError),
    /// Ingest would not even read it.
    #[error("it would be refused: it is larger than limits.body_bytes, which is {limit_bytes}")]
    TooLarge {
        /// How large one may be.
        limit_bytes: usize,
    },
    /// The way it is sent names a receiver that does not exist.
    #[error("it would be refused: no receiver {name} is configured")]
    NoSuchReceiver {
        /// The name.
        name: String,
    },
    /// A route leads nowhere. Loading the configuration refuses that with more words.
    #[error(transparent)]
    Route(#[from] UnknownReceiver),
    /// A template cannot be used. Loading the configuration refuses that with more words.
    #[error(transparent)]
    Templates(#[from] ConfigErrors),
    /// The envelope cannot be written; our own types give it no cause to.
    #[error("{0}")]
    Encode(#[from] EncodeError),
    /// What was written cannot be read again.
    #[error("{0}")]
    Decode(#[from] EnvelopeDecodeError),
}

/// The address a payload is posted to.
#[derive(Clone, Copy, Debug)]
pub struct PostAddress<'w> {
    /// `/api/alert` or `/alert`.
    pub endpoint: Endpoint,
    /// The receiver named in the path or in the query.
    pub receiver: Option<&'w str>,
    /// What the query calls the sender.
    pub origin: Option<&'w str>,
}

/// Explains payloads that somebody pastes into the console, by the settings the process has started with.
#[derive(Debug)]
pub struct Explainer(Config);

impl Explainer {
    /// By these settings.
    pub const fn new(config: Config) -> Self {
        Self(config)
    }
}

impl ExplainsPayload for Explainer {
    fn explain(&self, payload: &[u8], receiver: Option<&str>) -> Result<String, String> {
        let address = PostAddress { endpoint: Endpoint::Any, receiver, origin: None };
        let now = Clock::system().now();
        explain(payload, address, &self.0, now, Colours::Off).map_err(|error| error.to_string())
    }
}

/// The bytes of `file`, or of standard input for `-`; of more than so many only one more, by which it is seen.
///
/// # Errors
/// It cannot be read.
pub fn read(file: &Path, limit_bytes: usize) -> io::Result<Vec<u8>> {
    let most = u64::try_from(limit_bytes).unwrap_or(u64::MAX).saturating_add(1);
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        io::stdin().lock().take(most).read_to_end(&mut bytes)?;
    } else {
        File::open(file)?.take(most).read_to_end(&mut bytes)?;
    }
    Ok(bytes)
}

/// What `explain` has found out.
#[derive(Debug)]
pub struct Explanation {
    /// In words.
    pub text: String,
    /// The same for programs: format, gate, receiver, envelopes and alerts; what is drawn and listed stands in `text`.
    pub json: Value,
}

/// What would become of `body` if it came this way at `now`, in words. Pure.
pub fn explain(
    body: &[u8],
    way: PostAddress<'_>,
    config: &Config,
    now: Timestamp,
    colours: Colours,
) -> Result<String, ExplainError> {
    Ok(explanation(body, way, config, now, colours)?.text)
}

/// The same, for programs as well. Pure.
pub fn explanation(
    body: &[u8],
    way: PostAddress<'_>,
    config: &Config,
    now: Timestamp,
    colours: Colours,
) -> Result<Explanation, ExplainError> {
    let limit_bytes = config.limits.body_bytes;
    if body.len() > limit_bytes {
        return Err(ExplainError::TooLarge { limit_bytes });
    }
    let context = Context {
        id: EnvelopeId::new(now, NO_ID),
        received_at: now,
        endpoint: way.endpoint,
        timezone: config.timezone.clone(),
        origin: way.origin.unwrap_or_default().to_owned(),
        ignore_labels: config.identity.ignore_labels.clone().into(),
        keep_labels: config.label_names().into(),
        people: Vec::new(),
        sources: config.sources.clone().into(),
        named_source: None,
    };
    let text = text_of(body);
    let mut parsed = parse(&text, &context)?;
    if let Some(name) = way.receiver {
        check_receiver(config, name)?;
        parsed.envelope.receiver = name.into();
    }
    let lines = encode(&parsed.envelope)?;
    let router = routes::router(config)?;
    let mut told = Rows::default();
    // Writing to a string cannot fail, here and below.
    let _written =
        writeln!(told, "format     {}, because {}", parsed.envelope.source.as_str(), parsed.because);
    let gate = gate::needs(config, way, &parsed);
    let receiver = routes::receiver(config, &router, &parsed.envelope);
    let _written = writeln!(told, "gate       {gate}");
    let _written = writeln!(told, "receiver   {receiver}");
    let _written = writeln!(told, "envelopes  {}", envelopes(&lines));
    list_alerts(&mut told, &parsed.envelope, config, &router, now);
    links::list_unkept(&mut told, &text, &parsed.envelope);
    owners::list(&mut told, &parsed.envelope, config, &router, now);
    cards::draw(&mut told, &lines, config, &router, now, colours)?;
    let told = told.into_text();
    let alert = |alert: &Alert<'_>| {
        let labels: BTreeMap<&str, &str> = alert.labels.iter().collect();
        json!({ "status": alert.status.as_str(), "fingerprint": alert.fingerprint.as_str(), "labels": labels })
    };
    let size = |line: &Line| json!({ "alerts": line.alerts, "bytes": line.bytes.len() });
    let json = json!({
        "format": parsed.envelope.source.as_str(),
        "because": parsed.because.to_string(),
        "gate": gate,
        "receiver": receiver,
        "envelopes": lines.iter().map(size).collect::<Vec<_>>(),
        "alerts": parsed.envelope.alerts.iter().map(alert).collect::<Vec<_>>(),
        "text": told,
    });
    Ok(Explanation { text: told, json })
}

fn check_receiver(config: &Config, name: &str) -> Result<(), ExplainError> {
    let known = Addressing::from_config(config).receivers.contains(name);
    if known { Ok(()) } else { Err(ExplainError::NoSuchReceiver { name: name.to_owned() }) }
}

fn envelopes(lines: &[Line]) -> String {
    let size = |line: &Line| {
        let alerts = if line.alerts == 1 { "alert" } else { "alerts" };
        format!("{} {alerts} in {} bytes", line.alerts, line.bytes.len())
    };
    let sizes: Vec<_> = lines.iter().map(size).collect();
    match sizes.len() {
        0 => "none: there is nothing to tell".to_owned(),
        count => format!("{count}: {}", sizes.join(", ")),
    }
}

fn list_alerts(told: &mut Rows, envelope: &Envelope<'_>, config: &Config, router: &Router, now: Timestamp) {
    for alert in envelope.alerts.iter().take(ALERTS_LISTED_MAX) {
        let labels: Vec<_> = alert.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
        let _written =
            writeln!(told, "  {:8} {} {{{}}}", alert.status.as_str(), alert.fingerprint, labels.join(", "));
        routes::list(told, router, envelope, alert);
        routes::list_escalations(told, config, router, envelope, alert);
        logs::list(told, alert, LinkContext::of(envelope, now), config);
        links::list(told, alert, LinkContext::of(envelope, now), config);
    }
    let more = envelope.alerts.len().saturating_sub(ALERTS_LISTED_MAX);
    if more > 0 {
        let _written = writeln!(told, "  and {more} more");
    }
}

#[cfg(test)]
mod tests {
    use config::{Environment, parse};

    use super::*;

    pub(super) const ALERT: &str = r#"{"status":"firing","receiver":"ops","alerts":[{"labels":{"alertname":"Down"},
        "annotations":{"summary":"db-1 does not answer"},"fingerprint":"6accfd3d0992a914"}]}"#;

    pub(super) fn explained(body: &str, settings: &str) -> Result<String, String> {
        explained_for(None, body, settings)
    }

    pub(super) fn explained_for(
        receiver: Option<&str>,
        body: &str,
        settings: &str,
    ) -> Result<String, String> {
        let config = parse("test.yaml", settings, Environment::default()).unwrap();
        let now = "2024-01-15T10:30:00Z".parse().unwrap();
        let way = PostAddress { endpoint: Endpoint::Any, receiver, origin: None };
        explain(body.as_bytes(), way, &config, now, Colours::Off).map_err(|error| error.to_string())
    }

    #[test]
    fn a_payload_is_followed_from_its_format_to_its_card() {
        let told = explained(ALERT, "receivers: { ops: { webhook_url: https://h/SECRET } }").unwrap();
        for part in [
            "format     alertmanager, because it has `alerts`, and no `version` 1, no `orgId`",
            "gate       no credential is asked for",
            "receiver   the sender names ops; it goes to ops",
            "envelopes  1: 1 alert in ",
            "firing   6accfd3d0992a914 {alertname=\"Down\"}",
            "card 1 of 1, ",
            "db-1 does not answer",
        ] {
            assert!(told.contains(part), "{part:?} is missing in:\n{told}");
        }
        assert!(!told.contains("SECRET"), "{told}");
    }

    #[test]
    fn programs_are_told_the_same() {
        let settings = "receivers: { ops: { webhook_url: https://h/SECRET } }";
        let config = parse("test.yaml", settings, Environment::default()).unwrap();
        let now = "2024-01-15T10:30:00Z".parse().unwrap();
        let way = PostAddress { endpoint: Endpoint::Any, receiver: None, origin: None };
        let Explanation { text, json } =
            explanation(ALERT.as_bytes(), way, &config, now, Colours::Off).unwrap();
        assert_eq!((&json["format"], &json["text"]), (&"alertmanager".into(), &Value::from(text)));
        assert_eq!(json["receiver"], "the sender names ops; it goes to ops");
        assert_eq!(
            (&json["envelopes"][0]["alerts"], &json["alerts"][0]["labels"]["alertname"]),
            (&1.into(), &"Down".into())
        );
    }

    #[test]
    fn the_logs_it_leads_to_are_shown_or_why_there_are_none() {
        let grafana = "links: { grafana_url: https://g.example, loki: { datasource_uid: loki } }";
        let body =
            r#"{"message":"Pay fails\n服务名称: order\n命名空间: shop\n触发条件: ERROR","sender_id":"x"}"#;
        let told = explained(body, grafana).unwrap();
        for part in [
            "           logs   {namespace=\"shop\",app=\"order\"}\n",
            "           errors {namespace=\"shop\",app=\"order\"} |= \"ERROR\"\n",
            "→ 日志: https://g.example/explore?left=%7B",
            "→ 错误日志: https://g.example/explore?left=%7B",
        ] {
            assert!(told.contains(part), "{part:?} is missing in:\n{told}");
        }
        assert!(explained(ALERT, grafana).unwrap().contains("no links to logs: it has none of the labels"));
        assert!(!explained(ALERT, "").unwrap().contains("no links to logs"));
    }

    #[test]
    fn whose_alerts_they_are_is_said_and_why_and_no_number_is_shown() {
        let settings = "owners: { services: { 'pay-*': [ann, 13800138000] }, always_mention: boss }";
        let body = r#"{"message":"Pay fails\n服务名称: pay-api","sender_id":"x"}"#;
        let told = explained(body, settings).unwrap();
        let expected = "owners     ann, a mobile number, because owners.services has \"pay-*\"\n           \
                        boss, because owners.always_mention names them\n";
        assert!(told.contains(expected), "{told}");
        assert!(explained(ALERT, "").unwrap().contains("owners     nobody owns it\n"));
        let all = r#"{"alerts":[{"labels":{"owner":"all"}}]}"#;
        let told = explained(all, "").unwrap();
        assert!(told.contains(
            "everybody (written only: receivers.NAME.allow_mention_all is false), because its owner"
        ));
    }

    #[test]
    fn what_would_stop_it_is_said() {
        let sender =
            explained(r#"{"message":"x","sender_id":"me"}"#, "gate: { api_keys: k, alert_bot_ids: you }");
        assert!(sender.unwrap().contains("needs a bearer token (1 known); me is NOT an allowed sender: 403"));
        let receivers = "receivers: { a: { webhook_url: https://h/x }, b: { webhook_url: https://h/y } }";
        assert!(explained(ALERT, receivers).unwrap().contains("none of a, b is meant: dead letter"));
        let refused = explained(r#"{"alert":[]}"#, "").unwrap_err();
        assert_eq!(
            refused,
            "it would be refused: JSON of no known format: nearest is alertmanager, which lacks the array `alerts`"
        );
    }

    #[test]
    fn what_a_path_asks_for_is_told_of_that_path() {
        let settings = "{ receivers: { ops: { webhook_url: https://h/x } }, \
            gate: { api_keys: k, hmac_secrets: s, paths: { /api/alert/ops: { accept: [hmac] } } } }";
        let told = explained_for(Some("ops"), ALERT, settings).unwrap();
        assert!(told.contains("needs a signature (1 known)\n"), "{told}");
        let told = explained(ALERT, settings).unwrap();
        assert!(
            told.contains(
                "needs a bearer token (1 known) or a signature (1 known); and for ops a signature (1 known)\n"
            ),
            "{told}"
        );
        let refused = explained_for(Some("nobody"), ALERT, settings).unwrap_err();
        assert_eq!(refused, "it would be refused: no receiver nobody is configured");
    }

    #[test]
    fn the_keys_that_gave_a_format_away_are_named() {
        let grafana = r#"{"alerts":[{"labels":{"alertname":"Down"}}],"orgId":1,"version":"1"}"#;
        let told = explained(grafana, "").unwrap();
        assert!(told.contains("grafana, because it has `alerts`, `version`, `orgId`, which"), "{told}");
        let large = explained(&" ".repeat(2000), "limits: { body_bytes: 1KiB }").unwrap_err();
        assert_eq!(large, "it would be refused: it is larger than limits.body_bytes, which is 1024");
    }
}
