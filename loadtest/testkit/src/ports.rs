//! Free ports, for programs that cannot be given port 0.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

/// A loopback address that was free a moment ago. Another program may take it meanwhile, which is rare: the
/// kernel hands out ephemeral ports in turn.
pub fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free loopback port");
    listener.local_addr().expect("the address of a listener")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_address_can_be_listened_on() {
        let address = free_address();
        assert!(address.ip().is_loopback());
        TcpListener::bind(address).unwrap();
    }
}
