//! Tokens of apps, and what the gateway lets through.

use std::time::Duration;

use feishu_sim::{AppSettings, Call, Fault, Lasting, Limits, Verdict};
use serde_json::json;

use crate::app_support::{
    APP, SECRET, SEND, Tenant, api_code, message, settings, shared_card, tenant, tenant_of,
};

const MINUTE: Duration = Duration::from_mins(1);

async fn code_as(tenant: &Tenant, who: &str) -> i64 {
    api_code(&tenant.call_as(who, "POST", SEND, &message(&shared_card("hello"))).await)
}

#[tokio::test]
async fn the_same_token_is_given_while_half_an_hour_of_it_is_left_and_then_both_are_valid() {
    let tenant = tenant().await;
    let answer = tenant.ask_token(APP, SECRET).await.json();
    assert_eq!((&answer["tenant_access_token"], &answer["expire"]), (&json!(tenant.token), &json!(7200)));

    tenant.clock.advance(90 * MINUTE);
    let answer = tenant.ask_token(APP, SECRET).await.json();
    assert_eq!((&answer["tenant_access_token"], &answer["expire"]), (&json!(tenant.token), &json!(1800)));

    tenant.clock.advance(Duration::from_secs(1));
    let newer = tenant.new_token(APP, SECRET).await;
    assert_ne!(newer, tenant.token);
    assert_eq!(code_as(&tenant, &format!("Bearer {}", tenant.token)).await, 0);
    assert_eq!(code_as(&tenant, &format!("Bearer {newer}")).await, 0);

    tenant.clock.advance(30 * MINUTE);
    assert_eq!(code_as(&tenant, &format!("Bearer {}", tenant.token)).await, 99_991_663);
    assert_eq!(code_as(&tenant, &format!("Bearer {newer}")).await, 0);
}

#[tokio::test]
async fn a_wrong_secret_an_unknown_app_and_a_disabled_one_get_no_token() {
    let tenant = tenant_of(settings().app(AppSettings::new("cli_off", SECRET).disabled())).await;
    for (app_id, secret, code) in
        [(APP, "wrong", 10015), ("cli_other", SECRET, 10003), ("cli_off", SECRET, 10014), ("", "", 10003)]
    {
        assert_eq!(api_code(&tenant.ask_token(app_id, secret).await), code, "{app_id}");
    }
}

#[tokio::test]
async fn a_call_without_a_valid_token_is_refused_by_what_is_wrong_with_it() {
    let tenant = tenant().await;
    for (who, code) in [
        ("", 99_991_661),
        ("Basic abc", 99_991_661),
        ("Bearer abc", 99_991_671),
        ("Bearer u-abc", 99_991_668),
        ("Bearer t-abc", 99_991_663),
    ] {
        assert_eq!(code_as(&tenant, who).await, code, "{who:?}");
    }
    assert!(tenant.sim.accepted().is_empty());
}

#[tokio::test]
async fn expired_at_once_a_token_is_99991663_and_a_new_one_is_given() {
    let tenant = tenant().await;
    tenant.sim.expire_tokens(APP).unwrap();
    assert_eq!(code_as(&tenant, &format!("Bearer {}", tenant.token)).await, 99_991_663);
    let newer = tenant.new_token(APP, SECRET).await;
    assert_ne!(newer, tenant.token);
    assert_eq!(code_as(&tenant, &format!("Bearer {newer}")).await, 0);
    assert!(tenant.sim.expire_tokens("cli_other").is_err());
}

#[tokio::test]
async fn no_record_holds_a_secret_or_a_token() {
    let tenant = tenant().await;
    tenant.sent(&shared_card("hello")).await;
    let records = tenant.sim.records(APP);
    assert_eq!(
        records.iter().map(|record| record.call).collect::<Vec<_>>(),
        [Some(Call::Token), Some(Call::Send)]
    );
    let told = format!("{records:?}");
    assert!(!told.contains(SECRET) && !told.contains(&tenant.token), "{told}");
}

#[tokio::test]
async fn each_kind_of_call_has_a_limit_of_its_own_and_says_when_to_come_back() {
    let limits = Limits { per_second: 2, per_minute: 3, enforced: true };
    let tenant = tenant_of(settings().app(AppSettings::new(APP, SECRET).limits(limits))).await;
    let ask = async || tenant.call("POST", "contact/v3/users/batch_get_id", &json!({"mobiles": ["1"]})).await;
    for code in [0, 0, 99_991_400] {
        assert_eq!(api_code(&ask().await), code);
    }
    assert!(ask().await.headers.contains("x-ogw-ratelimit-reset: 1"));
    tenant.sent(&shared_card("another kind of call")).await;

    tenant.clock.advance(Duration::from_secs(1));
    assert_eq!(api_code(&ask().await), 0);
    assert!(ask().await.headers.contains("x-ogw-ratelimit-reset: 59"), "the minute is used up");
    assert_eq!(tenant.sim.totals().throttled, 3);
}

#[tokio::test]
async fn faults_are_scripted_for_one_kind_of_call() {
    let tenant = tenant().await;
    let refusal = Fault::Refusal { code: 230_049, msg: "The message is being sent".to_owned() };
    tenant.sim.fault_call(APP, Call::Send, &refusal, Lasting::Times(1)).unwrap();
    assert_eq!(api_code(&tenant.ask_token(APP, SECRET).await), 0);
    assert_eq!(api_code(&tenant.send(&message(&shared_card("hello"))).await), 230_049);
    tenant.sim.fault_call(APP, Call::Send, &refusal, Lasting::UntilCleared).unwrap();
    assert_eq!(api_code(&tenant.send(&message(&shared_card("hello"))).await), 230_049);
    tenant.sim.clear_call_faults(APP).unwrap();
    tenant.sent(&shared_card("hello")).await;
    let verdicts: Vec<_> = tenant.sim.records(APP).into_iter().skip(2).map(|record| record.verdict).collect();
    assert_eq!(verdicts, [Verdict::Faulted, Verdict::Faulted, Verdict::Accepted]);
    assert!(tenant.sim.fault_call("cli_other", Call::Send, &refusal, Lasting::Times(1)).is_err());
}
