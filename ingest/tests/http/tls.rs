//! The listener with TLS: both versions of HTTP, clients that have to show who they are, and clients that speak something else.

use std::sync::Arc;

use bytes::Bytes;
use config::{ClientTls, IdentityFiles, ListenerFiles};
use http_body_util::Full;
use hyper::Request;
use hyper::client::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::tls::{TestCa, TestCertificate};
use testkit::wait_until::wait_until;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::task::TaskTracker;

use crate::client::{CUSTOM, Client, request};
use crate::harness::{Harness, PATIENCE, within};

const NAME: &str = "alerts.example";
const FAILED: &str = "larkfire_ingest_handshakes_failed_total";

fn identity(certificate: &TestCertificate) -> IdentityFiles {
    let TestCertificate { cert_file, key_file } = certificate.clone();
    IdentityFiles { cert_file, key_file }
}

/// An ingest with a certificate of this CA; `asks` is whether clients need one of it, too.
fn ingest(ca: &TestCa, asks: bool, connections: usize) -> Harness {
    let client_ca_file = asks.then(|| ca.file().to_owned());
    let files = ListenerFiles { identity: identity(&ca.issue_until(&[NAME], 2031)), client_ca_file };
    Harness::with(|settings| {
        settings.tls = Some(files);
        settings.limits.connections = connections;
    })
}

/// A client that believes this CA.
fn client(ca: &TestCa, shown: Option<&TestCertificate>) -> ClientTls {
    ClientTls {
        ca_file: Some(ca.file().to_owned()),
        identity: shown.map(identity),
        server_name: Some(NAME.to_owned()),
    }
}

async fn connect(harness: &Harness, tls: &ClientTls, protocol: &[u8]) -> TlsStream<TcpStream> {
    let mut config = tls.config().unwrap();
    config.alpn_protocols = vec![protocol.to_owned()];
    let stream = TcpStream::connect(harness.address).await.unwrap();
    let connecting = TlsConnector::from(Arc::new(config)).connect(tls.name_of("").unwrap(), stream);
    within(connecting).await.unwrap()
}

/// The status of one request, or why there is none.
async fn post(stream: TlsStream<TcpStream>) -> Result<u16, hyper::Error> {
    let is_h2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
    let request = Request::post(format!("https://{NAME}/api/alert")).header("host", NAME);
    let request = request.body(Full::from(CUSTOM)).unwrap();
    let tasks = TaskTracker::new();
    let answer = if is_h2 {
        let (mut sender, connection) =
            http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await?;
        tasks.spawn(connection);
        within(sender.send_request(request)).await
    } else {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tasks.spawn(connection);
        within(sender.send_request(request)).await
    };
    answer.map(|answer| answer.status().as_u16())
}

async fn failed_handshakes(harness: &Harness, count: f64) {
    wait_until(PATIENCE, "failed handshakes", async || match harness.metric(FAILED) {
        seen if seen >= count => Ok(()),
        seen => Err(seen),
    })
    .await;
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_and_the_client_chooses() {
    let ca = TestCa::new();
    let harness = ingest(&ca, false, 64);
    for protocol in [&b"h2"[..], b"http/1.1"] {
        let stream = connect(&harness, &client(&ca, None), protocol).await;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(protocol));
        assert_eq!(post(stream).await.unwrap(), 202);
    }
    assert_eq!(harness.queue.stored().len(), 2);
}

#[tokio::test]
async fn a_client_without_a_certificate_is_let_in_where_none_is_asked_for_and_nowhere_else() {
    let ca = TestCa::new();
    let stranger = TestCa::new();
    let harness = ingest(&ca, true, 64);
    let known = client(&ca, Some(&ca.issue(&["sender"])));
    assert_eq!(post(connect(&harness, &known, b"http/1.1").await).await.unwrap(), 202);
    let unknown = stranger.issue(&["sender"]);
    for refused in [client(&ca, None), client(&ca, Some(&unknown))] {
        // In TLS 1.3 a client hears of it with the first answer.
        let answer = post(connect(&harness, &refused, b"http/1.1").await).await;
        assert!(answer.is_err(), "{answer:?}");
    }
    failed_handshakes(&harness, 2.0).await;
    assert_eq!(harness.queue.stored().len(), 1);
}

#[tokio::test]
async fn http_without_tls_is_answered_by_closing_and_harms_nobody() {
    let ca = TestCa::new();
    let harness = ingest(&ca, false, 64);
    let mut plain = Client::connect(harness.address).await;
    plain.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    plain.hung_up().await;
    failed_handshakes(&harness, 1.0).await;
    assert_eq!(post(connect(&harness, &client(&ca, None), b"h2").await).await.unwrap(), 202);
    assert_eq!(harness.queue.stored().len(), 1);
}

#[tokio::test]
async fn whoever_holds_a_place_in_the_middle_of_a_handshake_makes_room() {
    let ca = TestCa::new();
    let harness = ingest(&ca, false, 1);
    for beginning in [&b""[..], &[22, 3, 1]] {
        let mut silent = Client::connect(harness.address).await;
        silent.send(beginning).await;
        assert_eq!(post(connect(&harness, &client(&ca, None), b"http/1.1").await).await.unwrap(), 202);
        silent.hung_up().await;
    }
}
