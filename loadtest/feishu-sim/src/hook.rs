//! HTTP of the simulator: which path is what, and the webhooks' requests and answers.

use std::net::IpAddr;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use serde_json::{Value, json};

use crate::bot::HookRequest;
use crate::call;
use crate::control;
use crate::fault::Fault;
use crate::gateway::{self, API_PATH};
use crate::page;
use crate::state::{Reply, Shared};
use crate::wire::Misbehaviour;

/// What is read of a body at most; the platform's own limits are far below and answered in its own words.
const BODY_READ_LIMIT_BYTES: usize = 1 << 20;

/// The path of the webhooks, before the token.
pub(crate) const HOOK_PATH: &str = "/open-apis/bot/v2/hook/";

pub(crate) type Answer = Response<Full<Bytes>>;

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
        return reply(shared.take(&HookRequest { token: token.to_owned(), peer, is_json, body }));
    }
    if let Some(call) = path.strip_prefix(API_PATH).and_then(|path| call::of(&head.method, path)) {
        return gateway::answer(&head, call, body, shared);
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

pub(crate) fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.to_str().ok().and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
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

/// What a scripted fault looks like. Refusals come with different statuses at a webhook and at an API.
pub(crate) fn faulted(fault: Fault, refusal_status: StatusCode) -> Result<Answer, Misbehaviour> {
    match fault {
        Fault::Refusal { code, msg } => {
            Ok(json(refusal_status, &json!({"code": code, "msg": msg, "data": {}})))
        }
        Fault::TooManyRequests { reset_seconds } => {
            let body = json!({"code": 99_991_400, "msg": "request trigger frequency limit"});
            let mut answer = json(StatusCode::TOO_MANY_REQUESTS, &body);
            if let Some(seconds) = reset_seconds {
                answer.headers_mut().insert("x-ogw-ratelimit-reset", HeaderValue::from(seconds));
            }
            Ok(answer)
        }
        Fault::ServerError { status } => {
            let status = StatusCode::from_u16(status).ok().filter(StatusCode::is_server_error);
            Ok(plain(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), "<html>upstream error</html>"))
        }
        Fault::Reset | Fault::LostAnswer => Err(Misbehaviour::Reset),
        Fault::SlowHeaders => Err(Misbehaviour::SlowHeaders),
        Fault::EndlessBody => Err(Misbehaviour::EndlessBody),
        Fault::NeverAnswer => Err(Misbehaviour::NeverAnswer),
    }
}

pub(crate) fn json(status: StatusCode, body: &Value) -> Answer {
    typed(status, "application/json; charset=utf-8", body.to_string())
}

pub(crate) fn plain(status: StatusCode, text: &'static str) -> Answer {
    typed(status, "text/plain; charset=utf-8", text)
}

pub(crate) fn typed(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}
