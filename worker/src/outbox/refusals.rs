//! A card that was refused: repaired, sent in halves until the alert that is the reason is found, or buried.

use shared::queue::{Publisher, Reason};
use tracing::warn;

use super::Outbox;
use super::fold::Fold;
use super::sending::Draft;
use crate::feishu::Content;
use crate::feishu::verdict::{Repair, Trouble};
use crate::pipeline::Death;

/// Refusals without anything being accepted in between after which the receiver, and not what it was sent, is
/// taken for the reason. More than it takes to find one alert among all that a worker holds by halving.
const REFUSALS_MAX: u32 = 18;

impl<P: Publisher> Outbox<P> {
    /// Nothing plainer is left to try: a wrong signature is the receiver's trouble, anything else the message's.
    pub(super) async fn beyond_repair(
        &mut self,
        fold: Fold,
        draft: &Draft,
        (repair, trouble): (Repair, Trouble),
    ) {
        self.tear_out(&draft.page).await;
        match repair {
            Repair::Signature => self.broke(fold, &trouble),
            Repair::Mention | Repair::TooLarge | Repair::Card => self.refused(fold, draft, &trouble).await,
        }
    }

    /// It will never do as it is. Of many alerts one may be the reason: they are sent in halves until it is found,
    /// so that nobody else's alert is lost with it.
    pub(super) async fn refused(&mut self, fold: Fold, draft: &Draft, trouble: &Trouble) {
        self.refusals += 1;
        let name = self.receiver.name.clone();
        if self.refusals > REFUSALS_MAX {
            let now = self.house.clock.now();
            let deaths = fold.into_parcels().into_iter().map(|parcel| {
                let failure = parcel.tries.failure(Reason::Refused, &name, now);
                Death { parcel, failure, refused: None }
            });
            return self.house.bury(deaths.collect()).await;
        }
        match fold.halves() {
            Ok((first, second)) => {
                warn!(
                    receiver = name,
                    code = trouble.code,
                    "{name} refused a card ({}); sending it in two halves",
                    trouble.message
                );
                self.pieces.extend([second, first]);
            }
            Err(parcel) => {
                let failure = parcel.tries.failure(Reason::Refused, &name, self.house.clock.now());
                let card = match &draft.content {
                    Content::Card(card) => Some(card.as_ref()),
                    Content::Text(_) => draft.refused.as_deref(),
                };
                self.house.bury(vec![Death { parcel: *parcel, failure, refused: card }]).await;
            }
        }
    }

    /// Changes what was refused so that it may be accepted; says whether there was something left to change.
    pub(super) fn repair(&self, fold: &Fold, draft: &mut Draft, repair: Repair, trouble: &Trouble) -> bool {
        match repair {
            // The next attempt signs anew; a second refusal means the secret is wrong, or our clock.
            Repair::Signature if draft.signed_again => return false,
            Repair::Signature => draft.signed_again = true,
            Repair::Mention | Repair::TooLarge | Repair::Card => {
                let Some(plainer) = draft.form.repaired(repair) else { return false };
                draft.form = plainer;
                if !plainer.mentions {
                    draft.owners = draft.owners.quiet();
                }
                let content = self.content(fold, (&draft.page, &draft.owners), plainer);
                let refused = std::mem::replace(&mut draft.content, content);
                if let Content::Card(card) = refused {
                    draft.refused.get_or_insert(card);
                }
            }
        }
        self.house.metrics.repaired(repair);
        let (name, kind) = (self.receiver.name.as_str(), repair.as_str());
        warn!(
            receiver = name,
            code = trouble.code,
            repair = kind,
            "{name} refused a card ({}); sending it again, repaired for {kind}",
            trouble.message
        );
        true
    }
}
