//! Where a request comes from, for slowing: behind proxies of ours it is what they say. Pure.

use std::net::IpAddr;

use hyper::HeaderMap;

use super::trusted::PeerRule;

/// The address in front of the last proxy of ours: from the right, because whatever stands on the left the client may have
/// written itself.
pub(crate) fn client(peer: IpAddr, headers: &HeaderMap, is_proxy: &PeerRule) -> IpAddr {
    let lines: Vec<&str> =
        headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok()).collect();
    let mut hops = lines.iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim);
    let mut client = peer;
    while is_proxy(client) {
        match hops.next().and_then(|hop| hop.parse().ok()) {
            Some(before) => client = before,
            None => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn only_proxies_of_ours_are_believed() {
        let is_proxy: PeerRule = Arc::new(|address| address.to_string().starts_with("10."));
        let of = |peer: &str, lines: &[&str]| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append("x-forwarded-for", line.parse().unwrap());
            }
            client(peer.parse().unwrap(), &headers, &is_proxy).to_string()
        };
        assert_eq!(of("192.0.2.1", &["1.1.1.1"]), "192.0.2.1");
        assert_eq!(of("10.0.0.1", &["1.1.1.1, 192.0.2.9, 10.0.0.2"]), "192.0.2.9");
        assert_eq!(of("10.0.0.1", &["1.1.1.1", "192.0.2.9"]), "192.0.2.9");
        assert_eq!(of("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(of("10.0.0.1", &[]), "10.0.0.1");
    }
}
