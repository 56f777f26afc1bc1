//! Dead letters: chosen and acted on by forms, with a reason and a count.

use console::data::{ChosenLetters, DeadLetterAction, DeadLetterOrder};
use hyper::Method;
use testkit::http::Answer;

use crate::fake_backend::{COUNTED, COUNTED_AT};
use crate::harness::Harness;

async fn posted(harness: &Harness, path: &str, form: &str) -> Answer {
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    harness.send(Method::POST, path, &headers, form).await
}

fn only_order(harness: &Harness) -> DeadLetterOrder {
    let orders = harness.backend.orders.lock().unwrap();
    assert_eq!(orders.len(), 1, "{orders:?}");
    orders[0].clone()
}

#[tokio::test]
async fn the_number_is_on_the_button_and_what_was_counted_goes_with_it() {
    let harness = Harness::new().await;
    let page = harness.get("/dead-letters?q=%40receiver%3Dops").await;
    let html = page.text();
    assert!(html.contains("Replay all 1\u{202f}204") && html.contains("Discard all 1\u{202f}204"), "{html}");
    for hidden in [format!("value=\"{COUNTED}\""), format!("value=\"{COUNTED_AT}\"")] {
        assert!(html.contains(&hidden), "{hidden}");
    }
    let form = format!("all=1&q=%40receiver%3Dops&until={COUNTED_AT}&count={COUNTED}&reason=bot+is+back");
    let answer = posted(&harness, "/dead-letters/replay", &form).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/actions/42")));
    let order = only_order(&harness);
    assert_eq!((order.who.as_str(), order.reason.as_str()), ("somebody", "bot is back"));
    assert_eq!(order.action, DeadLetterAction::Replay);
    let ChosenLetters::Matching { query, until, counted } = order.chosen else { panic!("not all of them") };
    assert_eq!((query.to_string().as_str(), until.to_string().as_str()), ("@receiver=\"ops\"", COUNTED_AT));
    assert_eq!(counted, COUNTED);
}

#[tokio::test]
async fn single_letters_are_chosen_by_their_numbers() {
    let harness = Harness::new().await;
    let answer = posted(&harness, "/dead-letters/discard?format=json", "id=3&id=1&id=x&reason=noise").await;
    assert_eq!((answer.status, answer.json()["action"].as_i64()), (202, Some(42)));
    let order = only_order(&harness);
    assert_eq!(order.action, DeadLetterAction::Discard);
    assert!(matches!(order.chosen, ChosenLetters::Ids(ids) if ids == [3, 1]));
}

#[tokio::test]
async fn a_letter_is_sent_although_it_was_delivered_only_if_that_is_asked_for() {
    let harness = Harness::new().await;
    posted(&harness, "/dead-letters/replay", "id=3&reason=r&anyway=1").await;
    assert_eq!(only_order(&harness).action, DeadLetterAction::ReplayAnyway);
}

#[tokio::test]
async fn nothing_is_done_without_a_reason_or_without_letters_or_for_another_site() {
    let harness = Harness::new().await;
    for form in ["id=3", "id=3&reason=++", "reason=r", "all=1&reason=r", "all=1&until=x&count=3&reason=r"] {
        let answer = posted(&harness, "/dead-letters/replay", form).await;
        assert_eq!(answer.status, 400, "{form}");
    }
    let foreign = [("origin", "http://evil.example"), ("content-type", "application/x-www-form-urlencoded")];
    let answer = harness.send(Method::POST, "/dead-letters/discard", &foreign, "id=3&reason=r").await;
    assert_eq!(answer.status, 403);
    assert_eq!(harness.get("/dead-letters/discard").await.status, 405);
    assert!(harness.backend.orders.lock().unwrap().is_empty());
}

#[tokio::test]
async fn what_is_not_there_and_what_is_no_filter_is_said() {
    let harness = Harness::new().await;
    for path in ["/dead-letters/700", "/actions/700"] {
        assert_eq!(harness.get(path).await.status, 404, "{path}");
        let json = harness.get(&format!("{path}?format=json")).await;
        assert_eq!((json.status, json.json()["code"].as_str()), (404, Some("not_found")));
    }
    let refused = harness.get("/dead-letters?q=severity").await;
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("none of =, !=, =~, !~"), "{}", refused.text());
}
