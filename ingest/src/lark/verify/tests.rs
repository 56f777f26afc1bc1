use hex::encode;
use hyper::header::HeaderValue;
use sha2::{Digest, Sha256};

use super::*;

const KEY: &str = "test-encrypt-key-01";
const TOKEN: &str = "test-verification-token-01";
const NOW: &str = "2023-11-14T22:13:21Z";
/// That moment in Unix seconds.
const STAMP: &str = "1700000001";
const EVENT: &str = r#"{"schema":"2.0","header":{"token":"test-verification-token-01"},"event":{}}"#;

fn keys(encrypt_key: Option<&str>, verification_token: Option<&str>) -> Keys {
    let config = LarkConfig {
        encrypt_key: encrypt_key.map(Secret::new),
        verification_token: verification_token.map(Secret::new),
    };
    Keys::new(&config).unwrap()
}

fn signed(timestamp: &str, body: &str) -> HeaderMap {
    let signature = encode(Sha256::digest(format!("{timestamp}nonce-0001{KEY}{body}")));
    sealed(timestamp, &signature)
}

fn sealed(timestamp: &str, signature: &str) -> HeaderMap {
    let pairs = [
        ("x-lark-request-timestamp", timestamp),
        ("x-lark-request-nonce", "nonce-0001"),
        ("x-lark-signature", signature),
    ];
    pairs.into_iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
}

fn judged(keys: &Keys, headers: &HeaderMap, body: &str) -> Result<(), Unopened> {
    let now = NOW.parse().unwrap();
    let letter = keys.open(headers, body.as_bytes(), now)?;
    Ok(keys.believe(&letter, &letter.body()?, now)?)
}

fn doubt(keys: &Keys, headers: &HeaderMap, body: &str) -> Option<VerifyError> {
    match judged(keys, headers, body) {
        Ok(()) => None,
        Err(Unopened::Doubted(doubt)) => Some(doubt),
        Err(Unopened::NotJson(error)) => panic!("{error} in {body}"),
    }
}

#[test]
fn with_nothing_configured_there_are_no_keys() {
    assert!(Keys::new(&LarkConfig::default()).is_none());
}

