//! Bringing messages up to date with what is known of their cards.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use shared::clock::Clock;
use shared::config::{ReceiverOwners, ResolvedNews};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::lease::Lease;
use super::metrics::{News, Update};
use super::{CardId, Cards, Kept};
use crate::budget::{Budget, Limits, Slot};
use crate::card::{self, Besides, Style};
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{AppBot, CARD_BYTES_MAX, Content, MessageId, ReplyTo};
use crate::metrics::Metrics;
use crate::owner::Owners;
use crate::receiver::{GATEWAY_LIMIT, Receiver, Way, app_budget};
use crate::store::StoreError;
use crate::wordings::Wordings;

/// How long it is waited for somebody else who updates the same card, and how often it is looked whether that is done.
const OTHERS_PATIENCE: Duration = Duration::from_secs(5);
const OTHERS_POLL: Duration = Duration::from_millis(100);
/// What a lease is longer than two requests, of which there are never more: the budget is waited for, and writing down
/// what came of it takes time.
const LEASE_MARGIN: Duration = Duration::from_secs(20);
/// How long a message that could not be updated is left alone, if Feishu names no time.
const PAUSE: Duration = Duration::from_secs(5);
/// How often it is looked for cards whose message is behind: those of other workers, and those that failed.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Whoever has changed a card mostly updates it, too; only then it is looked for what is left.
const AFTER_CHANGE: Duration = Duration::from_millis(500);
/// Cards of one look, and how many of them are updated at once.
const LOOKED_AT_MAX: i64 = 100;
const AT_ONCE: usize = 8;

/// What came of bringing a message up to date.
#[derive(Debug)]
pub(crate) enum Refreshed {
    /// It shows what was wanted, or something newer.
    Shown,
    /// It never will. The card is forgotten.
    Lost,
    /// Not now.
    NotNow {
        /// Why.
        trouble: Trouble,
        /// Whether Feishu was asked, and did not just say to slow down.
        is_attempt: bool,
    },
}

/// A chat, for the word that all of a card is over.
#[derive(Debug)]
struct Chat {
    id: String,
    budget: (String, Limits),
    owners: ReceiverOwners,
}

/// Updates messages, as the app's bot.
#[derive(Debug)]
pub(crate) struct Refresher {
    cards: Cards,
    bot: Arc<AppBot>,
    app_id: String,
    /// By receiver.
    chats: HashMap<String, Chat>,
    resolved: ResolvedNews,
    tools: Tools,
    lease: Duration,
}

/// What a refresher shares with the rest of the worker.
#[derive(Debug)]
pub(crate) struct Tools {
    pub(crate) budget: Arc<Budget>,
    pub(crate) owners: Arc<Owners>,
    pub(crate) style: Style,
    pub(crate) wordings: Wordings,
    pub(crate) clock: Clock,
    pub(crate) metrics: Metrics,
    pub(crate) request_timeout: Duration,
}

/// One try at it.
enum Turn {
    Done(Refreshed),
    /// Somebody else is at it.
    Wait,
}

impl Refresher {
    /// For these receivers; `None` if none is a chat of the app's.
    pub(crate) fn new(
        cards: Cards,
        receivers: &[Receiver],
        (app_id, resolved): (&str, ResolvedNews),
        tools: Tools,
    ) -> Option<Self> {
        let chats = receivers.iter().filter_map(|receiver| match &receiver.way {
            Way::AppChat(chat) => Some((receiver, chat)),
            Way::CustomBot(_) | Way::Group(_) | Way::Preview(_) => None,
        });
        let (_, first) = chats.clone().next()?;
        let bot = Arc::clone(&first.bot);
        let chats = chats.filter_map(|(receiver, chat)| {
            let budget = receiver.budgets.first()?.clone();
            let (id, owners) = (chat.chat_id.clone(), receiver.owners.clone());
            Some((receiver.name.clone(), Chat { id, budget, owners }))
        });
        let chats = chats.collect();
        let (lease, app_id) = (tools.request_timeout * 2 + LEASE_MARGIN, app_id.to_owned());
        Some(Self { cards, bot, app_id, chats, resolved, tools, lease })
    }

