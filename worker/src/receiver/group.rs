//! Several custom bots in one group, which share the cards of one receiver.

use jiff::Timestamp;
use reqwest::Client;
use shared::config::{BotConfig, ReceiverConfig};

use super::{Receiver, ReceiverError, Way};
use crate::budget::Limits;
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{Content, CustomBot};

/// One of the bots.
#[derive(Debug)]
pub struct GroupBot {
    /// What logs and metrics call it, and its budget: `NAME/1`.
    pub name: String,
    /// What it may send.
    pub limits: Limits,
    bot: CustomBot,
}

/// The receiver they are together. The minute is each bot's; the second is the group's, which counts all of them.
pub(super) fn of(
    config: &ReceiverConfig,
    bots: &[BotConfig],
    client: &Client,
) -> Result<Receiver, ReceiverError> {
    let limits = Limits::from(config);
    let bot = |(name, BotConfig { webhook_url, secret }): (String, &BotConfig)| {
        let bot = CustomBot::new(client.clone(), &name, webhook_url.clone(), secret.clone())?;
        Ok::<_, ReceiverError>(GroupBot { name, limits, bot })
    };
    let all: Vec<_> = config.bot_addresses().into_iter().zip(bots).map(bot).collect::<Result<_, _>>()?;
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let together = Limits { per_minute: limits.per_minute.saturating_mul(count), ..limits };
    let (name, owners) = (config.name.clone(), config.owners.clone());
    Ok(Receiver { budgets: vec![(name.clone(), together)], name, way: Way::Group(all), owners })
}

/// Sends once, through the bot of this place.
pub(super) async fn send(bots: &[GroupBot], place: usize, content: &Content, now: Timestamp) -> Verdict {
    match bots.get(place) {
        Some(GroupBot { bot, .. }) => bot.send(content, now).await,
        None => Verdict::Unreachable(Trouble::without_code("there is no such bot")),
    }
}
