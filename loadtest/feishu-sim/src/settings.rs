//! What the simulated bots are set to, as on the bot's settings page in a group, and what the simulator
//! itself goes by.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use crate::clock::{Clock, ManualClock};
use crate::ip_rule::IpRule;

/// Memory for records and accepted cards before the oldest are forgotten.
const JOURNAL_LIMIT_BYTES: usize = 64 << 20;

/// A bot's rate limits.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Messages within any second.
    pub per_second: usize,
    /// Messages within any minute.
    pub per_minute: usize,
    /// Whether a message over a limit is refused with 11232. Where it is not, it is still counted in
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
    pub(crate) known_ids: BTreeSet<String>,
    pub(crate) templates: BTreeSet<String>,
    pub(crate) at_all: bool,
    pub(crate) limits: Limits,
}

impl BotSettings {
    /// A bot with the platform's limits and no security settings, in a group that lets it mention everybody.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: token.into(),
            secret: None,
            keywords: Vec::new(),
            allowed_ips: Vec::new(),
            known_ids: BTreeSet::new(),
            templates: BTreeSet::new(),
            at_all: true,
            limits: Limits::default(),
        }
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
        self.known_ids.insert(open_id.into());
        self
    }

    /// Shares a card template with this bot.
    #[must_use]
    pub fn template(mut self, template_id: impl Into<String>) -> Self {
        self.templates.insert(template_id.into());
        self
    }

    /// Lets only the group's admins mention everybody.
    #[must_use]
    pub fn forbid_at_all(mut self) -> Self {
        self.at_all = false;
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
