//! What is read of an HTTP request's head.

use hyper::header::HeaderValue;

/// The value of a parameter of the query, as it was sent.
pub(crate) fn parameter<'a>(query: Option<&'a str>, name: &str) -> Option<&'a str> {
    query?
        .split('&')
        .find_map(|pair| pair.split_once('=').filter(|(key, _)| *key == name))
        .map(|(_, value)| value)
}

/// What the parts of a form are set apart by, if a content type says that it is one.
pub(crate) fn boundary(content_type: &HeaderValue) -> Option<String> {
    let (essence, parameters) = content_type.to_str().ok()?.split_once(';')?;
    let is_form = essence.trim().eq_ignore_ascii_case("multipart/form-data");
    let boundary = parameters.trim().strip_prefix("boundary=")?.trim_matches('"');
    (is_form && !boundary.is_empty()).then(|| boundary.to_owned())
}

/// Whether a content type says JSON, whatever its parameters are.
pub(crate) fn is_json(content_type: &HeaderValue) -> bool {
    let essence = content_type.to_str().ok().and_then(|value| value.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}
