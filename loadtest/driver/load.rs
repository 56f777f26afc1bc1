//! Senders: as fast as they are answered (throughput), or at a fixed rate whatever the answers do (latency).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use thiserror::Error;
use tokio::task::{JoinError, JoinSet};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use crate::client::{Client, ClientError};
use crate::meter::{Pace, meter};
use crate::payload::request;
use crate::scenario::{ALERT_BYTES, Latency, Load, Window};

/// How long the requests in hand may take when everything else is over.
const LAST_ANSWERS: Duration = Duration::from_secs(30);

/// Why a load was not sent.
#[derive(Debug, Error)]
pub(crate) enum LoadError {
    /// The server is gone, or does not speak HTTP.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Something else than success; what comes of it would be a figure for refusing.
    #[error("{address} answered {status}; is another program loading the broker?")]
    Refused {
        /// Who.
        address: SocketAddr,
        /// With what.
        status: u16,
    },
    /// A task of ours ended badly.
    #[error("a sender failed: {0}")]
    Task(#[from] JoinError),
    /// `/proc` could not be read.
    #[error("cannot measure: {0}")]
    Meter(#[from] std::io::Error),
    /// Requests without an answer.
    #[error("requests were not answered within {} s", LAST_ANSWERS.as_secs())]
    Unanswered,
}

/// A server under load.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) process: u32,
}

type Senders<T> = JoinSet<Result<T, LoadError>>;

/// Alerts per second, where each connection sends its next request when the last one is answered.
pub(crate) async fn closed_loop(target: Target, load: &Load, window: &Window) -> Result<Pace, LoadError> {
    let done = Arc::new(AtomicU64::new(0));
    let stop = CancellationToken::new();
    let mut senders = Senders::new();
    for seed in 0..load.connections {
        let request = request(target.address, load.alerts, ALERT_BYTES, seed);
        let client = Client::connect(target.address).await?;
        let done = Arc::clone(&done);
        let stop = stop.clone();
        senders.spawn(send_on(client, target.address, request, done, stop));
    }
    let pace = tokio::select! {
        pace = meter(window, &done, target.process) => pace?,
        Some(ended) = senders.join_next() => return Err(ended?.err().unwrap_or(LoadError::Unanswered)),
    };
    stop.cancel();
    timeout(LAST_ANSWERS, all(senders)).await.map_err(|_| LoadError::Unanswered)??;
    Ok(pace.times(load.alerts))
}

async fn send_on(
    mut client: Client,
    address: SocketAddr,
    request: Bytes,
    done: Arc<AtomicU64>,
    stop: CancellationToken,
) -> Result<(), LoadError> {
    while !stop.is_cancelled() {
        accepted(address, client.exchange(&request).await?)?;
        done.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Sends one request and waits for its answer.
pub(crate) async fn send_once(address: SocketAddr, request: &[u8]) -> Result<(), LoadError> {
    let mut client = Client::connect(address).await?;
    let status =
        timeout(LAST_ANSWERS, client.exchange(request)).await.map_err(|_| LoadError::Unanswered)??;
    accepted(address, status)
}

/// Times of requests sent at a fixed rate, shortest first.
#[derive(Debug, Default)]
pub(crate) struct Delays {
    /// From when each was due to its answer.
    pub(crate) answered: Vec<Duration>,
    /// From when each was due to when it was sent: the sender's own part, its timer's grain included.
    pub(crate) sent: Vec<Duration>,
}

/// Requests of one alert at a fixed rate. A late answer delays the requests behind it on its connection, and that
/// counts: each one's time begins when it was due.
pub(crate) async fn open_loop(
    address: SocketAddr,
    latency: &Latency,
    window: &Window,
) -> Result<Delays, LoadError> {
    let mut senders = Senders::new();
    let mut clients = Vec::new();
    for _ in 0..latency.connections {
        clients.push(Client::connect(address).await?);
    }
    let begin = Instant::now();
    for (seed, client) in (0..).zip(clients) {
        let gap = Duration::from_secs(1) / latency.requests_per_second;
        let times = Times {
            first: begin + gap * seed,
            every: gap * latency.connections,
            counted_from: begin + window.warm_up(),
            end: begin + window.warm_up() + window.counted(),
        };
        senders.spawn(send_on_time(client, address, request(address, 1, ALERT_BYTES, seed), times));
    }
    let mut delays = Delays::default();
    let limit = window.warm_up() + window.counted() + LAST_ANSWERS;
    let each = timeout(limit, all(senders)).await.map_err(|_| LoadError::Unanswered)??;
    for Delays { answered, sent } in each {
        delays.answered.extend(answered);
        delays.sent.extend(sent);
    }
    delays.answered.sort_unstable();
    delays.sent.sort_unstable();
    Ok(delays)
}

/// When the requests of one connection are due.
struct Times {
    first: Instant,
    every: Duration,
    counted_from: Instant,
    end: Instant,
}

async fn send_on_time(
    mut client: Client,
    address: SocketAddr,
    request: Bytes,
    times: Times,
) -> Result<Delays, LoadError> {
    let mut delays = Delays::default();
    let mut due = times.first;
    while due < times.end {
        sleep_until(due).await;
        let sent = due.elapsed();
        accepted(address, client.exchange(&request).await?)?;
        if due >= times.counted_from {
            delays.answered.push(due.elapsed());
            delays.sent.push(sent);
        }
        due += times.every;
    }
    Ok(delays)
}

fn accepted(address: SocketAddr, status: u16) -> Result<(), LoadError> {
    if (200..300).contains(&status) { Ok(()) } else { Err(LoadError::Refused { address, status }) }
}

async fn all<T: 'static>(mut senders: Senders<T>) -> Result<Vec<T>, LoadError> {
    let mut ended = Vec::with_capacity(senders.len());
    while let Some(sender) = senders.join_next().await {
        ended.push(sender??);
    }
    Ok(ended)
}
