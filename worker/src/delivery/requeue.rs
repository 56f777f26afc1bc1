//! Publishing onwards: to a pause, or to the dead letters. Confirmed before anything is settled.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, StreamExt};
use jiff::Timestamp;
use model::envelope::{EncodeError, Line, encode};
use queue::{
    DeferStep, Failure, FailureMarks, Headers, Message, MessageDestination, PublishError, Publishing, Reason,
};
use serde::Serialize;
use tokio::time::{Instant, timeout};
use tracing::{debug, error, warn};

use super::context::DeliveryContext;
use super::ids::ids;
use super::in_flight::{AckGuard, InFlightEnvelope};
use super::in_flight::{IfDelivered, events_of};
use crate::metrics::Outcome;
use crate::render::Card;

/// How long the worker rests after the queue took nothing: what is requeued comes again at once, and so would
/// the next request to Feishu.
const REFUSED_PAUSE: Duration = Duration::from_secs(1);
/// How long whoever publishes onwards waits for the answer itself, as `queue.publish_timeout` is by default. Nobody is held up
/// for longer: after that the answer is waited for beside everything else.
const ANSWERED_WITHIN: Duration = Duration::from_secs(2);
/// How long after its pause what was deferred is back, unless the broker is slow.
const RETURNS_WITHIN: Duration = Duration::from_secs(5);
/// Envelopes that could not be deferred with others and are tried by themselves, at one time.
const DEFERRED_AT_ONCE: usize = 20;
/// Dead letters in one publish: few enough that their megabytes are confirmed within `queue.publish_timeout`.
const DEAD_LETTERS_TOGETHER_MAX: usize = 100;

/// An envelope to be deferred for a while.
pub(crate) struct Deferred {
    pub(crate) in_flight: InFlightEnvelope,
    pub(crate) step: DeferStep,
    pub(crate) failure: Failure,
    /// Whether it counts towards longer pauses.
    pub(crate) counted: bool,
}

/// An envelope that goes to the dead letters, with the card that was refused if there is one.
pub(crate) struct DeadLetter<'c> {
    pub(crate) in_flight: InFlightEnvelope,
    pub(crate) failure: Failure,
    pub(crate) refused: Option<&'c Card>,
}

/// A line that is no envelope, and why.
pub(super) struct Unreadable {
    pub(super) line: Bytes,
    pub(super) headers: Headers,
    pub(super) why: String,
    pub(super) share: AckGuard,
}

/// What stands below the envelope in a dead letter: what was refused.
#[derive(Serialize)]
struct RefusedCard<'c> {
    card: &'c Card,
}

/// Why it is not known that the queue has something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum NotTaken {
    /// The connection broke before the answer, or everything is to stop. It may be stored.
    Unconfirmed,
    /// The queue took none of it, or not all.
    Refused,
}

/// Deferrals that were published, and the queue's answer to come.
struct DeferralAttempt {
    deferrals: Vec<Deferred>,
    answer: Publishing,
}

impl DeliveryContext {
    /// Publishes what had to be written first. Strings, numbers and times only, so the serialiser has nothing to
    /// refuse; if it did, what was not written must not count as sent.
    fn begin_to_publish(&self, messages: Result<Vec<Message>, EncodeError>) -> Publishing {
        match messages {
            Ok(messages) => self.publisher.publish_until_answered(messages),
            Err(fault) => {
                error!(error = %fault, "an envelope could not be written");
                Box::pin(std::future::ready(Err(PublishError::Refused(fault.to_string()))))
            }
        }
    }

    /// The queue's answer, or that there was none before the stop.
    async fn answered(&self, answer: &mut Publishing) -> Result<(), NotTaken> {
        let answer = self.lifecycle.stop.run_until_cancelled(answer).await;
        not_taken(answer.unwrap_or(Err(PublishError::TimedOut)))
    }

    /// Rests after the queue took nothing, unless everything is to stop.
    async fn rest(&self, pause: Duration) {
        self.lifecycle.stop.run_until_cancelled(tokio::time::sleep(pause)).await;
    }

