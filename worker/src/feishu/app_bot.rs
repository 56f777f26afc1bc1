//! An app bot: an app's id and secret, with which it sends into every chat it is in, updates what it sent, and looks
//! people up (reference "Feishu", 4 and 5).

mod body;
mod contacts;
mod login;
mod members;
mod token;
mod urgent;

use std::collections::BTreeMap;

use bytes::Bytes;
use config::Secret;
use jiff::Timestamp;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, Url};
use serde::Deserialize;
use thiserror::Error;

use super::body::CardContent;
use super::exchange::{self, JSON};
use super::picture::Picture;
use super::verdict::{self, Trouble, Verdict};
use crate::render::Card;

pub use body::OnceKey;
pub use contacts::People;
pub use login::{LoginTrouble, LoginUser};
pub use urgent::UrgentAnswer;

use token::{Token, Tokens};

/// Why an app bot cannot be set up.
#[derive(Debug, Error)]
pub enum AppBotError {
    /// Not a URL at all.
    #[error("the base URL of app {app_id} is not a URL: {cause}")]
    NotAUrl {
        /// The app's id.
        app_id: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A URL that leads to no web server.
    #[error("the base URL of app {app_id} must begin with https:// or http://")]
    Scheme {
        /// The app's id.
        app_id: String,
    },
}

/// Who the bot is, as in the developer console.
#[derive(Clone, Debug)]
pub struct AppCredentials {
    /// The app's id, `cli_…`.
    pub id: String,
    /// The app's secret.
    pub secret: Secret,
}

/// A message in a chat, by the id Feishu gave it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct MessageId(String);

impl MessageId {
    /// An id that was kept.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text, `om_…`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a reply hangs on.
#[derive(Clone, Copy, Debug)]
pub struct ReplyTo<'m> {
    /// The message replied to.
    pub message_id: &'m MessageId,
    /// Whether the reply opens a thread, where there is none yet.
    pub in_thread: bool,
}

/// What came of a message.
#[derive(Debug)]
pub struct Sent {
    /// What the answer means.
    pub verdict: Verdict,
    /// The message, to update it later or reply to it; also of an earlier try with the same key.
    pub message_id: Option<MessageId>,
}

/// One app bot. `Debug` shows neither its secret nor its token.
#[derive(Debug)]
pub struct AppBot {
    client: Client,
    base: Url,
    credentials: AppCredentials,
    tokens: Tokens,
}

/// A call below `/open-apis/`.
struct ApiCall<'c> {
    method: Method,
    path: &'c [&'c str],
    query: &'c [(&'c str, &'c str)],
    content_type: &'c str,
    body: Bytes,
}

#[derive(Deserialize)]
struct UploadAnswer {
    data: UploadData,
}

#[derive(Deserialize)]
struct UploadData {
    image_key: String,
}

#[derive(Deserialize)]
struct SendAnswer {
    data: SendData,
}

#[derive(Deserialize)]
struct SendData {
    message_id: MessageId,
}

#[derive(Deserialize)]
struct MembershipAnswer {
    data: MembershipData,
}

#[derive(Deserialize)]
struct MembershipData {
    is_in_chat: bool,
}

impl<'c> ApiCall<'c> {
    fn new(method: Method, path: &'c [&'c str], body: Vec<u8>) -> Self {
        Self { method, path, query: &[], content_type: JSON, body: body.into() }
    }
}

impl From<Verdict> for Sent {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, message_id: None }
    }
}

impl AppBot {
    /// The bot of an app, on the platform at `base_url`.
    pub fn new(client: Client, base_url: &str, credentials: AppCredentials) -> Result<Self, AppBotError> {
        let app_id = || credentials.id.clone();
        let base = Url::parse(base_url)
            .map_err(|error| AppBotError::NotAUrl { app_id: app_id(), cause: error.to_string() })?;
        if !matches!(base.scheme(), "https" | "http") {
            return Err(AppBotError::Scheme { app_id: app_id() });
        }
        Ok(Self { client, base, credentials, tokens: Tokens::default() })
    }

    /// The id of the app.
    pub(crate) fn app_id(&self) -> &str {
        &self.credentials.id
    }

    /// Sends into a chat, once. Trying again with the same key within an hour shows nothing twice.
    pub async fn send(&self, chat_id: &str, content: &CardContent, once: &OnceKey, now: Timestamp) -> Sent {
        let path = ["im", "v1", "messages"];
        let query = [("receive_id_type", "chat_id")];
        self.deliver(&path, &query, body::message(chat_id, content, once), now).await
    }

    /// Replies to a message, once, as [`send`](Self::send) does.
    pub async fn reply(
        &self,
        to: ReplyTo<'_>,
        content: &CardContent,
        once: &OnceKey,
        now: Timestamp,
    ) -> Sent {
        let path = ["im", "v1", "messages", to.message_id.as_str(), "reply"];
        let sent = self.deliver(&path, &[], body::reply(to.in_thread, content, once), now).await;
        Sent { verdict: sent.verdict.of_repeatable(), ..sent }
    }

    /// Shows another card in a message of ours, for 14 days after it was sent. There is no order among updates of a
    /// message but the one in which the caller makes them, one after the other.
    pub async fn update(&self, message_id: &MessageId, card: &Card, now: Timestamp) -> Verdict {
        let body = match body::update(card) {
            Ok(body) => body,
            Err(error) => return unwritten(&error),
        };
        let path = ["im", "v1", "messages", message_id.as_str()];
        let call = ApiCall::new(Method::PATCH, &path, body);
        self.call(&call, now).await.err().map_or(Verdict::Ok, Verdict::of_repeatable)
    }

