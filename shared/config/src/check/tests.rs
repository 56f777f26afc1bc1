use super::*;
use crate::{Environment, parse};

fn checked(text: &str, role: Role) -> String {
    let config = parse("test.yaml", text, Environment::default()).unwrap();
    let mut out = Vec::new();
    Report::of(&config, role, Vec::new()).print(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const BOTS: &str = "receivers:
  default: { webhook_url: https://open.feishu.cn/open-apis/bot/v2/hook/TOKEN1, secret: SECRET1 }
  ops: { webhook_url: https://open.feishu.cn/open-apis/bot/v2/hook/TOKEN2, secret: SECRET2, cards_per_minute: 50 }
  shop: { webhook_url: https://open.feishu.cn/open-apis/bot/v2/hook/TOKEN3, secret: SECRET3 }
";

#[test]
fn a_right_configuration_is_shown_without_its_secrets() {
    let text = format!(
        "{BOTS}
listen: 0.0.0.0:8080
queue: {{ url: 'amqp://user:PASSWORD@rabbit:5672/%2f' }}
database: {{ url: 'mysql://user:PASSWORD@db/larkfire' }}
gate: {{ api_keys: [KEY1, KEY2], hmac_secrets: KEY3, allowed_ips: 10.0.0.0/8 }}
routes:
  - {{ match: severity=\"critical\", receivers: [ops, default], continue: true }}
  - match: namespace=~\"shop|pay\"
    receiver: shop
    routes: [{{ match: severity=\"info\", receiver: default }}]
"
    );
    let said = checked(&text, Role::Both);
    for part in [
        "listens on  0.0.0.0:8080\n",
        "a request needs: bearer token (2 known) or signature (1 known); an address in one of 1 networks\n",
        "queue       RabbitMQ at rabbit:5672/%2f, names begin with larkfire, shards: 1\n",
        "database    MySQL at db/larkfire\n",
        "  ops: custom bot at open.feishu.cn, signs; 50 cards a minute, 5 a second\n",
        "  1 severity=\"critical\" → ops, default, continue\n",
        "  2 namespace=~\"shop|pay\" → shop\n",
        "    2.1 severity=\"info\" → default\n",
        "  whatever no route takes: default\n",
        "the configuration is right; 0 warnings\n",
    ] {
        assert!(said.contains(part), "{part:?} is missing in:\n{said}");
    }
    for secret in ["TOKEN", "SECRET", "PASSWORD", "KEY1", "hook"] {
        assert!(!said.contains(secret), "{secret} in:\n{said}");
    }
    let said = checked(&text.replace("mysql:", "postgres:"), Role::Both);
    assert!(said.contains("database    PostgreSQL at db/larkfire\n"), "{said}");
}

#[test]
fn what_is_probably_not_meant_is_said_with_what_to_do() {
    each_is_said(&[
        (
            "",
            Role::Worker,
            "no receiver is configured: cards are previewed, not sent; to send them set FEISHU_WEBHOOK_URL",
        ),
        (
            "{ listen: '0.0.0.0:1', gate: { allow_unauthenticated: true } }",
            Role::Ingest,
            "anybody who reaches 0.0.0.0:1 needs no credential to send: set API_KEYS",
        ),
        (
            "gate: { api_keys: k, paths: { /api/alert/gone: { accept: [bearer] } } }",
            Role::Ingest,
            "a rule for receiver gone, which is not configured",
        ),
        (
            "app: { id: cli_a, secret: s }",
            Role::Both,
            "there is an app and no lark.encrypt_key (LARK_ENCRYPT_KEY)",
        ),
        ("lark: { encrypt_key: k }", Role::Ingest, "LARK_VERIFICATION_TOKEN) is missing"),
        ("app: { id: cli_a, secret: s }", Role::Worker, "there is an app and no receiver with a chat_id"),
        (
            "receivers: { a: { webhook_url: https://h/x } }",
            Role::Worker,
            "receiver a does not sign: whoever learns its webhook_url can write into the group",
        ),
        (
            "receivers: { a: { webhook_url: http://h/x, secret: s } }",
            Role::Worker,
            "receiver a is reached without TLS at h: use https",
        ),
        (
            "receivers: { a: { webhook_url: https://h/x }, default: { webhook_url: https://h/x } }",
            Role::Worker,
            "receivers a and default are the same bot or chat",
        ),
        (
            "receivers: { a: { webhook_url: https://h/x }, b: { webhook_url: https://h/y } }",
            Role::Ingest,
            "alerts that name none of the receivers become dead letters: call one receiver `default`",
        ),
        (
            "dedup: { repeat_after: 10d, remember: 7d }",
            Role::Worker,
            "dedup.repeat_after (864000s) is longer than dedup.remember (604800s)",
        ),
        (
            "delivery: { give_up_after: 1m, hold: 5m }",
            Role::Worker,
            "delivery.give_up_after (60s) is shorter than delivery.hold (300s)",
        ),
        ("admin_listen: 0.0.0.0:9095", Role::Ingest, "admin_listen 0.0.0.0:9095 is open to whoever reaches"),
        ("admin_listen: '[::]:9095'", Role::Worker, "admin_listen [::]:9095 is open to whoever reaches"),
        (
            "{ receivers: { ops: { webhook_url: https://h/x } }, routes: [{ match: a=b, receiver: ops }], \
             gate: { api_keys: k, hmac_secrets: s, paths: { /api/alert/ops: { accept: [hmac] } } } }",
            Role::Both,
            "gate.paths has a rule for receiver ops, and a route leads there by labels",
        ),
        ("queue: { url: amqp://broker }", Role::Worker, "without database.url (DATABASE_URL) each worker"),
        (
            "links: { loki: { datasource_uid: x } }",
            Role::Worker,
            "warning: a Loki data source is set, but no GRAFANA_URL",
        ),
    ]);
}

/// Each configuration, checked for a role, is answered with these words.
#[test]
fn an_escalation_that_calls_nobody_or_costs_without_a_limit_is_said() {
    let steps = "steps: [{ after: 5m, who: owners, urgent: phone }]";
    let app = "app: { id: cli_1, secret: s }\n";
    each_is_said(&[
        (
            &format!("{app}{BOTS}escalations: {{ night: {{ {steps} }} }}\n"),
            Role::Worker,
            "nothing names escalation night",
        ),
        (
            &format!(
                "{app}{BOTS}routes: [{{ receiver: ops, escalation: night }}]\nescalations: {{ night: {{ {steps} }} }}\n"
            ),
            Role::Worker,
            "escalation night makes urgent pushes, and receiver ops is a custom bot",
        ),
        (
            &format!("{app}{BOTS}escalations: {{ night: {{ {steps} }} }}\n"),
            Role::Worker,
            "app.urgent.phone_per_month is not set",
        ),
    ]);
}

fn each_is_said(cases: &[(&str, Role, &str)]) {
    for (text, role, warning) in cases {
        let said = checked(text, *role);
        assert!(said.contains(warning), "{warning:?} is missing for {text:?} in:\n{said}");
    }
}

#[test]
fn routes_that_do_nothing_and_receivers_nobody_is_led_to_are_named() {
    let routes = "routes:
  - { match: severity=\"critical\", receiver: default }
  - { match: [team=\"a\", severity=\"critical\"], receiver: default }
  - { match: team=\"b\", routes: [{ receiver: default }, { match: x=y, receiver: default, continue: true }] }
  - { match: team=\"c\", receiver: default, continue: true }
";
    let said = checked(&format!("{BOTS}{routes}"), Role::Both);
    for warning in [
        "route 2 is never asked: 1 takes everything it would, and does not say `continue`",
        "route 3.2 is never asked: 3.1 takes everything it would",
        "`continue` of route 4 does nothing: no route comes after it",
        "no route leads to receiver ops: it is told only of alerts whose sender names it",
        "no route leads to receiver shop",
    ] {
        assert!(said.contains(warning), "{warning:?} is missing in:\n{said}");
    }
    assert!(!said.contains("receiver default:") && said.contains("; 5 warnings\n"), "{said}");
}

#[test]
fn several_bots_of_a_receiver_are_counted_and_each_looked_at() {
    let bots = "receivers: { ops: { bots: [{ webhook_url: https://h/TOKEN, secret: s }, { webhook_url: https://i/x }] } }";
    let said = checked(bots, Role::Worker);
    assert!(
        said.contains(
            "  ops: 2 custom bots at h, i, each is sent every card; 100 cards a minute, 5 a second each"
        ),
        "{said}"
    );
    assert!(said.contains("warning: receiver ops does not sign") && !said.contains("TOKEN"), "{said}");
}

#[test]
fn bots_that_share_cards_have_limits_of_their_own_and_one_together() {
    let bots = |count: u32| {
        let bot = |number| format!("{{ webhook_url: https://h/TOKEN{number}, secret: s }}");
        let bots: Vec<_> = (0..count).map(bot).collect();
        format!("receivers: {{ ops: {{ mode: spread, bots: [{}] }} }}", bots.join(", "))
    };
    let said = checked(&bots(3), Role::Worker);
    let expected =
        "  ops: 3 custom bots at h, which share the cards; 100 cards a minute each, 5 a second together\n";
    assert!(said.contains(expected) && said.contains("; 0 warnings"), "{said}");
    let said = checked(&bots(4), Role::Worker);
    assert!(said.contains("shares its cards among 4 bots, and a group takes 5 cards a second"), "{said}");
    assert!(said.contains("more than 3 make it no faster"), "{said}");
}

#[test]
fn what_is_needed_and_does_not_answer_is_a_failure_and_what_is_not_is_a_warning() {
    let config = parse("test.yaml", BOTS, Environment::default()).unwrap();
    let report = |outcome: fn(String) -> Outcome, text: &str| {
        let probe = Probe { what: "RabbitMQ".to_owned(), outcome: outcome(text.to_owned()) };
        Report::of(&config, Role::Both, vec![probe])
    };
    for (outcome, text, line, end, code, strict) in [
        (
            Outcome::Fine as fn(String) -> Outcome,
            "lets us in",
            "ok: RabbitMQ: lets us in\n",
            "right; 0 warnings\n",
            0,
            0,
        ),
        (Outcome::Doubtful, "odd", "warning: RabbitMQ: odd\n", "right; 1 warning\n", 0, 1),
        (
            Outcome::Failed,
            "away",
            "FAILED: RabbitMQ: away\n",
            "right, but not everything it needs is there; 0 warnings\n",
            1,
            1,
        ),
    ] {
        let report = report(outcome, text);
        let mut out = Vec::new();
        report.print(&mut out).unwrap();
        let said = String::from_utf8(out).unwrap();
        assert!(said.contains(line) && said.ends_with(end), "{said}");
        let code_of = |code: u8| format!("{:?}", ExitCode::from(code));
        assert_eq!(format!("{:?}", report.code(false)), code_of(code), "{text}");
        assert_eq!(format!("{:?}", report.code(true)), code_of(strict), "{text} with --strict");
    }
}

#[test]
fn the_report_of_a_machine_says_the_same() {
    let config = parse("test.yaml", BOTS, Environment::default()).unwrap();
    let probe = Probe { what: "RabbitMQ".to_owned(), outcome: Outcome::Failed("away".to_owned()) };
    let report = serde_json::to_value(Report::of(&config, Role::Both, vec![probe])).unwrap();
    assert_eq!(report["valid"], true);
    assert_eq!(
        report["probes"][0],
        serde_json::json!({ "what": "RabbitMQ", "outcome": "failed", "said": "away" })
    );
    assert!(
        report["summary"].as_array().unwrap().len() > 5 && !report.to_string().contains("TOKEN"),
        "{report}"
    );

    let errors = parse("test.yaml", "timezone: Mars", Environment::default()).unwrap_err();
    let report = serde_json::to_value(Report::refused(&errors)).unwrap();
    assert_eq!(report["valid"], false);
    assert_eq!(report["problems"][0]["place"], "test.yaml:1: timezone");
    assert!(report["problems"][0]["message"].as_str().unwrap().contains("it is `Mars`"), "{report}");
}

#[test]
fn a_webhook_that_no_card_can_go_to_is_named() {
    for (url, warning) in [
        ("https://open.feishu.cn/open-apis/bot/v2/hook/…", "is the example of a document"),
        (
            "https://open.feishu.cn/open-apis/bot/v2/hook/xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
            "is the example of a document",
        ),
        ("https://open.feishu.cn/open-apis/bot/v2/hook/YOUR_TOKEN", "is the example of a document"),
        (
            "https://open.feishu.cn/open-apis/bot/hook/0123456789abcdef",
            "is of the first version of custom bots",
        ),
        ("https://oapi.dingtalk.com/robot/send?access_token=TOKEN", "is DingTalk's"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=TOKEN", "is WeCom's"),
        ("https://hooks.slack.com/services/T/B/TOKEN", "is Slack's"),
    ] {
        let said =
            checked(&format!("receivers: {{ ops: {{ webhook_url: '{url}', secret: s }} }}"), Role::Worker);
        assert!(
            said.contains("warning: the webhook_url of receiver ops ") && said.contains(warning),
            "{url}: {said}"
        );
        assert!(!said.contains("TOKEN"), "{said}");
    }
    let real = "https://open.feishu.cn/open-apis/bot/v2/hook/1b4c2f9e-0d5a-4c3b-8f7e-6a5d4c3b2a10";
    let said =
        checked(&format!("receivers: {{ ops: {{ webhook_url: '{real}', secret: s }} }}"), Role::Worker);
    assert!(said.ends_with("; 0 warnings\n"), "{said}");
}

#[test]
fn templates_are_shown_where_they_are_used_and_named_where_they_are_not() {
    let templates = "template: ours\ntemplates: { ours: { title: a }, theirs: { title: b } }\n";
    let said = checked(&format!("{BOTS}{templates}"), Role::Worker);
    assert!(said.contains("50 cards a minute, 5 a second; template ours\n"), "{said}");
    assert!(said.contains("warning: no card goes by template theirs: name it in `template`"), "{said}");
    assert!(!said.contains("by template ours"), "{said}");
    assert!(!checked(templates, Role::Worker).contains("by template ours"), "the preview goes by it");
}

#[test]
fn heartbeats_that_alertmanager_cannot_keep_or_that_are_the_same_are_named() {
    let heartbeats = "heartbeats:\n  eu: { match: [alertname=Watchdog, cluster=eu], every: 1m }\n  \
                      us: { match: [cluster=eu, alertname=Watchdog], every: 10m }\n";
    let said = checked(&format!("{BOTS}{heartbeats}"), Role::Worker);
    assert!(
        said.contains("warning: heartbeats.{eu}: `every` and `grace` together are shorter than 300s"),
        "{said}"
    );
    assert!(said.contains("warning: heartbeats.{eu, us} have the same matchers"), "{said}");
    let said = checked(&heartbeats.replace("every: 1m", "every: 5m"), Role::Worker);
    assert!(
        said.contains("nobody is told when one is missing") && !said.contains("group_interval"),
        "{said}"
    );
}

#[test]
fn trouble_of_the_only_receiver_is_said_to_be_told_nobody() {
    let trouble = "trouble: { receiver: ops }\n";
    let only = format!("receivers: {{ ops: {{ webhook_url: 'https://h/x', secret: s }} }}\n{trouble}");
    let said = checked(&only, Role::Worker);
    assert!(said.contains("warning: trouble.receiver is ops, the only receiver"), "{said}");
    let two = only.replace("receivers: {", "receivers: { dev: { webhook_url: 'https://h/y', secret: s },");
    assert!(!checked(&two, Role::Worker).contains("trouble.receiver"));
}
