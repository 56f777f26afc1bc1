//! Ranges of IP addresses, as operators write them.

use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

/// The prefix of `::ffff:0:0/96`, under which IPv6 sockets show IPv4 addresses.
const MAPPED_PREFIX_BITS: u8 = 96;

/// A range (`10.0.0.0/8`, `fd00::/8`) or a single address. IPv4 written as IPv6 is IPv4, on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network(IpNet);

impl Network {
    /// Whether the address lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let net = match text.split_once('/') {
            None => text.parse::<IpAddr>().map(IpNet::from).map_err(|_| ())?,
            Some(_) => text.parse::<IpNet>().map_err(|_| ())?,
        };
        // `10.0.0.5/8` means either one address or sixteen million; we do not guess which.
        (net.addr() == net.network()).then(|| Self(canonical(net))).ok_or(())
    }
}

fn canonical(net: IpNet) -> IpNet {
    let mapped = |address: &Ipv6Addr| address.to_ipv4_mapped();
    let short = net.prefix_len().checked_sub(MAPPED_PREFIX_BITS);
    match (net, short) {
        (IpNet::V6(v6), Some(bits)) => {
            mapped(&v6.addr()).and_then(|address| Ipv4Net::new(address, bits).ok()).map_or(net, IpNet::V4)
        }
        (IpNet::V4(_) | IpNet::V6(_), _) => net,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_holds_its_addresses_in_either_notation() {
        let table = [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "::ffff:10.1.2.3", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("::ffff:10.0.0.0/104", "10.1.2.3", true),
            ("::ffff:10.0.0.0/104", "11.1.2.3", false),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("::ffff:192.0.2.7", "192.0.2.7", true),
            ("2001:db8::/32", "2001:db8:1::1", true),
            ("2001:db8::/32", "2001:db9::1", false),
            ("::1", "::1", true),
            ("::1", "127.0.0.1", false),
            ("0.0.0.0/0", "203.0.113.9", true),
            ("0.0.0.0/0", "2001:db8::1", false),
            ("::/0", "2001:db8::1", true),
        ];
        for (range, address, inside) in table {
            let network: Network = range.parse().unwrap();
            assert_eq!(network.contains(address.parse().unwrap()), inside, "{address} in {range}");
        }
    }

    #[test]
    fn what_is_no_range_is_refused() {
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0/8",
            "10.0.0.5/8",
            "::/129",
            "localhost",
            "10.0.0.1-9",
            "::ffff:10.0.0.5/104",
        ] {
            assert_eq!(text.parse::<Network>(), Err(()), "{text}");
        }
    }
}
