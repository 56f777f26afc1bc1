//! Settings of all roles: one YAML file, the environment over it, every problem reported at once.
//!
//! `load` is the only way in. What it returns is complete and checked, so nobody asks twice.

mod amqp;
mod app;
mod bots;
mod cards;
mod certificate_ends;
pub mod check;
pub mod command_line;
mod console;
mod environment;
mod escalations;
mod heartbeats;
mod images;
mod interactions;
mod kinds;
mod label_names;
mod links;
mod load;
mod network;
mod owners;
mod problem;
pub mod process;
mod reader;
mod receivers;
pub mod registry;
mod reload;
mod rotations;
mod routes;
mod settings;
mod severities;
mod sources;
mod storage;
mod templates;
#[cfg(test)]
mod tests;
mod tls;
mod tls_follow;
mod tree;
mod trouble;
mod variables;
pub mod version;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;

pub use amqp::AddressError;
pub use amqp::{amqp_uri, is_amqps};
pub use app::{AppConfig, ResolvedNews, UrgentLimits};
pub use bots::{BOT_MARK, BotConfig, BotMode};
pub use cards::{CardFormat, CardsConfig};
pub use console::{
    ConsoleConfig, ConsoleFeishuConfig, ConsoleRoleConfig, ConsoleUserConfig, TrustedHeaderConfig,
};
pub use environment::Environment;
pub use escalations::{Callee, EscalationConfig, EscalationStep, QuietHours, StepMethod, Urgency};
pub use heartbeats::HeartbeatConfig;
pub use images::{AddressRange, ImageHost, ImagesConfig};
pub use interactions::{AlertmanagerConfig, InteractionsConfig};
pub use links::{Explore, LinksConfig, LokiConfig, Piece, QueryTemplate, Rewrite, RewritePattern, ValueOf};
pub use load::{RoleCheck, load, needs_queue, needs_receiver, parse};
pub use model::secret::Secret;
pub use network::Network;
pub use owners::{
    Owned, OwnersConfig, ReceiverOwners, Rotation, RotationOverride, RotationTurn, UserColumns, UserServer,
    UserTableConfig,
};
pub use problem::{ConfigErrors, Place, Problem};
pub use receivers::{FallbackConfig, ReceiverConfig, ReceiverDestination, is_chat_id};
pub use reload::Reloads;
pub(crate) use reload::{LOOK_EVERY, follow};
pub use routes::RouteConfig;
pub use runtime::telemetry::logging::LogFormat;
pub use runtime::tls::{ClientTls, IdentityFiles, ListenerFiles};
pub use severities::{NamedSeverity, SeverityWords};
pub use sources::{Condition, Part, SourceConfig, SuccessStatus};
pub use storage::{DatabaseConfig, DedupConfig, HistoryConfig, IdentityConfig, is_postgres_url};
pub use templates::{TemplateConfig, TemplateText};
pub use tls::problems as tls_problems;
pub use tls_follow::follow_tls;
pub use trouble::TroubleConfig;

/// The receiver that is meant where nothing says otherwise; the one the environment alone can set.
pub const DEFAULT_RECEIVER: &str = "default";

