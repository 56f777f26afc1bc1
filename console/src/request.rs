//! What is read out of a request: its path below the prefix, its query or form, the language and the format. Pure.

use hyper::HeaderMap;
use hyper::header::{ACCEPT_LANGUAGE, COOKIE};
use url::form_urlencoded;

use crate::language::{LANGUAGE_COOKIE, Language};

/// How an answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AnswerFormat {
    /// For people.
    Html,
    /// For programs.
    Json,
    /// For spreadsheets, where a page has one.
    Csv,
}

/// Names and values of a query or a form, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    pub(crate) fn read(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value of this name that is not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// All values of this name.
    pub(crate) fn all<'f>(&'f self, name: &str) -> impl Iterator<Item = &'f str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.trim())
    }

    /// The number of this name, if it is one.
    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.parse().ok()
    }

    /// The query with these values changed; an empty value leaves its name out.
    pub(crate) fn with(&self, changes: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::for_suffix(String::from("?"), 1);
        let is_changed = |name: &str| changes.iter().any(|(changed, _)| *changed == name);
        let kept = self.0.iter().filter(|(name, value)| !is_changed(name) && !value.is_empty());
        query.extend_pairs(kept);
        query.extend_pairs(changes.iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }
}

/// The language of whoever asks: as the address says, as they chose before, as their browser says.
pub(crate) fn language(query: &Fields, headers: &HeaderMap) -> Language {
    let chosen = || cookie(headers, LANGUAGE_COOKIE).and_then(Language::of_tag);
    let accepted = || {
        let header = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
        Language::accepted(header.unwrap_or_default())
    };
    let asked = query.get("lang").and_then(Language::of_tag);
    asked.or_else(chosen).unwrap_or_else(accepted)
}

/// The format that is asked for, in the address or by `Accept`.
pub(crate) fn format(query: &Fields) -> AnswerFormat {
    match query.get("format") {
        Some("json") => AnswerFormat::Json,
        Some("csv") => AnswerFormat::Csv,
        _ => AnswerFormat::Html,
    }
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let pairs = headers.get_all(COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|value| value.split(';')).find_map(|pair| {
        let (known, value) = pair.trim().split_once('=')?;
        (known == name).then_some(value)
    })
}

/// A path below the prefix, which is empty or begins with a slash and does not end with one. Slashes in a row are one: proxies
/// put them together so.
pub(crate) fn below<'p>(path: &'p str, prefix: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(prefix)?;
    match rest {
        "" => Some("/"),
        _ if !rest.starts_with('/') => None,
        _ => Some(&rest[rest.len() - rest.trim_start_matches('/').len() - 1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_below_its_prefix_or_not_there() {
        for (path, prefix, expected) in [
            ("/", "", Some("/")),
            ("/receivers", "", Some("/receivers")),
            ("//receivers", "", Some("/receivers")),
            ("/larkfire", "/larkfire", Some("/")),
            ("/larkfire/", "/larkfire", Some("/")),
            ("/larkfire//audit", "/larkfire", Some("/audit")),
            ("/larkfires", "/larkfire", None),
            ("/", "/larkfire", None),
        ] {
            assert_eq!(below(path, prefix), expected, "{path} {prefix}");
        }
    }

    #[test]
    fn a_query_is_changed_name_by_name() {
        let query = Fields::read(b"q=a%3D%22b%26c%22&page=2&empty=");
        assert_eq!(query.get("q"), Some("a=\"b&c\""));
        assert_eq!(query.with(&[("page", "3")]), "?q=a%3D%22b%26c%22&page=3");
        assert_eq!(query.with(&[("page", ""), ("q", "")]), "?");
    }
}
