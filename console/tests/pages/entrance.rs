//! Who gets in where people log in: passwords, sessions, a proxy.

use std::collections::BTreeMap;
use std::sync::Arc;

use console::entrance::TrustedHeader;
use hyper::Method;

use crate::browser::{Browser, login, set_cookie, token};
use crate::fake_entrance::{EntranceHarness, FakeSessions, PASSWORD};

#[tokio::test]
async fn nobody_sees_a_page_before_they_log_in_and_then_the_one_they_wanted() {
    let door = EntranceHarness::new().await;
    let mut browser = Browser::default();
    let led = browser.get(&door.harness, "/?lang=en").await;
    assert_eq!((led.status, led.header("location")), (303, Some("/login?next=%2F%3Flang%3Den")));
    let json = browser.get(&door.harness, "/?format=json").await;
    assert_eq!((json.status, json.json()["code"].as_str()), (401, Some("not_logged_in")));
    let form = browser.get(&door.harness, "/login?next=%2F%3Flang%3Den").await;
    let text = form.text();
    assert!(!text.contains("<script"), "it works without");
    assert!(text.contains("type=\"password\"") && text.contains("Log in with Feishu"), "{text}");
    let chinese = browser.get(&door.harness, "/login?lang=zh").await;
    assert!(chinese.text().contains("登录") && chinese.text().contains("密码"));
    let body = login(&token(&form), "ann", PASSWORD).replace("next=%2F", "next=%2F%3Flang%3Den");
    let let_in = browser.post(&door.harness, "/login", &body).await;
    assert_eq!((let_in.status, let_in.header("location")), (303, Some("/?lang=en")));
    assert_eq!(let_in.header("cache-control"), Some("no-store"));
    let page = browser.get(&door.harness, "/").await;
    assert!(page.status == 200 && page.text().contains("ann") && page.text().contains("Log out"));
    assert_eq!(door.counted("password", "let_in"), 1);
    assert_eq!(door.sessions.notes.lock().unwrap()[0], ("ann".to_owned(), "log_in".to_owned()));
}

#[tokio::test]
async fn a_session_cookie_is_out_of_reach_of_scripts_other_sites_and_over_https_of_http() {
    let door = EntranceHarness::new().await;
    let let_in = Browser::default().log_in(&door.harness, "ann", PASSWORD).await;
    let line = set_cookie(&let_in, "larkfire_session");
    assert!(line.ends_with("; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax"), "{line}");
    let secure = EntranceHarness::with(Arc::default(), |parts| parts.is_https = true).await;
    let let_in = Browser::default().log_in(&secure.harness, "ann", PASSWORD).await;
    let line = set_cookie(&let_in, "__Host-larkfire_session");
    assert!(line.ends_with("; Path=/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax"), "{line}");
}

#[tokio::test]
async fn a_session_somebody_else_has_put_into_the_browser_is_not_the_one_that_is_let_in() {
    let door = EntranceHarness::new().await;
    let mut attacker = Browser::default();
    attacker.log_in(&door.harness, "bob", PASSWORD).await;
    let planted = attacker.cookie("session").unwrap().to_owned();
    let mut browser = Browser::default();
    let form = browser.get(&door.harness, "/login").await;
    browser.cookies.insert("larkfire_session".to_owned(), planted.clone());
    browser.post(&door.harness, "/login", &login(&token(&form), "ann", PASSWORD)).await;
    assert_ne!(browser.cookie("session").unwrap(), planted);
    assert_eq!(attacker.get(&door.harness, "/").await.status, 303, "the planted one is over");
    assert_eq!(browser.get(&door.harness, "/").await.status, 200);
    let kept = format!("{:?}", door.sessions.all.lock().unwrap());
    assert!(!kept.contains(browser.cookie("session").unwrap()), "only a hash is kept");
}

