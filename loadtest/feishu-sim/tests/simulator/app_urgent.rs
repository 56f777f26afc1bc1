//! Urgent pushes: whom they call, and what is refused.

use feishu_sim::{AppSettings, ChatSettings, SimSettings, UserSettings};
use serde_json::{Value, json};

use crate::app_support::{APP, CHAT, SECRET, Tenant, api_code, shared_card, tenant, tenant_of};
use crate::support::Answer;

async fn urge(tenant: &Tenant, message_id: &str, how: &str, people: &[&str]) -> Answer {
    let path = format!("im/v1/messages/{message_id}/urgent_{how}?user_id_type=open_id");
    tenant.call("PATCH", &path, &json!({ "user_id_list": people })).await
}

fn invalid(answer: &Answer) -> Value {
    answer.json()["data"]["invalid_user_id_list"].clone()
}

async fn tenant_with(app: AppSettings, chat: ChatSettings) -> (Tenant, String) {
    let settings = SimSettings::new([])
        .app(app)
        .chat(chat.app(APP).member("ou_ann").member("ou_gone"))
        .user(UserSettings::new("ou_ann"))
        .user(UserSettings::new("ou_gone").resigned());
    let tenant = tenant_of(settings).await;
    let message_id = tenant.sent(&shared_card("open")).await;
    (tenant, message_id)
}

#[tokio::test]
async fn people_of_the_chat_are_called_and_the_others_are_named() {
    let tenant = tenant().await;
    let message_id = tenant.sent(&shared_card("open")).await;
    for how in ["app", "sms", "phone"] {
        let answer = urge(&tenant, &message_id, how, &["ou_ann", "ou_stranger"]).await;
        assert_eq!(api_code(&answer), 0, "{answer:?}");
        assert_eq!(invalid(&answer), json!(["ou_stranger"]));
    }
    let records = tenant.sim.records(APP);
    let called: Vec<_> = records.iter().rev().take(3).map(|record| record.mentioned.clone()).collect();
    assert_eq!(called, vec![vec!["ou_ann".to_owned()]; 3]);
    assert_eq!(api_code(&urge(&tenant, &message_id, "app", &["ou_stranger"]).await), 230_001);
}

#[tokio::test]
async fn what_is_wrong_with_a_call_is_refused() {
    let tenant = tenant().await;
    let message_id = tenant.sent(&shared_card("open")).await;
    let untyped = format!("im/v1/messages/{message_id}/urgent_app");
    let answer = tenant.call("PATCH", &untyped, &json!({"user_id_list": ["ou_ann"]})).await;
    assert_eq!(api_code(&answer), 99_992_402);
    let many: Vec<String> = (0..201).map(|number| format!("ou_{number}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(api_code(&urge(&tenant, &message_id, "app", &many).await), 99_992_402);
    assert_eq!(api_code(&urge(&tenant, &message_id, "app", &[]).await), 99_992_402);
    assert_eq!(api_code(&urge(&tenant, "om_unknown", "app", &["ou_ann"]).await), 99_992_354);
    assert!(tenant.sim.recall(&message_id));
    assert_eq!(api_code(&urge(&tenant, &message_id, "app", &["ou_ann"]).await), 230_011);
}

#[tokio::test]
async fn permissions_groups_and_quotas_are_held() {
    let app = || AppSettings::new(APP, SECRET);
    let chat = || ChatSettings::new(CHAT);
    for (app, chat, how, person, code) in [
        (app().without_urgent_scope(), chat(), "app", "ou_ann", 99_991_672),
        (app(), chat().forbid_urgent(), "app", "ou_ann", 230_052),
        (app(), chat().external(), "app", "ou_ann", 230_027),
        (app().urgent_quota(0, 1), chat(), "sms", "ou_ann", 230_024),
        (app().urgent_quota(1, 0), chat(), "phone", "ou_ann", 230_024),
        (app(), chat(), "app", "ou_gone", 230_013),
    ] {
        let (tenant, message_id) = tenant_with(app, chat).await;
        let answer = urge(&tenant, &message_id, how, &[person]).await;
        assert_eq!(api_code(&answer), code, "{answer:?}");
    }
}

#[tokio::test]
async fn whoever_reads_none_is_called_no_more_after_two_hundred() {
    let tenant = tenant().await;
    let message_id = tenant.sent(&shared_card("open")).await;
    for _ in 0..201 {
        tenant.clock.advance(std::time::Duration::from_secs(1));
        assert_eq!(api_code(&urge(&tenant, &message_id, "app", &["ou_ann"]).await), 0);
    }
    assert_eq!(api_code(&urge(&tenant, &message_id, "app", &["ou_ann"]).await), 230_023);
    assert_eq!(api_code(&urge(&tenant, &message_id, "app", &["ou_ben"]).await), 0);
}
