//! Bringing messages up to date with what is known of their cards.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use config::{ReceiverOwners, ResolvedNews};
use futures_util::{StreamExt, stream};
use runtime::clock::Clock;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tracing::{debug, info, warn};

use super::cards::UpdateLease;
use super::metrics::{CardUpdate, News};
use super::{CardId, Cards, StoredCard};
use crate::card_buttons::CardButtons;
use crate::directory::OwnerResolver;
use crate::feishu::limits::{AppCall, CallBudget, SLOW_DOWN_PAUSE};
use crate::feishu::sender::Sender;
use crate::feishu::verdict::{Repair, Trouble, Verdict};
use crate::feishu::{AppBot, CARD_BYTES_MAX, CardContent, MessageId, ReplyTo, Sent};
use crate::pictures::without_pictures;
use crate::receiver::{BotAccess, Receiver};
use crate::render::{self, Besides, Style};
use crate::sent_cards::SentCards;
use crate::store::StoreError;
use crate::templates::LiveTemplates;

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
    budget: CallBudget,
    owners: ReceiverOwners,
}

/// Updates messages, as the app's bot.
#[derive(Debug)]
pub(crate) struct Refresher {
    cards: Cards,
    bot: Arc<AppBot>,
    /// What an update takes from.
    updates: [CallBudget; 1],
    /// By receiver.
    chats: HashMap<String, Chat>,
    resolved: ResolvedNews,
    tools: RefreshDeps,
    lease: Duration,
}

/// What a refresher shares with the rest of the worker.
#[derive(Debug)]
pub(crate) struct RefreshDeps {
    pub(crate) sender: Arc<Sender>,
    pub(crate) owners: Arc<OwnerResolver>,
    pub(crate) style: Style,
    pub(crate) templates: LiveTemplates,
    /// What cards look like, for their pages.
    pub(crate) sent_cards: SentCards,
    pub(crate) clock: Clock,
    pub(crate) request_timeout: Duration,
}

/// What becomes of the pictures of a card.
#[derive(Clone, Copy)]
enum Pictured {
    Shown,
    Linked,
}

/// One try at it.
enum RefreshTurn {
    Done(Refreshed),
    /// Somebody else is at it.
    Wait,
}

impl Refresher {
    /// For these receivers; `None` if none is a chat of the app's.
    pub(crate) fn new(
        cards: Cards,
        receivers: &[Receiver],
        resolved: ResolvedNews,
        tools: RefreshDeps,
    ) -> Option<Self> {
        let chats = receivers.iter().filter_map(|receiver| match &receiver.way {
            BotAccess::AppChat(chat) => Some((receiver, chat)),
            BotAccess::CustomBot(_) | BotAccess::Group(_) | BotAccess::Preview(_) => None,
        });
        let (_, first) = chats.clone().next()?;
        let bot = Arc::clone(&first.bot);
        let chats = chats.filter_map(|(receiver, chat)| {
            let budget = receiver.chat_budget()?.clone();
            let id = chat.chat_id.clone();
            let owners = receiver.owners.clone();
            Some((receiver.name.clone(), Chat { id, budget, owners }))
        });
        let lease = tools.request_timeout * 2 + LEASE_MARGIN;
        let updates = [CallBudget::of_app(bot.app_id(), AppCall::Update)];
        Some(Self { cards, bot, updates, chats: chats.collect(), resolved, tools, lease })
    }

    pub(crate) const fn cards(&self) -> &Cards {
        &self.cards
    }

    /// Updates what is behind, whoever has changed it, until the stop. An update that has begun is finished: dropped in
    /// the middle, it would keep all others from its card for as long as its lease is.
    pub(crate) async fn keep_up(self: Arc<Self>, stop: CancellationToken) {
        let next_look = async || {
            tokio::select! {
                () = self.cards.changed() => sleep(AFTER_CHANGE).await,
                () = sleep(LOOK_EVERY) => {}
            }
        };
        while stop.run_until_cancelled(next_look()).await.is_some() {
            // A failure is the store's to tell; a few seconds later it is looked again.
            let due = self.cards.due(LOOKED_AT_MAX).await.unwrap_or_default();
            let due = stream::iter(due).take_while(|_| std::future::ready(!stop.is_cancelled()));
            let update = async |card| drop(Box::pin(self.refresh(&card, None)).await);
            due.for_each_concurrent(AT_ONCE, update).await;
        }
    }

