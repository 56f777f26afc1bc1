//! Who looks at a page, and what they may do. Every page asks before it shows anything: this is the one place where that is
//! decided.

use std::net::{IpAddr, SocketAddr};

use futures_util::future::BoxFuture;
use hyper::header::{HOST, ORIGIN};
use hyper::{HeaderMap, Method};
use runtime::telemetry::admin::{PageAnswer, PageRequest};
use serde::Serialize;

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsoleRole {
    /// Looks at everything.
    Viewer,
    /// Looks and acts.
    Operator,
}

/// Somebody who looks at a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// As the audit trail names them.
    pub name: String,
    /// What they may do.
    pub role: ConsoleRole,
    /// What each form carries along, so that no other page can send it in their name; empty if nothing is needed.
    pub form_token: String,
    /// Whether there is something to log out of.
    pub is_logged_in: bool,
}

impl Identity {
    /// Whether they may change anything.
    pub const fn may_act(&self) -> bool {
        matches!(self.role, ConsoleRole::Operator)
    }
}

/// What is decided about a request.
#[derive(Debug)]
pub enum Admission {
    /// It is answered, for this person.
    As(Identity),
    /// It is answered so instead: with a page to log in, or a refusal.
    Instead(Box<PageAnswer>),
    /// There are no pages here.
    Off,
}

/// Decides who may look at pages.
pub trait Access: Send + Sync + 'static {
    /// Decides about a request, whatever its path and method. `path` is below the console's prefix.
    fn admit<'a>(&'a self, request: &'a PageRequest, path: &'a str) -> BoxFuture<'a, Admission>;

    /// Whether a form comes from one of our own pages, as this person saw it.
    fn is_own_form(&self, request: &PageRequest, identity: &Identity, token: Option<&str>) -> bool;
}

/// What proxies add: behind one, whoever asks may be anywhere, although the connection comes from this machine.
const FORWARDED: [&str; 4] = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/// Nobody needs to log in on the machine itself: whoever reaches a loopback address, under a name of loopback, may do
/// everything. Elsewhere there are no pages.
#[derive(Clone, Debug)]
pub struct LoopbackAccess {
    is_loopback: bool,
    name: String,
}

impl LoopbackAccess {
    /// For a listener on this address. `name` stands in the audit trail.
    pub fn on(listener: SocketAddr, name: String) -> Self {
        Self { is_loopback: listener.ip().is_loopback(), name }
    }

    /// Whether there are pages at all.
    pub const fn is_open(&self) -> bool {
        self.is_loopback
    }

    fn decide(&self, request: &PageRequest) -> Admission {
        let is_forwarded = FORWARDED.iter().any(|name| request.headers.contains_key(*name));
        if !self.is_loopback
            || !request.peer.ip().is_loopback()
            || !names_loopback(&request.headers)
            || is_forwarded
        {
            return Admission::Off;
        }
        Admission::As(Identity {
            name: self.name.clone(),
            role: ConsoleRole::Operator,
            form_token: String::new(),
            is_logged_in: false,
        })
    }
}

impl Access for LoopbackAccess {
    fn admit<'a>(&'a self, request: &'a PageRequest, _path: &'a str) -> BoxFuture<'a, Admission> {
        Box::pin(std::future::ready(self.decide(request)))
    }

    fn is_own_form(&self, request: &PageRequest, _identity: &Identity, _token: Option<&str>) -> bool {
        request.method == Method::POST && comes_from_here(&request.headers)
    }
}

/// The host a request is for, without its port, if there is exactly one.
pub(crate) fn host_name(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = hosts.next().and_then(|host| host.to_str().ok()).filter(|_| hosts.next().is_none())?;
    Some(match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    })
}

/// Whether the request asks for loopback by its name: a page of another site whose name was made to lead here does not.
pub(crate) fn names_loopback(headers: &HeaderMap) -> bool {
    let is_loopback = |name: &str| {
        name.eq_ignore_ascii_case("localhost")
            || name.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    };
    host_name(headers).is_some_and(is_loopback)
}

/// Whether a browser says that its page is one of ours. What is no browser says nothing.
pub(crate) fn comes_from_here(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same_site = text("sec-fetch-site").is_none_or(|site| ["same-origin", "none"].contains(&site));
    let host = text(HOST.as_str()).unwrap_or_default();
    let is_same_origin = text(ORIGIN.as_str())
        .is_none_or(|origin| origin.split_once("://").is_some_and(|(_, of_page)| of_page == host));
    is_same_site && is_same_origin
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn only_names_of_loopback_lead_in() {
        for host in ["127.0.0.1:9095", "localhost", "LOCALHOST:1", "[::1]:9095", "127.8.9.1"] {
            assert!(names_loopback(&headers(&[("host", host)])), "{host}");
        }
        for host in
            ["evil.example:9095", "127.0.0.1.evil.example", "10.0.0.1", "", "[::2]:1", "localhost.evil"]
        {
            assert!(!names_loopback(&headers(&[("host", host)])), "{host}");
        }
        assert!(!names_loopback(&HeaderMap::new()));
    }

    #[test]
    fn a_form_of_another_site_is_known_by_what_the_browser_says() {
        let host = ("host", "127.0.0.1:9095");
        assert!(comes_from_here(&headers(&[host])), "no browser");
        assert!(comes_from_here(&headers(&[
            host,
            ("origin", "http://127.0.0.1:9095"),
            ("sec-fetch-site", "same-origin")
        ])));
        for other in [("origin", "http://evil.example"), ("origin", "null"), ("sec-fetch-site", "cross-site")]
        {
            assert!(!comes_from_here(&headers(&[host, other])), "{other:?}");
        }
    }
}
