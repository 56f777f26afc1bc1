//! Stopping: what is in hand is finished, what is new goes elsewhere.

use runtime::lifecycle::Drain;
use tokio::net::TcpStream;

use crate::client::{CUSTOM, Client, request};
use crate::harness::{Behaviour, Harness, PATIENCE, within};

#[tokio::test]
async fn a_drain_finishes_the_request_in_hand_and_takes_no_new_one() {
    let harness = Harness::open();
    let mut idle = Client::connect(harness.address).await;
    idle.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    assert_eq!(idle.reply().await.status, 202);
    harness.queue.will(Behaviour::Hold);
    let mut busy = Client::connect(harness.address).await;
    busy.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    harness.queue.asked(2).await;

    let lifecycle = harness.lifecycle.clone();
    let draining = tokio_util::task::TaskTracker::new().spawn(async move { lifecycle.drain(PATIENCE).await });
    idle.closed().await;
    within(async { while TcpStream::connect(harness.address).await.is_ok() {} }).await;

    harness.queue.will(Behaviour::Confirm);
    let reply = busy.reply().await;
    assert_eq!((reply.status, reply.header("connection")), (202, Some("close")));
    busy.closed().await;
    assert_eq!(within(draining).await.unwrap(), Drain::Clean);
    assert_eq!(harness.queue.stored().len(), 2);
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_by_the_grace_period() {
    let harness = Harness::open();
    harness.queue.will(Behaviour::Hold);
    let mut busy = Client::connect(harness.address).await;
    busy.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    harness.queue.asked(1).await;
    let drained = harness.lifecycle.drain(std::time::Duration::from_millis(50)).await;
    assert_eq!(drained, Drain::Cut { tasks_left: 1 });
}
