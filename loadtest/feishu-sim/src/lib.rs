//! A strict simulator of Feishu's custom-bot webhook and of the API that app bots use, for tests and load tests.
//!
//! It refuses what the platform's documentation says is refused, with the documented codes, and shares no
//! code with Larkfire, so that a mistake of ours cannot agree with itself. Start one with
//! [`FeishuSim::start`], or run the binary.

mod accounts;
mod audience;
mod bot;
mod call;
mod card;
mod card_view;
mod clock;
mod control;
mod fault;
mod gateway;
mod hook;
mod inline_tag;
mod ip_rule;
mod journal;
mod listener_order;
mod message;
mod page;
mod platform;
mod record;
mod refusal;
mod request;
mod response;
mod server;
mod settings;
mod sign;
mod sim;
mod state;
mod window;
mod wire;

pub use call::Call;
pub use card::judge_card;
pub use clock::ManualClock;
pub use fault::{Fault, Lasting};
pub use ip_rule::{IpRule, IpRuleError};
pub use journal::Totals;
pub use platform::UnknownApp;
pub use record::{Record, Verdict};
pub use refusal::Refusal;
pub use settings::{AppSettings, BotSettings, ChatSettings, Limits, SimSettings, UserSettings};
pub use sim::{FeishuSim, TooFewCards};
pub use state::UnknownToken;
