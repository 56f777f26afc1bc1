//! What others can make the program hold at most: each row of the table in `docs/security.md`, on the real program, with
//! somebody beside it who has the right credentials and is served all the time.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::channel::{Channel, Sender};
use hyper::Request;
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use testkit::http;
use testkit::wait_until::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_util::task::TaskTracker;

use crate::harness::{Harness, PATIENCE};

const MIB: u64 = 1 << 20;
/// What everything else takes while this goes on: buffers of the runtime and of the broker's client, and what the allocator
/// has not given back.
const BESIDE_BYTES: u64 = 48 * MIB;
/// Requests with the right credentials, one after the other.
const RIGHTEOUS: usize = 40;
/// File descriptors that a harness here may have.
const FILES: usize = 4096;
/// Credentials and callbacks are on; a body may have 4 MiB, all of them 16.
const SETTINGS: &str = "gate: { api_keys: k1, hmac_secrets: s1 }\nlark: { verification_token: v, encrypt_key: e }\n\
    limits: { body_bytes: 4MiB, bodies_bytes: 16MiB }\n";

/// Sends one alert with the right key, once: it may not be refused.
async fn righteous(harness: &Harness) {
    let url = format!("http://{}/api/alert", harness.listen);
    let body = br#"{"message":"disk is full","sender_id":"honest"}"#;
    let answer = http::post(&url, &[("x-api-key", "k1")], &body[..]).await.unwrap();
    assert_eq!(answer.status, 202, "{}", answer.text());
}

/// A request with a body that does not end, of which so much is sent.
async fn unfinished(listen: SocketAddr, head: &str, bytes: usize) -> TcpStream {
    let mut stream = TcpStream::connect(listen).await.unwrap();
    let head = format!("{head}Host: x\r\nContent-Length: {}\r\n\r\n", bytes + 1);
    stream.write_all(head.as_bytes()).await.unwrap();
    let chunk = vec![b' '; 64 << 10];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(chunk.len());
        // Whoever was displaced is not read any more.
        if stream.write_all(&chunk[..part]).await.is_err() {
            break;
        }
        left -= part;
    }
    stream
}

