//! A card on its way: sent, and by what Feishu answers sent again, kept, repaired, halved until the alert that is the reason
//! is found, or given up.

use std::time::Duration;

use queue::Reason;
use tokio::time::Instant;
use tracing::{debug, error, info, warn};

use super::absence::Taken;
use super::batch::Batch;
use super::bot_pool::BotPool;
use super::card_draft::{CardDraft, CardRecord, DraftContent};
use super::delivered::By;
use super::health::ReceiverHealth;
use super::ids::ids;
use super::outbox::Outbox;
use super::requeue::DeadLetter;
use super::retries::Unresolved;
use crate::card_buttons::CardButtons;
use crate::directory::CardSender;
use crate::feishu::advice::advice;
use crate::feishu::limits::is_of_group;
use crate::feishu::verdict::{Repair, Trouble, Verdict};
use crate::feishu::{CARD_BYTES_MAX, CardContent, Form, Sent, Shape};
use crate::people::mentions::Mentions;
use crate::pictures::without_pictures;
use crate::receiver::{BotAccess, Receiver};
use crate::render::{self, Besides, StormSoFar};

/// Refusals without anything being accepted in between after which the receiver, and not what it was sent, is
/// taken for the reason. More than it takes to find one alert among all that a worker holds by halving.
const REFUSALS_MAX: u32 = 18;

impl Outbox {
    /// Sends the batch until it is delivered, kept for later, or refused.
    pub(super) async fn send(&mut self, mut batch: Batch, record: CardRecord) {
        let (owners, storm) = tokio::join!(self.owners_of(&batch, &record), self.storm_before(&batch));
        batch.storm = storm;
        let mut draft = self.draft(&batch, record, owners);
        loop {
            let sent = self.attempt(&draft).await;
            let now = self.context.clock.now();
            self.keep_page(&draft, &sent).await;
            if Self::is_end_of_continuation(&batch, &sent.verdict) {
                self.discard(&draft.record).await;
                return self.end_continuation(batch).await;
            }
            match sent.verdict {
                Verdict::Ok => {
                    draft.message = sent.message_id;
                    return self.accepted(batch, draft).await;
                }
                Verdict::SlowDown { trouble, .. } => {
                    batch.again = draft.record.under_way();
                    // Not counted as an attempt: nothing is wrong with what was sent, nor with the receiver.
                    batch.failed(&trouble, now);
                    return self.keep(batch);
                }
                Verdict::TryAgain { hint, trouble } => {
                    return self.not_taken_now(batch, &draft, hint, trouble).await;
                }
                Verdict::MayHaveArrived { hint, timed_out, trouble } => {
                    batch.attempted();
                    batch.failed(&trouble, now);
                    batch.again = draft.record.kept();
                    return self.may_have_arrived(batch, hint, timed_out, trouble).await;
                }
                Verdict::Unknown { hint, trouble } => {
                    batch.attempted();
                    batch.failed(&trouble, now);
                    batch.again = draft.record.under_way();
                    return self.answered_unknown(batch, &draft, hint, trouble).await;
                }
                Verdict::Unreachable(trouble) => {
                    return self.not_taken(batch, &draft, None, false, &trouble);
                }
                Verdict::Repair(repair, trouble) => {
                    batch.attempted();
                    batch.failed(&trouble, now);
                    if !self.repair(&batch, &mut draft, repair, &trouble) {
                        return self.beyond_repair(batch, &draft, repair, trouble).await;
                    }
                    // The same bot: it was the card's fault, or it is the bot's own signature.
                    if !self.has_slot_through(&[self.bots.at()]).await {
                        batch.again = draft.record.kept();
                        return self.keep(batch);
                    }
                    // That may have taken seconds, in which another worker can have delivered something newer.
                    let alerts = batch.alerts();
                    batch = self.confirmed(batch).await;
                    if batch.alerts() < alerts {
                        return self.begin_again(batch, &draft).await;
                    }
                }
                Verdict::Broken(trouble) => {
                    batch.again = draft.record.under_way();
                    batch.attempted();
                    batch.failed(&trouble, now);
                    return self.broke(batch, &trouble);
                }
                Verdict::GiveUp(trouble) => {
                    batch.attempted();
                    batch.failed(&trouble, now);
                    return self.refused(batch, &draft, &trouble).await;
                }
            }
        }
    }

