//! (method, path) → what is asked for. Nothing else happens here.

use std::borrow::Cow;

use hyper::{Method, Uri};
use percent_encoding::percent_decode_str;

use crate::answer::Answer;
use crate::hooks::hook_token;
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
    /// Whom it is for.
    pub(crate) target: Target<'u>,
    /// What the query calls the sender.
    pub(crate) origin: Option<Cow<'u, str>>,
    /// A key in the query. Believed by setting only: addresses are written into logs on the way.
    pub(crate) key: Option<Cow<'u, str>>,
    /// Whom the query names.
    pub(crate) people: Vec<String>,
    /// Which format of the configuration the query names.
    pub(crate) source: Option<Cow<'u, str>>,
}

/// Whom the address of a request names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Target<'u> {
    /// Nobody: the routes decide.
    Routes,
    /// The receiver named in the path or else in the query.
    Receiver(Cow<'u, str>),
    /// The bots of chats by what stands in their addresses: a webhook's token, the name of a receiver, or a key of ours.
    Hooks(Vec<Cow<'u, str>>),
}

/// How long the name of an origin may be, in bytes; of a longer one the beginning counts.
const ORIGIN_BYTES_MAX: usize = 128;
/// How many bots one address may name.
const HOOKS_MAX: usize = 16;
/// How many people one address may name, and what stands between them.
const PEOPLE_MAX: usize = 50;
/// What of a query of PrometheusAlert's says that it is meant for Feishu.
const FEISHU_TYPES: [&str; 2] = ["fs", "fsapp"];

/// Where Alertmanager's API takes alerts.
const API_V2: &str = "/api/v2/alerts";
const API_V1: &str = "/api/v1/alerts";

/// Finds the route of a request.
pub(crate) fn route<'u>(method: &Method, uri: &'u Uri) -> Result<Route<'u>, Answer> {
    let query = uri.query().unwrap_or_default();
    let path = uri.path().trim_end_matches('/');
    let (endpoint, target) = match path {
        "/lark/event" => return callback(method, Address::Event),
        "/lark/card/action" => return callback(method, Address::CardAction),
        "/alert" => (Endpoint::LokiFeishu, in_query_receiver(query)),
        "/api/alert" => (Endpoint::Any, in_query_receiver(query)),
        API_V2 | API_V1 => (Endpoint::AlertmanagerApi, in_query_receiver(query)),
        "/robot/send" => (Endpoint::DingtalkBot, hooks(in_query(query, "access_token="))),
        "/cgi-bin/webhook/send" => (Endpoint::WecomBot, hooks(in_query(query, "key="))),
        "/prometheusalert" | "/prometheus/alert" => {
            check(method)?;
            check_type(query)?;
            (Endpoint::PrometheusAlert, of_fsurl(query))
        }
        // A slash at the end says nothing; one within is part of the receiver's name.
        path => in_path(path).ok_or(Answer::NoSuchPath)?,
    };
    check(method)?;
    let origin = in_query(query, "origin=").map(short);
    let key = if endpoint == Endpoint::WecomBot { None } else { in_query(query, "key=") };
    let people = in_query(query, "at=").map(|people| named(&people)).unwrap_or_default();
    let source = in_query(query, "source=");
    Ok(Route::Alert(AlertRoute { endpoint, target, origin, key, people, source }))
}

/// The addresses that name whom they are for in their path.
fn in_path(path: &str) -> Option<(Endpoint, Target<'_>)> {
    let hook =
        path.strip_prefix("/open-apis/bot/v2/hook/").or_else(|| path.strip_prefix("/open-apis/bot/hook/"));
    if let Some(hook) = hook {
        return Some((Endpoint::FeishuBot, hooks(Some(decoded(hook)))));
    }
    if let Some(target) = path.strip_prefix("/dingtalk/").and_then(|rest| rest.strip_suffix("/send")) {
        return Some((Endpoint::DingtalkBridge, Target::Receiver(decoded(target))));
    }
    let name = path.strip_prefix("/api/alert/")?;
    // Prometheus and vmalert put the path of Alertmanager's API behind whatever prefix they are given.
    let pushed =
        [API_V2, API_V1].into_iter().find_map(|api| format!("/{name}").strip_suffix(api).map(str::len));
    Some(match pushed {
        None => (Endpoint::Any, Target::Receiver(decoded(name))),
        Some(0) => (Endpoint::AlertmanagerApi, Target::Routes),
        Some(length) => (Endpoint::AlertmanagerApi, Target::Receiver(decoded(&name[..length - 1]))),
    })
}

