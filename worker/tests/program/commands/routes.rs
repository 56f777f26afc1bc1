//! `routes test`: where an alert would go, and why.

use super::harness::Harness;

const ROUTED: &str = "receivers:
  default: { webhook_url: https://h/s3cret-1 }
  ops: { webhook_url: https://h/s3cret-2 }
routes:
  - { match: severity=\"critical\", receiver: ops, continue: true }
  - { match: team=~\"shop|pay\", receiver: default }
";

#[tokio::test]
async fn an_alert_is_followed_through_the_routes() {
    let harness = Harness::with(ROUTED, &["s3cret"]);
    for (labels, receivers) in [
        (&["severity=critical", "team=shop"][..], "goes to ops, default"),
        (&["severity=critical"], "goes to ops\n"),
        (&["team=\"pay\""], "goes to default\n"),
        (&[], "goes to default\n"),
    ] {
        let (code, printed) = harness.command(&[&["routes", "test"], labels].concat()).await;
        assert_eq!(code, Some(0), "{printed}");
        assert!(printed.contains(receivers), "{labels:?}: {printed}");
    }
    let (_, printed) = harness.command(&["routes", "test", "team=none", "--json"]).await;
    assert!(printed.contains("\"receivers\": [\n    \"default\"\n  ]"), "{printed}");
}