    /// The best card for it.
    fn draft(&self, batch: &Batch, record: CardRecord, owners: Mentions) -> CardDraft {
        let form = Form::best(owners.mentions(), record.format);
        let content = self.content(batch, &record, &owners, form);
        CardDraft::of(form, content, record, owners)
    }

    /// Feishu has it; what it could only count may go onto a further card.
    async fn accepted(&mut self, batch: Batch, draft: CardDraft) {
        if batch.continues.is_none() {
            self.context.owners.card_delivered(&draft.owners);
            self.thinning.told(Instant::now(), batch.items().into_iter());
        }
        if let Some(card) = draft.content.card() {
            self.context.sent_cards.note(draft.record.card.as_str(), card);
        }
        let (batch, further) = self.parted(batch, draft);
        self.delivered(batch).await;
        self.continuation = further;
    }

    /// What cards before it told, if it is one of many alerts.
    async fn storm_before(&self, batch: &Batch) -> Option<StormSoFar> {
        let is_news = batch.alerts() > 1 && batch.continues.is_none() && !batch.is_under_way();
        if is_news { self.context.storms.so_far(&self.receiver.name).await } else { None }
    }

    /// Something on it was superseded: what is left goes onto another card.
    async fn begin_again(&mut self, batch: Batch, draft: &CardDraft) {
        self.discard(&draft.record).await;
        if !batch.is_empty() {
            self.keep(batch);
        }
    }

    /// Sends once.
    async fn attempt(&mut self, draft: &CardDraft) -> Sent {
        let once = draft.record.card.once(draft.form);
        let Self { context, receiver, bots, .. } = self;
        let bot = bots.at();
        let pause = |trouble: &Trouble, hint| slow_down(bots, receiver, trouble, hint);
        let sent = receiver.send(bot, &draft.content, &once, &context.sender, &context.clock, pause).await;
        self.context.statuses.answered(self.receiver.bot_name(bot), &sent.verdict, self.context.clock.now());
        sent
    }

    /// It was not taken, and waits with the others; for the same bot if that has answered.
    pub(super) fn not_taken(
        &mut self,
        mut batch: Batch,
        draft: &CardDraft,
        hint: Option<Duration>,
        answered: bool,
        trouble: &Trouble,
    ) {
        batch.attempted();
        batch.failed(trouble, self.context.clock.now());
        self.failed(&batch, trouble, hint, answered);
        // An earlier one may have arrived: then the same again is no second message, and more on it would be.
        batch.again = draft.record.kept();
        self.keep(batch);
    }

    async fn delivered(&mut self, batch: Batch) {
        let name = self.receiver.name.as_str();
        let waiting = self.alerts_in_hand() + batch.alerts();
        let was_deferred = batch.envelopes().iter().any(|in_flight| in_flight.headers.attempt > 0);
        self.context.delivered(name, batch, By::Card).await;
        (self.refusals, self.unresolved) = (0, Unresolved::default());
        let bot = self.receiver.bot_name(self.bots.at());
        let since = self.bots.own().since();
        if self.absence.recalls(Taken { absent_since: since, was_deferred }, Instant::now()) {
            self.context.publisher.recall(name);
        }
        if let Some(since) = since {
            let away_s = since.elapsed().as_secs();
            info!(receiver = bot, away_s, waiting, "the receiver takes messages again");
            self.context.metrics.broken(bot, false);
            self.context.metrics.broken(name, false);
            *self.bots.own() = ReceiverHealth::Healthy;
            self.retries.call_refused_in(Instant::now());
        }
    }

    /// How many alerts wait here, apart from those that are deferred.
    fn alerts_in_hand(&self) -> usize {
        let pieces = self.pieces.iter().flat_map(Batch::envelopes);
        let envelopes = self.waiting.iter().chain(pieces).chain(self.retries.envelopes());
        envelopes.map(|in_flight| in_flight.envelope.alerts.len()).sum()
    }

    /// Back to what waits: as it was, so that a part stays a part.
    fn keep(&mut self, batch: Batch) {
        if batch.continues.is_some() {
            self.continuation = Some(batch);
        } else if batch.is_piece || batch.is_under_way() {
            self.pieces.push(batch);
        } else {
            let later = std::mem::replace(&mut self.waiting, batch.into_envelopes());
            self.waiting.extend(later);
        }
    }

