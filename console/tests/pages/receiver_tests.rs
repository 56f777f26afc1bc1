//! The button that tests a receiver.

use console::data::TestOrder;
use hyper::Method;

use crate::harness::Harness;

#[tokio::test]
async fn each_receiver_has_a_button_that_tests_it_and_leads_to_what_becomes_of_that() {
    let harness = Harness::new().await;
    let page = harness.get("/receivers").await;
    assert!(page.text().contains("action=\"/receivers/ops/test\""), "{}", page.text());
    let answer = harness.send(Method::POST, "/receivers/ops/test", &[], "").await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/receivers/ops/tests/e1,e2")));
    let order = TestOrder { who: "somebody".to_owned(), receiver: "ops".to_owned() };
    assert_eq!(*harness.backend.tests.lock().unwrap(), [order]);
    let result = harness.get("/receivers/ops/tests/e1,e2").await;
    assert!(result.text().contains("data-refresh=\"1\""), "one of them is not over");
    let delivered = harness.get("/receivers/ops/tests/x").await;
    assert_eq!(delivered.status, 200);
}

#[tokio::test]
async fn nobody_is_tested_by_another_site_or_by_a_link() {
    let harness = Harness::new().await;
    let foreign = [("origin", "http://evil.example")];
    assert_eq!(harness.send(Method::POST, "/receivers/ops/test", &foreign, "").await.status, 403);
    assert_eq!(harness.get("/receivers/ops/test").await.status, 405);
    assert!(harness.backend.tests.lock().unwrap().is_empty());
}
