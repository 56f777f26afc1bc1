//! The cookies of the console: what each may be read and sent by. Pure.

use hyper::HeaderMap;
use hyper::header::{HeaderValue, SET_COOKIE};
use runtime::telemetry::admin::PageAnswer;

use crate::request::cookie;

/// A cookie of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cookie {
    /// Whoever shows it is logged in.
    Session,
    /// What the form to log in belongs to.
    Form,
    /// A log-in with Feishu that is under way.
    Feishu,
}

impl Cookie {
    const fn name(self) -> &'static str {
        match self {
            Self::Session => "larkfire_session",
            Self::Form => "larkfire_login",
            Self::Feishu => "larkfire_feishu",
        }
    }
}

/// How cookies are set here.
#[derive(Clone, Debug)]
pub(crate) struct CookieRules {
    /// Whether pages come over https.
    pub(crate) is_https: bool,
    /// Where pages are; empty or without a slash at its end.
    pub(crate) path_prefix: String,
}

impl CookieRules {
    /// Its whole name: over https it promises that no other host and no page over http has set it.
    fn name(&self, cookie: Cookie) -> String {
        format!("{}{}", if self.is_https { "__Host-" } else { "" }, cookie.name())
    }

    /// What the browser shows.
    pub(crate) fn shown<'h>(&self, headers: &'h HeaderMap, which: Cookie) -> Option<&'h str> {
        cookie(headers, &self.name(which))
    }

    /// Sets it for so many seconds. `Lax`, not `Strict`: a link on a card has to lead in, and Feishu leads back here; what acts is
    /// a form, which has a token of its own.
    pub(crate) fn set(&self, answer: &mut PageAnswer, which: Cookie, value: &str, seconds: i64) {
        let name = self.name(which);
        let path = if self.is_https || self.path_prefix.is_empty() { "/" } else { &self.path_prefix };
        let secure = if self.is_https { "; Secure" } else { "" };
        let text = format!("{name}={value}; Path={path}; Max-Age={seconds}; HttpOnly{secure}; SameSite=Lax");
        if let Ok(mut text) = HeaderValue::from_str(&text) {
            text.set_sensitive(true);
            answer.headers_mut().append(SET_COOKIE, text);
        }
    }

    pub(crate) fn remove(&self, answer: &mut PageAnswer, which: Cookie) {
        self.set(answer, which, "", 0);
    }
}
