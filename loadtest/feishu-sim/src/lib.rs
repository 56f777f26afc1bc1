//! A strict simulator of Feishu's custom-bot webhook, for tests and load tests.
//!
//! It refuses what the platform's documentation says is refused, with the documented codes, and shares no
//! code with Larkfire, so that a mistake of ours cannot agree with itself. Start one with
//! [`FeishuSim::start`], or run the binary.

mod bot;
mod card;
mod card_view;
mod clock;
mod control;
mod fault;
mod hook;
mod inline_tag;
mod ip_rule;
mod journal;
mod message;
mod page;
mod record;
mod refusal;
mod server;
mod settings;
mod sign;
mod sim;
mod state;
mod window;
mod wire;

pub use clock::ManualClock;
pub use fault::{Fault, Lasting};
pub use ip_rule::{IpRule, IpRuleError};
pub use journal::Totals;
pub use record::{Record, Verdict};
pub use refusal::Refusal;
pub use settings::{BotSettings, Limits, SimSettings};
pub use sim::{FeishuSim, TooFewCards};
pub use state::UnknownToken;
