//! The admin port: `/metrics`, `/healthz`, `/readyz`, and whatever pages a role adds. The probes may have a listener of their
//! own beside it, which shows nothing else.

mod hosts;
mod places;
mod stalled;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::{IntCounter, IntGauge, Registry, TextEncoder};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::debug;

use crate::lifecycle::Lifecycle;
use crate::metrics::intake::{ADMIN_DISPLACED_CONNECTIONS, ADMIN_OPEN_CONNECTIONS};
use crate::tls::ListenerTls;
pub use hosts::AdminHosts;
use places::{Place, Places};
use stalled::WriteDeadline;

/// Connections at once: Prometheus, probes, and the browsers of people who look at pages, each of which keeps a few. Beyond
/// it the oldest makes room.
const CONNECTIONS_MAX: usize = 256;
/// Of a listener for probes: two of kubelet's, and a few more.
const PROBES_MAX: usize = 32;
/// How long a client may take to read one answer.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of answers that nobody has read is kept for one connection, in bytes; hyper takes no less than 8 KiB.
const UNREAD_BYTES_MAX: usize = 64 * 1024;
/// Bodies read at once: forms, and payloads that people try out.
const BODIES_AT_ONCE: usize = 16;
/// Texts of all metrics made at once: each takes some milliseconds of a processor.
const METRICS_AT_ONCE: usize = 1;
/// How long a client may take over its request's headers, or sit idle; and again over its body.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest body: a form, or a payload that somebody tries out.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long no connection is accepted after the system refused one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// Plain text.
pub(super) const TEXT: &str = "text/plain; charset=utf-8";

/// What a page is asked.
#[derive(Clone, Debug)]
pub struct PageRequest {
    /// `GET`, `HEAD`, `POST` and so on.
    pub method: Method,
    /// Path and query.
    pub uri: Uri,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
    /// Who is at the other end of the connection.
    pub peer: SocketAddr,
}

/// What a page answers.
pub type PageAnswer = Response<Full<Bytes>>;

/// The answer of a page, once it is there; `None` if the path is not this page's.
pub type PageFuture<'p> = Pin<Box<dyn Future<Output = Option<PageAnswer>> + Send + 'p>>;

/// Pages a role adds to the admin port.
pub trait Page: Send + Sync + 'static {
    /// Answers a request, whatever its method.
    fn answer<'p>(&'p self, request: &'p PageRequest) -> PageFuture<'p>;
}

/// The admin port of one process.
pub struct Admin {
    /// What `/metrics` shows.
    pub registry: Registry,
    /// Further pages, asked in order.
    pub pages: Vec<Box<dyn Page>>,
    /// What it is encrypted with, if it is.
    pub tls: Option<ListenerTls>,
    /// The names it may be asked by.
    pub hosts: AdminHosts,
}

/// What a listener shows.
struct Shown {
    admin: Admin,
    /// Nothing but the probes, where they have a listener of their own.
    extent: Extent,
    lifecycle: Lifecycle,
    metrics_at_once: Semaphore,
    bodies_at_once: Semaphore,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    Everything,
    Probes,
}

/// Serves `/healthz` and `/readyz`, and nothing else, until the lifecycle's tasks are done. No client of the admin port can
/// keep it from answering.
pub fn spawn_probes(listener: TcpListener, lifecycle: &Lifecycle) -> prometheus::Result<()> {
    // Neither is shown: the admin port's are.
    let open = ADMIN_OPEN_CONNECTIONS.gauge()?;
    let displaced = ADMIN_DISPLACED_CONNECTIONS.counter()?;
    let places = Places::new(PROBES_MAX, open, displaced);
    let registry = Registry::new();
    let admin = Admin { registry, pages: Vec::new(), tls: None, hosts: AdminHosts::default() };
    serve(Shown::new(admin, Extent::Probes, lifecycle), listener, places, lifecycle);
    Ok(())
}

impl Admin {
    /// Serves on `listener` until the lifecycle's tasks are done: a draining process has to go on saying so.
    ///
    /// # Errors
    /// Its own metrics are in the registry already.
    pub fn spawn(self, listener: TcpListener, lifecycle: &Lifecycle) -> prometheus::Result<()> {
        let open: IntGauge = ADMIN_OPEN_CONNECTIONS.gauge()?;
        let displaced: IntCounter = ADMIN_DISPLACED_CONNECTIONS.counter()?;
        self.registry.register(Box::new(open.clone()))?;
        self.registry.register(Box::new(displaced.clone()))?;
        let places = Places::new(CONNECTIONS_MAX, open, displaced);
        serve(Shown::new(self, Extent::Everything, lifecycle), listener, places, lifecycle);
        Ok(())
    }
}

