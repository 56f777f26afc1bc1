//! An operator's evening: log-in, what fires, a filter and the way back, a thousand dead letters sent again, keys, a test.

use serde_json::Value;
use testkit::browser::Viewport;
use testkit::wait_until::wait_until;

use crate::harness::{HOSTILE, Larkfire, PATIENCE, alert, assert_clean, logged_in};

/// As many as are sent again in one go.
const LETTERS: usize = 1_000;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_letters_are_sent_again_and_watched_to_the_end() {
    let larkfire = Larkfire::start().await;
    larkfire.refuse();
    for index in 0..LETTERS {
        let name = format!("Alert{index:04}");
        larkfire.tell(&name, &[alert(&name, &[("team", if index % 2 == 0 { "shop" } else { "pay" })])]).await;
    }
    let browser = logged_in(&larkfire, "ann").await;
    browser.open(&larkfire.page("/dead-letters")).await;
    let counted = "return document.body.textContent.includes('Replay all 1\\u202f000');".to_string();
    wait_until(PATIENCE, "all of them to be dead", async || {
        browser.open(&larkfire.page("/dead-letters")).await;
        let seen = browser.run(&counted).await;
        if seen == true { Ok(()) } else { Err(seen) }
    })
    .await;

    // A filter stands in the address, and the way back leads to what was seen before.
    browser.type_into("input[type=search]", "team=\"pay\"\u{e007}").await;
    browser.wait_for("half of them", "return document.body.textContent.includes('Replay all 500');").await;
    let address = browser.run("return location.search;").await;
    assert!(address.as_str().unwrap().contains("team"), "{address}");
    browser.run("history.back(); return true;").await;
    browser.wait_for("all of them again", &counted).await;

    larkfire.accept();
    browser.type_into("form[data-unless-chosen] input[name=reason]", "the bot is back").await;
    browser.click("form[data-unless-chosen] button.main").await;
    browser.wait_for("the page of the action", "return location.pathname.startsWith('/actions/');").await;
    assert!(browser.text("main").await.contains("the bot is back"));
    // The page looks again by itself; nobody reloads it.
    let done = wait_until(PATIENCE, "all of them to be delivered", async || {
        let text = browser.text("main").await;
        let is_done = browser.run("return document.querySelector('progress')?.value >= 1000 && !document.querySelector('main[data-refresh]');").await;
        if is_done == true { Ok(text) } else { Err(text) }
    })
    .await;
    assert!(done.contains("1\u{202f}000"), "{done}");
    let accepted = wait_until(PATIENCE, "the cards", async || {
        let alerts = larkfire.sim.totals().accepted;
        if alerts > 0 { Ok(alerts) } else { Err(alerts) }
    })
    .await;
    assert!(accepted > 0);
    browser.open(&larkfire.page("/dead-letters")).await;
    assert!(!browser.text("main").await.contains("Replay all"), "none is left");
    browser.open(&larkfire.page("/audit")).await;
    let trail = browser.text("main").await;
    assert!(trail.contains("ann") && trail.contains("the bot is back"), "{trail}");
    assert_clean(&browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_choose_and_open_and_a_help_says_so_and_hostile_text_does_nothing() {
    let larkfire = Larkfire::start().await;
    larkfire.refuse();
    for index in 0..3 {
        larkfire
            .tell(&format!("g{index}"), &[alert(HOSTILE, &[("pod", &format!("{HOSTILE}{index}"))])])
            .await;
    }
    let browser = logged_in(&larkfire, "ann").await;
    wait_until(PATIENCE, "the letters", async || {
        browser.open(&larkfire.page("/dead-letters")).await;
        let rows = browser.count("tbody tr").await;
        if rows == 3 { Ok(()) } else { Err(rows) }
    })
    .await;
    let press = async |keys: &str| browser.type_into("body", keys).await;
    press("?").await;
    assert_eq!(browser.run("return document.querySelector('#keys').open;").await, true);
    press("j").await;
    assert_eq!(browser.count("tr.cursor").await, 0, "no key counts while the help is open");
    browser.click("#keys button").await;
    press("jjx").await;
    assert_eq!(browser.count("tbody input:checked").await, 1);
    let buttons = browser.text("main").await;
    assert!(buttons.contains("Replay 1"), "{buttons}");
    press("k\u{e007}").await;
    browser.wait_for("the letter", "return /^\\/dead-letters\\/\\d+$/.test(location.pathname);").await;
    browser
        .wait_for(
            "the card that was refused, drawn",
            "return document.querySelector('.drawn .card') !== null;",
        )
        .await;

    let pages = ["/", "/firing", "/alerts", "/dead-letters", "/receivers", "/silences", "/audit", "/try"];
    for path in pages {
        browser.open(&larkfire.page(path)).await;
        for viewport in [Viewport::PHONE, Viewport::LAPTOP] {
            browser.resize(viewport).await;
            assert!(!browser.is_wider_than_its_window().await, "{path} at {viewport:?}");
        }
        let title = browser.run("return document.title;").await;
        assert_ne!(title, "run", "{path}");
        let foreign =
            "return document.querySelectorAll('main script, main iframe, main img[onerror]').length;";
        assert_eq!(browser.run(foreign).await, Value::from(0), "{path}");
    }
    assert_clean(&browser).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_is_tested_by_a_button_and_a_viewer_has_none() {
    let larkfire = Larkfire::start().await;
    let browser = logged_in(&larkfire, "ann").await;
    browser.open(&larkfire.page("/receivers")).await;
    browser.click("form[action='/receivers/ops/test'] button").await;
    browser.wait_for("the page of the test", "return location.pathname.includes('/tests/');").await;
    browser
        .wait_for(
            "that it is in the chat",
            "return document.querySelector('[role=status]').textContent === 'delivered';",
        )
        .await;
    assert_eq!(larkfire.sim.totals().accepted, 1);
    browser.click("footer form button").await;
    browser.wait_for("the form to log in", "return document.querySelector('#password') !== null;").await;

    let viewer = logged_in(&larkfire, "bob").await;
    for path in ["/receivers", "/dead-letters", "/silences"] {
        viewer.open(&larkfire.page(path)).await;
        assert_eq!(viewer.count("main form[method=post]").await, 0, "{path}");
    }
    assert_clean(&viewer).await;
}