    /// Defers envelopes of one receiver for a while, all in one publish. Those that are delivered again anyway are
    /// dropped, here and below: published as well, they would be there twice.
    pub(crate) async fn publish_deferrals(self: &Arc<Self>, receiver: &str, deferrals: Vec<Deferred>) {
        let mut attempt = self.begin_to_defer(receiver, deferrals).await;
        let begun = Instant::now();
        let why = match timeout(ANSWERED_WITHIN, &mut attempt.answer).await.map(not_taken) {
            Ok(Ok(())) => return self.deferred(receiver, attempt.deferrals),
            Ok(Err(why)) => Some(why),
            Err(_) => None,
        };
        self.metrics.deferrals_failed.inc_by(attempt.deferrals.len() as u64);
        if why.is_some() {
            self.rest(REFUSED_PAUSE.saturating_sub(begun.elapsed())).await;
        }
        let receiver = receiver.to_owned();
        self.lifecycle.tasks.spawn(Arc::clone(self).defer_in_time(receiver, attempt, why));
    }

    /// Keeps in hand what could not be deferred at once. What the queue has not answered is waited for: published again, it
    /// would be there twice, and two workers that each publish their copy again would soon have hundreds. What it has refused
    /// is tried again after a while, each by itself: a queue that is nearly full takes some. Where a connection broke, the
    /// copy that may be stored has the time to come back here first. `why` is the answer, where it has come already.
    async fn defer_in_time(self: Arc<Self>, receiver: String, first: DeferralAttempt, why: Option<NotTaken>) {
        let keep = |attempt: &DeferralAttempt| {
            for deferral in &attempt.deferrals {
                deferral.in_flight.begin_to_hold();
            }
        };
        keep(&first);
        let mut outcomes = vec![match why {
            Some(why) => Err((first.deferrals, why)),
            None => self.finish(&receiver, first).await,
        }];
        loop {
            let mut left = Vec::new();
            let mut is_unconfirmed = false;
            for (deferrals, why) in outcomes.into_iter().filter_map(Result::err) {
                is_unconfirmed |= why == NotTaken::Unconfirmed;
                left.extend(deferrals);
            }
            let step = left.iter().map(|deferral| deferral.step).max();
            let Some(step) = step else { return };
            let returns = step.min(DeferStep::Seconds30).pause() + RETURNS_WITHIN;
            self.rest(if is_unconfirmed { returns } else { RETURNS_WITHIN }).await;
            // Alive, so that what has come is another message and not this one again.
            let is_one_too_many =
                |deferral: &mut Deferred| deferral.in_flight.end_to_hold() && deferral.in_flight.is_alive();
            for deferral in left.extract_if(.., is_one_too_many) {
                deferral.in_flight.settle_as_copy();
            }
            if self.lifecycle.stop.is_cancelled() {
                return self.requeue(left.into_iter().map(|deferral| deferral.in_flight));
            }
            let each = left.into_iter().map(|deferral| async {
                let attempt = self.begin_to_defer(&receiver, vec![deferral]).await;
                keep(&attempt);
                self.finish(&receiver, attempt).await
            });
            outcomes = stream::iter(each).buffered(DEFERRED_AT_ONCE).collect().await;
        }
    }

    /// Waits for the answer; those that were not taken come back, still held.
    async fn finish(
        &self,
        receiver: &str,
        mut attempt: DeferralAttempt,
    ) -> Result<(), (Vec<Deferred>, NotTaken)> {
        if let Err(why) = self.answered(&mut attempt.answer).await {
            return Err((attempt.deferrals, why));
        }
        for deferral in &attempt.deferrals {
            // A copy that has come meanwhile is the one that was published.
            deferral.in_flight.end_to_hold();
        }
        self.deferred(receiver, attempt.deferrals);
        Ok(())
    }

    /// Publishes them to their pause.
    async fn begin_to_defer(&self, receiver: &str, mut deferrals: Vec<Deferred>) -> DeferralAttempt {
        deferrals.retain(|deferral| deferral.in_flight.is_alive());
        if deferrals.is_empty() {
            return DeferralAttempt { deferrals, answer: Box::pin(std::future::ready(Ok(()))) };
        }
        let claims = deferrals
            .iter()
            .flat_map(|deferral| events_of(&deferral.in_flight.envelope, receiver, IfDelivered::IsDuplicate));
        self.ledger.renew(&claims.collect::<Vec<_>>()).await;
        let messages: Result<Vec<_>, _> = deferrals.iter().map(messages_of).collect();
        let answer = self.begin_to_publish(messages.map(|messages| messages.concat()));
        DeferralAttempt { deferrals, answer }
    }

