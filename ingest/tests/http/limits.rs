//! Every limit, from the sender's side.

use std::collections::HashSet;
use std::time::Duration;

use model::envelope::decode;
use serde_json::json;
use testkit::wait_until::wait_until;

use crate::client::{CUSTOM, Client, exchange, post, request};
use crate::harness::{Behaviour, Harness};

const SHORT: Duration = Duration::from_millis(200);

#[tokio::test]
async fn a_body_that_is_too_large_is_refused_and_its_sender_sees_why() {
    let harness = Harness::with(|settings| settings.limits.body_bytes = 1000);
    let mut client = Client::connect(harness.address).await;
    client.send(request("POST /api/alert", &[], &[b' '; 1001])).await;
    assert_eq!(client.reply().await.outcome(), (413, "body_too_large".to_owned()));
    // What was sent has been read, so the connection is still good.
    client.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    assert_eq!(client.reply().await.status, 202);
}

#[tokio::test]
async fn a_chunked_body_is_measured_as_it_comes() {
    let harness = Harness::with(|settings| settings.limits.body_bytes = 1000);
    let head = "POST /api/alert HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("200\r\n{}\r\n", " ".repeat(0x200));
    let mut client = Client::connect(harness.address).await;
    client.send(format!("{head}{chunk}{chunk}0\r\n\r\n")).await;
    assert_eq!(client.reply().await.outcome(), (413, "body_too_large".to_owned()));
    client.send(format!("{head}{:x}\r\n{CUSTOM}\r\n{chunk}0\r\n\r\n", CUSTOM.len())).await;
    assert_eq!(client.reply().await.status, 202);
    assert!((harness.metric("larkfire_ingest_bodies_in_memory_bytes") - 0.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_not_waited_for() {
    let harness = Harness::with(|settings| settings.limits.body_timeout = SHORT);
    let mut client = Client::connect(harness.address).await;
    client.send("POST /api/alert HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{").await;
    assert_eq!(client.reply().await.outcome(), (408, "body_timed_out".to_owned()));
}

#[tokio::test]
async fn all_bodies_together_have_a_limit() {
    let harness = Harness::with(|settings| settings.limits.bodies_bytes = 1000);
    let mut first = Client::connect(harness.address).await;
    harness.queue.will(Behaviour::Hold);
    let large = format!("{CUSTOM}{}", " ".repeat(900));
    first.send(request("POST /api/alert", &[], large.as_bytes())).await;
    harness.queue.asked(1).await;

    // What was read of the first is its line; what comes is still a body.
    let refused = post(harness.address, format!("{CUSTOM}{}", " ".repeat(800))).await;
    assert_eq!(refused.outcome(), (503, "memory_full".to_owned()));
    assert_eq!(refused.header("retry-after"), Some("1"));

    harness.queue.will(Behaviour::Confirm);
    assert_eq!(first.reply().await.status, 202);
    assert_eq!(post(harness.address, large).await.status, 202);
}

#[tokio::test]
async fn a_body_that_is_announced_takes_no_room_before_it_comes() {
    let harness = Harness::with(|settings| settings.limits.bodies_bytes = 1000);
    let mut silent = Client::connect(harness.address).await;
    silent.send("POST /api/alert HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{").await;
    wait_until(Duration::from_secs(5), "its first byte in memory", async || {
        let held = harness.metric("larkfire_ingest_bodies_in_memory_bytes");
        if held >= 1.0 { Ok(()) } else { Err(held) }
    })
    .await;
    assert_eq!(post(harness.address, format!("{CUSTOM}{}", " ".repeat(500))).await.status, 202);
}

#[tokio::test]
async fn headers_have_a_limit() {
    let harness = Harness::open();
    let mut client = Client::connect(harness.address).await;
    client.try_send(request("POST /api/alert", &[&format!("X-Large: {}", "x".repeat(64 << 10))], b"")).await;
    assert_eq!(client.reply().await.status, 431);
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let harness = Harness::with(|settings| {
        settings.limits.header_timeout = SHORT;
        settings.limits.keep_alive = SHORT;
    });
    // Nothing, the beginning of either protocol, and headers that do not end.
    for beginning in ["", "P", "PRI * HTTP/2.0\r\n", "POST /api/alert HTTP/1.1\r\nHost: x\r\n"] {
        let mut client = Client::connect(harness.address).await;
        client.send(beginning).await;
        client.closed().await;
    }
    let mut client = Client::connect(harness.address).await;
    client.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    assert_eq!(client.reply().await.status, 202);
    client.closed().await;
}

#[tokio::test]
async fn a_request_in_hand_is_not_idle() {
    let harness = Harness::with(|settings| settings.limits.header_timeout = SHORT);
    harness.queue.will(Behaviour::Hold);
    let mut client = Client::connect(harness.address).await;
    client.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    harness.queue.asked(1).await;
    // A second connection being closed for idleness is proof that the time has passed.
    Client::connect(harness.address).await.closed().await;
    harness.queue.will(Behaviour::Confirm);
    assert_eq!(client.reply().await.status, 202);
}

#[tokio::test]
async fn connections_have_a_limit_and_wait_for_a_place() {
    let harness = Harness::with(|settings| settings.limits.connections = 1);
    let post = request("POST /api/alert", &[], CUSTOM.as_bytes());
    harness.queue.will(Behaviour::Hold);
    let mut first = Client::connect(harness.address).await;
    first.send(&post).await;
    harness.queue.asked(1).await;
    let mut second = Client::connect(harness.address).await;
    second.send(&post).await;
    // The first one waits for us, so it keeps its place until it has its answer; then it makes room.
    harness.queue.will(Behaviour::Confirm);
    assert_eq!(first.reply().await.status, 202);
    assert_eq!(second.reply().await.status, 202);
    first.closed().await;
    assert!((harness.metric("larkfire_ingest_displaced_connections_total") - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn a_sender_that_waits_for_100_continue_is_told_before_it_sends() {
    let harness = Harness::with(|settings| settings.limits.body_bytes = 1000);
    let head = |length: usize| {
        format!(
            "POST /api/alert HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    let mut client = Client::connect(harness.address).await;
    client.send(head(CUSTOM.len())).await;
    assert_eq!(client.reply().await.status, 100);
    client.send(CUSTOM).await;
    assert_eq!(client.reply().await.status, 202);

    let mut client = Client::connect(harness.address).await;
    client.send(head(1001)).await;
    assert_eq!(client.reply().await.status, 413);
}

#[tokio::test]
async fn a_group_of_20_000_alerts_becomes_200_envelopes_of_100() {
    let harness = Harness::open();
    let padding = "x".repeat(1000);
    let alert = |index: usize| {
        json!({"status": "firing", "labels": {"alertname": "NodeDown", "instance": format!("node-{index}")},
               "annotations": {"summary": padding}, "startsAt": "2026-03-02T07:15:30Z", "endsAt": "0001-01-01T00:00:00Z",
               "generatorURL": "http://prometheus:9090/graph", "fingerprint": format!("{index:016x}")})
    };
    let alerts: Vec<_> = (0..20_000).map(alert).collect();
    let body = json!({"version": "4", "groupKey": "{}:{}", "status": "firing", "alerts": alerts}).to_string();
    assert!(body.len() > 24_000_000);

    let reply = post(harness.address, body).await;
    assert_eq!((reply.status, &reply.json()["accepted"]), (202, &20_000.into()));
    let stored = harness.queue.stored();
    assert_eq!(stored.len(), 200);
    let envelopes: Vec<_> = stored.iter().map(|message| decode(&message.body).unwrap()).collect();
    assert!(envelopes.iter().all(|envelope| envelope.alerts.len() == 100));
    assert!(envelopes.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert_eq!(reply.json()["id"], json!(envelopes[0].id));
    let instances: HashSet<_> = envelopes
        .iter()
        .flat_map(|envelope| &envelope.alerts)
        .map(|alert| alert.fingerprint.as_str())
        .collect();
    assert_eq!(instances.len(), 20_000);
    assert!((harness.metric("larkfire_ingest_bodies_in_memory_bytes") - 0.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn more_alerts_than_memory_is_kept_for_are_refused() {
    let harness = Harness::open();
    let reply = post(harness.address, format!("{{\"alerts\":[{}{{}}]}}", "{},".repeat(100_000))).await;
    assert_eq!(reply.outcome(), (413, "too_many_alerts".to_owned()));
}

fn packed(body: &[u8]) -> Vec<u8> {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packer, body).unwrap();
    packer.finish().unwrap()
}

#[tokio::test]
async fn a_packed_body_is_read_within_the_limit_of_what_is_in_it() {
    let harness = Harness::with(|settings| {
        settings.limits.body_bytes = 10_000;
        settings.limits.bodies_bytes = 11_000;
    });
    let gzip = &["Content-Encoding: gzip"];
    let sent = async |body: &[u8]| exchange(harness.address, "POST /api/alert", gzip, body).await.outcome();
    let padded = |bytes: usize| packed(format!("{CUSTOM}{}", " ".repeat(bytes)).as_bytes());
    assert_eq!(sent(&packed(CUSTOM.as_bytes())).await.0, 202);
    assert_eq!(sent(&padded(9_000)).await.0, 202);
    // A few kilobytes that would become ten million.
    assert_eq!(sent(&padded(10_000_000)).await, (413, "body_too_large".to_owned()));
    assert_eq!(sent(CUSTOM.as_bytes()).await, (400, "body_broken".to_owned()));
    let cut = packed(CUSTOM.as_bytes());
    assert_eq!(sent(&cut[..cut.len() / 2]).await, (400, "body_broken".to_owned()));
    assert!(harness.metric("larkfire_ingest_bodies_in_memory_bytes") < 1.0);
}
