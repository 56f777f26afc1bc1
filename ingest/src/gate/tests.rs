use config::{HmacConfig, PathRule, Secret};
use hmac::{Hmac, KeyInit, Mac};

use super::*;
use crate::answer::Answer;

mod signed;
mod table;

const NOW: i64 = 1_700_000_000;
const KEYS: &[&str] = &["new-key", "old-key"];
const PAIRS: &[&str] = &["ops:s3cret"];
/// The secret of the vectors in Grafana's documentation comes second, as after a rotation.
const SECRETS: &[&str] = &["newer", "secret"];
const BODY: &[u8] = b"test message";

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().copied().map(Secret::new).collect()
}

fn config(keys: &[&str], pairs: &[&str], signing: &[&str]) -> GateConfig {
    GateConfig {
        api_keys: secrets(keys),
        basic_auth: secrets(pairs),
        hmac: HmacConfig { secrets: secrets(signing), ..HmacConfig::default() },
        ..GateConfig::default()
    }
}

fn headers<'h>(lines: impl IntoIterator<Item = &'h str>) -> HeaderMap {
    let pair = |line: &str| {
        let (name, value) = line.split_once(": ").unwrap();
        let name: hyper::header::HeaderName = name.parse().unwrap();
        (name, HeaderValue::from_str(value).unwrap())
    };
    lines.into_iter().map(pair).collect()
}

/// The code of the answer at the end of all checks on credentials; `accepted` where they are passed.
fn verdict(gate: &Gate, headers: &HeaderMap, place: (Endpoint, Option<&str>)) -> &'static str {
    let now = Timestamp::from_second(NOW).unwrap();
    let checked = gate
        .check_credentials(headers, place.0, place.1, now)
        .and_then(|standing| gate.prove(&standing, BODY));
    checked.map_or_else(
        |refusal| {
            let form = Answer::Unauthorized(refusal).form();
            assert_eq!(form.status.as_u16(), 401);
            form.code
        },
        |()| "accepted",
    )
}

fn sign(secret: &str, before: &str) -> String {
    let key = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    hex::encode(key.chain_update(before).chain_update(BODY).finalize().into_bytes())
}

#[test]
fn a_key_is_recognised_however_its_header_is_spaced() {
    let gate = Gate::new(&config(KEYS, &[], &[]));
    let table = [
        ("bearer old-key", "accepted"),
        ("Bearer   new-key ", "accepted"),
        ("Bearer new-ke", "credentials_wrong"),
        ("Bearer ", "credentials_wrong"),
        ("new-key", "credentials_wrong"),
        ("Token new-key", "credentials_wrong"),
    ];
    for (value, code) in table {
        let shown = headers([format!("Authorization: {value}").as_str()]);
        assert_eq!(verdict(&gate, &shown, (Endpoint::Any, None)), code, "{value}");
    }
}

#[test]
fn only_listed_senders_are_admitted_where_there_is_a_list() {
    let listed = GateConfig { alert_bot_ids: vec!["disk_watch".to_owned()], ..GateConfig::default() };
    assert!(Gate::new(&listed).admits_sender("disk_watch"));
    assert!(!Gate::new(&listed).admits_sender("disk_watch2"));
    assert!(Gate::new(&GateConfig::default()).admits_sender("anybody"));
}

#[test]
fn only_listed_addresses_are_admitted_where_there_is_a_list() {
    let allowed = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap()).to_vec();
    let listed = Gate::new(&GateConfig { allowed_ips: allowed, ..GateConfig::default() });
    let open = Gate::new(&GateConfig::default());
    let table = [
        ("10.1.2.3", true),
        ("::ffff:10.1.2.3", true),
        ("2001:db8::7", true),
        ("11.0.0.1", false),
        ("::1", false),
    ];
    for (address, admitted) in table {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(listed.admits_origin(Origin::known(address)), admitted, "{address}");
        // The proxy's own address is no reason to admit whoever is behind it.
        assert!(!listed.admits_origin(Origin::behind(address)), "{address}");
        assert!(open.admits_origin(Origin::known(address)) && open.admits_origin(Origin::behind(address)));
    }
}

#[test]
fn an_open_gate_on_the_network_has_to_be_asked_for() {
    let open = GateConfig { allowed_ips: vec!["10.0.0.0/8".parse().unwrap()], ..GateConfig::default() };
    let asked_for = GateConfig { allow_unauthenticated: true, ..GateConfig::default() };
    let guarded = [config(KEYS, &[], &[]), config(&[], PAIRS, &[]), config(&[], &[], SECRETS)];
    for listen in ["127.0.0.1:8080", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
        assert!(check_exposure(listen.parse().unwrap(), &open).is_ok(), "{listen}");
    }
    for listen in ["0.0.0.0:8080", "[::]:8080", "10.0.0.5:8080"] {
        let listen = listen.parse().unwrap();
        let refused = check_exposure(listen, &open).unwrap_err().to_string();
        assert!(refused.contains("API_KEYS") && refused.contains(&listen.to_string()), "{refused}");
        assert!(check_exposure(listen, &asked_for).is_ok());
        assert!(guarded.iter().all(|config| check_exposure(listen, config).is_ok()));
    }
}

#[test]
fn nothing_secret_shows_in_debug() {
    let gate = Gate::new(&config(&["new-key"], &["ops:s3cret"], &["s1gning"]));
    let text = format!("{gate:?}");
    let leaks = ["key\"", "new-key", "b3Bz", "s1gning", "ops"].into_iter().find(|part| text.contains(part));
    assert!(leaks.is_none() && text.contains("***"), "{leaks:?} in {text}");
}
