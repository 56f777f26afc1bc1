//! Takes interactions off the queue, one after the other in each chat: each is done once, written down, and then
//! acknowledged.

use std::collections::HashMap;

use config::Locale;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use model::interaction::{Interaction, decode};
use queue::{Consumer, Delivery};
use runtime::lifecycle::Lifecycle;
use runtime::retry::{Pauses, RetryPolicy};
use tokio::time::{Instant, sleep};
use tracing::{error, info, warn};

use super::chat_queues::{ChatKey, ChatQueues};
use super::dedup::{BEGUN_FOR_MAX, Begun, InteractionDedup};
use super::handler::InteractionHandler;
use super::metrics::{InteractionMetrics, InteractionOutcome};
use super::replier::Replier;
use super::reply::Reply;
use super::report::Report;
use super::rules::name_of;
use crate::audit::{Audit, AuditedAction};
use crate::store::StoreError;

/// Interactions that were begun and wait on the queue again, of which that is remembered: of any further one another
/// worker finds out when it was begun, and waits for that to be long ago.
const BEGUN_MAX: usize = 1_000;
/// How often the database, while it answers, may refuse what one interaction comes to. Whatever it is about that one, it
/// is not to keep all others waiting for ever.
const REFUSALS_MAX: u32 = 6;

/// The task and what it needs.
pub(super) struct InteractionConsumer {
    pub(super) handler: InteractionHandler,
    pub(super) memory: InteractionDedup,
    pub(super) trail: Audit,
    pub(super) replier: Replier,
    pub(super) metrics: InteractionMetrics,
    pub(super) lifecycle: Lifecycle,
}

/// A message with an interaction.
struct Received {
    /// Its place in the order in which messages came.
    number: u64,
    chat: ChatKey,
    interaction: Box<Interaction>,
    delivery: Delivery,
}

/// What became of a message.
enum Handled {
    /// It was settled.
    Settled(ChatKey),
    /// It waits on the queue for the database.
    Waits(Box<Received>, Attempts),
    /// It is time to stop.
    Stopped,
}

/// What is in hand.
#[derive(Default)]
struct InFlightInteractions<'c> {
    chats: ChatQueues<Received>,
    working: FuturesUnordered<BoxFuture<'c, Handled>>,
    /// What is to wait on the queue, once nothing is worked on any more.
    waiting: Vec<Received>,
    /// By the keys of interactions.
    begun: HashMap<String, Attempts>,
    received: u64,
}

/// What is remembered of an interaction between attempts.
#[derive(Default)]
struct Attempts {
    /// Since when it is this worker's, where it was begun and then could not be given back.
    begun: Option<Instant>,
    refusals: u32,
}

/// How far it came with an interaction.
enum Progress {
    /// It has ended.
    Ended(Report),
    /// It has ended before.
    Repeated,
    /// Another worker has it in hand.
    Elsewhere,
}

