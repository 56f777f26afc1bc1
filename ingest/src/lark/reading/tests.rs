use std::fmt::Write as _;

use super::*;

fn read(body: &str) -> EventReading {
    let parsed: Body<'_> = serde_json::from_str(body).unwrap();
    let received_at = "2026-03-02T07:16:00.5Z".parse().unwrap();
    parsed.read(body, Arrival { id: InteractionId::new(received_at, [7; 10]), received_at })
}

fn taken(body: &str) -> Interaction {
    match read(body) {
        EventReading::Taken(interaction) => *interaction,
        other @ (EventReading::Ignored | EventReading::Unusable) => panic!("{other:?}: {body}"),
    }
}

/// Names, address, key, and what was done, for comparison in one look.
fn told(body: &str) -> String {
    let Interaction { dedup_key, event_id, operator, chat_id, message_id, act, .. } = taken(body);
    let Operator { open_id, user_id, union_id } = operator;
    let mut text =
        format!("{dedup_key} {event_id} by {open_id}/{user_id}/{union_id} in {chat_id} on {message_id}: ");
    match act {
        Act::Message { text: said, mentions, parent_id, chat_type: _ } => {
            write!(text, "says {said:?} to {} after {parent_id}", mentions.len()).unwrap();
        }
        Act::Reaction { emoji } => write!(text, "feels {emoji}").unwrap(),
        Act::Button { action, value, option, update_token } => {
            let token = update_token.as_ref().map_or("", Secret::expose);
            write!(text, "presses {action} {} {option} {token}", Value::from(value)).unwrap();
        }
    }
    text
}

const MESSAGE: &str = r#"{"schema":"2.0","header":{"event_id":"ev_test_0001","event_type":"im.message.receive_v1","create_time":"1700000000123","token":"test-verification-token-01","app_id":"cli_test0001","tenant_key":"tk_test0001"},"event":{"sender":{"sender_id":{"open_id":"ou_test0001"},"sender_type":"user","tenant_key":"tk_test0001"},"message":{"message_id":"om_test0001","create_time":"1700000000100","chat_id":"oc_test0001","chat_type":"group","message_type":"text","content":"{\"text\":\"@_user_1 你好\"}","mentions":[{"key":"@_user_1","id":{"open_id":"ou_test0002"},"name":"Bot","tenant_key":"tk_test0001"}]}}}"#;
const REACTION: &str = r#"{"schema":"2.0","header":{"event_id":"ev_2","event_type":"im.message.reaction.created_v1"},
    "event":{"message_id":"om_2","reaction_type":{"emoji_type":"DONE"},"operator_type":"user",
             "user_id":{"union_id":"on_1","user_id":"u_1","open_id":"ou_1"},"action_time":"1700000000100"}}"#;
const PRESS: &str = r#"{"schema":"2.0","header":{"event_id":"ev_3","event_type":"card.action.trigger","token":"t"},
    "event":{"operator":{"tenant_key":"tk","open_id":"ou_1","union_id":"on_1"},"token":"c-1",
             "action":{"value":{"action":"ack","alert":"a1"},"tag":"select_static","option":"1h"},
             "host":"im_message","context":{"open_message_id":"om_3","open_chat_id":"oc_3"}}}"#;
/// As the documentation of the service before us has it.
const SEED_EVENT: &str = r#"{"type":"event_callback","event":{"message":{"content":"{\"text\":\"@ai_fixer /help\"}","sender":{"sender_id":{"open_id":"ou_xxxxxxxx"}}}}}"#;
const SEED_PRESS: &str = r#"{"action":{"value":{"action":"confirm_diagnosis","incident_id":"INC-20240115-001"}},"open_id":"ou_xxxxxxxx","token":"xxxxxxxx"}"#;

#[test]
fn events_and_presses_of_every_shape_become_interactions() {
    let schema_1 = r#"{"uuid":"uu-1","token":"t","ts":"1","type":"event_callback","event":{"type":"im.message.receive_v1",
        "sender":{"sender_id":{"user_id":"u_1"}},"message":{"content":"{\"text\":\"/ack\"}","parent_id":"om_0"}}}"#;
    let old_press = r#"{"open_id":"ou_test0001","user_id":"u_test01","open_message_id":"om_test0001","tenant_key":"tk_test0001","token":"c-test0001","action":{"value":{"key":"ok"},"tag":"button"}}"#;
    let table = [
        (
            MESSAGE,
            "message:om_test0001 ev_test_0001 by ou_test0001// in oc_test0001 on om_test0001: says \"@_user_1 你好\" to 1 after ",
        ),
        (REACTION, "event:ev_2 ev_2 by ou_1/u_1/on_1 in  on om_2: feels DONE"),
        (
            PRESS,
            r#"event:ev_3 ev_3 by ou_1//on_1 in oc_3 on om_3: presses ack {"action":"ack","alert":"a1"} 1h c-1"#,
        ),
        (schema_1, "event:uu-1 uu-1 by /u_1/ in  on : says \"/ack\" to 0 after om_0"),
        (
            old_press,
            r#"press:bd2c9d7e2d4d578b84d50916ffe1db1d  by ou_test0001/u_test01/ in  on om_test0001: presses  {"key":"ok"}  c-test0001"#,
        ),
    ];
    for (body, expected) in table {
        assert_eq!(told(body), expected);
    }
}

