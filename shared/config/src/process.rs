//! What every binary does around its own work: settings, logs, admin port, signals, drain, exit code.

use std::error::Error;
use std::future::Future;
use std::process::ExitCode;

use prometheus::Registry;
use tokio::net::TcpListener;
use tracing::{error, info, warn};

use crate::certificate_ends::show_certificate_ends;
use crate::version::{COMMIT, VERSION};
use crate::{
    Config, ConfigErrors, LOOK_EVERY, ListenerFiles, PROTOCOLS_OF_ADMIN, Reloads, follow, follow_tls,
};
use runtime::data_dir;
use runtime::lifecycle::{Lifecycle, StoppedBy, hangups, stop_on_signals};
use runtime::metrics::intake::BUILD_INFO;
use runtime::plain::complain_in_lines;
use runtime::telemetry::admin::{Admin, AdminHosts, Page, spawn_probes};
use runtime::telemetry::log_level::LogLevelPage;
use runtime::telemetry::logging::{self, LogFilter};

/// Exit code for settings that are wrong (`EX_USAGE` of sysexits).
pub const BAD_CONFIGURATION: u8 = 64;
/// Exit code for a start that failed, or a part that ended before it was told to.
pub const FAILED: u8 = 1;

/// Why a process could not start, in words for its operator.
pub type StartError = Box<dyn Error + Send + Sync>;

/// What a role starts with.
pub struct Start {
    /// The settings, complete and checked.
    pub config: Config,
    /// The settings that come after them, while it runs.
    pub reloads: Reloads,
    /// Owns every task, the stop and the readiness.
    pub lifecycle: Lifecycle,
    /// Where its metrics go.
    pub registry: Registry,
}

/// Runs a binary: `start` brings its parts up on the lifecycle and returns the pages it adds to the admin
/// port; from then on they run until a signal, or until one of them fails. The settings are loaded again at SIGHUP
/// and when their files change.
pub fn run<L, F, R>(load: L, start: F) -> ExitCode
where
    L: Fn() -> Result<Config, ConfigErrors> + Send + Sync + 'static,
    F: FnOnce(Start) -> R,
    R: Future<Output = Result<Vec<Box<dyn Page>>, StartError>>,
{
    let config = match load() {
        Ok(config) => config,
        Err(errors) => {
            // How to log is one of the settings that could not be read.
            complain_in_lines(&errors);
            return ExitCode::from(BAD_CONFIGURATION);
        }
    };
    data_dir::keep_new_files_private();
    let filter = logging::start(config.log);
    config.notes.iter().for_each(|note| warn!(%note, "a remark about the configuration"));
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(StartError::from)
        .and_then(|runtime| runtime.block_on(run_until_stopped(load, config, filter, start)));
    match outcome {
        Ok(code) => code,
        Err(cause) => {
            error!(error = %cause, "cannot start");
            ExitCode::from(FAILED)
        }
    }
}

async fn run_until_stopped<L, F, R>(
    load: L,
    config: Config,
    filter: LogFilter,
    start: F,
) -> Result<ExitCode, StartError>
where
    L: Fn() -> Result<Config, ConfigErrors> + Send + Sync + 'static,
    F: FnOnce(Start) -> R,
    R: Future<Output = Result<Vec<Box<dyn Page>>, StartError>>,
{
    let lifecycle = Lifecycle::default();
    let registry = Registry::new();
    let delay = config.shutdown_delay;
    let grace = config.shutdown_grace;
    registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
    let build = BUILD_INFO.gauges()?;
    build.with_label_values(&[VERSION, COMMIT]).set(1);
    registry.register(Box::new(build))?;
    say_what_starts(&config);
    let (reloads, follower) = follow(LOOK_EVERY, load, &config, &registry, hangups(&lifecycle)?)?;
    lifecycle.spawn_detached(follower);
    lifecycle.spawn_detached(show_certificate_ends(&config, reloads.clone(), &registry)?);
    let address = config.admin_listen;
    let listener =
        TcpListener::bind(address).await.map_err(|error| format!("admin_listen {address}: {error}"))?;
    let address = listener.local_addr()?;
    let probes = match config.probes_listen {
        Some(address) => Some(
            TcpListener::bind(address).await.map_err(|error| format!("probes_listen {address}: {error}"))?,
        ),
        None => None,
    };
    let hosts = admin_hosts(&config);
    let tls = match &config.admin_tls {
        Some(files) => Some(follow_tls(files, admin_files, PROTOCOLS_OF_ADMIN, reloads.clone(), &lifecycle)?),
        None => None,
    };

    let mut pages =
        start(Start { config, reloads, lifecycle: lifecycle.clone(), registry: registry.clone() }).await?;
    pages.push(Box::new(LogLevelPage::new(filter, &lifecycle)));
    Admin { registry, pages, tls, hosts }.spawn(listener, &lifecycle)?;
    info!(%address, "the admin port shows /metrics, /healthz, /readyz");
    if let Some(probes) = probes {
        let address = probes.local_addr()?;
        spawn_probes(probes, &lifecycle)?;
        info!(%address, "the port for probes shows /healthz, /readyz");
    }

    let stopped_by = stop_on_signals(&lifecycle.stop).await?;
    if stopped_by == StoppedBy::Signal {
        lifecycle.withdraw(delay).await;
    }
    lifecycle.drain(grace).await;
    Ok(match stopped_by {
        StoppedBy::Signal => ExitCode::SUCCESS,
        StoppedBy::Failure => ExitCode::from(FAILED),
    })
}

/// The names that are set, and the one people open the console by.
fn admin_hosts(config: &Config) -> AdminHosts {
    let of_console = config.console.url.as_ref().and_then(|url| url.host_str()).map(str::to_owned);
    AdminHosts::new(config.admin_hosts.iter().cloned().chain(of_console))
}

fn admin_files(config: &Config) -> Option<&ListenerFiles> {
    config.admin_tls.as_ref()
}

/// One line that says which version starts, and with what; no value that may be secret.
fn say_what_starts(config: &Config) {
    let files: Vec<_> = config.files.iter().map(|file| file.display().to_string()).collect();
    let receivers: Vec<_> = config.receivers.iter().map(|receiver| receiver.name.as_str()).collect();
    info!(
        version = VERSION,
        commit = COMMIT,
        files = files.join(" "),
        listen = %config.listen,
        queue = if config.queue.is_some() { "RabbitMQ" } else { "embedded" },
        database = if config.database.url.is_some() { "as database.url says" } else { "a file in data_dir" },
        receivers = receivers.join(" "),
        routes = config.routes.len(),
        has_app = config.app.is_some(),
        has_spool = config.spool.is_some(),
        history_kept = config.history.enabled,
        timezone = config.timezone.iana_name(),
        "larkfire starts"
    );
}
