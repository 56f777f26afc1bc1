//! The control API under `/_sim/`, for tests that run the simulator as a process.
//!
//! | request | does |
//! |---|---|
//! | `GET /_sim/records[?token=T][&after=N]` | totals, and the records after number N |
//! | `DELETE /_sim/records` | forgets records and totals |
//! | `POST /_sim/faults` `{"fault":{"kind":"reset"},"token":T,"times":N}` | scripts a fault |
//! | `DELETE /_sim/faults[?token=T][?app=ID]` | clears the faults |
//! | `POST /_sim/expire` `{"app":ID}` | ends the life of the app's tokens |
//! | `POST /_sim/browser` `{"open_id":ID}` | says who sits at the browser that is sent to log in; without an id nobody agrees |
//! | `POST /_sim/away` `{"for_ms":N}` | stops listening and comes back by itself |
//!
//! A fault has `token`, or `app` and `call` (`token`, `send`, `reply`, `update`, `look_up`, `membership` or `members`), or is for every bot's
//! webhook; in place of `times` it may have `for_ms`, and with neither it
//! stays until it is cleared.

use std::time::Duration;

use hyper::{Method, StatusCode};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::oneshot;

use crate::call::Call;
use crate::fault::{Fault, Lasting};
use crate::listener_order::Order;
use crate::platform::UnknownApp;
use crate::record::Record;
use crate::request::parameter;
use crate::response::{Answer, json, plain};
use crate::state::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FaultOrder {
    fault: Fault,
    token: Option<String>,
    app: Option<String>,
    call: Option<Call>,
    times: Option<u32>,
    for_ms: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpireOrder {
    app: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BrowserOrder {
    open_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AwayOrder {
    for_ms: u64,
}

pub(crate) async fn answer(
    method: &Method,
    name: &str,
    query: Option<&str>,
    body: &[u8],
    shared: &Shared,
) -> Answer {
    let token = parameter(query, "token");
    match (method, name) {
        (&Method::GET, "records") => records(token, parameter(query, "after"), shared),
        (&Method::DELETE, "records") => {
            shared.clear();
            done::<UnknownApp>(Ok(()))
        }
        (&Method::POST, "faults") => match serde_json::from_slice(body) {
            Ok(order) => fault(&order, shared),
            Err(error) => unreadable(&error),
        },
        (&Method::DELETE, "faults") => clear_faults(token, parameter(query, "app"), shared),
        (&Method::POST, "expire") => match serde_json::from_slice(body) {
            Ok(ExpireOrder { app }) => {
                done(shared.platform(|platform, now| platform.expire_tokens(&app, now)))
            }
            Err(error) => unreadable(&error),
        },
        (&Method::POST, "browser") => match serde_json::from_slice(body) {
            Ok(BrowserOrder { open_id }) => {
                shared.platform(|platform, _now| platform.sits_at_browser(open_id.as_deref()));
                done::<UnknownApp>(Ok(()))
            }
            Err(error) => unreadable(&error),
        },
        (&Method::POST, "away") => match serde_json::from_slice(body) {
            Ok(order) => away(&order, shared).await,
            Err(error) => unreadable(&error),
        },
        _ => plain(StatusCode::NOT_FOUND, "no such control"),
    }
}

fn records(token: Option<&str>, after: Option<&str>, shared: &Shared) -> Answer {
    let Ok(after) = after.unwrap_or("0").parse::<u64>() else {
        return json(StatusCode::BAD_REQUEST, &json!({"error": "after is no number"}));
    };
    let wanted = |record: &&Record| record.number > after && token.is_none_or(|token| record.token == token);
    shared.journal(|journal| {
        let records: Vec<&Record> = journal.records().filter(wanted).collect();
        json(StatusCode::OK, &json!({"totals": journal.totals(), "records": records}))
    })
}

fn fault(order: &FaultOrder, shared: &Shared) -> Answer {
    let lasting = match (order.times, order.for_ms) {
        (None, None) => Lasting::UntilCleared,
        (Some(times), None) => Lasting::Times(times),
        (None, Some(for_ms)) => Lasting::For(Duration::from_millis(for_ms)),
        (Some(_), Some(_)) => {
            return json(StatusCode::BAD_REQUEST, &json!({"error": "times and for_ms exclude each other"}));
        }
    };
    match (order.token.as_deref(), order.app.as_deref(), order.call) {
        (token, None, None) => done(shared.fault(token, &order.fault, lasting)),
        (None, Some(app), Some(call)) => done(shared.fault_call(app, call, &order.fault, lasting)),
        _ => json(StatusCode::BAD_REQUEST, &json!({"error": "a fault has token, or app and call"})),
    }
}

fn clear_faults(token: Option<&str>, app: Option<&str>, shared: &Shared) -> Answer {
    let of_apps = |app| shared.platform(|platform, _now| platform.clear_faults(app));
    match (token, app) {
        (Some(token), _) => done(shared.clear_faults(Some(token))),
        (None, Some(app)) => done(of_apps(Some(app))),
        (None, None) => {
            let apps = of_apps(None);
            done(
                shared
                    .clear_faults(None)
                    .map_err(|error| error.to_string())
                    .and(apps.map_err(|error| error.to_string())),
            )
        }
    }
}

async fn away(order: &AwayOrder, shared: &Shared) -> Answer {
    let (done, gone) = oneshot::channel();
    let back_after = Some(Duration::from_millis(order.for_ms));
    // The answer to this request still goes out: see `server::serve`.
    let ordered = shared.orders.send(Order::Away { back_after, done }).await;
    match (ordered, gone.await) {
        (Ok(()), Ok(Ok(()))) => json(StatusCode::OK, &json!({})),
        _ => json(StatusCode::INTERNAL_SERVER_ERROR, &json!({"error": "the port is lost"})),
    }
}

fn done<E: std::fmt::Display>(result: Result<(), E>) -> Answer {
    match result {
        Ok(()) => json(StatusCode::OK, &json!({})),
        Err(error) => json(StatusCode::NOT_FOUND, &json!({"error": error.to_string()})),
    }
}

fn unreadable(error: &serde_json::Error) -> Answer {
    json(StatusCode::BAD_REQUEST, &json!({"error": error.to_string()}))
}
