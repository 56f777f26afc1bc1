//! Misbehaviour below HTTP: the connection is taken from hyper, and this does the wrong thing with the
//! socket.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The pause between two bytes of slow headers, short enough to defeat timeouts between reads.
const DRIP_PAUSE: Duration = Duration::from_millis(100);

/// The pause between two chunks of an endless body: some 1.6 MB/s.
const CHUNK_PAUSE: Duration = Duration::from_millis(10);

const CHUNK_BYTES: usize = 16 << 10;

/// What to do with the connection instead of answering.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Misbehaviour {
    Reset,
    SlowHeaders,
    EndlessBody,
    NeverAnswer,
}

/// Goes on until the other side has had enough of it.
pub(crate) async fn misbehave(mut stream: TcpStream, how: Misbehaviour) {
    // An error means that the other side is gone, which is how each of these ends.
    let _gone = match how {
        Misbehaviour::Reset => stream.set_zero_linger(),
        Misbehaviour::SlowHeaders => slow_headers(&mut stream).await,
        Misbehaviour::EndlessBody => endless_body(&mut stream).await,
        Misbehaviour::NeverAnswer => silence(&mut stream).await,
    };
}

async fn slow_headers(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ").await?;
    loop {
        stream.write_all(b".").await?;
        tokio::time::sleep(DRIP_PAUSE).await;
    }
}

async fn endless_body(stream: &mut TcpStream) -> std::io::Result<()> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await?;
    // White space: whoever parses while reading is never told that this is no JSON.
    let chunk = format!("{CHUNK_BYTES:x}\r\n{}\r\n", " ".repeat(CHUNK_BYTES));
    loop {
        stream.write_all(chunk.as_bytes()).await?;
        tokio::time::sleep(CHUNK_PAUSE).await;
    }
}

async fn silence(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}
