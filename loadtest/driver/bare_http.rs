//! *bare HTTP*: what the HTTP library allows. hyper reads a body, serde reads its alerts without copying them, and
//! the answer is 200. No limits, no queue.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// What is read of a body at most, as in ingest.
const BODY_BYTES_MAX: usize = 32 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group<'a> {
    #[serde(borrow)]
    alerts: Vec<Alert<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "reading them is what is measured")]
struct Alert<'a> {
    status: &'a str,
    #[serde(borrow)]
    labels: BTreeMap<&'a str, &'a str>,
    #[serde(borrow)]
    annotations: BTreeMap<&'a str, &'a str>,
    starts_at: &'a str,
    ends_at: &'a str,
    #[serde(rename = "generatorURL")]
    generator_url: &'a str,
    fingerprint: &'a str,
}

/// Serves until the process ends.
pub(crate) async fn serve(listen: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(listen).await?;
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)));
        while connections.try_join_next().is_some() {}
    }
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    #[expect(clippy::disallowed_methods, reason = "the body is limited")]
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await;
    let bytes = body.map(Collected::to_bytes).unwrap_or_default();
    let accepted = match serde_json::from_slice::<Group<'_>>(&bytes) {
        Ok(group) => group.alerts.len(),
        // A question whether we are there.
        Err(_) if bytes.is_empty() => 0,
        Err(_) => {
            let mut refusal = Response::new(Full::default());
            *refusal.status_mut() = StatusCode::BAD_REQUEST;
            return Ok(refusal);
        }
    };
    Ok(Response::new(Full::new(Bytes::from(format!("{{\"accepted\":{accepted}}}\n")))))
}