/// So many such requests at the same time, kept open while somebody with the right key sends.
async fn besieged(head: &'static str, connections: usize, bytes: usize) {
    let harness = Harness::configured(SETTINGS, FILES).await;
    righteous(&harness).await;
    let before = harness.memory().await;
    let mut strangers = JoinSet::new();
    for _ in 0..connections {
        strangers.spawn(unfinished(harness.listen, head, bytes));
    }
    let full = 4 * MIB - bytes as u64;
    wait_until(PATIENCE, "the share of strangers to be full", async || {
        let taken = harness.metric("larkfire_ingest_bodies_in_memory_bytes").await;
        if taken >= full { Ok(()) } else { Err(taken) }
    })
    .await;
    for _ in 0..RIGHTEOUS {
        righteous(&harness).await;
        let taken = harness.metric("larkfire_ingest_bodies_in_memory_bytes").await;
        assert!(taken <= 4 * MIB + MIB, "strangers hold {taken} bytes, more than one body may have");
    }
    let kept = strangers.join_all().await;
    let more = harness.memory().await.saturating_sub(before);
    assert!(more <= 2 * 4 * MIB + BESIDE_BYTES, "{more} bytes more for {} strangers", kept.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_at_feishu_s_address_share_what_one_body_may_have_and_keep_nobody_out() {
    besieged("POST /lark/event HTTP/1.1\r\n", 132, (1 << 20) - 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_makes_a_signature_up_is_a_stranger_until_the_body_is_there() {
    const HEAD: &str = "POST /api/alert HTTP/1.1\r\nX-Grafana-Alerting-Signature: \
        9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08\r\n";
    besieged(HEAD, 12, (4 << 20) - 2).await;
}

/// An HTTP/2 connection with as many requests as it takes, each with many small headers and a body that does not end.
async fn headers_flood(
    listen: SocketAddr,
    tasks: &TaskTracker,
) -> (http2::SendRequest<Channel<Bytes>>, Vec<Sender<Bytes>>) {
    const STREAMS: usize = 64;
    const FIELDS: usize = 850;
    let stream = TcpStream::connect(listen).await.unwrap();
    let (sender, connection) = http2::handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    tasks.spawn(connection);
    let mut bodies = Vec::new();
    for _ in 0..STREAMS {
        let (body, channel) = Channel::<Bytes>::new(1);
        let mut request = Request::post("http://larkfire/lark/event");
        for _ in 0..FIELDS {
            request = request.header("a", "");
        }
        let mut sender = sender.clone();
        let request = request.body(channel).unwrap();
        tasks.spawn(async move { sender.send_request(request).await.map(drop) });
        bodies.push(body);
    }
    (sender, bodies)
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_and_streams_of_http_2_count() {
    const CONNECTIONS: usize = 100;
    let harness = Harness::configured(SETTINGS, FILES).await;
    righteous(&harness).await;
    let before = harness.memory().await;
    let tasks = TaskTracker::new();
    let mut kept = Vec::new();
    for _ in 0..CONNECTIONS {
        kept.push(headers_flood(harness.listen, &tasks).await);
    }
    wait_until(PATIENCE, "strangers that had to make room", async || {
        match harness.metric(r#"larkfire_ingest_callbacks_total{address="event",code="memory_full"}"#).await {
            0 => Err(0),
            displaced => Ok(displaced),
        }
    })
    .await;
    for _ in 0..RIGHTEOUS {
        righteous(&harness).await;
    }
    let more = harness.memory().await.saturating_sub(before);
    // The headers of all requests, and what a connection takes by itself.
    let room = 4 * MIB + CONNECTIONS as u64 * 256 * 1024 + BESIDE_BYTES;
    assert!(more <= room, "{more} bytes more for {CONNECTIONS} connections");
    println!("{CONNECTIONS} connections of HTTP/2: {} KiB more", more >> 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn tiny_alerts_of_a_sender_count_as_what_they_become() {
    const SENDERS: usize = 34;
    let harness =
        Harness::configured("gate: { api_keys: k1 }\nlimits: { bodies_bytes: 128MiB }\n", FILES).await;
    let before = harness.memory().await;
    let alerts: Vec<_> = (0..99_000).map(|number| format!(r#"{{"fingerprint":{number}}}"#)).collect();
    let body = Bytes::from(format!(r#"{{"alerts":[{}]}}"#, alerts.join(",")));
    let url = format!("http://{}/api/alert", harness.listen);
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let url = url.clone();
        let body = body.clone();
        senders.spawn(async move {
            let answer = http::post(&url, &[("x-api-key", "k1")], body).await.unwrap();
            (answer.status, answer.json()["code"].clone())
        });
    }
    let mut most = 0;
    while let Some(answered) = senders.join_next().await {
        let (status, code) = answered.unwrap();
        assert!(status == 202 || (status == 503 && code != "internal"), "{status} {code}");
        most = most.max(harness.memory().await.saturating_sub(before));
    }
    assert!(most <= 2 * 128 * MIB + BESIDE_BYTES, "{most} bytes more");
    println!("{SENDERS} bodies of {} KiB each: {} MiB more", body.len() >> 10, most >> 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_of_the_admin_port_that_do_not_read_keep_nobody_from_asking() {
    const CLIENTS: usize = 300;
    let harness = Harness::configured("", FILES).await;
    let before = harness.memory().await;
    let question = "GET /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".repeat(64);
    let mut kept = Vec::new();
    for _ in 0..CLIENTS {
        let mut stream = TcpStream::connect(harness.admin).await.unwrap();
        let _closed = stream.write_all(question.as_bytes()).await;
        kept.push(stream);
    }
    for address in [harness.probes, harness.admin] {
        for path in ["/healthz", "/readyz"] {
            let answer = http::get(&format!("http://{address}{path}")).await.unwrap();
            assert_eq!(answer.status, 200, "{address}{path}");
        }
    }
    assert_eq!(http::get(&format!("http://{}/metrics", harness.probes)).await.unwrap().status, 404);
    assert!(harness.metric("larkfire_admin_displaced_connections_total").await > 0);
    assert!(harness.metric("larkfire_admin_open_connections").await <= 256);
    let more = harness.memory().await.saturating_sub(before);
    assert!(more <= 256 * 512 * 1024 + BESIDE_BYTES, "{more} bytes more");
    // Those that are left are let go, though they stay connected.
    wait_until(Duration::from_mins(2), "places that are free again", async || {
        match harness.metric("larkfire_admin_open_connections").await {
            0..=8 => Ok(()),
            open => Err(open),
        }
    })
    .await;
    let mut last = kept.pop().unwrap();
    let mut rest = Vec::new();
    let _reset = last.read_to_end(&mut rest).await;
    println!("{CLIENTS} clients that do not read: {} KiB more", more >> 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_at_the_admin_port_are_sixteen_at_a_time_and_keep_nobody_from_asking() {
    const CLIENTS: usize = 200;
    const ASKED: usize = 20;
    let harness = Harness::configured("", FILES).await;
    let page = format!("http://{}/log-level", harness.admin);
    let longer = vec![b' '; usize::try_from(MIB).unwrap() + 1];
    assert_eq!(http::put(&page, longer).await.unwrap().status, 413);
    let before = harness.memory().await;
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(unfinished(harness.admin, "PUT /log-level HTTP/1.1\r\n", (1 << 20) - 1));
    }
    let more = async || harness.memory().await.saturating_sub(before);
    wait_until(PATIENCE, "some of the sixteen bodies", async || match more().await {
        bytes if bytes >= 8 * MIB => Ok(()),
        bytes => Err(bytes),
    })
    .await;
    let mut most = 0;
    for _ in 0..ASKED {
        for path in ["/healthz", "/readyz", "/log-level"] {
            let answer = http::get(&format!("http://{}{path}", harness.admin)).await.unwrap();
            assert_eq!(answer.status, 200, "{path}");
        }
        most = most.max(more().await);
    }
    // Each body twice, for what it is put together from; and of each connection what is read before anybody asks for it.
    assert!(most <= 2 * 16 * MIB + 256 * 2 * 64 * 1024 + BESIDE_BYTES, "{most} bytes more");
    println!("{CLIENTS} bodies of 1 MiB at the admin port: {} MiB more", most >> 20);
    clients.shutdown().await;
}
