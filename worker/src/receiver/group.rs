//! Several custom bots in one group, which share the cards of one receiver.

use config::{BotConfig, ReceiverConfig};
use jiff::Timestamp;

use super::{BotAccess, Receiver, ReceiverError};
use crate::budget::Limits;
use crate::feishu::limits::CallBudget;
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{CardContent, CustomBot, Webhooks};

/// One of the bots.
#[derive(Clone, Debug)]
pub struct GroupBot {
    /// What logs and metrics call it: `NAME/1`.
    pub name: String,
    /// What it may send.
    pub budget: CallBudget,
    bot: CustomBot,
}

/// The receiver they are together. The minute is each bot's; the second is the group's, which counts all of them.
pub(super) fn of(
    config: &ReceiverConfig,
    bots: &[BotConfig],
    webhooks: &Webhooks,
) -> Result<Receiver, ReceiverError> {
    let limits = Limits::from(config);
    let bot = |(name, BotConfig { webhook_url, secret }): (String, &BotConfig)| {
        let bot = CustomBot::new(webhooks.clone(), &name, webhook_url.clone(), secret.clone())?;
        Ok::<_, ReceiverError>(GroupBot { name, budget: CallBudget::of_bot(webhook_url, limits), bot })
    };
    let all: Vec<_> = config.bot_addresses().into_iter().zip(bots).map(bot).collect::<Result<_, _>>()?;
    let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
    let together = Limits { per_minute: limits.per_minute.saturating_mul(count), ..limits };
    let name = config.name.clone();
    let owners = config.owners.clone();
    let budgets = vec![CallBudget::of_group(&name, together)];
    Ok(Receiver {
        budgets,
        name,
        way: BotAccess::Group(all),
        owners,
        card_format: config.card_format,
        fallback: config.fallback.clone(),
    })
}

/// Sends once, through the bot of this place.
pub(super) async fn send(bots: &[GroupBot], place: usize, content: &CardContent, now: Timestamp) -> Verdict {
    match bots.get(place) {
        Some(GroupBot { bot, .. }) => bot.send(content, now).await,
        None => Verdict::Unreachable(Trouble::without_code("there is no such bot")),
    }
}
