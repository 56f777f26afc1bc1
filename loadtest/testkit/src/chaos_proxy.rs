//! A TCP proxy on loopback that breaks: cut, restored, stalled. It stands between a program and its broker or
//! database.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What is read from a connection at a time.
const BUFFER_BYTES: usize = 64 << 10;

/// The pause after a failed accept: the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Which way data is held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// What the client sends.
    ToServer,
    /// What the server answers.
    ToClient,
    /// Both, also for new connections.
    Both,
}

/// A running proxy. It stops and closes its connections when dropped.
pub struct ChaosProxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

struct Shared {
    upstream: SocketAddr,
    stalled: watch::Sender<Option<Direction>>,
    /// Ends the present connections when cancelled; `None` while cut.
    line: Mutex<Option<CancellationToken>>,
}

impl ChaosProxy {
    /// Forwards a free loopback port to this address.
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("the address of a listener");
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let shared = Arc::new(Shared {
            upstream,
            stalled: watch::Sender::new(None),
            line: Mutex::new(Some(stop.child_token())),
        });
        tasks.spawn(accept(listener, Arc::clone(&shared), stop.clone(), tasks.clone()));
        Self { address, shared, stop, tasks }
    }

    /// Where clients connect to.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Closes all connections, and new ones as soon as they come.
    pub fn cut(&self) {
        if let Some(line) = self.shared.line().take() {
            line.cancel();
        }
    }

    /// Holds data back without closing anything; what is held is delivered after [`restore`](Self::restore).
    pub fn stall(&self, direction: Direction) {
        self.shared.stalled.send_replace(Some(direction));
    }

    /// Ends a cut and a stall.
    pub fn restore(&self) {
        self.shared.stalled.send_replace(None);
        self.shared.line().get_or_insert_with(|| self.stop.child_token());
    }

    /// Stops and waits until its connections are closed.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for ChaosProxy {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Shared {
    fn line(&self) -> MutexGuard<'_, Option<CancellationToken>> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, stop: CancellationToken, tasks: TaskTracker) {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((client, _)) = accepted else {
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        // While cut, the new connection is dropped here.
        let Some(line) = shared.line().clone() else {
            continue;
        };
        let connection = forward(client, shared.upstream, shared.stalled.subscribe());
        tasks.spawn(async move {
            tokio::select! {
                // However a connection ends, both sides are closed with it.
                _ended = connection => {}
                () = line.cancelled() => {}
            }
        });
    }
}

async fn forward(
    client: TcpStream,
    upstream: SocketAddr,
    stalled: watch::Receiver<Option<Direction>>,
) -> io::Result<()> {
    let server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        copy(from_client, to_server, stalled.clone(), Direction::ToServer),
        copy(from_server, to_client, stalled, Direction::ToClient),
    )?;
    Ok(())
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut stalled: watch::Receiver<Option<Direction>>,
    direction: Direction,
) -> io::Result<()> {
    let holds = |held: Direction| held == direction || held == Direction::Both;
    let flows = |stalled: &Option<Direction>| !stalled.is_some_and(holds);
    let gone = |_| io::Error::other("the proxy is gone");
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        stalled.wait_for(flows).await.map_err(gone)?;
        let read = tokio::select! {
            read = from.read(&mut buffer) => read?,
            changed = stalled.changed() => {
                changed.map_err(gone)?;
                continue;
            }
        };
        // What was read a moment too late is held as well.
        stalled.wait_for(flows).await.map_err(gone)?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}
