//! Ids of people by mobile and e-mail, and the controls of apps on the simulator as a process.

use feishu_sim::{AppSettings, Call};
use serde_json::{Value, json};

use crate::app_support::{APP, SECRET, Tenant, api_code, settings, tenant, tenant_of};
use crate::control::{control, spawn};
use crate::support::request;

const LOOK_UP: &str = "contact/v3/users/batch_get_id";

async fn rows(tenant: &Tenant, asked: &Value) -> Value {
    let answer = tenant.call("POST", LOOK_UP, asked).await;
    assert_eq!(api_code(&answer), 0, "{answer:?}");
    answer.json()["data"]["user_list"].clone()
}

#[tokio::test]
async fn known_people_have_an_id_and_unknown_ones_only_what_was_asked() {
    let tenant = tenant().await;
    let asked = json!({"mobiles": ["13800000001", "+8613800000001", "+4915100000002", "15100000002"],
                       "emails": ["Ann@corp.example", "nobody@corp.example", "cleo@corp.example"]});
    assert_eq!(
        rows(&tenant, &asked).await,
        json!([
            {"mobile": "13800000001", "user_id": "ou_ann"},
            {"mobile": "+8613800000001", "user_id": "ou_ann"},
            {"mobile": "+4915100000002", "user_id": "ou_ben"},
            {"mobile": "15100000002"},
            {"email": "Ann@corp.example", "user_id": "ou_ann"},
            {"email": "nobody@corp.example"},
            {"email": "cleo@corp.example"},
        ])
    );
    let with_resigned = json!({"emails": ["cleo@corp.example"], "include_resigned": true});
    assert_eq!(rows(&tenant, &with_resigned).await[0]["user_id"], "ou_cleo");
    assert_eq!(tenant.sim.records(APP).last().unwrap().call, Some(Call::LookUp));
}

#[tokio::test]
async fn fifty_mobiles_and_fifty_mails_are_one_call_and_the_51st_is_too_many() {
    let tenant = tenant().await;
    let many = |count: usize| vec!["13800000001"; count];
    assert_eq!(
        rows(&tenant, &json!({"mobiles": many(50), "emails": many(50)})).await.as_array().unwrap().len(),
        100
    );
    for asked in [json!({"mobiles": many(51)}), json!({"emails": many(51)})] {
        assert_eq!(api_code(&tenant.call("POST", LOOK_UP, &asked).await), 99_992_402);
    }
    assert_eq!(api_code(&tenant.call("POST", LOOK_UP, &json!({"mobiles": [1]})).await), 9499);
    let path = format!("{LOOK_UP}?user_id_type=phone");
    assert_eq!(api_code(&tenant.call("POST", &path, &json!({})).await), 99_992_402);
}

#[tokio::test]
async fn without_the_scope_nobody_is_looked_up() {
    let tenant = tenant_of(settings().app(AppSettings::new(APP, SECRET).without_contact_scope())).await;
    let answer = tenant.call("POST", LOOK_UP, &json!({"mobiles": ["13800000001"]})).await;
    assert_eq!(api_code(&answer), 99_991_672);
    assert!(answer.body.contains("contact:user.id:readonly"), "{answer:?}");
}

#[tokio::test]
async fn faults_and_expiry_of_an_app_are_ordered_over_http() {
    let (_child, address) = spawn(&["--app-id", "cli_1", "--app-secret", "s", "--chat-id", "oc_1"]).await;
    let token = async || {
        let asked = json!({"app_id": "cli_1", "app_secret": "s"}).to_string();
        let path = "/open-apis/auth/v3/tenant_access_token/internal";
        request(address, "POST", path, asked.as_bytes()).await.unwrap()
    };
    let first = token().await.json()["tenant_access_token"].clone();
    assert_eq!(control(address, "POST", "/_sim/expire", &json!({"app": "cli_1"})).await.status, 200);
    assert_ne!(token().await.json()["tenant_access_token"], first);
    assert_eq!(control(address, "POST", "/_sim/expire", &json!({"app": "cli_2"})).await.status, 404);

    let order = json!({"fault": {"kind": "server_error", "status": 503}, "app": "cli_1", "call": "token"});
    assert_eq!(control(address, "POST", "/_sim/faults", &order).await.status, 200);
    assert_eq!(token().await.status, 503);
    assert_eq!(control(address, "DELETE", "/_sim/faults?app=cli_1", &Value::Null).await.status, 200);
    assert_eq!(token().await.status, 200);
    control(address, "POST", "/_sim/faults", &order).await;
    control(address, "DELETE", "/_sim/faults", &Value::Null).await;
    assert_eq!(token().await.status, 200);
    let halved = json!({"fault": {"kind": "reset"}, "app": "cli_1"});
    assert_eq!(control(address, "POST", "/_sim/faults", &halved).await.status, 400);
}
