//! Silences: what one would hit is shown first, and the number is on the button.

use console::data::{SilenceEnd, SilenceOrder};
use hyper::Method;

use crate::fake_backend::{COUNTED, COUNTED_AT};
use crate::harness::Harness;

#[tokio::test]
async fn what_a_silence_hits_is_counted_before_it_is_made() {
    let harness = Harness::new().await;
    let page = harness.get("/silences/new?matchers=alertname%3D%22Disk%22&length=4h").await;
    assert!(page.text().contains("Silence 1\u{202f}204 alerts for 4h"), "{}", page.text());
    let form = format!(
        "alertmanager=eu&matchers=alertname%3D%22Disk%22&until={COUNTED_AT}&count={COUNTED}&reason=known"
    );
    let answer = harness.send(Method::POST, "/silences/new", &[], &form).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/silences")));
    let order = SilenceOrder {
        who: "somebody".to_owned(),
        alertmanager: "eu".to_owned(),
        matchers: "alertname=\"Disk\"".to_owned(),
        until: COUNTED_AT.parse().unwrap(),
        counted: COUNTED,
        reason: "known".to_owned(),
    };
    assert_eq!(*harness.backend.silences.lock().unwrap(), [order]);
    let same = harness.get("/silences/new?matchers=alertname%3D%22Disk%22&length=1h").await;
    assert!(same.text().contains("There is this silence already") && !same.text().contains("alerts for 4h"));
}

#[tokio::test]
async fn a_silence_is_ended_by_a_button() {
    let harness = Harness::new().await;
    let page = harness.get("/silences").await;
    assert!(page.text().contains("action=\"/silences/end\"") && page.text().contains("1\u{202f}204"));
    let answer = harness.send(Method::POST, "/silences/end", &[], "alertmanager=eu&id=s1").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/silences")));
    let end = SilenceEnd { who: "somebody".to_owned(), alertmanager: "eu".to_owned(), id: "s1".to_owned() };
    assert_eq!(*harness.backend.ends.lock().unwrap(), [end]);
}

#[tokio::test]
async fn nothing_is_silenced_without_a_reason_or_a_count_or_for_another_site() {
    let harness = Harness::new().await;
    let whole = format!("alertmanager=eu&matchers=a%3Db&until={COUNTED_AT}&count=1");
    for form in [whole.as_str(), "alertmanager=eu&matchers=a%3Db&reason=r", "reason=r&count=1"] {
        assert_eq!(harness.send(Method::POST, "/silences/new", &[], form).await.status, 400, "{form}");
    }
    assert_eq!(harness.send(Method::POST, "/silences/end", &[], "id=s1").await.status, 400);
    let foreign = [("origin", "http://evil.example")];
    for path in ["/silences/new", "/silences/end"] {
        assert_eq!(harness.send(Method::POST, path, &foreign, &whole).await.status, 403, "{path}");
    }
    assert!(harness.backend.silences.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_group_that_fires_leads_to_a_silence_of_what_it_shares() {
    let harness = Harness::new().await;
    let page = harness.get("/firing").await;
    assert!(page.text().contains("/silences/new?matchers="), "{}", page.text());
    let json = harness.get("/firing?format=json").await.json();
    let matchers = json["groups"][0]["silence_matchers"].as_str().unwrap().to_owned();
    assert!(!matchers.contains("pod="), "only what all have: {matchers}");
}
