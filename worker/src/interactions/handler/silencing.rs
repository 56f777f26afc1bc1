//! Silencing alerts in their Alertmanager, and ending the silences that were made from here.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use model::alert::Labels;
use model::envelope::Source;
use model::matcher::Matcher;
use tokio::time::Instant;

use super::{ActionContext, InteractionHandler, by_receiver, pairs};
use crate::alertmanager::{Alertmanager, AlertmanagerError, MadeSilence, Wish};
use crate::card_buttons::{SILENCED_TOGETHER_MAX, shared_labels};
use crate::card_store::Mark;
use crate::history::HistoryOutcome;
use crate::interactions::reply::Reply;
use crate::interactions::report::Report;
use crate::interactions::rules::{Action, ids_of};
use crate::interactions::target::TargetAlert;
use crate::render::{Silenced, shown_time};
use crate::store::StoreError;

/// How much earlier than now a silence begins, which Alertmanager takes for "at once": its clock may be behind ours.
const BEGUN_BEFORE: SignedDuration = SignedDuration::from_mins(5);
/// How much of a person's name a silence bears, in characters.
const NAME_CHARACTERS_MAX: usize = 64;

/// How long the Alertmanagers are asked, one call after the other, for one person: after this no further call begins. Each
/// has its own limit of 5 seconds beside this.
const ASKED_FOR_MAX: Duration = Duration::from_secs(10);

/// One alert was not silenced, and why.
enum Obstacle {
    Answer(Reply),
    Store(StoreError),
}

/// What somebody wants to be silent, by whom and until when.
struct Silencing<'w> {
    wanting: ActionContext<'w>,
    author: String,
    until: Timestamp,
    /// The Alertmanagers that did not answer: they are not asked again, because the person waits, and others behind.
    mute: HashMap<String, AlertmanagerError>,
    asked_until: Instant,
}

/// What came of ending silences, each with the receiver of its alert.
#[derive(Default)]
struct Ended {
    over: Vec<(String, MadeSilence)>,
    /// Alerts that are silent still, by receiver and fingerprint.
    silent: HashSet<(String, String)>,
    obstacle: Option<Reply>,
}

impl InteractionHandler {
    /// Silences these alerts, for as long as was wanted from the moment it was wanted: what has waited is shorter.
    pub(super) async fn silence(
        &self,
        wanting: ActionContext<'_>,
        targets: &[TargetAlert],
        length: Duration,
    ) -> Result<Report, StoreError> {
        let until = match self.silent_for(length, wanting, targets) {
            Ok(until) => until,
            Err(obstacle) => return Ok(wanting.refused(targets, obstacle)),
        };
        if targets.len() > SILENCED_TOGETHER_MAX {
            return Ok(wanting.refused(targets, Reply::TooMany(SILENCED_TOGETHER_MAX)));
        }
        let author = self.author(wanting).await;
        let mute = self.mute.since(wanting.interaction.received_at);
        let asked_until = Instant::now() + ASKED_FOR_MAX;
        let mut silencing = Silencing { wanting, author, until, mute, asked_until };
        let mut silenced = Vec::new();
        let mut obstacle = None;
        for target in targets {
            match Box::pin(self.silence_one(&mut silencing, target)).await {
                Ok(until) => silenced.push((target, until)),
                Err(Obstacle::Store(error)) => return Err(error),
                Err(Obstacle::Answer(answer)) => obstacle = Some(answer),
            }
        }
        // What was silent before stays the silence of whoever made it.
        let unshown: Vec<_> = silenced
            .iter()
            .filter(|(target, until)| target.shown_silent_until != Some(*until))
            .map(|(target, until)| (*target, *until))
            .collect();
        for (target, until) in &unshown {
            let mark = Mark::Silenced(Silenced { by: wanting.by.to_owned(), until: *until });
            self.cards.mark(&[(&target.receiver, &target.fingerprint)], &mark).await?;
        }
        let noted = unshown.into_iter().map(|(target, until)| (target, Some(until)));
        self.note(wanting, noted, HistoryOutcome::Silenced).await;
        // All of them are silent until the first of them is not.
        let all_until = silenced.iter().map(|(_, until)| *until).min().unwrap_or(until);
        let done = silenced.len();
        let answer = Reply::Silenced(done, shown_time(all_until, &self.style));
        Ok(wanting.tried(targets, done, answer, obstacle))
    }

