//! What a request would have to show.

use std::fmt::Write;

use config::{Config, Credential, GateConfig};
use ingest::Addressing;
use ingest::source::{Endpoint, Parsed};

use super::PostAddress;

pub(super) fn needs(config: &Config, way: PostAddress<'_>, parsed: &Parsed<'_>) -> String {
    let gate = &config.gate;
    let rule = |path: &str| gate.paths.iter().find(|rule| rule.path == path);
    let named = way.receiver.and_then(|name| rule(&format!("/api/alert/{name}")));
    let usual = if way.endpoint == Endpoint::LokiFeishu { "/alert" } else { "/api/alert" };
    let rule = named.or_else(|| rule(usual));
    let accepted =
        asked(gate, |kind| rule.map_or_else(|| gate.has(kind), |rule| rule.accept.contains(&kind)));
    let mut told = match accepted.len() {
        0 => "no credential is asked for".to_owned(),
        _ => format!("needs {}", accepted.join(" or ")),
    };
    // What the address says counts more than what the body does.
    let addressing = Addressing::from_config(config);
    let in_body = addressing.receiver_of(&parsed.envelope).filter(|_| way.receiver.is_none());
    if let Some(receiver) = in_body
        && let Some(rule) = gate.paths.iter().find(|rule| rule.receiver() == Some(receiver))
    {
        let asked = asked(gate, |kind| rule.accept.contains(&kind));
        let _written = write!(told, "; and for {receiver} {}", asked.join(" or "));
    }
    if !gate.allowed_ips.is_empty() {
        let _written = write!(told, "; from {} allowed networks only", gate.allowed_ips.len());
    }
    if let Some(sender) = &parsed.sender {
        let known = gate.alert_bot_ids.iter().any(|known| known == sender);
        let standing = match known {
            _ if gate.alert_bot_ids.is_empty() => "may send, as any sender may",
            true => "is an allowed sender",
            false => "is NOT an allowed sender: 403",
        };
        let _written = write!(told, "; {sender} {standing}");
    }
    told
}

/// The credentials that are accepted, in words.
fn asked(gate: &GateConfig, is_accepted: impl Fn(Credential) -> bool) -> Vec<String> {
    let kinds = [
        (Credential::Bearer, "a bearer token", gate.api_keys.len()),
        (Credential::Basic, "basic authentication", gate.basic_auth.len()),
        (Credential::Hmac, "a signature", gate.hmac.secrets.len()),
    ];
    let asked = kinds.into_iter().filter(|(kind, ..)| is_accepted(*kind));
    asked.map(|(_, name, count)| format!("{name} ({count} known)")).collect()
}
