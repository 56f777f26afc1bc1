//! Each answer of the HTTP surface, and what the queue got.

use model::envelope::{Envelope, Source, decode};
use queue::{MessageDestination, PublishError};

use crate::client::{CUSTOM, exchange, post};
use crate::harness::{Behaviour, Harness};

const ALERTMANAGER: &str = include_str!("../golden/alertmanager-0.34.json");
const PAUSED: &str = include_str!("../golden/grafana-legacy-paused.json");

#[tokio::test]
async fn an_accepted_alert_is_on_the_queue_before_the_202() {
    let harness = Harness::open();
    let reply =
        exchange(harness.address, "POST /api/alert", &["traceparent: 00-ab-cd-01"], ALERTMANAGER.as_bytes())
            .await;
    assert_eq!(reply.status, 202);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let stored = harness.queue.stored();
    assert_eq!(stored.len(), 1);
    assert_eq!(stored[0].headers.traceparent.as_deref(), Some("00-ab-cd-01"));
    let envelope: Envelope<'_> = decode(&stored[0].body).unwrap();
    assert_eq!(reply.json(), serde_json::json!({ "id": envelope.id, "accepted": 1 }));
    assert_eq!((envelope.source, &*envelope.receiver), (Source::Alertmanager, "feishu.storage(a+b)"));
    assert_eq!(stored[0].to, MessageDestination::Alerts { shard_key: envelope.shard_key() });
}

#[tokio::test]
async fn the_loki_feishu_address_says_success_the_old_way_too() {
    let harness = Harness::open();
    let reply =
        exchange(harness.address, "POST /alert", &[], "{\"message\":\"服务名称 a\"}".as_bytes()).await;
    let body = reply.json();
    assert_eq!((reply.status, &body["code"], &body["message"]), (202, &0.into(), &"Success".into()));
    assert_eq!(decode(&harness.queue.stored()[0].body).unwrap().source, Source::LokiFeishu);
}

#[tokio::test]
async fn a_receiver_in_path_or_query_goes_before_the_body() {
    let harness = Harness::open();
    for line in
        ["POST /api/alert/db%20team", "POST /api/alert?receiver=db+team", "PUT /api/alert/default?receiver=x"]
    {
        assert_eq!(exchange(harness.address, line, &[], ALERTMANAGER.as_bytes()).await.status, 202, "{line}");
    }
    let stored = harness.queue.stored();
    let receivers: Vec<_> = stored.iter().map(|message| decode(&message.body).unwrap().receiver).collect();
    assert_eq!(receivers, ["db team", "db team", "default"]);
}

#[tokio::test]
async fn what_has_nothing_to_tell_is_accepted_and_not_queued() {
    let harness = Harness::open();
    let reply = post(harness.address, PAUSED).await;
    assert_eq!((reply.status, &reply.json()["accepted"]), (202, &0.into()));
    assert!(harness.queue.stored().is_empty());
}

#[tokio::test]
async fn whatever_the_content_type_says_the_body_decides() {
    let harness = Harness::open();
    for header in [
        "Content-Type: text/plain",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Encoding: identity",
    ] {
        assert_eq!(
            exchange(harness.address, "POST /api/alert", &[header], CUSTOM.as_bytes()).await.status,
            202
        );
    }
}