    pub(crate) const fn cards(&self) -> &Cards {
        &self.cards
    }

    /// Updates what is behind, whoever has changed it, until the stop.
    pub(crate) async fn keep_up(self: Arc<Self>, stop: CancellationToken) {
        let look = async {
            loop {
                tokio::select! {
                    () = self.cards.changed() => sleep(AFTER_CHANGE).await,
                    () = sleep(LOOK_EVERY) => {}
                }
                // A failure is the store's to tell; a few seconds later it is looked again.
                let due = self.cards.due(LOOKED_AT_MAX).await.unwrap_or_default();
                stream::iter(due)
                    .for_each_concurrent(AT_ONCE, async |card| drop(self.refresh(&card, None).await))
                    .await;
            }
        };
        stop.run_until_cancelled(Box::pin(look)).await;
    }

    /// Brings the message of a card up to date: at least to this version, or to the newest there is.
    pub(crate) async fn refresh(&self, card: &CardId, wanted: Option<i64>) -> Refreshed {
        let patience = Instant::now() + OTHERS_PATIENCE;
        loop {
            match Box::pin(self.turn(card, wanted)).await {
                Ok(Turn::Done(refreshed)) => return refreshed,
                Ok(Turn::Wait) if Instant::now() < patience => sleep(OTHERS_POLL).await,
                Ok(Turn::Wait) => return not_now("somebody else updates the same card for long"),
                Err(error) => return not_now(&error.to_string()),
            }
        }
    }

    async fn turn(&self, card: &CardId, wanted: Option<i64>) -> Result<Turn, StoreError> {
        let lease = self.cards.take(card, self.lease).await?;
        // Read after the lease is there: whatever was changed before is in it, and nobody else can show older.
        let Some(kept) = self.cards.load(card).await? else { return Ok(Turn::Done(Refreshed::Lost)) };
        let is_shown = kept.shown >= wanted.unwrap_or(kept.version);
        match (&kept.message, lease) {
            (_, None) if is_shown => {
                self.cards.metrics.updated(Update::ByOthers);
                Ok(Turn::Done(Refreshed::Shown))
            }
            (_, None) => Ok(Turn::Wait),
            (_, Some(lease)) if is_shown => {
                self.cards.shown(card, lease, (kept.shown, kept.is_over_told)).await?;
                Ok(Turn::Done(Refreshed::Shown))
            }
            (None, Some(lease)) => {
                self.cards.put_off(card, lease, PAUSE).await?;
                Ok(Turn::Done(not_now("the card is not sent yet")))
            }
            (Some(message), Some(lease)) => match self.slot("update").await {
                None => self.update(&kept, message, lease).await.map(Turn::Done),
                Some(wait) => {
                    self.cards.put_off(card, lease, wait).await?;
                    Ok(Turn::Done(not_now("the app has updated too many cards a moment ago")))
                }
            },
        }
    }

    async fn update(&self, kept: &Kept, message: &MessageId, lease: Lease) -> Result<Refreshed, StoreError> {
        let (card, receiver) = (&kept.card, kept.receiver.as_str());
        let mut verdict = self.patch(kept, message, CARD_BYTES_MAX).await;
        if matches!(verdict, Verdict::Repair(..)) {
            verdict = self.patch(kept, message, CARD_BYTES_MAX / 2).await;
        }
        match verdict {
            Verdict::Ok => {
                let is_over = kept.is_over();
                self.cards.shown(card, lease, (kept.version, kept.is_over_told || is_over)).await?;
                self.cards.metrics.updated(Update::Shown);
                debug!(receiver, card = card.as_str(), "updated a card of {receiver}");
                if is_over && !kept.is_over_told {
                    self.tell_over(kept, message).await;
                }
                Ok(Refreshed::Shown)
            }
            Verdict::Repair(_, trouble) | Verdict::GiveUp(trouble) => {
                self.cards.forget(card).await?;
                self.cards.metrics.updated(Update::Lost);
                info!(
                    receiver,
                    code = trouble.code,
                    "a card of {receiver} cannot be updated any more ({}); what happens to its alerts is told anew",
                    trouble.message
                );
                Ok(Refreshed::Lost)
            }
            Verdict::SlowDown { hint, trouble } => {
                let pause = hint.unwrap_or(PAUSE);
                if trouble.code == Some(GATEWAY_LIMIT) {
                    self.tools.budget.hold(&app_budget(&self.app_id, "update").0, pause).await;
                }
                self.cards.put_off(card, lease, pause).await?;
                self.cards.metrics.updated(Update::Failed);
                Ok(Refreshed::NotNow { trouble, is_attempt: false })
            }
            Verdict::TryAgain { trouble, .. } | Verdict::Unreachable(trouble) | Verdict::Broken(trouble) => {
                self.cards.put_off(card, lease, PAUSE).await?;
                self.cards.metrics.updated(Update::Failed);
                let (code, message) = (trouble.code, &trouble.message);
                warn!(receiver, code, "a card of {receiver} could not be updated ({message})");
                Ok(Refreshed::NotNow { trouble, is_attempt: true })
            }
        }
    }