#[test]
fn the_bodies_of_the_service_before_us_are_understood() {
    assert!(told(SEED_EVENT).ends_with(r#" by ou_xxxxxxxx// in  on : says "@ai_fixer /help" to 0 after "#));
    let pressed = r#" by ou_xxxxxxxx// in  on : presses confirm_diagnosis {"action":"confirm_diagnosis","incident_id":"INC-20240115-001"}  xxxxxxxx"#;
    assert!(told(SEED_PRESS).ends_with(pressed), "{}", told(SEED_PRESS));
}

#[test]
fn a_value_may_be_a_text_or_an_object_in_a_text() {
    let press = |value: &str| {
        told(&SEED_PRESS.replace(r#"{"action":"confirm_diagnosis","incident_id":"INC-20240115-001"}"#, value))
    };
    assert!(press(r#""ack""#).ends_with("presses ack {}  xxxxxxxx"));
    let expected = r#"presses ack {"action":"ack","id":1}  xxxxxxxx"#;
    assert!(press(r#""{\"action\":\"ack\",\"id\":1}""#).ends_with(expected));
    assert!(press(r#"{"action":7}"#).ends_with(r#"presses  {"action":7}  xxxxxxxx"#));
}

#[test]
fn the_key_is_the_same_for_a_repeat_and_another_for_another() {
    let key = |body: &str| taken(body).dedup_key;
    // A message that comes under another event id is the same message.
    assert_eq!(key(MESSAGE), key(&MESSAGE.replace("ev_test_0001", "ev_test_0009")));
    assert_eq!(key(PRESS), key(&PRESS.replace("c-1", "c-2")));
    for (one, from, to) in [
        (MESSAGE, "om_test0001", "om_test0009"),
        (REACTION, "ev_2", "ev_9"),
        (PRESS, "ev_3", "ev_9"),
        (SEED_PRESS, "xxxxxxxx\"}", "yyyyyyyy\"}"),
        (SEED_EVENT, "/help", "/ack"),
    ] {
        assert_eq!(key(one), key(one), "{one}");
        assert_ne!(key(one), key(&one.replace(from, to)), "{one}");
    }
    assert!(key(SEED_PRESS).starts_with("press:") && !key(SEED_PRESS).contains("xxxxxxxx"));
    assert!(key(SEED_EVENT).starts_with("body:"));
}

#[test]
fn what_is_none_of_ours_is_ignored() {
    for body in [
        r#"{"schema":"2.0","header":{"event_type":"im.chat.disbanded_v1"},"event":{"message":{}}}"#
            .to_owned(),
        r#"{"type":"event_callback","event":{"type":"message","text":"an old event"}}"#.to_owned(),
        r#"{"type":"event_callback","event":{}}"#.to_owned(),
        r#"{"schema":"2.0","header":{"event_type":"im.message.receive_v1"}}"#.to_owned(),
        "{}".to_owned(),
        MESSAGE.replace("\"sender_type\":\"user\"", "\"sender_type\":\"app\""),
        MESSAGE.replace(r#"{\"text\":\"@_user_1 你好\"}"#, r#"{\"image_key\":\"img_1\"}"#),
        REACTION.replace("\"operator_type\":\"user\"", "\"operator_type\":\"app\""),
    ] {
        assert!(matches!(read(&body), EventReading::Ignored), "{body}");
    }
}

#[test]
fn what_lacks_who_or_what_is_unusable() {
    for body in [
        MESSAGE.replace("open_id\":\"ou_test0001", "x\":\""),
        MESSAGE.replace("\"message\":", "\"nothing\":"),
        REACTION.replace("\"message_id\":\"om_2\"", "\"message_id\":null"),
        REACTION.replace("emoji_type", "x"),
        PRESS.replace("\"operator\":", "\"x\":"),
        PRESS.replace("\"action\":{", "\"x\":{"),
        SEED_PRESS.replace("open_id", "x"),
        SEED_PRESS.replace("\"value\"", "\"x\""),
        SEED_PRESS.replace("INC-20240115-001", &"x".repeat(VALUE_BYTES_MAX)),
        SEED_PRESS.replace("ou_xxxxxxxx", &"x".repeat(ID_BYTES_MAX + 1)),
    ] {
        assert!(matches!(read(&body), EventReading::Unusable), "{body}");
    }
}

#[test]
fn a_long_text_is_cut_between_two_characters() {
    let long = MESSAGE.replace("你好", &"你好".repeat(TEXT_BYTES_MAX));
    let Act::Message { text, .. } = taken(&long).act else { panic!("not a message") };
    assert!(text.len() <= TEXT_BYTES_MAX && text.len() > TEXT_BYTES_MAX - 4 && text.ends_with(['你', '好']));
}
