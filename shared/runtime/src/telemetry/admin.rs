//! The admin port: `/metrics`, `/healthz`, `/readyz`, and whatever pages a role adds.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use prometheus::{Registry, TextEncoder};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tracing::debug;

use crate::lifecycle::Lifecycle;

/// Connections at once. Prometheus, a probe and a person need three.
const CONNECTIONS_MAX: usize = 32;
/// How long a client may take over its request's headers, or sit idle.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// How long no connection is accepted after the system refused one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
const TEXT: &str = "text/plain; charset=utf-8";

/// A page a role adds to the admin port.
pub trait Page: Send + Sync + 'static {
    /// The answer to `GET path`, or `None` if the path is not this page's.
    fn get(&self, path: &str) -> Option<PageBody>;
}

/// What a page answers with.
#[derive(Clone, Debug)]
pub struct PageBody {
    /// The media type.
    pub content_type: &'static str,
    /// The body.
    pub body: Bytes,
}

/// The admin port of one process.
pub struct Admin {
    /// What `/metrics` shows.
    pub registry: Registry,
    /// Further pages, asked in order.
    pub pages: Vec<Box<dyn Page>>,
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
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let answer = self.answer(request.method(), request.uri().path(), &lifecycle);
            async move { Ok::<_, std::convert::Infallible>(answer) }
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

    fn answer(&self, method: &Method, path: &str, lifecycle: &Lifecycle) -> Response<Full<Bytes>> {
        if method != Method::GET && method != Method::HEAD {
            return respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET\n".into());
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
            _ => match self.pages.iter().find_map(|page| page.get(path)) {
                Some(page) => respond(StatusCode::OK, page.content_type, page.body),
                None => respond(StatusCode::NOT_FOUND, TEXT, "no such page\n".into()),
            },
        }
    }
}

fn respond(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
