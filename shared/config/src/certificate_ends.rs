//! When the certificates end that the settings name, as a metric. What a listener shows is read when its configuration is, which
//! is when the listener reads it; what we show others and whom we believe is read with each new connection, so here once a minute.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use prometheus::{IntGaugeVec, Registry};
use runtime::metrics::intake::CERTIFICATE_ENDS;
use runtime::tls::{ClientTls, IdentityFiles, ListenerFiles, TlsFileError, authorities_end, chain_ends};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::{Config, Reloads};

const READ_EVERY: Duration = Duration::from_mins(1);

/// Who goes by a file, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadBy {
    /// One of our listeners, with each configuration.
    Listener,
    /// Our connections to others, each by itself.
    Client,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Chain,
    Authorities,
}

/// One setting that names certificates.
#[derive(Clone, Debug)]
struct Named {
    setting: &'static str,
    read_by: ReadBy,
    holds: Holds,
    /// `None`: it is not set.
    file: Option<PathBuf>,
}

/// Shows them from now on, and for as long as the future runs.
///
/// # Errors
/// If the metric is registered already.
pub(crate) fn show_certificate_ends(
    config: &Config,
    mut reloads: Reloads,
    registry: &Registry,
) -> Result<impl Future<Output = ()> + Send + 'static, prometheus::Error> {
    let ends = CERTIFICATE_ENDS.gauges()?;
    registry.register(Box::new(ends.clone()))?;
    let all = named(config);
    show(&ends, &all);
    let of_clients: Vec<_> = all.into_iter().filter(|named| named.read_by == ReadBy::Client).collect();
    Ok(async move {
        let mut times = interval(READ_EVERY);
        times.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut are_reloaded = true;
        loop {
            let read = tokio::select! {
                config = reloads.next(), if are_reloaded => if let Some(config) = config {
                    // Those of clients are settings that only a start takes.
                    of_listeners(&config)
                } else {
                    are_reloaded = false;
                    continue;
                },
                _ = times.tick() => of_clients.clone(),
            };
            let ends = ends.clone();
            // One that fails leaves what was shown before.
            let _read = spawn_blocking(move || show(&ends, &read)).await;
        }
    })
}

/// A listener that was taken out of the configuration keeps what it has until the next start.
fn of_listeners(config: &Config) -> Vec<Named> {
    named(config)
        .into_iter()
        .filter(|named| named.read_by == ReadBy::Listener && named.file.is_some())
        .collect()
}

fn show(ends: &IntGaugeVec, all: &[Named]) {
    for named in all {
        let gauge = ends.with_label_values(&[named.setting]);
        let Some(file) = &named.file else {
            gauge.set(0);
            continue;
        };
        // One that cannot be read leaves what was shown before; whoever needs it says what is wrong.
        if let Ok(Some(end)) = named.holds.end(file) {
            gauge.set(end.as_second());
        }
    }
}

impl Holds {
    fn end(self, file: &Path) -> Result<Option<Timestamp>, TlsFileError> {
        match self {
            Self::Chain => chain_ends(file),
            Self::Authorities => authorities_end(file),
        }
    }
}

/// Every setting there is.
fn named(config: &Config) -> Vec<Named> {
    let queue = config.queue.as_ref().map(|queue| &queue.tls);
    let table = config.owners.table.server.as_ref().map(|server| &server.tls);
    let of_listener = |setting, holds, file: Option<&PathBuf>| Named {
        setting,
        read_by: ReadBy::Listener,
        holds,
        file: file.cloned(),
    };
    let of_client = |setting, holds, file: Option<&PathBuf>| Named {
        setting,
        read_by: ReadBy::Client,
        holds,
        file: file.cloned(),
    };
    let own = |files: &Option<ListenerFiles>| files.as_ref().map(|files| files.identity.cert_file.clone());
    let senders = config.tls.as_ref().and_then(|files| files.client_ca_file.as_ref());
    let mut all = vec![
        of_listener("tls.cert_file", Holds::Chain, own(&config.tls).as_ref()),
        of_listener("tls.client_ca_file", Holds::Authorities, senders),
        of_listener("admin_tls.cert_file", Holds::Chain, own(&config.admin_tls).as_ref()),
        of_client("https.ca_file", Holds::Authorities, config.https_ca_file.as_ref()),
    ];
    for (chain, authorities, tls) in [
        ("queue.tls.cert_file", "queue.tls.ca_file", queue),
        ("database.tls.cert_file", "database.tls.ca_file", Some(&config.database.tls)),
        ("owners.table.tls.cert_file", "owners.table.tls.ca_file", table),
    ] {
        let identity = tls.and_then(|ClientTls { identity, .. }| identity.as_ref());
        all.push(of_client(chain, Holds::Chain, identity.map(|IdentityFiles { cert_file, .. }| cert_file)));
        all.push(of_client(authorities, Holds::Authorities, tls.and_then(|tls| tls.ca_file.as_ref())));
    }
    all
}