impl InteractionConsumer {
    /// Works until the consumer is told to stop. While the database is away nothing is taken: on the queue it waits, in
    /// its order, for as long as it takes, and a broker gives up what was in the hands of too many workers that were
    /// killed.
    pub(super) async fn run(self, mut consumer: Box<dyn Consumer>) {
        let stop = self.lifecycle.stop.clone();
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        let first = consumer.pause(Box::pin(async {
            if !self.memory.answers().await {
                self.wait_for_database(&mut pauses).await;
            }
        }));
        if stop.run_until_cancelled(first).await.is_none() {
            return;
        }
        let mut in_hand = InFlightInteractions::default();
        loop {
            if !in_hand.waiting.is_empty() && in_hand.working.is_empty() {
                let waiting = in_hand.in_order();
                let back = consumer.pause(Box::pin(async {
                    // Not before nothing more is taken: it would come again at once.
                    drop(waiting);
                    self.wait_for_database(&mut pauses).await;
                }));
                if stop.run_until_cancelled(back).await.is_none() {
                    return;
                }
            }
            let takes_more = in_hand.waiting.is_empty() && in_hand.chats.has_room();
            tokio::select! {
                biased;
                Some(handled) = in_hand.working.next() => match handled {
                    Handled::Settled(chat) => {
                        pauses = RetryPolicy::RECONNECT.pauses();
                        if let Some(next) = in_hand.chats.leave(&chat) {
                            self.work(next, &mut in_hand);
                        }
                    }
                    Handled::Waits(received, attempts) => in_hand.wait(*received, attempts),
                    // What is not done at the stop is given back by the drop.
                    Handled::Stopped => return,
                },
                received = consumer.receive(), if takes_more => match received {
                    Some(deliveries) => {
                        for delivery in deliveries {
                            self.enter(delivery, &mut in_hand);
                        }
                    }
                    None => break,
                },
            }
        }
        // What has not been begun goes back, and what has been is finished.
        drop(in_hand.chats.drain());
        while let Some(handled) = in_hand.working.next().await {
            if matches!(handled, Handled::Stopped) {
                return;
            }
        }
    }

