//! What is right and probably not meant: each with what to do about it. Pure.

mod escalations;
mod heartbeats;
mod hooks;
mod routes;
mod times;

use std::collections::HashMap;

use url::Url;

use super::Role;
use super::summary::host;
use crate::{BotMode, Config, DEFAULT_RECEIVER, ReceiverConfig, ReceiverDestination, Secret};

const SECONDS_PER_MINUTE: u32 = 60;

pub(super) fn warnings(config: &Config, role: Role) -> Vec<String> {
    let mut warnings = config.notes.clone();
    if role.takes_alerts() {
        of_gate(config, &mut warnings);
    }
    if role.tells() {
        of_receivers(config, &mut warnings);
        unused_templates(config, &mut warnings);
        times::warnings(config, &mut warnings);
        heartbeats::warnings(config, &mut warnings);
        heartbeats::of_trouble(config, &mut warnings);
        escalations::warnings(config, &mut warnings);
    }
    of_admin_port(config, &mut warnings);
    if role == Role::Worker && config.queue.is_some() && config.database.url.is_none() {
        warnings.push(
            "without database.url (DATABASE_URL) each worker remembers in a file of its own what was told: right for \
             one worker; several tell the same alert several times"
                .to_owned(),
        );
    }
    without_default(config, &mut warnings);
    routes::warnings(config, &mut warnings);
    warnings
}

fn of_gate(config: &Config, warnings: &mut Vec<String>) {
    let gate = &config.gate;
    let listen = config.listen;
    if !gate.has_any() && !listen.ip().is_loopback() {
        let from = if gate.allowed_ips.is_empty() {
            "anybody who reaches"
        } else {
            "any allowed address may send to"
        };
        warnings.push(format!(
            "{from} {listen} needs no credential to send: set API_KEYS, BASIC_AUTH or HMAC_SECRETS"
        ));
    }
    let unknown = gate.paths.iter().filter_map(|rule| {
        let name = rule.receiver()?;
        config.receivers.iter().all(|receiver| receiver.name != name).then_some(name)
    });
    for name in unknown {
        warnings.push(format!(
            "gate.paths has a rule for receiver {name}, which is not configured: its path is 404"
        ));
    }
    let lark = &config.lark;
    if config.app.is_some() && lark.encrypt_key.is_none() {
        warnings.push(
            "there is an app and no lark.encrypt_key (LARK_ENCRYPT_KEY): its events come unsigned, or not at all \
             without lark.verification_token either; set the key of the app's page `Events and callbacks`"
                .to_owned(),
        );
    } else if lark.encrypt_key.is_some() && lark.verification_token.is_none() {
        warnings.push(
            "lark.verification_token (LARK_VERIFICATION_TOKEN) is missing: old card callbacks cannot be checked and \
             are refused"
                .to_owned(),
        );
    }
}

fn of_admin_port(config: &Config, warnings: &mut Vec<String>) {
    if config.admin_listen.ip().is_unspecified() {
        warnings.push(format!(
            "admin_listen {} is open to whoever reaches this machine, and asks for no credentials for metrics, probes and \
             the preview: listen on one address of a private network, or have a firewall or network policy in front of it",
            config.admin_listen
        ));
    }
}

fn of_receivers(config: &Config, warnings: &mut Vec<String>) {
    if config.receivers.is_empty() {
        let asked = if config.preview { "preview is true" } else { "no receiver is configured" };
        warnings.push(format!(
            "{asked}: cards are previewed, not sent; to send them set FEISHU_WEBHOOK_URL, or receivers in the file"
        ));
    }
    if config.app.is_some() && !config.receivers.iter().any(is_chat) {
        warnings.push("there is an app and no receiver with a chat_id: it sends nothing".to_owned());
    }
    let mut first_in = HashMap::new();
    for (index, receiver) in config.receivers.iter().enumerate() {
        let name = &receiver.name;
        let before = places(receiver).into_iter().map(|place| *first_in.entry(place).or_insert(index)).min();
        if let Some(same) = before.filter(|before| *before < index).and_then(|at| config.receivers.get(at)) {
            let same = &same.name;
            warnings.push(format!(
                "receivers {same} and {name} are the same bot or chat: people are told twice there"
            ));
        }
        beyond_the_group(receiver, warnings);
        let hooks = hooks(receiver);
        let flaws = hooks.iter().filter_map(|(url, _)| hooks::flaw(url.expose()));
        warnings.extend(flaws.map(|flaw| format!("the webhook_url of receiver {name} {flaw}")));
        if hooks.iter().any(|(_, secret)| secret.is_none()) {
            warnings.push(format!(
                "receiver {name} does not sign: whoever learns its webhook_url can write into the group; switch on the \
                 bot's signature verification and set its secret"
            ));
        }
        for (url, _) in hooks.iter().filter(|(url, _)| is_plain_http(url.expose())) {
            let host = host(url.expose());
            warnings.push(format!(
                "receiver {name} is reached without TLS at {host}: use https, the URL is a credential"
            ));
        }
    }
}

