//! Questions over HTTP. What is shown of an address is its scheme, host and port: what comes behind may be a
//! credential.

use std::error::Error;

use reqwest::{Client, StatusCode};
use shared::check::probe::{Outcome, Probe};
use shared::config::{AlertmanagerConfig, Config, DEFAULT_RECEIVER};

use crate::alertmanager::{AlertmanagerError, Alertmanagers};

/// Any answer will do: what a bot says to a card, `send-test` finds out.
pub(super) async fn feishu(client: &Client, host: String) -> Probe {
    let outcome = match client.get(&host).send().await {
        Ok(answer) => Outcome::Fine(format!("answers (HTTP {})", answer.status().as_u16())),
        Err(error) => Outcome::Failed(format!(
            "{}; may this machine reach it, by name and by TLS? No proxy is used",
            innermost(&error.without_url())
        )),
    };
    Probe { what: host, outcome }
}

/// Without them no button silences anything.
pub(super) async fn alertmanagers(client: &Client, config: &Config) -> Vec<Probe> {
    let all = Alertmanagers::new(client.clone(), config.alertmanagers.clone());
    let mut probes = Vec::new();
    for AlertmanagerConfig { name, url, .. } in &config.alertmanagers {
        let Some(alertmanager) = all.named(name) else { continue };
        let outcome = match alertmanager.version().await {
            Ok(version) => Outcome::Fine(format!("answers, version {version}")),
            Err(error) => {
                // It was asked for nothing that it could have done all the same.
                let error = if error.is_no_answer() { AlertmanagerError::Unreachable } else { error };
                Outcome::Failed(format!("{error}; {}", advice(name, &error)))
            }
        };
        let what = format!("Alertmanager {name} at {}", url.origin().ascii_serialization());
        probes.push(Probe { what, outcome });
    }
    probes
}

fn advice(name: &str, error: &AlertmanagerError) -> String {
    // The one of this name may come from the environment.
    let variable = if name == DEFAULT_RECEIVER { " (ALERTMANAGER_URL)" } else { "" };
    match error {
        AlertmanagerError::Unreachable | AlertmanagerError::TimedOut => {
            format!("is it there, and is alertmanagers.{name}.url{variable} right?")
        }
        AlertmanagerError::Unauthorized(_) => {
            format!("are alertmanagers.{name}.basic_auth or bearer_token set, and right?")
        }
        AlertmanagerError::Refused { .. } | AlertmanagerError::Unreadable => format!(
            "alertmanagers.{name}.url{variable} must be the address its page opens at, with the path of \
             --web.route-prefix if it has one"
        ),
    }
}

/// Doubtful at most: links are for people's browsers, and those may reach what a server cannot.
pub(super) async fn grafana(client: &Client, config: &Config) -> Option<Probe> {
    let mut url = config.links.grafana_url.clone()?;
    let what = format!("Grafana at {}", url.origin().ascii_serialization());
    // Only a URL without a host has no path, and the configuration has refused those.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty().extend(["api", "health"]);
    }
    let outcome = match client.get(url).send().await {
        Ok(answer) if answer.status() == StatusCode::OK => Outcome::Fine("answers".to_owned()),
        Ok(answer) => Outcome::Doubtful(format!(
            "/api/health says HTTP {}; is links.grafana_url (GRAFANA_URL) the page people open Grafana at? Behind a sign-on \
             of its own it may be right",
            answer.status().as_u16()
        )),
        Err(error) => Outcome::Doubtful(format!(
            "{}; cards are sent all the same, and their links work where people's browsers reach links.grafana_url \
             (GRAFANA_URL)",
            innermost(&error.without_url())
        )),
    };
    Some(Probe { what, outcome })
}

fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}
