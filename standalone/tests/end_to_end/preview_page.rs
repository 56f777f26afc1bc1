//! The page that shows cards while no receiver is configured, as a browser shows it.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::browser::{Browser, ColourScheme, Viewport};
use testkit::http;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::wait_until::wait_until;

/// How long a part may take to be ready; a debug build on a busy machine needs seconds.
const PATIENCE: Duration = Duration::from_mins(1);
/// What would be seen in the title if any of it were run.
const HOSTILE: &str = "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>";

/// A Larkfire that only previews.
struct PreviewingLarkfire {
    listen: SocketAddr,
    admin: SocketAddr,
    _process: Process,
    _folder: TempDir,
}

impl PreviewingLarkfire {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [listen, admin] = [free_address(), free_address()];
        let process = Launch::binary("larkfire")
            .directory(folder.path())
            .variable("LARKFIRE_LISTEN", listen.to_string())
            .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
            .variable("LOCALE", "en")
            .start();
        let ready = format!("http://{admin}/readyz");
        wait_until(PATIENCE, "larkfire to be ready", async || match http::get(&ready).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        Self { listen, admin, _process: process, _folder: folder }
    }

    async fn tell(&self, body: &Value) {
        let answer = http::post_json(&format!("http://{}/api/alert", self.listen), body).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
}

fn alert(name: &str, labels: &[(&str, &str)], summary: &str) -> Value {
    let mut all = json!({ "alertname": name, "severity": "critical" });
    for (label, value) in labels {
        all[*label] = json!(value);
    }
    json!({
        "status": "firing", "labels": all, "startsAt": "2026-01-15T10:30:00Z",
        "annotations": { "summary": summary, "runbook_url": "javascript:document.title='run'" },
        "generatorURL": "https://prometheus.example/graph",
    })
}

fn group(alerts: &[Value]) -> Value {
    json!({ "version": "4", "groupKey": "g", "receiver": "ops", "groupLabels": {}, "alerts": alerts })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_preview_draws_both_formats_and_runs_nothing_that_an_alert_says() {
    let larkfire = PreviewingLarkfire::start().await;
    let browser = Browser::start().await;
    browser.open(&format!("http://{}/preview", larkfire.admin)).await;
    browser.wait_for("the page without cards", "return document.querySelector('.empty') !== null;").await;

    let shops = ["orders", "carts", "payments", "stock"].map(|namespace| {
        alert("DiskFull", &[("namespace", namespace), ("pod", &format!("{namespace}-0"))], "97 % full")
    });
    larkfire.tell(&group(&shops)).await;
    larkfire
        .tell(&group(&[alert(HOSTILE, &[("namespace", HOSTILE)], "[x](javascript:document.title='run')")]))
        .await;
    browser.wait_for("two cards", "return document.querySelectorAll('.card').length === 2;").await;
    let shown = browser.text("#cards").await;
    assert!(
        shown.contains("DiskFull") && shown.contains("JSON 1.0") && !shown.contains("JSON 2.0"),
        "{shown}"
    );
    assert!(shown.contains("<img src=x onerror="), "it is read as it was written: {shown}");

    browser.click("input[name=format][value='2.0']").await;
    let shown = browser.text("#cards").await;
    assert!(shown.contains("JSON 2.0") && !shown.contains("JSON 1.0"), "{shown}");
    assert!(browser.count(".card-tag").await > 0, "tags are what 1.0 has not");
    let folded = "return document.querySelectorAll('.card details:not([open])').length;";
    let panels = browser.run(folded).await;
    browser.click(".card details > summary").await;
    assert_ne!(browser.run(folded).await, panels, "a panel opens");
    assert_inert(&browser).await;

    browser.click("input[name=format][value='1.0']").await;
    assert_eq!(browser.count(".card-tag").await, 0);
    assert_inert(&browser).await;
    browser.resize(Viewport::PHONE).await;
    for scheme in [ColourScheme::Light, ColourScheme::Dark] {
        browser.prefer(scheme).await;
        assert!(!browser.is_wider_than_its_window().await, "{scheme:?}");
    }
    assert_eq!(browser.console().await, [""; 0]);
}

/// Whatever alerts say is text, and links lead to web pages.
async fn assert_inert(browser: &Browser) {
    assert_eq!(browser.run("return document.title;").await, "Larkfire preview");
    assert_eq!(browser.count(".card img, .card script, .card iframe, .card style").await, 0);
    let protocols = "return [...document.querySelectorAll('.card a[href]')].map((link) => link.protocol);";
    let protocols = browser.run(protocols).await;
    let protocols = protocols.as_array().unwrap();
    assert!(!protocols.is_empty() && protocols.iter().all(|protocol| protocol == "https:"), "{protocols:?}");
}
