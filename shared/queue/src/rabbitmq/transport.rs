//! The way to the broker: TCP, and TLS on it where the address begins with `amqps`.
//!
//! Lapin's own TLS goes by the address alone, where a certificate may be for another name, and brings an archive format for
//! keys that nobody here has; so the stream is made here and handed to it. Its runtime decides which kind of stream it takes.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_rs::traits::Reactor;
use async_rs::util::RuntimeParts;
use async_rs::{Runtime, Tokio};
use config::{ClientTls, is_amqps};
use futures_util::Stream;
use futures_util::io::{AsyncRead, AsyncWrite};
use lapin::AsyncTcpStream;
use lapin::uri::AMQPUri;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_util::compat::{Compat, TokioAsyncReadCompatExt};
use tokio_util::either::Either;

/// A connection, with or without TLS.
pub(super) type BrokerStream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The broker's host and port, and how it is known there.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    host: String,
    port: u16,
    tls: Option<ClientTls>,
}

impl Transport {
    /// By the address.
    pub(super) fn of(uri: &AMQPUri, tls: &ClientTls) -> Self {
        let tls = is_amqps(uri).then(|| tls.clone());
        Self { host: uri.authority.host.clone(), port: uri.authority.port, tls }
    }

    /// Connects. Whoever calls this says how long it may take.
    pub(super) async fn open(&self) -> io::Result<BrokerStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        let Some(tls) = &self.tls else { return Ok(Either::Left(stream)) };
        let connector = TlsConnector::from(Arc::new(tls.config().map_err(io::Error::other)?));
        let stream = connector.connect(tls.name_of(&self.host)?, stream).await?;
        Ok(Either::Right(Box::new(stream)))
    }

    /// The same as lapin takes it, within this time: it waits for it on a thread of its own, which nobody else ends.
    pub(super) async fn open_for_lapin(
        &self,
        within: Duration,
    ) -> lapin::Result<AsyncTcpStream<Compat<BrokerStream>>> {
        let opened = tokio::time::timeout(within, self.open()).await;
        let stream = opened.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))?;
        Ok(AsyncTcpStream::Plain(stream.compat()))
    }
}

/// Tokio as everywhere, with streams of our kind.
pub(super) fn runtime() -> Runtime<RuntimeParts<Tokio, BrokerStreams>> {
    Runtime::new(RuntimeParts::new(Tokio::current(), BrokerStreams(Tokio::current())))
}

/// Tokio's timers, and our streams.
#[derive(Clone, Debug)]
pub(super) struct BrokerStreams(Tokio);

impl Reactor for BrokerStreams {
    type TcpStream = Compat<BrokerStream>;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: io::Read + io::Write + Send + 'static>(
        &self,
        _socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        // For sockets of another make, which nobody has here.
        Err::<Self::TcpStream, _>(io::ErrorKind::Unsupported.into())
    }

    fn sleep(&self, time: Duration) -> Self::Sleep {
        self.0.sleep(time)
    }

    fn interval(&self, time: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(time)
    }

    #[expect(clippy::manual_async_fn, reason = "the future must not hold on to self")]
    fn tcp_connect_addr(
        &self,
        address: SocketAddr,
    ) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        async move { Ok(Either::Left(TcpStream::connect(address).await?).compat()) }
    }
}