    async fn patch(&self, kept: &Kept, message: &MessageId, bytes_max: usize) -> Verdict {
        let now = self.tools.clock.now();
        let (items, chat) = (kept.items(), self.chats.get(&kept.receiver));
        let owners = self.tools.owners.by_name(&items, chat.map(|chat| &chat.owners), now).await;
        let buttons = self.cards.buttons(&kept.receiver, &kept.card, &items);
        let card = self.tools.wordings.wording(&kept.receiver, |worded| {
            let besides = Besides { buttons: &buttons, owners: Some(&owners), worded };
            card::build_with(&items, &self.tools.style, (now, bytes_max), besides)
        });
        let timer = self.tools.metrics.round_trip.start_timer();
        let verdict = self.bot.update(message, &card, now).await;
        timer.observe_duration();
        self.tools.metrics.answered(&verdict);
        verdict
    }

    /// Says in the chat that all of a card is over, if there is room for it: an update notifies nobody. Cards go first,
    /// so this is never waited for.
    async fn tell_over(&self, kept: &Kept, message: &MessageId) {
        let Some(chat) = self.chats.get(&kept.receiver) else { return };
        let call = match self.resolved {
            ResolvedNews::Update => return,
            ResolvedNews::Reply => "reply",
            ResolvedNews::New => "send",
        };
        let (name, limits) = &chat.budget;
        if !is_free(self.tools.budget.reserve(name, *limits).await) || self.slot(call).await.is_some() {
            return self.cards.metrics.told_over(News::Skipped);
        }
        let now = self.tools.clock.now();
        let text = self.tools.wordings.wording(&kept.receiver, |worded| {
            let besides = Besides { worded, ..Besides::default() };
            Content::Text(card::title(&kept.items(), &self.tools.style, now, besides))
        });
        let once = kept.card.once_over();
        let sent = match self.resolved {
            ResolvedNews::New => self.bot.send(&chat.id, &text, &once, now).await,
            ResolvedNews::Reply | ResolvedNews::Update => {
                let to = ReplyTo { message_id: message, in_thread: false };
                self.bot.reply(to, &text, &once, now).await
            }
        };
        self.tools.metrics.answered(&sent.verdict);
        self.cards.metrics.told_over(if sent.verdict == Verdict::Ok { News::Sent } else { News::Failed });
    }

    /// Takes one of the app's calls of this kind, as soon as it may; or says how long that is too far away.
    async fn slot(&self, call: &str) -> Option<Duration> {
        let (name, limits) = app_budget(&self.app_id, call);
        match self.tools.budget.reserve(&name, limits).await {
            Slot::Reserved { wait } => {
                sleep(wait).await;
                None
            }
            Slot::AskAgain { after } => Some(after),
        }
    }
}

const fn is_free(slot: Slot) -> bool {
    matches!(slot, Slot::Reserved { wait } if wait.is_zero())
}

fn not_now(why: &str) -> Refreshed {
    Refreshed::NotNow { trouble: Trouble::without_code(why), is_attempt: false }
}