    fn failed(&mut self, batch: &Batch, trouble: &Trouble, hint: Option<Duration>, answered: bool) {
        let now = Instant::now();
        let goes_elsewhere = !answered && self.bots.has_another(now);
        let attempts = if goes_elsewhere { 1 } else { self.context.delivery.attempts_in_place };
        let is_known = self.bots.own().is_failing();
        self.bots.own().failed(attempts, now, runtime::entropy::random(), hint);
        let name = self.receiver.bot_name(self.bots.at());
        let alerts = batch.alerts();
        let envelopes = ids(batch.envelopes());
        let why = trouble.message.as_str();
        // Once for as long as it lasts: it is tried again every few seconds.
        if is_known {
            debug!(
                receiver = name,
                code = trouble.code,
                alerts,
                envelopes,
                error = why,
                "the receiver still cannot be reached"
            );
        } else {
            warn!(
                receiver = name,
                code = trouble.code,
                alerts,
                envelopes,
                error = why,
                "the receiver cannot be reached; its alerts wait, and it is tried again until it takes them"
            );
        }
    }

    pub(super) fn broke(&mut self, batch: Batch, trouble: &Trouble) {
        let now = Instant::now();
        let pause = self.bots.own().broke(now, runtime::entropy::random());
        let name = self.receiver.bot_name(self.bots.at());
        let wait_s = pause.as_secs();
        self.context.metrics.broken(name, true);
        if self.bots.health(now).is_some_and(ReceiverHealth::is_broken) {
            self.context.metrics.broken(&self.receiver.name, true);
        }
        error!(
            receiver = name,
            code = trouble.code,
            envelopes = ids(batch.envelopes()),
            wait_s,
            error = trouble.message,
            advice = advice(trouble.code).en,
            "the receiver refuses everything; it is tried again after a pause"
        );
        self.keep(batch);
    }

    /// Whose alerts they are: asked for once per card, and in bounded time.
    async fn owners_of(&self, batch: &Batch, record: &CardRecord) -> Mentions {
        let items = record.items().unwrap_or_else(|| batch.items());
        let sender = match self.receiver.way {
            BotAccess::AppChat(_) => CardSender::AppBot,
            BotAccess::CustomBot(_) | BotAccess::Group(_) | BotAccess::Preview(_) => CardSender::CustomBot,
        };
        let now = self.context.clock.now();
        let owners = self.context.owners.on_card(&items, &self.receiver.owners, sender, now).await;
        // Whoever is told of what a card counts is told once.
        if batch.continues.is_some() { owners.quiet() } else { owners }
    }

    pub(super) fn content(
        &self,
        batch: &Batch,
        record: &CardRecord,
        owners: &Mentions,
        form: Form,
    ) -> DraftContent {
        // A text has links.
        let shows_pictures = form.pictures && form.shape != Shape::Text && self.app_chat.is_some();
        let pictures = self.context.pictures.keys(&batch.items());
        let items = record.items().unwrap_or_else(|| batch.items());
        let items = if shows_pictures { pictures.on(items) } else { without_pictures(items) };
        let style = &self.context.style;
        let now = self.context.clock.now();
        let CardButtons { buttons, note: button_note } = match (&self.app_chat, record.kept()) {
            (Some(app_chat), Some(card)) => app_chat.cards.buttons(&self.receiver.name, &card, &items),
            (Some(_) | None, _) => CardButtons::default(),
        };
        let rendered = self.context.templates.template(&self.receiver.name, |worded| {
            let card = Some(record.card.as_str());
            let format = form.format;
            let is_previewed = matches!(self.receiver.way, BotAccess::Preview(_));
            let part = self.part_of(batch);
            let storm = batch.storm;
            let besides = Besides {
                format,
                buttons: &buttons,
                button_note,
                owners: Some(owners),
                worded,
                card,
                part,
                storm,
                escalation: None,
            };
            let card = |bytes_max| {
                render::build_with(&items, style, now, bytes_max, besides).map(|card| {
                    if !is_previewed {
                        return CardContent::Card(Box::new(card));
                    }
                    let besides = Besides { format: format.other(), ..besides };
                    let other = render::build_with(&items, style, now, bytes_max, besides).content;
                    CardContent::Previewed(Box::new([card, other]))
                })
            };
            match form.shape {
                Shape::Card => card(CARD_BYTES_MAX),
                Shape::ShortCard => card(CARD_BYTES_MAX / 2),
                Shape::Text => render::text_with(&items, style, now, besides).map(CardContent::Text),
            }
        });
        DraftContent::of(rendered, &items)
    }

