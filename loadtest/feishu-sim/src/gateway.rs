//! HTTP of the apps' API. Refusals come with HTTP 400, unlike a webhook's, and the gateway's limit with 429.

use hyper::StatusCode;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::http::request::Parts;
use serde_json::json;

use crate::call::Call;
use crate::platform::{ApiReply, ApiRequest, Stop};
use crate::refusal::Refusal;
use crate::request::{boundary, is_json, parameter};
use crate::response::{Answer, faulted, json};
use crate::state::Shared;
use crate::wire::Misbehaviour;

/// The path of all APIs.
pub(crate) const API_PATH: &str = "/open-apis/";

/// Answers a call, or says how to misbehave instead.
pub(crate) async fn answer(
    head: &Parts,
    call: Call,
    subject: Option<&str>,
    body: bytes::Bytes,
    shared: &Shared,
) -> Result<Answer, Misbehaviour> {
    let query = head.uri.query();
    let id_type = parameter(query, "receive_id_type").or_else(|| parameter(query, "user_id_type"));
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let request = ApiRequest {
        call,
        subject: subject.map(str::to_owned),
        id_type: id_type.map(str::to_owned),
        query: query.map(str::to_owned),
        authorization: authorization.map(str::to_owned),
        is_json: head.headers.get(CONTENT_TYPE).is_some_and(is_json),
        boundary: head.headers.get(CONTENT_TYPE).and_then(boundary),
        body,
    };
    let (reply, delay) = shared.call(&request);
    tokio::time::sleep(delay).await;
    match reply {
        ApiReply::Given(body) => Ok(json(StatusCode::OK, &body)),
        ApiReply::Refused(stop) => Ok(refused(&stop)),
        ApiReply::Fault(fault) => faulted(fault, StatusCode::BAD_REQUEST),
    }
}

fn refused(stop: &Stop) -> Answer {
    let (Refusal { code, msg }, status) = match stop {
        Stop::Refused(_) => (stop.refusal(), StatusCode::BAD_REQUEST),
        Stop::TooOften { .. } => (stop.refusal(), StatusCode::TOO_MANY_REQUESTS),
    };
    // What the platform's support asks for; the number is the same for every refusal of a kind.
    let log_id = format!("sim{code:029}");
    let body = json!({"code": code, "msg": msg, "error": {"log_id": log_id}});
    let mut answer = json(status, &body);
    if let Ok(log_id) = HeaderValue::from_str(&log_id) {
        answer.headers_mut().insert("x-tt-logid", log_id);
    }
    if let Stop::TooOften { reset_seconds } = stop {
        answer.headers_mut().insert("x-ogw-ratelimit-reset", HeaderValue::from(*reset_seconds));
    }
    answer
}
