//! Where cards go: a Feishu bot, or the preview that stands in for one as long as none is configured.

mod group;

use std::sync::Arc;
use std::time::Duration;

use config::{
    AppConfig, BotConfig, BotMode, CardFormat, FallbackConfig, ReceiverConfig, ReceiverDestination,
    ReceiverOwners, Secret,
};
use reqwest::Client;
use runtime::clock::Clock;
use thiserror::Error;

use crate::feishu::limits::{AppCall, CallBudget};
use crate::feishu::sender::Sender;
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{
    AppBot, AppBotError, AppCredentials, CardContent, CustomBot, CustomBotError, OnceKey, Sent, Webhooks,
};
use crate::preview::Preview;
pub use group::GroupBot;

/// What the worker calls the preview where it would name a receiver.
pub const PREVIEW: &str = "preview";

/// A named destination.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// What routes, the ledger, logs and metrics call it.
    pub name: String,
    /// How it is reached.
    pub way: BotAccess,
    /// What a card for it takes from, the narrowest first; what each of several bots has besides is its own.
    pub budgets: Vec<CallBudget>,
    /// Who is told by name there.
    pub owners: ReceiverOwners,
    /// What its cards are written in.
    pub card_format: CardFormat,
    /// Who is told instead where it cannot be reached.
    pub fallback: Option<FallbackConfig>,
}

/// How a receiver is reached.
#[derive(Clone, Debug)]
pub enum BotAccess {
    /// Through a webhook of Feishu's.
    CustomBot(CustomBot),
    /// Through any of several webhooks that lead into one group; at least one.
    Group(Vec<GroupBot>),
    /// Through the app's bot, into one of its chats.
    AppChat(AppChat),
    /// On the terminal and on a page.
    Preview(Preview),
}

/// A chat, and the bot that is in it.
#[derive(Clone, Debug)]
pub struct AppChat {
    /// The app's bot; all its chats share it, and with it the token.
    pub bot: Arc<AppBot>,
    /// The chat's id.
    pub chat_id: String,
}

