//! Everything a request can be answered with, and what each answer looks like: one table.
//!
//! Alertmanager tries again after a 5xx or a broken connection only; any 4xx, 429 included, costs it a whole
//! `group_interval`. So whatever may pass later is a 503, and nothing else is; except for Nightingale, which waits after a
//! 429 only.

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use config::SuccessStatus;
use http_body_util::Full;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use model::envelope::{EnvelopeId, Source};
use queue::PublishError;
use serde::Serialize;
use serde_json::json;

use crate::gate::Refusal;
use crate::source::{Endpoint, SourceError};

/// Most answers are shorter than this.
const ANSWER_BYTES: usize = 128;
/// How long a sender is asked to wait for a place in memory or in the queue's window.
const RETRY_SOON: Duration = Duration::from_secs(1);
/// How long it is asked to wait for a queue that is away or slow.
const RETRY_LATER: Duration = Duration::from_secs(5);

/// What a request is answered with.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The queue has it, durably.
    Accepted {
        /// The (first) envelope.
        id: EnvelopeId,
        /// How many alerts it said; none where there was nothing to tell.
        alerts: usize,
        /// What its sender takes for a success.
        style: ReceiptStyle,
    },
    /// No such address.
    NoSuchPath,
    /// The address exists, the method does not.
    WrongMethod,
    /// It comes from an address that is not on the list.
    AddressRefused,
    /// No credentials, or none we know.
    Unauthorized(Refusal),
    /// The path or the query names a receiver that is not configured.
    NoSuchReceiver,
    /// The query names a bot's webhook that is no configured receiver's.
    NoSuchHook,
    /// The query asks for another channel than Feishu.
    OtherChannel,
    /// The sender is not on the list.
    SenderRefused,
    /// The body is compressed in a way that is not taken.
    Compressed,
    /// The body is larger than one may be.
    BodyTooLarge {
        /// How large one may be.
        limit_bytes: usize,
    },
    /// The body would take more memory than all bodies may have together.
    TooLargeInMemory {
        /// What it would take.
        bytes: usize,
        /// `limits.bodies_bytes`.
        limit_bytes: usize,
    },
    /// The body did not arrive in time.
    BodyTimedOut,
    /// The connection broke, or the body's framing is wrong.
    BodyBroken,
    /// All bodies together are as large as they may be.
    MemoryFull,
    /// The body was not understood.
    NotUnderstood(SourceError),
    /// The queue did not confirm.
    NotQueued(PublishError),
    /// A fault of ours.
    Internal,
}

/// The values of the metric label `code`, which is also the `code` in error bodies.
pub(crate) const CODES: [&str; 24] = [
    "accepted",
    "no_such_path",
    "method",
    "ip",
    "credentials_missing",
    "credentials_wrong",
    "credentials_expired",
    "no_such_receiver",
    "no_such_hook",
    "other_channel",
    "sender",
    "compressed",
    "body_too_large",
    "body_timed_out",
    "body_broken",
    "memory_full",
    "not_json",
    "unknown_format",
    "too_many_alerts",
    "queue_busy",
    "queue_unreachable",
    "queue_timed_out",
    "queue_refused",
    "internal",
];

/// The codes of what the gate refuses. Who is refused again and again waits for it.
pub(crate) const REFUSALS: [&str; 5] =
    ["ip", "credentials_missing", "credentials_wrong", "credentials_expired", "sender"];

/// How one answer is given.
#[derive(Debug)]
pub(crate) struct AnswerForm {
    /// The status.
    pub(crate) status: StatusCode,
    /// The outcome as metrics, logs and error bodies name it; one of `CODES`.
    pub(crate) code: &'static str,
    /// What it says.
    pub(crate) content: AnswerBody,
    header: Option<(HeaderName, HeaderValue)>,
}

/// What an answer says.
#[derive(Debug)]
pub(crate) enum AnswerBody {
    /// The alerts were taken.
    Taken(Receipt),
    /// They were not; the reason.
    Refused(String),
}

/// What a sender takes for a success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReceiptStyle {
    /// `202` and our own words.
    Own,
    /// The same with `200`: Nightingale's channels and others take nothing else for a success.
    OwnWith200,
    /// The same, and the code of 0 that clients of `/alert` look for.
    LokiFeishu,
    /// As a custom bot of Feishu answers.
    FeishuBot,
    /// As the robots of DingTalk and WeCom answer.
    ChatBot,
    /// As an Alertmanager answers: `200`, and nothing.
    AlertmanagerApi,
    /// As prometheus-webhook-dingtalk answers.
    DingtalkBridge,
    /// As PrometheusAlert answers: a text in JSON.
    PrometheusAlert,
}

