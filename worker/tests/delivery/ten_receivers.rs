//! Ten receivers, one of them dead and one throttled: the other eight get theirs as if those two were not there.

use std::ops::RangeInclusive;

use config::ReceiverConfig;
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, Record, SimSettings};
use queue::{Headers, Settlement};
use testkit::ports::free_address;

use crate::harness::{Harness, PATIENT, envelope, line, receiver};

const DEAD: &str = "dead";
const THROTTLED: &str = "throttled";
const WELL: [&str; 8] = ["ops", "dev", "dba", "net", "web", "pay", "shop", "boss"];
/// How often each of the eight gets something new; only when all have it comes the next.
const ROUNDS: u8 = 3;
/// What waits for the dead one, and then what for the throttled one.
const WAITING: [RangeInclusive<u8>; 2] = [1..=10, 11..=20];

/// How the dead one is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum DeadKind {
    Refusing,
    Hanging,
}

#[tokio::test]
async fn eight_receivers_get_theirs_beside_one_that_refuses_connections_and_one_that_is_throttled() {
    the_eight_get_theirs(DeadKind::Refusing).await;
}

#[tokio::test]
async fn eight_receivers_get_theirs_beside_one_that_hangs_and_one_that_is_throttled() {
    the_eight_get_theirs(DeadKind::Hanging).await;
}

async fn the_eight_get_theirs(death: DeadKind) {
    let mut harness = harness(death).await;
    let held = [DEAD, THROTTLED].into_iter().zip(WAITING).map(|(to, indices)| {
        let body: Vec<u8> = indices.flat_map(|index| line(&envelope(to, index))).collect();
        harness.queue.deliver(body, Headers::default())
    });
    let held: Vec<u64> = held.collect();

    for round in 0..ROUNDS {
        let news: Vec<(&str, u8)> = WELL.into_iter().zip(100 + 8 * round..).collect();
        let tags: Vec<_> = news.iter().map(|(to, index)| harness.deliver(&envelope(to, *index))).collect();
        for tag in tags {
            assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        }
        for (name, index) in news {
            let cards = harness.sim.records(name);
            assert_eq!(cards.len(), usize::from(round) + 1, "{name} gets a card of its own at once");
            let newest = cards.last().and_then(Record::message).unwrap().to_string();
            assert!(newest.contains(&format!("Alert{index}")), "{name}: {newest}");
        }
        for ((name, tag), waiting) in [DEAD, THROTTLED].into_iter().zip(&held).zip(WAITING) {
            assert_eq!(harness.queue.fate(*tag), None, "{name} still holds all of it in round {round}");
            let waiting = waiting.count();
            assert!(harness.shows(&format!("larkfire_outbox_alerts{{receiver=\"{name}\"}} {waiting}")));
        }
    }
    assert_eq!(harness.queue.published().len(), 0, "and nobody's alerts were put aside");

    // And the throttled one has lost nothing by it.
    harness.sim.clear_faults(THROTTLED).unwrap();
    assert_eq!(harness.fate(held[1]).await, Settlement::Done { tag: held[1] });
    let accepted = harness.sim.accepted();
    let cards: Vec<_> = accepted.iter().filter(|record| record.token == THROTTLED).collect();
    assert_eq!(cards.len(), 1);
    let card = cards[0].message().unwrap().to_string();
    assert!(WAITING[1].clone().all(|index| card.contains(&format!("Alert{index}"))), "{card}");
}

/// A worker with the ten; the name of a receiver is its bot's token, too.
async fn harness(death: DeadKind) -> Harness {
    let bots = WELL.into_iter().chain([DEAD, THROTTLED]).map(|name| BotSettings::new(name).no_limits());
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    let throttling = Fault::Refusal { code: 11232, msg: "frequency limited".to_owned() };
    sim.fault(THROTTLED, &throttling, Lasting::UntilCleared).unwrap();
    sim.fault(DEAD, &Fault::NeverAnswer, Lasting::UntilCleared).unwrap();
    let nobody = format!("http://{}/open-apis/bot/v2/hook/{DEAD}", free_address());
    let mut receivers: Vec<ReceiverConfig> =
        [DEAD, THROTTLED].into_iter().chain(WELL).map(|name| receiver(&sim, name, name, None)).collect();
    if death == DeadKind::Refusing {
        receivers[0].destination =
            config::ReceiverDestination::CustomBot { webhook_url: config::Secret::new(nobody), secret: None };
    }
    Harness::with(sim, receivers, PATIENT)
}
