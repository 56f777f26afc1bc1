//! (method, path) → what is asked for. Nothing else happens here.

use std::borrow::Cow;

use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use crate::answer::Answer;
use crate::lark::Address;
use crate::source::Door;

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
    pub(crate) door: Door,
    /// The receiver named in the path or else in the query.
    pub(crate) receiver: Option<Cow<'u, str>>,
}

/// Finds the route of a request.
pub(crate) fn route<'u>(method: &Method, uri: &'u Uri) -> Result<Route<'u>, Answer> {
    let (door, in_path) = match uri.path() {
        "/lark/event" | "/lark/event/" => return callback(method, Address::Event),
        "/lark/card/action" | "/lark/card/action/" => return callback(method, Address::CardAction),
        "/alert" | "/alert/" => (Door::LokiFeishu, None),
        "/api/alert" => (Door::Any, None),
        path => {
            let name = path.strip_prefix("/api/alert/").filter(|name| !name.contains('/'));
            (Door::Any, Some(name.ok_or(Answer::NoSuchPath)?))
        }
    };
    check(method)?;
    let in_path = in_path.map(decoded).filter(|name| !name.is_empty());
    Ok(Route::Alert(AlertRoute { door, receiver: in_path.or_else(|| in_query(uri.query()?)) }))
}

fn callback<'u>(method: &Method, address: Address) -> Result<Route<'u>, Answer> {
    check(method).map(|()| Route::Callback(address))
}

fn check(method: &Method) -> Result<(), Answer> {
    // Grafana's webhooks can be set to PUT.
    if method == Method::POST || method == Method::PUT { Ok(()) } else { Err(Answer::WrongMethod) }
}

fn in_query(query: &str) -> Option<Cow<'_, str>> {
    let name = query.split('&').find_map(|pair| pair.strip_prefix("receiver="))?;
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

    fn routed(method: &Method, uri: &str) -> Result<(Door, Option<String>), &'static str> {
        let uri: Uri = uri.parse().unwrap();
        match route(method, &uri).map_err(|answer| answer.form().code)? {
            Route::Alert(AlertRoute { door, receiver }) => Ok((door, receiver.map(Cow::into_owned))),
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
            ("/api/alert", Door::Any, None),
            ("/api/alert/", Door::Any, None),
            ("/api/alert/db-team", Door::Any, Some("db-team")),
            ("/api/alert/%E9%A3%9E%E4%B9%A6%2Fops", Door::Any, Some("飞书/ops")),
            ("/api/alert?receiver=db+team%21&x=1", Door::Any, Some("db team!")),
            ("/api/alert?x=1&receiver=", Door::Any, None),
            ("/api/alert/one?receiver=two", Door::Any, Some("one")),
            ("/alert", Door::LokiFeishu, None),
            ("/alert?receiver=ops", Door::LokiFeishu, Some("ops")),
        ];
        for (uri, door, receiver) in table {
            assert_eq!(routed(&Method::POST, uri), Ok((door, receiver.map(str::to_owned))), "{uri}");
        }
        assert_eq!(routed(&Method::PUT, "/api/alert"), Ok((Door::Any, None)));
    }

    #[test]
    fn other_addresses_and_methods_are_refused() {
        for uri in
            ["/", "/api", "/api/alerts", "/api/alert/a/b", "/alert/x", "/API/alert", "/lark", "/lark/event/x"]
        {
            assert_eq!(routed(&Method::POST, uri), Err("no_such_path"), "{uri}");
        }
        for method in [Method::GET, Method::HEAD, Method::DELETE, Method::OPTIONS] {
            assert_eq!(routed(&method, "/api/alert"), Err("method"));
        }
    }
}
