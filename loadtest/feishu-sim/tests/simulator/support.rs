//! A bare HTTP client on a socket, which shows what really comes over the wire.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use feishu_sim::{BotSettings, FeishuSim, ManualClock, SimSettings};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// Token of the only bot in most tests.
pub(crate) const TOKEN: &str = "test-token";

/// Long enough for anything that comes at all.
pub(crate) const DEADLINE: Duration = Duration::from_secs(10);

/// An HTTP answer as it came.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code in the body; refusals come with HTTP 200.
    pub(crate) fn code(&self) -> i64 {
        assert_eq!(self.status, 200, "{self:?}");
        self.json()["code"].as_i64().unwrap()
    }
}

pub(crate) async fn start(bot: BotSettings) -> FeishuSim {
    FeishuSim::start(SimSettings::new([bot])).await.unwrap()
}

/// A simulator whose clock the test moves.
pub(crate) async fn start_at(bot: BotSettings, unix_seconds: i64) -> (FeishuSim, ManualClock) {
    let clock = ManualClock::starting_at(Timestamp::from_second(unix_seconds).unwrap());
    let sim = FeishuSim::start(SimSettings::new([bot]).clock(clock.clone())).await.unwrap();
    (sim, clock)
}

pub(crate) fn text(text: &str) -> Value {
    json!({"msg_type": "text", "content": {"text": text}})
}

pub(crate) fn card(content: &str) -> Value {
    json!({"msg_type": "interactive", "card": {"elements": [{"tag": "markdown", "content": content}]}})
}

/// Sends a message to the test bot.
pub(crate) async fn send(sim: &FeishuSim, message: &Value) -> Answer {
    send_raw(sim, message.to_string().as_bytes()).await
}

pub(crate) async fn send_raw(sim: &FeishuSim, body: &[u8]) -> Answer {
    post(sim.address(), &hook(TOKEN), body).await.unwrap()
}

pub(crate) fn hook(token: &str) -> String {
    format!("/open-apis/bot/v2/hook/{token}")
}

pub(crate) async fn post(address: SocketAddr, path: &str, body: &[u8]) -> io::Result<Answer> {
    request(address, "POST", path, body).await
}

pub(crate) async fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    body: &[u8],
) -> io::Result<Answer> {
    let head = format!("{method} {path} HTTP/1.1\r\nContent-Type: application/json; charset=utf-8\r\n");
    exchange(address, &head, body).await
}

/// Sends a request with this beginning of a head and reads the answer to its end.
pub(crate) async fn exchange(address: SocketAddr, head: &str, body: &[u8]) -> io::Result<Answer> {
    let mut stream = open(address, head, body).await?;
    let mut answer = Vec::new();
    tokio::time::timeout(DEADLINE, stream.read_to_end(&mut answer)).await.expect("no answer in time")?;
    let answer = String::from_utf8(answer).unwrap();
    let (headers, body) = answer.split_once("\r\n\r\n").ok_or(io::ErrorKind::UnexpectedEof)?;
    let status = headers.split(' ').nth(1).unwrap().parse().unwrap();
    Ok(Answer { status, headers: headers.to_ascii_lowercase(), body: body.to_owned() })
}

/// Sends a request and leaves the answer to the caller.
pub(crate) async fn open(address: SocketAddr, head: &str, body: &[u8]) -> io::Result<TcpStream> {
    request_on(TcpStream::connect(address).await?, head, body).await
}

/// The same on a connection that is there already.
pub(crate) async fn request_on(mut stream: TcpStream, head: &str, body: &[u8]) -> io::Result<TcpStream> {
    let rest = format!("Host: sim\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.write_all(&[head.as_bytes(), rest.as_bytes(), body].concat()).await?;
    Ok(stream)
}
