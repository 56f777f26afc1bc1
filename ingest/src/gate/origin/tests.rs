use hyper::header::{HeaderName, HeaderValue};
use proptest::prelude::*;

use super::*;

const PROXIES: [&str; 3] = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"];

/// A header's name and value.
type Line<'v> = (&'static str, &'v str);

fn found(peer: &str, lines: &[Line<'_>]) -> Origin {
    let pair =
        |(name, value): &Line<'_>| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
    let headers: HeaderMap = lines.iter().map(pair).collect();
    let proxies = PROXIES.map(|text| text.parse().unwrap());
    origin(Origin::known(peer.parse().unwrap()), &headers, &proxies)
}

const XFF: &str = "x-forwarded-for";
const FWD: &str = "forwarded";

#[test]
fn the_client_is_the_first_address_from_the_right_that_is_no_proxy() {
    let table: [(&str, &[Line<'_>], &str); 14] = [
        ("203.0.113.9", &[], "203.0.113.9"),
        ("10.0.0.1", &[], "10.0.0.1"),
        ("10.0.0.1", &[(XFF, "203.0.113.9")], "203.0.113.9"),
        ("::ffff:10.0.0.1", &[(XFF, "::ffff:203.0.113.9")], "203.0.113.9"),
        ("10.0.0.1", &[(XFF, "203.0.113.9:51000")], "203.0.113.9"),
        ("10.0.0.1", &[(XFF, "[2001:db8::9]:51000")], "2001:db8::9"),
        ("fd00::1", &[(XFF, "[2001:db8::9]")], "2001:db8::9"),
        ("10.0.0.1", &[(XFF, "203.0.113.9, 192.0.2.7 ,\t10.2.0.1")], "203.0.113.9"),
        ("10.0.0.1", &[(XFF, "203.0.113.9"), (XFF, "10.2.0.1")], "203.0.113.9"),
        ("10.0.0.1", &[(XFF, "10.3.0.1, 10.2.0.1")], "10.3.0.1"),
        ("10.0.0.1", &[(FWD, "for=203.0.113.9, for=10.2.0.1")], "203.0.113.9"),
        ("10.0.0.1", &[(FWD, "for=\"[2001:db8::9]\";proto=https")], "2001:db8::9"),
        ("10.0.0.1", &[(FWD, "for=203.0.113.9"), (XFF, "203.0.113.9")], "203.0.113.9"),
        ("10.0.0.1", &[(XFF, "nonsense, 203.0.113.9")], "203.0.113.9"),
    ];
    for (peer, lines, client) in table {
        assert_eq!(found(peer, lines), Origin::known(client.parse().unwrap()), "{peer} {lines:?}");
    }
}

#[test]
fn a_chain_a_stranger_made_up_is_not_believed() {
    let attacker = Origin::known("203.0.113.66".parse().unwrap());
    // Without a trusted proxy between, with one, and with two.
    assert_eq!(found("203.0.113.66", &[(XFF, "10.0.0.5")]), attacker);
    assert_eq!(found("203.0.113.66", &[(FWD, "for=10.0.0.5")]), attacker);
    assert_eq!(found("10.0.0.1", &[(XFF, "10.0.0.5, 203.0.113.66")]), attacker);
    assert_eq!(found("10.0.0.1", &[(XFF, "10.0.0.5"), (XFF, "203.0.113.66")]), attacker);
    assert_eq!(found("10.0.0.1", &[(XFF, "10.0.0.5, 203.0.113.66, 10.0.0.2")]), attacker);
    assert_eq!(found("10.0.0.1", &[(FWD, "for=10.0.0.5, for=203.0.113.66")]), attacker);
}

#[test]
fn who_cannot_be_told_is_unknown_rather_than_trusted() {
    let table: [(&[Line<'_>], &str); 9] = [
        (&[(XFF, "")], "10.0.0.1"),
        (&[(XFF, "unknown")], "10.0.0.1"),
        (&[(XFF, "203.0.113.9,")], "10.0.0.1"),
        (&[(XFF, "203.0.113.9, fe80::1%eth0")], "10.0.0.1"),
        (&[(XFF, "203.0.113.9, 10.9.9.999, 10.2.0.1")], "10.2.0.1"),
        (&[(FWD, "for=_hidden, for=10.2.0.1")], "10.2.0.1"),
        (&[(FWD, "for=\"10.0.0.5, for=203.0.113.66")], "10.0.0.1"),
        // A proxy that writes one of the headers passes the other on as it came.
        (&[(XFF, "203.0.113.66"), (FWD, "for=10.0.0.5")], "10.0.0.1"),
        (&[(FWD, "for=203.0.113.66"), (XFF, "10.0.0.5")], "10.0.0.1"),
    ];
    for (lines, hop) in table {
        assert_eq!(found("10.0.0.1", lines), Origin::behind(hop.parse().unwrap()), "{lines:?}");
    }
}

/// Pieces that mean something in a chain, so that arbitrary ones come close to real ones.
fn chain() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,12}",
        proptest::sample::select(vec![
            "10.0.0.5",
            "203.0.113.1",
            "for=",
            ",",
            ";",
            "\"",
            "\\",
            "[fd00::1]",
            ":80",
            "unknown",
            "=",
            " ",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn whatever_stands_left_of_what_a_proxy_added_changes_nothing(begun in chain(), by: bool) {
        let attacker = "203.0.113.66".parse().unwrap();
        let clear = Origin::known(attacker);
        let unknown = Origin::behind("10.0.0.1".parse().unwrap());
        let seen = found("10.0.0.1", &[(XFF, &format!("{begun}, 203.0.113.66"))]);
        prop_assert_eq!(seen, clear);
        let added = if by { "for=\"203.0.113.66:80\";by=\"_p\"" } else { "for=203.0.113.66" };
        let seen = found("10.0.0.1", &[(FWD, &format!("{begun}, {added}"))]);
        prop_assert!(seen == clear || seen == unknown, "{:?}", seen);
    }

    #[test]
    fn a_stranger_is_never_believed(older in chain(), newer in chain()) {
        let seen = found("203.0.113.66", &[(XFF, &older), (FWD, &newer)]);
        prop_assert_eq!(seen, Origin::known("203.0.113.66".parse().unwrap()));
    }

    #[test]
    fn an_unknown_client_is_behind_a_proxy(older in chain()) {
        let seen = found("10.0.0.1", &[(XFF, &older)]);
        let proxies = PROXIES.map(|text| text.parse().unwrap());
        prop_assert!(seen.known || is_within(seen.address, &proxies), "{:?}", seen);
    }
}
