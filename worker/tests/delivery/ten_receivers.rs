//! Ten receivers, one of them dead and one throttled: the other eight are told as if those two were not there.

use std::ops::RangeInclusive;
use std::time::Duration;

use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, Record, SimSettings};
use shared::config::{DeliveryConfig, ReceiverConfig};
use shared::queue::{Headers, Settlement};
use testkit::ports::free_address;

use crate::stage::{EAGER, Stage, WITHIN, envelope, line, receiver};

const DEAD: &str = "dead";
const THROTTLED: &str = "throttled";
const WELL: [&str; 8] = ["ops", "dev", "dba", "net", "web", "pay", "shop", "boss"];
/// How often each of the eight gets something new; only when all have it comes the next.
const ROUNDS: u8 = 3;
/// What waits for the dead one, and then what for the throttled one.
const WAITING: [RangeInclusive<u8>; 2] = [1..=10, 11..=20];
/// A request that hangs does so for longer than the test waits for anything: who waits for it fails the test.
const PATIENT: DeliveryConfig =
    DeliveryConfig { request_timeout: WITHIN.saturating_mul(3), hold: Duration::from_hours(1), ..EAGER };

/// How the dead one is dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Death {
    Refusing,
    Hanging,
}

#[tokio::test]
async fn eight_receivers_are_told_beside_one_that_refuses_connections_and_one_that_is_throttled() {
    the_eight_are_told(Death::Refusing).await;
}

#[tokio::test]
async fn eight_receivers_are_told_beside_one_that_hangs_and_one_that_is_throttled() {
    the_eight_are_told(Death::Hanging).await;
}

async fn the_eight_are_told(death: Death) {
    let mut stage = stage(death).await;
    let held = [DEAD, THROTTLED].into_iter().zip(WAITING).map(|(to, indices)| {
        let body: Vec<u8> = indices.flat_map(|index| line(&envelope(to, index))).collect();
        stage.queue.deliver(body, Headers::default())
    });
    let held: Vec<u64> = held.collect();

    for round in 0..ROUNDS {
        let news: Vec<(&str, u8)> = WELL.into_iter().zip(100 + 8 * round..).collect();
        let tags: Vec<_> = news.iter().map(|(to, index)| stage.deliver(&envelope(to, *index))).collect();
        for tag in tags {
            assert_eq!(stage.fate(tag).await, Settlement::Done { tag });
        }
        for (name, index) in news {
            let cards = stage.sim.records(name);
            assert_eq!(cards.len(), usize::from(round) + 1, "{name} gets a card of its own at once");
            let newest = cards.last().and_then(Record::message).unwrap().to_string();
            assert!(newest.contains(&format!("Alert{index}")), "{name}: {newest}");
        }
        for ((name, tag), waiting) in [DEAD, THROTTLED].into_iter().zip(&held).zip(WAITING) {
            assert_eq!(stage.queue.fate(*tag), None, "{name} still holds all of it in round {round}");
            let waiting = waiting.count();
            assert!(stage.shows(&format!("larkfire_outbox_alerts{{receiver=\"{name}\"}} {waiting}")));
        }
    }
    assert_eq!(stage.queue.published().len(), 0, "and nobody's alerts were put aside");

    // And the throttled one has lost nothing by it.
    stage.sim.clear_faults(THROTTLED).unwrap();
    assert_eq!(stage.fate(held[1]).await, Settlement::Done { tag: held[1] });
    let accepted = stage.sim.accepted();
    let cards: Vec<_> = accepted.iter().filter(|record| record.token == THROTTLED).collect();
    assert_eq!(cards.len(), 1);
    let card = cards[0].message().unwrap().to_string();
    assert!(WAITING[1].clone().all(|index| card.contains(&format!("Alert{index}"))), "{card}");
}

/// A worker with the ten; the name of a receiver is its bot's token, too.
async fn stage(death: Death) -> Stage {
    let bots = WELL.into_iter().chain([DEAD, THROTTLED]).map(|name| BotSettings::new(name).no_limits());
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    let throttling = Fault::Refusal { code: 11232, msg: "frequency limited".to_owned() };
    sim.fault(THROTTLED, &throttling, Lasting::UntilCleared).unwrap();
    sim.fault(DEAD, &Fault::NeverAnswer, Lasting::UntilCleared).unwrap();
    let nobody = format!("http://{}/open-apis/bot/v2/hook/{DEAD}", free_address());
    let mut receivers: Vec<ReceiverConfig> =
        [DEAD, THROTTLED].into_iter().chain(WELL).map(|name| receiver(&sim, name, name, None)).collect();
    if death == Death::Refusing {
        receivers[0].destination = shared::config::Destination::CustomBot {
            webhook_url: shared::config::Secret::new(nobody),
            secret: None,
        };
    }
    Stage::with(sim, receivers, PATIENT)
}
