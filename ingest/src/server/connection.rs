//! One connection, from its first byte to its last, and the limits hyper is given for it.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use config::IngestLimits;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use hyper::Request;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use prometheus::{IntCounter, IntGauge};
use runtime::lifecycle::{Lifecycle, Tasks};
use runtime::tls::ListenerTls;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use super::activity::Activity;
use super::proxy_protocol;
use crate::accept::Intake;
use crate::connections::{ConnectionHandle, ConnectionLimiter};
use crate::gate::Origin;

/// Requests at once on one HTTP/2 connection.
const STREAMS_MAX: u32 = 32;
/// How much of one request's body HTTP/2 lets a client send ahead of us, in bytes, and of all on a connection.
const STREAM_WINDOW_BYTES: u32 = 256 * 1024;
const CONNECTION_WINDOW_BYTES: u32 = 1024 * 1024;
/// hyper reads HTTP/1 headers into a buffer that cannot be smaller than this.
const HEADER_BUFFER_BYTES_MIN: usize = 8 * 1024;

/// What all connections of one listener share.
pub(super) struct Connections {
    pub(super) serving: Serving,
    pub(super) open: IntGauge,
    pub(super) displaced: IntCounter,
    pub(super) crowd: ConnectionLimiter,
}

/// What each of them is served with.
#[derive(Clone)]
pub(super) struct Serving {
    pub(super) intake: Arc<Intake>,
    pub(super) limits: IngestLimits,
    pub(super) tls: Option<ListenerTls>,
    pub(super) handshakes_failed: IntCounter,
    pub(super) lifecycle: Lifecycle,
}

/// A connection, with or without TLS.
type ClientStream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

impl Connections {
    /// Serves a connection until it ends; its place becomes free then.
    pub(super) fn spawn(&self, stream: TcpStream, peer: SocketAddr, place: OwnedSemaphorePermit) {
        let counted = Counted::new(&self.open);
        let member = self.crowd.join();
        let serving = self.serving.clone();
        self.serving.lifecycle.tasks.spawn(async move {
            if let Some((stream, hop)) = serving.opened(stream, peer, &member).await {
                serving.serve(stream, peer, hop, member).await;
            }
            drop((counted, place));
        });
    }

    /// Closes the connection that has waited for its client longest; says whether there was one.
    pub(super) fn displace(&self) -> bool {
        let displaced = self.crowd.displace();
        self.displaced.inc_by(displaced.into());
        displaced
    }
}

impl Serving {
    /// What comes before the first request: a proxy's word on whose connection it is, and TLS. In a limited time each, and
    /// whoever takes it makes room for others as those do that send nothing.
    async fn opened(
        &self,
        stream: TcpStream,
        peer: SocketAddr,
        member: &ConnectionHandle,
    ) -> Option<(ClientStream, Origin)> {
        tokio::select! {
            () = self.lifecycle.stop.cancelled() => None,
            () = member.displaced() => {
                debug!(%peer, "closed a connection: others need the place");
                None
            }
            opened = self.greeted(stream, peer) => opened,
        }
    }

    async fn greeted(&self, mut stream: TcpStream, peer: SocketAddr) -> Option<(ClientStream, Origin)> {
        let mut hop = Origin::known(peer.ip());
        if self.intake.gate().wants_proxy_header(peer.ip()) {
            match timeout(self.limits.header_timeout, proxy_protocol::read(&mut stream, peer.ip())).await {
                Ok(Ok(origin)) => hop = origin,
                Ok(Err(error)) => {
                    warn!(%peer, %error, "closed a connection from a proxy");
                    return None;
                }
                Err(_) => {
                    debug!(%peer, "closed a connection from a proxy: nothing came");
                    return None;
                }
            }
        }
        let Some(tls) = &self.tls else { return Some((Either::Left(stream), hop)) };
        match tls.accept(stream).await {
            Ok(stream) => Some((Either::Right(Box::new(stream)), hop)),
            Err(error) => {
                self.handshakes_failed.inc();
                debug!(%peer, %error, "closed a connection: no TLS");
                None
            }
        }
    }

    async fn serve(self, stream: ClientStream, peer: SocketAddr, hop: Origin, member: ConnectionHandle) {
        let Self { intake, limits, lifecycle, .. } = self;
        let activity = Activity::new();
        let service = service_fn(|mut request: Request<Incoming>| {
            request.extensions_mut().insert(member.clone());
            let intake = Arc::clone(&intake);
            let in_hand = activity.begin();
            async move {
                let response = intake.answer(request, hop).await;
                drop(in_hand);
                Ok::<_, Infallible>(response)
            }
        });
        let builder = builder(&limits, lifecycle.tasks.clone());
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let mut ends = Ends {
            member: member.clone(),
            activity: activity.clone(),
            first_max: limits.header_timeout,
            idle_max: limits.keep_alive,
            stop: Some(lifecycle.stop),
        };
        // A set polls only what was woken: each request wakes its connection several times, what may end it hardly ever is.
        let mut end = FuturesUnordered::from_iter([ends.clone().next()]);
        loop {
            tokio::select! {
                served = connection.as_mut() => {
                    if let Err(error) = served {
                        debug!(%peer, error, "a connection broke");
                    }
                    return;
                }
                Some(ended) = end.next() => match ended {
                    End::Stopping => {
                        // The request in hand is finished, the next one is for another process.
                        connection.as_mut().graceful_shutdown();
                        ends.stop = None;
                        end.push(ends.clone().next());
                    }
                    End::Displaced => return debug!(%peer, "closed a connection: others need the place"),
                    End::Idle => return debug!(%peer, "closed a connection: nothing came"),
                },
            }
        }
    }
}

/// What ends a connection besides its client.
#[derive(Clone)]
struct Ends {
    member: ConnectionHandle,
    activity: Activity,
    first_max: Duration,
    idle_max: Duration,
    /// Until it has been told to finish.
    stop: Option<CancellationToken>,
}

enum End {
    Displaced,
    Idle,
    Stopping,
}

impl Ends {
    async fn next(self) -> End {
        let stopping = async {
            match &self.stop {
                Some(stop) => stop.cancelled().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = self.member.displaced() => End::Displaced,
            () = stopping => End::Stopping,
            () = self.activity.idle_for(self.first_max, self.idle_max) => End::Idle,
        }
    }
}

fn builder(limits: &IngestLimits, tasks: Tasks) -> Builder<Tracked> {
    let mut builder = Builder::new(Tracked(tasks));
    builder
        .http1()
        // `Activity` limits the time for headers, too: from the last answer on. A second timer for each request
        // would add nothing but its cost.
        .header_read_timeout(None)
        .max_buf_size(limits.header_bytes.max(HEADER_BUFFER_BYTES_MIN));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX));
    builder
}

/// Lets hyper run the requests of HTTP/2 connections as tasks that a drain waits for.
#[derive(Clone)]
struct Tracked(Tasks);

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tracked {
    fn execute(&self, request: F) {
        self.0.spawn(request);
    }
}

/// Counts a connection while it is open, however it ends.
struct Counted(IntGauge);

impl Counted {
    fn new(open: &IntGauge) -> Self {
        open.inc();
        Self(open.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.dec();
    }
}