    /// Nothing plainer is left to try: a wrong signature is the receiver's trouble, anything else the message's.
    pub(super) async fn beyond_repair(
        &mut self,
        batch: Batch,
        draft: &CardDraft,
        repair: Repair,
        trouble: Trouble,
    ) {
        self.discard(&draft.record).await;
        if batch.continues.is_some() {
            return self.end_continuation(batch).await;
        }
        match repair {
            Repair::Signature => self.broke(batch, &trouble),
            Repair::Mention | Repair::TooLarge | Repair::Picture | Repair::Card => {
                self.refused(batch, draft, &trouble).await;
            }
        }
    }

    /// It will never do as it is. Of many alerts one may be the reason: they are sent in halves until it is found,
    /// so that nobody else's alert is lost with it.
    pub(super) async fn refused(&mut self, batch: Batch, draft: &CardDraft, trouble: &Trouble) {
        self.refusals += 1;
        let name = self.receiver.name.clone();
        if self.refusals > REFUSALS_MAX {
            let now = self.context.clock.now();
            let dead_letters = batch.into_envelopes().into_iter().map(|in_flight| {
                let failure = in_flight.tries.failure(Reason::Refused, &name, now);
                DeadLetter { in_flight, failure, refused: None }
            });
            return self.context.dead_letter(dead_letters.collect()).await;
        }
        let envelopes = ids(batch.envelopes());
        match batch.halves() {
            Ok((first, second)) => {
                warn!(
                    receiver = name,
                    code = trouble.code,
                    envelopes,
                    error = trouble.message,
                    "the receiver refused a card; it is sent in two halves"
                );
                self.pieces.extend([second, first]);
            }
            Err(in_flight) => {
                let failure = in_flight.tries.failure(Reason::Refused, &name, self.context.clock.now());
                let card = draft.content.card().or(draft.refused.as_deref());
                self.context
                    .dead_letter(vec![DeadLetter { in_flight: *in_flight, failure, refused: card }])
                    .await;
            }
        }
    }

    /// Changes what was refused so that it may be accepted; says whether there was something left to change.
    pub(super) fn repair(
        &self,
        batch: &Batch,
        draft: &mut CardDraft,
        repair: Repair,
        trouble: &Trouble,
    ) -> bool {
        match repair {
            // The next attempt signs anew; a second refusal means the secret is wrong, or our clock.
            Repair::Signature if draft.signed_again => return false,
            Repair::Signature => draft.signed_again = true,
            Repair::Mention | Repair::TooLarge | Repair::Picture | Repair::Card => {
                let Some(plainer) = draft.form.repaired(repair) else { return false };
                draft.form = plainer;
                if !plainer.mentions {
                    draft.owners = draft.owners.quiet();
                }
                let DraftContent { content, summarised } =
                    self.content(batch, &draft.record, &draft.owners, plainer);
                draft.summarised = summarised;
                let refused = std::mem::replace(&mut draft.content, content);
                if let CardContent::Card(card) = refused {
                    draft.refused.get_or_insert(card);
                }
            }
        }
        self.context.metrics.repaired(repair);
        let name = self.receiver.name.as_str();
        let kind = repair.as_str();
        warn!(
            receiver = name,
            code = trouble.code,
            envelopes = ids(batch.envelopes()),
            repair = kind,
            error = trouble.message,
            "the receiver refused a card; it is sent again, repaired"
        );
        true
    }
}

/// The bot that sends, or all of its group, pause; returns for how long.
fn slow_down(bots: &mut BotPool, receiver: &Receiver, trouble: &Trouble, hint: Option<Duration>) -> Duration {
    let pause = bots.slow_down(Instant::now(), runtime::entropy::random(), hint, is_of_group(trouble));
    let name = receiver.bot_name(bots.at());
    let wait_ms = pause.as_millis();
    warn!(
        receiver = name,
        code = trouble.code,
        wait_ms,
        error = trouble.message,
        "Feishu says to slow down; the receiver pauses"
    );
    pause
}
