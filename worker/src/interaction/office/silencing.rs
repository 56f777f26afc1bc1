//! Silencing alerts in their Alertmanager, and ending that.

use std::collections::HashSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::acknowledging::{by_receiver, pairs};
use super::{Office, Wanting};
use crate::alertmanager::Wish;
use crate::card::{Silenced, shown_time};
use crate::cards::Mark;
use crate::interaction::SILENCED_TOGETHER_MAX;
use crate::interaction::answer::Answer;
use crate::interaction::report::Report;
use crate::interaction::rules::Deed;
use crate::interaction::silences::Silence;
use crate::interaction::target::Target;
use crate::store::StoreError;
use shared::envelope::Source;

/// One alert was not silenced, and why.
enum Obstacle {
    Answer(Answer),
    Store(StoreError),
}

impl Office {
    /// Silences these alerts, for as long as was wanted from the moment it was wanted: what has waited is shorter.
    pub(super) async fn silence(
        &self,
        wanting: Wanting<'_>,
        targets: &[Target],
        length: Duration,
    ) -> Result<Report, StoreError> {
        if !self.rules.allow(Deed::Silence, &wanting.interaction.operator) {
            return Ok(wanting.refused(targets, Answer::NotAllowed));
        }
        if targets.is_empty() {
            return Ok(wanting.refused(targets, Answer::NothingFires));
        }
        if targets.len() > SILENCED_TOGETHER_MAX {
            return Ok(wanting.refused(targets, Answer::TooMany(SILENCED_TOGETHER_MAX)));
        }
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let until = wanting.interaction.received_at.saturating_add(length).unwrap_or(Timestamp::MAX);
        if until <= wanting.now {
            return Ok(wanting.refused(targets, Answer::TooLate));
        }
        let mut silenced: Vec<(&str, &str)> = Vec::new();
        let mut obstacle = None;
        for target in targets {
            match Box::pin(self.silence_one(wanting, target, until)).await {
                Ok(()) => silenced.push((&target.receiver, &target.fingerprint)),
                Err(Obstacle::Store(error)) => return Err(error),
                Err(Obstacle::Answer(answer)) => obstacle = Some(answer),
            }
        }
        let mark = Mark::Silenced(Silenced { by: wanting.by.to_owned(), until });
        self.cards.mark(&silenced, &mark).await?;
        let done = silenced.len();
        Ok(match obstacle {
            None => wanting.done(targets, (done, Answer::Silenced(done, shown_time(until, &self.style)))),
            Some(Answer::AlertmanagerFailed(said, _)) => {
                wanting.failed(targets, (done, Answer::AlertmanagerFailed(said, done)))
            }
            Some(answer) => wanting.failed(targets, (done, answer)),
        })
    }

    async fn silence_one(
        &self,
        wanting: Wanting<'_>,
        target: &Target,
        until: Timestamp,
    ) -> Result<(), Obstacle> {
        if target.source != Source::Alertmanager {
            let link = Some(target.silence_url.clone()).filter(|link| !link.is_empty());
            return Err(Obstacle::Answer(Answer::NotFromAlertmanager(link)));
        }
        let Some(alertmanager) = self.alertmanagers.of(&target.external_url) else {
            return Err(Obstacle::Answer(Answer::NoAlertmanager));
        };
        let known =
            self.silences.of(&target.receiver, &[&target.fingerprint]).await.map_err(Obstacle::Store)?;
        // Two people press at the same time, or the database went away in the middle of several.
        if known.iter().any(|silence| silence.until >= until) {
            return Ok(());
        }
        let comment = format!("{} from Feishu, interaction {}", wanting.action, wanting.interaction.id);
        let wish = Wish::of(&target.labels, (wanting.now, until), (wanting.by, &comment))
            .map_err(|_| Obstacle::Answer(Answer::Unsilenceable))?;
        let id = alertmanager
            .silence(&wish)
            .await
            .map_err(|error| Obstacle::Answer(Answer::AlertmanagerFailed(error.to_string(), 0)))?;
        let (fingerprint, name) = (target.fingerprint.clone(), alertmanager.name().to_owned());
        let silence = Silence { id, alertmanager: name, fingerprint, until };
        if let Err(error) = self.silences.keep(&target.receiver, &silence).await {
            // Nobody could end a silence that is not written down; it is made anew when the database is back. If even
            // this fails, it ends by itself.
            let _ended = alertmanager.expire(&silence.id).await;
            return Err(Obstacle::Store(error));
        }
        Ok(())
    }

    /// Ends the silences of these alerts that were made from here.
    pub(super) async fn unsilence(
        &self,
        wanting: Wanting<'_>,
        targets: &[Target],
    ) -> Result<Report, StoreError> {
        if !self.rules.allow(Deed::Silence, &wanting.interaction.operator) {
            return Ok(wanting.refused(targets, Answer::NotAllowed));
        }
        let pairs: Vec<_> = pairs(targets).collect();
        let (mut ended, mut failed, mut heard) = (0, None, HashSet::new());
        for (receiver, fingerprints) in by_receiver(&pairs) {
            for silence in self.silences.of(receiver, &fingerprints).await? {
                let Some(alertmanager) = self.alertmanagers.named(&silence.alertmanager) else {
                    failed = Some(Answer::NoAlertmanager);
                    continue;
                };
                match alertmanager.expire(&silence.id).await {
                    Ok(()) => {
                        self.silences.forget(&silence).await?;
                        ended += 1;
                        heard.insert((receiver.to_owned(), silence.fingerprint));
                    }
                    Err(error) => failed = Some(Answer::AlertmanagerFailed(error.to_string(), 0)),
                }
            }
        }
        let heard: Vec<_> =
            heard.iter().map(|(receiver, fingerprint)| (receiver.as_str(), fingerprint.as_str())).collect();
        self.cards.mark(&heard, &Mark::Unsilenced).await?;
        Ok(match failed {
            Some(answer) => wanting.failed(targets, (heard.len(), answer)),
            None if ended == 0 => wanting.refused(targets, Answer::NothingSilenced),
            None => wanting.done(targets, (heard.len(), Answer::Unsilenced(ended))),
        })
    }
}
