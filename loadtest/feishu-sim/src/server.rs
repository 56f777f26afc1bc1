//! The listener and its connections: HTTP/1.1 on loopback, which can go away and come back on the same port.

use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::hook;
use crate::listener_order::Order;
use crate::state::Shared;
use crate::wire::{Misbehaviour, misbehave};

/// Connections at a time; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 1024;

/// Connections the kernel holds for us.
const BACKLOG: u32 = 1024;

/// How long a client may take for its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);

/// How long an answer under way has when the simulator goes away.
const LAST_ANSWER: Duration = Duration::from_secs(1);

/// The pause after a failed accept: the process is out of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

pub(crate) struct Server {
    pub(crate) shared: Arc<Shared>,
    pub(crate) orders: mpsc::Receiver<Order>,
    pub(crate) stop: CancellationToken,
    pub(crate) connections: TaskTracker,
}

impl Server {
    /// Serves until it is stopped, or until its port is lost.
    pub(crate) async fn run(mut self, mut listener: TcpListener, address: SocketAddr) {
        loop {
            let presence = self.stop.child_token();
            let Some((back_after, gone)) = self.listen(&listener, &presence).await else {
                break;
            };
            drop(listener);
            presence.cancel();
            let (seat, result) = match keep_port(address) {
                Ok(seat) => (Some(seat), Ok(())),
                Err(error) => (None, Err(error)),
            };
            // Whoever gave the order may have stopped waiting.
            let _unheard = gone.send(result);
            let Some(seat) = seat else { break };
            let Some(returned) = self.stay_away(back_after).await else {
                break;
            };
            let Ok(again) = seat.listen(BACKLOG) else {
                break;
            };
            listener = again;
            if let Some(done) = returned {
                let _unheard = done.send(Ok(()));
            }
        }
        self.connections.close();
    }

    /// Accepts until it is told to go away; `None` means stopped.
    async fn listen(
        &mut self,
        listener: &TcpListener,
        presence: &CancellationToken,
    ) -> Option<(Option<Duration>, oneshot::Sender<io::Result<()>>)> {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let connection = async {
                let place = Arc::clone(&places).acquire_owned().await;
                (listener.accept().await, place)
            };
            tokio::select! {
                () = self.stop.cancelled() => return None,
                order = self.orders.recv() => match order? {
                    Order::Away { back_after, done } => return Some((back_after, done)),
                    Order::Back { done } => { let _unheard = done.send(Ok(())); }
                },
                (accepted, place) = connection => match accepted {
                    Ok((stream, peer)) => {
                        let served = serve(stream, peer.ip(), Arc::clone(&self.shared), presence.clone());
                        self.connections.spawn(async move {
                            served.await;
                            drop(place);
                        });
                    }
                    Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
                },
            }
        }
    }

    /// Waits for the end of the absence; the inner value is to be told when the port is open again.
    async fn stay_away(
        &mut self,
        back_after: Option<Duration>,
    ) -> Option<Option<oneshot::Sender<io::Result<()>>>> {
        let over = async {
            match back_after {
                Some(time) => tokio::time::sleep(time).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(over);
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                () = &mut over => return Some(None),
                order = self.orders.recv() => match order? {
                    Order::Back { done } => return Some(Some(done)),
                    Order::Away { done, .. } => { let _unheard = done.send(Ok(())); }
                },
            }
        }
    }
}

/// Holds the port without listening: connections are refused, and no other program can take it meanwhile.
fn keep_port(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

async fn serve(stream: TcpStream, peer: IpAddr, shared: Arc<Shared>, presence: CancellationToken) {
    let (misbehaviours, mut misbehaviour) = mpsc::channel::<Misbehaviour>(1);
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        let misbehaviours = misbehaviours.clone();
        async move {
            match hook::answer(request, peer, &shared).await {
                Ok(response) => Ok::<_, Infallible>(response),
                Err(how) => {
                    // The connection's task takes the socket away from hyper, and this future with it.
                    let _taken = misbehaviours.send(how).await;
                    std::future::pending().await
                }
            }
        }
    });
    let mut connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error here is the client's: it is gone, or what it sent is no HTTP.
        _ended = &mut connection => {}
        Some(how) = misbehaviour.recv() => {
            let stream = connection.into_parts().io.into_inner();
            tokio::select! {
                () = misbehave(stream, how) => {}
                () = presence.cancelled() => {}
            }
        }
        () = presence.cancelled() => {
            // Not cut short: the order to go away may have come through this very connection.
            std::pin::Pin::new(&mut connection).graceful_shutdown();
            let _late = tokio::time::timeout(LAST_ANSWER, connection).await;
        }
    }
}
