//! Everything that knows Feishu: what is sent, how, and what the answers mean.

pub(crate) mod advice;
mod app_bot;
mod body;
mod custom_bot;
pub(crate) mod exchange;
mod form;
mod http_client;
pub mod limits;
pub(crate) mod metrics;
pub(crate) mod picture;
mod remark;
pub(crate) mod sender;
pub mod verdict;
mod webhook;

pub use app_bot::{
    AppBot, AppBotError, AppCredentials, LoginTrouble, LoginUser, MessageId, OnceKey, People, ReplyTo, Sent,
    UrgentAnswer,
};
pub use body::CardContent;
pub use custom_bot::{CustomBot, CustomBotError};
pub use form::{Form, Shape};
pub(crate) use http_client::believing;
pub use http_client::{HttpClientError, http_client};
pub use limits::{BODY_BYTES_MAX, CARD_BYTES_MAX};
pub use webhook::{NoAnswer, WebhookAnswer, WebhookPort, Webhooks};