/// Request line, headers, body; status and code.
type Refused = (&'static str, &'static [&'static str], &'static str, u16, &'static str);

const KEY: &str = "Authorization: Bearer k1";

#[tokio::test]
async fn each_refusal_has_its_status_and_its_code() {
    let harness = Harness::guarded();
    let elsewhere = r#"{"message":"x","sender_id":"somebody"}"#;
    let table: &[Refused] = &[
        ("POST /nowhere", &[KEY], CUSTOM, 404, "no_such_path"),
        ("GET /api/alert", &[KEY], "", 405, "method"),
        ("POST /api/alert", &[], CUSTOM, 401, "credentials_missing"),
        ("POST /api/alert", &["Authorization: Bearer k2"], CUSTOM, 401, "credentials_wrong"),
        ("POST /api/alert/nobody", &["Authorization: Bearer k2"], CUSTOM, 401, "credentials_wrong"),
        ("POST /api/alert/nobody", &[KEY], CUSTOM, 404, "no_such_receiver"),
        ("POST /alert?receiver=nobody", &[KEY], CUSTOM, 404, "no_such_receiver"),
        ("POST /api/alert", &[KEY, "Content-Encoding: br"], CUSTOM, 415, "compressed"),
        ("POST /api/alert", &[KEY], elsewhere, 403, "sender"),
        ("POST /api/alert", &[KEY], "", 400, "not_json"),
        ("POST /api/alert", &[KEY], "{}", 422, "unknown_format"),
    ];
    for (line, headers, body, status, code) in table {
        let reply = exchange(harness.address, line, headers, body.as_bytes()).await;
        assert_eq!(reply.outcome(), (*status, (*code).to_owned()), "{line} {headers:?} {body}");
    }
    assert!(harness.queue.stored().is_empty());
    for credential in [KEY, "Authorization: Basic b3BzOnMzY3JldA=="] {
        assert_eq!(
            exchange(harness.address, "POST /api/alert", &[credential], CUSTOM.as_bytes()).await.status,
            202
        );
    }
}

#[tokio::test]
async fn refusals_carry_the_headers_their_status_asks_for() {
    let harness = Harness::guarded();
    let unauthorized = post(harness.address, CUSTOM).await;
    assert_eq!(unauthorized.header("www-authenticate"), Some(r#"Bearer, Basic realm="larkfire""#));
    let wrong_method = exchange(harness.address, "GET /alert", &[], b"").await;
    assert_eq!(wrong_method.header("allow"), Some("POST, PUT"));
}

#[tokio::test]
async fn a_body_that_is_not_understood_is_told_where_and_why() {
    let harness = Harness::open();
    let table = [
        ("POST /api/alert", "{\n  \"alerts\": [}\n", 400, "not JSON: expected value at line 2, column 14"),
        ("POST /api/alert", "[]", 422, "nearest is alertmanager, which lacks an object around it all"),
        (
            "POST /api/alert",
            r#"{"receiver":"x"}"#,
            422,
            "nearest is alertmanager, which lacks the array `alerts`",
        ),
        (
            "POST /api/alert",
            r#"{"alerts":7}"#,
            422,
            "nearest is alertmanager, which lacks the array `alerts`",
        ),
        ("POST /api/alert", r#"{"alerts":["disk full"]}"#, 422, "which lacks objects in the array `alerts`"),
        ("POST /api/alert", r#"{"message":"x"}"#, 422, "nearest is custom, which lacks `sender_id`"),
        ("POST /api/alert", r#"{"sender_id":"x"}"#, 422, "nearest is custom, which lacks a `message`"),
        ("POST /api/alert", r#"{"state":"ok"}"#, 422, "nearest is grafana_legacy, which lacks `ruleName`"),
        ("POST /alert", r#"{"status":"firing"}"#, 422, "nearest is loki_feishu, which lacks a `message`"),
        ("POST /alert", r#"{"message":"  \n "}"#, 422, "nearest is loki_feishu, which lacks a `message`"),
    ];
    for (line, body, status, reason) in table {
        let reply = exchange(harness.address, line, &[], body.as_bytes()).await;
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        assert!(reply.status == status && error.contains(reason), "{body}: {} {error}", reply.status);
    }
}

#[tokio::test]
async fn a_queue_that_does_not_confirm_is_a_503_that_asks_to_come_back() {
    type Failure = (fn() -> PublishError, &'static str);
    let harness = Harness::open();
    let failures: [Failure; 4] = [
        (|| PublishError::Busy, "queue_busy"),
        (|| PublishError::Unreachable, "queue_unreachable"),
        (|| PublishError::TimedOut, "queue_timed_out"),
        (|| PublishError::Refused("disk alarm".to_owned()), "queue_refused"),
    ];
    for (failure, code) in failures {
        harness.queue.will(Behaviour::Fail(failure));
        let reply = post(harness.address, CUSTOM).await;
        assert_eq!(reply.outcome(), (503, code.to_owned()));
        let seconds: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=5).contains(&seconds), "{seconds}");
    }
    harness.queue.will(Behaviour::Confirm);
    assert_eq!(post(harness.address, CUSTOM).await.status, 202);
}
