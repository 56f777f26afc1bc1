//! HTTP of the simulator: which path is what, and the webhooks' requests and answers.

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Limited};
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::{Method, Request, StatusCode};
use serde_json::json;

use crate::accounts;
use crate::bot::HookRequest;
use crate::call;
use crate::control;
use crate::gateway::{self, API_PATH};
use crate::page;
use crate::request::is_json;
use crate::response::{Answer, faulted, json, plain};
use crate::state::{Reply, Shared};
use crate::wire::Misbehaviour;

/// What is read of a body at most; the platform's own limits are far below and answered in its own words.
const BODY_READ_LIMIT_BYTES: usize = 1 << 24;

/// The path of the webhooks, before the token.
pub(crate) const HOOK_PATH: &str = "/open-apis/bot/v2/hook/";

/// Answers a request, or says how to misbehave instead.
pub(crate) async fn answer(
    request: Request<Incoming>,
    peer: IpAddr,
    shared: &Shared,
) -> Result<Answer, Misbehaviour> {
    let (head, body) = request.into_parts();
    let path = head.uri.path();
    let Some(body) = read(body).await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large"));
    };
    if let Some(token) = path.strip_prefix(HOOK_PATH) {
        if head.method != Method::POST {
            return Ok(plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"));
        }
        let is_json = head.headers.get(CONTENT_TYPE).is_some_and(is_json);
        let (judged, delay) = shared.take(&HookRequest { token: token.to_owned(), peer, is_json, body });
        tokio::time::sleep(delay).await;
        return reply(judged);
    }
    if let Some(answer) = accounts::answer(&head, &body, shared) {
        return Ok(answer);
    }
    if let Some((call, subject)) = path.strip_prefix(API_PATH).and_then(|path| call::of(&head.method, path)) {
        return gateway::answer(&head, call, subject, body, shared).await;
    }
    Ok(match (&head.method, path) {
        (&Method::GET, "/") => page::answer(shared),
        (method, path) => match path.strip_prefix("/_sim/") {
            Some(name) => control::answer(method, name, head.uri.query(), &body, shared).await,
            None => plain(StatusCode::NOT_FOUND, "404 page not found"),
        },
    })
}

/// The whole body; `None` where it is too large or breaks off.
async fn read(body: Incoming) -> Option<Bytes> {
    #[expect(clippy::disallowed_methods, reason = "the body is limited")]
    let collected = Limited::new(body, BODY_READ_LIMIT_BYTES).collect().await;
    collected.ok().map(Collected::to_bytes)
}

fn reply(reply: Reply) -> Result<Answer, Misbehaviour> {
    match reply {
        Reply::Success => {
            let body =
                json!({"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"});
            Ok(json(StatusCode::OK, &body))
        }
        Reply::Refused(refusal) => Ok(json(StatusCode::OK, &refusal.body())),
        Reply::Fault(fault) => faulted(fault, StatusCode::OK),
    }
}
