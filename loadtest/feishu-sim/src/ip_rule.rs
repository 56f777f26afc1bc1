//! One entry of a bot's IP allowlist, in the three forms the platform's settings page takes.

use std::net::IpAddr;
use std::str::FromStr;

use ipnet::{IpNet, Ipv4Net};

/// A single address, `a.b.c.*`, or a CIDR such as `123.1.1.1/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IpRule(IpNet);

/// An entry in none of the three forms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an IPv4 address, `a.b.c.*` or a CIDR")]
pub struct IpRuleError(String);

impl IpRule {
    pub(crate) fn admits(self, peer: IpAddr) -> bool {
        self.0.contains(&peer)
    }
}

impl FromStr for IpRule {
    type Err = IpRuleError;

    fn from_str(entry: &str) -> Result<Self, Self::Err> {
        // The platform knows no IPv6 here, so neither form parses one.
        let net: Result<Ipv4Net, _> = match entry.strip_suffix(".*") {
            Some(network) => format!("{network}.0/24").parse(),
            None if entry.contains('/') => entry.parse(),
            None => format!("{entry}/32").parse(),
        };
        net.map(|net| Self(IpNet::V4(net))).map_err(|_| IpRuleError(entry.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admits(rule: &str, peer: &str) -> bool {
        rule.parse::<IpRule>().unwrap().admits(peer.parse().unwrap())
    }

    #[test]
    fn a_single_address_admits_only_itself() {
        assert!(admits("127.0.0.1", "127.0.0.1"));
        assert!(!admits("127.0.0.1", "127.0.0.2"));
    }

    #[test]
    fn a_star_admits_the_last_number_only() {
        assert!(admits("123.12.1.*", "123.12.1.255"));
        assert!(!admits("123.12.1.*", "123.12.2.1"));
    }

    #[test]
    fn a_cidr_may_name_a_host_of_its_network() {
        assert!(admits("123.1.1.1/24", "123.1.1.200"));
        assert!(!admits("123.1.1.1/24", "123.1.2.1"));
    }

    #[test]
    fn other_forms_are_no_rules() {
        for entry in ["", "::1", "1.2.*", "1.2.3.4.*", "1.2.3.4/33", "host"] {
            assert!(entry.parse::<IpRule>().is_err(), "{entry}");
        }
    }
}