    /// Until when alerts are to be silent that somebody wants silent for so long; or why they cannot be silenced.
    fn silent_for(
        &self,
        length: Duration,
        wanting: ActionContext<'_>,
        targets: &[TargetAlert],
    ) -> Result<Timestamp, Reply> {
        if let Some(obstacle) = self.obstacle(Action::Silence, wanting, targets) {
            return Err(obstacle);
        }
        let until = wanting.until(length);
        if until > wanting.now { Ok(until) } else { Err(Reply::TooLate) }
    }

    /// Silences one alert, unless it is silent for long enough already; says until when it is.
    async fn silence_one(
        &self,
        silencing: &mut Silencing<'_>,
        target: &TargetAlert,
    ) -> Result<Timestamp, Obstacle> {
        if target.source != Source::Alertmanager {
            let link = Some(target.silence_url.clone()).filter(|link| !link.is_empty());
            return Err(Obstacle::Answer(Reply::NotFromAlertmanager(link)));
        }
        let Some(alertmanager) = self.alertmanagers.of(&target.external_url) else {
            return Err(Obstacle::Answer(Reply::NoAlertmanager));
        };
        if let Some(trouble) = silencing.mute.get(alertmanager.name()) {
            return Err(not_silenced(trouble.clone()));
        }
        if Instant::now() >= silencing.asked_until {
            return Err(not_silenced(AlertmanagerError::OutOfTime));
        }
        let done = Box::pin(self.silence_in(alertmanager, silencing, target)).await;
        if let Err(Obstacle::Answer(Reply::NotSilenced(trouble))) = &done
            && trouble.is_no_answer()
        {
            silencing.mute.insert(alertmanager.name().to_owned(), trouble.clone());
            self.mute.found(alertmanager.name(), self.clock.now());
        }
        done
    }

