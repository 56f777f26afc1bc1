//! A card on its way: sent, and sent again or kept, by what Feishu answers.

use std::time::Duration;

use shared::queue::Publisher;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::Outbox;
use super::broken::advice;
use super::fold::Fold;
use super::page::Page;
use super::told::By;
use super::weather::Weather;
use crate::card::{self, Besides, Card};
use crate::feishu::verdict::{Trouble, Verdict};
use crate::feishu::{CARD_BYTES_MAX, Content, Form, Sent, Shape};
use crate::owner::roster::Roster;
use crate::receiver::{GROUP_LIMIT, Way};

/// What is sent, and what was already done to it.
pub(super) struct Draft {
    pub(super) form: Form,
    pub(super) content: Content,
    pub(super) page: Page,
    /// Whose alerts they are.
    pub(super) owners: Roster,
    /// The card that was refused first, once there is one.
    pub(super) refused: Option<Box<Card>>,
    pub(super) signed_again: bool,
}

impl<P: Publisher> Outbox<P> {
    /// Sends the fold until it is told, kept for later, or refused.
    pub(super) async fn send(&mut self, mut fold: Fold, page: Page) {
        let owners = self.owners_of(&fold, &page).await;
        let form = Form::best(owners.mentions());
        let content = self.content(&fold, (&page, &owners), form);
        let mut draft = Draft { form, content, page, owners, refused: None, signed_again: false };
        loop {
            let sent = self.attempt(&draft).await;
            let now = self.house.clock.now();
            self.keep_page(&draft, &sent).await;
            match sent.verdict {
                Verdict::Ok => {
                    self.house.owners.told(&draft.owners);
                    return self.told(fold).await;
                }
                Verdict::SlowDown { hint, trouble } => {
                    fold.again = draft.page.under_way();
                    // Not counted as an attempt: nothing is wrong with what was sent, nor with the receiver.
                    self.slow_down(&trouble, hint).await;
                    fold.failed(&trouble, now);
                    return self.keep(fold);
                }
                Verdict::TryAgain { hint, trouble } => {
                    fold.attempted();
                    fold.failed(&trouble, now);
                    self.failed(&fold, &trouble, (hint, true));
                    // It may have arrived: then the same again is no second message, and more on it would be.
                    fold.again = draft.page.kept();
                    return self.keep(fold);
                }
                Verdict::Unreachable(trouble) => {
                    fold.attempted();
                    fold.failed(&trouble, now);
                    self.failed(&fold, &trouble, (None, false));
                    fold.again = draft.page.kept();
                    return self.keep(fold);
                }
                Verdict::Repair(repair, trouble) => {
                    fold.attempted();
                    fold.failed(&trouble, now);
                    if !self.repair(&fold, &mut draft, repair, &trouble) {
                        return self.beyond_repair(fold, &draft, (repair, trouble)).await;
                    }
                    // The same bot: it was the card's fault, or it is the bot's own signature.
                    if !self.has_slot_through(&[self.ring.at()]).await {
                        fold.again = draft.page.kept();
                        return self.keep(fold);
                    }
                    // That may have taken seconds, in which another worker can have told something newer.
                    let alerts = fold.alerts();
                    fold = self.confirmed(fold).await;
                    if fold.alerts() < alerts {
                        return self.begin_again(fold, &draft).await;
                    }
                }
                Verdict::Broken(trouble) => {
                    fold.again = draft.page.under_way();
                    fold.attempted();
                    fold.failed(&trouble, now);
                    return self.broke(fold, &trouble);
                }
                Verdict::GiveUp(trouble) => {
                    fold.attempted();
                    fold.failed(&trouble, now);
                    return self.refused(fold, &draft, &trouble).await;
                }
            }
        }
    }

    /// Something on it was superseded: what is left goes onto another card.
    async fn begin_again(&mut self, fold: Fold, draft: &Draft) {
        self.tear_out(&draft.page).await;
        if !fold.is_empty() {
            self.keep(fold);
        }
    }

    /// Sends once, as soon as there is a place.
    async fn attempt(&self, draft: &Draft) -> Sent {
        // The semaphore is never closed; without it the attempt is made all the same.
        let _place = self.house.places.acquire().await;
        let once = draft.page.card.once(draft.form);
        let (what, now) = ((&draft.content, &once), self.house.clock.now());
        self.receiver.send(self.ring.at(), what, now, &self.house.metrics).await
    }

