//! How a webhook is reached: over HTTP, or, in a simulation, without a network.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;

use super::exchange::{self, HttpAnswer, JSON};
use super::verdict::{Trouble, Verdict};

/// Whoever takes what is sent to webhooks.
#[derive(Clone, Debug)]
pub enum Webhooks {
    /// Feishu, over the network.
    Http(Client),
    /// A simulation of it, in this process.
    Simulated(Arc<dyn WebhookPort>),
}

/// Feishu as a simulation plays it.
pub trait WebhookPort: Debug + Send + Sync {
    /// Takes one request and answers with a status and a body; bounded in time as a request is.
    fn post(&self, url: &str, body: Vec<u8>) -> BoxFuture<'_, Result<WebhookAnswer, NoAnswer>>;
}

/// What came back.
#[derive(Clone, Debug)]
pub struct WebhookAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body, JSON where Feishu itself wrote it.
    pub body: Vec<u8>,
    /// What a header asks to wait.
    pub wait: Option<Duration>,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// There was no connection, so the other side does not have it.
    NeverSent,
    /// It was sent, and nothing came back in time.
    Lost,
}

impl Webhooks {
    pub(super) async fn post(&self, url: &str, body: Vec<u8>) -> Result<HttpAnswer, Verdict> {
        match self {
            Self::Http(client) => {
                exchange::once(client.post(url).header(CONTENT_TYPE, JSON).body(body)).await
            }
            Self::Simulated(port) => match port.post(url, body).await {
                Ok(WebhookAnswer { status, body, wait }) => {
                    Ok(HttpAnswer { status, body, wait, log_id: None, date: None })
                }
                Err(NoAnswer::NeverSent) => {
                    Err(Verdict::Unreachable(Trouble::without_code("no connection came about")))
                }
                Err(NoAnswer::Lost) => {
                    let trouble = Trouble::without_code("no answer came in time");
                    Err(Verdict::may_have_arrived(None, true, trouble))
                }
            },
        }
    }
}
