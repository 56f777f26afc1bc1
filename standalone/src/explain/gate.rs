//! What a request would have to show.

use std::fmt::Write;

use config::{Credential, GateConfig};
use ingest::source::{Endpoint, Parsed};

use super::PostAddress;

pub(super) fn needs(gate: &GateConfig, way: PostAddress<'_>, parsed: &Parsed<'_>) -> String {
    let rule = |path: &str| gate.paths.iter().find(|rule| rule.path == path);
    let named = way.receiver.and_then(|name| rule(&format!("/api/alert/{name}")));
    let rule = named.or_else(|| match way.endpoint {
        Endpoint::LokiFeishu => rule("/alert"),
        Endpoint::Any => rule("/api/alert"),
    });
    let asked = |kind| rule.map_or_else(|| gate.has(kind), |rule| rule.accept.contains(&kind));
    let kinds = [
        (Credential::Bearer, "a bearer token", gate.api_keys.len()),
        (Credential::Basic, "basic authentication", gate.basic_auth.len()),
        (Credential::Hmac, "a signature", gate.hmac.secrets.len()),
    ];
    let asked = kinds.into_iter().filter(|(kind, ..)| asked(*kind));
    let asked: Vec<_> = asked.map(|(_, name, count)| format!("{name} ({count} known)")).collect();
    let mut told = match asked.len() {
        0 => "no credential is asked for".to_owned(),
        _ => format!("needs {}", asked.join(" or ")),
    };
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
