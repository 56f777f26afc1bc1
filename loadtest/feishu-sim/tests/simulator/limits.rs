//! Rates and memory.

use std::time::Duration;

use feishu_sim::{BotSettings, FeishuSim, Limits, ManualClock, SimSettings};
use jiff::Timestamp;

use crate::support::{DEADLINE, TOKEN, card, hook, post, send, start, start_at, text};

#[tokio::test]
async fn the_sixth_message_of_a_second_is_11232_and_the_next_second_is_free() {
    let (sim, clock) = start_at(BotSettings::new(TOKEN), 0).await;
    for expected in [0, 0, 0, 0, 0, 11232] {
        assert_eq!(send(&sim, &text("hello")).await.code(), expected);
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(send(&sim, &text("hello")).await.code(), 0);
    let totals = sim.totals();
    assert_eq!((totals.accepted, totals.throttled, totals.over_budget), (6, 1, 0));
}

#[tokio::test]
async fn the_101st_message_of_a_minute_is_11232_however_slowly_they_came() {
    let (sim, clock) = start_at(BotSettings::new(TOKEN), 0).await;
    for sent in 0..100 {
        assert_eq!(send(&sim, &text("hello")).await.code(), 0, "message {sent}");
        clock.advance(Duration::from_millis(500));
    }
    assert_eq!(send(&sim, &text("hello")).await.code(), 11232);
    clock.advance(Duration::from_secs(10));
    assert_eq!(send(&sim, &text("hello")).await.code(), 0);
}

#[tokio::test]
async fn bots_in_one_group_share_its_second_and_the_sixth_message_is_11233() {
    let clock = ManualClock::starting_at(Timestamp::UNIX_EPOCH);
    let bots = ["a", "b"].map(|token| BotSettings::new(token).group("ops")).into_iter();
    let bots = bots.chain([BotSettings::new("elsewhere")]);
    let sim = FeishuSim::start(SimSettings::new(bots).clock(clock.clone())).await.unwrap();
    let send = async |token: &str| {
        let body = text("hello").to_string();
        post(sim.address(), &hook(token), body.as_bytes()).await.unwrap().code()
    };
    for (token, expected) in
        [("a", 0), ("b", 0), ("a", 0), ("b", 0), ("a", 0), ("b", 11233), ("a", 11233), ("elsewhere", 0)]
    {
        assert_eq!(send(token).await, expected, "{token}");
    }
    clock.advance(Duration::from_secs(1));
    assert_eq!(send("b").await, 0);
    assert_eq!(sim.totals().throttled, 2);
}

#[tokio::test]
async fn a_message_with_bad_content_counts_and_one_with_a_bad_form_does_not() {
    let limits = Limits { per_second: 2, per_minute: 2, enforced: true };
    let (sim, _clock) = start_at(BotSettings::new(TOKEN).limits(limits), 0).await;
    assert_eq!(send(&sim, &serde_json::json!({})).await.code(), 19002);
    assert_eq!(send(&sim, &card("<at id=ou_stranger></at>")).await.code(), 11246);
    assert_eq!(send(&sim, &card("hello")).await.code(), 0);
    assert_eq!(send(&sim, &card("hello")).await.code(), 11232);
}

#[tokio::test]
async fn limits_that_are_not_enforced_still_say_what_was_too_much() {
    let (sim, _clock) = start_at(BotSettings::new(TOKEN).no_limits(), 0).await;
    for _ in 0..8 {
        assert_eq!(send(&sim, &text("hello")).await.code(), 0);
    }
    assert_eq!(sim.totals().over_budget, 3);
}

#[tokio::test]
async fn the_oldest_records_are_forgotten_when_memory_is_full_but_not_the_totals() {
    let settings = SimSettings::new([BotSettings::new(TOKEN).no_limits()]).journal_limit_bytes(20_000);
    let sim = FeishuSim::start(settings).await.unwrap();
    for sent in 0..5 {
        send(&sim, &text(&format!("{sent} {}", "x".repeat(6_000)))).await;
    }
    let totals = sim.totals();
    assert_eq!((totals.accepted, totals.forgotten), (5, 2));
    assert_eq!(sim.accepted().iter().map(|record| record.number).collect::<Vec<_>>(), [3, 4, 5]);
}

#[tokio::test]
async fn waiting_ends_with_the_awaited_message_or_says_what_came_instead() {
    let sim = start(BotSettings::new(TOKEN)).await;
    let hello = card("hello");
    let (waited, sent) = tokio::join!(sim.wait_for_accepted(1, DEADLINE), send(&sim, &hello));
    assert_eq!(sent.code(), 0);
    assert_eq!(waited.unwrap().len(), 1);

    send(&sim, &card("<at id=ou_stranger></at>")).await;
    let error = sim.wait_for_accepted(2, Duration::from_millis(20)).await.unwrap_err();
    assert_eq!((error.totals.accepted, error.totals.refused[&11246]), (1, 1));

    sim.clear();
    assert!(sim.wait_for_accepted(1, Duration::ZERO).await.is_err(), "clearing starts the count anew");
}
