//! HTTP of the log-in: what browsers are sent to, and what servers ask afterwards. Refusals of the token come with HTTP 400,
//! those of the person's data with 200.

use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, LOCATION};
use hyper::http::request::Parts;
use hyper::{Method, StatusCode};
use serde_json::json;

use crate::platform::{Authorization, LoginRefusal};
use crate::request::{is_json, parameter};
use crate::response::{Answer, json, plain};
use crate::state::Shared;

/// Answers a call of the log-in; `None` if it is another's.
pub(crate) fn answer(head: &Parts, body: &[u8], shared: &Shared) -> Option<Answer> {
    let authorization = head.headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    Some(match (&head.method, head.uri.path()) {
        (&Method::GET, "/open-apis/authen/v1/authorize") => authorize(head.uri.query(), shared),
        (&Method::POST, "/open-apis/authen/v2/oauth/token") => {
            let is_json = head.headers.get(CONTENT_TYPE).is_some_and(is_json);
            let is_basic = authorization.is_some_and(|value| value.starts_with("Basic "));
            match shared.platform(|platform, now| platform.user_token(body, is_json, is_basic, now)) {
                Ok(body) => json(StatusCode::OK, &body),
                Err(refusal) => refused(&refusal),
            }
        }
        (&Method::GET, "/open-apis/authen/v1/user_info") => {
            let token = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
            let body = match shared.platform(|platform, now| platform.user_info(token, now)) {
                Ok(data) => json!({"code": 0, "msg": "success", "data": data}),
                Err(LoginRefusal { code, told }) => json!({"code": code, "msg": told}),
            };
            json(StatusCode::OK, &body)
        }
        _ => return None,
    })
}

/// Nobody is asked: whoever sits at the browser agrees, or refuses.
fn authorize(query: Option<&str>, shared: &Shared) -> Answer {
    let text = |name: &str| decoded(parameter(query, name).unwrap_or_default());
    let asked = Authorization {
        client_id: text("client_id"),
        response_type: text("response_type"),
        redirect_uri: text("redirect_uri"),
        state: text("state"),
        code_challenge: text("code_challenge"),
        code_challenge_method: text("code_challenge_method"),
    };
    match shared.platform(|platform, now| platform.authorize(asked, now)) {
        Ok(location) => {
            let mut answer = plain(StatusCode::FOUND, "");
            if let Ok(location) = HeaderValue::from_str(&location) {
                answer.headers_mut().insert(LOCATION, location);
            }
            answer
        }
        Err(refusal) => refused(&refusal),
    }
}

fn refused(LoginRefusal { code, told }: &LoginRefusal) -> Answer {
    let status = if *code == 20_050 { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::BAD_REQUEST };
    json(status, &json!({"code": code, "error": "invalid_request", "error_description": told}))
}

/// A value of a query as it was meant; what cannot be decoded stays as it is.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match (byte, digits.and_then(|digits| u8::from_str_radix(digits, 16).ok())) {
            (b'%', Some(value)) => {
                bytes.push(value);
                rest = &after[2..];
            }
            (b'+', _) => {
                bytes.push(b' ');
                rest = after;
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_decoded_as_browsers_write_it() {
        assert_eq!(decoded("http%3A%2F%2Fh%3A1%2Fa+b"), "http://h:1/a b");
        assert_eq!(decoded("100%"), "100%");
        assert_eq!(decoded("%e9%a3%9e"), "飞");
    }
}
