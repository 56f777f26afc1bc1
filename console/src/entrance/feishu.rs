//! Log in with Feishu: what is asked of it, who gets in, and a log-in that is under way.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::BoxFuture;
use thiserror::Error;

use super::sessions::{Token, encoded, is_same};
use crate::access::ConsoleRole;

/// What asks Feishu. The worker implements it.
pub trait FeishuLogin: Send + Sync + 'static {
    /// Where the browser is sent to. `challenge` is of the method S256.
    fn authorize_url(&self, redirect_uri: &str, state: &str, challenge: &str) -> String;
    /// Whose the code is.
    fn person<'f>(
        &'f self,
        code: &'f str,
        verifier: &'f str,
        redirect_uri: &'f str,
    ) -> BoxFuture<'f, Result<FeishuPerson, FeishuLoginError>>;
    /// Whether somebody is in a chat.
    fn is_member<'f>(
        &'f self,
        chat_id: &'f str,
        open_id: &'f str,
        known: KnownSince,
    ) -> BoxFuture<'f, Result<bool, FeishuLoginError>>;
}

/// How old what is known of a chat's members may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownSince {
    /// Somebody logs in: who was put into the chat for that is to get in.
    Now,
    /// They were let in before, and are looked at again.
    Lately,
}

/// Somebody whom Feishu knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeishuPerson {
    /// Their id for this app.
    pub open_id: String,
    /// Their company.
    pub tenant_key: String,
    /// What they are called.
    pub name: String,
}

/// Why nobody is known.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FeishuLoginError {
    /// The code is used, expired or another's: to be begun anew.
    #[error("the code is not good any more: {0}")]
    Again(String),
    /// The app may not be used by this person.
    #[error("the app is not open to this person: {0}")]
    NotOpen(String),
    /// The account is gone or frozen.
    #[error("the account is not in use: {0}")]
    NoAccount(String),
    /// The app, or what we ask, is not as Feishu wants it.
    #[error("the app is not set up for it: {0}")]
    Configuration(String),
    /// No answer, or none that says anything.
    #[error("Feishu does not answer: {0}")]
    Unavailable(String),
}

/// Who gets in with Feishu.
#[derive(Clone, Debug, Default)]
pub struct FeishuRules {
    /// The company whose people may; nobody gets in without.
    pub tenant_key: Option<String>,
    /// Who may act, by `open_id`.
    pub operators: BTreeSet<String>,
    /// Who may look, by `open_id`.
    pub viewers: BTreeSet<String>,
    /// Chats whose members may act.
    pub operator_chats: Vec<String>,
    /// Chats whose members may look.
    pub viewer_chats: Vec<String>,
}

impl FeishuRules {
    /// What somebody may do; `None`: they do not get in. Chats are asked only if the lists do not say enough.
    pub(crate) async fn role(
        &self,
        feishu: &dyn FeishuLogin,
        open_id: &str,
        known: KnownSince,
    ) -> Result<Option<ConsoleRole>, FeishuLoginError> {
        if self.operators.contains(open_id) {
            return Ok(Some(ConsoleRole::Operator));
        }
        let mut unknown = None;
        for chat in &self.operator_chats {
            match feishu.is_member(chat, open_id, known).await {
                Ok(true) => return Ok(Some(ConsoleRole::Operator)),
                Ok(false) => {}
                Err(error) => unknown = Some(error),
            }
        }
        if self.viewers.contains(open_id) {
            return Ok(Some(ConsoleRole::Viewer));
        }
        for chat in &self.viewer_chats {
            match feishu.is_member(chat, open_id, known).await {
                Ok(true) => return Ok(Some(ConsoleRole::Viewer)),
                Ok(false) => {}
                Err(error) => unknown = Some(error),
            }
        }
        unknown.map_or(Ok(None), Err)
    }
}

/// A log-in that is under way, as the browser's cookie keeps it: nobody else's browser can end it.
#[derive(Debug)]
pub(crate) struct PendingLogin {
    pub(crate) state: Token,
    pub(crate) verifier: Token,
    /// Which page they wanted to see.
    pub(crate) next: String,
}

impl PendingLogin {
    pub(crate) fn new(next: String) -> Self {
        Self { state: Token::new(), verifier: Token::new(), next }
    }

    pub(crate) fn written(&self) -> String {
        format!("{}.{}.{}", self.state.as_str(), self.verifier.as_str(), encoded(self.next.as_bytes()))
    }

    /// The one that this browser has begun, if the state that came back is its own.
    pub(crate) fn read(cookie: &str, state: &str) -> Option<Self> {
        let mut parts = cookie.split('.');
        let mut part = || parts.next();
        let own = part()?;
        let verifier = part()?;
        let next = part()?;
        if !is_same(own, state) {
            return None;
        }
        let next = String::from_utf8(URL_SAFE_NO_PAD.decode(next).ok()?).ok()?;
        Some(Self { state: Token::shown(own)?, verifier: Token::shown(verifier)?, next })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_in_ends_only_with_the_state_it_was_begun_with() {
        let pending = PendingLogin::new("/receivers?q=a.b".to_owned());
        let cookie = pending.written();
        assert!(
            cookie.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)),
            "{cookie}"
        );
        let read = PendingLogin::read(&cookie, pending.state.as_str()).unwrap();
        assert_eq!((read.verifier, read.next), (pending.verifier, pending.next));
        assert!(PendingLogin::read(&cookie, Token::new().as_str()).is_none());
        assert!(PendingLogin::read("", "").is_none() && PendingLogin::read("..", "").is_none());
    }
}
