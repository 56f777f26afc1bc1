//! Scripted faults, as they arrive at a sender.

use std::io::ErrorKind;
use std::time::Duration;

use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, Verdict};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{DEADLINE, TOKEN, card, hook, open, post, send, start, start_at};

async fn faulty(fault: Fault) -> FeishuSim {
    let sim = start(BotSettings::new(TOKEN)).await;
    sim.fault(TOKEN, &fault, Lasting::Times(1)).unwrap();
    sim
}

/// Sends a card and leaves the answer on the wire.
async fn sent(sim: &FeishuSim) -> TcpStream {
    let head = format!("POST {} HTTP/1.1\r\nContent-Type: application/json\r\n", hook(TOKEN));
    open(sim.address(), &head, card("hello").to_string().as_bytes()).await.unwrap()
}

#[tokio::test]
async fn any_refusal_can_be_scripted_and_passes_after_its_count() {
    let sim = faulty(Fault::Refusal { code: 11247, msg: "throttled".to_owned() }).await;
    let answer = send(&sim, &card("hello")).await;
    assert_eq!((answer.code(), answer.json()["msg"].as_str()), (11247, Some("throttled")));
    assert_eq!(send(&sim, &card("hello")).await.code(), 0);
    let verdicts: Vec<_> = sim.records(TOKEN).into_iter().map(|record| record.verdict).collect();
    assert_eq!(verdicts, [Verdict::Faulted, Verdict::Accepted]);
}

#[tokio::test]
async fn a_429_comes_with_or_without_its_reset_header() {
    let sim = start(BotSettings::new(TOKEN)).await;
    for reset_seconds in [Some(7), None] {
        sim.fault(TOKEN, &Fault::TooManyRequests { reset_seconds }, Lasting::Times(1)).unwrap();
        let answer = send(&sim, &card("hello")).await;
        assert_eq!(answer.status, 429);
        assert_eq!(answer.json()["code"], 99_991_400);
        assert_eq!(answer.headers.contains("x-ogw-ratelimit-reset: 7"), reset_seconds.is_some());
    }
}

#[tokio::test]
async fn a_server_error_has_a_body_that_is_not_json() {
    for (asked, given) in [(502, 502), (504, 504), (200, 500)] {
        let sim = faulty(Fault::ServerError { status: asked }).await;
        let answer = send(&sim, &card("hello")).await;
        assert_eq!(answer.status, given);
        assert!(serde_json::from_str::<serde_json::Value>(&answer.body).is_err());
    }
}

#[tokio::test]
async fn a_reset_comes_instead_of_an_answer_and_nothing_is_accepted() {
    let sim = faulty(Fault::Reset).await;
    let error = post(sim.address(), &hook(TOKEN), b"{}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(sim.totals().faulted, 1);
}

#[tokio::test]
async fn with_a_lost_answer_the_message_is_accepted_all_the_same() {
    let sim = faulty(Fault::LostAnswer).await;
    let error = sent(&sim).await.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(sim.accepted().len(), 1);
    assert_eq!(sim.accepted()[0].fault, Some(Fault::LostAnswer));
}

#[tokio::test]
async fn slow_headers_come_byte_by_byte_and_never_end() {
    let sim = faulty(Fault::SlowHeaders).await;
    let mut stream = sent(&sim).await;
    let mut received = Vec::new();
    // The beginning comes at once; each of the drips is a read of its own.
    for _ in 0..4 {
        let read = timeout(DEADLINE, stream.read_buf(&mut received)).await;
        assert_ne!(read.unwrap().unwrap(), 0, "the headers ended");
    }
    let received = String::from_utf8(received).unwrap();
    assert!(received.starts_with("HTTP/1.1 200 OK\r\n") && !received.contains("\r\n\r\n"), "{received:?}");
}

#[tokio::test]
async fn an_endless_body_exceeds_any_limit() {
    let sim = faulty(Fault::EndlessBody).await;
    let mut stream = sent(&sim).await;
    let mut buffer = vec![0; 1 << 16];
    let mut bytes = 0;
    while bytes < 200_000 {
        let read = timeout(DEADLINE, stream.read(&mut buffer)).await.unwrap().unwrap();
        assert_ne!(read, 0, "the body ended after {bytes} bytes");
        bytes += read;
    }
}

#[tokio::test]
async fn a_connection_without_an_answer_stays_open_until_the_simulator_stops() {
    let sim = faulty(Fault::NeverAnswer).await;
    let mut stream = sent(&sim).await;
    let silence = timeout(Duration::from_millis(50), stream.read_u8()).await;
    assert!(silence.is_err(), "{silence:?}");
    timeout(DEADLINE, sim.stop()).await.expect("stops with connections open");
    assert!(stream.read_u8().await.is_err());
}

#[tokio::test]
async fn a_fault_for_a_time_ends_by_the_clock_and_one_without_end_by_clearing() {
    let (sim, clock) = start_at(BotSettings::new(TOKEN), 0).await;
    sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::For(Duration::from_secs(20))).unwrap();
    assert_eq!(send(&sim, &card("hello")).await.status, 503);
    clock.advance(Duration::from_secs(20));
    assert_eq!(send(&sim, &card("hello")).await.code(), 0);

    sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
    assert_eq!(send(&sim, &card("hello")).await.status, 503);
    sim.clear_faults(TOKEN).unwrap();
    assert_eq!(send(&sim, &card("hello")).await.code(), 0);
}

#[tokio::test]
async fn a_fault_for_an_unknown_bot_is_an_error() {
    let sim = start(BotSettings::new(TOKEN)).await;
    assert!(sim.fault("other", &Fault::Reset, Lasting::Times(1)).is_err());
}

#[tokio::test]
async fn a_slow_answer_is_the_right_one_and_the_card_is_shown_before_it() {
    let sim = faulty(Fault::SlowAnswer { after_ms: 300 }).await;
    let mut stream = sent(&sim).await;
    sim.wait_for_accepted(1, DEADLINE).await.unwrap();
    let mut first = [0; 1];
    let early = timeout(Duration::from_millis(50), stream.read_exact(&mut first)).await;
    assert!(early.is_err(), "the answer came with the card");
    let mut answer = [0; 1024];
    let length = timeout(DEADLINE, stream.read(&mut answer)).await.unwrap().unwrap();
    assert!(String::from_utf8_lossy(&answer[..length]).contains("\"code\":0"));
}

#[tokio::test]
async fn another_answer_comes_as_it_was_scripted_with_the_card_shown_or_not() {
    for is_judged in [false, true] {
        let headers = vec![("retry-after".to_owned(), "Wed, 21 Oct 2015 07:28:00 GMT".to_owned())];
        let body = "<html>no entry</html>".to_owned();
        let sim = faulty(Fault::OtherAnswer { status: 403, headers, body, is_judged }).await;
        let answer = send(&sim, &card("hello")).await;
        assert_eq!((answer.status, answer.body.as_str()), (403, "<html>no entry</html>"));
        assert!(answer.headers.contains("retry-after: wed, 21 oct 2015 07:28:00 gmt"), "{}", answer.headers);
        assert_eq!(sim.accepted().len(), usize::from(is_judged));
    }
}
