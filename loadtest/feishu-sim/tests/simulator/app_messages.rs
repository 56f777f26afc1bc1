//! What an app sends, and what becomes of it.

use std::time::Duration;

use feishu_sim::{AppSettings, Call, ChatSettings, Fault, Lasting, Verdict};
use serde_json::{Value, json};

use crate::app_support::{
    APP, CHAT, SECRET, SEND, Tenant, api_code, message, settings, shared_card, tenant, tenant_of, with_uuid,
};
use crate::support::exchange;

const HOUR: Duration = Duration::from_hours(1);

async fn code(tenant: &Tenant, message: &Value) -> i64 {
    api_code(&tenant.send(message).await)
}

#[tokio::test]
async fn a_card_is_shown_with_the_documented_answer() {
    let tenant = tenant().await;
    let card = shared_card("disk full <at id=ou_ann></at> <at email=ann@corp.example></at>");
    let answer = tenant.send(&message(&card)).await.json();

    let data = &answer["data"];
    assert!(data["message_id"].as_str().unwrap().starts_with("om_"), "{answer}");
    assert_eq!((&data["chat_id"], &data["msg_type"]), (&json!(CHAT), &json!("interactive")));
    assert_eq!(data["create_time"], "1700000000000");
    assert_eq!(data["sender"], json!({"id": APP, "id_type": "app_id", "sender_type": "app"}));
    let [record] = tenant.sim.accepted().try_into().unwrap();
    assert_eq!(record.card(), Some(card));
    assert_eq!(record.message_id.as_deref(), data["message_id"].as_str());
    assert_eq!(record.chat_id.as_deref(), Some(CHAT));
    assert_eq!(record.mentioned, ["ou_ann", "ou_ann"]);
}

#[tokio::test]
async fn a_malformed_message_is_refused_by_what_is_wrong_with_it() {
    let tenant = tenant_of(settings().chat(ChatSettings::new("oc_without_us"))).await;
    let text = |content: Value| json!({"receive_id": CHAT, "msg_type": "text", "content": content});
    let to = |chat: &str| json!({"receive_id": chat, "msg_type": "text", "content": "{\"text\":\"hi\"}"});
    for (expected, message) in [
        (9499, json!([])),
        (9499, text(json!({"text": "hi"}))),
        (99_992_402, text(json!(""))),
        (99_992_402, json!({"receive_id": CHAT, "content": "{}"})),
        (99_992_402, with_uuid(to(CHAT), &"u".repeat(51))),
        (230_001, text(json!("hi"))),
        (230_001, text(json!("{\"text\":\"\"}"))),
        (230_001, json!({"receive_id": CHAT, "msg_type": "interactive", "content": "[]"})),
        (230_001, json!({"receive_id": CHAT, "msg_type": "audio", "content": "{}"})),
        (230_001, to("oc_nowhere")),
        (230_002, to("oc_without_us")),
        (0, with_uuid(to(CHAT), &"u".repeat(50))),
    ] {
        assert_eq!(code(&tenant, &message).await, expected, "{message}");
    }
    let path = async |path: &str| api_code(&tenant.call("POST", path, &to(CHAT)).await);
    assert_eq!(path("im/v1/messages").await, 99_992_402);
    assert_eq!(path("im/v1/messages?receive_id_type=chat").await, 99_992_402);
    assert_eq!(path("im/v1/messages?receive_id_type=open_id").await, 230_001);
    let head = format!("POST /open-apis/{SEND} HTTP/1.1\r\nAuthorization: Bearer {}\r\n", tenant.token);
    let untyped = exchange(tenant.sim.address(), &head, to(CHAT).to_string().as_bytes()).await.unwrap();
    assert_eq!(api_code(&untyped), 9499, "no content type");
    assert_eq!(tenant.call("PUT", "im/v1/messages/om_1", &json!({})).await.status, 404);
}

#[tokio::test]
async fn a_card_that_cannot_be_made_is_230099_with_its_sub_code_and_a_text_tolerates_strangers() {
    let tenant = tenant().await;
    for (card, sub_code) in [
        (shared_card("<at id=ou_stranger></at>"), "100290"),
        (shared_card("<at email=stranger@corp.example></at>"), "100290"),
        (json!({"schema": "2.0", "body": {"elements": [{"tag": "note", "elements": []}]}}), "200861"),
        (json!({"elements": [{"tag": "spaceship"}]}), "200621"),
    ] {
        let answer = tenant.send(&message(&card)).await;
        assert_eq!(api_code(&answer), 230_099, "{card}");
        let msg = answer.json()["msg"].as_str().unwrap().to_owned();
        assert!(msg.contains(&format!("ErrCode: {sub_code};")), "{msg}");
        assert!(answer.headers.contains("x-tt-logid: "), "{answer:?}");
    }
    let said = r#"{"text":"<at user_id=\"ou_stranger\">S</at> <at user_id=\"ou_ben\">B</at>"}"#;
    assert_eq!(code(&tenant, &json!({"receive_id": CHAT, "msg_type": "text", "content": said})).await, 0);
    assert_eq!(tenant.sim.accepted()[0].mentioned, ["ou_ben"]);
}

#[tokio::test]
async fn everybody_is_mentioned_only_where_the_group_allows_it() {
    let quiet = ChatSettings::new("oc_quiet").app(APP).forbid_at_all();
    let tenant = tenant_of(settings().chat(quiet)).await;
    let mut message = message(&shared_card("<at id=all></at>"));
    assert_eq!(code(&tenant, &message).await, 0);
    message["receive_id"] = json!("oc_quiet");
    assert_eq!(code(&tenant, &message).await, 11235);
}

