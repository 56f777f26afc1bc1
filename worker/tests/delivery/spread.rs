//! Several bots in one group share the cards of a receiver: in order, each once, and as fast as all of them may.

mod faults;
mod fleet;
mod trials;

use config::{BotConfig, BotMode, DeliveryConfig, ReceiverConfig, ReceiverDestination, Secret};
use feishu_sim::{BotSettings, FeishuSim, Record, SimSettings};
use queue::{Headers, Settlement};

use crate::harness::{EAGER, Harness, envelope, line, receiver};

const BOTS: [&str; 3] = ["token-one", "token-two", "token-three"];

/// The three bots, with Feishu's limits, in one group with Feishu's limit.
async fn strict_group() -> FeishuSim {
    let bots = BOTS.map(|token| BotSettings::new(token).group("ops"));
    FeishuSim::start(SimSettings::new(bots)).await.unwrap()
}

/// The receiver `ops` by all of them, within Feishu's limits.
fn ops(sim: &FeishuSim) -> ReceiverConfig {
    let bot = |token: &str| BotConfig { webhook_url: Secret::new(sim.webhook_url(token)), secret: None };
    let bots = BOTS.iter().map(|token| bot(token)).collect();
    let destination = ReceiverDestination::Bots { bots, mode: BotMode::Spread };
    let one = receiver(sim, "ops", BOTS[0], None);
    ReceiverConfig { destination, cards_per_minute: 100, cards_per_second: 5, ..one }
}

async fn harness(delivery: DeliveryConfig) -> Harness {
    let sim = strict_group().await;
    let ops = ops(&sim);
    Harness::with(sim, vec![ops], delivery)
}

/// Which of the bots showed a card.
fn bot_of(record: &Record) -> usize {
    BOTS.iter().position(|token| *token == record.token).unwrap()
}

/// How often each of these alerts is on a card, whichever bot showed it.
fn shown(sim: &FeishuSim, indices: impl Iterator<Item = u8>) -> Vec<usize> {
    let cards: Vec<_> = sim.accepted().iter().map(|record| record.message().unwrap().to_string()).collect();
    let names = |card: &String, index: u8| {
        let name = format!("Alert{index}");
        card.split(&name).skip(1).any(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    };
    indices.map(|index| cards.iter().filter(|card| names(card, index)).count()).collect()
}

#[tokio::test]
async fn bots_take_turns_and_cards_stay_in_order() {
    let mut harness = harness(EAGER).await;
    for index in 1..=9 {
        let tag = harness.deliver(&envelope("ops", index));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let accepted = harness.sim.accepted();
    assert_eq!(accepted.iter().map(bot_of).collect::<Vec<_>>(), [0, 1, 2, 0, 1, 2, 0, 1, 2]);
    for (index, record) in (1..).zip(&accepted) {
        let card = record.message().unwrap().to_string();
        assert!(card.contains(&format!("Alert{index} ")), "{index} in its place: {card}");
    }
    assert_eq!(harness.sim.totals().throttled, 0);
    for metric in [
        "larkfire_alerts_total{outcome=\"delivered\"} 9",
        "larkfire_alerts_copied_total 0",
        "larkfire_outbox_alerts{receiver=\"ops\"} 0",
        "larkfire_receiver_broken{receiver=\"ops\"} 0",
        "larkfire_receiver_broken{receiver=\"ops/3\"} 0",
    ] {
        assert!(harness.shows(metric), "{metric}");
    }
}

#[tokio::test]
async fn a_storm_is_delivered_once_and_within_every_limit() {
    let mut harness = harness(EAGER).await;
    let body = |indices: std::ops::Range<u8>| -> Vec<u8> {
        indices.flat_map(|index| line(&envelope("ops", index))).collect()
    };
    let tags: Vec<_> = (0..20)
        .map(|part| harness.queue.deliver(body(1 + 10 * part..11 + 10 * part), Headers::default()))
        .collect();
    for tag in tags {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let totals = harness.sim.totals();
    assert_eq!((totals.throttled, totals.over_budget), (0, 0));
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 200"));
    let times = shown(&harness.sim, 1..=200);
    assert!(times.contains(&1) && times.iter().all(|times| *times <= 1), "none is on two cards: {times:?}");
    assert_eq!(harness.queue.published().len(), 0);
}

#[tokio::test]
async fn what_was_addressed_to_one_of_the_bots_before_they_shared_is_the_receivers() {
    let mut harness = harness(EAGER).await;
    for asked in ["ops/2", "ops/7", "ops"] {
        let tag = harness.deliver(&envelope(asked, 1));
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(harness.sim.totals().accepted, 1);
    assert!(harness.shows("larkfire_alerts_redelivered_total 2"));
}
