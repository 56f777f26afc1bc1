//! What a configuration comes to, without its secrets. Pure.

use std::collections::BTreeSet;
use std::fmt::Write;

use url::Url;

use super::Role;
use crate::{
    BotMode, CardFormat, Config, DEFAULT_RECEIVER, GateConfig, ReceiverConfig, ReceiverDestination,
    RouteConfig, Secret, is_postgres_url,
};

/// Lines, each with a name at its beginning.
pub(super) fn summary(config: &Config, role: Role) -> String {
    let mut text = String::new();
    let files: Vec<_> = config.files.iter().map(|file| file.display().to_string()).collect();
    let files = if files.is_empty() { "the environment alone".to_owned() } else { files.join(", ") };
    line(&mut text, "read from", &files);
    if role.takes_alerts() {
        line(&mut text, "listens on", &config.listen.to_string());
        line(&mut text, "gate", &gate(&config.gate));
        line(&mut text, "callbacks", callbacks(config));
    }
    line(&mut text, "admin port", &config.admin_listen.to_string());
    line(&mut text, "queue", &queue(config, role));
    if role.tells() {
        line(&mut text, "database", &database(config));
    }
    receivers(&mut text, config);
    if config.routes.is_empty() {
        line(&mut text, "routes", &format!("none: {}", untaken(config)));
    } else {
        line(&mut text, "routes", "");
        routes(&mut text, &config.routes, 1);
        indented(&mut text, 1, &format!("whatever no route takes: {}", untaken(config)));
    }
    if let (Some(url), true) = (&config.links.grafana_url, role.tells()) {
        line(&mut text, "links", &format!("to Grafana at {}", host(url.as_str())));
    }
    text
}

// Writing to a string cannot fail, here and below.
fn line(text: &mut String, name: &str, what: &str) {
    let _written = writeln!(text, "{}", format!("{name:<12}{what}").trim_end());
}

fn indented(text: &mut String, depth: usize, what: &str) {
    let _written = writeln!(text, "{:indent$}{what}", "", indent = depth * 2);
}

fn gate(gate: &GateConfig) -> String {
    let kinds = [
        ("bearer token", gate.api_keys.len()),
        ("user and password", gate.basic_auth.len()),
        ("signature", gate.hmac.secrets.len()),
    ];
    let kinds = kinds.into_iter().filter(|(_, known)| *known > 0);
    let kinds: Vec<_> = kinds.map(|(kind, known)| format!("{kind} ({known} known)")).collect();
    let credential = if kinds.is_empty() { "no credential".to_owned() } else { kinds.join(" or ") };
    let mut needs = vec![credential];
    if !gate.allowed_ips.is_empty() {
        needs.push(format!("an address in one of {} networks", gate.allowed_ips.len()));
    }
    if !gate.alert_bot_ids.is_empty() {
        needs.push(format!("one of {} sender_ids, where the format has one", gate.alert_bot_ids.len()));
    }
    format!("a request needs: {}", needs.join("; "))
}

const fn callbacks(config: &Config) -> &'static str {
    match (&config.lark.encrypt_key, &config.lark.verification_token) {
        (None, None) => "off",
        (Some(_), None) => "signed with the encrypt key",
        (None, Some(_)) => "by the verification token",
        (Some(_), Some(_)) => "signed with the encrypt key, and by the verification token",
    }
}

fn queue(config: &Config, role: Role) -> String {
    let Some(queue) = &config.queue else {
        return match role {
            Role::Both => format!("embedded, in {}", config.data_dir.display()),
            Role::Ingest | Role::Worker => "none".to_owned(),
        };
    };
    let spool = config.spool.as_ref().filter(|_| role.takes_alerts());
    let spool = spool.map(|spool| format!(", spool in {}", spool.dir.display())).unwrap_or_default();
    format!(
        "RabbitMQ at {}, names begin with {}, shards: {}{spool}",
        place(&queue.url),
        queue.prefix,
        queue.shards
    )
}

fn database(config: &Config) -> String {
    match config.database.url.as_ref() {
        None => format!("SQLite in {}", config.data_dir.display()),
        Some(url) => match url.expose().strip_prefix("sqlite:") {
            Some(path) => format!("SQLite: {path}"),
            None if is_postgres_url(url.expose()) => format!("PostgreSQL at {}", place(url)),
            None => format!("MySQL at {}", place(url)),
        },
    }
}

