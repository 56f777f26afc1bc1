use super::*;

const SEALED: (&str, &str) = ("1700000001", "nonce-0001");
const KEY: &str = "test-encrypt-key-01";
const TOKEN: &str = "test-verification-token-01";

const ENCRYPTED_EVENT: &str = r#"{"encrypt":"EBESExQVFhcYGRobHB0eH4fsVAVbyCTPia2SlgulJ/QbK1lXY8R1Fu6HLWe57wEjSPH/GQwmRGYlY0rtY8DHsEHssX61Bv0JUXyZTxOO5lKW0pq8H/DUA+toOvM4JcAMq3xUoaGJQVnPlGjpSeVVx9EOQcVgX13bQnC/3f8UzXQpLVPTYwNVsXL+9gqtZVlS30i1rm6fPtj2ZRfMv8GLdqPNybpJJYD/9W6j00uaqn0cIMVgjMZ3LE4aTRyfb1U41RolU8Xa+vk2t2xD1aZeFy8WQpcVzI/eloubKy081GaoH2GyTcr13MVK/y0u36LzgU9ff3Ol+V2If9Hjr7RsQM9QzyM/Plsp+urMpOhr6Uv6s2VjWFo6N/TOXU5802kKN93zYn6wzare9TN34ryVwEKnaBxtrqIj2L2CP+mJ1zb5+ZFCaCK+caXH7Jqc0Tm+wHv/heGPiCMoAoPc6vacbnTfSJ48V5hL3wQnAXbUnp9Zr2r0ItfSR5gh52r+WwMuR4MqWK6VyQW5Z4eMtVPxPfiygjxvFlKMiCSBJOyWLJYE/98Gmf+VySS3Da66YKRkuJIMPscVUV1ksGc4Q5levIHJ5PBj5UE2Pwc4bI1QPe7dWKrTbh9EL6+nafdq9nxyHfFAp/fi0mZbQOKVat1mhaddS9NzvZgDbtsOgwv07aJTKur9lx5I1C+7g0vEIl2b9r79TDYJje/P79xkCsSU5izUnFValUXgKDCqbYB4uQpYFDf7+R4fVN+HgBL9Htm/p7Ar9SsFO+QLWSlliaPn7SibvGQetoJq9GFyx+cGKxC0InExO5vEGsnqZfKdw1qI"}"#;
const OLD_CARD: &str = r#"{"open_id":"ou_test0001","user_id":"u_test01","open_message_id":"om_test0001","tenant_key":"tk_test0001","token":"c-test0001","action":{"value":{"key":"ok"},"tag":"button"}}"#;
const OLD_CARD_SIGNATURE: &str = "8821f95e4999ffed91d27eefc1169ea8bb99ae22";

const fn seal(signature: &str) -> SignatureHeaders<'_> {
    SignatureHeaders { timestamp: SEALED.0, nonce: SEALED.1, signature }
}

#[test]
fn an_event_is_signed_over_its_very_bytes() {
    let table = [
        (ENCRYPTED_EVENT, "2cadb46ffc2e6505b4b92474c98ed690fced4a06a899563ac5ee05b38b521ec8"),
        (r#"{ "encrypt" : "AAAA" }"#, "337d6ddba461068d1a2067ea93a0f1b11ec4f6122aba4c598d1102042b32b326"),
        (r#"{"encrypt":"AAAA"}"#, "955fe0a0ea3de43a22809aa415a1ec813b2e3c1a5cc181a04762ad59e0af1c82"),
    ];
    for (index, (body, signature)) in table.iter().enumerate() {
        assert!(seal(signature).is_of_event(KEY, body.as_bytes()), "{body}");
        assert!(seal(&signature.to_uppercase()).is_of_event(KEY, body.as_bytes()), "{body}");
        // Written differently, however slightly, it is another body.
        let (another, _) = table[(index + 1) % table.len()];
        assert!(!seal(signature).is_of_event(KEY, another.as_bytes()), "{another}");
    }
}

#[test]
fn an_old_card_callback_is_signed_with_sha_1_and_the_token() {
    assert!(seal(OLD_CARD_SIGNATURE).is_of_old_card(TOKEN, OLD_CARD.as_bytes()));
    let by_the_rule_for_events = "24b77a2ae8acbd2fe04074556f432a8f9ccd23c341d170eda87115bf4ce0d469";
    assert!(!seal(by_the_rule_for_events).is_of_old_card(TOKEN, OLD_CARD.as_bytes()));
    // It is what it says it is, so that the refusal means something.
    assert!(seal(by_the_rule_for_events).is_of_event(TOKEN, OLD_CARD.as_bytes()));
    assert!(!seal(OLD_CARD_SIGNATURE).is_of_event(TOKEN, OLD_CARD.as_bytes()));
}

#[test]
fn a_signature_with_an_empty_key_is_arithmetic_and_no_proof() {
    let right = seal("ce51fb9719776feba7e221360ffec233a37c06095c2a72a6fa85ea4d11a4478b");
    let body = br#"{"encrypt":"AAAA"}"#;
    assert!(right.fits(&right.hash::<Sha256>("", body)));
    assert!(!right.is_of_event("", body));
    let old = hex::encode(right.hash::<Sha1>("", body));
    assert!(!seal(&old).is_of_old_card("", body));
}

#[test]
fn made_up_signatures_do_not_fit() {
    let body = r#"{"encrypt":"AAAA"}"#.as_bytes();
    for signature in ["", "test_signature", "955f", "00", "é"] {
        assert!(!seal(signature).is_of_event(KEY, body), "{signature}");
        assert!(!seal(signature).is_of_old_card(TOKEN, body), "{signature}");
    }
    let right = "955fe0a0ea3de43a22809aa415a1ec813b2e3c1a5cc181a04762ad59e0af1c82";
    assert!(!seal(right).is_of_event("another key", body));
    assert!(!SignatureHeaders { timestamp: "1700000002", ..seal(right) }.is_of_event(KEY, body));
    assert!(!SignatureHeaders { nonce: "nonce-0002", ..seal(right) }.is_of_event(KEY, body));
    assert!(!seal(&format!("{right}00")).is_of_event(KEY, body));
}

#[test]
fn secrets_are_the_same_only_when_they_are() {
    assert!(is_same_secret(TOKEN, TOKEN));
    for other in ["", "test-verification-token-0", "test-verification-token-011"] {
        assert!(!is_same_secret(other, TOKEN), "{other}");
    }
}
