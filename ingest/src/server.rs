//! The listener: accepts connections within a limit, speaks HTTP/1.1 and HTTP/2 on them, with TLS or without, and on a
//! stop finishes what is in hand.

mod activity;
mod connection;
pub(crate) mod proxy_protocol;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use config::{Config, ListenerFiles, PROTOCOLS_OF_INGEST, follow_tls};
use prometheus::Registry;
use queue::Publisher;
use runtime::lifecycle::Lifecycle;
use runtime::tls::{ListenerTls, TlsFileError};
use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::{info, warn};

use crate::accept::Intake;
use crate::connections::ConnectionLimiter;
use crate::gate::{self, Exposed};
use crate::live_gate::LiveGate;
use crate::metrics::Metrics;
use crate::settings::Settings;
use connection::{Connections, Serving};

/// How many connections wait in the kernel to be accepted: after a reload every group of an Alertmanager may send
/// at the same moment.
const BACKLOG: u32 = 4096;
/// How long no connection is accepted after the system refused one (no file descriptors, say).
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How many connections make room then: the limit on file descriptors may be lower than the one on connections.
const DISPLACED_AT_ONCE: usize = 64;

/// Why ingest did not start.
#[derive(Debug, Error)]
pub enum StartError {
    /// Starting would have let everybody in.
    #[error(transparent)]
    Exposed(#[from] Exposed),
    /// The address is taken, or not ours.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address.
        listen: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The files of its certificate are of no use.
    #[error("tls: {0}")]
    Tls(#[from] TlsFileError),
    /// Metrics of this name exist already in the registry.
    #[error("cannot register metrics: {0}")]
    Metrics(#[from] prometheus::Error),
}

/// Binds and begins to take alerts; returns the address. Ends with the lifecycle.
pub fn run(
    settings: Settings,
    publisher: Arc<dyn Publisher>,
    registry: &Registry,
    lifecycle: &Lifecycle,
) -> Result<SocketAddr, StartError> {
    gate::check_exposure(settings.listen, &settings.gate)?;
    let listen = settings.listen;
    let refused = |source| StartError::Listen { listen, source };
    let listener = bind(listen).map_err(refused)?;
    let bound = listener.local_addr().map_err(refused)?;
    let metrics = Metrics::register(registry)?;
    let limits = settings.limits;
    let open = metrics.connections.clone();
    let displaced = metrics.displaced.clone();
    let handshakes_failed = metrics.handshakes_failed.clone();
    let tls = tls(&settings, lifecycle)?;
    let gate = LiveGate::follow(&settings, lifecycle);
    let intake = Arc::new(Intake::new(settings, gate, publisher, metrics));
    let summing_up = Arc::clone(&intake);
    let stop = lifecycle.stop.clone();
    lifecycle.tasks.spawn(async move { summing_up.sum_up_refusals(stop).await });
    let connections = Connections {
        serving: Serving { intake, limits, tls, handshakes_failed, lifecycle: lifecycle.clone() },
        open,
        displaced,
        crowd: ConnectionLimiter::default(),
    };
    lifecycle.spawn_essential("the listener for alerts", accept(listener, limits.connections, connections));
    info!(listen = %bound, "taking alerts");
    Ok(bound)
}

fn tls(settings: &Settings, lifecycle: &Lifecycle) -> Result<Option<ListenerTls>, TlsFileError> {
    let Some(files) = &settings.tls else { return Ok(None) };
    follow_tls(files, tls_files, PROTOCOLS_OF_INGEST, settings.reloads.clone(), lifecycle).map(Some)
}

fn tls_files(config: &Config) -> Option<&ListenerFiles> {
    config.tls.as_ref()
}

fn bind(listen: SocketAddr) -> io::Result<TcpListener> {
    let socket = if listen.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    // A restart must not wait for the connections of the process before it to be forgotten.
    socket.set_reuseaddr(true)?;
    socket.bind(listen)?;
    socket.listen(BACKLOG)
}

async fn accept(listener: TcpListener, connections_max: usize, connections: Connections) {
    let places = Arc::new(Semaphore::new(connections_max));
    let stop = connections.serving.lifecycle.stop.clone();
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                warn!(%error, "could not accept a connection");
                (0..DISPLACED_AT_ONCE).take_while(|_| connections.displace()).for_each(drop);
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        // One is accepted before it has a place, so that nobody is displaced for nothing. Those behind it wait in the
        // kernel, and are refused there when that is full too.
        let place = tokio::select! {
            () = stop.cancelled() => return,
            place = place(&places, &connections) => place,
        };
        let Some(place) = place else { return };
        connections.spawn(prepared(stream), peer, place);
    }
}

/// A free place, or that of the connection that has waited for its client longest. Where all of them wait for us, the
/// first that is free.
async fn place(places: &Arc<Semaphore>, connections: &Connections) -> Option<OwnedSemaphorePermit> {
    loop {
        if let Ok(place) = Arc::clone(places).try_acquire_owned() {
            return Some(place);
        }
        let free = Arc::clone(places).acquire_owned();
        if connections.displace() {
            return free.await.ok();
        }
        tokio::select! {
            place = free => return place.ok(),
            () = connections.crowd.another_waits() => {}
        }
    }
}

fn prepared(stream: TcpStream) -> TcpStream {
    // Answers are small and whole; a stream that refuses the option works without it.
    let _unimportant = stream.set_nodelay(true);
    stream
}
