//! Escalations as they are written.

use std::time::Duration;

use jiff::civil::time;

use crate::{Callee, Config, NamedSeverity, QuietHours, StepMethod, Urgency, parse};

const WHOLE: &str = "
app: { id: cli_1, secret: s, urgent: { phone_per_month: 50 } }
receivers:
  default: { chat_id: oc_1, escalation: night }
  second: { webhook_url: 'https://open.feishu.cn/open-apis/bot/v2/hook/a' }
routes:
  - { match: 'team=\"db\"', receiver: second, escalation: night }
rotations:
  primary: { people: [ann, bob], start: 2024-01-15, hand_over: Mon 10:00 }
escalations:
  night:
    match: 'env=\"prod\"'
    severities: [critical, warning]
    steps:
      - { after: 5m, who: owners }
      - { after: 10m, rotation: primary, urgent: phone, quiet_hours: '22:00-08:00' }
      - { after: 15m, who: [lisi, '+8613800000000'], next: primary, urgent: app }
      - { after: 20m, receiver: second }
      - { after: 30m, webhook_url: 'https://pager.example/hook/s3cret', webhook_secret: 0123456789abcdef }
";

fn read(text: &str) -> Result<Config, String> {
    parse("larkfire.yaml", text, std::iter::empty::<(&str, &str)>().collect())
        .map_err(|errors| errors.to_string())
}

#[test]
fn steps_say_when_who_and_how() {
    let config = read(WHOLE).unwrap();
    let night = &config.escalations[0];
    assert_eq!(night.severities, [NamedSeverity::Critical, NamedSeverity::Warning]);
    let words: Vec<_> = night.steps.iter().map(|step| step.method.as_str()).collect();
    assert_eq!(words, ["mention", "urgent_phone", "urgent_app", "receiver", "webhook"]);
    assert_eq!(night.steps[0].who, [Callee::Owners]);
    assert_eq!(night.steps[1].who, [Callee::OnCall("primary".to_owned())]);
    assert_eq!(
        night.steps[1].quiet_hours,
        Some(QuietHours { from: time(22, 0, 0, 0), until: time(8, 0, 0, 0) })
    );
    assert_eq!(night.steps[2].who.last(), Some(&Callee::NextOnCall("primary".to_owned())));
    assert!(matches!(night.steps[2].method, StepMethod::Urgent(Urgency::App)));
    assert_eq!(night.steps[3].after, Duration::from_mins(20));
    assert_eq!(config.receivers[0].escalation.as_deref(), Some("night"));
    assert_eq!(config.routes[0].escalation.as_deref(), Some("night"));
    assert_eq!(config.app.unwrap().urgent.phone_per_month, Some(50));
}

#[test]
fn a_webhooks_address_is_a_secret() {
    let config = read(WHOLE).unwrap();
    assert!(!format!("{:?}", config.escalations).contains("s3cret"));
    let wrong = WHOLE.replace("https://pager.example/hook/s3cret", "pager/s3cret");
    let problems = read(&wrong).unwrap_err();
    assert!(problems.contains("webhook_url") && !problems.contains("s3cret"), "{problems}");
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    let receivers = "receivers: { default: { webhook_url: 'https://h/x', escalation: nightly } }";
    let text = format!(
        "{receivers}
routes: [ {{ escalation: daily }} ]
escalations:
  a:
    steps:
      - {{ after: 10m, who: owners }}
      - {{ after: 5m, who: owners }}
  b: {{ steps: [] }}
  c:
    steps:
      - {{ after: 5m }}
      - {{ after: 6m, rotation: primary }}
      - {{ after: 7m, receiver: nobody }}
      - {{ after: 8m, who: owners, urgent: shout }}
      - {{ who: owners }}
      - {{ after: 9m, who: owners, urgent: app, receiver: default }}
      - {{ after: 10m, who: owners, quiet_hours: night }}
"
    );
    let problems = read(&text).unwrap_err();
    for said in [
        "receivers.default.escalation: must be the name of an escalation",
        "route 1",
        "`after` has to rise",
        "has 1 to 20 steps",
        "needs people to call",
        "the name of a rotation, and there is none",
        "the name of a receiver: default",
        "app, sms or phone",
        "a step needs `after`",
        "one of urgent, receiver and webhook_url",
        "hours of the day",
    ] {
        assert!(problems.contains(said), "{said} is not in {problems}");
    }
}
