//! The proxy between a client and an echo server.

#![expect(clippy::unwrap_used, reason = "a helper that fails has to fail its test")]

use std::net::SocketAddr;
use std::time::Duration;

use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::wait_until::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

const DEADLINE: Duration = Duration::from_secs(10);

/// Long enough for an echo that is not held back.
const SILENCE: Duration = Duration::from_millis(100);

/// Echoes everything until the guard is dropped.
async fn echo_server() -> (SocketAddr, DropGuard) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let guard = stop.clone().drop_guard();
    tasks.clone().spawn(async move {
        while let Some(Ok((mut stream, _))) = stop.run_until_cancelled(listener.accept()).await {
            tasks.spawn(async move {
                let (mut read, mut write) = stream.split();
                tokio::io::copy(&mut read, &mut write).await
            });
        }
    });
    (address, guard)
}

async fn echoed(stream: &mut TcpStream, text: &str) -> std::io::Result<String> {
    stream.write_all(text.as_bytes()).await?;
    received(stream, text.len()).await
}

async fn received(stream: &mut TcpStream, bytes: usize) -> std::io::Result<String> {
    let mut buffer = vec![0; bytes];
    timeout(DEADLINE, stream.read_exact(&mut buffer)).await??;
    Ok(String::from_utf8(buffer).unwrap())
}

#[tokio::test]
async fn it_forwards_several_connections_and_their_ends() {
    let (server, _guard) = echo_server().await;
    let proxy = ChaosProxy::start(server).await;
    let mut first = TcpStream::connect(proxy.address()).await.unwrap();
    let mut second = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echoed(&mut first, "one").await.unwrap(), "one");
    assert_eq!(echoed(&mut second, "two").await.unwrap(), "two");

    first.shutdown().await.unwrap();
    assert_eq!(timeout(DEADLINE, first.read(&mut [0; 1])).await.unwrap().unwrap(), 0);
    assert_eq!(echoed(&mut second, "still").await.unwrap(), "still");
}

#[tokio::test]
async fn a_cut_closes_connections_and_new_ones_until_it_is_restored() {
    let (server, _guard) = echo_server().await;
    let proxy = ChaosProxy::start(server).await;
    let mut before = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echoed(&mut before, "up").await.unwrap(), "up");

    proxy.cut();
    assert!(echoed(&mut before, "x").await.is_err());
    let mut during = TcpStream::connect(proxy.address()).await.unwrap();
    assert!(echoed(&mut during, "x").await.is_err());

    proxy.restore();
    let mut after = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echoed(&mut after, "up again").await.unwrap(), "up again");
    assert!(echoed(&mut before, "x").await.is_err(), "what was cut stays cut");
}

#[tokio::test]
async fn a_stall_holds_old_and_new_connections_and_loses_nothing() {
    let (server, _guard) = echo_server().await;
    let proxy = ChaosProxy::start(server).await;
    let mut old = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echoed(&mut old, "up").await.unwrap(), "up");

    for direction in [Direction::Both, Direction::ToServer, Direction::ToClient] {
        proxy.stall(direction);
        let mut new = TcpStream::connect(proxy.address()).await.unwrap();
        for stream in [&mut old, &mut new] {
            stream.write_all(b"held").await.unwrap();
            let silence = timeout(SILENCE, stream.read_u8()).await;
            assert!(silence.is_err(), "{direction:?}: {silence:?}");
        }
        proxy.restore();
        for stream in [&mut old, &mut new] {
            assert_eq!(received(stream, 4).await.unwrap(), "held", "{direction:?}");
        }
    }
}

#[tokio::test]
async fn a_stall_of_answers_lets_requests_through() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = ChaosProxy::start(listener.local_addr().unwrap()).await;
    proxy.stall(Direction::ToClient);
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(b"publish").await.unwrap();
    assert_eq!(received(&mut server, 7).await.unwrap(), "publish");
}

#[tokio::test]
async fn a_stall_and_a_cut_by_name_concern_the_connections_that_said_it() {
    let (server, _guard) = echo_server().await;
    let proxy = ChaosProxy::start(server).await;
    let mut publisher = TcpStream::connect(proxy.address()).await.unwrap();
    let mut consumer = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echoed(&mut publisher, "I am a publisher").await.unwrap(), "I am a publisher");
    assert_eq!(echoed(&mut consumer, "I am a consumer").await.unwrap(), "I am a consumer");

    proxy.stall_named("publisher", Direction::ToClient);
    publisher.write_all(b"held").await.unwrap();
    assert!(timeout(SILENCE, publisher.read_u8()).await.is_err());
    assert_eq!(echoed(&mut consumer, "flows").await.unwrap(), "flows");
    proxy.restore();
    assert_eq!(received(&mut publisher, 4).await.unwrap(), "held");

    proxy.cut_named("consumer");
    assert!(echoed(&mut consumer, "x").await.is_err());
    assert_eq!(echoed(&mut publisher, "flows").await.unwrap(), "flows");
    let mut again = TcpStream::connect(proxy.address()).await.unwrap();
    assert_eq!(echoed(&mut again, "I am a consumer").await.unwrap(), "I am a consumer", "it was cut once");
}

#[tokio::test]
async fn a_server_that_is_away_closes_the_clients_connection() {
    let proxy = ChaosProxy::start(testkit::ports::free_address()).await;
    let mut client = TcpStream::connect(proxy.address()).await.unwrap();
    let end = timeout(DEADLINE, client.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
}

#[tokio::test]
async fn stopping_closes_connections_and_the_port() {
    let (server, _guard) = echo_server().await;
    let proxy = ChaosProxy::start(server).await;
    let address = proxy.address();
    let mut client = TcpStream::connect(address).await.unwrap();
    assert_eq!(echoed(&mut client, "up").await.unwrap(), "up");
    proxy.stall(Direction::Both);
    timeout(DEADLINE, proxy.stop()).await.expect("stops although it is stalled");
    assert!(echoed(&mut client, "x").await.is_err());
    wait_until(DEADLINE, "the port to be closed", async || match TcpStream::connect(address).await {
        Ok(stream) => Err(stream),
        Err(error) => Ok(error),
    })
    .await;
}