    /// The queue has them.
    fn deferred(&self, receiver: &str, deferrals: Vec<Deferred>) {
        let Some(first) = deferrals.first() else { return };
        let code = first.failure.code;
        let error = first.failure.message.clone();
        let wait_ms = millis(first.step.pause());
        let envelopes = ids(deferrals.iter().map(|deferral| &deferral.in_flight));
        // What was put aside before and still waits is no news: it comes back every half a minute.
        let is_news = deferrals.iter().any(|deferral| deferral.in_flight.headers.failure.is_none());
        let mut alerts = 0;
        for deferral in deferrals {
            self.note_deferred(receiver, &deferral);
            let Deferred { in_flight, step, .. } = deferral;
            let id = in_flight.envelope.id;
            debug!(envelope.id = %id, receiver, step = step.as_str(), "envelope deferred");
            alerts += in_flight.envelope.alerts.len();
            self.metrics.deferred(receiver);
            self.oldest.deferred(receiver, in_flight.envelope.received_at, step.pause());
            in_flight.share.settle_onwards();
        }
        if is_news {
            warn!(receiver, code, envelopes, alerts, wait_ms, error, "deferred");
        } else {
            debug!(receiver, code, envelopes, alerts, wait_ms, error, "deferred once more");
        }
    }

    /// Moves them to the dead letters, many in one publish. Once the queue takes none, those behind are not tried:
    /// whoever dead-letters has others waiting.
    pub(crate) async fn dead_letter(self: &Arc<Self>, mut dead_letters: Vec<DeadLetter<'_>>) {
        dead_letters.retain(|dead_letter| dead_letter.in_flight.is_alive());
        while !dead_letters.is_empty() {
            let rest = dead_letters.split_off(dead_letters.len().min(DEAD_LETTERS_TOGETHER_MAX));
            let letters: Result<Vec<_>, _> = dead_letters.iter().map(letters_of).collect();
            let mut answer = self.begin_to_publish(letters.map(|letters| letters.concat()));
            let sent: Vec<_> =
                dead_letters.into_iter().map(|letter| (letter.in_flight, letter.failure)).collect();
            let is_refused = match timeout(ANSWERED_WITHIN, &mut answer).await.map(not_taken) {
                Ok(Ok(())) => {
                    self.dead_lettered(sent).await;
                    dead_letters = rest;
                    continue;
                }
                Ok(Err(_)) => true,
                Err(_) => false,
            };
            let mut left: Vec<_> = rest.into_iter().map(|letter| letter.in_flight).collect();
            let context = Arc::clone(self);
            self.lifecycle.tasks.spawn(async move {
                let is_taken = !is_refused && context.answered(&mut answer).await.is_ok();
                if is_taken {
                    context.dead_lettered(sent).await;
                } else {
                    left.extend(sent.into_iter().map(|(in_flight, _)| in_flight));
                }
                context.hold_back(left).await;
            });
            return self.rest(REFUSED_PAUSE).await;
        }
    }

    /// The queue has these dead letters. The next to come with their alerts delivers them.
    async fn dead_lettered(&self, letters: Vec<(InFlightEnvelope, Failure)>) {
        let claims = letters.iter().flat_map(|(in_flight, failure)| {
            events_of(&in_flight.envelope, &failure.receiver, IfDelivered::IsDuplicate)
        });
        self.ledger.release(&claims.collect::<Vec<_>>()).await;
        for (in_flight, failure) in letters {
            self.count_dead_letter(in_flight, failure);
        }
    }

    fn count_dead_letter(&self, in_flight: InFlightEnvelope, failure: Failure) {
        self.note_dead(&in_flight, &failure);
        let id = in_flight.envelope.id;
        let alerts = in_flight.envelope.alerts.len();
        let Failure { reason, receiver, code, message, attempts, .. } = failure;
        self.metrics.dead(reason);
        in_flight.share.count(Outcome::DeadLettered, alerts);
        error!(
            outcome = Outcome::DeadLettered.as_str(),
            receiver,
            envelope.id = %id,
            alert.name = in_flight.first_name(),
            alerts,
            reason = reason.as_str(),
            code,
            attempts,
            error = message,
            "went to the dead letters"
        );
        in_flight.share.settle_onwards();
    }

