//! Log in with the platform: authorisation codes, PKCE, people's tokens; and who is in a chat.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use feishu_sim::{AppSettings, UserSettings};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::app_support::{APP, CHAT, SECRET, Tenant, api_code, settings, tenant, tenant_of};
use crate::support::Answer;

const REDIRECT: &str = "http://console.example/login/done";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk-0123456789";

/// Where an answer leads to.
fn location(answer: &Answer) -> Option<&str> {
    answer.headers.lines().find_map(|line| line.strip_prefix("location: "))
}

async fn login_tenant() -> Tenant {
    let app = AppSettings::new(APP, SECRET).redirect_url(REDIRECT);
    let settings = settings()
        .app(app)
        .app(AppSettings::new("cli_other", "other-secret"))
        .user(UserSettings::new("ou_dora").name("朵拉").tenant_key("t-other"))
        .user(UserSettings::new("ou_eve").outside_app());
    let tenant = tenant_of(settings).await;
    tenant.sim.sits_at_browser(Some("ou_dora"));
    tenant
}

fn authorize_path(changes: &[(&str, &str)]) -> String {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut query = vec![
        ("client_id", APP),
        ("response_type", "code"),
        ("redirect_uri", "http%3A%2F%2Fconsole.example%2Flogin%2Fdone"),
        ("state", "s1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (name, value) in changes {
        query.retain(|(known, _)| known != name);
        query.push((name, value));
    }
    let query: Vec<_> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
    format!("authen/v1/authorize?{}", query.join("&"))
}

async fn authorize(tenant: &Tenant, changes: &[(&str, &str)]) -> Answer {
    tenant.call_as("", "GET", &authorize_path(changes), &Value::Null).await
}

async fn code(tenant: &Tenant) -> String {
    let answer = authorize(tenant, &[]).await;
    let leads_to = location(&answer).unwrap();
    let query = leads_to.strip_prefix(&format!("{REDIRECT}?code=")).unwrap();
    query.strip_suffix("&state=s1").unwrap().to_owned()
}

async fn exchanged(tenant: &Tenant, code: &str, changes: &Value) -> Answer {
    let mut asked = json!({
        "grant_type": "authorization_code", "client_id": APP, "client_secret": SECRET, "code": code,
        "redirect_uri": REDIRECT, "code_verifier": VERIFIER,
    });
    for (name, value) in changes.as_object().unwrap() {
        asked[name] = value.clone();
    }
    tenant.call_as("", "POST", "authen/v2/oauth/token", &asked).await
}

#[tokio::test]
async fn a_code_becomes_a_long_token_that_says_who_it_is() {
    let tenant = login_tenant().await;
    let answer = exchanged(&tenant, &code(&tenant).await, &json!({})).await.json();
    assert_eq!((answer["code"].as_i64(), answer["expires_in"].as_i64()), (Some(0), Some(7_200)));
    let token = answer["access_token"].as_str().unwrap();
    assert!(token.len() > 1_000 && answer.get("data").is_none() && answer.get("refresh_token").is_none());
    let who = format!("Bearer {token}");
    let user = tenant.call_as(&who, "GET", "authen/v1/user_info", &Value::Null).await.json();
    let data = &user["data"];
    assert_eq!((data["open_id"].as_str(), data["tenant_key"].as_str()), (Some("ou_dora"), Some("t-other")));
    assert_eq!(data["name"], "朵拉");
    tenant.clock.advance(Duration::from_hours(2));
    let late = tenant.call_as(&who, "GET", "authen/v1/user_info", &Value::Null).await;
    assert_eq!(
        (late.status, &late.json()["code"]),
        (200, &json!(20_005)),
        "refused, with a status of success"
    );
}

#[tokio::test]
async fn a_code_is_good_once_for_five_minutes_and_for_whoever_asked_for_it() {
    let tenant = login_tenant().await;
    for (changes, expected) in [
        (json!({"code_verifier": "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk-other"}), 20_049),
        (json!({"code_verifier": ""}), 20_049),
        (json!({"redirect_uri": "http://console.example/other"}), 20_071),
        (json!({"redirect_uri": ""}), 20_071),
        (json!({"client_secret": "wrong"}), 20_002),
        (json!({"client_id": "cli_other", "client_secret": "other-secret"}), 20_024),
        (json!({"client_id": "cli_none"}), 20_048),
        (json!({"grant_type": "password"}), 20_036),
        (json!({"code": "guessed"}), 20_003),
    ] {
        let refused = exchanged(&tenant, &code(&tenant).await, &changes).await;
        assert_eq!((refused.status, api_code(&refused)), (400, expected), "{changes}");
    }
    let used = code(&tenant).await;
    assert_eq!(api_code(&exchanged(&tenant, &used, &json!({})).await), 0);
    assert_eq!(api_code(&exchanged(&tenant, &used, &json!({})).await), 20_065);
    let old = code(&tenant).await;
    tenant.clock.advance(Duration::from_mins(5));
    assert_eq!(api_code(&exchanged(&tenant, &old, &json!({})).await), 20_004);
    tenant.sim.sits_at_browser(Some("ou_eve"));
    assert_eq!(api_code(&exchanged(&tenant, &code(&tenant).await, &json!({})).await), 20_010);
}

#[tokio::test]
async fn a_browser_is_sent_back_only_to_where_the_app_is_set_to() {
    let tenant = login_tenant().await;
    for (changes, expected) in [
        (("redirect_uri", "http%3A%2F%2Fevil.example%2Flogin%2Fdone"), 20_029),
        (("redirect_uri", "http%3A%2F%2Fconsole.example%2Flogin"), 20_029),
        (("client_id", "cli_other"), 20_029),
        (("client_id", "cli_none"), 20_048),
        (("response_type", "token"), 20_001),
        (("code_challenge", "short"), 20_001),
    ] {
        let refused = authorize(&tenant, &[changes]).await;
        assert_eq!((refused.status, api_code(&refused)), (400, expected), "{changes:?}");
    }
    let query =
        authorize(&tenant, &[("redirect_uri", "http%3A%2F%2Fconsole.example%2Flogin%2Fdone%3Fa%3D1")]).await;
    assert!(location(&query).unwrap().starts_with("http://console.example/login/done?a=1&code="));
    tenant.sim.sits_at_browser(None);
    let denied = authorize(&tenant, &[]).await;
    assert_eq!(location(&denied), Some("http://console.example/login/done?error=access_denied&state=s1"));
}

#[tokio::test]
async fn the_members_of_a_chat_come_in_pages_to_bots_that_are_in_it() {
    let tenant = tenant().await;
    let path = format!("im/v1/chats/{CHAT}/members?member_id_type=open_id&page_size=1");
    let first = tenant.call("GET", &path, &Value::Null).await.json();
    assert_eq!(
        (&first["data"]["items"][0]["member_id"], &first["data"]["has_more"]),
        (&json!("ou_ann"), &json!(true))
    );
    let next = format!("{path}&page_token={}", first["data"]["page_token"].as_str().unwrap());
    let second = tenant.call("GET", &next, &Value::Null).await.json();
    assert_eq!(
        (&second["data"]["items"][0]["member_id"], &second["data"]["has_more"]),
        (&json!("ou_ben"), &json!(false))
    );
    let unknown = tenant.call("GET", "im/v1/chats/oc_none/members", &Value::Null).await;
    assert_eq!((unknown.status, api_code(&unknown)), (400, 232_006));
    let too_many =
        tenant.call("GET", &format!("im/v1/chats/{CHAT}/members?page_size=101"), &Value::Null).await;
    assert_eq!(api_code(&too_many), 99_992_402);
}
