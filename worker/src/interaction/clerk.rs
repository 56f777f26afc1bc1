//! Takes interactions off the queue, one after the other: each is done once, written down, and then acknowledged.

use std::time::Duration;

use shared::interaction::{Interaction, decode};
use shared::lifecycle::Lifecycle;
use shared::queue::{Consumer, Delivery};
use shared::retry::RetryPolicy;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{error, info, warn};

use super::memory::{Begun, Memory};
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
        let mut pauses = RetryPolicy::RECONNECT.pauses();
        loop {
            let progress = Box::pin(self.handle(&interaction)).await;
            match progress {
                Ok(Progress::Ended(report)) => {
                    self.say(&interaction, &report);
                    delivery.settle();
                    if let Some(answer) = &report.answer {
                        Box::pin(self.voice.answer(&interaction, answer)).await;
                    }
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

    async fn handle(&self, interaction: &Interaction) -> Result<Progress, StoreError> {
        match self.memory.begin(&interaction.dedup_key).await? {
            Begun::Mine => {}
            Begun::Elsewhere => return Ok(Progress::Elsewhere),
            Begun::Done => return Ok(Progress::Repeated),
        }
        let done = self.finish(interaction).await;
        if done.is_err() {
            // Otherwise it would look for a while as if somebody still had it in hand; which it does if the database
            // does not take this either.
            let _forgotten = self.memory.forget(&interaction.dedup_key).await;
        }
        done.map(Progress::Ended)
    }

    async fn finish(&self, interaction: &Interaction) -> Result<Report, StoreError> {
        let report = Box::pin(self.office.act(interaction)).await?;
        if report.outcome != Outcome::Ignored {
            let deed = Deed {
                who: name_of(&interaction.operator),
                action: &report.action,
                chosen: &report.chosen,
                meant: report.meant,
            };
            let words = report.answer.as_ref().map(|answer| answer.text(shared::config::Locale::En));
            let outcome = format!("{}: {}", report.outcome.as_str(), words.unwrap_or_default());
            self.trail.note(deed, report.done, &outcome).await?;
        }
        self.memory.done(&interaction.dedup_key).await?;
        Ok(report)
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
