//! `X-Forwarded-For` and `Forwarded` (RFC 7239): the addresses they name, the nearest hop first. Pure.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hyper::header::{FORWARDED, HeaderMap, HeaderName, HeaderValue};

/// The older header; proxies append to it.
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// What one hop says about the hop before it; `None` is something that is no address.
pub(super) type Said = Option<IpAddr>;

/// The chain of `X-Forwarded-For`, if there is one. Several lines are one chain, in their order.
pub(super) fn x_forwarded_for(headers: &HeaderMap) -> Option<impl Iterator<Item = Said> + '_> {
    let element = |element| address(std::str::from_utf8(element).ok()?);
    let lines = headers.get_all(X_FORWARDED_FOR).iter().rev();
    let said = lines.flat_map(move |line| line.as_bytes().rsplit(|byte| *byte == b',').map(element));
    headers.contains_key(X_FORWARDED_FOR).then_some(said)
}

/// The chain of `Forwarded`, if there is one.
pub(super) fn forwarded(headers: &HeaderMap) -> Option<impl Iterator<Item = Said> + '_> {
    let said = headers.get_all(FORWARDED).iter().rev().flat_map(forwarded_line);
    headers.contains_key(FORWARDED).then_some(said)
}

/// A line whose quotes do not match is one element nobody can read: its beginning, which anybody may have written,
/// could otherwise swallow what the proxy added.
fn forwarded_line(line: &HeaderValue) -> impl Iterator<Item = Said> + use<> {
    let elements = line.to_str().ok().and_then(|line| split_outside_quotes(line, ','));
    let said: Vec<Said> = elements.map_or_else(|| vec![None], |all| all.into_iter().map(element).collect());
    said.into_iter().rev()
}

fn element(element: &str) -> Said {
    let pairs = split_outside_quotes(element, ';')?;
    let mut nodes = pairs.into_iter().filter_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(value.trim())
    });
    let (node, None) = (nodes.next()?, nodes.next()) else { return None };
    match node.strip_prefix('"') {
        None => address(node),
        // An address has nothing to escape.
        Some(quoted) => address(quoted.strip_suffix('"').filter(|inner| !inner.contains(['"', '\\']))?),
    }
}

/// `None` if a quote is left open.
fn split_outside_quotes(text: &str, separator: char) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    let mut begin = 0;
    let mut quoted = false;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if c == separator && !quoted => {
                parts.push(&text[begin..at]);
                begin = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[begin..]);
    (!quoted).then_some(parts)
}

/// `192.0.2.1`, `2001:db8::1`, `[2001:db8::1]`, and each with a port, as some proxies write it.
fn address(text: &str) -> Said {
    let text = text.trim_matches([' ', '\t']);
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let plain = text.parse::<IpAddr>().ok();
    plain.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())).or_else(bracketed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(lines: &[&str]) -> Vec<String> {
        let headers: HeaderMap =
            lines.iter().map(|line| (FORWARDED, HeaderValue::from_str(line).unwrap())).collect();
        let said = forwarded(&headers).into_iter().flatten();
        said.map(|said| said.map_or_else(|| "?".to_owned(), |address| address.to_string())).collect()
    }

    #[test]
    fn forwarded_names_addresses_in_every_notation_of_its_rfc() {
        let table: [(&[&str], &[&str]); 12] = [
            (&[], &[]),
            (&["for=192.0.2.43"], &["192.0.2.43"]),
            (&["For=\"[2001:db8:cafe::17]:4711\""], &["2001:db8:cafe::17"]),
            (&["for=192.0.2.60;proto=http;by=203.0.113.43"], &["192.0.2.60"]),
            (&["for=192.0.2.43, for=198.51.100.17"], &["198.51.100.17", "192.0.2.43"]),
            (&["for=192.0.2.43", "for=198.51.100.17"], &["198.51.100.17", "192.0.2.43"]),
            (&["for=\"192.0.2.43:80\";host=\"a, for=1.1.1.1\""], &["192.0.2.43"]),
            (&["for=unknown, for=_hidden, for=\"_x:1\""], &["?", "?", "?"]),
            (&["proto=https"], &["?"]),
            (&["for=192.0.2.1;for=192.0.2.2"], &["?"]),
            (&[""], &["?"]),
            (&["for=\"10.0.0.1, for=192.0.2.1"], &["?"]),
        ];
        for (lines, said) in table {
            assert_eq!(chain(lines), said, "{lines:?}");
        }
    }

    #[test]
    fn an_open_quote_does_not_hide_what_a_proxy_added() {
        for begun in ["for=10.0.0.1;x=\"", "for=\"a\\", "for=\"10.0.0.1", "for=10.0.0.1, \""] {
            for added in ["for=192.0.2.1", "for=\"[2001:db8::1]\"", "for=\"192.0.2.1:80\";by=\"_a\""] {
                assert_eq!(chain(&[&format!("{begun}, {added}")]), ["?"], "{begun}, {added}");
            }
        }
    }
}