fn serve(shown: Shown, listener: TcpListener, places: Places, lifecycle: &Lifecycle) {
    let shown = Arc::new(shown);
    let owner = lifecycle.clone();
    lifecycle.spawn_detached(async move {
        loop {
            let Ok((stream, peer)) = listener.accept().await else {
                // Most likely no file descriptor is left: trying again at once would only burn the CPU.
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let Some(place) = places.take().await else { return };
            owner.spawn_detached(Arc::clone(&shown).connection(stream, peer, place));
        }
    });
}

impl Shown {
    fn new(admin: Admin, extent: Extent, lifecycle: &Lifecycle) -> Self {
        let metrics_at_once = Semaphore::new(METRICS_AT_ONCE);
        let bodies_at_once = Semaphore::new(BODIES_AT_ONCE);
        Self { admin, extent, lifecycle: lifecycle.clone(), metrics_at_once, bodies_at_once }
    }

    async fn connection(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, place: Place) {
        tokio::select! {
            () = place.displaced.cancelled() => debug!(%peer, "closed an admin connection: others need the place"),
            () = self.opened(stream, peer) => {}
        }
    }

    async fn opened(self: Arc<Self>, stream: TcpStream, peer: SocketAddr) {
        match &self.admin.tls {
            None => Arc::clone(&self).answers(stream, peer).await,
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => Arc::clone(&self).answers(stream, peer).await,
                Err(error) => debug!(%peer, %error, "no TLS with a client of the admin port"),
            },
        }
    }

    async fn answers(self: Arc<Self>, stream: impl AsyncRead + AsyncWrite + Unpin, peer: SocketAddr) {
        let stream = WriteDeadline::new(stream, WRITE_TIMEOUT);
        let service = service_fn(move |request: Request<Incoming>| {
            let shown = Arc::clone(&self);
            async move { Ok::<_, std::convert::Infallible>(shown.answer(request, peer).await) }
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .max_buf_size(UNREAD_BYTES_MAX)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            debug!(%peer, %error, "admin connection ended early");
        }
    }

    async fn answer(&self, request: Request<Incoming>, peer: SocketAddr) -> PageAnswer {
        let (head, body) = request.into_parts();
        let path = head.uri.path();
        if !self.admin.hosts.admits(&head) {
            return not_ours();
        }
        let is_own = ["/healthz", "/readyz", "/metrics"].contains(&path);
        if is_own && head.method != Method::GET && head.method != Method::HEAD {
            return only_get();
        }
        match (path, self.extent) {
            ("/healthz", _) => respond(StatusCode::OK, TEXT, "alive\n".into()),
            ("/readyz", _) => match self.lifecycle.readiness.unmet() {
                unmet if unmet.is_empty() => respond(StatusCode::OK, TEXT, "ready\n".into()),
                unmet => {
                    let reason = format!("not ready: {}\n", unmet.join(", "));
                    respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, reason.into())
                }
            },
            (_, Extent::Probes) => no_such_page(),
            ("/metrics", Extent::Everything) => self.metrics().await,
            (_, Extent::Everything) => self.answer_of_pages(head, body, peer).await,
        }
    }

    async fn read(&self, body: Incoming) -> Result<Bytes, StatusCode> {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        // Never closed, so there is always a turn.
        let _turn = self.bodies_at_once.acquire().await;
        read(body).await
    }

    async fn metrics(&self) -> PageAnswer {
        // Never closed, so there is always a turn.
        let _turn = self.metrics_at_once.acquire().await;
        match TextEncoder::new().encode_to_string(&self.admin.registry.gather()) {
            Ok(text) => respond(StatusCode::OK, prometheus::TEXT_FORMAT, text.into()),
            Err(error) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, error.to_string().into()),
        }
    }

    async fn answer_of_pages(&self, head: Parts, body: Incoming, peer: SocketAddr) -> PageAnswer {
        let is_read = [Method::GET, Method::HEAD].contains(&head.method);
        let nobody = || if is_read { no_such_page() } else { only_get() };
        if self.admin.pages.is_empty() {
            return nobody();
        }
        let body = match self.read(body).await {
            Ok(body) => body,
            Err(status) => {
                return respond(status, TEXT, "the body is too long, or did not come to its end\n".into());
            }
        };
        let request = PageRequest { method: head.method, uri: head.uri, headers: head.headers, body, peer };
        for page in &self.admin.pages {
            if let Some(answer) = page.answer(&request).await {
                return answer;
            }
        }
        nobody()
    }
}

/// The whole body, if it is there in time and not too long.
async fn read(body: Incoming) -> Result<Bytes, StatusCode> {
    #[expect(clippy::disallowed_methods, reason = "the body is limited")]
    let collected = Limited::new(body, BODY_BYTES_MAX).collect();
    match tokio::time::timeout(HEADER_TIMEOUT, collected).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(StatusCode::PAYLOAD_TOO_LARGE),
        Ok(Err(_)) => Err(StatusCode::BAD_REQUEST),
        Err(_) => Err(StatusCode::REQUEST_TIMEOUT),
    }
}

/// The answer to a method that changes something, where nothing can be changed.
pub fn only_get() -> PageAnswer {
    let mut answer = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into());
    answer.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    answer
}

/// The answer to whoever names somebody else's host.
fn not_ours() -> PageAnswer {
    let why = "this is not a name of this admin port: ask by its address, or name it in admin_hosts\n";
    respond(StatusCode::MISDIRECTED_REQUEST, TEXT, why.into())
}

fn no_such_page() -> PageAnswer {
    respond(StatusCode::NOT_FOUND, TEXT, "no such page\n".into())
}

/// A page that is there.
pub fn page(content_type: &'static str, body: Bytes) -> PageAnswer {
    respond(StatusCode::OK, content_type, body)
}

/// An answer.
pub(super) fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> PageAnswer {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
