//! What stands before an ingest and writes down which state of each alert it took last, by answering 2xx. What it did not take is
//! the sender's to send again, and nobody's to deliver.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::http;

/// What is read of a body at most, in bytes: more than a test sends.
const BODY_BYTES_MAX: usize = 32 << 20;

/// By the names of alerts, when each was taken last, and whether it was over.
type TakenStates = BTreeMap<String, (Instant, bool)>;

/// A gateway to one ingest, for as long as it lives.
#[derive(Debug)]
pub struct Witness {
    address: SocketAddr,
    taken: Arc<Mutex<TakenStates>>,
    _serving: JoinSet<()>,
}

impl Witness {
    /// One that passes everything on to `upstream`.
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free port");
        let address = listener.local_addr().expect("the address of a listener");
        let taken = Arc::<Mutex<TakenStates>>::default();
        let mut serving = JoinSet::new();
        serving.spawn(serve(listener, upstream, Arc::clone(&taken)));
        Self { address, taken, _serving: serving }
    }

    /// Where senders send.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// When the alert of this name was taken last, and whether it was over.
    pub fn last_taken(&self, alertname: &str) -> Option<(Instant, bool)> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).get(alertname).copied()
    }
}

async fn serve(listener: TcpListener, upstream: SocketAddr, taken: Arc<Mutex<TakenStates>>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let taken = Arc::clone(&taken);
        let answer = service_fn(move |request| answer(request, upstream, Arc::clone(&taken)));
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(
    request: Request<Incoming>,
    upstream: SocketAddr,
    taken: Arc<Mutex<TakenStates>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let url = format!("http://{upstream}{}", request.uri());
    #[expect(clippy::disallowed_methods, reason = "the body is limited")]
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
    let body = body.map(Collected::to_bytes).unwrap_or_default();
    let answered = http::post(&url, &[("content-type", "application/json")], body.clone()).await;
    let Ok(answered) = answered else { return Ok(response(StatusCode::BAD_GATEWAY, Bytes::new())) };
    let status = StatusCode::from_u16(answered.status).unwrap_or(StatusCode::BAD_GATEWAY);
    if status.is_success() {
        let now = Instant::now();
        let news = states(&body).into_iter().map(|(name, is_over)| (name, (now, is_over)));
        taken.lock().unwrap_or_else(PoisonError::into_inner).extend(news);
    }
    Ok(response(status, answered.body))
}

/// The names of the alerts of a body, and whether each is over.
fn states(body: &[u8]) -> Vec<(String, bool)> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let alerts = body["alerts"].as_array().into_iter().flatten();
    let state = |alert: &Value| {
        let name = alert["labels"]["alertname"].as_str().unwrap_or_default().to_owned();
        (name, alert["status"] == "resolved")
    };
    alerts.map(state).collect()
}

fn response(status: StatusCode, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response
}
