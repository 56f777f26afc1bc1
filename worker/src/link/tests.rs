mod annotations;
mod logs;
mod pages;
mod reader;
mod round_trip;
mod silences;
mod times;

use config::{Explore, LinksConfig};
use jiff::Timestamp;
use model::alert::{Alert, Fingerprint, Labels, Links, Mention, Status};
use serde_json::Value;
use url::Url;

use super::*;

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn config() -> LinksConfig {
    let mut config =
        LinksConfig { grafana_url: "https://grafana.example/".parse().ok(), ..LinksConfig::default() };
    config.loki.datasource_uid = Some("loki-1".to_owned());
    config
}

fn arrival() -> LinkContext<'static> {
    LinkContext {
        source: Source::Alertmanager,
        received_at: at("2024-01-15T10:30:01Z"),
        now: at("2024-01-15T11:00:00Z"),
        alertmanager: None,
    }
}

fn message() -> LinkContext<'static> {
    LinkContext { source: Source::LokiFeishu, ..arrival() }
}

fn alert<'a>(labels: &[(&'a str, &'a str)]) -> Alert<'a> {
    Alert {
        fingerprint: Fingerprint::of_pairs([("a", "b")]),
        former: None,
        status: Status::Firing,
        starts_at: Some(at("2024-01-15T10:30:00Z")),
        ends_at: None,
        labels: labels.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
        annotations: Labels::default(),
        generator_url: "".into(),
        links: Links::default(),
        mention: Mention::default(),
    }
}

/// The queries of an alert, for logs and for errors.
fn logql(alert: &Alert<'_>, arrival: LinkContext<'_>, config: &LinksConfig) -> Vec<String> {
    logs(alert, arrival, config).unwrap().into_iter().map(|query| query.logql).collect()
}

/// What Grafana would read out of an address: the pane's uid, its query and its window, by what its own migrators
/// ask of them.
fn opened(url: &str, form: Explore) -> (String, String, (i64, i64)) {
    let url = Url::parse(url).unwrap();
    let parameter =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let pane: Value = match form {
        Explore::Left => serde_json::from_str(&parameter("left").unwrap()).unwrap(),
        Explore::Panes => {
            assert_eq!(parameter("schemaVersion").as_deref(), Some("1"));
            let panes: Value = serde_json::from_str(&parameter("panes").unwrap()).unwrap();
            let (id, pane) = panes.as_object().unwrap().iter().next().unwrap();
            assert!(id.len() == 3 && id.bytes().all(|byte| byte.is_ascii_lowercase()), "{id}");
            pane.clone()
        }
    };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let query = &pane["queries"][0];
    assert_eq!(query["datasource"]["type"], "loki");
    assert_eq!(query["datasource"]["uid"], pane["datasource"]);
    let time = |name: &str| text(&pane["range"][name]).parse().unwrap();
    (text(&pane["datasource"]), text(&query["expr"]), (time("from"), time("to")))
}
