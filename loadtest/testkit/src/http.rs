//! A small HTTP/1.1 client for tests: a connection per request, the answer read whole, one deadline round
//! everything.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper::header::{CONNECTION, HOST, HeaderMap};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use runtime::tls::ClientTls;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// How long a request may take, from connecting to the end of the body.
const DEADLINE: Duration = Duration::from_secs(30);

/// What is read of an answer's body at most.
const BODY_LIMIT_BYTES: usize = 64 << 20;

/// An answer, read to its end.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("a body in UTF-8")
    }

    /// The body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {:?}", self.body))
    }

    /// A header's value as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer; tests of faults look at it.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// Nobody listens, or the connection was not made for another reason.
    #[error("cannot connect: {0}")]
    Connect(#[source] std::io::Error),
    /// The connection broke before the answer's headers.
    #[error("no answer: {0}")]
    NoAnswer(#[source] hyper::Error),
    /// The answer's body broke off, or is larger than what is read of it.
    #[error("the body of the answer is not whole: {0}")]
    Body(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// There is no whole answer within the deadline.
    #[error("no answer within {0:?}")]
    TimedOut(Duration),
}

/// Gets a `http://` URL.
pub async fn get(url: &str) -> Result<Answer, HttpError> {
    send(Method::GET, url, &[], Bytes::new()).await
}

/// Posts a body with these headers to a `http://` URL.
pub async fn post(url: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Result<Answer, HttpError> {
    send(Method::POST, url, headers, body.into()).await
}

/// Gets a `https://` URL with a name or an address and a port.
pub async fn get_over_tls(tls: &ClientTls, url: &str) -> Result<Answer, HttpError> {
    send_over_tls(tls, Method::GET, url, &[], Bytes::new()).await
}

/// Posts a body with these headers to such a URL.
pub async fn post_over_tls(
    tls: &ClientTls,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<Bytes>,
) -> Result<Answer, HttpError> {
    send_over_tls(tls, Method::POST, url, headers, body.into()).await
}

async fn send_over_tls(
    tls: &ClientTls,
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Answer, HttpError> {
    let (authority, path) = parts("https://", url);
    let request = request(method, authority, path, headers, body);
    let (host, _) = authority.rsplit_once(':').expect("a port");
    let exchange = async {
        let stream = TcpStream::connect(authority).await.map_err(HttpError::Connect)?;
        let connector = TlsConnector::from(Arc::new(tls.config().expect("files that can be read")));
        let name = tls.name_of(host).expect("a name of a server");
        exchange_on(connector.connect(name, stream).await.map_err(HttpError::Connect)?, request).await
    };
    timeout(DEADLINE, exchange).await.map_err(|_| HttpError::TimedOut(DEADLINE))?
}

/// Puts a body to a `http://` URL.
pub async fn put(url: &str, body: impl Into<Bytes>) -> Result<Answer, HttpError> {
    send(Method::PUT, url, &[], body.into()).await
}

/// Posts JSON to a `http://` URL.
pub async fn post_json(url: &str, body: &serde_json::Value) -> Result<Answer, HttpError> {
    post(url, &[("content-type", "application/json")], body.to_string()).await
}

/// Sends any request to a `http://` URL.
pub async fn send(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Answer, HttpError> {
    send_within(DEADLINE, method, url, headers, body).await
}

/// The same, for what takes longer or has to be quicker.
pub async fn send_within(
    deadline: Duration,
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Result<Answer, HttpError> {
    let (authority, path) = parts("http://", url);
    let request = request(method, authority, path, headers, body);
    timeout(deadline, exchange(authority, request)).await.map_err(|_| HttpError::TimedOut(deadline))?
}

fn request(
    method: Method,
    authority: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Bytes,
) -> Request<Full<Bytes>> {
    let mut request = Request::builder().method(method).uri(path).header(CONNECTION, "close");
    if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
        request = request.header(HOST, authority);
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Full::new(body)).expect("a request of valid parts")
}

fn parts<'u>(scheme: &str, url: &'u str) -> (&'u str, &'u str) {
    let rest = url.strip_prefix(scheme).unwrap_or_else(|| panic!("{url} is no {scheme} URL"));
    match rest.find('/') {
        Some(index) => rest.split_at(index),
        None => (rest, "/"),
    }
}

async fn exchange(authority: &str, request: Request<Full<Bytes>>) -> Result<Answer, HttpError> {
    exchange_on(TcpStream::connect(authority).await.map_err(HttpError::Connect)?, request).await
}

async fn exchange_on(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    request: Request<Full<Bytes>>,
) -> Result<Answer, HttpError> {
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(HttpError::NoAnswer)?;
    let answer = async move {
        let (head, body) = sender.send_request(request).await.map_err(HttpError::NoAnswer)?.into_parts();
        #[expect(clippy::disallowed_methods, reason = "the body is limited")]
        let body = Limited::new(body, BODY_LIMIT_BYTES).collect().await.map_err(HttpError::Body)?;
        Ok(Answer { status: head.status.as_u16(), headers: head.headers, body: body.to_bytes() })
    };
    // The connection has to be driven beside the request; what breaks it shows in the answer as well.
    let (answer, _connection) = tokio::join!(answer, connection);
    answer
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::ports::free_address;

    /// Answers one connection with these bytes and returns what was sent to it.
    async fn serve(listener: TcpListener, answer: &str) -> String {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert_ne!(stream.read_buf(&mut request).await.unwrap(), 0);
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        String::from_utf8(request).unwrap()
    }

    #[tokio::test]
    async fn a_post_carries_its_headers_and_body_and_brings_status_headers_and_body() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/a?b=c", listener.local_addr().unwrap());
        let headers = [("x-test", "yes")];
        let (answer, request) = tokio::join!(
            post(&url, &headers, "{}"),
            serve(listener, "HTTP/1.1 503 Busy\r\nRetry-After: 2\r\nContent-Length: 8\r\n\r\n{\"a\": 1}")
        );
        let answer = answer.unwrap();
        assert_eq!((answer.status, answer.header("retry-after")), (503, Some("2")));
        assert_eq!(answer.json()["a"], 1);
        assert!(request.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("x-test: yes\r\n"), "{request}");
    }

    #[tokio::test]
    async fn a_closed_port_and_a_closed_connection_are_told_apart() {
        let refused = get(&format!("http://{}", free_address())).await;
        assert!(matches!(refused, Err(HttpError::Connect(_))), "{refused:?}");

        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let (answer, _request) = tokio::join!(post(&url, &[], "{}"), serve(listener, ""));
        assert!(matches!(answer, Err(HttpError::NoAnswer(_))), "{answer:?}");
    }

    #[tokio::test]
    async fn half_a_body_is_no_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let half = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"a\"";
        let (answer, _request) = tokio::join!(post(&url, &[], "{}"), serve(listener, half));
        assert!(matches!(answer, Err(HttpError::Body(_))), "{answer:?}");
    }
}