impl ReceiptStyle {
    /// What whoever sends this to that address looks for.
    pub(crate) const fn of(endpoint: Endpoint, source: Source, answer: SuccessStatus) -> Self {
        match (endpoint, source) {
            (Endpoint::LokiFeishu, _) => Self::LokiFeishu,
            (Endpoint::AlertmanagerApi, _) => Self::AlertmanagerApi,
            (Endpoint::DingtalkBridge, _) => Self::DingtalkBridge,
            (Endpoint::PrometheusAlert, _) => Self::PrometheusAlert,
            (Endpoint::FeishuBot, _) | (_, Source::FeishuBot) => Self::FeishuBot,
            (Endpoint::DingtalkBot | Endpoint::WecomBot, _) | (_, Source::DingtalkBot | Source::WecomBot) => {
                Self::ChatBot
            }
            (Endpoint::Any, Source::Nightingale | Source::TencentCloud) => Self::OwnWith200,
            (Endpoint::Any, _) if matches!(answer, SuccessStatus::Ok) => Self::OwnWith200,
            (Endpoint::Any, _) => Self::Own,
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Own | Self::LokiFeishu => StatusCode::ACCEPTED,
            Self::OwnWith200
            | Self::FeishuBot
            | Self::ChatBot
            | Self::AlertmanagerApi
            | Self::DingtalkBridge
            | Self::PrometheusAlert => StatusCode::OK,
        }
    }
}

/// What is said of alerts that were taken. A type of its own because it is the one answer that is given all the time.
#[derive(Debug, Serialize)]
pub(crate) struct Receipt {
    id: EnvelopeId,
    accepted: usize,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    verdict: Option<Verdict>,
    #[serde(skip)]
    style: ReceiptStyle,
}

/// What clients of `/alert` look for.
#[derive(Debug, Serialize)]
struct Verdict {
    code: u8,
    message: &'static str,
}

impl Receipt {
    fn response(&self) -> Response<Full<Bytes>> {
        let status = self.style.status();
        match self.style {
            ReceiptStyle::Own | ReceiptStyle::OwnWith200 | ReceiptStyle::LokiFeishu => {
                json_response(status, self)
            }
            ReceiptStyle::FeishuBot => json_response(
                status,
                &json!({"code": 0, "msg": "success", "data": {}, "StatusCode": 0, "StatusMessage": "success"}),
            ),
            ReceiptStyle::ChatBot => json_response(status, &json!({"errcode": 0, "errmsg": "ok"})),
            ReceiptStyle::PrometheusAlert => json_response(status, &self.to_string()),
            ReceiptStyle::AlertmanagerApi => Response::new(Full::default()),
            ReceiptStyle::DingtalkBridge => {
                let mut response = Response::new(Full::new(Bytes::from_static(b"OK")));
                response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
                response
            }
        }
    }
}

impl fmt::Display for Receipt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} as {}", self.accepted, self.id)
    }
}

impl Answer {
    /// Whether the body broke off or took too long. The rest of such a one is not waited for.
    pub(crate) fn is_of_broken_body(&self) -> bool {
        matches!(self, Self::BodyTimedOut | Self::BodyBroken)
    }

    /// The one table.
    pub(crate) fn form(&self) -> AnswerForm {
        use StatusCode as S;
        match self {
            Self::Accepted { id, alerts, style } => {
                let is_of_alert = *style == ReceiptStyle::LokiFeishu;
                let verdict = is_of_alert.then_some(Verdict { code: 0, message: "Success" });
                let receipt = Receipt { id: *id, accepted: *alerts, verdict, style: *style };
                let content = AnswerBody::Taken(receipt);
                AnswerForm { status: style.status(), code: "accepted", content, header: None }
            }
            Self::NoSuchPath => {
                AnswerForm::new(S::NOT_FOUND, "no_such_path", "there is nothing at this address")
            }
            Self::WrongMethod => {
                AnswerForm::new(S::METHOD_NOT_ALLOWED, "method", "use POST").with(ALLOW, "POST, PUT")
            }
            Self::AddressRefused => AnswerForm::new(S::FORBIDDEN, "ip", "IP not allowed"),
            Self::Unauthorized(refusal) => AnswerForm::of_refusal(*refusal),
            Self::NoSuchReceiver => {
                AnswerForm::new(S::NOT_FOUND, "no_such_receiver", "no receiver of this name is configured")
            }
            Self::NoSuchHook => AnswerForm::new(S::NOT_FOUND, "no_such_hook", NO_SUCH_HOOK),
            Self::OtherChannel => AnswerForm::new(S::UNPROCESSABLE_ENTITY, "other_channel", OTHER_CHANNEL),
            Self::SenderRefused => {
                AnswerForm::new(S::FORBIDDEN, "sender", "this `sender_id` may not send alerts")
            }
            Self::Compressed => AnswerForm::new(
                S::UNSUPPORTED_MEDIA_TYPE,
                "compressed",
                "send the body uncompressed, or with gzip",
            ),
            Self::BodyTooLarge { limit_bytes } => {
                let error = format!("the body is larger than {limit_bytes} bytes");
                AnswerForm::new(S::PAYLOAD_TOO_LARGE, "body_too_large", error)
            }
            Self::TooLargeInMemory { bytes, limit_bytes } => {
                let error = format!(
                    "reading this body would take {bytes} bytes of memory; limits.bodies_bytes is {limit_bytes}"
                );
                AnswerForm::new(S::PAYLOAD_TOO_LARGE, "body_too_large", error)
            }
            Self::BodyTimedOut => {
                AnswerForm::new(S::REQUEST_TIMEOUT, "body_timed_out", "the body took too long")
            }
            Self::BodyBroken => {
                AnswerForm::new(S::BAD_REQUEST, "body_broken", "the body ended before it was complete")
            }
            Self::MemoryFull => {
                let error = "too much at once for limits.bodies_bytes; try again";
                AnswerForm::new(S::SERVICE_UNAVAILABLE, "memory_full", error).retry(RETRY_SOON)
            }
            Self::NotUnderstood(error) => AnswerForm::of_body(error),
            Self::NotQueued(error) => AnswerForm::of_queue(error),
            Self::Internal => {
                AnswerForm::new(S::INTERNAL_SERVER_ERROR, "internal", "a fault of ours; try again")
            }
        }
    }
}

