//! Why the platform refuses a message: the code and text inside its answer, which mostly comes with HTTP 200.
//!
//! Codes are those of the custom-bot guide and of the platform's table of common codes.

use serde_json::{Value, json};

/// A refusal as a sender sees it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, thiserror::Error)]
#[error("{code}: {msg}")]
pub struct Refusal {
    /// The platform's code, never 0.
    pub code: i64,
    /// The text beside the code; for 11246 it carries the sub-code as `ErrCode: n`.
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

    pub(crate) fn at_all() -> Self {
        Self::new(11235, "only admin can mention @All")
    }

    /// A message whose content the platform cannot make, with the sub-code that says why.
    pub(crate) fn content(sub_code: u32, detail: &str) -> Self {
        Self::new(11246, format!("create message content fail, ext=ErrCode: {sub_code}; ErrMsg: {detail}"))
    }

    /// The code of the bot's own limits, which `Totals::throttled` counts.
    pub(crate) const TOO_OFTEN: i64 = 11232;

    /// The answer's body. The documented samples of the security checks have no `data`.
    pub(crate) fn body(&self) -> Value {
        match self.code {
            19021 | 19022 | 19024 => json!({"code": self.code, "msg": self.msg}),
            _ => json!({"code": self.code, "msg": self.msg, "data": {}}),
        }
    }
}
