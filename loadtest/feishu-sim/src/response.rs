//! HTTP answers: JSON, text, and what a scripted fault makes of one.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::wire::Misbehaviour;

pub(crate) type Answer = Response<Full<Bytes>>;

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
        Fault::OtherAnswer { status, headers, body, .. } => Ok(other(status, headers, body)),
        Fault::Reset | Fault::LostAnswer => Err(Misbehaviour::Reset),
        Fault::SlowHeaders => Err(Misbehaviour::SlowHeaders),
        Fault::EndlessBody => Err(Misbehaviour::EndlessBody),
        // Of a slow answer the right one is kept back: this is for who asks for one of its own.
        Fault::NeverAnswer | Fault::SlowAnswer { .. } => Err(Misbehaviour::NeverAnswer),
    }
}

fn other(status: u16, headers: Vec<(String, String)>, body: String) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            answer.headers_mut().append(name, value);
        }
    }
    answer
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
