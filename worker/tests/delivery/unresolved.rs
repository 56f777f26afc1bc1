//! What nobody knows the fate of, and what draws answers nobody knows: neither floods a chat, nor is buried, nor holds up
//! anybody else.

use std::time::Duration;

use config::DeliveryConfig;
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, Record, SimSettings};
use futures_util::future::join_all;
use jiff::SignedDuration;
use queue::{DeferStep, Headers, Message, MessageDestination, Reason, Settlement};
use runtime::clock::Clock;
use runtime::lifecycle::Drain;
use testkit::wait_until::wait_until;

use crate::harness::{EAGER, Harness, PARKING, TOKEN, WITHIN, envelope, line, receiver};

/// Two gateways' refusals and two of Feishu's that no table lists.
fn unknown_answers() -> [Fault; 4] {
    let other = |status, body: &str| Fault::OtherAnswer {
        status,
        headers: Vec::new(),
        body: body.to_owned(),
        is_judged: false,
    };
    [
        other(403, "<html>Forbidden</html>"),
        other(302, ""),
        other(400, "{\"code\":777777,\"msg\":\"something new\"}"),
        Fault::Refusal { code: 777_777, msg: "something new".to_owned() },
    ]
}

async fn harness_with(bot: BotSettings, delivery: DeliveryConfig) -> Harness {
    let sim = FeishuSim::start(SimSettings::new([bot.no_limits()])).await.unwrap();
    let receivers = vec![receiver(&sim, "default", TOKEN, None)];
    Harness::with(sim, receivers, delivery)
}

/// Delivers alerts of these numbers as one message.
fn deliver(harness: &mut Harness, indices: std::ops::RangeInclusive<u8>) -> u64 {
    let body: Vec<u8> = indices.flat_map(|index| line(&envelope("default", index))).collect();
    harness.queue.deliver(body, Headers::default())
}

/// How many accepted cards have this alert.
fn cards_with(cards: &[Record], index: u8) -> usize {
    let name = format!("Alert{index}");
    let has = |card: &str| {
        card.split(&name).skip(1).any(|rest| !rest.starts_with(|next: char| next.is_ascii_digit()))
    };
    cards.iter().filter(|record| has(&record.message().unwrap().to_string())).count()
}

/// What was published from the first `count` on, once there is more.
async fn published_after(harness: &Harness, count: usize) -> Message {
    wait_until(WITHIN, "something published", async || {
        harness.queue.published().get(count).cloned().ok_or(count)
    })
    .await
}

/// As the retry queue delivers it.
fn redeliver(harness: &mut Harness, message: &Message) -> u64 {
    harness.queue.deliver(message.body.clone(), message.headers.clone())
}

fn step(message: &Message) -> Option<DeferStep> {
    if let MessageDestination::Deferred { step, .. } = message.to { Some(step) } else { None }
}

#[tokio::test]
async fn while_everything_is_answered_with_something_unknown_nothing_is_buried() {
    // All at once, for each has pauses of seconds.
    join_all(unknown_answers().map(sixty_are_delivered_past)).await;
}

async fn sixty_are_delivered_past(fault: Fault) {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &fault, Lasting::Times(9)).unwrap();
    let tags = [deliver(&mut harness, 1..=30), deliver(&mut harness, 31..=60)];
    for tag in tags {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag }, "{fault:?}");
    }
    assert_eq!(harness.queue.published().len(), 0, "{fault:?}");
    assert!(harness.shows("larkfire_alerts_total{outcome=\"delivered\"} 60"), "{fault:?}");
    let cards = harness.sim.accepted();
    for index in 1..=60 {
        assert!(cards_with(&cards, index) <= 1, "Alert{index}: {fault:?}");
    }
    assert!(cards.len() <= 9, "{} cards: {fault:?}", cards.len());
}

