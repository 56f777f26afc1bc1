//! The admin port: `/metrics`, `/healthz`, `/readyz`, and whatever pages a role adds.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::{Registry, TextEncoder};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::debug;

use crate::lifecycle::Lifecycle;
use crate::tls::ListenerTls;

/// Connections at once: Prometheus, probes, and the browsers of people who look at pages, each of which keeps a few.
const CONNECTIONS_MAX: usize = 256;
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
}

impl Admin {
    /// Serves on `listener` until the lifecycle's tasks are done: a draining process has to go on saying so.
    pub fn spawn(self, listener: TcpListener, lifecycle: &Lifecycle) {
        let admin = Arc::new(self);
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let owner = lifecycle.clone();
        lifecycle.spawn_detached(async move {
            loop {
                let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
                let Ok((stream, peer)) = listener.accept().await else {
                    // Most likely no file descriptor is left: trying again at once would only burn the CPU.
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let connection = Arc::clone(&admin).serve(stream, peer, owner.clone());
                owner.spawn_detached(async move {
                    connection.await;
                    drop(place);
                });
            }
        });
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, peer: SocketAddr, lifecycle: Lifecycle) {
        match &self.tls {
            None => Arc::clone(&self).answers(stream, peer, lifecycle).await,
            Some(tls) => match tls.accept(stream).await {
                Ok(stream) => Arc::clone(&self).answers(stream, peer, lifecycle).await,
                Err(error) => debug!(%peer, %error, "no TLS with a client of the admin port"),
            },
        }
    }

    async fn answers(
        self: Arc<Self>,
        stream: impl AsyncRead + AsyncWrite + Unpin,
        peer: SocketAddr,
        lifecycle: Lifecycle,
    ) {
        let service = service_fn(move |request: Request<Incoming>| {
            let admin = Arc::clone(&self);
            let lifecycle = lifecycle.clone();
            async move { Ok::<_, std::convert::Infallible>(admin.answer(request, peer, &lifecycle).await) }
        });
        let served = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEADER_TIMEOUT)
            .serve_connection(TokioIo::new(stream), service)
            .await;
        if let Err(error) = served {
            debug!(%peer, %error, "admin connection ended early");
        }
    }

    async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        lifecycle: &Lifecycle,
    ) -> PageAnswer {
        let path = request.uri().path();
        let is_own = ["/healthz", "/readyz", "/metrics"].contains(&path);
        if is_own && request.method() != Method::GET && request.method() != Method::HEAD {
            return only_get();
        }
        match path {
            "/healthz" => respond(StatusCode::OK, TEXT, "alive\n".into()),
            "/readyz" => match lifecycle.readiness.unmet() {
                unmet if unmet.is_empty() => respond(StatusCode::OK, TEXT, "ready\n".into()),
                unmet => {
                    let reason = format!("not ready: {}\n", unmet.join(", "));
                    respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, reason.into())
                }
            },
            "/metrics" => match TextEncoder::new().encode_to_string(&self.registry.gather()) {
                Ok(text) => respond(StatusCode::OK, prometheus::TEXT_FORMAT, text.into()),
                Err(error) => respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, error.to_string().into()),
            },
            _ => self.answer_of_pages(request, peer).await,
        }
    }

    async fn answer_of_pages(&self, request: Request<Incoming>, peer: SocketAddr) -> PageAnswer {
        let is_read = [Method::GET, Method::HEAD].contains(request.method());
        let nobody = || if is_read { no_such_page() } else { only_get() };
        if self.pages.is_empty() {
            return nobody();
        }
        let (head, body) = request.into_parts();
        let body = match read(body).await {
            Ok(body) => body,
            Err(status) => {
                return respond(status, TEXT, "the body is too long, or did not come to its end\n".into());
            }
        };
        let request = PageRequest { method: head.method, uri: head.uri, headers: head.headers, body, peer };
        for page in &self.pages {
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
