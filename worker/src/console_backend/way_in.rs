//! Who gets into the console, as it is configured.

use std::net::IpAddr;
use std::sync::Arc;

use config::{ConsoleConfig, ConsoleFeishuConfig, ConsoleRoleConfig, Network};
use console::access::{Access, ConsoleRole, LoopbackAccess};
use console::entrance::{
    ConsoleUser, Entrance, EntranceParts, FeishuEntrance, FeishuRules, LoginMethod, LoginResult, PeerRule,
    SessionTimes, TrustedHeader,
};
use jiff::SignedDuration;
use prometheus::{IntCounterVec, Registry};
use reqwest::header::HeaderName;
use runtime::metrics::people;
use tracing::{info, warn};

use super::feishu_login::FeishuAppLogin;
use super::sessions::Sessions;
use super::{ConsoleDeps, ConsoleSettings};

/// Who acts in the pages where nobody logs in, in the audit trail.
const LOCAL_NAME: &str = "console on this machine";

/// Who may look at pages; `None`: nobody, because there is no way to tell one from another.
pub(super) fn access(
    settings: &ConsoleSettings,
    deps: &ConsoleDeps,
    registry: &Registry,
) -> prometheus::Result<Option<Arc<dyn Access>>> {
    let logins = logins(registry)?;
    let ConsoleSettings { admin_listen, is_tls, config, explains: _ } = settings;
    if config.has_login() {
        info!(
            users = config.users.len(),
            feishu = config.feishu.is_some(),
            trusted_header = config.trusted_header.is_some(),
            "people log in to the console"
        );
        if config.url.is_none() && !admin_listen.ip().is_loopback() {
            warn!("console.url is not set: the console answers under names of loopback only");
        }
        return Ok(Some(Arc::new(Entrance::new(parts(config, *is_tls, deps, logins)))));
    }
    let access = LoopbackAccess::on(*admin_listen, LOCAL_NAME.to_owned());
    if access.is_open() {
        return Ok(Some(Arc::new(access)));
    }
    warn!(
        %admin_listen,
        "the console's pages are off: the admin port is open to others, and there is no way to log in"
    );
    Ok(None)
}

fn logins(registry: &Registry) -> prometheus::Result<IntCounterVec> {
    let logins = people::CONSOLE_LOGINS.counters()?;
    for way in LoginMethod::ALL {
        for result in LoginResult::ALL {
            logins.with_label_values(&[way.as_str(), result.as_str()]).reset();
        }
    }
    registry.register(Box::new(logins.clone()))?;
    Ok(logins)
}

fn parts(config: &ConsoleConfig, is_tls: bool, deps: &ConsoleDeps, logins: IntCounterVec) -> EntranceParts {
    let url = config.url.as_ref();
    let trusted = config.trusted_header.as_ref();
    let from = trusted.map(|header| header.from.clone()).unwrap_or_default();
    let sessions = Arc::new(Sessions::new(deps.store.clone(), deps.clock.clone()));
    let proxies = config.trusted_proxies.iter().chain(&from).copied().collect();
    EntranceParts {
        hosts: url.and_then(|url| url.host_str()).map(bare).into_iter().collect(),
        public_url: url.map(|url| url.as_str().trim_end_matches('/').to_owned()),
        is_https: is_tls || url.is_some_and(|url| url.scheme() == "https"),
        path_prefix: config.path_prefix.clone(),
        users: users(config),
        feishu: config.feishu.as_ref().zip(deps.bot.as_ref()).map(|(rules, bot)| FeishuEntrance {
            rules: feishu(rules),
            port: Arc::new(FeishuAppLogin::new(Arc::clone(bot), deps.clock.clone())),
        }),
        trusted_header: trusted.and_then(|header| {
            Some(TrustedHeader {
                name: HeaderName::try_from(header.name.as_str()).ok()?,
                is_from: within(from),
                operators: header.operators.iter().cloned().collect(),
            })
        }),
        is_proxy: within(proxies),
        times: SessionTimes {
            idle: SignedDuration::try_from(config.session_idle).unwrap_or(SignedDuration::MAX),
            longest: SignedDuration::try_from(config.session_longest).unwrap_or(SignedDuration::MAX),
        },
        attempts: Arc::clone(&sessions) as _,
        sessions,
        logins,
        clock: deps.clock.clone(),
    }
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> String {
    host.trim_matches(['[', ']']).to_owned()
}

fn within(networks: Vec<Network>) -> PeerRule {
    Arc::new(move |address: IpAddr| networks.iter().any(|network| network.contains(address)))
}

fn users(config: &ConsoleConfig) -> Vec<ConsoleUser> {
    let user = |user: &config::ConsoleUserConfig| ConsoleUser {
        name: user.name.clone(),
        password_hash: user.password_hash.expose().to_owned(),
        role: match user.role {
            ConsoleRoleConfig::Viewer => ConsoleRole::Viewer,
            ConsoleRoleConfig::Operator => ConsoleRole::Operator,
        },
    };
    config.users.iter().map(user).collect()
}

fn feishu(rules: &ConsoleFeishuConfig) -> FeishuRules {
    FeishuRules {
        tenant_key: rules.tenant_key.clone(),
        operators: rules.operators.iter().cloned().collect(),
        viewers: rules.viewers.iter().cloned().collect(),
        operator_chats: rules.operator_chats.clone(),
        viewer_chats: rules.viewer_chats.clone(),
    }
}
