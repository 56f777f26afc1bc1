//! Whether the app may do what it is there for: its id and secret, and the chats its bot is to send into.

use std::collections::BTreeMap;

use config::check::probe::{Outcome, Probe};
use config::{Config, ReceiverDestination};
use jiff::Timestamp;
use reqwest::Client;

use crate::feishu::advice::advice;
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{AppBot, AppCredentials};

/// Asks for a token, and whether the bot is in each chat that a receiver is.
pub(super) async fn app(client: &Client, config: &Config, now: Timestamp) -> Vec<Probe> {
    let Some(app) = &config.app else { return Vec::new() };
    let what = format!("app {}", app.id);
    let credentials = AppCredentials { id: app.id.clone(), secret: app.secret.clone() };
    let bot = match AppBot::new(client.clone(), &app.base_url, credentials) {
        Ok(bot) => bot,
        Err(error) => return vec![Probe { what, outcome: Outcome::Failed(error.to_string()) }],
    };
    if let Err(verdict) = bot.authenticate(now).await {
        return vec![Probe { what, outcome: Outcome::Failed(said(&verdict)) }];
    }
    let mut probes = vec![Probe { what, outcome: Outcome::Fine("its id and secret are right".to_owned()) }];
    for (chat_id, names) in chats(config) {
        let outcome = match bot.is_in_chat(chat_id, now).await {
            Ok(true) => Outcome::Fine("the bot is in it".to_owned()),
            Ok(false) => Outcome::Failed("the bot is not in it: add the app's bot to the group".to_owned()),
            // It sends without this one.
            Err(verdict) if verdict.lacks_permission() => Outcome::Doubtful(
                "whether the bot is in it may not be asked: grant the app im:chat:readonly, or see whether \
                     `send-test` arrives"
                    .to_owned(),
            ),
            Err(verdict) => Outcome::Failed(said(&verdict)),
        };
        probes.push(Probe { what: format!("chat of {}", names.join(", ")), outcome });
    }
    probes
}

/// The chats, with the receivers that each is.
fn chats(config: &Config) -> BTreeMap<&str, Vec<&str>> {
    let mut chats: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for receiver in &config.receivers {
        if let ReceiverDestination::AppChat { chat_id } = &receiver.destination {
            chats.entry(chat_id).or_default().push(&receiver.name);
        }
    }
    chats
}

fn said(verdict: &Verdict) -> String {
    match verdict.trouble() {
        None => "refused without a reason".to_owned(),
        Some(Trouble { code: Some(code), message, .. }) => {
            format!("code {code}, {message}; {}", advice(Some(*code)).en)
        }
        Some(Trouble { code: None, message, .. }) => message.clone(),
    }
}
