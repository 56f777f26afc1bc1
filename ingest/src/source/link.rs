//! Links out of payloads: made absolute where that is possible, refused where following one could surprise. Pure.

use std::borrow::Cow;

use thiserror::Error;

/// How long a link may be, in bytes. Prometheus puts whole expressions into them; past this nobody can follow it.
const LINK_BYTES_MAX: usize = 8 * 1024;
/// A TCP port has this many digits at most.
const PORT_DIGITS_MAX: usize = 5;

/// Why nothing is kept of a link. Says nothing of the link itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LinkProblem {
    /// Nobody can follow it.
    #[error("it is longer than {LINK_BYTES_MAX} bytes")]
    TooLong,
    /// It would end in the middle.
    #[error("there is a blank or a control character in it")]
    Blank,
    /// It begins with no scheme, and there is nothing it could be relative to.
    #[error("it is no whole address")]
    NotWhole,
    /// It must not reach a card.
    #[error("it is neither http nor https")]
    NoWebPage,
}

/// Why nothing would be kept of this link; `None` if it would be, or is empty. See `absolute`.
pub fn not_kept(link: &str, base: &str) -> Option<LinkProblem> {
    followable(Cow::Borrowed(link), base).err()
}

/// The link in a form that can be followed, or an empty text. A relative one is resolved against `base`, which is
/// itself absolute or empty. Only http and https: a `javascript:` link must not reach a card.
pub(super) fn absolute<'a>(link: Cow<'a, str>, base: &str) -> Cow<'a, str> {
    followable(link, base).unwrap_or(Cow::Borrowed(""))
}

fn followable<'a>(link: Cow<'a, str>, base: &str) -> Result<Cow<'a, str>, LinkProblem> {
    if link.len() > LINK_BYTES_MAX {
        return Err(LinkProblem::TooLong);
    }
    if holds_blanks(&link) {
        return Err(LinkProblem::Blank);
    }
    if link.is_empty() || authority_at(&link).is_some() {
        return Ok(link);
    }
    if begins_with_host_and_port(&link) {
        // Grafana with a root_url that lacks its scheme writes `localhost:3000/…`.
        return Ok(Cow::Owned(format!("http://{link}")));
    }
    match (origin(base), link.as_bytes()) {
        (Some(origin), [b'/', rest @ ..]) if rest.first() != Some(&b'/') => {
            Ok(Cow::Owned(format!("{origin}{link}")))
        }
        (Some(_), [b'?', ..]) => Ok(Cow::Owned(format!("{}{link}", without_query(base)))),
        _ if link.contains(':') => Err(LinkProblem::NoWebPage),
        _ => Err(LinkProblem::NotWhole),
    }
}

fn holds_blanks(link: &str) -> bool {
    // Nearly every link is ASCII, and of that bytes are enough.
    if link.is_ascii() {
        link.bytes().any(|byte| byte == b' ' || byte.is_ascii_control())
    } else {
        link.contains(|character: char| character == ' ' || character.is_control())
    }
}

/// Where the host begins in an http or https link.
fn authority_at(link: &str) -> Option<usize> {
    let prefixes = ["http://", "https://"];
    let prefix = prefixes
        .iter()
        .find(|prefix| link.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix)))?;
    (link.len() > prefix.len()).then_some(prefix.len())
}

/// Scheme, host and port of an absolute link.
pub(super) fn origin(base: &str) -> Option<&str> {
    let host_at = authority_at(base)?;
    let host = base.get(host_at..)?;
    let end = host.find(['/', '?', '#']).unwrap_or(host.len());
    base.get(..host_at + end)
}

fn without_query(base: &str) -> &str {
    base.split(['?', '#']).next().unwrap_or(base)
}

fn begins_with_host_and_port(link: &str) -> bool {
    let Some((host, rest)) = link.split_once(':') else { return false };
    let port = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'-';
    !host.is_empty()
        && host.bytes().all(name)
        && (1..=PORT_DIGITS_MAX).contains(&port.len())
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_made_absolute_or_refused() {
        let base = "https://grafana.example.com/sub/";
        let cases = [
            ("http://prometheus:9090/graph?g0.expr=up", "http://prometheus:9090/graph?g0.expr=up"),
            ("HTTPS://x", "HTTPS://x"),
            ("/d/abc?viewPanel=1", "https://grafana.example.com/d/abc?viewPanel=1"),
            ("?orgId=1", "https://grafana.example.com/sub/?orgId=1"),
            ("localhost:3000/alerting/grafana/x/view", "http://localhost:3000/alerting/grafana/x/view"),
            ("", ""),
            ("javascript:alert(1)", ""),
            ("data:1,x", ""),
            ("//elsewhere.example.com/x", ""),
            ("http://", ""),
            ("file:///etc/passwd", ""),
            ("http://a b", ""),
            ("graph", ""),
        ];
        for (link, expected) in cases {
            assert_eq!(absolute(link.into(), base), expected, "{link}");
        }
        assert_eq!(absolute("/d/abc".into(), ""), "", "nothing to resolve against");
        assert_eq!(not_kept("/d/abc", ""), Some(LinkProblem::NotWhole));
        assert_eq!(not_kept("javascript:alert(1)", base), Some(LinkProblem::NoWebPage));
        assert_eq!(not_kept("http://a b", base), Some(LinkProblem::Blank));
        assert_eq!((not_kept("", ""), not_kept("/d/abc", base)), (None, None));
        assert_eq!(absolute(format!("http://x/{}", "y".repeat(LINK_BYTES_MAX)).into(), base), "");
    }
}
