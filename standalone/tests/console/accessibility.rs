//! Everybody can read the pages: axe-core finds no serious fault on any of them, in light and in dark.

use serde_json::Value;
use testkit::browser::{Browser, ColourScheme, Viewport};
use testkit::wait_until::wait_until;

use crate::harness::{Larkfire, PATIENCE, alert, assert_clean, logged_in};

const AXE: &str = include_str!("axe/axe.min.js");
/// What it found that is serious, one line each.
const FOUND: &str = "return window.found ?? null;";

/// The serious faults of the page as it is.
async fn faults(browser: &Browser) -> Vec<Value> {
    browser.run(AXE).await;
    browser
        .run(
            "window.found = null; axe.run(document, { resultTypes: ['violations'] }).then((result) => { \
             window.found = result.violations.filter((one) => ['serious', 'critical'].includes(one.impact)) \
             .map((one) => one.id + ': ' + one.nodes.map((node) => node.html.slice(0, 200) + ' ' + node.failureSummary).slice(0, 3).join(' | ')); }); \
             return true;",
        )
        .await;
    browser.wait_for("the faults", FOUND).await.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_has_a_serious_fault_in_light_or_dark() {
    let larkfire = Larkfire::start().await;
    larkfire.tell("g1", &[alert("DiskFull", &[("pod", "a")]), alert("DiskFull", &[("pod", "b")])]).await;
    wait_until(PATIENCE, "the card", async || {
        if larkfire.sim.totals().accepted == 1 { Ok(()) } else { Err("none yet") }
    })
    .await;
    larkfire.refuse();
    larkfire.tell("g2", &[alert("Refused", &[("pod", "a")])]).await;
    let stranger = Browser::start().await;
    stranger.open(&larkfire.page("/login")).await;
    let browser = logged_in(&larkfire, "ann").await;
    let mut pages =
        vec!["/", "/firing", "/alerts", "/dead-letters", "/receivers", "/silences", "/audit", "/try"]
            .into_iter()
            .map(str::to_owned)
            .collect::<Vec<_>>();
    let list = "/alerts?q=@outcome%3Ddelivered";
    let life = first_link(&browser, &larkfire, list, "main td a[href^='/alerts/']").await;
    pages.push(first_link(&browser, &larkfire, &life, "main a[href^='/cards/']").await);
    pages.push(life);
    pages.push(first_link(&browser, &larkfire, "/dead-letters", "main a[href^='/dead-letters/']").await);
    pages.push("/silences/new?matchers=alertname%3D%22DiskFull%22".to_owned());
    pages.push("/actions/9999".to_owned());
    for scheme in [ColourScheme::Light, ColourScheme::Dark] {
        stranger.prefer(scheme).await;
        assert_eq!(faults(&stranger).await, [Value::Null; 0], "/login {scheme:?}");
        browser.prefer(scheme).await;
        for path in &pages {
            browser.open(&larkfire.page(path)).await;
            for viewport in [Viewport::LAPTOP, Viewport::PHONE] {
                browser.resize(viewport).await;
                assert_eq!(faults(&browser).await, [Value::Null; 0], "{path} {scheme:?} {viewport:?}");
            }
        }
    }
    let nameless = "document.querySelector('main').append(document.createElement('button')); return true;";
    browser.run(nameless).await;
    assert_ne!(faults(&browser).await, [Value::Null; 0], "a button without a name would be found");
    // The page of an action that is not there is an error, which the browser says as well.
    let said: Vec<_> =
        browser.console().await.into_iter().filter(|line| !line.contains("/actions/9999")).collect();
    assert_eq!(said, [""; 0]);
    assert_clean(&stranger).await;
}

/// Where the first link of this kind on a page leads, once it is there.
async fn first_link(browser: &Browser, larkfire: &Larkfire, list: &str, selector: &str) -> String {
    let script = format!("return document.querySelector(\"{selector}\")?.getAttribute('href') ?? null;");
    wait_until(PATIENCE, "a link", async || {
        browser.open(&larkfire.page(list)).await;
        let link = browser.run(&script).await;
        link.as_str().map(str::to_owned).ok_or(link.clone())
    })
    .await
}
