//! Several custom bots behind one receiver: in different groups each is sent every card, in one group they share them.

use super::Secret;
use super::kinds::{Must, text, webhook_url};
use super::reader::{Reader, Section, key};

/// What stands between a receiver's name and the number of one of its bots. No configured name has it.
pub const BOT_MARK: char = '/';
/// Where they stand in their receiver.
pub(super) const BOTS: &str = "bots";
/// Bots of one receiver.
const BOTS_MAX: usize = 16;

/// What several bots of a receiver are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BotMode {
    /// Each is in a group of its own and is sent every card.
    #[default]
    Copy,
    /// All are in one group and share its cards: what one may not send now, another may.
    Spread,
}

/// One custom bot.
#[derive(Clone, Debug)]
pub struct BotConfig {
    /// Its webhook URL: a credential.
    pub webhook_url: Secret,
    /// Its signing secret, if it signs.
    pub secret: Option<Secret>,
}

/// The bots of a receiver; `None` if it has none of its own.
pub(super) fn read(reader: &Reader, section: &Section<'_>) -> Option<Vec<BotConfig>> {
    let bots = section.listed(BOTS);
    if bots.is_empty() {
        return None;
    }
    let place = section.place();
    let count = bots.len();
    let bots: Vec<_> = bots.into_iter().filter_map(|section| bot(reader, section)).collect();
    for (index, bot) in bots.iter().enumerate() {
        if bots[..index].iter().any(|other| other.webhook_url == bot.webhook_url) {
            reader.report(place.clone(), format!("bot {} has the webhook_url of one before it", index + 1));
        }
    }
    if count > BOTS_MAX {
        reader.report(place, format!("has at most {BOTS_MAX} bots"));
    }
    // What is wrong is reported; the receiver is there all the same, for routes to lead to.
    Some(bots)
}

/// How they share the cards, if that is set.
pub(super) fn mode(section: &Section<'_>) -> Option<BotMode> {
    section.value(key("mode"), |text: &str| -> Result<BotMode, Must> {
        match text {
            "copy" => Ok(BotMode::Copy),
            "spread" => Ok(BotMode::Spread),
            _ => Err("copy or spread".to_owned()),
        }
    })
}

fn bot(reader: &Reader, section: Section<'_>) -> Option<BotConfig> {
    let url = section.secret(key("webhook_url"), webhook_url);
    let secret = section.secret(key("secret"), text);
    let place = section.place();
    let is_set = section.is_set(key("webhook_url"));
    section.finish();
    if url.is_none() && !is_set {
        reader.report(place, "needs a webhook_url (or webhook_url_file)");
    }
    Some(BotConfig { webhook_url: url?, secret })
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, ReceiverDestination, parse};
    use super::*;

    fn read(ops: &str) -> Result<ReceiverDestination, String> {
        let text = format!("receivers: {{ ops: {ops} }}");
        let config =
            parse("test.yaml", &text, Environment::default()).map_err(|errors| errors.to_string())?;
        Ok(config.receivers[0].destination.clone())
    }

    #[test]
    fn several_bots_are_one_receiver() {
        let bots = "{ bots: [{ webhook_url: https://h/a, secret: s }, { webhook_url: https://h/b }] }";
        let ReceiverDestination::Bots { bots, mode } = read(bots).unwrap() else {
            unreachable!("they are bots")
        };
        let secrets: Vec<_> = bots.iter().map(|bot| bot.secret.as_ref().map(Secret::expose)).collect();
        assert_eq!((secrets, mode), (vec![Some("s"), None], BotMode::Copy));
    }

    #[test]
    fn bots_that_copy_are_receivers_of_their_own_and_bots_that_spread_are_one() {
        let two = "[{ webhook_url: https://h/a }, { webhook_url: https://h/b }]";
        for (mode, addresses) in [
            ("", &["ops/1", "ops/2"][..]),
            (", mode: copy", &["ops/1", "ops/2"]),
            (", mode: spread", &["ops"]),
        ] {
            let text = format!("receivers: {{ ops: {{ bots: {two}{mode} }} }}");
            let config = parse("test.yaml", &text, Environment::default()).unwrap();
            assert_eq!(config.receivers[0].addresses(), addresses, "{mode}");
            assert_eq!(config.receivers[0].bot_addresses(), ["ops/1", "ops/2"], "{mode}");
        }
    }

    #[test]
    fn a_bot_whose_webhook_url_is_wrong_is_reported_once() {
        let said =
            read("{ bots: [{ webhook_url: 'https://h/a b' }, { webhook_url: https://h/b }] }").unwrap_err();
        assert_eq!(said.matches("webhook").count(), 2, "its key and what it must be: {said}");
        assert!(
            said.contains("receivers.ops.bots.1.webhook_url: must be a custom bot's webhook URL without"),
            "{said}"
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (ops, says) in [
            ("{ bots: [{ secret: s }] }", "receivers.ops.bots.1: needs a webhook_url"),
            (
                "{ bots: [{ webhook_url: https://h/a, token: x }] }",
                "unknown key `receivers.ops.bots.1.token`",
            ),
            (
                "{ bots: [{ webhook_url: https://h/a }, { webhook_url: https://h/a }] }",
                "bot 2 has the webhook_url of one before it",
            ),
            (
                "{ secret: s, bots: [{ webhook_url: https://h/a }] }",
                "each of the bots has its own: move it there",
            ),
            (
                "{ webhook_url: https://h/a, bots: [{ webhook_url: https://h/b }] }",
                "has more than one of webhook_url, chat_id and bots",
            ),
            (
                "{ chat_id: oc_1, mode: spread, bots: [{ webhook_url: https://h/b }] }",
                "has more than one of webhook_url, chat_id and bots",
            ),
            ("{ chat_id: oc_1, mode: spread }", "mode is for several bots: set bots, or remove it"),
            ("{ webhook_url: https://h/a, mode: copy }", "mode is for several bots: set bots, or remove it"),
            ("{ mode: share, bots: [{ webhook_url: https://h/a }] }", "must be copy or spread"),
        ] {
            let said = read(ops).unwrap_err();
            assert!(said.contains(says), "{ops}: {said}");
        }
        let many: Vec<_> = (0..17).map(|number| format!("{{ webhook_url: https://h/{number} }}")).collect();
        assert!(
            read(&format!("{{ bots: [{}] }}", many.join(", "))).unwrap_err().contains("has at most 16 bots")
        );
    }
}