    /// Uploads a picture; the key by which this app's cards show it.
    pub(crate) async fn upload(&self, picture: &Picture, now: Timestamp) -> Result<String, Verdict> {
        let path = ["im", "v1", "images"];
        let call =
            ApiCall { content_type: body::FORM, ..ApiCall::new(Method::POST, &path, body::picture(picture)) };
        let answer = self.call(&call, now).await.map_err(Verdict::of_repeatable)?;
        let answer = serde_json::from_slice::<UploadAnswer>(&answer);
        answer.map(|answer| answer.data.image_key).map_err(|_| unreadable("a picture's key"))
    }

    /// The `open_id`s of people, by what they were asked for; who is unknown or hidden is left out. The ids are this
    /// app's: another app's are different.
    pub async fn batch_get_id(
        &self,
        people: &People,
        now: Timestamp,
    ) -> Result<BTreeMap<String, String>, Verdict> {
        let mut found = BTreeMap::new();
        for question in people.questions() {
            let body = serde_json::to_vec(&question).map_err(|error| unwritten(&error))?;
            let path = ["contact", "v3", "users", "batch_get_id"];
            let query = &[("user_id_type", "open_id")];
            let answer =
                self.call(&ApiCall { query, ..ApiCall::new(Method::POST, &path, body) }, now).await?;
            found.extend(question.found(&answer).map_err(|_| unreadable("people's ids"))?);
        }
        Ok(found)
    }

    /// Whether the platform knows the app by its id and secret.
    pub async fn authenticate(&self, now: Timestamp) -> Result<(), Verdict> {
        self.token(None, now).await.map(drop)
    }

    /// Whether the bot is in this chat.
    pub async fn is_in_chat(&self, chat_id: &str, now: Timestamp) -> Result<bool, Verdict> {
        let path = ["im", "v1", "chats", chat_id, "members", "is_in_chat"];
        let call = ApiCall::new(Method::GET, &path, Vec::new());
        let answer = self.call(&call, now).await?;
        let answer = serde_json::from_slice::<MembershipAnswer>(&answer);
        answer.map(|answer| answer.data.is_in_chat).map_err(|_| unreadable("is_in_chat"))
    }

    async fn deliver(
        &self,
        path: &[&str],
        query: &[(&str, &str)],
        body: serde_json::Result<Vec<u8>>,
        now: Timestamp,
    ) -> Sent {
        let body = match body {
            Ok(body) => body,
            Err(error) => return Sent { verdict: unwritten(&error), message_id: None },
        };
        match self.call(&ApiCall { query, ..ApiCall::new(Method::POST, path, body) }, now).await {
            Ok(answer) => {
                // It is in the chat whatever else the answer says; without an id it only cannot be updated.
                let answer = serde_json::from_slice::<SendAnswer>(&answer).ok();
                Sent { verdict: Verdict::Ok, message_id: answer.map(|answer| answer.data.message_id) }
            }
            Err(verdict) => Sent { verdict, message_id: None },
        }
    }

    /// Makes a call and returns its successful answer. A refused token is replaced once.
    async fn call(&self, call: &ApiCall<'_>, now: Timestamp) -> Result<Vec<u8>, Verdict> {
        let token = self.token(None, now).await?;
        match self.exchange(call, Some(&token)).await {
            Err(verdict) if verdict.is_about_token() => {
                let token = self.token(Some(&token), now).await?;
                self.exchange(call, Some(&token)).await
            }
            answer => answer,
        }
    }

    async fn token(&self, refused: Option<&Secret>, now: Timestamp) -> Result<Secret, Verdict> {
        self.tokens.get(refused, now, async || self.new_token(now).await).await
    }

    async fn new_token(&self, now: Timestamp) -> Result<Token, Verdict> {
        let id = &self.credentials.id;
        let secret = self.credentials.secret.expose();
        let body = serde_json::to_vec(&BTreeMap::from([("app_id", id.as_str()), ("app_secret", secret)]))
            .map_err(|error| unwritten(&error))?;
        let path = ["auth", "v3", "tenant_access_token", "internal"];
        let call = ApiCall::new(Method::POST, &path, body);
        let answer = self.exchange(&call, None).await.map_err(Verdict::of_app)?;
        Token::read(&answer, now)
    }

    async fn exchange(&self, call: &ApiCall<'_>, token: Option<&Secret>) -> Result<Vec<u8>, Verdict> {
        let request =
            self.client.request(call.method.clone(), self.url(call)).header(CONTENT_TYPE, call.content_type);
        let request = match token {
            Some(token) => request.bearer_auth(token.expose()),
            None => request,
        };
        let answer = exchange::once(request.body(call.body.clone())).await?;
        let verdict = verdict::read(answer.status, &answer.body, answer.wait);
        if verdict == Verdict::Ok {
            return Ok(answer.body);
        }
        Err(verdict.logged_as(answer.log_id.as_deref()))
    }

    fn url(&self, call: &ApiCall<'_>) -> Url {
        let mut url = self.base.clone();
        // Only a URL without a host has no path, and `new` has refused those.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("open-apis").extend(call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query);
        }
        url
    }
}

/// A body is strings and flags only, so there is nothing the serialiser could refuse.
fn unwritten(error: &serde_json::Error) -> Verdict {
    Verdict::GiveUp(Trouble::without_code(error.to_string()))
}

fn unreadable(what: &str) -> Verdict {
    let trouble = Trouble::without_code(format!("a successful answer without {what}"));
    Verdict::TryAgain { hint: None, trouble }
}
