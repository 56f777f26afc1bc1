//! Every answer of the console: what it carries, and the headers that keep a page what it is. Pure.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    IF_NONE_MATCH, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, VARY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};
use maud::Markup;
use runtime::telemetry::admin::PageAnswer;
use serde::Serialize;
use serde_json::json;

use crate::assets::hash;
use crate::language::{LANGUAGE_COOKIE, Language};
use crate::request::AnswerFormat;

/// Nothing but our own files, no inline script or style, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// When whoever is refused for want of room may come again, in seconds.
const AGAIN_AFTER_S: &str = "2";

/// A page for people.
pub(crate) fn html(status: StatusCode, markup: Markup) -> PageAnswer {
    with_body(status, "text/html; charset=utf-8", markup.into_string().into())
}

/// The same for programs.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> PageAnswer {
    match serde_json::to_vec_pretty(value) {
        Ok(mut text) => {
            text.push(b'\n');
            with_body(status, "application/json", text.into())
        }
        Err(error) => text(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

/// A file for spreadsheets.
pub(crate) fn csv(name: &str, text: String) -> PageAnswer {
    let mut answer = with_body(StatusCode::OK, "text/csv; charset=utf-8", text.into());
    let plain: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect();
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{plain}.csv\"")) {
        answer.headers_mut().insert(CONTENT_DISPOSITION, value);
    }
    answer
}

/// A sentence.
pub(crate) fn text(status: StatusCode, sentence: &str) -> PageAnswer {
    with_body(status, "text/plain; charset=utf-8", format!("{sentence}\n").into())
}

/// There is no room for another request at the moment.
pub(crate) fn busy(format: AnswerFormat) -> PageAnswer {
    let status = StatusCode::SERVICE_UNAVAILABLE;
    let why = "too many pages are being made at once";
    let mut answer = match format {
        AnswerFormat::Json => json(status, &json!({ "error": why, "code": "busy" })),
        AnswerFormat::Html | AnswerFormat::Csv => text(status, why),
    };
    answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static(AGAIN_AFTER_S));
    answer
}

/// Another page of ours, to be looked at instead.
pub(crate) fn see_other(path: &str) -> PageAnswer {
    let mut answer = with_body(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Bytes::new());
    if let Ok(value) = HeaderValue::from_str(path) {
        answer.headers_mut().insert(LOCATION, value);
    }
    answer
}

fn with_body(status: StatusCode, media_type: &'static str, body: Bytes) -> PageAnswer {
    let tag = HeaderValue::from_str(&format!("\"{:016x}\"", hash(&body)));
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    if status == StatusCode::OK
        && let Ok(tag) = tag
    {
        headers.insert(ETAG, tag);
    }
    answer
}

/// Puts on what every answer has, and leaves out a body that the browser has already.
pub(crate) fn finished(mut answer: PageAnswer, asked: &HeaderMap) -> PageAnswer {
    let is_known = answer
        .headers()
        .get(ETAG)
        .is_some_and(|tag| asked.get_all(IF_NONE_MATCH).iter().any(|known| known == tag));
    if is_known {
        *answer.status_mut() = StatusCode::NOT_MODIFIED;
        *answer.body_mut() = Full::default();
    }
    let fixed: [(HeaderName, &'static str); 5] = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if !answer.headers().contains_key(CACHE_CONTROL) {
        // Looked up again each time, and sent again only if it is another.
        answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
        answer.headers_mut().insert(VARY, HeaderValue::from_static("Cookie, Accept-Language"));
    }
    answer
}

/// Keeps the language that was chosen, for a year.
pub(crate) fn keep_language(answer: &mut PageAnswer, language: Language, prefix: &str) {
    let tag = language.tag();
    let path = if prefix.is_empty() { "/" } else { prefix };
    let cookie = format!("{LANGUAGE_COOKIE}={tag}; Path={path}; Max-Age=31536000; HttpOnly; SameSite=Lax");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        answer.headers_mut().append(SET_COOKIE, value);
    }
}
