//! Addresses that mean something only inside, and what people reach instead: by what they begin with, or by a pattern.

use regex::{Captures, Regex, RegexBuilder};
use url::Url;

use super::page;
use crate::kinds::Must;

/// Rules in all: each may be asked about each link of a card.
pub(super) const REWRITES_MAX: usize = 100;
/// What a compiled pattern may take, in bytes.
const PATTERN_BYTES_MAX: usize = 1024 * 1024;
/// What a rule by pattern begins with, as in nginx.
const PATTERN_MARK: char = '~';
/// What begins a placeholder; `}` ends it. `${` stands for a variable of the environment.
const OPEN: &str = "%{";
const ADDRESS: &str = "an address to show instead that begins with http:// or https://";

/// An address that stands for others.
#[derive(Clone, Debug)]
pub enum Rewrite {
    /// It takes the place of what an address begins with.
    Beginning {
        /// Scheme, host and port, and what the path begins with.
        from: Url,
        /// What stands in its place.
        to: Url,
    },
    /// It takes the place of a whole address.
    Pattern(RewritePattern),
}

/// A pattern for whole addresses, and what is shown in place of one that it matches.
#[derive(Clone, Debug)]
pub struct RewritePattern {
    pattern: Regex,
    pieces: Vec<ReplacementPiece>,
}

/// A part of what is shown instead.
#[derive(Clone, Debug)]
enum ReplacementPiece {
    /// Written as it is.
    Text(String),
    /// What a group of the pattern matched.
    Group {
        index: usize,
        /// Whether it is a part of the host: what an alert says decides nothing but a name there.
        is_in_host: bool,
    },
}

impl RewritePattern {
    /// What is shown in place of this address; nothing if the pattern does not match all of it, or would put something
    /// into the host that is no part of a name.
    pub fn applied(&self, address: &str) -> Option<String> {
        let found = self.pattern.captures(address)?;
        let mut shown = String::with_capacity(address.len());
        for piece in &self.pieces {
            match piece {
                ReplacementPiece::Text(text) => shown.push_str(text),
                ReplacementPiece::Group { index, is_in_host } => {
                    let text = group(&found, *index);
                    if *is_in_host && !text.bytes().all(is_of_name) {
                        return None;
                    }
                    shown.push_str(text);
                }
            }
        }
        Some(shown)
    }
}

/// A group that took no part in the match is empty.
fn group<'a>(found: &Captures<'a>, index: usize) -> &'a str {
    found.get(index).map_or("", |text| text.as_str())
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.')
}

/// A rule of the file: the address or the pattern it is for, and what is shown instead.
pub(super) fn rule(from: &str, to: &str) -> Result<Rewrite, Must> {
    match from.strip_prefix(PATTERN_MARK) {
        Some(pattern) => by_pattern(pattern.trim(), to).map(Rewrite::Pattern),
        None => Ok(Rewrite::Beginning { from: page(from)?, to: page(to)? }),
    }
}

fn by_pattern(pattern: &str, to: &str) -> Result<RewritePattern, Must> {
    let whole = RegexBuilder::new(&format!("^(?:{pattern})$")).size_limit(PATTERN_BYTES_MAX).build();
    let pattern = whole.map_err(|cause| format!("~ and a regular expression: {}", short(&cause)))?;
    if !["http://", "https://"].iter().any(|scheme| to.starts_with(scheme)) {
        return Err(ADDRESS.to_owned());
    }
    let mut pieces = Vec::new();
    let mut rest = to;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let Some((name, behind)) = after.split_once('}') else {
            return Err("an address in which each %{ has its }".to_owned());
        };
        let written = &to[..to.len() - rest.len() + before.len()];
        let is_in_host = !written.split_once("://").is_some_and(|(_, host)| host.contains(['/', '?', '#']));
        pieces.push(ReplacementPiece::Text(before.to_owned()));
        pieces.push(ReplacementPiece::Group { index: index_of(&pattern, name)?, is_in_host });
        rest = behind;
    }
    pieces.push(ReplacementPiece::Text(rest.to_owned()));
    Ok(RewritePattern { pattern, pieces })
}

/// Which group a placeholder stands for: `%{1}`, or `%{pod}` for `(?P<pod>…)`.
fn index_of(pattern: &Regex, name: &str) -> Result<usize, Must> {
    let named = pattern.capture_names().position(|known| known == Some(name));
    let numbered = name.parse().ok().filter(|index| *index < pattern.captures_len());
    let groups = pattern.captures_len() - 1;
    named
        .or(numbered)
        .ok_or_else(|| format!("an address whose %{{{name}}} is a group of the pattern, which has {groups}"))
}

/// What is wrong, without the drawing above it.
fn short(cause: &regex::Error) -> String {
    let said = cause.to_string();
    let last = said.lines().next_back().unwrap_or_default();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(pattern: &str, to: &str, address: &str) -> Option<String> {
        by_pattern(pattern, to).unwrap().applied(address)
    }

    #[test]
    fn a_pattern_stands_for_the_whole_address_and_its_groups_can_be_shown() {
        let shown = applied(
            r"http://prom-(\w+)\.svc:9090/(.*)",
            "https://%{1}.example/%{2}",
            "http://prom-a.svc:9090/graph?x=1",
        );
        assert_eq!(shown.as_deref(), Some("https://a.example/graph?x=1"));
        let named = applied("http://(?P<pod>[^/]+)/(.*)", "https://g.example/%{pod}/%{2}", "http://p-1/a");
        assert_eq!(named.as_deref(), Some("https://g.example/p-1/a"));
        assert_eq!(
            applied("http://p/", "https://x.example/", "http://p/a"),
            None,
            "a part of it is not enough"
        );
        let absent = applied("http://p/(a)?(b)?", "https://x.example/%{1}%{2}", "http://p/b");
        assert_eq!(absent.as_deref(), Some("https://x.example/b"));
    }

    #[test]
    fn an_alert_does_not_choose_the_host_it_leads_to() {
        let rule = |address| applied("http://(.*):9090/", "https://%{1}.example/", address);
        assert_eq!(rule("http://p-1:9090/").as_deref(), Some("https://p-1.example/"));
        for address in ["http://evil.example/?:9090/", "http://evil.example#:9090/", "http://a@b:9090/"] {
            assert_eq!(rule(address), None, "{address}");
        }
    }

    #[test]
    fn what_a_rule_by_pattern_must_be_is_said() {
        for (from, to, must) in [
            ("~http://(", "https://x", "~ and a regular expression: unclosed group"),
            ("~http://a/(.*)", "x.example/%{1}", ADDRESS),
            (
                "~http://a/(.*)",
                "https://x/%{2}",
                "an address whose %{2} is a group of the pattern, which has 1",
            ),
            ("~http://a/(.*)", "https://x/%{1", "an address in which each %{ has its }"),
        ] {
            assert_eq!(rule(from, to).unwrap_err(), must);
        }
    }
}
