//! What ingest has to know, out of everything that can be set.

use std::net::SocketAddr;
use std::sync::Arc;

use config::{
    Config, GateConfig, IngestLimits, LarkConfig, ListenerFiles, Locale, Problem, Reloads, SourceConfig,
};
use jiff::tz::TimeZone;
use runtime::clock::Clock;

use crate::addressing::Addressing;
use crate::gate::check_exposure;
use crate::hooks::Hooks;

/// The settings of one ingest.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where alerts come in. Port 0 takes any that is free.
    pub listen: SocketAddr,
    /// What is shown there; `None`: plain HTTP.
    pub tls: Option<ListenerFiles>,
    /// What requests have to show.
    pub gate: GateConfig,
    /// What Feishu's callbacks have to show.
    pub lark: LarkConfig,
    /// The language of what is answered to people in Feishu whose own is not known.
    pub locale: Locale,
    /// Where the gate's settings of later come from.
    pub reloads: Reloads,
    /// What is taken on at most.
    pub limits: IngestLimits,
    /// Where alerts go, as far as that is known before a worker has them.
    pub addressing: Addressing,
    /// The webhooks of bots, by which senders that knew only a bot name its receiver.
    pub hooks: Hooks,
    /// Formats of the configuration.
    pub sources: Arc<[SourceConfig]>,
    /// Where times without a zone are meant.
    pub timezone: TimeZone,
    /// The labels that tell replicas apart, and no alerts.
    pub ignore_labels: Arc<[String]>,
    /// The labels that routes, owners, links and templates go by.
    pub keep_labels: Arc<[String]>,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Settings {
    /// The part of the configuration that concerns ingest.
    pub fn from_config(config: &Config, reloads: Reloads) -> Self {
        Self {
            listen: config.listen,
            tls: config.tls.clone(),
            gate: config.gate.clone(),
            lark: config.lark.clone(),
            locale: config.locale,
            reloads,
            limits: config.limits,
            addressing: Addressing::from_config(config),
            hooks: Hooks::of(&config.receivers),
            sources: config.sources.clone().into(),
            timezone: config.timezone.clone(),
            ignore_labels: config.identity.ignore_labels.clone().into(),
            keep_labels: config.label_names().into(),
            clock: Clock::system(),
        }
    }
}

/// What is wrong with settings that would let everybody in without saying that this is meant: for binaries, which then end as
/// with any other bad configuration. `run` refuses them too.
pub fn problems(config: &Config) -> Vec<Problem> {
    let exposed = check_exposure(config.listen, &config.gate).err();
    exposed.into_iter().map(|exposed| Problem::new("gate", exposed.to_string())).collect()
}
