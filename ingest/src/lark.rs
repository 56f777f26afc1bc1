//! Feishu calls: events and card callbacks → interactions on the queue. What proves a call, what it says and what
//! it is answered with are decided in the files beside this one; here they are put in order.

mod body;
mod reading;
mod reply;
mod verify;

use std::time::Duration;

use config::{LarkConfig, Locale};
use hyper::HeaderMap;
use jiff::Timestamp;
use model::interaction::{Interaction, InteractionId, encode};
use queue::{Headers, Message, MessageDestination, PublishError, Publisher};
use tokio::time::timeout;
use tracing::error;

use crate::answer::Answer;
use crate::source::SourceError;
use body::{Body, EventForm};
use reading::{Arrival, EventReading};
pub(crate) use reply::Reply;
use verify::{Keys, Unopened, VerifyError};

/// How large a callback may be, in bytes: a message of Feishu's has at most 150 KB, encrypted and escaped twice.
pub(crate) const CALLBACK_BYTES_MAX: usize = 1024 * 1024;
/// How long the queue may take to confirm. Feishu waits 3 s for an answer, and its way there and back takes some.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(2);

/// Which address was called. It decides nothing: what a body is shows in itself, so both addresses take everything,
/// and someone who enters one of them for both kinds of callback is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Address {
    /// `/lark/event`.
    Event,
    /// `/lark/card/action`.
    CardAction,
}

impl Address {
    pub(crate) const ALL: [Self; 2] = [Self::Event, Self::CardAction];

    /// The word used in logs and in metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::CardAction => "card_action",
        }
    }
}

/// Every outcome, for metrics that show each from the start.
pub(crate) fn codes() -> impl Iterator<Item = &'static str> {
    reply::LABELS.into_iter().chain(VerifyError::LABELS).chain(reply::REFUSALS)
}

/// Takes callbacks.
#[derive(Debug)]
pub(crate) struct Callbacks {
    /// None: nobody could prove anything, so nothing is taken.
    keys: Option<Keys>,
    pub(crate) locale: Locale,
}

/// A callback as it came.
#[derive(Debug)]
pub(crate) struct Call<'r> {
    pub(crate) headers: &'r HeaderMap,
    /// The very bytes: they are what is signed.
    pub(crate) body: &'r [u8],
    pub(crate) received_at: Timestamp,
    /// The id it gets if it becomes an interaction.
    pub(crate) id: InteractionId,
}

/// A call that is believed, and something to record.
#[derive(Debug)]
pub(crate) struct Taken {
    interaction: Box<Interaction>,
    /// Whether a person waits for a toast.
    press: bool,
}

impl Callbacks {
    pub(crate) fn new(config: &LarkConfig, locale: Locale) -> Self {
        Self { keys: Keys::new(config), locale }
    }

    /// Whether anything is configured that a call could prove itself with.
    pub(crate) fn are_on(&self) -> bool {
        self.keys.is_some()
    }

    /// The interaction that the call is, once it is believed; or the reply, where there is nothing to record. Pure.
    pub(crate) fn read(&self, call: &Call<'_>) -> Result<Taken, Reply> {
        let keys = self.keys.as_ref().ok_or(Reply::Off)?;
        let letter =
            keys.open(call.headers, call.body, call.received_at).map_err(|unopened| match unopened {
                Unopened::Doubted(doubt) => Reply::Doubted(doubt),
                Unopened::NotJson(error) => {
                    Reply::Refused(Answer::NotUnderstood(SourceError::not_json(&error)))
                }
            })?;
        let body: Body<'_> = letter.body().map_err(Reply::Doubted)?;
        keys.believe(&letter, &body, call.received_at).map_err(Reply::Doubted)?;
        if let EventForm::Challenge = body.form() {
            return Err(Reply::Challenge(body.challenge.0.into_owned()));
        }
        let press = body.is_press();
        match body.read(&letter.text, Arrival { id: call.id, received_at: call.received_at }) {
            EventReading::Taken(interaction) => Ok(Taken { interaction, press }),
            EventReading::Ignored => Err(Reply::Ignored),
            EventReading::Unusable => Err(Reply::Unusable { press }),
        }
    }
}

impl Taken {
    /// Puts it on the queue.
    pub(crate) async fn record(self, publisher: &dyn Publisher) -> Reply {
        let Self { interaction, press } = self;
        let id = interaction.id;
        let kind = interaction.act.as_str();
        match record(&interaction, publisher).await {
            Ok(()) => Reply::Recorded { id, kind, press },
            Err(cause) => Reply::NotRecorded { cause, press },
        }
    }
}

async fn record(interaction: &Interaction, publisher: &dyn Publisher) -> Result<(), Answer> {
    let body = encode(interaction).map_err(|fault| {
        error!(error = %fault, "an interaction could not be written");
        Answer::Internal
    })?;
    let message = Message { to: MessageDestination::Interactions, body, headers: Headers::default() };
    let confirmed = timeout(CONFIRM_TIMEOUT, publisher.publish(vec![message])).await;
    confirmed.unwrap_or(Err(PublishError::TimedOut)).map_err(Answer::NotQueued)
}

#[cfg(test)]
mod tests;