/// Bots in one group that may send more together than the group takes from all of them.
fn beyond_the_group(receiver: &ReceiverConfig, warnings: &mut Vec<String>) {
    let ReceiverDestination::Bots { bots, mode: BotMode::Spread } = &receiver.destination else { return };
    let ReceiverConfig { name, cards_per_minute, cards_per_second, .. } = receiver;
    let useful = (cards_per_second * SECONDS_PER_MINUTE).div_ceil(*cards_per_minute);
    if bots.len() > useful.max(1) as usize {
        warnings.push(format!(
            "receiver {name} shares its cards among {} bots, and a group takes {cards_per_second} cards a second from \
             all of them: more than {useful} make it no faster, and serve only as a reserve",
            bots.len()
        ));
    }
}

fn unused_templates(config: &Config, warnings: &mut Vec<String>) {
    let preview = config.template.iter().filter(|_| config.receivers.is_empty());
    let used: Vec<_> =
        config.receivers.iter().filter_map(|receiver| receiver.template.as_ref()).chain(preview).collect();
    let unused = config.templates.iter().map(|template| &template.name).filter(|name| !used.contains(name));
    warnings.extend(unused.map(|name| {
        format!("no card goes by template {name}: name it in `template`, or in the template of a receiver")
    }));
}

/// The custom bots of a receiver, with their secrets.
fn hooks(receiver: &ReceiverConfig) -> Vec<(&Secret, Option<&Secret>)> {
    match &receiver.destination {
        ReceiverDestination::CustomBot { webhook_url, secret } => vec![(webhook_url, secret.as_ref())],
        ReceiverDestination::Bots { bots, .. } => {
            bots.iter().map(|bot| (&bot.webhook_url, bot.secret.as_ref())).collect()
        }
        ReceiverDestination::AppChat { .. } => Vec::new(),
    }
}

const fn is_chat(receiver: &ReceiverConfig) -> bool {
    matches!(receiver.destination, ReceiverDestination::AppChat { .. })
}

/// The bots or the chat its cards go to: where another has one of them as well, people are told twice.
fn places(receiver: &ReceiverConfig) -> Vec<&str> {
    match &receiver.destination {
        ReceiverDestination::AppChat { chat_id } => vec![chat_id],
        ReceiverDestination::CustomBot { .. } | ReceiverDestination::Bots { .. } => {
            hooks(receiver).into_iter().map(|(url, _)| url.expose()).collect()
        }
    }
}

fn is_plain_http(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let is_local = url
            .host_str()
            .is_some_and(|host| host == "localhost" || host.starts_with("127.") || host == "[::1]");
        url.scheme() == "http" && !is_local
    })
}

fn without_default(config: &Config, warnings: &mut Vec<String>) {
    let has_default = config.receivers.iter().any(|receiver| receiver.name == DEFAULT_RECEIVER);
    let all_taken =
        config.routes.last().is_some_and(|route| route.matchers.is_empty() && !route.receivers.is_empty());
    if config.receivers.len() > 1 && !has_default && !all_taken {
        let which =
            if config.routes.is_empty() { "that name none of the receivers" } else { "that no route takes" };
        warnings.push(format!(
            "alerts {which} become dead letters: call one receiver `{DEFAULT_RECEIVER}`, or end routes with one that has \
             no match"
        ));
    }
}
