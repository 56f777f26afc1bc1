//! What an alert brings along that could be a link and is none, and why.

use std::fmt::Write;

use super::rows::Rows;
use config::Config;
use ingest::source::{LinkProblem, not_kept};
use model::alert::Alert;
use model::envelope::{Envelope, Source};
use serde_json::Value;
use url::Url;
use worker::link::{self, LinkContext, LinkKind};

/// Where a body has addresses of its own, and where its alerts have.
const OF_BODY: [&str; 5] = ["externalURL", "ruleUrl", "rule_url", "imageUrl", "image_url"];
const OF_ALERT: [&str; 5] = ["generatorURL", "dashboardURL", "panelURL", "silenceURL", "imageURL"];
/// Alerts that are looked at for addresses ingest does not keep.
const ALERTS_LOOKED_AT_MAX: usize = 20;

/// What cards would have no link for, of one alert.
pub(super) fn list(told: &mut Rows, alert: &Alert<'_>, arrival: LinkContext<'_>, config: &Config) {
    for outcome in link::outcomes(alert, arrival, &config.links) {
        if let Err(why) = outcome.url {
            // Writing to a string cannot fail, here and below.
            let _written = match outcome.annotation {
                Some(annotation) => {
                    writeln!(told, "           no link to its annotation {annotation}: {why}")
                }
                None => writeln!(told, "           no link to {}: {why}", words(outcome.kind)),
            };
        }
    }
    list_picture(told, alert, config);
}

/// What becomes of its picture where there is an app's bot, which could show it.
fn list_picture(told: &mut Rows, alert: &Alert<'_>, config: &Config) {
    let Ok(picture) = Url::parse(&alert.links.image) else { return };
    if config.app.is_none() {
        return;
    }
    let _written = match config.images.range_of(&picture) {
        Some(_) => writeln!(
            told,
            "           its picture is uploaded for cards of the app's bot, and linked on others"
        ),
        None => writeln!(told, "           its picture is linked: images.hosts does not name its host"),
    };
}

/// Addresses in a body of which ingest keeps nothing.
pub(super) fn list_unkept(told: &mut Rows, body: &str, envelope: &Envelope<'_>) {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return };
    let base = if envelope.source == Source::Grafana { &*envelope.external_url } else { "" };
    for name in OF_BODY {
        say(told, name, &body[name], "");
    }
    let alerts = body["alerts"].as_array().into_iter().flatten().take(ALERTS_LOOKED_AT_MAX);
    for (index, alert) in alerts.enumerate() {
        for name in OF_ALERT {
            say(told, &format!("alerts[{index}].{name}"), &alert[name], base);
        }
    }
}

fn say(told: &mut Rows, place: &str, address: &Value, base: &str) {
    let problem: Option<LinkProblem> = address.as_str().and_then(|address| not_kept(address, base));
    if let Some(why) = problem {
        let _written = writeln!(told, "links      {place} is left out: {why}");
    }
}

const fn words(kind: LinkKind) -> &'static str {
    match kind {
        LinkKind::Logs => "logs",
        LinkKind::Errors => "errors",
        LinkKind::Source => "its source (generatorURL, ruleUrl)",
        LinkKind::Dashboard => "its dashboard (dashboardURL)",
        LinkKind::Panel => "its panel (panelURL)",
        LinkKind::Runbook => "its runbook (annotation runbook_url)",
        LinkKind::Image => "its picture (imageURL)",
        LinkKind::Silence => "a silence (silenceURL, externalURL)",
        LinkKind::Annotated => "what an annotation names",
    }
}

#[cfg(test)]
mod tests {
    use crate::explain::tests::explained;

    #[test]
    fn where_an_app_could_show_a_picture_it_is_said_whether_it_does() {
        let body = r#"{"receiver":"ops","status":"firing","orgId":1,"alerts":[{"labels":{"alertname":"Down"},
            "imageURL":"https://grafana.example/a.png"}]}"#;
        let app = "app: { id: cli_a1, secret: secret-1 }, receivers: { ops: { chat_id: oc_1a } }";
        let shown = "its picture is uploaded for cards";
        let linked = "its picture is linked: images.hosts";
        let with_host =
            explained(body, &format!("{{ {app}, images: {{ hosts: [grafana.example] }} }}")).unwrap();
        assert!(with_host.contains(shown) && !with_host.contains(linked), "{with_host}");
        let without = explained(body, &format!("{{ {app} }}")).unwrap();
        assert!(without.contains(linked) && !without.contains(shown), "{without}");
        let custom = explained(body, "{ receivers: { ops: { webhook_url: https://h/x } } }").unwrap();
        assert!(!custom.contains(linked) && !custom.contains(shown), "{custom}");
    }

    #[test]
    fn what_could_be_a_link_and_is_none_is_named_with_the_reason() {
        let body = r#"{"status":"firing","receiver":"ops","externalURL":"http://am:9093","alerts":[
            {"labels":{"alertname":"Down","a b":"c"},"generatorURL":"javascript:alert(1)",
             "annotations":{"runbook_url":"https://u:SECRET@wiki.example/Down"}},
            {"labels":{"alertname":"Up"},"generatorURL":"http://p:9090/graph"}]}"#;
        let told = explained(body, "links: { rewrite: { http://am:9093: https://am.example } }").unwrap();
        for part in [
            "           no link to its runbook (annotation runbook_url): there is a user name or a password in it\n",
            "           no link to a silence (silenceURL, externalURL): a label's name has a blank",
            "links      alerts[0].generatorURL is left out: it is neither http nor https\n",
            "静默 (https://am.example/#/silences/new?filter=%7Balertname%3D%22Up%22%7D)",
        ] {
            assert!(told.contains(part), "{part:?} is missing in:\n{told}");
        }
        assert!(!told.contains("alerts[1]"), "{told}");
    }
}
