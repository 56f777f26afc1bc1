//! Where cards go: a Feishu bot, or the preview that stands in for one as long as none is configured.

mod group;

use std::sync::Arc;

use jiff::Timestamp;
use reqwest::Client;
use shared::config::{AppConfig, BotConfig, BotMode, Destination, ReceiverConfig, ReceiverOwners, Secret};
use thiserror::Error;

use crate::budget::Limits;
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{
    AppBot, AppBotError, AppCredentials, Content, CustomBot, CustomBotError, OnceKey, Sent, http_client,
};
use crate::metrics::Metrics;
use crate::preview::Preview;
pub use group::GroupBot;

/// What Feishu takes from one app with one kind of call (reference "Feishu", 4.3).
const APP_LIMITS: Limits = Limits { per_minute: 1_000, per_second: 50 };
/// What the gateway answers to too many calls of an app (reference "Feishu", 4.8).
pub(crate) const GATEWAY_LIMIT: i64 = 99_991_400;
/// What a group's limit is called where bots of it are refused (reference "Feishu", 1.5): it is that of all bots in it.
pub(crate) const GROUP_LIMIT: i64 = 11_233;
/// The preview folds as a bot would, so that one sees what a storm looks like.
const PREVIEW_LIMITS: Limits = Limits { per_minute: 100, per_second: 5 };
/// What the worker calls the preview where it would name a receiver.
pub const PREVIEW: &str = "preview";

/// A named destination.
#[derive(Debug)]
pub struct Receiver {
    /// What routes, the ledger, logs and metrics call it.
    pub name: String,
    /// How it is reached.
    pub way: Way,
    /// What a card for it takes from: each budget by its name, the narrowest first.
    pub budgets: Vec<(String, Limits)>,
    /// Who is told by name there.
    pub owners: ReceiverOwners,
}