const NO_SUCH_HOOK: &str = "this webhook is none of a configured receiver's: put it into `receivers.NAME.webhook_url`, \
     or name a receiver with `receiver=NAME`";
const OTHER_CHANNEL: &str =
    "Larkfire sends to Feishu and Lark: use `type=fs`, or leave the other channels with PrometheusAlert";
const CHALLENGE: &str = r#"Bearer, Basic realm="larkfire""#;

impl AnswerForm {
    /// A refusal.
    pub(crate) fn new(status: StatusCode, code: &'static str, error: impl Into<String>) -> Self {
        Self { status, code, content: AnswerBody::Refused(error.into()), header: None }
    }

    /// The response that says it.
    pub(crate) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = match &self.content {
            AnswerBody::Taken(receipt) => receipt.response(),
            AnswerBody::Refused(error) => {
                json_response(self.status, &json!({ "error": error, "code": self.code }))
            }
        };
        response.headers_mut().extend(self.header);
        response
    }

    fn of_refusal(refusal: Refusal) -> Self {
        let (code, error) = match refusal {
            Refusal::Missing => {
                ("credentials_missing", "one `Authorization` header or one signature is needed")
            }
            Refusal::Wrong => ("credentials_wrong", "these credentials are not known here"),
            Refusal::ForReceiver => (
                "credentials_wrong",
                "the receiver that this body is for takes other credentials (`gate.paths`)",
            ),
            Refusal::Expired => {
                ("credentials_expired", "the time that was signed is more than 5 minutes off")
            }
        };
        Self::new(StatusCode::UNAUTHORIZED, code, error).with(WWW_AUTHENTICATE, CHALLENGE)
    }

    fn of_body(error: &SourceError) -> Self {
        let (status, code) = match error {
            SourceError::NotJson { .. } => (StatusCode::BAD_REQUEST, "not_json"),
            SourceError::Unknown { .. } | SourceError::NoSuchSource | SourceError::Placeholder => {
                (StatusCode::UNPROCESSABLE_ENTITY, "unknown_format")
            }
            SourceError::TooManyAlerts { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_many_alerts"),
        };
        Self::new(status, code, error.to_string())
    }

    fn of_queue(error: &PublishError) -> Self {
        let (code, wait) = match error {
            PublishError::Busy => ("queue_busy", RETRY_SOON),
            PublishError::Unreachable => ("queue_unreachable", RETRY_LATER),
            PublishError::TimedOut => ("queue_timed_out", RETRY_LATER),
            PublishError::Refused(_) => ("queue_refused", RETRY_LATER),
        };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, error.to_string()).retry(wait)
    }

    /// The same for a sender that waits and sends again after a `429` only, and takes a `503` for a success.
    pub(crate) fn with_429(self) -> Self {
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            Self { status: StatusCode::TOO_MANY_REQUESTS, ..self }
        } else {
            self
        }
    }

    fn with(self, name: HeaderName, value: &'static str) -> Self {
        Self { header: Some((name, HeaderValue::from_static(value))), ..self }
    }

    fn retry(self, wait: Duration) -> Self {
        Self { header: Some((RETRY_AFTER, HeaderValue::from(wait.as_secs()))), ..self }
    }
}

/// A response that says `body`.
pub(crate) fn json_response(status: StatusCode, body: &impl Serialize) -> Response<Full<Bytes>> {
    let mut text = Vec::with_capacity(ANSWER_BYTES);
    // Of text and numbers under fixed names: nothing of it can fail, and an empty answer would be no lie.
    if serde_json::to_writer(&mut text, body).is_ok() {
        text.push(b'\n');
    }
    let mut response = Response::new(Full::new(Bytes::from(text)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
