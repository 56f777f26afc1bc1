//! A storm that goes on: more of the same waits a little, what is new does not.

use std::time::Duration;

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use model::envelope::Envelope;

use crate::harness::{EAGER, Harness, TOKEN, envelope, receiver, title};

/// What is waited for more of the same, less what clocks read in two places may differ by.
const APART: Duration = Duration::from_millis(4_900);

/// One pod of a hundred that crash.
fn crashing(index: u8) -> Envelope<'static> {
    let mut envelope = envelope("default", index);
    let pod = format!("shop-{index}");
    let labels = [("alertname", "PodCrashLooping"), ("severity", "critical"), ("pod", pod.as_str())];
    envelope.alerts[0].labels =
        labels.map(|(name, value)| (name.into(), value.to_owned().into())).into_iter().collect();
    envelope
}

#[tokio::test]
async fn after_a_fifth_of_a_minutes_cards_one_card_says_what_five_would_and_what_is_new_is_told_with_it() {
    let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
    let mut one = receiver(&sim, "default", TOKEN, None);
    // Four of the 25 may go at once; the fifth is the last of a fifth.
    one.cards_per_minute = 25;
    let mut harness = Harness::with(sim, vec![one], EAGER);
    for index in 1..=6 {
        let tag = harness.deliver(&crashing(index));
        harness.fate(tag).await;
    }
    let cards = harness.sim.accepted();
    assert_eq!(cards.len(), 6);
    let waited = Duration::try_from(cards[5].at.duration_since(cards[4].at)).unwrap();
    assert!(waited >= APART, "{waited:?}");

    let more = harness.deliver(&crashing(7));
    let news = harness.deliver(&envelope("default", 8));
    for tag in [more, news] {
        harness.fate(tag).await;
    }
    let cards = harness.sim.accepted();
    assert_eq!(cards.len(), 7, "both on one");
    let told = format!("{}{}", title(&cards[6]), cards[6].message().unwrap());
    assert!(told.contains("Alert8") && told.contains("shop-7"), "{told}");
}