#[test]
fn an_event_needs_the_signature_where_there_is_a_key_and_the_token_where_there_is_one() {
    let both = keys(Some(KEY), Some(TOKEN));
    let key = keys(Some(KEY), None);
    let token = keys(None, Some(TOKEN));
    let none = HeaderMap::new();
    let good = signed(STAMP, EVENT);
    let made_up = sealed(STAMP, "test_signature");
    let table = [
        (&both, &good, None),
        (&both, &none, Some(VerifyError::Signature)),
        (&both, &made_up, Some(VerifyError::Signature)),
        (&key, &good, None),
        (&key, &none, Some(VerifyError::Signature)),
        (&key, &made_up, Some(VerifyError::Signature)),
        (&token, &none, None),
        (&token, &made_up, None),
    ];
    for (index, (keys, headers, expected)) in table.into_iter().enumerate() {
        assert_eq!(doubt(keys, headers, EVENT), expected, "case {index}");
    }
    let other = EVENT.replace(TOKEN, "another-token");
    assert_eq!(doubt(&both, &signed(STAMP, &other), &other), Some(VerifyError::Token));
    assert_eq!(doubt(&token, &none, &other), Some(VerifyError::Token));
    assert_eq!(doubt(&key, &signed(STAMP, &other), &other), None);
    let schema_1 = r#"{"type":"event_callback","token":"test-verification-token-01","event":{}}"#;
    assert_eq!(doubt(&token, &none, schema_1), None);
    assert_eq!(doubt(&token, &none, r#"{"type":"event_callback","event":{}}"#), Some(VerifyError::Token));
}

#[test]
fn a_signature_of_another_day_is_no_longer_good_and_a_late_repeat_is() {
    let keys = keys(Some(KEY), None);
    let table = [
        (STAMP, None),
        // The last repeat, 7 h 5 min 15 s after the event, should it carry the first one's stamp.
        ("1699974486", None),
        ("1699956802", None),
        ("1699956800", Some(VerifyError::Stale)),
        ("1700043202", Some(VerifyError::Stale)),
        ("1700000001000", None),
        ("1700000001000000", None),
        ("1699956800000", Some(VerifyError::Stale)),
        ("soon", Some(VerifyError::Stale)),
        ("99999999999999999999", Some(VerifyError::Stale)),
        ("-9223372036854775808", Some(VerifyError::Stale)),
    ];
    for (timestamp, expected) in table {
        assert_eq!(doubt(&keys, &signed(timestamp, EVENT), EVENT), expected, "{timestamp}");
    }
}

#[test]
fn of_two_signatures_neither_counts() {
    let keys = keys(Some(KEY), None);
    for name in ["x-lark-signature", "x-lark-request-nonce", "x-lark-request-timestamp"] {
        let mut headers = signed(STAMP, EVENT);
        headers.append(name, HeaderValue::from_static("x"));
        assert_eq!(doubt(&keys, &headers, EVENT), Some(VerifyError::Signature), "{name}");
        headers.remove(name);
        assert_eq!(doubt(&keys, &headers, EVENT), Some(VerifyError::Signature), "{name}");
    }
}

#[test]
fn a_challenge_is_not_signed_and_has_to_know_the_token_or_else_the_key() {
    let none = HeaderMap::new();
    let plain =
        r#"{"challenge":"c0ffee00-1234","token":"test-verification-token-01","type":"url_verification"}"#;
    let encrypted = r#"{"encrypt":"AAECAwQFBgcICQoLDA0OD+czPS6sA4uLd9cJi/TJT0nOeytyB0I+jxa5hyiehOOyPzepoRT6fGm8E7Di6AEj9oHW+jM48EG2WW6RccDuvukCzn6PVRQD2QRJNTASJE1xI8kLfVbiDGGELjoe25tbGQ=="}"#;
    let table = [
        (keys(None, Some(TOKEN)), plain, None),
        (keys(Some(KEY), Some(TOKEN)), plain, None),
        (keys(Some(KEY), Some(TOKEN)), encrypted, None),
        (keys(Some(KEY), None), encrypted, None),
        (keys(Some(KEY), None), plain, Some(VerifyError::Token)),
        (keys(None, Some("another-token")), plain, Some(VerifyError::Token)),
        (keys(Some(KEY), Some("another-token")), encrypted, Some(VerifyError::Token)),
        (keys(None, Some(TOKEN)), encrypted, Some(VerifyError::Encryption)),
        (keys(Some("wrong-key"), Some(TOKEN)), encrypted, Some(VerifyError::Encryption)),
    ];
    for (index, (keys, body, expected)) in table.into_iter().enumerate() {
        assert_eq!(doubt(&keys, &none, body), expected, "case {index}");
    }
}

#[test]
fn an_encrypted_event_needs_its_signature_too() {
    let keys = keys(Some(KEY), Some(TOKEN));
    let event = r#"{"encrypt":"EBESExQVFhcYGRobHB0eH4fsVAVbyCTPia2SlgulJ/QbK1lXY8R1Fu6HLWe57wEjSPH/GQwmRGYlY0rtY8DHsEHssX61Bv0JUXyZTxOO5lKW0pq8H/DUA+toOvM4JcAMq3xUoaGJQVnPlGjpSeVVx9EOQcVgX13bQnC/3f8UzXQpLVPTYwNVsXL+9gqtZVlS30i1rm6fPtj2ZRfMv8GLdqPNybpJJYD/9W6j00uaqn0cIMVgjMZ3LE4aTRyfb1U41RolU8Xa+vk2t2xD1aZeFy8WQpcVzI/eloubKy081GaoH2GyTcr13MVK/y0u36LzgU9ff3Ol+V2If9Hjr7RsQM9QzyM/Plsp+urMpOhr6Uv6s2VjWFo6N/TOXU5802kKN93zYn6wzare9TN34ryVwEKnaBxtrqIj2L2CP+mJ1zb5+ZFCaCK+caXH7Jqc0Tm+wHv/heGPiCMoAoPc6vacbnTfSJ48V5hL3wQnAXbUnp9Zr2r0ItfSR5gh52r+WwMuR4MqWK6VyQW5Z4eMtVPxPfiygjxvFlKMiCSBJOyWLJYE/98Gmf+VySS3Da66YKRkuJIMPscVUV1ksGc4Q5levIHJ5PBj5UE2Pwc4bI1QPe7dWKrTbh9EL6+nafdq9nxyHfFAp/fi0mZbQOKVat1mhaddS9NzvZgDbtsOgwv07aJTKur9lx5I1C+7g0vEIl2b9r79TDYJje/P79xkCsSU5izUnFValUXgKDCqbYB4uQpYFDf7+R4fVN+HgBL9Htm/p7Ar9SsFO+QLWSlliaPn7SibvGQetoJq9GFyx+cGKxC0InExO5vEGsnqZfKdw1qI"}"#;
    let right = "2cadb46ffc2e6505b4b92474c98ed690fced4a06a899563ac5ee05b38b521ec8";
    assert_eq!(doubt(&keys, &sealed(STAMP, right), event), None);
    assert_eq!(doubt(&keys, &HeaderMap::new(), event), Some(VerifyError::Signature));
    assert_eq!(
        doubt(&keys, &sealed(STAMP, right), &event.replace(":\"", ": \"")),
        Some(VerifyError::Signature)
    );
    // Rightly signed and wrongly encrypted.
    for body in [r#"{ "encrypt" : "AAAA" }"#, r#"{"encrypt":"%%%not-base64%%%"}"#] {
        assert_eq!(doubt(&keys, &signed(STAMP, body), body), Some(VerifyError::Encryption), "{body}");
    }
}

#[test]
fn an_old_card_callback_is_signed_with_the_token() {
    let body = r#"{"open_id":"ou_test0001","user_id":"u_test01","open_message_id":"om_test0001","tenant_key":"tk_test0001","token":"c-test0001","action":{"value":{"key":"ok"},"tag":"button"}}"#;
    let right = sealed(STAMP, "8821f95e4999ffed91d27eefc1169ea8bb99ae22");
    let by_the_rule_for_events =
        sealed(STAMP, "24b77a2ae8acbd2fe04074556f432a8f9ccd23c341d170eda87115bf4ce0d469");
    for (keys, headers, expected) in [
        (keys(None, Some(TOKEN)), &right, None),
        (keys(Some(KEY), Some(TOKEN)), &right, None),
        (keys(None, Some(TOKEN)), &by_the_rule_for_events, Some(VerifyError::Signature)),
        (keys(None, Some(TOKEN)), &HeaderMap::new(), Some(VerifyError::Signature)),
        (keys(None, Some("another-token")), &right, Some(VerifyError::Signature)),
        (keys(Some(KEY), None), &right, Some(VerifyError::Signature)),
        // Whoever knows the key need not know the token.
        (keys(Some(KEY), None), &signed(STAMP, body), None),
    ] {
        assert_eq!(doubt(&keys, headers, body), expected, "{keys:?} {headers:?}");
    }
    let keys = keys(None, Some(TOKEN));
    let later = "2023-11-16T22:13:21Z".parse().unwrap();
    let letter = keys.open(&right, body.as_bytes(), later).unwrap();
    assert_eq!(keys.believe(&letter, &letter.body().unwrap(), later), Err(VerifyError::Stale));
}

#[test]
fn what_is_not_json_is_told_so_only_where_it_had_nothing_else_to_show() {
    let with_key = keys(Some(KEY), Some(TOKEN));
    assert_eq!(doubt(&with_key, &HeaderMap::new(), "{"), Some(VerifyError::Signature));
    for (keys, headers) in [(&with_key, signed(STAMP, "{")), (&keys(None, Some(TOKEN)), HeaderMap::new())] {
        assert!(matches!(judged(keys, &headers, "{"), Err(Unopened::NotJson(_))));
    }
}
