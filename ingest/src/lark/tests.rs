use config::Secret;
use proptest::prelude::*;
use serde_json::json;

use super::*;

const KEY: &str = "test-encrypt-key-01";
const TOKEN: &str = "test-verification-token-01";

fn callbacks(encrypt_key: Option<&str>, verification_token: Option<&str>) -> Callbacks {
    let config = LarkConfig {
        encrypt_key: encrypt_key.map(Secret::new),
        verification_token: verification_token.map(Secret::new),
    };
    Callbacks::new(&config, Locale::En)
}

fn read(callbacks: &Callbacks, headers: &HeaderMap, body: &[u8]) -> Result<Taken, Reply> {
    let received_at = "2023-11-14T22:13:21Z".parse().unwrap();
    let id = InteractionId::new(received_at, [7; 10]);
    callbacks.read(&Call { headers, body, received_at, id })
}

#[test]
fn with_nothing_configured_nothing_is_read() {
    let off = callbacks(None, None);
    assert!(!off.are_on());
    assert!(matches!(read(&off, &HeaderMap::new(), b"{}"), Err(Reply::Off)));
}

#[test]
fn a_body_of_nothing_but_depth_is_refused() {
    let deep = "{\"event\":".repeat(100_000);
    assert!(matches!(
        read(&callbacks(None, Some(TOKEN)), &HeaderMap::new(), deep.as_bytes()),
        Err(Reply::Refused(_))
    ));
}

#[test]
fn every_outcome_has_its_label() {
    let all: Vec<_> = codes().collect();
    let answers = [
        Answer::Compressed,
        Answer::BodyTimedOut,
        Answer::BodyBroken,
        Answer::MemoryFull,
        Answer::Internal,
        Answer::BodyTooLarge { limit_bytes: 1 },
        Answer::NotQueued(PublishError::Busy),
        Answer::NotQueued(PublishError::Unreachable),
        Answer::NotQueued(PublishError::TimedOut),
        Answer::NotQueued(PublishError::Refused(String::new())),
    ];
    for answer in answers {
        let code = Reply::Refused(answer).code();
        assert!(all.contains(&code), "{code}");
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    const KEYS: [&str; 26] = [
        "type",
        "token",
        "challenge",
        "uuid",
        "schema",
        "header",
        "event_id",
        "event_type",
        "event",
        "message",
        "sender",
        "sender_id",
        "open_id",
        "content",
        "mentions",
        "key",
        "action",
        "value",
        "option",
        "operator",
        "context",
        "reaction_type",
        "emoji_type",
        "user_id",
        "message_id",
        "encrypt",
    ];
    const WORDS: [&str; 9] = [
        TOKEN,
        "url_verification",
        "event_callback",
        "im.message.receive_v1",
        "im.message.reaction.created_v1",
        "card.action.trigger",
        "{\"text\":\"/help\"}",
        "user",
        "ou_1",
    ];
    let leaf = prop_oneof![
        1 => Just(json!(null)),
        1 => any::<i64>().prop_map(|number| json!(number)),
        4 => prop::sample::select(&WORDS[..]).prop_map(|word| json!(word)),
        1 => ".{0,12}".prop_map(|text| json!(text)),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let pairs = prop::collection::hash_map(prop::sample::select(&KEYS[..]), inner.clone(), 0..8);
        prop_oneof![
            4 => pairs.prop_map(|pairs| json!(pairs)),
            1 => prop::collection::vec(inner, 0..4).prop_map(|items| json!(items)),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn no_bytes_from_a_stranger_become_an_interaction(body in prop::collection::vec(any::<u8>(), 0..256)) {
        for callbacks in [callbacks(Some(KEY), Some(TOKEN)), callbacks(Some(KEY), None), callbacks(None, Some(TOKEN))] {
            prop_assert!(read(&callbacks, &HeaderMap::new(), &body).is_err());
        }
    }

    #[test]
    fn whatever_a_stranger_writes_a_key_keeps_it_out(body in any_json()) {
        let believed = read(&callbacks(Some(KEY), Some(TOKEN)), &HeaderMap::new(), body.to_string().as_bytes());
        prop_assert!(matches!(believed, Err(Reply::Doubted(_) | Reply::Challenge(_))), "{body}: {believed:?}");
    }

    #[test]
    fn whatever_is_believed_is_read_or_refused(mut body in any_json()) {
        if let Some(fields) = body.as_object_mut() {
            fields.insert("header".to_owned(), json!({"token": TOKEN, "event_id": "ev"}));
        }
        let _read_or_refused = read(&callbacks(None, Some(TOKEN)), &HeaderMap::new(), body.to_string().as_bytes());
    }
}
