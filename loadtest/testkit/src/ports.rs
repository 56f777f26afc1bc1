//! Free ports, for programs that cannot be given port 0.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use uuid::Uuid;

/// Where ports are taken from: below those the kernel gives to outgoing connections (32768 and up), of which tests
/// open thousands; one of them would take a port between our look at it and its use.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;
/// Ports looked at before giving up; hardly any is in use.
const LOOKS_MAX: usize = 100;

/// A loopback address that was free a moment ago. Another program may take it meanwhile, which is rare: ports are
/// drawn by lot.
pub fn free_address() -> SocketAddr {
    let drawn = std::iter::repeat_with(drawn_address).take(LOOKS_MAX);
    let free = |address: &SocketAddr| TcpListener::bind(address).is_ok();
    drawn.into_iter().find(free).expect("a free loopback port")
}

fn drawn_address() -> SocketAddr {
    // The last bits of a version 7 UUID are random.
    let lot = u16::try_from(Uuid::now_v7().as_u128() % u128::from(COUNT)).expect("less than the count");
    (Ipv4Addr::LOCALHOST, FIRST + lot).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_address_can_be_listened_on() {
        let address = free_address();
        assert!(address.ip().is_loopback());
        assert!((FIRST..FIRST + COUNT).contains(&address.port()), "{address}");
        TcpListener::bind(address).unwrap();
    }
}
