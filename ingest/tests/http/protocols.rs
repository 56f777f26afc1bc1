//! HTTP/1.1 and HTTP/2 on the same port.

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpStream;
use tokio_util::task::TaskTracker;

use crate::client::{CUSTOM, Client, request};
use crate::harness::{Harness, within};

const ANSWER_BYTES_MAX: usize = 4096;

#[tokio::test]
async fn http_2_without_tls_is_spoken_many_requests_at_once() {
    let harness = Harness::open();
    let stream = TcpStream::connect(harness.address).await.unwrap();
    let (sender, connection) =
        http2::handshake::<_, _, Full<Bytes>>(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    let tasks = TaskTracker::new();
    tasks.spawn(connection);
    let posts = (0..20).map(|_| {
        let mut sender = sender.clone();
        tasks.spawn(async move {
            let request = Request::post("http://larkfire/api/alert").body(Full::from(CUSTOM)).unwrap();
            let response = sender.send_request(request).await.unwrap();
            let status = response.status().as_u16();
            #[expect(clippy::disallowed_methods, reason = "the lint does not see the Limited around it")]
            let body: Bytes = Limited::new(response, ANSWER_BYTES_MAX).collect().await.unwrap().to_bytes();
            (status, serde_json::from_slice::<serde_json::Value>(&body).unwrap()["accepted"].clone())
        })
    });
    for answered in posts.collect::<Vec<_>>() {
        assert_eq!(within(answered).await.unwrap(), (202, 1.into()));
    }
    assert_eq!(harness.queue.stored().len(), 20);
}

#[tokio::test]
async fn requests_sent_ahead_are_answered_in_their_order() {
    let harness = Harness::open();
    let good = request("POST /api/alert", &[], CUSTOM.as_bytes());
    let bad = request("POST /api/alert", &[], b"{}");
    let mut client = Client::connect(harness.address).await;
    client.send([good.clone(), bad, good].concat()).await;
    for status in [202, 422, 202] {
        assert_eq!(client.reply().await.status, status);
    }
}

#[tokio::test]
async fn a_body_that_ends_early_harms_nobody() {
    let harness = Harness::open();
    let mut client = Client::connect(harness.address).await;
    client.send("POST /api/alert HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").await;
    drop(client);
    within(async {
        let broken = r#"larkfire_ingest_requests_total{code="body_broken",source="unknown"}"#;
        while harness.metric(broken) < 1.0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(crate::client::post(harness.address, CUSTOM).await.status, 202);
}
