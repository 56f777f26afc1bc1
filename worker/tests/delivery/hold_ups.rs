//! What cannot be told does not hold up what can.

use shared::queue::{Headers, Settlement};

use crate::stage::{EAGER, Stage, TOKEN, WITHIN, envelope, line};

/// Leads nothing of these tests anywhere; with it and without a default some alerts are for nobody.
const NOBODY: &str = r#"[{ match: alertname="Nothing", receiver: dev }]"#;

#[tokio::test]
async fn what_is_for_nobody_and_cannot_be_buried_either_does_not_hold_up_the_others() {
    let mut stage = Stage::routed_to(["ops", "dev"], NOBODY, EAGER).await;
    stage.queue.set_down(true);
    let mut body: Vec<u8> = (1..=40).flat_map(|index| line(&envelope("nobody", index))).collect();
    body.extend_from_slice(&b"no envelope\n".repeat(40));
    let for_nobody = stage.queue.deliver(body, Headers::default());
    stage.deliver(&envelope("ops", 100));
    stage.sim.wait_for_accepted(1, WITHIN).await.unwrap();
    assert_eq!(stage.sim.records(TOKEN).len(), 1);
    assert_eq!(stage.fate(for_nobody).await, Settlement::GivenBack { tag: for_nobody });
}

#[tokio::test]
async fn what_came_with_lines_nobody_can_read_is_told_before_those_are_buried() {
    let mut stage = Stage::set(EAGER).await;
    stage.queue.set_down(true);
    let mut body = b"no envelope\n".repeat(40);
    body.extend(line(&envelope("default", 1)));
    stage.queue.deliver(body, Headers::default());
    stage.sim.wait_for_accepted(1, WITHIN).await.unwrap();
}
