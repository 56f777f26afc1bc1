//! What holds for every page.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use console::access::LoopbackAccess;
use hyper::Method;
use testkit::wait_until::wait_until;

use crate::fake_backend::HOSTILE;
use crate::harness::Harness;

const PATIENCE: Duration = Duration::from_secs(30);
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
/// Where the fake backend has logs: the only links that lead out.
const LOGS: &str = "https://grafana.example/explore";
/// Every page that can be looked at without knowing more.
const PAGES: [&str; 14] = [
    "/firing",
    "/",
    "/receivers",
    "/receivers/ops/tests/e1,e2,e3",
    "/silences",
    "/silences/new?matchers=a%3Db",
    "/alerts",
    "/alerts/a%2Fb",
    "/cards/7",
    "/dead-letters",
    "/dead-letters/7",
    "/actions/7",
    "/audit",
    "/try",
];

/// The assets a page asks for.
fn assets(html: &str) -> Vec<String> {
    html.split('"').filter(|part| part.contains("/assets/")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_page_carries_nothing_but_text_and_runs_nothing_but_its_own_script() {
    let harness = Harness::new().await;
    for path in PAGES {
        let page = harness.get(path).await;
        assert_eq!((page.status, page.header("content-security-policy")), (200, Some(POLICY)), "{path}");
        assert_eq!(page.header("x-content-type-options"), Some("nosniff"), "{path}");
        let html = page.text();
        let (head, body) = html.split_once("<body>").unwrap();
        assert_eq!(head.matches("<script").count(), 1, "{path}");
        for inert in ["<script", "<img src=x", " style=", "<style", " onclick", "javascript:"] {
            assert!(!body.contains(inert), "{path}: {inert}");
        }
        for asset in assets(html) {
            let answer = harness.get(&asset).await;
            assert_eq!(answer.status, 200, "{asset}");
            assert!(answer.header("cache-control").unwrap().contains("immutable"), "{asset}");
        }
    }
    let html = harness.get("/").await;
    assert!(html.text().contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "the text is there, as text");
}

#[tokio::test]
async fn while_cards_are_only_previewed_every_page_says_so() {
    let access = || Arc::new(LoopbackAccess::on("127.0.0.1:9095".parse().unwrap(), "somebody".to_owned()));
    let said = "cards are shown here and sent to nobody";
    let previewing = Harness::with(access(), "", true).await;
    let sending = Harness::with(access(), "", false).await;
    // The overview has it among what the backend says.
    for path in PAGES.into_iter().filter(|path| *path != "/") {
        assert!(previewing.get(path).await.text().contains(said), "{path}");
        assert!(!sending.get(path).await.text().contains(said), "{path}");
    }
}

#[tokio::test]
async fn a_page_is_in_the_readers_language_and_the_choice_is_kept() {
    let harness = Harness::new().await;
    for path in PAGES {
        let chinese = harness.get_with(path, &[("accept-language", "zh-CN,zh;q=0.9")]).await;
        assert!(chinese.text().contains("lang=\"zh-CN\""), "{path}");
        let english = harness.get(path).await;
        assert!(english.text().contains("<html lang=\"en\""), "{path}");
    }
    let chosen = harness.get("/?lang=zh-CN").await;
    assert!(chosen.text().contains("概览") && !chosen.text().contains(">Overview<"));
    let cookie = chosen.header("set-cookie").unwrap().split(';').next().unwrap().to_owned();
    let later =
        harness.get_with("/", &[("cookie", &format!("other=1; {cookie}")), ("accept-language", "en")]).await;
    assert!(later.text().contains("概览"));
}

#[tokio::test]
async fn every_page_has_a_twin_in_json_with_exact_numbers() {
    let harness = Harness::new().await;
    for path in PAGES {
        let separator = if path.contains('?') { '&' } else { '?' };
        let json = harness.get(&format!("{path}{separator}format=json")).await;
        assert_eq!((json.status, json.header("content-type")), (200, Some("application/json")), "{path}");
        assert!(json.json().is_object(), "{path}");
    }
    let overview = harness.get("/?format=json").await;
    assert_eq!(overview.json()["receivers"][0]["name"], HOSTILE);
    assert!(overview.text().contains("9007199254740993"), "beyond what JavaScript counts");
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    let harness = Harness::new().await;
    let page = harness.get("/").await;
    let tag = page.header("etag").unwrap().to_owned();
    let again = harness.get_with("/", &[("if-none-match", &tag)]).await;
    assert_eq!((again.status, again.body.len()), (304, 0));
    let other = harness.get_with("/?lang=zh", &[("if-none-match", &tag)]).await;
    assert_eq!(other.status, 200);
}

#[tokio::test]
async fn a_prefix_stands_before_everything() {
    let harness = Harness::at("/ops/larkfire").await;
    for path in PAGES {
        let page = harness.get(&format!("/ops/larkfire{path}")).await;
        assert_eq!(page.status, 200, "{path}");
        for link in page.text().split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            let is_below = link.starts_with("/ops/larkfire/") || link.starts_with(['?', '#']) || link == LOGS;
            assert!(is_below, "{path}: {link}");
        }
        assert_eq!(harness.get(path).await.status, 404, "{path}");
    }
    assert_eq!(harness.get("/ops/larkfire").await.status, 200);
    assert_eq!(harness.get("/healthz").await.status, 200, "probes stay where they are");
}

#[tokio::test]
async fn nobody_from_elsewhere_sees_a_page() {
    let harness = Harness::new().await;
    for host in ["evil.example", "10.1.2.3:9095"] {
        assert_eq!(harness.get_with("/", &[("host", host)]).await.status, 404, "{host}");
    }
    for header in ["x-forwarded-for", "forwarded", "x-real-ip", "via"] {
        let forwarded = harness.get_with("/", &[(header, "192.0.2.1")]).await;
        assert_eq!(forwarded.status, 404, "a proxy on this machine brings others along: {header}");
    }
    let open = Harness::listening("0.0.0.0:9095", "").await;
    for path in PAGES {
        assert_eq!(open.get(path).await.status, 404, "{path}");
    }
    assert_eq!(open.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn a_database_that_is_away_is_said_in_words_and_in_json() {
    let harness = Harness::new().await;
    *harness.backend.away.lock().unwrap() = Some("<b>gone</b>".to_owned());
    let page = harness.get("/").await;
    assert_eq!(page.status, 503);
    assert!(page.text().contains("&lt;b&gt;gone&lt;/b&gt;"), "{}", page.text());
    let json = harness.get("/?format=json").await;
    assert_eq!((json.status, json.json()["code"].as_str()), (503, Some("unavailable")));
}

#[tokio::test]
async fn only_what_acts_takes_a_post() {
    let harness = Harness::new().await;
    for path in
        PAGES.into_iter().filter(|path| !path.starts_with("/try") && !path.starts_with("/silences/new"))
    {
        let answer = harness.send(Method::POST, path, &[], "").await;
        assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
}

#[tokio::test]
async fn the_alerts_of_a_card_are_to_be_had_for_a_spreadsheet() {
    let harness = Harness::new().await;
    let csv = harness.get("/cards/c7?format=csv").await;
    assert_eq!(csv.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(csv.header("content-disposition"), Some("attachment; filename=\"c7.csv\""));
    assert_eq!(csv.text().lines().count(), 3);
    assert!(csv.text().contains("\"'=cmd\""), "no formula: {}", csv.text());
}

#[tokio::test]
async fn the_trail_is_read_page_by_page() {
    let harness = Harness::new().await;
    let first = harness.get("/audit?format=json").await.json();
    assert_eq!((first["actions"].as_array().unwrap().len(), first["before"].as_i64()), (100, Some(100)));
    let last = harness.get("/audit?format=json&before=100").await.json();
    assert_eq!((last["actions"].as_array().unwrap().len(), last["before"].as_i64()), (99, None));
}

#[tokio::test]
async fn a_payload_is_explained_and_shown_as_text() {
    let harness = Harness::new().await;
    let form = |payload: &str, receiver: &str| format!("payload={payload}&receiver={receiver}");
    let page = harness.send(Method::POST, "/try", &[], &form("%3Cscript%3Ex", "ops")).await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("for Some(&quot;ops&quot;): &lt;script&gt;x"), "{}", page.text());
    let refused = harness.send(Method::POST, "/try?format=json", &[], &form("x", "nobody")).await.json();
    assert_eq!(
        (refused["refused"].as_str(), refused["explained"].is_null()),
        (Some("no receiver for x"), true)
    );
}

#[tokio::test]
async fn while_a_long_payload_is_explained_nobody_waits_for_it() {
    let harness = Harness::new().await;
    let explained = harness.send(Method::POST, "/try?format=json", &[], "payload=long");
    let meanwhile = async {
        wait_until(PATIENCE, "the explanation to begin", async || {
            if harness.explainer.has_begun.load(Ordering::SeqCst) { Ok(()) } else { Err("not yet") }
        })
        .await;
        assert_eq!(harness.get("/").await.status, 200);
        let second = harness.send(Method::POST, "/try?format=json", &[], "payload=x").await;
        assert_eq!((second.status, second.header("retry-after")), (503, Some("2")), "{}", second.text());
        harness.explainer.may_end.store(true, Ordering::SeqCst);
    };
    let (explained, ()) = tokio::join!(explained, meanwhile);
    assert_eq!(explained.json()["explained"], "for None: long");
}