#[tokio::test]
async fn a_session_ends_unused_after_its_idle_time_and_used_after_its_longest() {
    let door = EntranceHarness::new().await;
    let mut browser = Browser::default();
    browser.log_in(&door.harness, "bob", PASSWORD).await;
    for _ in 0..3 {
        door.pass(7, 0);
        assert_eq!(browser.get(&door.harness, "/").await.status, 200);
    }
    door.pass(3, 1);
    assert_eq!(browser.get(&door.harness, "/").await.status, 303, "24 hours in all");
    browser.log_in(&door.harness, "bob", PASSWORD).await;
    door.pass(8, 1);
    assert_eq!(browser.get(&door.harness, "/").await.status, 303, "8 hours unused");
    assert!(door.sessions.all.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_form_of_another_site_or_browser_logs_nobody_in_or_out() {
    let door = EntranceHarness::new().await;
    let mut browser = Browser::default();
    let form = browser.get(&door.harness, "/login").await;
    let body = login(&token(&form), "ann", PASSWORD);
    let foreign = [("origin", "http://evil.example")];
    let refused = browser.send(&door.harness, Method::POST, "/login", &foreign, &body).await;
    assert_eq!(refused.status, 403);
    assert_eq!(Browser::default().post(&door.harness, "/login", &body).await.status, 403, "another browser");
    assert_eq!(browser.post(&door.harness, "/login", "name=ann&password=x").await.status, 403);
    assert_eq!(browser.post(&door.harness, "/login", &body).await.status, 303);
    let page = browser.get(&door.harness, "/").await;
    let own = format!("token={}", token(&page));
    assert_eq!(browser.post(&door.harness, "/logout", "").await.status, 403);
    assert_eq!(browser.post(&door.harness, "/logout", "token=other").await.status, 403);
    assert_eq!(browser.send(&door.harness, Method::POST, "/logout", &foreign, &own).await.status, 403);
    assert_eq!(browser.get(&door.harness, &format!("/logout?{own}")).await.status, 403, "not by a link");
    assert_eq!(browser.get(&door.harness, "/").await.status, 200);
    let out = browser.post(&door.harness, "/logout", &own).await;
    assert_eq!((out.status, out.header("location")), (303, Some("/login")));
    assert!(browser.cookie("session").is_none() && door.sessions.all.lock().unwrap().is_empty());
}

#[tokio::test]
async fn logging_out_everywhere_ends_ones_own_sessions_and_nobody_elses() {
    let door = EntranceHarness::new().await;
    let mut browsers = [Browser::default(), Browser::default(), Browser::default()];
    for (browser, name) in browsers.iter_mut().zip(["ann", "ann", "bob"]) {
        assert_eq!(browser.log_in(&door.harness, name, PASSWORD).await.status, 303);
    }
    let [here, there, other] = &mut browsers;
    let own = format!("token={}", token(&here.get(&door.harness, "/").await));
    here.post(&door.harness, "/logout/everywhere", &own).await;
    assert_eq!(there.get(&door.harness, "/").await.status, 303);
    assert_eq!(other.get(&door.harness, "/").await.status, 200);
}

#[tokio::test]
async fn whoever_loses_their_place_in_the_configuration_is_out_at_once() {
    let door = EntranceHarness::new().await;
    let mut browser = Browser::default();
    browser.log_in(&door.harness, "ann", PASSWORD).await;
    let same = EntranceHarness::with(Arc::clone(&door.sessions), |_| {}).await;
    assert_eq!(browser.clone().get(&same.harness, "/").await.status, 200, "any worker knows a session");
    let changed = EntranceHarness::with(Arc::clone(&door.sessions), |parts| {
        parts.users[0].password_hash = console::entrance::hash_password(b"another one").unwrap();
    })
    .await;
    assert_eq!(browser.get(&changed.harness, "/").await.status, 303);
    assert!(door.sessions.all.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_page_is_answered_under_its_own_names_only() {
    let door = EntranceHarness::new().await;
    for host in ["larkfire.example.com", "LARKFIRE.example.com:443", "localhost:9095", "[::1]:9095"] {
        assert_eq!(door.harness.get_with("/login", &[("host", host)]).await.status, 200, "{host}");
    }
    for host in ["evil.example", "larkfire.example.com.evil.example", "10.0.0.7:9095"] {
        let answer = door.harness.get_with("/login", &[("host", host)]).await;
        assert_eq!(answer.status, 421, "{host}");
        assert!(
            answer.text().contains("console.url") && !answer.text().contains("evil"),
            "{}",
            answer.text()
        );
    }
}

#[tokio::test]
async fn guessing_is_slowed_also_for_who_has_the_right_password() {
    let door = EntranceHarness::new().await;
    let mut browser = Browser::default();
    for attempt in 0..5 {
        let refused = browser.log_in(&door.harness, "ann", "wrong").await;
        assert_eq!(refused.status, 401, "{attempt}");
        assert!(refused.text().contains("Name or password is wrong"));
    }
    let slowed = browser.log_in(&door.harness, "ann", PASSWORD).await;
    assert_eq!((slowed.status, slowed.header("retry-after")), (429, Some("2")));
    assert_eq!(browser.log_in(&door.harness, "bob", PASSWORD).await.status, 303, "others do not wait");
    door.pass(0, 2);
    browser.cookies.clear();
    assert_eq!(browser.log_in(&door.harness, "ann", PASSWORD).await.status, 303);
    assert_eq!((door.counted("password", "refused"), door.counted("password", "slowed")), (5, 1));
    let unknown = Browser::default().log_in(&door.harness, "nobody", PASSWORD).await;
    assert_eq!(unknown.status, 401, "as if there were such a user");
}

#[tokio::test]
async fn whoever_guesses_gains_nothing_by_asking_another_worker_while_these_know_of_each_other() {
    let sessions = Arc::<FakeSessions>::default();
    *sessions.attempts.lock().unwrap() = Some(BTreeMap::new());
    let one = EntranceHarness::with(Arc::clone(&sessions), |_| {}).await;
    let other = EntranceHarness::with(Arc::clone(&sessions), |_| {}).await;
    let mut statuses = Vec::new();
    for door in [&one, &other, &one, &other, &one, &other, &one] {
        statuses.push(Browser::default().log_in(&door.harness, "ann", "wrong").await.status);
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    let kept = format!("{:?}", sessions.attempts.lock().unwrap());
    assert!(!kept.contains("ann") && !kept.contains("127.0.0.1"), "{kept}");
    other.pass(0, 2);
    assert_eq!(Browser::default().log_in(&other.harness, "ann", PASSWORD).await.status, 303);
    one.pass(0, 2);
    assert_eq!(Browser::default().log_in(&one.harness, "ann", "wrong").await.status, 401, "begun anew");

    *sessions.attempts.lock().unwrap() = None;
    let alone = EntranceHarness::with(Arc::clone(&sessions), |_| {}).await;
    for attempt in 0..5 {
        let refused = Browser::default().log_in(&alone.harness, "ann", "wrong").await;
        assert_eq!(refused.status, 401, "{attempt}");
    }
    assert_eq!(Browser::default().log_in(&alone.harness, "ann", "wrong").await.status, 429, "by itself");
}

#[tokio::test]
async fn a_proxys_word_counts_from_the_proxy_alone() {
    let header = |is_from: bool| TrustedHeader {
        name: "x-forwarded-user".parse().unwrap(),
        is_from: Arc::new(move |_| is_from),
        operators: ["ann@example.com".to_owned()].into(),
    };
    let said = [("x-forwarded-user", "ann@example.com")];
    let door = EntranceHarness::with(Arc::default(), |parts| {
        parts.users.clear();
        parts.feishu = None;
        parts.trusted_header = Some(header(true));
    })
    .await;
    let page = door.harness.get_with("/", &said).await;
    assert!(page.status == 200 && page.text().contains("ann@example.com"));
    assert!(!page.text().contains("may look only") && !page.text().contains("Log out"));
    let viewer = door.harness.get_with("/", &[("x-forwarded-user", "bob")]).await;
    assert!(viewer.text().contains("may look only"));
    let without = door.harness.get("/").await;
    assert!(without.status == 401 && without.text().contains("console.trusted_header"));
    let twice = door.harness.get_with("/", &[said[0], ("x-forwarded-user", "eve")]).await;
    assert_eq!(twice.status, 401, "two names are none");
    let other =
        EntranceHarness::with(Arc::default(), |parts| parts.trusted_header = Some(header(false))).await;
    assert_eq!(other.harness.get_with("/", &said).await.status, 303, "from somebody else");
}

#[tokio::test]
async fn behind_a_prefix_everything_about_the_log_in_is_below_it() {
    let door = EntranceHarness::with(Arc::default(), |parts| parts.path_prefix = "/ops".to_owned()).await;
    let led = door.harness.get("/ops/").await;
    assert_eq!(led.header("location"), Some("/ops/login?next=%2F"));
    let mut browser = Browser::default();
    let form = browser.get(&door.harness, "/ops/login").await;
    assert!(form.text().contains("action=\"/ops/login\""));
    let let_in = browser.post(&door.harness, "/ops/login", &login(&token(&form), "ann", PASSWORD)).await;
    assert_eq!(let_in.header("location"), Some("/ops/"));
    assert!(set_cookie(&let_in, "larkfire_session").contains("; Path=/ops; "));
}