    /// Takes a message in hand.
    fn enter<'c>(&'c self, delivery: Delivery, in_hand: &mut InFlightInteractions<'c>) {
        let interaction = match decode(&delivery.body) {
            Ok(interaction) => Box::new(interaction),
            Err(error) => {
                self.metrics.undecodable();
                error!(%error, "a message on the queue of interactions was dropped");
                delivery.settle();
                return;
            }
        };
        in_hand.received += 1;
        let chat = ChatKey::of(&interaction);
        let received = Received { number: in_hand.received, chat: chat.clone(), interaction, delivery };
        if let Some(first) = in_hand.chats.enter(&chat, received) {
            self.work(first, in_hand);
        }
    }

    fn work<'c>(&'c self, received: Received, in_hand: &mut InFlightInteractions<'c>) {
        let attempts = in_hand.begun.remove(&received.interaction.dedup_key).unwrap_or_default();
        in_hand.working.push(Box::pin(self.take(received, attempts)));
    }

    async fn wait_for_database(&self, pauses: &mut Pauses) {
        loop {
            sleep(
                pauses.after_failure(runtime::entropy::random(), None).unwrap_or(RetryPolicy::RECONNECT.cap),
            )
            .await;
            if self.memory.answers().await {
                return;
            }
        }
    }

    /// Does what a message asks for, and settles it.
    async fn take(&self, received: Received, mut attempts: Attempts) -> Handled {
        let interaction = &*received.interaction;
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        loop {
            match Box::pin(self.handle(interaction, &mut attempts)).await {
                Ok(Progress::Ended(report)) => {
                    let Received { chat, interaction, delivery, .. } = received;
                    self.end(*interaction, delivery, report);
                    return Handled::Settled(chat);
                }
                Ok(Progress::Repeated) => {
                    self.metrics.ended(&interaction.act, InteractionOutcome::Repeated);
                    let Received { chat, delivery, .. } = received;
                    delivery.settle();
                    return Handled::Settled(chat);
                }
                Ok(Progress::Elsewhere) => {}
                Err(error) => {
                    warn!(interaction.id = %interaction.id, %error, "an interaction waits for the database");
                    if !error.is_refusal() {
                        return Handled::Waits(Box::new(received), attempts);
                    }
                }
            }
            let pause =
                pauses.after_failure(runtime::entropy::random(), None).unwrap_or(RetryPolicy::RECONNECT.cap);
            if self.lifecycle.stop.run_until_cancelled(sleep(pause)).await.is_none() {
                return Handled::Stopped;
            }
        }
    }

    async fn handle(
        &self,
        interaction: &Interaction,
        attempts: &mut Attempts,
    ) -> Result<Progress, StoreError> {
        if attempts.refusals >= REFUSALS_MAX {
            return self.give_up(interaction).await.map(Progress::Ended);
        }
        if attempts.begun.is_none_or(|begun| begun.elapsed() >= BEGUN_FOR_MAX) {
            match self.memory.begin(&interaction.dedup_key).await? {
                Begun::Mine => attempts.begun = Some(Instant::now()),
                Begun::Elsewhere => return Ok(Progress::Elsewhere),
                Begun::Done => return Ok(Progress::Repeated),
            }
        }
        let done = self.finish(interaction).await;
        if let Err(error) = &done {
            attempts.refusals += u32::from(error.is_refusal());
            if attempts.refusals >= REFUSALS_MAX {
                error!(
                    interaction.id = %interaction.id, %error,
                    "an interaction is given up: the database answers, and does not take it"
                );
            }
            // Another worker may have it at once. If the database does not take this either, it is still ours.
            if self.memory.forget(&interaction.dedup_key).await.is_ok() {
                attempts.begun = None;
            }
        }
        done.map(Progress::Ended)
    }

    /// Writes down that the database would not have it; which it may refuse as well.
    async fn give_up(&self, interaction: &Interaction) -> Result<Report, StoreError> {
        let report =
            Report::plain(InteractionOutcome::Failed, interaction.act.as_str(), "", Reply::Unrecordable);
        let written = async {
            self.note(interaction, &report).await?;
            self.memory.begin(&interaction.dedup_key).await?;
            self.memory.done(&interaction.dedup_key).await
        };
        match written.await {
            Err(error) if !error.is_refusal() => Err(error),
            Ok(()) | Err(_) => Ok(report),
        }
    }

    async fn finish(&self, interaction: &Interaction) -> Result<Report, StoreError> {
        let report = Box::pin(self.handler.act(interaction)).await?;
        if report.outcome != InteractionOutcome::Ignored {
            self.note(interaction, &report).await?;
        }
        self.memory.done(&interaction.dedup_key).await?;
        Ok(report)
    }

    async fn note(&self, interaction: &Interaction, report: &Report) -> Result<(), StoreError> {
        let action = AuditedAction {
            who: name_of(&interaction.operator),
            action: &report.action,
            chosen: &report.chosen,
            meant: report.meant,
        };
        let words = report.answer.as_ref().map(|answer| answer.text(Locale::En));
        let outcome = format!("{}: {}", report.outcome.as_str(), words.unwrap_or_default());
        self.trail.note(action, report.done, &outcome).await.map(drop)
    }

    fn end(&self, interaction: Interaction, delivery: Delivery, report: Report) {
        self.say(&interaction, &report);
        delivery.settle();
        if let Some(answer) = report.answer {
            // It may have to wait for room in its chat, and the next person is not to wait for that.
            let replier = self.replier.clone();
            self.lifecycle.tasks.spawn(async move { replier.answer(&interaction, &answer).await });
        }
    }

    fn say(&self, interaction: &Interaction, report: &Report) {
        self.metrics.ended(&interaction.act, report.outcome);
        if report.outcome == InteractionOutcome::Ignored {
            return;
        }
        let kind = interaction.act.as_str();
        let outcome = report.outcome.as_str();
        info!(
            interaction.id = %interaction.id,
            kind,
            action = report.action,
            outcome,
            alerts = report.done,
            "interaction done"
        );
    }
}

impl InFlightInteractions<'_> {
    /// Has one wait on the queue, and everything behind it and beside it that has not been begun.
    fn wait(&mut self, received: Received, attempts: Attempts) {
        if self.begun.len() < BEGUN_MAX {
            self.begun.insert(received.interaction.dedup_key.clone(), attempts);
        }
        self.waiting.extend(self.chats.drain());
        // Nothing is behind it any more.
        self.chats.leave(&received.chat);
        self.waiting.push(received);
    }

    /// What waits, in the order in which it came.
    fn in_order(&mut self) -> Vec<Received> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_unstable_by_key(|received| received.number);
        waiting
    }
}
