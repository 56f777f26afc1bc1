//! Silencing alerts in their Alertmanager.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use shared::envelope::Source;

use super::{Office, Wanting};
use crate::alertmanager::{Alertmanager, AlertmanagerError, Wish};
use crate::card::{Silenced, shown_time};
use crate::cards::Mark;
use crate::interaction::SILENCED_TOGETHER_MAX;
use crate::interaction::answer::Answer;
use crate::interaction::report::Report;
use crate::interaction::rules::{Deed, ids_of};
use crate::interaction::silences::Silence;
use crate::interaction::target::Target;
use crate::store::StoreError;

/// How much earlier than now a silence begins, which Alertmanager takes for "at once": its clock may be behind ours.
const BEGUN_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// How much of a person's name a silence bears, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

/// One alert was not silenced, and why.
enum Obstacle {
    Answer(Answer),
    Store(StoreError),
}

/// What somebody wants to be silent, by whom and until when.
struct Silencing<'w> {
    wanting: Wanting<'w>,
    author: String,
    until: Timestamp,
    /// The Alertmanagers that did not answer: they are not asked again, because the person waits, and others behind.
    mute: HashMap<String, AlertmanagerError>,
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
        // As exactly as Alertmanager and the database keep it, so that the same wish is the same the next time.
        let until = Timestamp::from_millisecond(until.as_millisecond()).unwrap_or(until);
        if until <= wanting.now {
            return Ok(wanting.refused(targets, Answer::TooLate));
        }
        let author = self.author(wanting).await;
        let mut silencing = Silencing { wanting, author, until, mute: HashMap::new() };
        let (mut silenced, mut obstacle) = (Vec::new(), None);
        for target in targets {
            match Box::pin(self.silence_one(&mut silencing, target)).await {
                Ok(until) => silenced.push((target, until)),
                Err(Obstacle::Store(error)) => return Err(error),
                Err(Obstacle::Answer(answer)) => obstacle = Some(answer),
            }
        }
        // What was silent before stays the silence of whoever made it.
        let unshown = silenced.iter().filter(|(target, until)| target.shown_silent_until != Some(*until));
        for (target, until) in unshown {
            let mark = Mark::Silenced(Silenced { by: wanting.by.to_owned(), until: *until });
            self.cards.mark(&[(&target.receiver, &target.fingerprint)], &mark).await?;
        }
        // All of them are silent until the first of them is not.
        let all_until = silenced.iter().map(|(_, until)| *until).min().unwrap_or(until);
        let done = silenced.len();
        let answer = Answer::Silenced(done, shown_time(all_until, &self.style));
        Ok(wanting.tried(targets, (done, answer), obstacle))
    }

    /// Silences one alert, unless it is silent for long enough already; says until when it is.
    async fn silence_one(
        &self,
        silencing: &mut Silencing<'_>,
        target: &Target,
    ) -> Result<Timestamp, Obstacle> {
        if target.source != Source::Alertmanager {
            let link = Some(target.silence_url.clone()).filter(|link| !link.is_empty());
            return Err(Obstacle::Answer(Answer::NotFromAlertmanager(link)));
        }
        let Some(alertmanager) = self.alertmanagers.of(&target.external_url) else {
            return Err(Obstacle::Answer(Answer::NoAlertmanager));
        };
        if let Some(trouble) = silencing.mute.get(alertmanager.name()) {
            return Err(not_silenced(trouble.clone()));
        }
        let done = Box::pin(self.silence_in(alertmanager, silencing, target)).await;
        if let Err(Obstacle::Answer(Answer::NotSilenced(trouble))) = &done
            && trouble.is_no_answer()
        {
            silencing.mute.insert(alertmanager.name().to_owned(), trouble.clone());
        }
        done
    }

    async fn silence_in(
        &self,
        alertmanager: Alertmanager<'_>,
        silencing: &Silencing<'_>,
        target: &Target,
    ) -> Result<Timestamp, Obstacle> {
        let Silencing { wanting, author, until, .. } = silencing;
        // Two people press at the same time, or the database went away in the middle of several.
        if let Some(known) = self.silent_until(alertmanager, target, *until).await? {
            return Ok(known);
        }
        let comment = format!("{} from Feishu, interaction {}", wanting.action, wanting.interaction.id);
        let begin = wanting.now.saturating_sub(BEGUN_BEFORE).unwrap_or(wanting.now);
        let wish = Wish::of(&target.labels, (begin, *until), (author, &comment))
            .map_err(|_| Obstacle::Answer(Answer::Unsilenceable))?;
        let id = alertmanager.silence(&wish).await.map_err(not_silenced)?;
        let (fingerprint, name) = (target.fingerprint.clone(), alertmanager.name().to_owned());
        let silence = Silence { id, alertmanager: name, fingerprint, until: *until };
        if let Err(error) = self.silences.keep(&target.receiver, &silence).await {
            // Nobody could end a silence that is not written down; it is made anew when the database is back. If even
            // this fails, it ends by itself.
            let _ended = alertmanager.expire(&silence.id).await;
            return Err(Obstacle::Store(error));
        }
        Ok(*until)
    }

    /// Until when an alert is silent, where that is no sooner than wanted. What is written down is not enough: somebody
    /// may have ended or shortened the silence in Alertmanager.
    async fn silent_until(
        &self,
        alertmanager: Alertmanager<'_>,
        target: &Target,
        wanted: Timestamp,
    ) -> Result<Option<Timestamp>, Obstacle> {
        let known =
            self.silences.of(&target.receiver, &[&target.fingerprint]).await.map_err(Obstacle::Store)?;
        let of_it = |known: &Silence| known.until >= wanted && known.alertmanager == alertmanager.name();
        let mut known: Vec<_> = known.into_iter().filter(of_it).collect();
        known.sort_unstable_by_key(|known| std::cmp::Reverse(known.until));
        for known in known {
            match alertmanager.lasts_until(&known.id).await.map_err(not_silenced)? {
                Some(until) if until >= wanted => return Ok(Some(until)),
                // Shortened; it is still there to be ended.
                Some(_) => {}
                None => self.silences.forget(&known).await.map_err(Obstacle::Store)?,
            }
        }
        Ok(None)
    }

    /// Who a silence is by, for those who see it in Alertmanager: a name where one is known, and Feishu's id.
    async fn author(&self, wanting: Wanting<'_>) -> String {
        let named = self.owners.name_of(&ids_of(&wanting.interaction.operator)).await;
        match named {
            Some(name) => {
                let name: String =
                    name.chars().filter(|c| !c.is_control()).take(NAME_CHARACTERS_MAX).collect();
                format!("{name} ({})", wanting.by)
            }
            None => wanting.by.to_owned(),
        }
    }
}

fn not_silenced(trouble: AlertmanagerError) -> Obstacle {
    Obstacle::Answer(Answer::NotSilenced(trouble))
}