/// Everything that can be set. Fields are named like the keys of the file; the registry explains them.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where alerts come in.
    pub listen: SocketAddr,
    /// Where `/metrics`, `/healthz`, `/readyz`, the console and the preview page are.
    pub admin_listen: SocketAddr,
    /// Where `/healthz` and `/readyz` are as well, and nothing else; `None`: on the admin port only.
    pub probes_listen: Option<SocketAddr>,
    /// Names by which the admin port may be asked, beside its addresses and names nobody else can own.
    pub admin_hosts: Vec<String>,
    /// The operators' console.
    pub console: ConsoleConfig,
    /// The certificate of the listener for alerts; `None`: plain HTTP.
    pub tls: Option<ListenerFiles>,
    /// The certificate of the admin port; `None`: plain HTTP.
    pub admin_tls: Option<ListenerFiles>,
    /// CAs to believe besides the system's, of what is asked over HTTPS.
    pub https_ca_file: Option<PathBuf>,
    /// Where `larkfire` keeps its SQLite files.
    pub data_dir: PathBuf,
    /// RabbitMQ; `None` means embedded.
    pub queue: Option<QueueConfig>,
    /// Where ingest keeps alerts that RabbitMQ does not take; `None`: nowhere.
    pub spool: Option<SpoolConfig>,
    /// What a request has to show.
    pub gate: GateConfig,
    /// What Feishu's callbacks have to show.
    pub lark: LarkConfig,
    /// What one process of ingest takes on at most.
    pub limits: IngestLimits,
    /// The app whose bot sends into chats and looks people up; `None`: there is none.
    pub app: Option<AppConfig>,
    /// Feishu destinations, by name. May be empty: then cards are previewed, where that is allowed.
    pub receivers: Vec<ReceiverConfig>,
    /// Somebody wants to look at cards without sending them. Never beside receivers.
    pub preview: bool,
    /// Which alerts go to which receivers, in the order they are asked.
    pub routes: Vec<RouteConfig>,
    /// Alerts that are expected instead of delivered.
    pub heartbeats: Vec<HeartbeatConfig>,
    /// Who is told when Larkfire itself is in trouble; `None`: nobody.
    pub trouble: Option<TroubleConfig>,
    /// How hard the worker tries.
    pub delivery: DeliveryConfig,
    /// Where the worker remembers what it has told.
    pub database: DatabaseConfig,
    /// When an alert is told again.
    pub dedup: DedupConfig,
    /// What is kept of what became of each alert.
    pub history: HistoryConfig,
    /// What tells one alert from another.
    pub identity: IdentityConfig,
    /// Where links on cards lead.
    pub links: LinksConfig,
    /// How cards are written.
    pub cards: CardsConfig,
    /// How pictures come onto them.
    pub images: ImagesConfig,
    /// Words of one's own for cards.
    pub templates: Vec<TemplateConfig>,
    /// Which of them receivers go by that name none; the preview does, too.
    pub template: Option<String>,
    /// How bad words are that senders use for severity, besides those that are known anyway.
    pub severities: SeverityWords,
    /// Formats of one's own, in the order they are tried.
    pub sources: Vec<SourceConfig>,
    /// Who is told by name.
    pub owners: OwnersConfig,
    /// People who take turns, whom owners and escalations name.
    pub rotations: Vec<Rotation>,
    /// Who is called when nobody takes an alert on, by name.
    pub escalations: Vec<EscalationConfig>,
    /// What people may do from Feishu.
    pub interactions: InteractionsConfig,
    /// Where alerts are silenced, by name. May be empty: then nobody can silence from Feishu.
    pub alertmanagers: Vec<AlertmanagerConfig>,
    /// How times are shown on cards, and read where a payload gives no zone.
    pub timezone: TimeZone,
    /// The language of the cards.
    pub locale: Locale,
    /// How logs look.
    pub log: LogFormat,
    /// How long a process that was told to stop goes on as before, not ready any more.
    pub shutdown_delay: Duration,
    /// How long a shutdown may take after that.
    pub shutdown_grace: Duration,
    /// Settings that are right but do nothing in this version, to be said once at the start.
    pub notes: Vec<String>,
    /// Every file that was read: a change of one is a reason to read them again.
    pub files: Vec<PathBuf>,
}

/// What is spoken on the listener for alerts, the best first.
pub const PROTOCOLS_OF_INGEST: &[&[u8]] = &[b"h2", b"http/1.1"];
/// The same of the admin port.
pub const PROTOCOLS_OF_ADMIN: &[&[u8]] = &[b"http/1.1"];

/// Queues alerts can be spread over.
pub const SHARDS_MAX: u16 = 64;

/// RabbitMQ and how it is used.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// `amqp://user:password@host:5672/vhost`, or `amqps://` with TLS.
    pub url: Secret,
    /// How the broker is known, and what it is shown, with `amqps`.
    pub tls: ClientTls,
    /// What every queue and exchange name begins with.
    pub prefix: String,
    /// How many queues alerts are spread over; all processes have to agree.
    pub shards: u16,
    /// Connections to publish through, each with one channel and one owner task.
    pub publish_connections: usize,
    /// Unconfirmed messages per connection.
    pub publish_window: usize,
    /// How long a publish waits for its confirm before the sender gets 503.
    pub publish_timeout: Duration,
    /// Unsettled messages a consumer holds.
    pub prefetch: u16,
}

/// Alerts on local disk, for the time RabbitMQ is away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolConfig {
    /// The directory; one for each process.
    pub dir: PathBuf,
    /// Bytes of all files in it together.
    pub max_bytes: u64,
}

/// What a request has to show before its body is believed. Any one credential is enough.
#[derive(Clone, Debug, Default)]
pub struct GateConfig {
    /// Where requests may come from; empty: anywhere.
    pub allowed_ips: Vec<Network>,
    /// Whose word about the address of a client is taken.
    pub trusted_proxies: Vec<Network>,
    /// Connections from trusted proxies begin with a PROXY protocol header.
    pub proxy_protocol: bool,
    /// Bearer tokens, several so that they can rotate.
    pub api_keys: Vec<Secret>,
    /// `user:password` pairs.
    pub basic_auth: Vec<Secret>,
    /// Keys that bodies are signed with, several so that they can rotate.
    pub hmac: HmacConfig,
    /// What single paths accept; the others accept everything that is configured.
    pub paths: Vec<PathRule>,
    /// What is taken of senders that cannot do better.
    pub allowances: Allowances,
    /// `sender_id`s the custom format may carry; empty: any.
    pub alert_bot_ids: Vec<String>,
    /// Take requests without credentials although not bound to loopback.
    pub allow_unauthenticated: bool,
}

