//! Urgent pushes (加急) on messages of the bot's own (reference "Feishu", 4.9).

use config::Urgency;
use jiff::Timestamp;
use reqwest::Method;
use serde::{Deserialize, Serialize};

use super::{ApiCall, AppBot, MessageId, unwritten};
use crate::feishu::verdict::Verdict;

/// What came of a push.
#[derive(Debug)]
pub struct UrgentAnswer {
    /// What the answer means.
    pub verdict: Verdict,
    /// Whom Feishu does not call, by their open ids. The others are called.
    pub invalid: Vec<String>,
}

#[derive(Serialize)]
struct UrgentBody<'b> {
    user_id_list: &'b [&'b str],
}

#[derive(Deserialize)]
struct UrgentReply {
    #[serde(default)]
    data: UrgentData,
}

#[derive(Deserialize, Default)]
struct UrgentData {
    #[serde(default)]
    invalid_user_id_list: Vec<String>,
}

impl AppBot {
    /// Calls people about a message of the bot's, once; at most 200, by their open ids. Nothing makes one call
    /// of two tries: whose answer was lost may be called again.
    pub async fn urge(
        &self,
        message: &MessageId,
        urgency: Urgency,
        people: &[&str],
        now: Timestamp,
    ) -> UrgentAnswer {
        let body = match serde_json::to_vec(&UrgentBody { user_id_list: people }) {
            Ok(body) => body,
            Err(error) => return UrgentAnswer { verdict: unwritten(&error), invalid: Vec::new() },
        };
        let path = ["im", "v1", "messages", message.as_str(), urgency.as_str()];
        let query = &[("user_id_type", "open_id")];
        let call = ApiCall { query, ..ApiCall::new(Method::PATCH, &path, body) };
        match self.call(&call, now).await {
            Ok(answer) => {
                // It was done whatever else the answer says.
                let reply = serde_json::from_slice::<UrgentReply>(&answer).ok();
                let invalid = reply.map(|reply| reply.data.invalid_user_id_list).unwrap_or_default();
                UrgentAnswer { verdict: Verdict::Ok, invalid }
            }
            Err(verdict) => UrgentAnswer { verdict: verdict.of_repeatable(), invalid: Vec::new() },
        }
    }
}
