//! An HTTP proxy as in front of a company's network: asked by `CONNECT`, it leads to one place, whatever the name, and
//! remembers what it was asked for.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};
use tokio_util::task::TaskTracker;

/// How long the head of a question may be, in bytes.
const HEAD_BYTES_MAX: u64 = 4096;

/// A proxy that is running. It ends when dropped.
#[derive(Debug)]
pub struct ConnectProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _stop: DropGuard,
}

impl ConnectProxy {
    /// Leads everybody there.
    pub async fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("the address of a listener");
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let questions = Arc::clone(&asked);
        tasks.clone().spawn(stop.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tasks.spawn(pass(stream, to, Arc::clone(&questions)));
            }
        }));
        Self { address, asked, _stop: stop.drop_guard() }
    }

    /// Its URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first line of each question so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn pass(mut stream: TcpStream, to: SocketAddr, questions: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    let mut limited = (&mut stream).take(HEAD_BYTES_MAX);
    while !head.ends_with(b"\r\n\r\n") {
        match limited.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let line = head.lines().next().unwrap_or_default().to_owned();
    let is_connect = line.starts_with("CONNECT ");
    questions.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    let answer =
        if is_connect { "HTTP/1.1 200 OK\r\n\r\n" } else { "HTTP/1.1 405 No\r\ncontent-length: 0\r\n\r\n" };
    if stream.write_all(answer.as_bytes()).await.is_err() || !is_connect {
        return;
    }
    let Ok(mut there) = TcpStream::connect(to).await else { return };
    // Whoever hangs up has its own reason.
    let _ended = copy_bidirectional(&mut stream, &mut there).await;
}