/// How a receiver is reached.
#[derive(Debug)]
pub enum Way {
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
    /// A custom bot, or the HTTP client.
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
        request_timeout: std::time::Duration,
    ) -> Result<Vec<Self>, ReceiverError> {
        let client = http_client(request_timeout)?;
        let bot = app.map(|app| app_bot(&client, app)).transpose()?;
        let each = receivers.iter().map(|config| Self::of(config, &client, app.zip(bot.as_ref())));
        Ok(each.collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
    }

    /// The app's bot, also where no receiver is a chat of its: it looks people up.
    pub(crate) fn bot_of(
        receivers: &[Self],
        app: Option<&AppConfig>,
        request_timeout: std::time::Duration,
    ) -> Result<Option<Arc<AppBot>>, ReceiverError> {
        let of_chat = receivers.iter().find_map(Self::bot);
        match (of_chat, app) {
            (Some(bot), _) => Ok(Some(bot)),
            (None, Some(app)) => Ok(Some(app_bot(&http_client(request_timeout)?, app)?)),
            (None, None) => Ok(None),
        }
    }

    /// The one that only shows what would be sent.
    pub fn preview(preview: Preview) -> Self {
        let name = PREVIEW.to_owned();
        let budgets = vec![(name.clone(), PREVIEW_LIMITS)];
        Self { budgets, name, way: Way::Preview(preview), owners: ReceiverOwners::default() }
    }

    /// One, or one for each of its bots: each has its own name, ledger and budget.
    fn of(
        config: &ReceiverConfig,
        client: &Client,
        app: Option<(&AppConfig, &Arc<AppBot>)>,
    ) -> Result<Vec<Self>, ReceiverError> {
        let name = &config.name;
        match (&config.destination, app) {
            (Destination::CustomBot { webhook_url, secret }, _) => {
                Ok(vec![Self::by_bot(client, config, name, (webhook_url, secret.as_ref()))?])
            }
            (Destination::Bots { bots, mode: BotMode::Spread }, _) => {
                Ok(vec![group::of(config, bots, client)?])
            }
            (Destination::Bots { bots, mode: BotMode::Copy }, _) => {
                let by_bot = |(name, bot): (String, &BotConfig)| {
                    Self::by_bot(client, config, &name, (&bot.webhook_url, bot.secret.as_ref()))
                };
                config.addresses().into_iter().zip(bots).map(by_bot).collect()
            }
            (Destination::AppChat { chat_id }, Some((app, bot))) => {
                let chat = AppChat { bot: Arc::clone(bot), chat_id: chat_id.clone() };
                // No receiver's name has a slash. The chat's budget is the chat's, whichever receivers are in it.
                let budgets = vec![(format!("chat/{chat_id}"), config.into()), app_budget(&app.id, "send")];
                let (name, owners) = (name.clone(), config.owners.clone());
                Ok(vec![Self { name, way: Way::AppChat(chat), budgets, owners }])
            }
            (Destination::AppChat { .. }, None) => Err(ReceiverError::NoApp(name.clone())),
        }
    }

    fn by_bot(
        client: &Client,
        config: &ReceiverConfig,
        name: &str,
        (webhook_url, secret): (&Secret, Option<&Secret>),
    ) -> Result<Self, ReceiverError> {
        let bot = CustomBot::new(client.clone(), name, webhook_url.clone(), secret.cloned())?;
        let budgets = vec![(name.to_owned(), config.into())];
        Ok(Self { name: name.to_owned(), way: Way::CustomBot(bot), budgets, owners: config.owners.clone() })
    }

    /// The app's bot, where the receiver is a chat of its.
    pub(crate) fn bot(&self) -> Option<Arc<AppBot>> {
        match &self.way {
            Way::AppChat(chat) => Some(Arc::clone(&chat.bot)),
            Way::CustomBot(_) | Way::Group(_) | Way::Preview(_) => None,
        }
    }

    /// The bots that share its cards, if there are several ways into its group.
    pub(crate) fn group(&self) -> &[GroupBot] {
        match &self.way {
            Way::Group(bots) => bots,
            Way::CustomBot(_) | Way::AppChat(_) | Way::Preview(_) => &[],
        }
    }

    /// What its bot of this place is called; one that is the only one has the receiver's name.
    pub(crate) fn bot_name(&self, bot: usize) -> &str {
        self.group().get(bot).map_or(&self.name, |bot| &bot.name)
    }

    /// The budget that was overdrawn when this bot sent, by what Feishu said about it.
    pub(crate) fn budget_of(&self, bot: usize, trouble: &Trouble) -> Option<&str> {
        if let Some(bot) = self.group().get(bot).filter(|_| trouble.code != Some(GROUP_LIMIT)) {
            return Some(&bot.name);
        }
        let (narrow, wide) = (self.budgets.first()?, self.budgets.last()?);
        // The gateway counts an app's calls, whatever chat they go to; everything else is the chat's, or the bot's.
        let (name, _) = if trouble.code == Some(GATEWAY_LIMIT) { wide } else { narrow };
        Some(name)
    }

    /// Sends once and says what came of it; through the bot of this place, where there are several. `once` makes one
    /// message of several tries, where the way knows that.
    pub(crate) async fn send(
        &self,
        bot: usize,
        (content, once): (&Content, &OnceKey),
        now: Timestamp,
        metrics: &Metrics,
    ) -> Sent {
        let timer = match &self.way {
            Way::CustomBot(_) | Way::Group(_) | Way::AppChat(_) => Some(metrics.round_trip.start_timer()),
            Way::Preview(_) => None,
        };
        let sent = match &self.way {
            Way::CustomBot(bot) => Sent { verdict: bot.send(content, now).await, message_id: None },
            Way::Group(bots) => {
                Sent { verdict: group::send(bots, bot, content, now).await, message_id: None }
            }
            Way::AppChat(chat) => chat.bot.send(&chat.chat_id, content, once, now).await,
            Way::Preview(preview) => {
                preview.show(content, now);
                Sent { verdict: Verdict::Ok, message_id: None }
            }
        };
        if let Some(timer) = timer {
            timer.observe_duration();
            metrics.answered(&sent.verdict);
        }
        sent
    }
}

/// The budget of one kind of call of an app.
pub(crate) fn app_budget(app_id: &str, call: &str) -> (String, Limits) {
    (format!("app/{app_id}/{call}"), APP_LIMITS)
}

fn app_bot(client: &Client, app: &AppConfig) -> Result<Arc<AppBot>, AppBotError> {
    let credentials = AppCredentials { id: app.id.clone(), secret: app.secret.clone() };
    AppBot::new(client.clone(), &app.base_url, credentials).map(Arc::new)
}
