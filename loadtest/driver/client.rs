//! An HTTP/1.1 client for measuring: requests are bytes made beforehand, of answers only status and length are
//! read. Sender and server share the machine, so what the sender costs the server lacks.

use std::net::SocketAddr;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What an answer may take, head and body. Those to alerts are below 200 bytes, the metrics of many receivers are the
/// longest.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, Error)]
pub(crate) enum ClientError {
    /// Nobody listens, or the connection broke.
    #[error("no answer from {address}: {source}")]
    Broken {
        /// Where it was sent.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The connection ended, or what came is not an answer with a length.
    #[error("{0} does not answer in HTTP/1.1 with a length")]
    NotHttp(SocketAddr),
}

/// A keep-alive connection.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Result<Self, ClientError> {
        let broken = |source| ClientError::Broken { address, source };
        let stream = TcpStream::connect(address).await.map_err(broken)?;
        stream.set_nodelay(true).map_err(broken)?;
        Ok(Self { address, stream, buffer: Vec::with_capacity(1024) })
    }

    /// The last answer, head included.
    pub(crate) fn answer(&self) -> &[u8] {
        &self.buffer
    }

    /// Sends a request and returns the status of its answer, which is read to its end.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16, ClientError> {
        let address = self.address;
        let broken = |source| ClientError::Broken { address, source };
        self.stream.write_all(request).await.map_err(broken)?;
        self.buffer.clear();
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await.map_err(broken)?;
            if read == 0 || self.buffer.len() > ANSWER_BYTES_MAX {
                return Err(ClientError::NotHttp(address));
            }
            let Some(head) = Head::read(&self.buffer) else { continue };
            let Head { status, length_bytes } = head.map_err(|Malformed| ClientError::NotHttp(address))?;
            if self.buffer.len() >= length_bytes {
                return Ok(status);
            }
        }
    }
}

/// What is found at a path, head included; `None` where the answer is none, or not 200.
pub(crate) async fn answer_at(address: SocketAddr, path: &str) -> Option<String> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n");
    let mut client = Client::connect(address).await.ok()?;
    let status = client.exchange(request.as_bytes()).await.ok()?;
    (status == 200).then(|| String::from_utf8_lossy(client.answer()).into_owned())
}

/// What of an answer's head matters here.
#[derive(Debug, PartialEq, Eq)]
struct Head {
    status: u16,
    /// Of head and body.
    length_bytes: usize,
}

/// A head that says no status, or no length.
#[derive(Debug, PartialEq, Eq)]
struct Malformed;

impl Head {
    /// `None` while there is more to come.
    fn read(answer: &[u8]) -> Option<Result<Self, Malformed>> {
        let head_bytes = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
        Some(Self::parse(&answer[..head_bytes]).ok_or(Malformed))
    }

    fn parse(head: &[u8]) -> Option<Self> {
        let mut lines = str::from_utf8(head).ok()?.lines();
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let length = lines.find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim())
        });
        Some(Self { status, length_bytes: head.len() + length?.parse::<usize>().ok()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_when_its_head_says_so() {
        let head = "HTTP/1.1 202 Accepted\r\nContent-Length: 3\r\n\r\n";
        assert_eq!(Head::read(&head.as_bytes()[..30]), None);
        let expected = Head { status: 202, length_bytes: head.len() + 3 };
        assert_eq!(Head::read(head.as_bytes()), Some(Ok(expected)));
        assert_eq!(Head::read(b"HTTP/1.1 202 Accepted\r\n\r\n"), Some(Err(Malformed)));
    }
}