fn receivers(text: &mut String, config: &Config) {
    if config.receivers.is_empty() {
        return line(text, "receivers", "none: cards are previewed");
    }
    line(text, "receivers", "");
    for receiver in &config.receivers {
        let ReceiverConfig {
            name,
            destination,
            cards_per_minute,
            cards_per_second,
            owners,
            template,
            card_format,
            fallback,
            escalation,
        } = receiver;
        let way = match destination {
            ReceiverDestination::CustomBot { webhook_url, secret } => {
                let signs = if secret.is_some() { "signs" } else { "does not sign" };
                format!("custom bot at {}, {signs}", host(webhook_url.expose()))
            }
            ReceiverDestination::Bots { bots, mode } => {
                let hosts: BTreeSet<_> = bots.iter().map(|bot| host(bot.webhook_url.expose())).collect();
                let hosts: Vec<_> = hosts.into_iter().collect();
                let each = match mode {
                    BotMode::Copy => "each is sent every card",
                    BotMode::Spread => "which share the cards",
                };
                format!("{} custom bots at {}, {each}", bots.len(), hosts.join(", "))
            }
            ReceiverDestination::AppChat { chat_id } => format!("the app's bot in chat {chat_id}"),
        };
        let (of_minute, of_second) = match destination {
            ReceiverDestination::Bots { mode: BotMode::Copy, .. } => ("", " each"),
            ReceiverDestination::Bots { mode: BotMode::Spread, .. } => (" each", " together"),
            ReceiverDestination::CustomBot { .. } | ReceiverDestination::AppChat { .. } => ("", ""),
        };
        let limits =
            format!("{cards_per_minute} cards a minute{of_minute}, {cards_per_second} a second{of_second}");
        let everybody = if owners.allow_mention_all { "; may mention everybody" } else { "" };
        let worded = template.as_ref().map(|name| format!("; template {name}")).unwrap_or_default();
        let called = escalation.as_ref().map(|name| format!("; escalation {name}")).unwrap_or_default();
        let format = match card_format {
            CardFormat::V1 => String::new(),
            CardFormat::V2 => format!("; card JSON {}", card_format.as_str()),
        };
        let instead = fallback.as_ref().map_or_else(String::new, |fallback| {
            format!("; {} is told instead after {:?}", fallback.receiver, fallback.after)
        });
        indented(text, 1, &format!("{name}: {way}; {limits}{everybody}{worded}{format}{called}{instead}"));
    }
}

fn routes(text: &mut String, level: &[RouteConfig], depth: usize) {
    for route in level {
        let matchers: Vec<_> = route.matchers.iter().map(ToString::to_string).collect();
        let takes = if matchers.is_empty() { "everything".to_owned() } else { matchers.join(", ") };
        let to =
            if route.receivers.is_empty() { "the default".to_owned() } else { route.receivers.join(", ") };
        let continues = if route.continues { ", continue" } else { "" };
        indented(text, depth, &format!("{} {takes} → {to}{continues}", route.number));
        routes(text, &route.routes, depth + 1);
    }
}

/// Who is told of what no route takes.
fn untaken(config: &Config) -> String {
    match config.receivers.as_slice() {
        [] => "previewed".to_owned(),
        [only] => only.name.clone(),
        several if several.iter().any(|receiver| receiver.name == DEFAULT_RECEIVER) => {
            DEFAULT_RECEIVER.to_owned()
        }
        _ => "dead letters, unless the sender names a receiver".to_owned(),
    }
}

/// Host and port of an address with a credential in its path.
pub(super) fn host(url: &str) -> String {
    let url = Url::parse(url).ok();
    let host = url.as_ref().and_then(|url| Some((url.host_str()?, url.port())));
    match host {
        Some((host, Some(port))) => format!("{host}:{port}"),
        Some((host, None)) => host.to_owned(),
        None => "an unreadable address".to_owned(),
    }
}

/// The same with the path, of one with a password before its host.
fn place(url: &Secret) -> String {
    let path = Url::parse(url.expose()).map(|url| url.path().to_owned()).unwrap_or_default();
    format!("{}{}", host(url.expose()), path)
}
