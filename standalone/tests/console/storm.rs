//! A storm's card leads to the page that has every alert of it, and from there all of them are silenced at once.

use serde_json::Value;
use testkit::wait_until::wait_until;

use crate::harness::{Larkfire, PATIENCE, alert, assert_clean, logged_in};

const ALERTS: usize = 400;

#[tokio::test(flavor = "multi_thread")]
async fn the_button_of_a_storms_card_leads_to_every_alert_on_it() {
    let larkfire = Larkfire::start().await;
    let alerts: Vec<_> = (0..ALERTS)
        .map(|index| alert("PodCrashLooping", &[("pod", &format!("p-{index}-x{}", index * 7919))]))
        .collect();
    larkfire.tell("storm", &alerts).await;
    let card = wait_until(PATIENCE, "the card", async || {
        let cards = larkfire.sim.accepted();
        cards.first().and_then(feishu_sim::Record::card).ok_or("none yet")
    })
    .await;
    let url = button(&card, &format!("All {ALERTS}"));
    assert!(url.starts_with(&larkfire.page("/cards/")), "{url}");

    let browser = logged_in(&larkfire, "ann").await;
    let rows = wait_until(PATIENCE, "every alert on the page", async || {
        browser.open(&url).await;
        let rows = browser.count("section[aria-labelledby=alerts] tbody tr").await;
        let drawn = browser.count(".drawn article.card").await;
        if (rows, drawn) == (ALERTS, 1) { Ok(rows) } else { Err((rows, drawn)) }
    })
    .await;
    assert_eq!(rows, ALERTS);
    let drawn = browser.text(".drawn .card-header").await;
    assert!(drawn.contains("PodCrashLooping"), "as people see it: {drawn}");
    browser.click("main a[href^='/silences/new']").await;
    browser.wait_for("the form", "return document.querySelector('#matchers') !== null;").await;
    let matchers = browser.run("return document.querySelector('#matchers').value;").await;
    assert_eq!(matchers, "alertname=\"PodCrashLooping\", severity=\"critical\"");
    browser.type_into("#reason", "a known storm").await;
    browser.click("form[method=post] button.main").await;
    browser
        .wait_for("the silence", "return document.querySelector('form[action=\"/silences/end\"]') !== null;")
        .await;
    assert!(browser.text("main").await.contains("a known storm"));
    assert_clean(&browser).await;
}

/// The address behind the button with these words.
fn button(card: &Value, words: &str) -> String {
    let rows =
        card["elements"].as_array().unwrap().iter().filter_map(|element| element["actions"].as_array());
    let found = rows.flatten().find(|button| button["text"]["content"] == words);
    let address = found.and_then(|button| button["url"].as_str());
    assert!(address.is_some(), "no button {words} on {card}");
    address.unwrap().to_owned()
}
