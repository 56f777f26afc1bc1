//! The PROXY protocol, versions 1 and 2 (haproxy.org, `proxy-protocol.txt`): how a proxy that does not speak HTTP
//! says whose connection it passes on. It comes before anything else, and only from proxies we trust.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::gate::Origin;

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// The longest line of version 1, with its end.
const LINE_BYTES_MAX: usize = 107;
/// Addresses and additions of version 2. Those of load balancers are a few hundred bytes.
const PART_BYTES_MAX: usize = 4096;

/// Why a connection is not served.
#[derive(Debug, Error)]
pub(crate) enum ProxyHeaderError {
    #[error("its PROXY protocol header is missing or wrong")]
    Malformed,
    #[error("its PROXY protocol header did not come: {0}")]
    Io(#[from] io::Error),
}

use ProxyHeaderError::Malformed;

/// Reads the header and not a byte more. `peer` is the proxy.
pub(crate) async fn read(
    stream: &mut (impl AsyncRead + Unpin),
    peer: IpAddr,
) -> Result<Origin, ProxyHeaderError> {
    // No header of either version is shorter than this.
    let mut begin = [0; SIGNATURE.len()];
    stream.read_exact(&mut begin).await?;
    if begin != SIGNATURE {
        return read_line(stream, begin.to_vec(), peer).await;
    }
    let mut frame = [0; 4];
    stream.read_exact(&mut frame).await?;
    let [command, family, high, low] = frame;
    let length = usize::from(u16::from_be_bytes([high, low]));
    if length > PART_BYTES_MAX {
        return Err(Malformed);
    }
    let mut part = vec![0; length];
    stream.read_exact(&mut part).await?;
    binary(command, family, &part, peer).ok_or(Malformed)
}

async fn read_line(
    stream: &mut (impl AsyncRead + Unpin),
    mut line: Vec<u8>,
    peer: IpAddr,
) -> Result<Origin, ProxyHeaderError> {
    // Byte by byte, once a connection: what follows the line is HTTP's.
    while !line.ends_with(b"\r\n") {
        if line.len() >= LINE_BYTES_MAX || !line.starts_with(b"PROXY ") {
            return Err(Malformed);
        }
        line.push(stream.read_u8().await?);
    }
    std::str::from_utf8(&line).ok().and_then(|line| text(line.strip_suffix("\r\n")?, peer)).ok_or(Malformed)
}

/// Version 1: `PROXY TCP4 source destination port port`.
fn text(line: &str, peer: IpAddr) -> Option<Origin> {
    let fields: Vec<&str> = line.strip_prefix("PROXY ")?.split(' ').collect();
    let ports = |ports: [&str; 2]| ports.iter().all(|port| port.parse::<u16>().is_ok());
    match fields[..] {
        ["UNKNOWN", ..] => Some(Origin::behind(peer)),
        ["TCP4", source, destination, from, to] if ports([from, to]) => {
            destination.parse::<Ipv4Addr>().ok()?;
            Some(Origin::known(source.parse::<Ipv4Addr>().ok()?.into()))
        }
        ["TCP6", source, destination, from, to] if ports([from, to]) => {
            destination.parse::<Ipv6Addr>().ok()?;
            Some(Origin::known(source.parse::<Ipv6Addr>().ok()?.into()))
        }
        _ => None,
    }
}

/// Version 2: version and command, family and transport, then addresses and additions, which we skip.
fn binary(command: u8, family: u8, part: &[u8], peer: IpAddr) -> Option<Origin> {
    match (command, family >> 4) {
        // LOCAL: the proxy's own, such as a health check.
        (0x20, _) => Some(Origin::known(peer)),
        (0x21, 1) if part.len() >= 12 => Some(Origin::known(IpAddr::from(*part.first_chunk::<4>()?))),
        (0x21, 2) if part.len() >= 36 => Some(Origin::known(IpAddr::from(*part.first_chunk::<16>()?))),
        // Neither IPv4 nor IPv6, or not said.
        (0x21, 0 | 3) => Some(Origin::behind(peer)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
