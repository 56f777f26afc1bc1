use proptest::prelude::*;

use super::*;

fn interaction(act: Act) -> Interaction {
    let received_at = "2026-03-02T07:16:00.5Z".parse().unwrap();
    Interaction {
        id: InteractionId::new(received_at, [7; 10]),
        received_at,
        dedup_key: "event:ev_1".to_owned(),
        event_id: "ev_1".to_owned(),
        operator: Operator { open_id: "ou_1".to_owned(), ..Operator::default() },
        chat_id: "oc_1".to_owned(),
        message_id: "om_1".to_owned(),
        act,
    }
}

#[test]
fn a_button_press_looks_like_this_on_the_wire() {
    let value = serde_json::from_str(r#"{"incident_id":"INC-1"}"#).unwrap();
    let act = Act::Button {
        action: "confirm_diagnosis".to_owned(),
        value,
        option: String::new(),
        update_token: Some(Secret::new("c-1")),
    };
    let written = encode(&interaction(act.clone())).unwrap();
    let expected = serde_json::json!({
        "v": 1, "id": "019cad67-6574-7707-8707-070707070707", "received_at": "2026-03-02T07:16:00.5Z",
        "dedup_key": "event:ev_1", "event_id": "ev_1", "chat_id": "oc_1", "message_id": "om_1",
        "operator": {"open_id": "ou_1", "user_id": "", "union_id": ""}, "kind": "button",
        "action": "confirm_diagnosis", "value": {"incident_id": "INC-1"}, "option": "", "update_token": "c-1",
    });
    assert_eq!(serde_json::from_slice::<Value>(&written).unwrap(), expected);
    assert!(!format!("{act:?}").contains("c-1"));
}

#[test]
fn unknown_fields_are_ignored_and_unknown_versions_refused() {
    let written = encode(&interaction(Act::Reaction { emoji: "DONE".to_owned() })).unwrap();
    let mut json: Map<String, Value> = serde_json::from_slice(&written).unwrap();
    json.insert("later".to_owned(), Value::Bool(true));
    let read = |json: &Map<String, Value>| decode(&serde_json::to_vec(json).unwrap());
    assert_eq!(read(&json).unwrap().act.as_str(), "reaction");
    json.insert("kind".to_owned(), "wink".into());
    assert!(matches!(read(&json), Err(InteractionDecodeError::Malformed(_))));
    json.insert("v".to_owned(), 2.into());
    assert!(matches!(read(&json), Err(InteractionDecodeError::Version { found: 2 })));
}

fn act() -> impl Strategy<Value = Act> {
    let mentioned = (".*", ".*", ".*").prop_map(|(key, open_id, name)| Mentioned { key, open_id, name });
    let value = prop::collection::vec((".{0,8}", ".*".prop_map(Value::from)), 0..4);
    prop_oneof![
        (".*", prop::collection::vec(mentioned, 0..3), ".*", ".*").prop_map(
            |(text, mentions, parent_id, chat_type)| Act::Message { text, mentions, parent_id, chat_type }
        ),
        ".*".prop_map(|emoji| Act::Reaction { emoji }),
        (".*", value, ".*", prop::option::of(".*")).prop_map(|(action, value, option, token)| Act::Button {
            action,
            value: value.into_iter().collect(),
            option,
            update_token: token.map(Secret::new),
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(act in act()) {
        prop_assert!(Act::KINDS.contains(&act.as_str()));
        let whole = interaction(act);
        prop_assert_eq!(decode(&encode(&whole).unwrap()).unwrap(), whole);
    }

    #[test]
    fn no_bytes_make_reading_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode(&bytes).is_err());
    }
}
