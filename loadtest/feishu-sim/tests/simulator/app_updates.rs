//! New cards for messages, and what a message showed when.

use std::time::Duration;

use feishu_sim::{AppSettings, ChatSettings};
use serde_json::json;

use crate::app_support::{APP, CHAT, SECRET, api_code, message, settings, shared_card, tenant, tenant_of};
use crate::support::request;

const DAY: Duration = Duration::from_hours(24);

#[tokio::test]
async fn a_message_shows_its_updates_in_their_order() {
    let tenant = tenant().await;
    let message_id = tenant.sent(&shared_card("open")).await;
    for content in ["acknowledged", "resolved"] {
        tenant.clock.advance(Duration::from_secs(1));
        assert_eq!(api_code(&tenant.update(&message_id, &shared_card(content)).await), 0);
    }
    let shown = tenant.sim.shown(&message_id);
    let cards: Vec<_> = shown.iter().filter_map(feishu_sim::Record::card).collect();
    assert_eq!(cards, ["open", "acknowledged", "resolved"].map(shared_card));
    assert!(shown.windows(2).all(|pair| pair[0].at < pair[1].at));
    let totals = tenant.sim.totals();
    assert_eq!((totals.accepted, totals.updated), (1, 2));

    let page = request(tenant.sim.address(), "GET", "/", b"").await.unwrap().body;
    assert!(page.contains("resolved") && page.contains("update 2 at "), "{page}");
    assert!(!page.contains("acknowledged"), "{page}");
}

#[tokio::test]
async fn a_card_is_updated_only_where_both_cards_say_update_multi() {
    let tenant = tenant().await;
    let silent = json!({"elements": [{"tag": "hr"}]});
    let schema_2 = json!({"schema": "2.0", "config": {"update_multi": true}, "body": {"elements": []}});
    let shared = tenant.sent(&shared_card("open")).await;
    assert_eq!(api_code(&tenant.update(&shared, &silent).await), 230_001);
    let unshared = tenant.sent(&silent).await;
    assert_eq!(api_code(&tenant.update(&unshared, &shared_card("new")).await), 230_001);

    assert_eq!(api_code(&tenant.update(&shared, &schema_2).await), 0);
    let answer = tenant.update(&shared, &shared_card("back to 1.0")).await;
    assert_eq!(api_code(&answer), 230_099);
    assert!(answer.body.contains("ErrCode: 200830;"), "{answer:?}");
}

#[tokio::test]
async fn an_update_is_refused_by_what_is_wrong_with_it() {
    let guest = ChatSettings::new(CHAT).app(APP).app("cli_2");
    let mut tenant = tenant_of(settings().app(AppSettings::new("cli_2", SECRET)).chat(guest)).await;
    let message_id = tenant.sent(&shared_card("open")).await;
    let text = json!({"receive_id": CHAT, "msg_type": "text", "content": "{\"text\":\"hi\"}"});
    let text_id = tenant.send(&text).await.json()["data"]["message_id"].as_str().unwrap().to_owned();
    for (code, message_id, card) in [
        (99_992_354, "om_unknown", shared_card("new")),
        (99_992_354, "c-token", shared_card("new")),
        (230_001, text_id.as_str(), shared_card("new")),
        (230_025, message_id.as_str(), shared_card(&"x".repeat(30_000))),
        (230_099, message_id.as_str(), shared_card("<at id=ou_stranger></at>")),
    ] {
        assert_eq!(api_code(&tenant.update(message_id, &card).await), code, "{message_id}");
    }
    let path = format!("im/v1/messages/{message_id}");
    assert_eq!(api_code(&tenant.call("PATCH", &path, &json!({"content": {}})).await), 9499);
    tenant.token = tenant.new_token("cli_2", SECRET).await;
    assert_eq!(api_code(&tenant.update(&message_id, &shared_card("new")).await), 230_012);
    assert_eq!(tenant.sim.shown(&message_id).len(), 1);
}

#[tokio::test]
async fn a_card_can_be_updated_for_14_days() {
    let mut tenant = tenant().await;
    let message_id = tenant.sent(&shared_card("open")).await;
    tenant.clock.advance(14 * DAY);
    tenant.token = tenant.new_token(APP, SECRET).await;
    assert_eq!(api_code(&tenant.update(&message_id, &shared_card("new")).await), 0);
    tenant.clock.advance(Duration::from_secs(1));
    assert_eq!(api_code(&tenant.update(&message_id, &shared_card("new")).await), 230_031);
}

#[tokio::test]
async fn a_message_takes_5_updates_a_second_and_another_one_as_many() {
    let tenant = tenant().await;
    let first = tenant.sent(&shared_card("1")).await;
    let second = tenant.sent(&shared_card("2")).await;
    for code in [0, 0, 0, 0, 0, 230_020] {
        assert_eq!(api_code(&tenant.update(&first, &shared_card("new")).await), code);
    }
    assert_eq!(api_code(&tenant.update(&second, &shared_card("new")).await), 0);
    tenant.clock.advance(Duration::from_secs(1));
    assert_eq!(api_code(&tenant.update(&first, &shared_card("new")).await), 0);
    assert_eq!(api_code(&tenant.send(&message(&shared_card("3"))).await), 0);
}

#[tokio::test]
async fn what_was_recalled_is_neither_updated_nor_replied_to() {
    let tenant = tenant().await;
    let message_id = tenant.sent(&shared_card("open")).await;
    assert!(tenant.sim.recall(&message_id) && !tenant.sim.recall(&message_id) && !tenant.sim.recall("om_0"));
    assert_eq!(api_code(&tenant.update(&message_id, &shared_card("over")).await), 230_011);
    let reply = json!({"msg_type": "text", "content": "{\"text\":\"seen\"}"});
    let answer = tenant.call("POST", &format!("im/v1/messages/{message_id}/reply"), &reply).await;
    assert_eq!(api_code(&answer), 230_011);
}
