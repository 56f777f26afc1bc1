//! The names by which the admin port may be asked. A page of somebody else's in a browser here may have its own name lead to
//! us, and then read what we answer; so a name that somebody else could own is none of ours, unless the settings say it is.
//! Pure.

use std::net::IpAddr;

use hyper::header::HOST;
use hyper::http::request::Parts;

/// Ends of names that nobody outside can own (RFC 6761, RFC 6762, RFC 8375, and ICANN's `internal`); `svc` and
/// `cluster.local` are Kubernetes'.
const PRIVATE_ENDS: [&str; 8] =
    [".localhost", ".local", ".internal", ".home.arpa", ".svc", ".lan", ".test", ".localdomain"];

/// The names that the settings add.
#[derive(Clone, Debug, Default)]
pub struct AdminHosts(Vec<String>);

impl AdminHosts {
    /// These names, whatever the case of their letters.
    pub fn new(names: impl IntoIterator<Item = String>) -> Self {
        Self(names.into_iter().map(|name| name.to_ascii_lowercase()).collect())
    }

    /// Whether the request asks for one of ours: by an address, by a name nobody else can own, or by one that was set.
    /// A browser always names a host; what names none is no browser's.
    pub(super) fn admits(&self, head: &Parts) -> bool {
        let mut named = head.headers.get_all(HOST).iter();
        let header = named.next();
        if named.next().is_some() {
            return false;
        }
        let is_ours = |authority: &str| self.is_ours(authority);
        let in_header = header.is_none_or(|host| host.to_str().is_ok_and(is_ours));
        in_header && head.uri.authority().is_none_or(|authority| is_ours(authority.as_str()))
    }

    fn is_ours(&self, authority: &str) -> bool {
        let host = without_port(authority).trim_end_matches('.').to_ascii_lowercase();
        host.parse::<IpAddr>().is_ok()
            || !host.contains('.')
            || PRIVATE_ENDS.iter().any(|end| host.ends_with(end))
            || self.0.contains(&host)
    }
}

fn without_port(authority: &str) -> &str {
    if let Some(bracketed) = authority.strip_prefix('[') {
        return bracketed.split_once(']').map_or(bracketed, |(address, _)| address);
    }
    authority.split_once(':').map_or(authority, |(host, _)| host)
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn admits(hosts: &[&str], uri: &str) -> bool {
        let headers = hosts.iter().fold(Request::get(uri), |request, host| request.header(HOST, *host));
        let (head, ()) = headers.body(()).unwrap().into_parts();
        AdminHosts::new(["Alerts.Example.com".to_owned()]).admits(&head)
    }

    #[test]
    fn addresses_and_names_that_nobody_else_can_own_are_ours() {
        for host in [
            "127.0.0.1:9095",
            "10.2.3.4:9095",
            "[::1]:9095",
            "[fe80::1]",
            "localhost",
            "larkfire-worker:9095",
            "larkfire.monitoring.svc:9095",
            "larkfire.monitoring.svc.cluster.local:9095",
            "ip-10-0-0-1.ec2.internal",
            "alerts.example.COM:443",
            "alerts.example.com.",
        ] {
            assert!(admits(&[host], "/metrics"), "{host}");
        }
        assert!(admits(&[], "/healthz"), "HTTP/1.0 names none");
    }

    #[test]
    fn names_that_somebody_else_can_own_are_not() {
        for host in
            ["rebound.example:9095", "alerts.example.com.evil.example", "127.0.0.1.evil.example", "a b.c"]
        {
            assert!(!admits(&[host], "/metrics"), "{host}");
        }
        assert!(!admits(&["localhost", "localhost"], "/metrics"));
        assert!(!admits(&["localhost"], "http://rebound.example/metrics"));
    }
}
