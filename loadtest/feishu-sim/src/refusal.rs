//! Why the platform refuses a message: the code and text inside its answer, which comes with HTTP 200 at a webhook
//! and with HTTP 400 at an app's API.
//!
//! Codes are those of the custom-bot guide, of the pages of the message and contact APIs, and of the platform's table
//! of common codes.

use serde_json::{Value, json};

/// How a webhook begins to say that a message cannot be made.
const CONTENT_FAILED: &str = "create message content fail";

/// A refusal as a sender sees it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{code}: {msg}")]
pub struct Refusal {
    /// The platform's code, never 0.
    pub code: i64,
    /// The text beside the code; for 11246 and 230099 it carries the sub-code as `ErrCode: n`.
    pub msg: String,
}

impl Refusal {
    /// A refusal with any code and text.
    pub fn new(code: i64, msg: impl Into<String>) -> Self {
        Self { code, msg: msg.into() }
    }

    pub(crate) fn bad_request(detail: &str) -> Self {
        Self::new(9499, format!("Bad Request: {detail}"))
    }

    pub(crate) fn params(detail: &str) -> Self {
        Self::new(19002, format!("params error, {detail}"))
    }

    pub(crate) fn unknown_token() -> Self {
        Self::new(19001, "param invalid: incoming webhook access token invalid")
    }

    pub(crate) fn sign() -> Self {
        Self::new(19021, "sign match fail or timestamp is not within one hour from current time")
    }

    pub(crate) fn ip() -> Self {
        Self::new(19022, "Ip Not Allowed")
    }

    pub(crate) fn keywords() -> Self {
        Self::new(19024, "Key Words Not Found")
    }

    pub(crate) fn too_large() -> Self {
        Self::new(19036, "message exceeds size limit of 30KB")
    }

    pub(crate) fn too_often() -> Self {
        Self::new(Self::TOO_OFTEN, "create message service trigger rate limit, frequency limited")
    }

    pub(crate) fn too_often_in_group() -> Self {
        Self::new(Self::TOO_OFTEN_IN_GROUP, "create message chat trigger rate limit")
    }

    pub(crate) fn at_all() -> Self {
        Self::new(11235, "only admin can mention @All")
    }

    /// A message whose content the platform cannot make, with the sub-code that says why.
    pub(crate) fn content(sub_code: u32, detail: &str) -> Self {
        Self::new(11246, format!("{CONTENT_FAILED}, ext=ErrCode: {sub_code}; ErrMsg: {detail}"))
    }

    /// The code of a custom bot's own limits.
    const TOO_OFTEN: i64 = 11232;

    /// The code of the limits of a group, at a webhook.
    const TOO_OFTEN_IN_GROUP: i64 = 11233;

    /// The code of an app's limits, at the gateway.
    pub(crate) const GATEWAY: i64 = 99_991_400;

    /// The code of the limits of a chat and of the updates of a message.
    const TOO_OFTEN_HERE: i64 = 230_020;

    /// The service's words for a message of an app whose content it cannot make; what custom bots hear is another
    /// code with the same sub-codes.
    pub(crate) fn heard_by_app(self) -> Self {
        match self.msg.strip_prefix(CONTENT_FAILED) {
            Some(rest) if self.code == 11246 => {
                Self::new(230_099, format!("Failed to create card content{rest}"))
            }
            _ => self,
        }
    }

    /// A parameter that the message service does not take.
    pub(crate) fn invalid(detail: &str) -> Self {
        Self::new(230_001, format!("Your request contains an invalid request parameter: {detail}"))
    }

    /// A parameter that does not even reach the service.
    pub(crate) fn field(detail: &str) -> Self {
        Self::new(99_992_402, format!("field validation failed: {detail}"))
    }

    pub(crate) fn too_often_here(what: &str) -> Self {
        Self::new(Self::TOO_OFTEN_HERE, format!("This operation triggers the frequency limit of the {what}."))
    }

    /// Whether a limit is the reason, which `Totals::throttled` counts.
    pub(crate) fn is_for_rate(&self) -> bool {
        matches!(self.code, Self::TOO_OFTEN | Self::TOO_OFTEN_IN_GROUP | Self::TOO_OFTEN_HERE | Self::GATEWAY)
    }

    /// The answer's body. The documented samples of the security checks have no `data`.
    pub(crate) fn body(&self) -> Value {
        match self.code {
            19021 | 19022 | 19024 => json!({"code": self.code, "msg": self.msg}),
            _ => json!({"code": self.code, "msg": self.msg, "data": {}}),
        }
    }
}
