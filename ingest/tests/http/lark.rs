//! Feishu, as far as its calls go: bodies, signatures, and a harness that knows its keys.

use config::{LarkConfig, Secret};
use model::interaction::{Interaction, decode};
use queue::MessageDestination;
use serde_json::Value;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::client::{Reply, exchange};
use crate::harness::Harness;

pub(crate) const KEY: &str = "test-encrypt-key-01";
pub(crate) const TOKEN: &str = "test-verification-token-01";
pub(crate) const EVENT: &str = "POST /lark/event";
pub(crate) const CARD: &str = "POST /lark/card/action";
/// The harness's clock, in Unix seconds.
pub(crate) const STAMP: &str = "1772435760";
pub(crate) const CHALLENGE: &str =
    r#"{"challenge":"c0ffee00-1234","token":"test-verification-token-01","type":"url_verification"}"#;
pub(crate) const ENCRYPTED_CHALLENGE: &str = r#"{"encrypt":"AAECAwQFBgcICQoLDA0OD+czPS6sA4uLd9cJi/TJT0nOeytyB0I+jxa5hyiehOOyPzepoRT6fGm8E7Di6AEj9oHW+jM48EG2WW6RccDuvukCzn6PVRQD2QRJNTASJE1xI8kLfVbiDGGELjoe25tbGQ=="}"#;
pub(crate) const ENCRYPTED_EVENT: &str = r#"{"encrypt":"EBESExQVFhcYGRobHB0eH4fsVAVbyCTPia2SlgulJ/QbK1lXY8R1Fu6HLWe57wEjSPH/GQwmRGYlY0rtY8DHsEHssX61Bv0JUXyZTxOO5lKW0pq8H/DUA+toOvM4JcAMq3xUoaGJQVnPlGjpSeVVx9EOQcVgX13bQnC/3f8UzXQpLVPTYwNVsXL+9gqtZVlS30i1rm6fPtj2ZRfMv8GLdqPNybpJJYD/9W6j00uaqn0cIMVgjMZ3LE4aTRyfb1U41RolU8Xa+vk2t2xD1aZeFy8WQpcVzI/eloubKy081GaoH2GyTcr13MVK/y0u36LzgU9ff3Ol+V2If9Hjr7RsQM9QzyM/Plsp+urMpOhr6Uv6s2VjWFo6N/TOXU5802kKN93zYn6wzare9TN34ryVwEKnaBxtrqIj2L2CP+mJ1zb5+ZFCaCK+caXH7Jqc0Tm+wHv/heGPiCMoAoPc6vacbnTfSJ48V5hL3wQnAXbUnp9Zr2r0ItfSR5gh52r+WwMuR4MqWK6VyQW5Z4eMtVPxPfiygjxvFlKMiCSBJOyWLJYE/98Gmf+VySS3Da66YKRkuJIMPscVUV1ksGc4Q5levIHJ5PBj5UE2Pwc4bI1QPe7dWKrTbh9EL6+nafdq9nxyHfFAp/fi0mZbQOKVat1mhaddS9NzvZgDbtsOgwv07aJTKur9lx5I1C+7g0vEIl2b9r79TDYJje/P79xkCsSU5izUnFValUXgKDCqbYB4uQpYFDf7+R4fVN+HgBL9Htm/p7Ar9SsFO+QLWSlliaPn7SibvGQetoJq9GFyx+cGKxC0InExO5vEGsnqZfKdw1qI"}"#;
pub(crate) const SEED_PRESS: &str = r#"{"action":{"value":{"action":"confirm_diagnosis","incident_id":"INC-20240115-001"}},"open_id":"ou_xxxxxxxx","token":"xxxxxxxx"}"#;
pub(crate) const NEW_PRESS: &str = r#"{"schema":"2.0","header":{"event_id":"ev_3","event_type":"card.action.trigger","token":"test-verification-token-01"},"event":{"operator":{"open_id":"ou_1"},"token":"c-1","action":{"value":{"action":"ack"},"tag":"button"},"context":{"open_message_id":"om_3","open_chat_id":"oc_3"}}}"#;

pub(crate) fn harness(encrypt_key: Option<&str>, verification_token: Option<&str>) -> Harness {
    Harness::with(|settings| {
        // Feishu has neither the credentials nor the addresses that senders of alerts have.
        settings.gate.allowed_ips = vec!["10.0.0.0/8".parse().unwrap()];
        settings.gate.api_keys = vec![Secret::new("k1")];
        settings.lark = LarkConfig {
            encrypt_key: encrypt_key.map(Secret::new),
            verification_token: verification_token.map(Secret::new),
        };
    })
}

pub(crate) fn seal(signature: &str) -> Vec<String> {
    vec![
        format!("X-Lark-Request-Timestamp: {STAMP}"),
        "X-Lark-Request-Nonce: nonce-0001".to_owned(),
        format!("X-Lark-Signature: {signature}"),
    ]
}

pub(crate) fn as_event(body: &str) -> Vec<String> {
    seal(&hex::encode(Sha256::digest(format!("{STAMP}nonce-0001{KEY}{body}"))))
}

pub(crate) fn as_old_card(body: &str) -> Vec<String> {
    seal(&hex::encode(Sha1::digest(format!("{STAMP}nonce-0001{TOKEN}{body}"))))
}

pub(crate) async fn call(harness: &Harness, line: &str, headers: &[String], body: &str) -> Reply {
    let headers: Vec<_> = headers.iter().map(String::as_str).collect();
    exchange(harness.address, line, &headers, body.as_bytes()).await
}

pub(crate) fn recorded(harness: &Harness) -> Vec<Interaction> {
    let stored = harness.queue.stored();
    assert!(stored.iter().all(|message| message.to == MessageDestination::Interactions));
    stored.iter().map(|message| decode(&message.body).unwrap()).collect()
}

pub(crate) fn counted(harness: &Harness, address: &str, code: &str) -> f64 {
    harness.metric(&format!("larkfire_ingest_callbacks_total{{address=\"{address}\",code=\"{code}\"}}"))
}

pub(crate) fn is_toast(reply: &Reply, kind: &str) -> bool {
    let toast = &reply.json()["toast"];
    let text = |value: &Value| value.as_str().is_some_and(|text| !text.is_empty());
    reply.status == 200
        && toast["type"] == kind
        && text(&toast["i18n"]["zh_cn"])
        && toast["content"] == toast["i18n"]["en_us"]
}