    /// Brings the message of a card up to date: at least to this version, or to the newest there is.
    pub(crate) async fn refresh(&self, card: &CardId, wanted: Option<i64>) -> Refreshed {
        let patience = Instant::now() + OTHERS_PATIENCE;
        loop {
            match Box::pin(self.turn(card, wanted)).await {
                Ok(RefreshTurn::Done(refreshed)) => return refreshed,
                Ok(RefreshTurn::Wait) if Instant::now() < patience => sleep(OTHERS_POLL).await,
                Ok(RefreshTurn::Wait) => return not_now("somebody else updates the same card for long"),
                Err(error) => return not_now(&error.to_string()),
            }
        }
    }

    async fn turn(&self, card: &CardId, wanted: Option<i64>) -> Result<RefreshTurn, StoreError> {
        let lease = self.cards.take(card, self.lease).await?;
        // Read after the lease is there: whatever was changed before is in it, and nobody else can show older.
        let Some(kept) = self.cards.load(card).await? else { return Ok(RefreshTurn::Done(Refreshed::Lost)) };
        let is_shown = kept.shown >= wanted.unwrap_or(kept.version);
        match (&kept.message, lease) {
            (_, None) if is_shown => {
                self.cards.metrics.updated(CardUpdate::ByOthers);
                Ok(RefreshTurn::Done(Refreshed::Shown))
            }
            (_, None) => Ok(RefreshTurn::Wait),
            (_, Some(lease)) if is_shown => {
                self.cards.shown(card, lease, kept.shown, kept.is_end_delivered).await?;
                Ok(RefreshTurn::Done(Refreshed::Shown))
            }
            (None, Some(lease)) => {
                self.cards.put_off(card, lease, PAUSE).await?;
                Ok(RefreshTurn::Done(not_now("the card is not sent yet")))
            }
            (Some(message), Some(lease)) => self.update(&kept, message, lease).await.map(RefreshTurn::Done),
        }
    }

    async fn update(
        &self,
        kept: &StoredCard,
        message: &MessageId,
        lease: UpdateLease,
    ) -> Result<Refreshed, StoreError> {
        let card = &kept.card;
        let receiver = kept.receiver.as_str();
        let mut patched = self.patch(kept, message, CARD_BYTES_MAX, Pictured::Shown).await;
        if matches!(patched, Ok(Verdict::Repair(Repair::Picture, _))) {
            patched = self.patch(kept, message, CARD_BYTES_MAX, Pictured::Linked).await;
        }
        if matches!(patched, Ok(Verdict::Repair(..))) {
            patched = self.patch(kept, message, CARD_BYTES_MAX / 2, Pictured::Linked).await;
        }
        let verdict = match patched {
            Ok(verdict) => verdict,
            Err(wait) => {
                self.cards.put_off(card, lease, wait).await?;
                return Ok(not_now("the app has updated too many cards a moment ago"));
            }
        };
        match verdict {
            Verdict::Ok => {
                let is_over = kept.is_over();
                self.cards.shown(card, lease, kept.version, kept.is_end_delivered || is_over).await?;
                self.cards.metrics.updated(CardUpdate::Shown);
                debug!(receiver, card = card.as_str(), "updated a card");
                if is_over && !kept.is_end_delivered {
                    self.announce_end(kept, message).await;
                }
                Ok(Refreshed::Shown)
            }
            Verdict::Repair(_, trouble) | Verdict::GiveUp(trouble) => {
                self.cards.forget(card).await?;
                self.cards.metrics.updated(CardUpdate::Lost);
                info!(
                    receiver,
                    code = trouble.code,
                    error = trouble.message,
                    "a card cannot be updated any more; what happens to its alerts goes on a new one"
                );
                Ok(Refreshed::Lost)
            }
            Verdict::SlowDown { hint, trouble } => {
                self.cards.put_off(card, lease, hint.unwrap_or(PAUSE)).await?;
                self.cards.metrics.updated(CardUpdate::Failed);
                Ok(Refreshed::NotNow { trouble, is_attempt: false })
            }
            Verdict::TryAgain { trouble, .. }
            | Verdict::MayHaveArrived { trouble, .. }
            | Verdict::Unknown { trouble, .. }
            | Verdict::Unreachable(trouble)
            | Verdict::Broken(trouble) => {
                self.cards.put_off(card, lease, PAUSE).await?;
                self.cards.metrics.updated(CardUpdate::Failed);
                let code = trouble.code;
                let why = &trouble.message;
                warn!(receiver, code, error = why, "a card could not be updated");
                Ok(Refreshed::NotNow { trouble, is_attempt: true })
            }
        }
    }

