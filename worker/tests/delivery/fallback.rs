//! What waits for a receiver that cannot be reached is told through another one, once, and its end goes where it was told.

use std::time::Duration;

use config::FallbackConfig;
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use jiff::SignedDuration;
use model::alert::Status;
use model::envelope::{Envelope, decode};
use queue::{Headers, Message, MessageDestination, Settlement};
use testkit::wait_until::wait_until;

use crate::each_database::{OwnDatabase, on_each_database};
use crate::harness::{EAGER, Harness, OTHER_TOKEN, PARKING, TOKEN, WITHIN, envelope, receiver, title};

on_each_database! {
    it_is_on_one_card_of_the_other_receiver_which_says_for_whom_and_its_end_is_there_too
    what_is_told_instead_goes_no_further_and_tests_stay_where_they_are
}

/// A worker with the receivers `default` and `other`, the second of which is told instead of the first.
async fn harness(delivery: config::DeliveryConfig, own: &OwnDatabase) -> Harness {
    let bots = [TOKEN, OTHER_TOKEN].map(|token| BotSettings::new(token).no_limits());
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    let mut first = receiver(&sim, "default", TOKEN, None);
    first.fallback = Some(FallbackConfig { receiver: "other".to_owned(), after: Duration::from_secs(1) });
    let receivers = vec![first, receiver(&sim, "other", OTHER_TOKEN, None)];
    Harness::on_database(sim, receivers, delivery, own.config())
}

/// What was put on the queue for a receiver.
fn handed_on(harness: &Harness) -> Vec<Message> {
    let is_alerts = |message: &Message| matches!(message.to, MessageDestination::Alerts { .. });
    harness.queue.published().into_iter().filter(is_alerts).collect()
}

async fn wait_for(harness: &Harness, wanted: usize) -> Message {
    wait_until(WITHIN, "a message for another receiver", async || {
        handed_on(harness).get(wanted - 1).cloned().ok_or("nothing is on the queue")
    })
    .await
}

async fn settle(harness: &mut Harness, envelope: &Envelope<'_>) {
    let tag = harness.deliver(envelope);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
}

async fn it_is_on_one_card_of_the_other_receiver_which_says_for_whom_and_its_end_is_there_too(
    own: OwnDatabase,
) {
    let mut harness = harness(EAGER, &own).await;
    harness.sim.fault(TOKEN, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
    let firing = envelope("default", 1);
    settle(&mut harness, &firing).await;
    let message = wait_for(&harness, 1).await;
    let instead = decode(&message.body).unwrap().into_owned();
    assert_eq!((&*instead.receiver, &*instead.instead_of, instead.id), ("other", "default", firing.id));
    // By whichever worker, and twice, as after a crash.
    for _ in 0..2 {
        let tag = harness.queue.deliver(message.body.clone(), Headers::default());
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let cards = harness.sim.accepted();
    assert_eq!(cards.len(), 1, "one card: {cards:?}");
    let card = &cards[0];
    let text = card.message().unwrap().to_string();
    assert!(title(card).contains("FOR default"), "{text}");
    assert!(text.contains("for default, which cannot be reached"), "{text}");
    assert!(harness.shows("larkfire_alerts_fallen_back_total{receiver=\"default\"} 1"));
    // It is back, and what it is for is no news there.
    harness.sim.clear_faults(TOKEN).unwrap();
    let again = Envelope { id: firing.id.part(1), ..firing.clone() };
    settle(&mut harness, &again).await;
    assert!(harness.shows("larkfire_alerts_total{outcome=\"duplicate\"} 1"));
    let mut over = Envelope { id: firing.id.part(2), ..firing.clone() };
    over.alerts[0].status = Status::Resolved;
    over.received_at += SignedDuration::from_mins(5);
    settle(&mut harness, &over).await;
    let end = wait_for(&harness, 2).await;
    let tag = harness.queue.deliver(end.body.clone(), Headers::default());
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let of = |token| harness.sim.records(token).iter().filter(|record| record.message().is_some()).count();
    assert_eq!([of(TOKEN), of(OTHER_TOKEN)], [1, 2], "the end on both, and the beginning on one");
    // An end is told once.
    let late = Envelope { id: firing.id.part(3), ..over };
    settle(&mut harness, &late).await;
    assert_eq!(handed_on(&harness).len(), 2);
}

async fn what_is_told_instead_goes_no_further_and_tests_stay_where_they_are(own: OwnDatabase) {
    let mut harness = harness(PARKING, &own).await;
    for token in [TOKEN, OTHER_TOKEN] {
        harness.sim.fault(token, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
    }
    let mut instead = envelope("other", 1);
    instead.instead_of = "default".into();
    settle(&mut harness, &instead).await;
    assert!(handed_on(&harness).is_empty(), "there are no chains");
    let parked = harness.queue.published();
    let line = decode(&parked[0].body).unwrap();
    assert_eq!((&*line.receiver, &*line.instead_of), ("other", "default"), "it waits as what it is");
}