/// What events and card callbacks prove their origin with. With neither, callbacks are off.
#[derive(Clone, Debug, Default)]
pub struct LarkConfig {
    /// Decrypts events, and is what their signature is made with.
    pub encrypt_key: Option<Secret>,
    /// Stands in every event, and is what old card callbacks are signed with.
    pub verification_token: Option<Secret>,
}

/// How requests are signed. The headers are those of Grafana's webhook, where their names are settings too.
#[derive(Clone, Debug)]
pub struct HmacConfig {
    /// The keys.
    pub secrets: Vec<Secret>,
    /// The header with Grafana's signature.
    pub header: String,
    /// The header with the time that is signed together with the body.
    pub timestamp_header: String,
    /// Refuse Grafana's signatures without a time: nothing else keeps them from being sent again.
    pub require_timestamp: bool,
}

impl Default for HmacConfig {
    fn default() -> Self {
        Self {
            secrets: Vec::new(),
            header: "X-Grafana-Alerting-Signature".to_owned(),
            timestamp_header: "X-Grafana-Alerting-Timestamp".to_owned(),
            require_timestamp: false,
        }
    }
}

/// What one path accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRule {
    /// `/alert`, `/api/alert` or `/api/alert/RECEIVER`, without percent-encoding.
    pub path: String,
    /// Any one of these is enough.
    pub accept: Vec<Credential>,
}

impl PathRule {
    /// The receiver whose path it is, if it is one's.
    pub fn receiver(&self) -> Option<&str> {
        self.path.strip_prefix("/api/alert/")
    }
}

/// A kind of credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer KEY`.
    Bearer,
    /// `Authorization: Basic …`.
    Basic,
    /// A signature over the body.
    Hmac,
}

/// What is taken of senders that cannot do better, by setting only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Allowances {
    /// Text that is no JSON is somebody's alert.
    pub accept_text: bool,
    /// A key may stand in the address.
    pub key_in_url: bool,
}

impl GateConfig {
    /// Whether this kind of credential is configured.
    pub fn has(&self, credential: Credential) -> bool {
        match credential {
            Credential::Bearer => !self.api_keys.is_empty(),
            Credential::Basic => !self.basic_auth.is_empty(),
            Credential::Hmac => !self.hmac.secrets.is_empty(),
        }
    }

    /// Whether any credential is configured.
    pub fn has_any(&self) -> bool {
        [Credential::Bearer, Credential::Basic, Credential::Hmac].into_iter().any(|kind| self.has(kind))
    }
}

/// Named limits of one ingest process.
#[derive(Clone, Copy, Debug)]
pub struct IngestLimits {
    /// Connections at once; beyond it the one that has waited for its client longest makes room.
    pub connections: usize,
    /// Bytes of one request's headers.
    pub header_bytes: usize,
    /// Bytes of one body; more is 413.
    pub body_bytes: usize,
    /// Bytes of all bodies in memory together; more is 503.
    pub bodies_bytes: usize,
    /// Time for the headers of a connection's first request to arrive.
    pub header_timeout: Duration,
    /// How long a connection is kept that has had a request, until the headers of the next one are there.
    pub keep_alive: Duration,
    /// Time for one request's body to arrive; then 408.
    pub body_timeout: Duration,
}

/// How hard the worker tries to deliver.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryConfig {
    /// Attempts in place before an envelope is parked.
    pub attempts_in_place: u32,
    /// How long one request to Feishu may take.
    pub request_timeout: Duration,
    /// How long an envelope is tried in all before it becomes a dead letter.
    pub give_up_after: Duration,
    /// Requests to Feishu at once.
    pub concurrency: usize,
    /// How long an envelope may wait in a worker's hands before it is parked.
    pub hold: Duration,
    /// What becomes of alerts for a receiver whose settings are wrong.
    pub broken_receiver: BrokenReceiver,
    /// Cards that may follow one that could not list all of its alerts, to list the others.
    pub continuation_cards: usize,
}

/// What becomes of alerts for a receiver that refuses everything until an operator changes something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BrokenReceiver {
    /// They wait until `give_up_after` for it to be mended.
    #[default]
    Wait,
    /// They go to the dead letters at once.
    DeadLetter,
}

/// The language of the cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Locale {
    /// Simplified Chinese.
    #[default]
    ZhCn,
    /// English.
    En,
}