    /// The same for lines that are no envelopes.
    pub(super) async fn dead_letter_lines(&self, mut lines: Vec<Unreadable>) {
        lines.retain(|line| line.share.is_alive());
        while !lines.is_empty() {
            let rest = lines.split_off(lines.len().min(DEAD_LETTERS_TOGETHER_MAX));
            let now = self.clock.now();
            let letters = lines.iter().map(|line| line.letter(now)).collect();
            if not_taken(self.publisher.publish(letters).await).is_err() {
                self.metrics.requeued.inc_by((lines.len() + rest.len()) as u64);
                return self.rest(REFUSED_PAUSE).await;
            }
            for Unreadable { line, why, share, .. } in lines {
                let bytes = line.len();
                self.metrics.dead(Reason::Undecodable);
                error!(
                    reason = Reason::Undecodable.as_str(),
                    bytes,
                    error = why,
                    "a line that is no envelope went to the dead letters"
                );
                share.settle_onwards();
            }
            lines = rest;
        }
    }

    /// Requeues envelopes after a pause, or at a stop: at once, each would be refused again every second, and each time
    /// there might be one more letter.
    async fn hold_back(&self, envelopes: Vec<InFlightEnvelope>) {
        self.rest(DeferStep::Seconds5.pause()).await;
        self.requeue(envelopes);
    }

    /// Lets envelopes go unsettled: their messages come again, here or elsewhere.
    pub(crate) fn requeue(&self, envelopes: impl IntoIterator<Item = InFlightEnvelope>) {
        self.metrics.requeued.inc_by(envelopes.into_iter().map(|_requeued| 1).sum());
    }
}

/// What an answer means for what was published.
fn not_taken(answer: Result<(), PublishError>) -> Result<(), NotTaken> {
    answer.map_err(|cause| {
        warn!(error = %cause, "could not publish onwards; the messages stay, or go back to the queue");
        match cause {
            PublishError::TimedOut | PublishError::Unreachable => NotTaken::Unconfirmed,
            PublishError::Busy | PublishError::Refused(_) => NotTaken::Refused,
        }
    })
}

/// The envelope in the wire format: those of its envelope's alerts that still have to be delivered. One message, as the whole
/// envelope was one line.
fn messages_of(deferral: &Deferred) -> Result<Vec<Message>, EncodeError> {
    let Deferred { in_flight, step, failure, counted } = deferral;
    let to = MessageDestination::Deferred { shard_key: in_flight.envelope.shard_key(), step: *step };
    let headers = Headers {
        attempt: in_flight.headers.attempt.saturating_add(u32::from(*counted)),
        failure: Some(failure.clone()),
        ..in_flight.headers.clone()
    };
    let message = |line: Line| Message { to, body: line.bytes, headers: headers.clone() };
    Ok(encode(&in_flight.envelope)?.into_iter().map(message).collect())
}

impl Unreadable {
    fn letter(&self, now: Timestamp) -> Message {
        let before = self.headers.failure.as_ref();
        let failure = Failure {
            reason: Reason::Undecodable,
            receiver: String::new(),
            code: None,
            message: self.why.clone(),
            attempts: before.map_or(0, |failure| failure.attempts),
            first_failed_at: before.map_or(now, |failure| failure.first_failed_at),
            last_failed_at: now,
            marks: FailureMarks::default(),
        };
        let headers = Headers { failure: Some(failure), ..self.headers.clone() };
        Message { to: MessageDestination::DeadLetters, body: self.line.clone(), headers }
    }
}

fn letters_of(dead_letter: &DeadLetter<'_>) -> Result<Vec<Message>, EncodeError> {
    let DeadLetter { in_flight, failure, refused } = dead_letter;
    let headers = Headers { failure: Some(failure.clone()), ..in_flight.headers.clone() };
    let letter = |line: Line| Message {
        to: MessageDestination::DeadLetters,
        body: with_card(line.bytes, *refused),
        headers: headers.clone(),
    };
    Ok(encode(&in_flight.envelope)?.into_iter().map(letter).collect())
}

fn with_card(line: Bytes, refused: Option<&Card>) -> Bytes {
    let Some(card) = refused.and_then(|card| serde_json::to_vec(&RefusedCard { card }).ok()) else {
        return line;
    };
    let mut body = Vec::with_capacity(line.len() + card.len() + 1);
    body.extend_from_slice(&line);
    body.extend_from_slice(&card);
    body.push(b'\n');
    body.into()
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
