//! `feishu-sim`: the simulator as a process.

use std::io::Write as _;
use std::net::SocketAddr;

use clap::Parser;
use feishu_sim::{
    AppSettings, BotSettings, ChatSettings, FeishuSim, IpRule, Limits, SimSettings, UserSettings,
};
use tokio::signal::unix::{SignalKind, signal};

const EXAMPLES: &str = "\
Examples:
  feishu-sim                                    a bot without security settings, with the platform's limits
  feishu-sim --secret s3cret --keyword alert    signed messages that contain a keyword
  feishu-sim --app-id cli_1 --chat-id oc_1      an app bot in a group, besides the webhook
  feishu-sim --no-limits                        refuses nothing for its rate, but counts what was too much

What it got is shown at http://LISTEN/ and, for programs, at /_sim/records. Faults are scripted through
  curl http://LISTEN/_sim/faults -d '{\"fault\":{\"kind\":\"server_error\",\"status\":502},\"times\":3}'
with the kinds refusal (code, msg), too_many_requests (reset_seconds), server_error (status), reset,
lost_answer, slow_answer (after_ms), other_answer (status, body, headers, is_judged), slow_headers, endless_body and
never_answer, for an app with \"app\" and \"call\"; with \"times\", with \"for_ms\", or until
DELETE /_sim/faults.
  curl http://LISTEN/_sim/away -d '{\"for_ms\":20000}'    refuses connections for 20 s";

/// A strict simulator of Feishu's custom-bot webhook and of the API of app bots: it accepts and refuses messages as the platform
/// documents it.
#[derive(Parser)]
#[command(after_help = EXAMPLES)]
struct Arguments {
    /// The address to listen on; port 0 takes a free one
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Token of a bot; several make several bots with the same settings
    #[arg(long, default_value = "test-token")]
    token: Vec<String>,
    /// Demand messages signed with this secret
    #[arg(long)]
    secret: Option<String>,
    /// Demand one of these keywords in every message
    #[arg(long)]
    keyword: Vec<String>,
    /// Admit only these senders: an address, a.b.c.* or a CIDR
    #[arg(long, value_name = "RULE")]
    allow_ip: Vec<IpRule>,
    /// The `open_id` of a member of every group; cards that mention anybody else are refused
    #[arg(long, value_name = "OPEN_ID")]
    known_id: Vec<String>,
    /// Refuse messages that mention everybody
    #[arg(long)]
    forbid_at_all: bool,
    /// The id of an app whose bot is in every chat of --chat-id
    #[arg(long, value_name = "ID")]
    app_id: Option<String>,
    /// The secret of that app
    #[arg(long, default_value = "app-secret", value_name = "SECRET")]
    app_secret: String,
    /// The id of a group chat for the app
    #[arg(long, value_name = "ID", requires = "app_id")]
    chat_id: Vec<String>,
    /// Messages within any second
    #[arg(long, default_value_t = 5, value_name = "COUNT")]
    per_second: usize,
    /// Messages within any minute
    #[arg(long, default_value_t = 100, value_name = "COUNT")]
    per_minute: usize,
    /// Refuse nothing for its rate; still count what exceeded the limits
    #[arg(long)]
    no_limits: bool,
}

impl Arguments {
    fn bot(&self, token: &str) -> BotSettings {
        let limits =
            Limits { per_second: self.per_second, per_minute: self.per_minute, enforced: !self.no_limits };
        let mut bot = BotSettings::new(token).limits(limits);
        if let Some(secret) = &self.secret {
            bot = bot.secret(secret);
        }
        if self.forbid_at_all {
            bot = bot.forbid_at_all();
        }
        bot = self.keyword.iter().fold(bot, BotSettings::keyword);
        bot = self.known_id.iter().fold(bot, BotSettings::known_id);
        self.allow_ip.iter().copied().fold(bot, BotSettings::allow_ip)
    }

    /// The app, its chats and their members, who are known by their `open_id` only.
    fn platform(&self, settings: SimSettings) -> SimSettings {
        let Some(app_id) = &self.app_id else { return settings };
        let settings = settings.app(AppSettings::new(app_id, &self.app_secret));
        let settings = self.known_id.iter().map(UserSettings::new).fold(settings, SimSettings::user);
        let chat = |chat_id| {
            let mut chat =
                self.known_id.iter().fold(ChatSettings::new(chat_id).app(app_id), ChatSettings::member);
            if self.forbid_at_all {
                chat = chat.forbid_at_all();
            }
            chat
        };
        self.chat_id.iter().map(chat).fold(settings, SimSettings::chat)
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let arguments = Arguments::parse();
    let bots = arguments.token.iter().map(|token| arguments.bot(token));
    let settings = arguments.platform(SimSettings::new(bots).listen(arguments.listen));
    let sim = FeishuSim::start(settings).await?;
    announce(&sim, &arguments)?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminate.recv() => {}
    }
    sim.stop().await;
    Ok(())
}

/// Tells a person, or a test that reads it, where everything is. One write: a reader may close the pipe after
/// a line.
fn announce(sim: &FeishuSim, arguments: &Arguments) -> std::io::Result<()> {
    let mut lines: Vec<String> =
        arguments.token.iter().map(|token| format!("webhook: {}", sim.webhook_url(token))).collect();
    if arguments.app_id.is_some() {
        lines.push(format!("api: {}", sim.base_url()));
    }
    lines.push(format!("page: http://{}/\n", sim.address()));
    std::io::stdout().write_all(lines.join("\n").as_bytes())
}
