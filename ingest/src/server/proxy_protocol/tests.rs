use proptest::prelude::*;

use super::*;

const PEER: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1));
const HTTP: &[u8] = b"POST /api/alert HTTP/1.1\r\n";

/// What the header says, and what is left for HTTP.
async fn split(bytes: &[u8]) -> (Result<Origin, ProxyHeaderError>, usize) {
    let mut rest = bytes;
    let read = read(&mut rest, PEER).await;
    (read, rest.len())
}

fn version_2(command: u8, family: u8, part: &[u8]) -> Vec<u8> {
    let length = u16::try_from(part.len()).unwrap().to_be_bytes();
    [&SIGNATURE[..], &[command, family], &length, part].concat()
}

fn known(address: &str) -> Origin {
    Origin::known(address.parse().unwrap())
}

#[tokio::test]
async fn both_versions_name_the_client_and_leave_the_rest() {
    let v4 = [[203, 0, 113, 9], [10, 0, 0, 2], [0, 80, 1, 187]].concat();
    let client: Ipv6Addr = "2001:db8::9".parse().unwrap();
    let v6 = [&client.octets()[..], &[0; 20]].concat();
    let with_additions = [&v4[..], &[4, 0, 2, 1, 1]].concat();
    let unknown = Some(Origin::behind(PEER));
    let table: [(Vec<u8>, Option<Origin>); 22] = [
        (b"PROXY TCP4 203.0.113.9 10.0.0.2 51000 8080\r\n".to_vec(), Some(known("203.0.113.9"))),
        (b"PROXY TCP6 2001:db8::9 fd00::2 51000 8080\r\n".to_vec(), Some(known("2001:db8::9"))),
        (b"PROXY UNKNOWN\r\n".to_vec(), unknown),
        (b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n".to_vec(), unknown),
        (b"PROXY TCP4 2001:db8::9 10.0.0.2 51000 8080\r\n".to_vec(), None),
        (b"PROXY TCP4 203.0.113.9 10.0.0.2 51000\r\n".to_vec(), None),
        (b"PROXY TCP4 203.0.113.9 10.0.0.2 51000 99999\r\n".to_vec(), None),
        (b"PROXY TCP4  203.0.113.9 10.0.0.2 51000 80\r\n".to_vec(), None),
        (b"PROXY UDP4 203.0.113.9 10.0.0.2 51000 8080\r\n".to_vec(), None),
        (b"proxy UNKNOWN\r\n".to_vec(), None),
        (b"PROXY UNKNOWN\n".to_vec(), None),
        ([b"PROXY UNKNOWN ", &[b'x'; 200][..], b"\r\n"].concat(), None),
        (Vec::new(), None),
        (version_2(0x21, 0x11, &v4), Some(known("203.0.113.9"))),
        (version_2(0x21, 0x11, &with_additions), Some(known("203.0.113.9"))),
        (version_2(0x21, 0x21, &v6), Some(known("2001:db8::9"))),
        (version_2(0x20, 0x00, &[]), Some(known("10.0.0.1"))),
        (version_2(0x20, 0x11, &v4), Some(known("10.0.0.1"))),
        (version_2(0x21, 0x00, &[]), unknown),
        (version_2(0x21, 0x11, &v4[..11]), None),
        (version_2(0x31, 0x11, &v4), None),
        (version_2(0x21, 0x11, &[0; PART_BYTES_MAX + 1]), None),
    ];
    for (header, origin) in table {
        let (read, left) = split(&[&header[..], HTTP].concat()).await;
        let shown = String::from_utf8_lossy(&header);
        assert_eq!(read.as_ref().ok(), origin.as_ref(), "{shown}");
        assert!(read.is_err() || left == HTTP.len(), "{shown}: {left} bytes left");
    }
}

#[tokio::test]
async fn a_header_that_ends_early_is_an_error() {
    let whole = version_2(0x21, 0x11, &[1; 12]);
    for length in 0..whole.len() {
        assert!(split(&whole[..length]).await.0.is_err(), "{length}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic_or_are_read_without_limit(bytes in proptest::collection::vec(any::<u8>(), 0..300), kind in 0..3) {
        let bytes = match kind {
            0 => bytes,
            1 => [&SIGNATURE[..], &[0x21], &bytes].concat(),
            _ => [b"PROXY ", &bytes[..]].concat(),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let endless = [&bytes[..], &[b'x'; 2 * PART_BYTES_MAX]].concat();
        let (_, left) = runtime.block_on(split(&endless));
        prop_assert!(endless.len() - left <= PART_BYTES_MAX + SIGNATURE.len() + 4);
    }
}
