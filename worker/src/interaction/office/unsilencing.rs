//! Ending silences that were made from here.

use std::collections::{HashMap, HashSet};

use super::acknowledging::{by_receiver, pairs};
use super::{Office, Wanting};
use crate::alertmanager::AlertmanagerError;
use crate::cards::Mark;
use crate::interaction::answer::Answer;
use crate::interaction::report::Report;
use crate::interaction::rules::Deed;
use crate::interaction::silences::Silence;
use crate::interaction::target::Target;
use crate::store::StoreError;

/// What came of ending silences, each with the receiver of its alert.
#[derive(Default)]
struct Ended {
    over: Vec<(String, Silence)>,
    /// Alerts that are silent still, by receiver and fingerprint.
    silent: HashSet<(String, String)>,
    obstacle: Option<Answer>,
}

impl Office {
    /// Ends the silences of these alerts that were made from here, and puts right what their cards show.
    pub(super) async fn unsilence(
        &self,
        wanting: Wanting<'_>,
        targets: Vec<Target>,
    ) -> Result<Report, StoreError> {
        if !self.rules.allow(Deed::Silence, &wanting.interaction.operator) {
            return Ok(wanting.refused(&targets, Answer::NotAllowed));
        }
        let Ended { over: ended, silent, obstacle } = self.end_all(&targets).await?;
        let key = |target: &Target| (target.receiver.clone(), target.fingerprint.clone());
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
        let meant: Vec<_> = targets
            .into_iter()
            .filter(|target| {
                target.is_firing || spoken.contains(&key(target)) || silent.contains(&key(target))
            })
            .collect();
        if ended.is_empty() && obstacle.is_none() {
            return Ok(wanting.refused(&meant, Answer::NothingSilenced));
        }
        Ok(wanting.tried(&meant, (done, Answer::Unsilenced(ended.len())), obstacle))
    }

    async fn end_all(&self, targets: &[Target]) -> Result<Ended, StoreError> {
        let pairs: Vec<_> = pairs(targets).collect();
        let mut so_far = Ended::default();
        // Who does not answer is not asked again: the person waits, and others behind.
        let mut mute: HashMap<String, AlertmanagerError> = HashMap::new();
        for (receiver, fingerprints) in by_receiver(&pairs) {
            for silence in self.silences.of(receiver, &fingerprints).await? {
                let ended = match (
                    self.alertmanagers.named(&silence.alertmanager),
                    mute.get(&silence.alertmanager),
                ) {
                    (None, _) => Err(Answer::NoAlertmanager),
                    (Some(_), Some(trouble)) => Err(Answer::NotUnsilenced(trouble.clone())),
                    (Some(alertmanager), None) => alertmanager.expire(&silence.id).await.map_err(|trouble| {
                        if trouble.is_no_answer() {
                            mute.insert(silence.alertmanager.clone(), trouble.clone());
                        }
                        Answer::NotUnsilenced(trouble)
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
