//! Everything that knows Feishu: what is sent, how, and what the answers mean.

mod app_bot;
mod body;
mod custom_bot;
mod exchange;
mod form;
mod remark;
pub mod verdict;

pub use app_bot::{AppBot, AppBotError, AppCredentials, MessageId, OnceKey, People, ReplyTo, Sent};
pub use body::{BODY_BYTES_MAX, CARD_BYTES_MAX, Content};
pub use custom_bot::{CustomBot, CustomBotError, http_client};
pub use form::{Form, Shape};
