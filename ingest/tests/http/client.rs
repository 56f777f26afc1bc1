//! A client that writes the bytes it is told to and reads what comes back.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::within;

/// A small body that is fine.
pub(crate) const CUSTOM: &str = r#"{"message":"disk is full","sender_id":"disk_watch"}"#;

/// An HTTP/1.1 connection.
pub(crate) struct Client(TcpStream);

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {self:?}"))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (found, value) = line.split_once(": ")?;
            found.eq_ignore_ascii_case(name).then_some(value)
        })
    }

    /// Status and the outcome's code.
    pub(crate) fn outcome(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_default().to_owned())
    }
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(within(TcpStream::connect(address)).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        within(self.0.write_all(bytes.as_ref())).await.unwrap();
    }

    /// Sends whatever is still taken; the other side may have closed.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) {
        let _taken = within(self.0.write_all(bytes.as_ref())).await;
    }

    /// The next reply, its body by `Content-Length`.
    pub(crate) async fn reply(&mut self) -> Reply {
        within(self.read_reply()).await
    }

    /// Says that nothing more will come.
    pub(crate) async fn finish(&mut self) {
        let _closed = within(self.0.shutdown()).await;
    }

    /// The reply before the other side closes, if it says anything.
    pub(crate) async fn last_reply(&mut self) -> Option<Reply> {
        let mut first = [0];
        let said = matches!(within(self.0.peek(&mut first)).await, Ok(1));
        if said { Some(self.reply().await) } else { None }
    }

    /// Resolves once the other side has closed, having said nothing more.
    pub(crate) async fn closed(&mut self) {
        let mut rest = Vec::new();
        let _reset = within(self.0.read_to_end(&mut rest)).await;
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }

    /// Resolves once the other side has closed, whatever it said before that.
    pub(crate) async fn hung_up(&mut self) {
        let mut rest = Vec::new();
        let _reset = within(self.0.read_to_end(&mut rest)).await;
    }

    async fn read_reply(&mut self) -> Reply {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(self.0.read_u8().await.unwrap_or_else(|error| {
                panic!("{error} after {:?}", String::from_utf8_lossy(&head));
            }));
        }
        let head = String::from_utf8(head).unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let mut reply = Reply { status, head, body: Vec::new() };
        let length = reply.header("content-length").map_or(0, |length| length.parse().unwrap());
        reply.body = vec![0; length];
        self.0.read_exact(&mut reply.body).await.unwrap();
        reply
    }
}

/// A request as bytes; `headers` are lines without their ends.
pub(crate) fn request(line: &str, headers: &[&str], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{line} HTTP/1.1\r\nHost: larkfire\r\nContent-Length: {}\r\n", body.len());
    for header in headers {
        bytes.push_str(header);
        bytes.push_str("\r\n");
    }
    bytes.push_str("\r\n");
    [bytes.as_bytes(), body].concat()
}

/// Sends one request on a connection of its own.
pub(crate) async fn exchange(address: SocketAddr, line: &str, headers: &[&str], body: &[u8]) -> Reply {
    let mut client = Client::connect(address).await;
    client.send(request(line, headers, body)).await;
    client.reply().await
}

/// Posts a body to `/api/alert`.
pub(crate) async fn post(address: SocketAddr, body: impl AsRef<[u8]>) -> Reply {
    exchange(address, "POST /api/alert", &[], body.as_ref()).await
}
