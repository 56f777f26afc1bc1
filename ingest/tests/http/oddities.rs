//! Requests that lie about themselves, and more of them than anybody would send.

use crate::client::{CUSTOM, Client, post, request};
use crate::harness::Harness;

const HEAD: &str = "POST /api/alert HTTP/1.1\r\nHost: x\r\n";

#[tokio::test]
async fn a_body_that_lies_about_its_size_is_refused_and_leaves_nothing_behind() {
    let harness = Harness::open();
    let custom = format!("{:x}\r\n{CUSTOM}\r\n", CUSTOM.len());
    for (lie, bytes) in [
        ("a size that is no number", "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n".to_owned()),
        ("a negative one", "Transfer-Encoding: chunked\r\n\r\n-5\r\n{}\r\n0\r\n\r\n".to_owned()),
        ("one beyond 64 bits", format!("Transfer-Encoding: chunked\r\n\r\n{}\r\n{{}}", "f".repeat(17))),
        ("less than there is", format!("Transfer-Encoding: chunked\r\n\r\n1{custom}0\r\n\r\n")),
        ("a chunk without its end", "Transfer-Encoding: chunked\r\n\r\n2\r\n{}XX0\r\n\r\n".to_owned()),
        ("two lengths", "Content-Length: 5\r\nContent-Length: 2\r\n\r\n{}".to_owned()),
        ("a length that is no number", "Content-Length: 1e3\r\n\r\n{}".to_owned()),
    ] {
        let mut client = Client::connect(harness.address).await;
        client.try_send(format!("{HEAD}{bytes}")).await;
        client.finish().await;
        // Refused, or cut off where nothing can be said any more; never taken.
        if let Some(reply) = client.last_reply().await {
            assert_eq!(reply.status / 100, 4, "{lie}: {reply:?}");
        }
    }
    assert!(harness.queue.stored().is_empty());
    assert!((harness.metric("larkfire_ingest_bodies_in_memory_bytes") - 0.0).abs() < f64::EPSILON);
    assert_eq!(post(harness.address, CUSTOM).await.status, 202);
}

#[tokio::test]
async fn a_length_beside_chunks_cannot_hide_a_second_request() {
    let harness = Harness::open();
    let hidden = request("POST /api/alert", &[], CUSTOM.as_bytes());
    let both =
        format!("{HEAD}Content-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", hidden.len() + 5);
    let mut client = Client::connect(harness.address).await;
    client.try_send([both.into_bytes(), hidden].concat()).await;
    client.finish().await;
    // Whatever becomes of the first, its connection takes no more than what its chunks say.
    if let Some(reply) = client.last_reply().await {
        assert_eq!(reply.status / 100, 4, "{reply:?}");
    }
    assert!(harness.queue.stored().is_empty(), "{:?}", harness.queue.stored());
}

#[tokio::test]
async fn a_thousand_requests_sent_ahead_are_all_answered() {
    let harness = Harness::open();
    let requests = request("POST /api/alert", &[], CUSTOM.as_bytes()).repeat(1000);
    let mut client = Client::connect(harness.address).await;
    client.send(requests).await;
    for _ in 0..1000 {
        assert_eq!(client.reply().await.status, 202);
    }
    assert_eq!(harness.queue.stored().len(), 1000);
}

#[tokio::test]
async fn more_headers_than_anybody_sends_are_refused() {
    let harness = Harness::open();
    let headers: Vec<_> = (0..500).map(|number| format!("X-{number}: 1")).collect();
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    let mut client = Client::connect(harness.address).await;
    client.try_send(request("POST /api/alert", &headers, CUSTOM.as_bytes())).await;
    assert_eq!(client.reply().await.status, 431);
    assert_eq!(post(harness.address, CUSTOM).await.status, 202);
}
