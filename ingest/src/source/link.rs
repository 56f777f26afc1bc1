//! Links out of payloads: made absolute where that is possible, refused where following one could surprise. Pure.

use std::borrow::Cow;

/// How long a link may be, in bytes. Prometheus puts whole expressions into them; past this nobody can follow it.
const LINK_BYTES_MAX: usize = 8 * 1024;
/// A TCP port has this many digits at most.
const PORT_DIGITS_MAX: usize = 5;

/// The link in a form that can be followed, or an empty text. A relative one is resolved against `base`, which is
/// itself absolute or empty. Only http and https: a `javascript:` link must not reach a card.
pub(super) fn absolute<'a>(link: Cow<'a, str>, base: &str) -> Cow<'a, str> {
    let usable = link.len() <= LINK_BYTES_MAX && !holds_blanks(&link);
    if !usable || link.is_empty() {
        return Cow::Borrowed("");
    }
    if authority_at(&link).is_some() {
        return link;
    }
    if begins_with_host_and_port(&link) {
        // Grafana with a root_url that lacks its scheme writes `localhost:3000/…`.
        return Cow::Owned(format!("http://{link}"));
    }
    match (origin(base), link.as_bytes()) {
        (Some(origin), [b'/', rest @ ..]) if rest.first() != Some(&b'/') => {
            Cow::Owned(format!("{origin}{link}"))
        }
        (Some(_), [b'?', ..]) => Cow::Owned(format!("{}{link}", without_query(base))),
        _ => Cow::Borrowed(""),
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
        assert_eq!(absolute(format!("http://x/{}", "y".repeat(LINK_BYTES_MAX)).into(), base), "");
    }
}