#[tokio::test]
async fn a_request_with_a_card_may_have_30_000_bytes_and_one_with_a_text_150_000() {
    let tenant = tenant().await;
    let card = |fill: usize| message(&shared_card(&"x".repeat(fill)));
    let text = |fill: usize| {
        let content = json!({"text": "x".repeat(fill)}).to_string();
        json!({"receive_id": CHAT, "msg_type": "text", "content": content})
    };
    let card_frame = card(0).to_string().len();
    let text_frame = text(0).to_string().len();
    assert_eq!(code(&tenant, &card(30_000 - card_frame)).await, 0);
    assert_eq!(code(&tenant, &card(30_001 - card_frame)).await, 230_025);
    assert_eq!(code(&tenant, &text(150_000 - text_frame)).await, 0);
    assert_eq!(code(&tenant, &text(150_001 - text_frame)).await, 230_025);
}

#[tokio::test]
async fn the_same_uuid_makes_one_message_within_an_hour() {
    let tenant = tenant().await;
    let first = tenant.send(&with_uuid(message(&shared_card("one")), "u1")).await.json();
    for _ in 0..10 {
        let again = tenant.send(&with_uuid(message(&shared_card("another")), "u1")).await;
        assert_eq!(api_code(&again), 0, "repeats do not count against the chat's limit");
        assert_eq!(again.json()["data"]["message_id"], first["data"]["message_id"]);
    }
    let totals = tenant.sim.totals();
    assert_eq!((totals.accepted, totals.repeated), (1, 10));

    tenant.clock.advance(HOUR);
    let later = tenant.send(&with_uuid(message(&shared_card("one")), "u1")).await.json();
    assert_ne!(later["data"]["message_id"], first["data"]["message_id"]);
}

#[tokio::test]
async fn a_refused_message_does_not_use_its_uuid_up_and_a_lost_answer_does() {
    let tenant = tenant().await;
    let bad = with_uuid(message(&shared_card("<at id=ou_stranger></at>")), "u1");
    let good = with_uuid(message(&shared_card("hello")), "u1");
    assert_eq!(code(&tenant, &bad).await, 230_099);
    tenant.sim.fault_call(APP, Call::Send, &Fault::LostAnswer, Lasting::Times(1)).unwrap();
    let head = format!(
        "POST /open-apis/{SEND} HTTP/1.1\r\nContent-Type: application/json\r\nAuthorization: Bearer {}\r\n",
        tenant.token
    );
    assert!(exchange(tenant.sim.address(), &head, good.to_string().as_bytes()).await.is_err());
    assert_eq!(code(&tenant, &good).await, 0);
    let verdicts: Vec<_> = tenant.sim.records(APP).into_iter().skip(2).map(|record| record.verdict).collect();
    assert_eq!(verdicts, [Verdict::Accepted, Verdict::Repeated]);
}

#[tokio::test]
async fn a_chat_takes_5_messages_a_second_from_all_bots_together() {
    let second_app = AppSettings::new("cli_2", SECRET);
    let second_chat = ChatSettings::new("oc_2").app(APP);
    let shared = ChatSettings::new(CHAT).app(APP).app("cli_2");
    let mut tenant = tenant_of(settings().app(second_app).chat(shared).chat(second_chat)).await;
    for _ in 0..5 {
        tenant.sent(&shared_card("hello")).await;
    }
    tenant.token = tenant.new_token("cli_2", SECRET).await;
    assert_eq!(code(&tenant, &message(&shared_card("hello"))).await, 230_020);
    tenant.token = tenant.new_token(APP, SECRET).await;
    let mut elsewhere = message(&shared_card("hello"));
    elsewhere["receive_id"] = json!("oc_2");
    assert_eq!(code(&tenant, &elsewhere).await, 0);
    tenant.clock.advance(Duration::from_secs(1));
    assert_eq!(code(&tenant, &message(&shared_card("hello"))).await, 0);
}

#[tokio::test]
async fn a_reply_names_its_parent_and_root_and_opens_a_thread_where_the_group_has_them() {
    let plain = ChatSettings::new("oc_plain").app(APP).forbid_threads();
    let tenant = tenant_of(settings().chat(plain)).await;
    let root = tenant.sent(&shared_card("root")).await;
    let reply = async |parent: &str, in_thread: bool| {
        let body =
            json!({"msg_type": "text", "content": "{\"text\":\"seen\"}", "reply_in_thread": in_thread});
        tenant.call("POST", &format!("im/v1/messages/{parent}/reply"), &body).await
    };
    let first = reply(&root, false).await.json();
    let id = first["data"]["message_id"].as_str().unwrap();
    assert_eq!((&first["data"]["parent_id"], first["data"].get("thread_id")), (&json!(root), None));
    let second = reply(id, true).await.json();
    assert_eq!((&second["data"]["parent_id"], &second["data"]["root_id"]), (&json!(id), &json!(root)));
    assert!(second["data"]["thread_id"].as_str().unwrap().starts_with("omt_"));
    let third = reply(second["data"]["message_id"].as_str().unwrap(), false).await.json();
    assert_eq!(third["data"]["thread_id"], second["data"]["thread_id"], "its parent is in a thread");
    let parents: Vec<_> = tenant.sim.accepted().into_iter().map(|record| record.parent_id).collect();
    assert_eq!(parents[..2], [None, Some(root)]);

    let mut elsewhere = message(&shared_card("hello"));
    elsewhere["receive_id"] = json!("oc_plain");
    let there = tenant.send(&elsewhere).await.json()["data"]["message_id"].as_str().unwrap().to_owned();
    assert_eq!(api_code(&reply(&there, true).await), 230_071);
    assert_eq!(api_code(&reply("om_unknown", false).await), 99_992_354);
}
