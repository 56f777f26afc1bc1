//! Who is on call, and who stands in for whom.

use jiff::Timestamp;

use super::{ActionContext, InteractionHandler};
use crate::feishu::OnceKey;
use crate::interactions::command::{SwapOrder, SwapTime};
use crate::interactions::metrics::InteractionOutcome;
use crate::interactions::reply::{self, LISTED_MAX, OnCallReply, Reply};
use crate::interactions::report::Report;
use crate::interactions::rules::Action;
use crate::people::person::Person;
use crate::people::rotation::Swap;
use crate::render::{plain_line, shown_time};
use crate::store::StoreError;

/// How much of a name is written down, in characters.
const NAME_CHARACTERS_MAX: usize = 100;

impl InteractionHandler {
    /// Each rotation in a line.
    pub(super) fn oncall_lines(&self) -> Vec<String> {
        let now = self.oncall.now();
        now.iter().take(LISTED_MAX).map(|now| reply::oncall_line(now, &self.style)).collect()
    }

    /// Somebody stands in: from now until the turn ends, or as long as was said.
    pub(super) async fn swap(
        &self,
        wanting: ActionContext<'_>,
        order: &SwapOrder,
    ) -> Result<Report, StoreError> {
        let rotation = plain_line(&order.rotation, NAME_CHARACTERS_MAX);
        let refused = |answer| {
            let report = Report::plain(InteractionOutcome::Refused, wanting.action, &rotation, answer);
            Ok(report)
        };
        if !self.rules.allow(Action::Swap, &wanting.interaction.operator) {
            return refused(Reply::NotAllowed);
        }
        let Some(known) = self.oncall.rotation(&order.rotation) else {
            return refused(Reply::OnCall(OnCallReply::NoSuchRotation));
        };
        let person = order.person.as_deref().unwrap_or(wanting.by);
        let is_somebody =
            matches!(Person::parse(person), Some(Person::Name(_) | Person::OpenId(_) | Person::Mobile(_)));
        if !is_somebody || person.chars().count() > NAME_CHARACTERS_MAX {
            return refused(Reply::Usage);
        }
        // The moment it was asked for: done again after a lost answer it is the same.
        let asked_at = wanting.interaction.received_at;
        let from = match order.time {
            SwapTime::ThisTurn | SwapTime::For(_) => Some(asked_at),
            SwapTime::Between(from, _) => self.oncall.moment(&known, from),
        };
        let until = match order.time {
            SwapTime::ThisTurn => self.oncall.ends(&known),
            SwapTime::For(length) => asked_at.checked_add(length).ok(),
            SwapTime::Between(_, until) => self.oncall.moment(&known, until),
        };
        let Some((from, until)) =
            from.zip(until).filter(|(from, until)| from < until && *until > wanting.now)
        else {
            return refused(Reply::OnCall(OnCallReply::NoSuchTurn));
        };
        let swap = Swap { rotation: order.rotation.clone(), person: person.to_owned(), from, until };
        let id = OnceKey::of(["oncall swap", wanting.interaction.dedup_key.as_str()]);
        self.oncall.swap(id.as_str(), &swap, wanting.by).await?;
        let chosen = format!("{rotation} {} from {from} until {until}", shown_person(person));
        let answer = Reply::OnCall(OnCallReply::Swapped {
            rotation,
            person: shown_person(person),
            time: self.shown(from, until),
        });
        let report = Report::plain(InteractionOutcome::Done, wanting.action, &chosen, answer);
        Ok(Report { meant: 1, done: 1, ..report })
    }

    fn shown(&self, from: Timestamp, until: Timestamp) -> String {
        format!("{} - {}", shown_time(from, &self.style), shown_time(until, &self.style))
    }
}

/// A number is never shown.
fn shown_person(person: &str) -> String {
    match Person::parse(person) {
        Some(Person::Mobile(_)) => "***".to_owned(),
        Some(_) | None => plain_line(person, NAME_CHARACTERS_MAX),
    }
}
