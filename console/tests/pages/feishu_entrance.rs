//! Log in with Feishu, as a browser sees it.

use console::entrance::FeishuRules;
use testkit::http::Answer;

use crate::browser::{Browser, set_cookie};
use crate::fake_entrance::EntranceHarness;

const CALLBACK: &str = "/login/feishu/callback";

/// Begins a log-in; says the state that it goes on with.
async fn begun(door: &EntranceHarness, browser: &mut Browser) -> String {
    let led = browser.get(&door.harness, "/login/feishu?next=%2F%3Flang%3Den").await;
    assert_eq!(led.status, 303);
    let line = set_cookie(&led, "larkfire_feishu");
    assert!(line.ends_with("; Path=/; Max-Age=600; HttpOnly; SameSite=Lax"), "{line}");
    let location = led.header("location").unwrap();
    assert!(
        location.contains("redirect_uri=http://larkfire.example.com/login/feishu/callback"),
        "{location}"
    );
    location.split_once("state=").unwrap().1.to_owned()
}

async fn logged_in(door: &EntranceHarness, browser: &mut Browser, code: &str) -> Answer {
    let state = begun(door, browser).await;
    browser.get(&door.harness, &format!("{CALLBACK}?code={code}&state={state}")).await
}

fn told(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(words), "{words} is not in {}", answer.text());
}

#[tokio::test]
async fn people_of_the_list_act_and_members_of_the_chat_look() {
    let door = EntranceHarness::new().await;
    for (code, may_act) in [("op", true), ("member", false)] {
        let mut browser = Browser::default();
        let let_in = logged_in(&door, &mut browser, code).await;
        assert_eq!((let_in.status, let_in.header("location")), (303, Some("/?lang=en")));
        assert!(browser.cookie("feishu").is_none(), "it is over");
        let page = browser.get(&door.harness, "/").await;
        let name = format!("{} (ou_{code})", code.to_uppercase());
        assert!(page.text().contains(&name), "{}", page.text());
        assert_eq!(!page.text().contains("may look only"), may_act, "{code}");
    }
    let verifier = door.feishu.verifier.lock().unwrap().clone();
    assert!(verifier.len() >= 43 && verifier != *door.feishu.challenge.lock().unwrap());
    assert_eq!(door.counted("feishu", "let_in"), 2);
}

#[tokio::test]
async fn people_of_another_company_and_of_no_list_stay_out_and_are_told_why() {
    let door = EntranceHarness::new().await;
    let stranger = logged_in(&door, &mut Browser::default(), "stranger").await;
    told(&stranger, 403, "t-theirs");
    let nobody = logged_in(&door, &mut Browser::default(), "nobody").await;
    told(&nobody, 403, "ou_nobody");
    assert!(door.sessions.all.lock().unwrap().is_empty());
    let unset = EntranceHarness::with(std::sync::Arc::default(), |parts| {
        let feishu = parts.feishu.as_mut().unwrap();
        feishu.rules = FeishuRules { tenant_key: None, ..feishu.rules.clone() };
    })
    .await;
    told(&logged_in(&unset, &mut Browser::default(), "op").await, 403, "console.feishu.tenant_key");
}

#[tokio::test]
async fn a_log_in_ends_once_and_in_the_browser_it_was_begun_in() {
    let door = EntranceHarness::new().await;
    let mut browser = Browser::default();
    let state = begun(&door, &mut browser).await;
    let back = format!("{CALLBACK}?code=op&state={state}");
    told(&Browser::default().get(&door.harness, &back).await, 400, "not begun here");
    let mut other = Browser::default();
    begun(&door, &mut other).await;
    told(&other.get(&door.harness, &back).await, 400, "not begun here");
    let mut replaying = browser.clone();
    assert_eq!(browser.get(&door.harness, &back).await.status, 303);
    told(&replaying.get(&door.harness, &back).await, 400, "used already");
    told(&browser.get(&door.harness, &back).await, 400, "not begun here");
    assert_eq!(door.sessions.all.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn every_way_it_can_fail_has_a_page_that_says_what_to_do() {
    let door = EntranceHarness::new().await;
    told(&logged_in(&door, &mut Browser::default(), "old").await, 400, "Feishu takes each log-in once");
    told(&logged_in(&door, &mut Browser::default(), "away").await, 503, "Try again in a moment");
    let mut browser = Browser::default();
    let state = begun(&door, &mut browser).await;
    let denied = format!("{CALLBACK}?error=access_denied&state={state}&lang=zh");
    told(&browser.get(&door.harness, &denied).await, 403, "您在飞书中拒绝了授权");
    assert_eq!((door.counted("feishu", "refused"), door.counted("feishu", "failed")), (2, 1));
}

#[tokio::test]
async fn whoever_is_taken_off_the_list_is_out_although_their_session_lasts() {
    let door = EntranceHarness::new().await;
    let mut browser = Browser::default();
    logged_in(&door, &mut browser, "op").await;
    let changed = EntranceHarness::with(std::sync::Arc::clone(&door.sessions), |parts| {
        parts.feishu.as_mut().unwrap().rules.operators.clear();
    })
    .await;
    assert_eq!(browser.get(&changed.harness, "/").await.status, 303);
}