    async fn silence_in(
        &self,
        alertmanager: Alertmanager<'_>,
        silencing: &Silencing<'_>,
        target: &TargetAlert,
    ) -> Result<Timestamp, Obstacle> {
        let Silencing { wanting, author, until, .. } = silencing;
        // Two people press at the same time, or the database went away in the middle of several.
        if let Some(known) = self.silent_until(alertmanager, target, *until).await? {
            return Ok(known);
        }
        let comment = format!("{} from Feishu, interaction {}", wanting.action, wanting.interaction.id);
        let begin = wanting.now.saturating_sub(BEGUN_BEFORE).unwrap_or(wanting.now);
        let wish = Wish::of(&target.labels, alertmanager.ignored(), begin, *until, author, &comment)
            .map_err(|_| Obstacle::Answer(Reply::Unsilenceable))?;
        let id = alertmanager.silence(&wish).await.map_err(not_silenced)?;
        let fingerprint = target.fingerprint.clone();
        let name = alertmanager.name().to_owned();
        let silence = MadeSilence { id, alertmanager: name, fingerprint, until: *until };
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
        target: &TargetAlert,
        wanted: Timestamp,
    ) -> Result<Option<Timestamp>, Obstacle> {
        let known =
            self.silences.of(&target.receiver, &[&target.fingerprint]).await.map_err(Obstacle::Store)?;
        let of_it = |known: &MadeSilence| known.until >= wanted && known.alertmanager == alertmanager.name();
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

    /// Silences everything that has what these alerts share: one silence, also when it is pressed once more.
    pub(super) async fn silence_shared(
        &self,
        wanting: ActionContext<'_>,
        targets: &[TargetAlert],
        length: Duration,
    ) -> Result<Report, StoreError> {
        let until = match self.silent_for(length, wanting, targets) {
            Ok(until) => until,
            Err(obstacle) => return Ok(wanting.refused(targets, obstacle)),
        };
        let Some(first) = targets.first() else { return Ok(wanting.refused(targets, Reply::NothingFires)) };
        let is_of_one = targets
            .iter()
            .all(|target| target.source == Source::Alertmanager && target.external_url == first.external_url);
        let shared = shared_labels(targets.iter().map(|target| &target.labels)).filter(|_| is_of_one);
        let Some(shared) = shared else { return Ok(wanting.refused(targets, Reply::NothingShared)) };
        let Some(alertmanager) = self.alertmanagers.of(&first.external_url) else {
            return Ok(wanting.refused(targets, Reply::NoAlertmanager));
        };
        let silence = match Box::pin(self.one_for_all(alertmanager, wanting, &shared, until)).await {
            Ok(silence) => silence,
            Err(answer) => return Ok(wanting.tried(targets, 0, answer.clone(), Some(answer))),
        };
        let until = silence.until;
        // Under one of them: whoever ends the silence of the card finds it.
        let kept = MadeSilence { fingerprint: first.fingerprint.clone(), ..silence };
        if let Err(error) = self.silences.keep(&first.receiver, &kept).await {
            // Nobody could end it from here; it is made anew when the database is back.
            let _ended = alertmanager.expire(&kept.id).await;
            return Err(error);
        }
        let mark = Mark::Silenced(Silenced { by: wanting.by.to_owned(), until });
        self.cards.mark(&pairs(targets).collect::<Vec<_>>(), &mark).await?;
        let noted = targets.iter().map(|target| (target, Some(until)));
        self.note(wanting, noted, HistoryOutcome::Silenced).await;
        let matchers = matchers_of(&shared, alertmanager.ignored());
        let matchers = matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let until = shown_time(until, &self.style);
        let count = targets.len();
        Ok(wanting.done(targets, count, Reply::SilencedShared { count, matchers, until }))
    }

    /// The silence of everything with these labels, made unless there is one.
    async fn one_for_all(
        &self,
        alertmanager: Alertmanager<'_>,
        wanting: ActionContext<'_>,
        shared: &Labels<'_>,
        until: Timestamp,
    ) -> Result<MadeSilence, Reply> {
        let made = |id: String, until: Timestamp| MadeSilence {
            id,
            alertmanager: alertmanager.name().to_owned(),
            fingerprint: String::new(),
            until,
        };
        let matchers = matchers_of(shared, alertmanager.ignored());
        let mute = self.mute.since(wanting.interaction.received_at);
        if let Some(trouble) = mute.get(alertmanager.name()) {
            return Err(Reply::NotSilenced(trouble.clone()));
        }
        let not_silenced = |trouble: AlertmanagerError| {
            if trouble.is_no_answer() {
                self.mute.found(alertmanager.name(), self.clock.now());
            }
            Reply::NotSilenced(trouble)
        };
        let known = alertmanager.silences().await.map_err(not_silenced)?;
        if let Some(same) = known.iter().find(|known| known.covers(&matchers, until)) {
            return Ok(made(same.id.clone(), same.ends_at));
        }
        let author = self.author(wanting).await;
        let comment = format!("{} from Feishu, interaction {}", wanting.action, wanting.interaction.id);
        let begin = wanting.now.saturating_sub(BEGUN_BEFORE).unwrap_or(wanting.now);
        let wish = Wish::of(shared, alertmanager.ignored(), begin, until, &author, &comment)
            .map_err(|_| Reply::Unsilenceable)?;
        let id = alertmanager.silence(&wish).await.map_err(not_silenced)?;
        Ok(made(id, until))
    }

    /// Who a silence is by, for those who see it in Alertmanager: a name where one is known, and Feishu's id.
    pub(super) async fn author(&self, wanting: ActionContext<'_>) -> String {
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

    /// Ends the silences of these alerts that were made from here, and puts right what their cards show.
    pub(super) async fn unsilence(
        &self,
        wanting: ActionContext<'_>,
        targets: Vec<TargetAlert>,
    ) -> Result<Report, StoreError> {
        if !self.rules.allow(Action::Silence, &wanting.interaction.operator) {
            return Ok(wanting.refused(&targets, Reply::NotAllowed));
        }
        let Ended { over: ended, silent, obstacle } = self.end_all(wanting, &targets).await?;
        let key = |target: &TargetAlert| (target.receiver.clone(), target.fingerprint.clone());
        // Also what no silence was found for: it was over, or somebody has ended it in Alertmanager.
        let heard: Vec<_> = targets.iter().filter(|target| !silent.contains(&key(target))).collect();
        let heard: Vec<_> =
            heard.iter().map(|target| (target.receiver.as_str(), target.fingerprint.as_str())).collect();
        self.cards.mark(&heard, &Mark::Unsilenced).await?;
        // Last: whoever has to do it again after a failure finds them again.
        for (_, silence) in &ended {
            self.silences.forget(silence).await?;
        }
        let spoken: HashSet<_> =
            ended.iter().map(|(receiver, silence)| (receiver.clone(), silence.fingerprint.clone())).collect();
        let done = spoken.difference(&silent).count();
        let ended_now =
            |target: &&TargetAlert| spoken.contains(&key(target)) && !silent.contains(&key(target));
        let noted = targets.iter().filter(ended_now).map(|target| (target, None));
        self.note(wanting, noted, HistoryOutcome::Unsilenced).await;
        let meant: Vec<_> = targets
            .into_iter()
            .filter(|target| {
                target.is_firing || spoken.contains(&key(target)) || silent.contains(&key(target))
            })
            .collect();
        if ended.is_empty() && obstacle.is_none() {
            return Ok(wanting.refused(&meant, Reply::NothingSilenced));
        }
        Ok(wanting.tried(&meant, done, Reply::Unsilenced(ended.len()), obstacle))
    }

    async fn end_all(
        &self,
        wanting: ActionContext<'_>,
        targets: &[TargetAlert],
    ) -> Result<Ended, StoreError> {
        let pairs: Vec<_> = pairs(targets).collect();
        let mut so_far = Ended::default();
        // Who does not answer is not asked again: the person waits, and others behind.
        let mut mute = self.mute.since(wanting.interaction.received_at);
        let asked_until = Instant::now() + ASKED_FOR_MAX;
        for (receiver, fingerprints) in by_receiver(&pairs) {
            for silence in self.silences.of(receiver, &fingerprints).await? {
                let ended = match (
                    self.alertmanagers.named(&silence.alertmanager),
                    mute.get(&silence.alertmanager),
                ) {
                    (None, _) => Err(Reply::NoAlertmanager),
                    (Some(_), Some(trouble)) => Err(Reply::NotUnsilenced(trouble.clone())),
                    (Some(_), None) if Instant::now() >= asked_until => {
                        Err(Reply::NotUnsilenced(AlertmanagerError::OutOfTime))
                    }
                    (Some(alertmanager), None) => alertmanager.expire(&silence.id).await.map_err(|trouble| {
                        if trouble.is_no_answer() {
                            mute.insert(silence.alertmanager.clone(), trouble.clone());
                            self.mute.found(&silence.alertmanager, self.clock.now());
                        }
                        Reply::NotUnsilenced(trouble)
                    }),
                };
                match ended {
                    Ok(()) => so_far.over.push((receiver.to_owned(), silence)),
                    Err(answer) => {
                        so_far.silent.insert((receiver.to_owned(), silence.fingerprint));
                        so_far.obstacle = Some(answer);
                    }
                }
            }
        }
        Ok(so_far)
    }
}

impl ActionContext<'_> {
    /// Until when something lasts that is wanted for so long, from when it was wanted on; as exactly as Alertmanager and the
    /// database keep it, so that the same wish is the same the next time.
    fn until(&self, length: Duration) -> Timestamp {
        let length = SignedDuration::try_from(length).unwrap_or(SignedDuration::MAX);
        let until = self.interaction.received_at.saturating_add(length).unwrap_or(Timestamp::MAX);
        Timestamp::from_millisecond(until.as_millisecond()).unwrap_or(until)
    }
}

/// Matchers of all of these labels but those that tell replicas apart.
fn matchers_of(labels: &Labels<'_>, ignored: &[String]) -> Vec<Matcher> {
    let counts = |name: &str| !ignored.iter().any(|ignored| ignored == name);
    labels.iter().filter(|(name, _)| counts(name)).map(|(name, value)| Matcher::equal(name, value)).collect()
}

fn not_silenced(trouble: AlertmanagerError) -> Obstacle {
    Obstacle::Answer(Reply::NotSilenced(trouble))
}