fn in_query_receiver(query: &str) -> Target<'_> {
    in_query(query, "receiver=").map_or(Target::Routes, Target::Receiver)
}

fn hooks(hook: Option<Cow<'_, str>>) -> Target<'_> {
    hook.filter(|hook| !hook.is_empty()).map_or(Target::Routes, |hook| Target::Hooks(vec![hook]))
}

/// Whether a query of PrometheusAlert's is for Feishu. Another channel's alerts are not taken: they would go to people who
/// do not expect them, and not to those who do.
fn check_type(query: &str) -> Result<(), Answer> {
    let kind = in_query(query, "type=");
    let is_known = kind.as_ref().is_none_or(|kind| FEISHU_TYPES.contains(&&**kind));
    if is_known { Ok(()) } else { Err(Answer::OtherChannel) }
}

/// The webhooks a query of PrometheusAlert's names, with commas between them, by their tokens. Nobody encodes them, so
/// what follows a `?` of theirs is taken for the rest of the query.
fn of_fsurl(query: &str) -> Target<'_> {
    let Some(urls) = in_query(query, "fsurl=") else { return in_query_receiver(query) };
    let tokens: Vec<_> =
        urls.split(',').map(str::trim).filter(|url| !url.is_empty()).take(HOOKS_MAX).map(token_of).collect();
    if tokens.is_empty() { in_query_receiver(query) } else { Target::Hooks(tokens) }
}

/// What stands last in the path of a webhook's address.
fn token_of(url: &str) -> Cow<'static, str> {
    Cow::Owned(hook_token(url).to_owned())
}

fn named(people: &str) -> Vec<String> {
    let separates = |letter: char| letter.is_whitespace() || matches!(letter, ',' | '，' | ';' | '、' | '|');
    let people = people.split(separates).map(|name| name.trim_start_matches('@'));
    people.filter(|name| !name.is_empty()).take(PEOPLE_MAX).map(str::to_owned).collect()
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
            Route::Alert(AlertRoute { endpoint, target, .. }) => match target {
                Target::Routes => Ok((endpoint, None)),
                Target::Receiver(name) => Ok((endpoint, Some(name.into_owned()))),
                Target::Hooks(hooks) => Ok((endpoint, Some(format!("hooks {}", hooks.join(" "))))),
            },
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
            ("/api/v2/alerts", Endpoint::AlertmanagerApi, None),
            ("/api/v1/alerts?receiver=ops", Endpoint::AlertmanagerApi, Some("ops")),
            ("/api/alert/db-team/api/v2/alerts", Endpoint::AlertmanagerApi, Some("db-team")),
            ("/api/alert/api/v1/alerts", Endpoint::AlertmanagerApi, None),
            ("/open-apis/bot/v2/hook/abc-1", Endpoint::FeishuBot, Some("hooks abc-1")),
            ("/open-apis/bot/hook/abc-1/", Endpoint::FeishuBot, Some("hooks abc-1")),
            ("/robot/send?access_token=t&timestamp=1&sign=x", Endpoint::DingtalkBot, Some("hooks t")),
            ("/cgi-bin/webhook/send?key=k", Endpoint::WecomBot, Some("hooks k")),
            ("/dingtalk/ops/send", Endpoint::DingtalkBridge, Some("ops")),
            ("/prometheusalert?type=fs&tpl=prometheus-fs", Endpoint::PrometheusAlert, None),
            (
                "/prometheusalert?type=fs&tpl=x&fsurl=https://open.feishu.cn/open-apis/bot/v2/hook/a,https://h/b&split=false",
                Endpoint::PrometheusAlert,
                Some("hooks a b"),
            ),
            ("/prometheus/alert?receiver=ops", Endpoint::PrometheusAlert, Some("ops")),
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
    fn people_in_an_address_are_named_and_another_channel_is_refused() {
        let uri: Uri = "/prometheusalert?type=fs&at=ou_1,a@b.c%2C@13800138000".parse().unwrap();
        let Ok(Route::Alert(alert)) = route(&Method::POST, &uri) else { panic!("{uri}") };
        assert_eq!(alert.people, ["ou_1", "a@b.c", "13800138000"]);
        for kind in ["dd", "wx", "workwechat", "email", "FS"] {
            let uri = format!("/prometheusalert?type={kind}&tpl=x");
            assert_eq!(routed(&Method::POST, &uri), Err("other_channel"), "{kind}");
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
