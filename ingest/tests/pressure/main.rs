//! The program under attack: it stays within its limits, and honest senders get their 202 while the attack goes on. In a
//! program of its own, because it takes every file descriptor a process may have, and whatever processors there are.
#![expect(clippy::unwrap_used, clippy::panic, reason = "code of tests: what goes wrong ends the test")]

mod harness;
mod holdings;

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Resource, getrlimit, setrlimit};
use testkit::wait_until::wait_until;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

use harness::{Harness, PATIENCE};

/// File descriptors the program has beside its connections.
const OTHER_FILES: usize = 300;
/// File descriptors of the tests here that run at the same time.
const OTHER_TESTS_FILES: usize = 3000;
/// What an attacker begins a connection with: it says nothing, or the beginning of something, and trickles on.
const BEGINNINGS: [&str; 6] = [
    "",
    "POST /api/alert HTTP/1.1\r\nHost: x\r\nX-Slow: ",
    "POST /api/alert HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
    "POST /api/alert HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n10000\r\n{",
    // Refused before its body; what is still to come of it is read, so that its sender sees why.
    "POST /no/such/path HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n{",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
];
/// Attackers, each of which opens one connection after another and keeps so many.
const ATTACKERS: usize = 6;
const KEPT_BY_EACH: usize = 300;
/// Requests of honest senders, one after another.
const HONEST: usize = 40;

/// A connection from another address than the honest senders', whose ports are left to them.
async fn attack(listen: SocketAddr, beginning: &str) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into())?;
    let mut stream = socket.connect(listen).await?;
    stream.write_all(beginning.as_bytes()).await?;
    Ok(stream)
}

/// Attackers that open connections as fast as they can until they are told to stop.
struct Flood {
    stop: Arc<AtomicBool>,
    attackers: JoinSet<usize>,
}

impl Flood {
    fn start(listen: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let mut attackers = JoinSet::new();
        for beginning in BEGINNINGS.into_iter().cycle().take(ATTACKERS) {
            let stop = Arc::clone(&stop);
            attackers.spawn(async move {
                let mut kept = VecDeque::new();
                let mut made = 0;
                while !stop.load(Ordering::Relaxed) {
                    if let Ok(stream) = attack(listen, beginning).await {
                        kept.push_back(stream);
                        made += 1;
                    }
                    if kept.len() > KEPT_BY_EACH {
                        kept.pop_front();
                    }
                    // One byte more, so that it is not silent.
                    if let Some(oldest) = kept.front_mut() {
                        let _closed = oldest.write_all(b"x").await;
                    }
                }
                made
            });
        }
        Self { stop, attackers }
    }

    /// How many connections were made.
    async fn end(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        self.attackers.join_all().await.into_iter().sum()
    }
}

/// Lets this process open as many files as it may.
fn raise_file_limit() -> usize {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    limit.current.map_or(usize::MAX, |most| usize::try_from(most).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_silent_connections_are_carried_within_their_memory() {
    // Where the machine allows fewer files, fewer connections.
    let silent = 10_000.min(raise_file_limit().saturating_sub(OTHER_TESTS_FILES));
    let harness = Harness::with("{ connections: 10100, header_timeout: 5m }", silent + OTHER_FILES).await;
    harness.honest().await;
    let before = harness.memory().await;
    let mut kept = Vec::with_capacity(silent);
    for _ in 0..silent {
        kept.push(attack(harness.listen, BEGINNINGS[1]).await.unwrap());
    }
    wait_until(PATIENCE, "all of them", async || match harness.open_connections().await {
        open if open >= silent as u64 => Ok(()),
        other => Err(other),
    })
    .await;
    for _ in 0..HONEST {
        harness.honest().await;
    }
    assert!(harness.open_connections().await >= silent as u64, "none had to make room");
    let each = harness.memory().await.saturating_sub(before) / silent as u64;
    assert!(each <= 32 << 10, "a connection takes {each} bytes, more than limits.header_bytes");
    println!("{silent} connections take {each} bytes each");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_that_takes_every_place_keeps_nobody_out() {
    let files = raise_file_limit();
    let harness = Harness::with("{ connections: 400, body_bytes: 1MiB, bodies_bytes: 4MiB }", files).await;
    let before = harness.memory().await;
    let flood = Flood::start(harness.listen);
    wait_until(PATIENCE, "every place taken", async || {
        match harness.metric("larkfire_ingest_displaced_connections_total").await {
            1.. => Ok(()),
            0 => Err(harness.open_connections().await),
        }
    })
    .await;
    for _ in 0..HONEST {
        harness.honest().await;
        let open = harness.open_connections().await;
        assert!(open <= 400, "{open} connections are open");
        let bodies = harness.metric("larkfire_ingest_bodies_in_memory_bytes").await;
        assert!(bodies <= 4 << 20, "bodies take {bodies} bytes");
        // Headers and bodies at their limits, and as much again for everything else.
        let more = harness.memory().await.saturating_sub(before);
        assert!(more <= 2 * (400 * (32 << 10) + (4 << 20)), "{more} bytes more");
    }
    let made = flood.end().await;
    assert!(made > 400, "{made} connections are no flood");
    println!("{HONEST} honest senders were served among {made} connections of attackers");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_out_of_file_descriptors_makes_room_for_honest_senders() {
    raise_file_limit();
    let harness = Harness::with("{ connections: 4096, header_timeout: 5m }", 128).await;
    let mut kept = Vec::new();
    for _ in 0..500 {
        kept.push(attack(harness.listen, "").await.unwrap());
    }
    harness.honest().await;
    for _ in 0..5 {
        harness.honest().await;
    }
    assert!(harness.metric("larkfire_ingest_displaced_connections_total").await > 0);
}