#[tokio::test]
async fn one_alert_that_draws_an_unknown_code_holds_up_nobody_and_ends_in_the_dead_letters_with_its_card() {
    let poison = Fault::Refusal { code: 777_777, msg: "something new".to_owned() };
    let bot = BotSettings::new(TOKEN).faulty_word("Alert7", poison);
    let mut harness = harness_with(bot, PARKING).await;
    let tag = deliver(&mut harness, 1..=16);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let cards = harness.sim.accepted();
    for index in (1..=16).filter(|index| *index != 7) {
        assert_eq!(cards_with(&cards, index), 1, "Alert{index}");
    }
    let [parked] = &harness.queue.published()[..] else { panic!("{:?}", harness.queue.published()) };
    assert!(step(parked).is_some() && parked.headers.failure.as_ref().unwrap().code == Some(777_777));

    // Back from the retry queue it is no part of what comes with it.
    let tags = [redeliver(&mut harness, parked), deliver(&mut harness, 41..=41)];
    for tag in tags {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(cards_with(&harness.sim.accepted(), 41), 1);
    let mut again = published_after(&harness, 1).await;
    assert!(step(&again) > step(parked), "{again:?}");

    let failure = again.headers.failure.as_mut().unwrap();
    failure.first_failed_at = Clock::system().now() - SignedDuration::from_hours(25);
    let tag = redeliver(&mut harness, &again);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let dead = published_after(&harness, 2).await;
    let failure = dead.headers.failure.as_ref().unwrap();
    assert_eq!(
        (dead.to, failure.reason, failure.code),
        (MessageDestination::DeadLetters, Reason::GaveUp, Some(777_777))
    );
    assert!(failure.message.contains("something new"), "{}", failure.message);
    assert!(String::from_utf8_lossy(&dead.body).contains("\"card\""), "with the card that was refused");
}

#[tokio::test]
async fn one_alert_on_which_something_breaks_holds_up_nobody() {
    let bot = BotSettings::new(TOKEN).faulty_word("Alert7", Fault::ServerError { status: 502 });
    let mut harness = harness_with(bot, EAGER).await;
    deliver(&mut harness, 1..=10);
    // The others of its card wait for two pauses; what comes anew waits for nothing.
    for index in 11..=30 {
        let tag = deliver(&mut harness, index..=index);
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let delivered = "larkfire_alerts_total{outcome=\"delivered\"} 20";
    assert!(harness.shows(delivered));
    wait_until(WITHIN, "the other nine", async || {
        tell_next(&mut harness).await;
        let cards = harness.sim.accepted();
        let missing: Vec<_> =
            (1..=10).filter(|index| *index != 7 && cards_with(&cards, *index) == 0).collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    })
    .await;
    assert_eq!(cards_with(&harness.sim.accepted(), 7), 0);
}

#[tokio::test]
async fn one_alert_that_is_to_be_tried_again_for_ever_holds_up_nobody_for_longer_than_seconds() {
    let internal = Fault::Refusal { code: 5000, msg: "internal error".to_owned() };
    join_all([internal, Fault::ServerError { status: 503 }].map(nine_are_delivered_beside)).await;
}

async fn nine_are_delivered_beside(poison: Fault) {
    let mut harness =
        harness_with(BotSettings::new(TOKEN).faulty_word("Alert7", poison.clone()), EAGER).await;
    deliver(&mut harness, 1..=10);
    wait_until(WITHIN * 2, "the other nine", async || {
        let cards = harness.sim.accepted();
        let missing: Vec<_> =
            (1..=10).filter(|index| *index != 7 && cards_with(&cards, *index) == 0).collect();
        if missing.is_empty() { Ok(()) } else { Err(missing) }
    })
    .await;
    let tag = deliver(&mut harness, 11..=11);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let cards = harness.sim.accepted();
    assert!((1..=11).all(|index| cards_with(&cards, index) == usize::from(index != 7)), "{poison:?}");
}

/// Something else is delivered: without that nobody knows that it is the card, and not the receiver.
async fn tell_next(harness: &mut Harness) {
    let mut news = envelope("default", 200);
    let number = u32::try_from(harness.sim.totals().accepted).unwrap();
    news.id = news.id.part(number);
    news.alerts[0].fingerprint =
        model::alert::Fingerprint::of_pairs([("n", number.to_string().as_str())]).into_owned();
    let tag = harness.deliver(&news);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
}

#[tokio::test]
async fn what_is_answered_too_late_is_sent_again_ever_more_rarely_also_by_way_of_the_retry_queues() {
    // Never away: a receiver that is looked at too soon is not asked at all.
    let delivery =
        DeliveryConfig { request_timeout: Duration::from_millis(250), attempts_in_place: 100, ..PARKING };
    let mut harness = Harness::set(delivery).await;
    harness.sim.fault(TOKEN, &Fault::SlowAnswer { after_ms: 500 }, Lasting::UntilCleared).unwrap();
    let mut tag = harness.deliver(&envelope("default", 1));
    let mut waited = Duration::ZERO;
    for attempt in 0.. {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
        let parked = published_after(&harness, attempt).await;
        let failure = parked.headers.failure.as_ref().unwrap();
        assert_eq!(
            (failure.attempts, failure.reason),
            (u32::try_from(attempt).unwrap() + 1, Reason::Unavailable)
        );
        assert!(failure.message.starts_with("it may have arrived"), "{}", failure.message);
        waited += step(&parked).expect("parked").pause();
        if waited > Duration::from_mins(20) {
            break;
        }
        tag = redeliver(&mut harness, &parked);
    }
    assert_eq!(harness.sim.totals().accepted, 5, "within twenty minutes");
    assert!(harness.shows("larkfire_cards_sent_again_total 4"));
}

#[tokio::test]
async fn what_may_have_arrived_takes_nothing_along_and_holds_nothing_up() {
    let delivery = DeliveryConfig { request_timeout: Duration::from_millis(500), ..EAGER };
    let mut harness = Harness::set(delivery).await;
    harness.sim.fault(TOKEN, &Fault::SlowAnswer { after_ms: 1500 }, Lasting::Times(2)).unwrap();
    let late = deliver(&mut harness, 1..=1);
    wait_until(WITHIN, "the end of the first attempt", async || {
        if harness
            .shows("larkfire_feishu_requests_total{receiver=\"default\",verdict=\"may_have_arrived\"} 1")
        {
            Ok(())
        } else {
            Err(())
        }
    })
    .await;
    // The second of these is shown too late as well; the others are delivered beside them.
    let others: Vec<_> = (2..=5).map(|index| deliver(&mut harness, index..=index)).collect();
    for tag in others.into_iter().chain([late]) {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    let cards = harness.sim.accepted();
    assert!(cards_with(&cards, 1) == 2 && cards_with(&cards, 5) <= 2, "{cards:?}");
    let mixed = cards.iter().any(|card| {
        let one = std::slice::from_ref(card);
        cards_with(one, 1) == 1 && (2..=5).any(|index| cards_with(one, index) == 1 && card.fault.is_some())
    });
    assert!(!mixed, "no card of others was late because of it");
    assert_eq!(harness.queue.published().len(), 0);
}

#[tokio::test]
async fn a_stop_does_not_forget_the_attempts_at_what_may_have_arrived() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &Fault::LostAnswer, Lasting::UntilCleared).unwrap();
    let tag = harness.deliver(&envelope("default", 1));
    harness.sim.wait_for_accepted(2, WITHIN).await.unwrap();
    assert_eq!(harness.lifecycle.drain(Duration::from_secs(20)).await, Drain::Clean);
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let [parked] = &harness.queue.published()[..] else { panic!("{:?}", harness.queue.published()) };
    assert!(step(parked).is_some());
    assert!(parked.headers.failure.as_ref().unwrap().attempts >= 2, "{parked:?}");
}

#[tokio::test]
async fn what_is_due_for_a_receiver_that_is_broken_meanwhile_waits_parked_like_everything_else() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &Fault::LostAnswer, Lasting::Times(1)).unwrap();
    let wrong = Fault::Refusal { code: 19001, msg: "token invalid".to_owned() };
    harness.sim.fault(TOKEN, &wrong, Lasting::UntilCleared).unwrap();
    let late = harness.deliver(&envelope("default", 1));
    harness.sim.wait_for_accepted(1, WITHIN).await.unwrap();
    let other = harness.deliver(&envelope("default", 2));
    for tag in [other, late] {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    assert_eq!(harness.queue.published().iter().filter(|message| step(message).is_some()).count(), 2);
    assert_eq!(harness.sim.records(TOKEN).len(), 2, "one showed the card, and one that nothing is taken");
}
