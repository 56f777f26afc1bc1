//! What the simulated bots are set to, as on the bot's settings page in a group, and what the simulator
//! itself goes by.

mod app;
mod chat;

use std::net::{Ipv4Addr, SocketAddr};

use crate::audience::Audience;
use crate::clock::{Clock, ManualClock};
use crate::fault::Fault;
use crate::ip_rule::IpRule;

pub use app::AppSettings;
pub use chat::{ChatSettings, UserSettings};

/// Memory for records and accepted cards before the oldest are forgotten.
const JOURNAL_LIMIT_BYTES: usize = 64 << 20;

/// Rate limits of a bot, of a chat, or of one kind of call by an app.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Messages within any second.
    pub per_second: usize,
    /// Messages within any minute.
    pub per_minute: usize,
    /// Whether what is over a limit is refused. Where it is not, a message is still counted in
    /// `Totals::over_budget`.
    pub enforced: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_second: 5, per_minute: 100, enforced: true }
    }
}

/// One custom bot in one group.
#[derive(Clone)]
pub struct BotSettings {
    pub(crate) token: String,
    pub(crate) secret: Option<String>,
    pub(crate) keywords: Vec<String>,
    pub(crate) allowed_ips: Vec<IpRule>,
    pub(crate) audience: Audience,
    pub(crate) limits: Limits,
    pub(crate) group: Option<String>,
    pub(crate) faulty_words: Vec<(String, Fault)>,
}

impl BotSettings {
    /// A bot with the platform's limits and no security settings, in a group of its own that lets it mention everybody.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            secret: None,
            keywords: Vec::new(),
            allowed_ips: Vec::new(),
            audience: Audience::default(),
            limits: Limits::default(),
            group: None,
            faulty_words: Vec::new(),
        }
    }

    /// Lets every message with this in its body meet the fault, before any that is scripted: a rule nobody documents.
    #[must_use]
    pub fn faulty_word(mut self, word: impl Into<String>, fault: Fault) -> Self {
        self.faulty_words.push((word.into(), fault));
        self
    }

    /// Puts it into a group that other bots are in too: the group takes 5 messages a second from all of them.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>) -> Self {
        self.group = Some(name.into());
        self
    }

    /// Demands a signature made with this secret.
    #[must_use]
    pub fn secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }

    /// Adds a keyword; a message needs at least one of them.
    #[must_use]
    pub fn keyword(mut self, keyword: impl Into<String>) -> Self {
        self.keywords.push(keyword.into());
        self
    }

    /// Adds an entry to the IP allowlist; without entries every address may send.
    #[must_use]
    pub fn allow_ip(mut self, rule: IpRule) -> Self {
        self.allowed_ips.push(rule);
        self
    }

    /// Adds the `open_id` of a member; a card that mentions anybody else is refused whole.
    #[must_use]
    pub fn known_id(mut self, open_id: impl Into<String>) -> Self {
        self.audience.known_ids.insert(open_id.into());
        self
    }

    /// Shares a card template with this bot.
    #[must_use]
    pub fn template(mut self, template_id: impl Into<String>) -> Self {
        self.audience.templates.insert(template_id.into());
        self
    }

    /// Lets only the group's admins mention everybody.
    #[must_use]
    pub fn forbid_at_all(mut self) -> Self {
        self.audience.at_all = false;
        self
    }

    /// Replaces the platform's rate limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Refuses nothing for its rate; what exceeds the limits is still counted.
    #[must_use]
    pub fn no_limits(mut self) -> Self {
        self.limits.enforced = false;
        self
    }
}

/// What a simulator is started with.
pub struct SimSettings {
    pub(crate) listen: SocketAddr,
    pub(crate) bots: Vec<BotSettings>,
    pub(crate) apps: Vec<AppSettings>,
    pub(crate) chats: Vec<ChatSettings>,
    pub(crate) users: Vec<UserSettings>,
    pub(crate) clock: Clock,
    pub(crate) journal_limit_bytes: usize,
}

impl SimSettings {
    /// A simulator of these bots on a free port of the loopback address, by the system's clock. Of two bots
    /// with the same token the later one counts.
    pub fn new(bots: impl IntoIterator<Item = BotSettings>) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            bots: bots.into_iter().collect(),
            apps: Vec::new(),
            chats: Vec::new(),
            users: Vec::new(),
            clock: Clock::System,
            journal_limit_bytes: JOURNAL_LIMIT_BYTES,
        }
    }

    /// The address to listen on.
    #[must_use]
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Adds an app.
    #[must_use]
    pub fn app(mut self, app: AppSettings) -> Self {
        self.apps.push(app);
        self
    }

    /// Adds a group chat for apps; custom bots have groups of their own.
    #[must_use]
    pub fn chat(mut self, chat: ChatSettings) -> Self {
        self.chats.push(chat);
        self
    }

    /// Adds a person of the tenant.
    #[must_use]
    pub fn user(mut self, user: UserSettings) -> Self {
        self.users.push(user);
        self
    }

    /// Goes by a clock that the test moves.
    #[must_use]
    pub fn clock(mut self, clock: ManualClock) -> Self {
        self.clock = Clock::Manual(clock);
        self
    }

    /// The memory for records and accepted cards, 64 MiB where not set; beyond it the oldest are forgotten.
    #[must_use]
    pub fn journal_limit_bytes(mut self, bytes: usize) -> Self {
        self.journal_limit_bytes = bytes;
        self
    }
}