/// Why a receiver cannot be used as it is configured.
#[derive(Debug, Error)]
pub enum ReceiverError {
    /// A custom bot.
    #[error(transparent)]
    CustomBot(#[from] CustomBotError),
    /// The app's bot.
    #[error(transparent)]
    AppBot(#[from] AppBotError),
    /// A chat without an app. Loading the configuration refuses that with more words.
    #[error("receiver {0} is a chat of an app, and no app is configured")]
    NoApp(String),
}

impl Receiver {
    /// The receivers that are configured, all of which send through one HTTP client.
    pub fn all_of(
        receivers: &[ReceiverConfig],
        app: Option<&AppConfig>,
        client: &Client,
        webhooks: &Webhooks,
    ) -> Result<Vec<Self>, ReceiverError> {
        let bot = app.map(|app| app_bot(client, app)).transpose()?;
        let each = receivers.iter().map(|config| Self::of(config, webhooks, app.zip(bot.as_ref())));
        Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The app's bot, also where no receiver is a chat of its: it looks people up.
    pub(crate) fn bot_of(
        receivers: &[Self],
        app: Option<&AppConfig>,
        client: &Client,
    ) -> Result<Option<Arc<AppBot>>, ReceiverError> {
        let of_chat = Self::bot_in(receivers);
        match (of_chat, app) {
            (Some(bot), _) => Ok(Some(bot)),
            (None, Some(app)) => Ok(Some(app_bot(client, app)?)),
            (None, None) => Ok(None),
        }
    }

    /// The app's bot, where a receiver is a chat of its.
    pub(crate) fn bot_in(receivers: &[Self]) -> Option<Arc<AppBot>> {
        receivers.iter().find_map(Self::bot)
    }

    /// The one that only shows what would be sent.
    pub fn preview(preview: Preview, card_format: CardFormat) -> Self {
        let name = PREVIEW.to_owned();
        let budgets = vec![CallBudget::of_preview(&name)];
        let owners = ReceiverOwners::default();
        Self { budgets, name, way: BotAccess::Preview(preview), owners, card_format, fallback: None }
    }

    /// One, or one for each of its bots: each has its own name, ledger and budget.
    fn of(
        config: &ReceiverConfig,
        webhooks: &Webhooks,
        app: Option<(&AppConfig, &Arc<AppBot>)>,
    ) -> Result<Vec<Self>, ReceiverError> {
        let name = &config.name;
        match (&config.destination, app) {
            (ReceiverDestination::CustomBot { webhook_url, secret }, _) => {
                Ok(vec![Self::by_bot(webhooks, config, name, webhook_url, secret.as_ref())?])
            }
            (ReceiverDestination::Bots { bots, mode: BotMode::Spread }, _) => {
                Ok(vec![group::of(config, bots, webhooks)?])
            }
            (ReceiverDestination::Bots { bots, mode: BotMode::Copy }, _) => {
                let by_bot = |(name, bot): (String, &BotConfig)| {
                    Self::by_bot(webhooks, config, &name, &bot.webhook_url, bot.secret.as_ref())
                };
                config.addresses().into_iter().zip(bots).map(by_bot).collect()
            }
            (ReceiverDestination::AppChat { chat_id }, Some((app, bot))) => {
                let chat = AppChat { bot: Arc::clone(bot), chat_id: chat_id.clone() };
                let chat_budget = CallBudget::of_chat(chat_id, config.into());
                let budgets = vec![chat_budget, CallBudget::of_app(&app.id, AppCall::Send)];
                let name = name.clone();
                let owners = config.owners.clone();
                let card_format = config.card_format;
                let fallback = config.fallback.clone();
                let way = BotAccess::AppChat(chat);
                Ok(vec![Self { name, way, budgets, owners, card_format, fallback }])
            }
            (ReceiverDestination::AppChat { .. }, None) => Err(ReceiverError::NoApp(name.clone())),
        }
    }

    fn by_bot(
        webhooks: &Webhooks,
        config: &ReceiverConfig,
        name: &str,
        webhook_url: &Secret,
        secret: Option<&Secret>,
    ) -> Result<Self, ReceiverError> {
        let bot = CustomBot::new(webhooks.clone(), name, webhook_url.clone(), secret.cloned())?;
        let budgets = vec![CallBudget::of_bot(webhook_url, config.into())];
        Ok(Self {
            name: name.to_owned(),
            way: BotAccess::CustomBot(bot),
            budgets,
            owners: config.owners.clone(),
            card_format: config.card_format,
            fallback: config.fallback.clone(),
        })
    }

    /// The app's bot, where the receiver is a chat of its.
    pub(crate) fn bot(&self) -> Option<Arc<AppBot>> {
        match &self.way {
            BotAccess::AppChat(chat) => Some(Arc::clone(&chat.bot)),
            BotAccess::CustomBot(_) | BotAccess::Group(_) | BotAccess::Preview(_) => None,
        }
    }

    /// The bots that share its cards, if there are several ways into its group.
    pub(crate) fn group(&self) -> &[GroupBot] {
        match &self.way {
            BotAccess::Group(bots) => bots,
            BotAccess::CustomBot(_) | BotAccess::AppChat(_) | BotAccess::Preview(_) => &[],
        }
    }

    /// It and its bots by their names, each with the budget that its cards meet first.
    pub(crate) fn budgets_shown(&self) -> impl Iterator<Item = (&str, &CallBudget)> {
        let bots = self.group().iter().map(|bot| (bot.name.as_str(), &bot.budget));
        let own = self.budgets.first().map(|budget| (self.name.as_str(), budget));
        own.into_iter().chain(bots)
    }

    /// How many cards it takes in a minute, through all its bots.
    pub(crate) fn cards_per_minute(&self) -> u32 {
        let of = |budget: &CallBudget| budget.limits.per_minute;
        let own = self.budgets.iter().map(of).min();
        let bots = self.group().iter().map(|bot| of(&bot.budget)).reduce(u32::saturating_add);
        own.into_iter().chain(bots).min().unwrap_or(u32::MAX)
    }

    /// What its bot of this place is called; one that is the only one has the receiver's name.
    pub(crate) fn bot_name(&self, bot: usize) -> &str {
        self.group().get(bot).map_or(&self.name, |bot| &bot.name)
    }

    /// Its name, and what its chat takes, where it is a chat of the app's.
    pub(crate) fn chat(&self) -> Option<(String, CallBudget)> {
        Some((self.name.clone(), self.chat_budget()?.clone()))
    }

    /// What its chat takes, where it is a chat of the app's.
    pub(crate) fn chat_budget(&self) -> Option<&CallBudget> {
        self.budgets.first().filter(|_| matches!(self.way, BotAccess::AppChat(_)))
    }

    /// What a card through the bot of this place takes from.
    pub(crate) fn budgets_through(&self, bot: usize) -> Vec<CallBudget> {
        let own = self.group().get(bot).map(|bot| &bot.budget);
        own.into_iter().chain(&self.budgets).cloned().collect()
    }

    /// Sends once and says what came of it; through the bot of this place, where there are several. `once` makes one
    /// message of several tries, where the way knows that; `pause` is how long to slow down if Feishu says so.
    pub(crate) async fn send(
        &self,
        bot: usize,
        content: &CardContent,
        once: &OnceKey,
        sender: &Sender,
        clock: &Clock,
        pause: impl FnOnce(&Trouble, Option<Duration>) -> Duration,
    ) -> Sent {
        let call = async {
            // Not before there is a place for it: a signature ages.
            let now = clock.now();
            match &self.way {
                BotAccess::CustomBot(bot) => bot.send(content, now).await.into(),
                BotAccess::Group(bots) => group::send(bots, bot, content, now).await.into(),
                BotAccess::AppChat(chat) => chat.bot.send(&chat.chat_id, content, once, now).await,
                BotAccess::Preview(preview) => {
                    preview.show(content, now);
                    Verdict::Ok.into()
                }
            }
        };
        match self.way {
            // Nothing is sent, and nobody answers.
            BotAccess::Preview(_) => call.await,
            BotAccess::CustomBot(_) | BotAccess::Group(_) | BotAccess::AppChat(_) => {
                sender.send(self.bot_name(bot), &self.budgets_through(bot), call, pause).await
            }
        }
    }
}

fn app_bot(client: &Client, app: &AppConfig) -> Result<Arc<AppBot>, AppBotError> {
    let credentials = AppCredentials { id: app.id.clone(), secret: app.secret.clone() };
    AppBot::new(client.clone(), &app.base_url, credentials).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_receivers_with_one_webhook_have_one_budget_also_beside_other_bots() {
        let secret =
            |token: &str| Secret::new(format!("https://open.feishu.cn/open-apis/bot/v2/hook/{token}"));
        let config = |name: &str, destination| ReceiverConfig {
            template: None,
            card_format: CardFormat::V1,
            name: name.to_owned(),
            destination,
            cards_per_minute: 100,
            cards_per_second: 5,
            fallback: None,
            owners: ReceiverOwners::default(),
            escalation: None,
        };
        let alone =
            |name| config(name, ReceiverDestination::CustomBot { webhook_url: secret("a"), secret: None });
        let bots = ["a", "b"].map(|token| BotConfig { webhook_url: secret(token), secret: None }).to_vec();
        let group = config("group", ReceiverDestination::Bots { bots, mode: BotMode::Spread });
        let all = [alone("ops"), alone("dev"), group];
        let client = crate::feishu::http_client(Duration::from_secs(1), None).unwrap();
        let [ops, dev, group] = <[Receiver; 3]>::try_from(
            Receiver::all_of(&all, None, &client, &Webhooks::Http(client.clone())).unwrap(),
        )
        .unwrap();
        assert_eq!(ops.budgets, dev.budgets);
        let budgets: Vec<_> = group.group().iter().map(|bot| &bot.budget).collect();
        assert_eq!(budgets[0], &ops.budgets[0]);
        assert_ne!(budgets[1], &ops.budgets[0]);
    }
}
