//! (method, path) → what is asked for. Nothing else happens here.

use std::borrow::Cow;

use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use crate::answer::Answer;
use crate::lark::Address;
use crate::source::Endpoint;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'u> {
    /// An alert is brought.
    Alert(AlertRoute<'u>),
    /// Feishu calls.
    Callback(Address),
}

/// How an alert is brought.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct AlertRoute<'u> {
    /// Which way it came.
    pub(crate) endpoint: Endpoint,
    /// The receiver named in the path or else in the query.
    pub(crate) receiver: Option<Cow<'u, str>>,
    /// What the query calls the sender.
    pub(crate) origin: Option<Cow<'u, str>>,
    /// A key in the query. Believed by setting only: addresses are written into logs on the way.
    pub(crate) key: Option<Cow<'u, str>>,
}

/// How long the name of an origin may be, in bytes; of a longer one the beginning counts.
const ORIGIN_BYTES_MAX: usize = 128;

/// Finds the route of a request.
pub(crate) fn route<'u>(method: &Method, uri: &'u Uri) -> Result<Route<'u>, Answer> {
    let (endpoint, in_path) = match uri.path() {
        "/lark/event" | "/lark/event/" => return callback(method, Address::Event),
        "/lark/card/action" | "/lark/card/action/" => return callback(method, Address::CardAction),
        "/alert" | "/alert/" => (Endpoint::LokiFeishu, None),
        "/api/alert" => (Endpoint::Any, None),
        // A slash at the end says nothing; one within is part of the receiver's name.
        path => {
            let name = path.strip_prefix("/api/alert/").ok_or(Answer::NoSuchPath)?;
            (Endpoint::Any, Some(name.strip_suffix('/').unwrap_or(name)))
        }
    };
    check(method)?;
    let in_path = in_path.map(decoded).filter(|name| !name.is_empty());
    let query = uri.query().unwrap_or_default();
    let receiver = in_path.or_else(|| in_query(query, "receiver="));
    let origin = in_query(query, "origin=").map(short);
    Ok(Route::Alert(AlertRoute { endpoint, receiver, origin, key: in_query(query, "key=") }))
}

fn short(origin: Cow<'_, str>) -> Cow<'_, str> {
    match origin.floor_char_boundary(ORIGIN_BYTES_MAX) {
        end if end < origin.len() => Cow::Owned(origin[..end].to_owned()),
        _ => origin,
    }
}

fn callback<'u>(method: &Method, address: Address) -> Result<Route<'u>, Answer> {
    check(method).map(|()| Route::Callback(address))
}

fn check(method: &Method) -> Result<(), Answer> {
    // Grafana's webhooks can be set to PUT.
    if method == Method::POST || method == Method::PUT { Ok(()) } else { Err(Answer::WrongMethod) }
}

fn in_query<'q>(query: &'q str, key: &str) -> Option<Cow<'q, str>> {
    let name = query.split('&').find_map(|pair| pair.strip_prefix(key))?;
    let name = if name.contains('+') {
        Cow::Owned(decoded(&name.replace('+', " ")).into_owned())
    } else {
        decoded(name)
    };
    Some(name).filter(|name| !name.is_empty())
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routed(method: &Method, uri: &str) -> Result<(Endpoint, Option<String>), &'static str> {
        let uri: Uri = uri.parse().unwrap();
        match route(method, &uri).map_err(|answer| answer.form().code)? {
            Route::Alert(AlertRoute { endpoint, receiver, .. }) => {
                Ok((endpoint, receiver.map(Cow::into_owned)))
            }
            Route::Callback(address) => panic!("{uri} is {address:?}"),
        }
    }

    #[test]
    fn feishu_has_addresses_of_its_own() {
        for (path, address) in [
            ("/lark/event", Address::Event),
            ("/lark/event/", Address::Event),
            ("/lark/card/action?x=1", Address::CardAction),
        ] {
            let uri: Uri = path.parse().unwrap();
            assert_eq!(route(&Method::POST, &uri).unwrap(), Route::Callback(address), "{path}");
            assert!(matches!(route(&Method::GET, &uri), Err(Answer::WrongMethod)), "{path}");
        }
    }

    #[test]
    fn each_address_has_its_door_and_its_receiver() {
        let table = [
            ("/api/alert", Endpoint::Any, None),
            ("/api/alert/", Endpoint::Any, None),
            ("/api/alert/db-team", Endpoint::Any, Some("db-team")),
            ("/api/alert/%E9%A3%9E%E4%B9%A6%2Fops", Endpoint::Any, Some("飞书/ops")),
            ("/api/alert?receiver=db+team%21&x=1", Endpoint::Any, Some("db team!")),
            ("/api/alert?x=1&receiver=", Endpoint::Any, None),
            ("/api/alert/one?receiver=two", Endpoint::Any, Some("one")),
            ("/api/alert/db-team/", Endpoint::Any, Some("db-team")),
            ("/api/alert/monitoring/default/feishu", Endpoint::Any, Some("monitoring/default/feishu")),
            ("/alert", Endpoint::LokiFeishu, None),
            ("/alert?receiver=ops", Endpoint::LokiFeishu, Some("ops")),
        ];
        for (uri, endpoint, receiver) in table {
            assert_eq!(routed(&Method::POST, uri), Ok((endpoint, receiver.map(str::to_owned))), "{uri}");
        }
        assert_eq!(routed(&Method::PUT, "/api/alert"), Ok((Endpoint::Any, None)));
    }

    #[test]
    fn the_query_may_say_who_sends() {
        let long = "x".repeat(200);
        for (uri, expected) in [
            ("/api/alert/ops?origin=eu-1", Some("eu-1")),
            ("/alert?receiver=ops&origin=%E5%8D%97", Some("南")),
            ("/api/alert?origin=", None),
            ("/api/alert", None),
            (&*format!("/api/alert?origin={long}"), Some(&long[..ORIGIN_BYTES_MAX])),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let Ok(Route::Alert(alert)) = route(&Method::POST, &uri) else { panic!("{uri}") };
            assert_eq!(alert.origin.as_deref(), expected, "{uri}");
        }
    }

    #[test]
    fn other_addresses_and_methods_are_refused() {
        for uri in ["/", "/api", "/api/alerts", "/alert/x", "/API/alert", "/lark", "/lark/event/x"] {
            assert_eq!(routed(&Method::POST, uri), Err("no_such_path"), "{uri}");
        }
        for method in [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS] {
            assert_eq!(routed(&method, "/api/alert"), Err("method"));
        }
    }
}
