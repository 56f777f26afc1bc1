//! Takes interactions off the queue, one after the other: each is done once, written down, and then acknowledged.

use std::time::Duration;

use shared::config::Locale;
use shared::interaction::{Interaction, decode};
use shared::lifecycle::Lifecycle;
use shared::queue::{Consumer, Delivery};
use shared::retry::RetryPolicy;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::answer::Answer;
use super::memory::{BEGUN_FOR_MAX, Begun, Memory};
use super::metrics::{InteractionMetrics, Outcome};
use super::office::Office;
use super::report::Report;
use super::rules::name_of;
use super::silences::Silences;
use super::voice::Voice;
use crate::audit::{Audit, Deed};
use crate::store::StoreError;

/// How often it is looked for what was kept long enough.
const CLEAN_EVERY: Duration = Duration::from_hours(1);
/// How often the database, while it answers, may refuse what one interaction comes to. Whatever it is about that one, it
/// is not to keep all others waiting for ever.
const REFUSALS_MAX: u32 = 6;

/// The task and what it needs.
pub(super) struct Clerk {
    pub(super) office: Office,
    pub(super) memory: Memory,
    pub(super) silences: Silences,
    pub(super) trail: Audit,
    pub(super) voice: Voice,
    pub(super) metrics: InteractionMetrics,
    pub(super) lifecycle: Lifecycle,
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

impl Clerk {
    /// Works until the consumer is told to stop.
    pub(super) async fn run(self, mut consumer: impl Consumer) {
        let mut to_clean = interval(CLEAN_EVERY);
        to_clean.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                received = consumer.receive() => match received {
                    Some(deliveries) => for delivery in deliveries {
                        // What is not done at the stop is given back by the drop.
                        if !Box::pin(self.take(delivery)).await {
                            return;
                        }
                    },
                    None => return,
                },
                _ = to_clean.tick() => self.clean().await,
            }
        }
    }

    /// Does what a message asks for, and settles it; `false` if it is time to stop before.
    async fn take(&self, delivery: Delivery) -> bool {
        let interaction = match decode(&delivery.body) {
            Ok(interaction) => interaction,
            Err(error) => {
                self.metrics.undecodable();
                error!(%error, "a message on the queue of interactions was dropped: {error}");
                delivery.settle();
                return true;
            }
        };
        let (mut pauses, mut attempts) = (RetryPolicy::RECONNECT.pauses(), Attempts::default());
        loop {
            match Box::pin(self.handle(&interaction, &mut attempts)).await {
                Ok(Progress::Ended(report)) => {
                    self.end(&interaction, delivery, &report).await;
                    return true;
                }
                Ok(Progress::Repeated) => {
                    self.metrics.ended(&interaction.act, Outcome::Repeated);
                    delivery.settle();
                    return true;
                }
                Ok(Progress::Elsewhere) => {}
                Err(error) => warn!(
                    interaction.id = %interaction.id, %error,
                    "interaction {} waits for the database: {error}", interaction.id
                ),
            }
            let pause = pauses.after_failure(rand::random(), None).unwrap_or(RetryPolicy::RECONNECT.cap);
            if self.lifecycle.stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return false;
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
                    "interaction {} is given up: the database answers, and does not take it: {error}", interaction.id
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
        let report = Report::plain(Outcome::Failed, interaction.act.as_str(), "", Answer::Unrecordable);
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

    async fn end(&self, interaction: &Interaction, delivery: Delivery, report: &Report) {
        self.say(interaction, report);
        delivery.settle();
        if let Some(answer) = &report.answer {
            Box::pin(self.voice.answer(interaction, answer)).await;
        }
    }

    async fn finish(&self, interaction: &Interaction) -> Result<Report, StoreError> {
        let report = Box::pin(self.office.act(interaction)).await?;
        if report.outcome != Outcome::Ignored {
            self.note(interaction, &report).await?;
        }
        self.memory.done(&interaction.dedup_key).await?;
        Ok(report)
    }

    async fn note(&self, interaction: &Interaction, report: &Report) -> Result<(), StoreError> {
        let deed = Deed {
            who: name_of(&interaction.operator),
            action: &report.action,
            chosen: &report.chosen,
            meant: report.meant,
        };
        let words = report.answer.as_ref().map(|answer| answer.text(Locale::En));
        let outcome = format!("{}: {}", report.outcome.as_str(), words.unwrap_or_default());
        self.trail.note(deed, report.done, &outcome).await.map(drop)
    }

    fn say(&self, interaction: &Interaction, report: &Report) {
        self.metrics.ended(&interaction.act, report.outcome);
        if report.outcome == Outcome::Ignored {
            return;
        }
        let (kind, outcome) = (interaction.act.as_str(), report.outcome.as_str());
        info!(
            interaction.id = %interaction.id,
            kind,
            action = report.action,
            outcome,
            alerts = report.done,
            "a {kind} asked for {}: {outcome}", report.action
        );
    }

    async fn clean(&self) {
        let cleaned = self.memory.clean().await.map(drop);
        if let Err(error) = cleaned.and(self.silences.clean().await) {
            warn!(%error, "old interactions are kept a little longer: {error}");
        }
    }
}
