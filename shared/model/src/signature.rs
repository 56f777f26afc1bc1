//! Feishu's signatures and its encryption. Pure: bytes and time in, text or yes/no out.

mod bot;
mod callback;
mod decrypt;

pub use bot::{BotSign, bot_sign};
pub use callback::{SignatureHeaders, is_same_secret};
pub use decrypt::{DecryptError, decrypt};
