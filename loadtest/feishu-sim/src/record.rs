//! What is remembered of a request.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::fault::Fault;
use crate::refusal::Refusal;

/// One request to a bot's webhook.
#[derive(Debug, Clone, Serialize)]
pub struct Record {
    /// Counts from 1 over all bots since the start or the last clearing.
    pub number: u64,
    /// When the request was judged, by the simulator's clock.
    pub at: Timestamp,
    /// The token in the path, known or not.
    pub token: String,
    /// The size of the request's body.
    pub body_bytes: usize,
    /// What became of the message.
    pub verdict: Verdict,
    /// The scripted fault that the request met.
    pub fault: Option<Fault>,
    /// Members who got a notification, `all` for everybody; of an accepted message only.
    pub mentioned: Vec<String>,
    /// The body of an accepted message, as it was sent.
    message: Option<Box<RawValue>>,
}

/// What became of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Verdict {
    /// It is shown in the group.
    Accepted,
    /// It was answered with a refusal that the rules demand.
    Refused(Refusal),
    /// A scripted fault came before it was judged.
    Faulted,
}

impl Record {
    pub(crate) fn new(at: Timestamp, token: &str, body_bytes: usize) -> Self {
        Self {
            number: 0,
            at,
            token: token.to_owned(),
            body_bytes,
            verdict: Verdict::Faulted,
            fault: None,
            mentioned: Vec::new(),
            message: None,
        }
    }

    pub(crate) fn accept(&mut self, mentioned: Vec<String>, body: &[u8]) {
        self.verdict = Verdict::Accepted;
        self.mentioned = mentioned;
        self.message = serde_json::from_slice(body).ok();
    }

    /// The whole body of an accepted message, signature included.
    pub fn message(&self) -> Option<Value> {
        self.message.as_ref().and_then(|body| serde_json::from_str(body.get()).ok())
    }

    /// The card of an accepted `interactive` message.
    pub fn card(&self) -> Option<Value> {
        self.message()?.get_mut("card").map(Value::take)
    }

    /// What it takes of the journal's memory.
    pub(crate) fn weight_bytes(&self) -> usize {
        let text = match &self.verdict {
            Verdict::Refused(refusal) => refusal.msg.len(),
            Verdict::Accepted | Verdict::Faulted => self.message.as_ref().map_or(0, |body| body.get().len()),
        };
        size_of::<Self>() + self.token.len() + text
    }
}
