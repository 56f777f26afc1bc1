//! Going away and coming back on the same port.

use std::io::ErrorKind;

use feishu_sim::{BotSettings, Fault, Lasting};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{DEADLINE, TOKEN, card, hook, open, post, send, start};

#[tokio::test]
async fn away_refuses_connections_and_ends_open_ones_until_it_is_back() {
    let sim = start(BotSettings::new(TOKEN)).await;
    let mut idle = TcpStream::connect(sim.address()).await.unwrap();
    assert_eq!(send(&sim, &card("before")).await.code(), 0);

    sim.away().await.unwrap();
    let ended = timeout(DEADLINE, idle.read(&mut [0; 1])).await.expect("the idle connection is ended");
    assert!(matches!(ended, Ok(0) | Err(_)), "{ended:?}");
    let error = post(sim.address(), &hook(TOKEN), b"{}").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);

    sim.back().await.unwrap();
    assert_eq!(send(&sim, &card("after")).await.code(), 0);
    assert_eq!(sim.totals().accepted, 2);
}

#[tokio::test]
async fn away_ends_also_a_connection_that_is_kept_waiting() {
    let sim = start(BotSettings::new(TOKEN)).await;
    sim.fault(TOKEN, &Fault::NeverAnswer, Lasting::UntilCleared).unwrap();
    let head = format!("POST {} HTTP/1.1\r\n", hook(TOKEN));
    let mut stream = open(sim.address(), &head, b"{}").await.unwrap();
    sim.away().await.unwrap();
    assert!(timeout(DEADLINE, stream.read_u8()).await.expect("ended").is_err());
}

#[tokio::test]
async fn going_away_and_coming_back_twice_does_no_harm() {
    let sim = start(BotSettings::new(TOKEN)).await;
    sim.back().await.unwrap();
    for _ in 0..2 {
        sim.away().await.unwrap();
        sim.away().await.unwrap();
        sim.back().await.unwrap();
        sim.back().await.unwrap();
    }
    assert_eq!(send(&sim, &card("hello")).await.code(), 0);
}
