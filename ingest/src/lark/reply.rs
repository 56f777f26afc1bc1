//! Everything Feishu can be answered with: one table. Events are answered by status, because a 5xx makes Feishu send
//! them again; presses by a toast inside a 200, because anything else shows the person an error number of Feishu's.
//! Pure.

use bytes::Bytes;
use config::Locale;
use http_body_util::Full;
use hyper::{Response, StatusCode};
use model::interaction::InteractionId;
use serde_json::{Value, json};

use super::Address;
use super::verify::VerifyError;
use crate::answer::{Answer, AnswerBody, AnswerForm};

/// What a callback is answered with.
#[derive(Debug)]
pub(crate) enum Reply {
    /// The address is ours; the challenge, to be sent back.
    Challenge(String),
    /// The queue has it, durably.
    Recorded {
        /// Its name.
        id: InteractionId,
        /// What it is.
        kind: &'static str,
        /// Whether a person waits for a toast.
        press: bool,
    },
    /// From Feishu, and of no use to us. Not acknowledging it would make Feishu send it again.
    Ignored,
    /// Of a type we take, without what makes it useful.
    Unusable {
        /// Whether a person waits for a toast.
        press: bool,
    },
    /// The queue does not have it.
    NotRecorded {
        /// What went wrong.
        cause: Answer,
        /// Whether a person waits for a toast.
        press: bool,
    },
    /// Not from Feishu, as far as we can tell.
    Doubted(VerifyError),
    /// Nothing is configured that could tell.
    Off,
    /// As any other request could be refused.
    Refused(Answer),
}

/// What a toast says.
#[derive(Clone, Copy)]
enum Toast {
    Recorded,
    NotRecorded,
    Unusable,
}

/// The labels of outcomes that are no refusals.
pub(super) const LABELS: [&str; 5] = ["challenge", "recorded", "ignored", "unusable", "off"];

/// The refusals a callback can meet, as `Answer` names them.
pub(super) const REFUSALS: [&str; 11] = [
    "compressed",
    "body_too_large",
    "body_timed_out",
    "body_broken",
    "memory_full",
    "not_json",
    "queue_busy",
    "queue_unreachable",
    "queue_timed_out",
    "queue_refused",
    "internal",
];

impl Reply {
    /// The body could not be read. A person who pressed is told when it is worth to press again.
    pub(crate) fn unread(cause: Answer, address: Address) -> Self {
        match (cause, address) {
            (cause @ Answer::MemoryFull, Address::CardAction) => Self::NotRecorded { cause, press: true },
            (cause, Address::Event | Address::CardAction) => Self::Refused(cause),
        }
    }

    /// The outcome as the metrics name it.
    pub(crate) fn code(&self) -> &'static str {
        match self {
            Self::Challenge(_) => "challenge",
            Self::Recorded { .. } => "recorded",
            Self::Ignored => "ignored",
            Self::Unusable { .. } => "unusable",
            Self::NotRecorded { cause: answer, .. } | Self::Refused(answer) => answer.form().code,
            Self::Doubted(doubt) => doubt.as_str(),
            Self::Off => "off",
        }
    }

    /// Whether the body broke off or took too long. The rest of such a one is not waited for.
    pub(crate) fn is_of_broken_body(&self) -> bool {
        matches!(self, Self::Refused(answer) if answer.is_of_broken_body())
    }

    /// What there is to say about it to the operator: why nothing came of it.
    pub(crate) fn complaint(&self) -> Option<String> {
        match self {
            Self::Challenge(_) | Self::Recorded { .. } | Self::Ignored => None,
            Self::Unusable { .. } => Some("it lacks who did what".to_owned()),
            Self::NotRecorded { cause: answer, .. } | Self::Refused(answer) => match answer.form().content {
                AnswerBody::Refused(reason) => Some(reason),
                AnswerBody::Taken(_) => None,
            },
            Self::Doubted(doubt) => Some(match doubt {
                VerifyError::Signature => "its signature is missing or wrong".to_owned(),
                VerifyError::Stale => "its signature is of another day".to_owned(),
                VerifyError::Encryption => "it cannot be decrypted with LARK_ENCRYPT_KEY".to_owned(),
                VerifyError::Token => "its token is not LARK_VERIFICATION_TOKEN".to_owned(),
            }),
            Self::Off => Some(OFF.to_owned()),
        }
    }

    /// The response that says it, to people in `locale` where their own language is not known.
    pub(crate) fn into_response(self, locale: Locale) -> Response<Full<Bytes>> {
        let form = match self {
            Self::Challenge(challenge) => return ok(&json!({ "challenge": challenge })),
            Self::Recorded { press: true, .. } => return ok(&Toast::Recorded.json(locale)),
            Self::NotRecorded { press: true, .. } => return ok(&Toast::NotRecorded.json(locale)),
            Self::Unusable { press: true } => return ok(&Toast::Unusable.json(locale)),
            Self::Recorded { press: false, .. } | Self::Ignored | Self::Unusable { press: false } => {
                return ok(&json!({}));
            }
            Self::NotRecorded { cause: answer, press: false } | Self::Refused(answer) => answer.form(),
            Self::Doubted(_) => AnswerForm::new(StatusCode::UNAUTHORIZED, "unauthorized", "unauthorized"),
            Self::Off => AnswerForm::new(StatusCode::NOT_FOUND, "callbacks_off", OFF),
        };
        form.into_response()
    }
}

const OFF: &str = "callbacks are off: neither LARK_ENCRYPT_KEY nor LARK_VERIFICATION_TOKEN is set";

impl Toast {
    /// Both callbacks, the old and the new, take a toast in this form; they differ in how they take a card.
    fn json(self, locale: Locale) -> Value {
        let (kind, zh, en) = match self {
            Self::Recorded => ("success", "已记录，谢谢！", "Recorded, thank you."),
            Self::NotRecorded => {
                ("error", "未能记录，请再按一次。", "This could not be recorded. Please press again.")
            }
            Self::Unusable => ("warning", "这个按钮无法识别。", "This button is not understood."),
        };
        let content = match locale {
            Locale::ZhCn => zh,
            Locale::En => en,
        };
        json!({ "toast": { "type": kind, "content": content, "i18n": { "zh_cn": zh, "en_us": en } } })
    }
}

fn ok(body: &Value) -> Response<Full<Bytes>> {
    crate::answer::json_response(StatusCode::OK, body)
}
