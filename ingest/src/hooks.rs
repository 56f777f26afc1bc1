//! The webhooks of configured receivers, by which whoever has posted to a bot of Feishu names it here. Pure.
//!
//! Whoever knows the token of a webhook may post into its group anyhow, so here it counts as a credential for that receiver.

use config::{ReceiverConfig, ReceiverDestination};
use sha2::{Digest as _, Sha256};

/// A shorter one is nothing that Feishu gives, and could be guessed.
const TOKEN_BYTES_MIN: usize = 8;

/// The receivers by the tokens of their webhooks. Only hashes are kept: they are looked up, and shown nowhere.
#[derive(Clone, Debug, Default)]
pub struct Hooks(Vec<([u8; 32], String)>);

impl Hooks {
    /// The webhooks of these.
    pub fn of(receivers: &[ReceiverConfig]) -> Self {
        let hashed = |receiver: &ReceiverConfig| {
            let urls: Vec<_> = match &receiver.destination {
                ReceiverDestination::CustomBot { webhook_url, .. } => vec![webhook_url],
                ReceiverDestination::Bots { bots, .. } => bots.iter().map(|bot| &bot.webhook_url).collect(),
                ReceiverDestination::AppChat { .. } => Vec::new(),
            };
            let tokens = urls.into_iter().map(|url| hook_token(url.expose()));
            let tokens = tokens.filter(|token| token.len() >= TOKEN_BYTES_MIN);
            tokens.map(|token| (hash(token), receiver.name.clone())).collect::<Vec<_>>()
        };
        Self(receivers.iter().flat_map(hashed).collect())
    }

    /// The receiver one of whose bots has this token. Of hashes even the time it takes to compare them tells nothing.
    pub fn receiver_of(&self, token: &str) -> Option<&str> {
        let hash = hash(token);
        self.0.iter().find(|(known, _)| *known == hash).map(|(_, receiver)| receiver.as_str())
    }
}

/// What stands last in the path of a webhook's address: it names the bot, and whoever knows it may post as it.
pub(crate) fn hook_token(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or(url).trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use config::{Environment, parse};

    use super::*;

    #[test]
    fn a_receiver_is_found_by_the_token_of_each_of_its_bots() {
        let settings = "receivers: { ops: { webhook_url: https://open.feishu.cn/open-apis/bot/v2/hook/11112222-a }, \
             two: { bots: [{ webhook_url: https://h/hook/33334444 }, { webhook_url: https://h/hook/55556666/ }] }, \
             short: { webhook_url: https://h/x } }";
        let config = parse("test.yaml", settings, Environment::default()).unwrap();
        let hooks = Hooks::of(&config.receivers);
        for (token, receiver) in [
            ("11112222-a", Some("ops")),
            ("33334444", Some("two")),
            ("55556666", Some("two")),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(hooks.receiver_of(token), receiver, "{token}");
        }
        assert!(!format!("{hooks:?}").contains("11112222"));
    }
}
