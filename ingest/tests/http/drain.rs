//! Stopping: what is in hand is finished, what is new goes elsewhere.

use shared::lifecycle::Drain;
use tokio::net::TcpStream;

use crate::client::{CUSTOM, Client, request};
use crate::house::{Behaviour, House, PATIENCE, within};

#[tokio::test]
async fn a_drain_finishes_the_request_in_hand_and_takes_no_new_one() {
    let house = House::open();
    let mut idle = Client::connect(house.address).await;
    idle.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    assert_eq!(idle.reply().await.status, 202);
    house.queue.will(Behaviour::Hold);
    let mut busy = Client::connect(house.address).await;
    busy.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    house.queue.asked(2).await;

    let lifecycle = house.lifecycle.clone();
    let draining = tokio_util::task::TaskTracker::new().spawn(async move { lifecycle.drain(PATIENCE).await });
    idle.closed().await;
    within(async { while TcpStream::connect(house.address).await.is_ok() {} }).await;

    house.queue.will(Behaviour::Confirm);
    let reply = busy.reply().await;
    assert_eq!((reply.status, reply.header("connection")), (202, Some("close")));
    busy.closed().await;
    assert_eq!(within(draining).await.unwrap(), Drain::Clean);
    assert_eq!(house.queue.stored().len(), 2);
}

#[tokio::test]
async fn a_request_that_does_not_end_is_cut_off_by_the_grace_period() {
    let house = House::open();
    house.queue.will(Behaviour::Hold);
    let mut busy = Client::connect(house.address).await;
    busy.send(request("POST /api/alert", &[], CUSTOM.as_bytes())).await;
    house.queue.asked(1).await;
    let drained = house.lifecycle.drain(std::time::Duration::from_millis(50)).await;
    assert_eq!(drained, Drain::Cut { tasks_left: 1 });
}
