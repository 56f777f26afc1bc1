//! A TCP proxy on loopback that breaks: cut, restored, stalled; all of it, or the connections of one name only. It
//! stands between a program and its broker or database.

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

/// How much of what a client says first is searched for a name: an AMQP client sends its connection's in the first
/// frame (`connection.start-ok`), which is shorter.
const OPENING_BYTES_MAX: usize = 4 << 10;

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
    upstream: Mutex<SocketAddr>,
    stalled: watch::Sender<Option<Stall>>,
    /// Ends the present connections when cancelled; `None` while cut.
    line: Mutex<Option<CancellationToken>>,
    /// Lets the present connections lead nowhere when cancelled.
    remembered: Mutex<CancellationToken>,
    /// Those that are open, and maybe some that have ended since the last one came.
    connections: Mutex<Vec<Connection>>,
}

/// What is held back.
struct Stall {
    direction: Direction,
    /// Whose connections; everybody's if there is no name.
    name: Option<String>,
}

/// One connection through the proxy. Clones are the same one.
#[derive(Clone)]
struct Connection {
    /// What its client has said first.
    opening: Arc<Mutex<Vec<u8>>>,
    /// Ends it.
    line: CancellationToken,
}

impl ChaosProxy {
    /// Forwards a free loopback port to this address.
    pub async fn start(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a free loopback port");
        let address = listener.local_addr().expect("the address of a listener");
        let stop = CancellationToken::new();
        let tasks = TaskTracker::new();
        let shared = Arc::new(Shared {
            upstream: Mutex::new(upstream),
            stalled: watch::Sender::new(None),
            line: Mutex::new(Some(stop.child_token())),
            remembered: Mutex::default(),
            connections: Mutex::default(),
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

    /// Closes the connections of this name once; the same client may connect again at once. The name is anything that
    /// the client says at the beginning of a connection, such as the name an AMQP client gives it.
    pub fn cut_named(&self, name: &str) {
        let connections = locked(&self.shared.connections);
        connections
            .iter()
            .filter(|connection| connection.is_of(name))
            .for_each(|connection| connection.line.cancel());
    }

    /// Holds data back without closing anything; what is held is delivered after [`restore`](Self::restore).
    pub fn stall(&self, direction: Direction) {
        self.shared.stalled.send_replace(Some(Stall { direction, name: None }));
    }

    /// The same for connections of this name only, also for new ones once they have said it.
    pub fn stall_named(&self, name: &str, direction: Direction) {
        self.shared.stalled.send_replace(Some(Stall { direction, name: Some(name.to_owned()) }));
    }

    /// Ends a cut and a stall.
    pub fn restore(&self) {
        self.shared.stalled.send_replace(None);
        self.shared.line().get_or_insert_with(|| self.stop.child_token());
    }

    /// Forgets the present connections without a word, as firewalls do: neither side hears anything more of them. New ones
    /// are forwarded.
    pub fn forget(&self) {
        std::mem::take(&mut *locked(&self.shared.remembered)).cancel();
    }

    /// Forwards new connections to another address; the present ones stay where they are.
    pub fn lead_to(&self, upstream: SocketAddr) {
        *locked(&self.shared.upstream) = upstream;
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
        locked(&self.line)
    }

    /// A new connection, which is remembered until it has ended; `None` while cut.
    fn open(&self) -> Option<Connection> {
        let connection = Connection { opening: Arc::default(), line: self.line().as_ref()?.child_token() };
        let mut connections = locked(&self.connections);
        connections.retain(|connection| !connection.line.is_cancelled());
        connections.push(connection.clone());
        Some(connection)
    }
}

impl Connection {
    /// Remembers what the client says first.
    fn says(&self, bytes: &[u8]) {
        let mut opening = locked(&self.opening);
        let room = OPENING_BYTES_MAX.saturating_sub(opening.len());
        opening.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn is_of(&self, name: &str) -> bool {
        locked(&self.opening).windows(name.len().max(1)).any(|said| said == name.as_bytes())
    }

    fn is_held(&self, stall: Option<&Stall>, direction: Direction) -> bool {
        stall.is_some_and(|stall| {
            (stall.direction == direction || stall.direction == Direction::Both)
                && stall.name.as_deref().is_none_or(|name| self.is_of(name))
        })
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
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
        let Some(connection) = shared.open() else {
            continue;
        };
        let upstream = *locked(&shared.upstream);
        let remembered = locked(&shared.remembered).clone();
        let mut forwarding =
            Box::pin(forward(client, upstream, shared.stalled.subscribe(), connection.clone()));
        tasks.spawn(async move {
            tokio::select! {
                // However a connection ends, both sides are closed with it.
                _ended = &mut forwarding => connection.line.cancel(),
                () = connection.line.cancelled() => {}
                // Its sockets stay open, and nobody reads them.
                () = remembered.cancelled() => connection.line.cancelled().await,
            }
        });
    }
}

async fn forward(
    client: TcpStream,
    upstream: SocketAddr,
    stalled: watch::Receiver<Option<Stall>>,
    connection: Connection,
) -> io::Result<()> {
    let server = TcpStream::connect(upstream).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::try_join!(
        copy(from_client, to_server, stalled.clone(), &connection, Direction::ToServer),
        copy(from_server, to_client, stalled, &connection, Direction::ToClient),
    )?;
    Ok(())
}

async fn copy(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut stalled: watch::Receiver<Option<Stall>>,
    connection: &Connection,
    direction: Direction,
) -> io::Result<()> {
    let flows = |stall: &Option<Stall>| !connection.is_held(stall.as_ref(), direction);
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
        if direction == Direction::ToServer {
            connection.says(&buffer[..read]);
        }
        // What was read a moment too late is held as well.
        stalled.wait_for(flows).await.map_err(gone)?;
        if read == 0 {
            return to.shutdown().await;
        }
        to.write_all(&buffer[..read]).await?;
    }
}
