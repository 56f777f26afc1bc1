//! Who a request is from: the first address, seen from here, that is not one of our own proxies'. Pure.

use std::net::IpAddr;

use config::Network;
use hyper::HeaderMap;

use super::forwarded::{Said, forwarded, x_forwarded_for};

/// Where a request comes from, as far as that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The client; or the last hop that could be told, if the client could not.
    pub address: IpAddr,
    /// Whether it is the client.
    pub known: bool,
}

impl Origin {
    /// A client that is known.
    pub fn known(address: IpAddr) -> Self {
        Self { address: address.to_canonical(), known: true }
    }

    /// Somebody behind `hop`.
    pub fn behind(hop: IpAddr) -> Self {
        Self { address: hop.to_canonical(), known: false }
    }
}

pub(super) fn is_within(address: IpAddr, networks: &[Network]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// Who is behind `hop`. Each proxy we trust is believed about the hop before it, and nobody else: what a stranger
/// wrote further left is never looked at. Where a proxy says something unreadable, or the two headers name
/// different clients (one of them was then passed on from a stranger), the client is unknown.
pub(super) fn origin(hop: Origin, headers: &HeaderMap, proxies: &[Network]) -> Origin {
    if !hop.known || !is_within(hop.address, proxies) {
        return hop;
    }
    let older = x_forwarded_for(headers).map(|said| walk(hop, said, proxies));
    let newer = forwarded(headers).map(|said| walk(hop, said, proxies));
    match (older, newer) {
        (Some(older), Some(newer)) if older != newer => Origin::behind(hop.address),
        (Some(origin), _) | (None, Some(origin)) => origin,
        // The proxy speaks for itself: a health check, say.
        (None, None) => hop,
    }
}

fn walk(hop: Origin, said: impl Iterator<Item = Said>, proxies: &[Network]) -> Origin {
    let mut origin = hop;
    for before in said {
        if !is_within(origin.address, proxies) {
            break;
        }
        match before {
            Some(address) => origin = Origin::known(address),
            None => return Origin::behind(origin.address),
        }
    }
    origin
}

#[cfg(test)]
mod tests;
