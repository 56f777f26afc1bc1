//! The addresses of other products: what their senders get, and which receiver they mean.

use config::{Environment, Secret, parse};
use ingest::Settings;
use ingest::hooks::Hooks;
use model::envelope::{Source, decode};
use queue::PublishError;

use crate::client::{Reply, exchange};
use crate::harness::{Behaviour, Harness};

const GROUP: &str = r#"{"alerts":[{"status":"firing","labels":{"alertname":"Down"}}]}"#;
const TEXT: &str = r#"{"msg_type":"text","content":{"text":"Backup failed"}}"#;
const NIGHTINGALE: &str = include_str!("../golden/nightingale-firing.json");
const PUSHED: &str = include_str!("../golden/prometheus-push.json");
const RECEIVERS: &str = "receivers: { default: { webhook_url: https://h/hook/11112222 }, db team: { webhook_url: https://h/hook/33334444 } }";

fn with_hooks(settings: &mut Settings) {
    settings.hooks = Hooks::of(&parse("test.yaml", RECEIVERS, Environment::default()).unwrap().receivers);
}

fn guarded(settings: &mut Settings) {
    with_hooks(settings);
    settings.gate.api_keys = vec![Secret::new("k1-long-enough")];
}

async fn sent(harness: &Harness, path: &str, body: &str) -> Reply {
    exchange(harness.address, &format!("POST {path}"), &[], body.as_bytes()).await
}

fn told(harness: &Harness) -> Vec<(Source, String)> {
    let stored = harness.queue.stored();
    let envelopes = stored.iter().map(|message| decode(&message.body).unwrap());
    envelopes.map(|envelope| (envelope.source, envelope.receiver.into_owned())).collect()
}

#[tokio::test]
async fn each_sender_is_answered_in_its_own_words() {
    let harness = Harness::with(with_hooks);
    for (path, body, status, answer) in [
        (
            "/open-apis/bot/v2/hook/default",
            TEXT,
            200,
            r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
        ),
        (
            "/open-apis/bot/hook/default",
            r#"{"title":"t","text":"x"}"#,
            200,
            r#"{"StatusCode":0,"StatusMessage":"success","code":0,"data":{},"msg":"success"}"#,
        ),
        (
            "/robot/send?access_token=default",
            r#"{"msgtype":"text","text":{"content":"x"}}"#,
            200,
            r#"{"errcode":0,"errmsg":"ok"}"#,
        ),
        (
            "/cgi-bin/webhook/send?key=default",
            r#"{"msgtype":"text","text":{"content":"x"}}"#,
            200,
            r#"{"errcode":0,"errmsg":"ok"}"#,
        ),
        ("/dingtalk/default/send", GROUP, 200, "OK"),
        ("/api/v2/alerts", PUSHED, 200, ""),
        ("/api/v2/alerts", " [ ]\n", 200, ""),
        ("/api/alert/db%20team/api/v2/alerts", PUSHED, 200, ""),
    ] {
        let reply = sent(&harness, path, body).await;
        assert_eq!(
            (reply.status, String::from_utf8_lossy(&reply.body).trim_end()),
            (status, answer),
            "{path}"
        );
    }
    let words = sent(&harness, "/prometheusalert?type=fs&tpl=prometheus-fs", GROUP).await;
    assert!(words.status == 200 && words.json().is_string(), "{words:?}");
    assert_eq!(sent(&harness, "/api/alert", NIGHTINGALE).await.status, 200);
}

#[tokio::test]
async fn a_webhook_names_its_receiver_and_several_name_several() {
    let harness = Harness::with(with_hooks);
    sent(&harness, "/open-apis/bot/v2/hook/33334444", TEXT).await;
    let both = "/prometheusalert?type=fs&fsurl=https://open.feishu.cn/open-apis/bot/v2/hook/11112222,https://x/hook/33334444&at=ou_1";
    let reply = sent(&harness, both, GROUP).await;
    assert_eq!(reply.status, 200);
    let receivers: Vec<_> = told(&harness).into_iter().map(|(_, receiver)| receiver).collect();
    assert_eq!(receivers, ["db team", "default", "db team"]);
    let stored = harness.queue.stored();
    let [one, two] = [&stored[1], &stored[2]].map(|message| decode(&message.body).unwrap());
    assert_ne!(one.id, two.id);
    assert_eq!(one.alerts[0].mention.open_ids, ["ou_1"]);
    for (path, code) in [
        ("/prometheusalert?type=fs&fsurl=https://evil.example/hook/99998888", "no_such_hook"),
        ("/open-apis/bot/v2/hook/99998888", "no_such_hook"),
        ("/prometheusalert?type=dd&ddurl=https://oapi.dingtalk.com/robot/send", "other_channel"),
        ("/dingtalk/nobody/send", "no_such_receiver"),
    ] {
        let reply = sent(&harness, path, GROUP).await;
        assert_eq!(reply.outcome().1, code, "{path}");
        assert!(!String::from_utf8_lossy(&reply.body).contains("99998888"), "{reply:?}");
    }
}

#[tokio::test]
async fn whoever_knows_a_webhook_may_post_to_its_receiver_and_to_no_other() {
    let harness = Harness::with(guarded);
    for (path, status) in [
        ("/open-apis/bot/v2/hook/33334444", 200),
        ("/open-apis/bot/v2/hook/default", 401),
        ("/open-apis/bot/v2/hook/99998888", 401),
        ("/open-apis/bot/v2/hook/k1-long-enough", 401),
        ("/prometheusalert?fsurl=https://h/hook/33334444,https://h/hook/99998888", 401),
        ("/robot/send?access_token=k1-long-enough", 401),
    ] {
        assert_eq!(sent(&harness, path, TEXT).await.status, status, "{path}");
    }
    let keyed = Harness::with(|settings| {
        guarded(settings);
        settings.gate.allowances.key_in_url = true;
    });
    let path = "/robot/send?access_token=k1-long-enough";
    assert_eq!(sent(&keyed, path, r#"{"msgtype":"text","text":{"content":"x"}}"#).await.status, 200);
    assert_eq!(told(&keyed), [(Source::DingtalkBot, String::new())]);
    let ruled = Harness::with(|settings| {
        let rule = format!(
            "{{ {RECEIVERS}, gate: {{ api_keys: k, hmac_secrets: s, paths: {{ '/api/alert/db team': {{ accept: [hmac] }} }} }} }}"
        );
        settings.gate = parse("test.yaml", &rule, Environment::default()).unwrap().gate;
        with_hooks(settings);
    });
    assert_eq!(sent(&ruled, "/open-apis/bot/v2/hook/33334444", TEXT).await.status, 401);
}

#[tokio::test]
async fn nightingale_is_told_429_where_others_are_told_503() {
    let harness = Harness::open();
    harness.queue.will(Behaviour::Fail(|| PublishError::Unreachable));
    assert_eq!(sent(&harness, "/api/alert", NIGHTINGALE).await.status, 429);
    for (path, body) in
        [("/api/v2/alerts", PUSHED), ("/open-apis/bot/v2/hook/default", TEXT), ("/api/alert", GROUP)]
    {
        let reply = sent(&harness, path, body).await;
        assert_eq!((reply.status, reply.header("retry-after")), (503, Some("5")), "{path}");
    }
}