    /// Updates a message once, as soon as the app may; or says how long that is too far away.
    async fn patch(
        &self,
        kept: &StoredCard,
        message: &MessageId,
        bytes_max: usize,
        pictured: Pictured,
    ) -> Result<Verdict, Duration> {
        for budget in &self.updates {
            self.tools.sender.wait_for(budget).await?;
        }
        let now = self.tools.clock.now();
        let items = match pictured {
            Pictured::Shown => kept.items(),
            Pictured::Linked => without_pictures(kept.items()),
        };
        let chat = self.chats.get(&kept.receiver);
        let owners = self.tools.owners.by_name(&items, chat.map(|chat| &chat.owners), now).await;
        let CardButtons { buttons, note } = self.cards.buttons(&kept.receiver, &kept.card, &items);
        let card = self.tools.templates.template(&kept.receiver, |worded| {
            let format = kept.format;
            let card = Some(kept.card.as_str());
            let besides = Besides {
                format,
                buttons: &buttons,
                button_note: note,
                owners: Some(&owners),
                worded,
                card,
                ..Besides::default()
            };
            render::build_with(&items, &self.tools.style, now, bytes_max, besides).content
        });
        let call = self.bot.update(message, &card, now);
        let pause = |_: &Trouble, hint: Option<Duration>| hint.unwrap_or(PAUSE);
        let verdict = self.tools.sender.send(&kept.receiver, &self.updates, call, pause).await.verdict;
        if verdict == Verdict::Ok {
            self.tools.sent_cards.note(kept.card.as_str(), &card);
        }
        Ok(verdict)
    }

    /// Says in the chat that all of a card is over, if there is room for it: an update notifies nobody. Cards go first,
    /// so this is never waited for.
    async fn announce_end(&self, kept: &StoredCard, message: &MessageId) {
        let Some(chat) = self.chats.get(&kept.receiver) else { return };
        let call = match self.resolved {
            ResolvedNews::Update => return,
            ResolvedNews::Reply => AppCall::Reply,
            ResolvedNews::New => AppCall::Send,
        };
        let sender = &self.tools.sender;
        let budgets = [chat.budget.clone(), CallBudget::of_app(self.bot.app_id(), call)];
        if !sender.spare(&budgets, Duration::ZERO).await {
            return self.cards.metrics.end_news(News::Skipped);
        }
        let now = self.tools.clock.now();
        let text = self.tools.templates.template(&kept.receiver, |worded| {
            let besides = Besides { worded, ..Besides::default() };
            CardContent::Text(render::title(&kept.items(), &self.tools.style, now, besides))
        });
        let once = kept.card.once_over();
        let call = async {
            match call {
                AppCall::Send => self.bot.send(&chat.id, &text, &once, now).await,
                AppCall::Reply | AppCall::Update | AppCall::Upload | AppCall::Urgent(_) => {
                    let to = ReplyTo { message_id: message, in_thread: false };
                    self.bot.reply(to, &text, &once, now).await
                }
            }
        };
        let pause = |_: &Trouble, hint: Option<Duration>| hint.unwrap_or(SLOW_DOWN_PAUSE);
        let Sent { verdict, .. } = sender.send(&kept.receiver, &budgets, call, pause).await;
        self.cards.metrics.end_news(if verdict == Verdict::Ok { News::Sent } else { News::Failed });
    }
}

fn not_now(why: &str) -> Refreshed {
    Refreshed::NotNow { trouble: Trouble::without_code(why), is_attempt: false }
}