    async fn told(&mut self, fold: Fold) {
        let name = self.receiver.name.as_str();
        self.house.told(name, fold, By::Card).await;
        self.refusals = 0;
        let bot = self.receiver.bot_name(self.ring.at());
        if !matches!(self.ring.own(), Weather::Fair) {
            info!(receiver = bot, "{bot} takes messages again");
            self.house.metrics.broken(bot, false);
            self.house.metrics.broken(name, false);
            *self.ring.own() = Weather::Fair;
        }
    }

    /// Back to what waits: as it was, so that a part stays a part.
    fn keep(&mut self, fold: Fold) {
        if fold.is_piece || fold.is_under_way() {
            self.pieces.push(fold);
        } else {
            let later = std::mem::replace(&mut self.waiting, fold.into_parcels());
            self.waiting.extend(later);
        }
    }

    async fn slow_down(&mut self, trouble: &Trouble, hint: Option<Duration>) {
        let is_of_all = trouble.code == Some(GROUP_LIMIT);
        let pause = self.ring.slow_down(Instant::now(), (rand::random(), hint), is_of_all);
        let bot = self.ring.at();
        let (name, wait_ms) = (self.receiver.bot_name(bot), pause.as_millis());
        warn!(
            receiver = name,
            code = trouble.code,
            wait_ms,
            "{name} was told to slow down ({}); pausing for {wait_ms} ms",
            trouble.message
        );
        // The others that send to it need not find out by themselves.
        if let Some(budget) = self.receiver.budget_of(bot, trouble) {
            self.house.budget.hold(budget, pause).await;
        }
    }

    fn failed(&mut self, fold: &Fold, trouble: &Trouble, (hint, may_have_arrived): (Option<Duration>, bool)) {
        let now = Instant::now();
        let goes_elsewhere = !may_have_arrived && self.ring.has_another(now);
        let attempts = if goes_elsewhere { 1 } else { self.house.delivery.attempts_in_place };
        self.ring.own().failed(attempts, now, (rand::random(), hint));
        let (name, alerts) = (self.receiver.bot_name(self.ring.at()), fold.alerts());
        warn!(
            receiver = name,
            code = trouble.code,
            alerts,
            "{name} could not be told of {alerts} alerts ({}); they wait",
            trouble.message
        );
    }

    pub(super) fn broke(&mut self, fold: Fold, trouble: &Trouble) {
        let now = Instant::now();
        let pause = self.ring.own().broke(now, rand::random());
        let (name, wait_s) = (self.receiver.bot_name(self.ring.at()), pause.as_secs());
        self.house.metrics.broken(name, true);
        if self.ring.weather(now).is_some_and(Weather::is_broken) {
            self.house.metrics.broken(&self.receiver.name, true);
        }
        error!(
            receiver = name,
            code = trouble.code,
            wait_s,
            "{name} refuses everything ({}): {}; trying again in {wait_s} s",
            trouble.message,
            advice(trouble.code)
        );
        self.keep(fold);
    }

    /// Whose alerts they are: asked for once per card, and in bounded time.
    async fn owners_of(&self, fold: &Fold, page: &Page) -> Roster {
        let items = page.items().unwrap_or_else(|| fold.items());
        let is_app = matches!(self.receiver.way, Way::AppChat(_));
        self.house.owners.on_card(&items, (&self.receiver.owners, is_app), self.house.clock.now()).await
    }

    pub(super) fn content(&self, fold: &Fold, (page, owners): (&Page, &Roster), form: Form) -> Content {
        let items = page.items().unwrap_or_else(|| fold.items());
        let (style, now) = (&self.house.style, self.house.clock.now());
        let buttons = match (&self.album, page.kept()) {
            (Some(album), Some(card)) => album.cards.buttons(&self.receiver.name, &card, &items),
            (Some(_) | None, _) => Vec::new(),
        };
        self.house.wordings.wording(&self.receiver.name, |worded| {
            let besides = Besides { buttons: &buttons, owners: Some(owners), worded };
            let card = |bytes_max| {
                Content::Card(Box::new(card::build_with(&items, style, (now, bytes_max), besides)))
            };
            match form.shape {
                Shape::Card => card(CARD_BYTES_MAX),
                Shape::ShortCard => card(CARD_BYTES_MAX / 2),
                Shape::Text => Content::Text(card::text_with(&items, style, now, besides)),
            }
        })
    }
}
