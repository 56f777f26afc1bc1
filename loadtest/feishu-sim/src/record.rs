//! What is remembered of a request.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::Refusal;

/// One request to a bot's webhook, or one call of an app.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Counts from 1 over all bots and apps since the start or the last clearing.
    pub number: u64,
    /// When the request was judged, by the simulator's clock.
    pub at: Timestamp,
    /// What an app called; nothing where this is a message to a webhook.
    pub call: Option<Call>,
    /// The token in the webhook's path, known or not; of a call, the app's id, empty where the caller is unknown.
    pub token: String,
    /// The chat that an app's message is in.
    pub chat_id: Option<String>,
    /// The message of an app: the new one, the repeated one, or the one that was to be updated.
    pub message_id: Option<String>,
    /// The message that this one replies to.
    pub parent_id: Option<String>,
    /// The size of the request's body.
    pub body_bytes: usize,
    /// What became of the message.
    pub verdict: Verdict,
    /// The scripted fault that the request met.
    pub fault: Option<Fault>,
    /// Members who got a notification, `all` for everybody; of an accepted message only, as updates notify nobody. Of an urgent
    /// push those who were called.
    pub mentioned: Vec<String>,
    /// The body of an accepted message or update, as it was sent.
    message: Option<Box<RawValue>>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// It is shown in the group.
    Accepted,
    /// A message shown before shows a new card.
    Updated,
    /// The same `uuid` was sent before: the answer names that message, and nothing new is shown.
    Repeated,
    /// What was asked for was given: a token, or ids.
    Answered,
    /// It was answered with a refusal that the rules demand.
    Refused(Refusal),
    /// A scripted fault came before it was judged.
    Faulted,
}

impl Record {
    pub(crate) fn new(at: Timestamp, call: Option<Call>, body_bytes: usize) -> Self {
        Self {
            number: 0,
            at,
            call,
            token: String::new(),
            chat_id: None,
            message_id: None,
            parent_id: None,
            body_bytes,
            verdict: Verdict::Faulted,
            fault: None,
            mentioned: Vec::new(),
            message: None,
        }
    }

    /// Keeps what is shown from now on.
    pub(crate) fn show(&mut self, verdict: Verdict, body: &[u8]) {
        self.verdict = verdict;
        self.message = serde_json::from_slice(body).ok();
    }

    /// The whole body of an accepted message or update, signature included.
    pub fn message(&self) -> Option<Value> {
        self.message.as_ref().and_then(|body| serde_json::from_str(body.get()).ok())
    }

    /// The card of an accepted `interactive` message or update.
    pub fn card(&self) -> Option<Value> {
        let mut message = self.message()?;
        let Some(call) = self.call else {
            return message.get_mut("card").map(Value::take);
        };
        let is_card = call == Call::Update || message["msg_type"] == "interactive";
        let content = message["content"].as_str().filter(|_| is_card)?;
        serde_json::from_str(content).ok()
    }

    /// What it takes of the journal's memory.
    pub(crate) fn weight_bytes(&self) -> usize {
        let refused = if let Verdict::Refused(refusal) = &self.verdict { refusal.msg.len() } else { 0 };
        let text = refused + self.message.as_ref().map_or(0, |body| body.get().len());
        let ids = [&self.chat_id, &self.message_id, &self.parent_id];
        let ids_bytes: usize = ids.into_iter().flatten().map(String::len).sum();
        size_of::<Self>() + self.token.len() + ids_bytes + text
    }
}
