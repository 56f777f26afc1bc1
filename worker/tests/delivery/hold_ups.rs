//! What cannot be delivered does not hold up what can.

use queue::{Headers, Settlement};

use crate::harness::{EAGER, Harness, TOKEN, WITHIN, envelope, line};

/// Leads nothing of these tests anywhere; with it and without a default some alerts are for nobody.
const NOBODY: &str = r#"[{ match: alertname="Nothing", receiver: dev }]"#;

#[tokio::test]
async fn what_is_for_nobody_and_cannot_be_buried_either_does_not_hold_up_the_others() {
    let mut harness = Harness::routed_to(["ops", "dev"], NOBODY, EAGER).await;
    harness.queue.set_down(true);
    let mut body: Vec<u8> = (1..=40).flat_map(|index| line(&envelope("nobody", index))).collect();
    body.extend_from_slice(&b"no envelope\n".repeat(40));
    let for_nobody = harness.queue.deliver(body, Headers::default());
    harness.deliver(&envelope("ops", 100));
    harness.sim.wait_for_accepted(1, WITHIN).await.unwrap();
    assert_eq!(harness.sim.records(TOKEN).len(), 1);
    assert_eq!(harness.fate(for_nobody).await, Settlement::GivenBack { tag: for_nobody });
}

#[tokio::test]
async fn what_came_with_lines_nobody_can_read_is_delivered_before_those_are_buried() {
    let mut harness = Harness::set(EAGER).await;
    harness.queue.set_down(true);
    let mut body = b"no envelope\n".repeat(40);
    body.extend(line(&envelope("default", 1)));
    harness.queue.deliver(body, Headers::default());
    harness.sim.wait_for_accepted(1, WITHIN).await.unwrap();
}
