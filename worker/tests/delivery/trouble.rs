//! Own trouble is told through another receiver, once when it begins and once when it is over, and never about that one.

use std::time::Duration;

use config::Locale;
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use model::alert::Status;
use model::envelope::{EnvelopeId, Source, decode, lines};
use queue::{Headers, Message, MessageDestination, Settlement};
use runtime::clock::Clock;
use testkit::wait_until::wait_until;
use worker::test_alert;

use crate::each_database::{OwnDatabase, on_each_database};
use crate::harness::{EAGER, Harness, OTHER_TOKEN, TOKEN, WITHIN, envelope, title};

on_each_database! {
    a_receiver_that_refuses_everything_is_told_through_another_with_what_to_do_and_so_is_its_end
    trouble_of_whoever_is_told_of_trouble_is_told_nobody
}

/// How much time passes in a test.
const PASSED_MAX: Duration = Duration::from_mins(30);

/// A worker with the receivers `default` and `other`, the second of which is told of trouble at once.
async fn harness(own: &OwnDatabase) -> Harness {
    let bots = [TOKEN, OTHER_TOKEN].map(|token| BotSettings::new(token).no_limits());
    let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
    Harness::in_trouble(sim, "{ receiver: other, after: 0s }", EAGER, own.config())
}

/// Lets the time pass in which trouble is looked for.
async fn look() {
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
}

/// What was put on the queue about trouble.
fn trouble(harness: &Harness) -> Vec<Message> {
    let is_own = |message: &Message| {
        matches!(message.to, MessageDestination::Alerts { .. })
            && lines(&message.body).all(|line| decode(line).unwrap().source == Source::Larkfire)
    };
    harness.queue.published().into_iter().filter(is_own).collect()
}

/// Waits until so much was said of trouble; says all of it.
async fn said(harness: &Harness, wanted: usize) -> Vec<Message> {
    // Each look is ten seconds of that.
    wait_until(PASSED_MAX, "a word about trouble", async || {
        look().await;
        let said = trouble(harness);
        if said.len() >= wanted { Ok(said) } else { Err("nothing is said") }
    })
    .await
}

async fn a_receiver_that_refuses_everything_is_told_through_another_with_what_to_do_and_so_is_its_end(
    own: OwnDatabase,
) {
    let mut harness = harness(&own).await;
    let refusal = Fault::Refusal { code: 19001, msg: "incoming webhook access token invalid".to_owned() };
    harness.sim.fault(TOKEN, &refusal, Lasting::UntilCleared).unwrap();
    harness.deliver(&envelope("default", 1));
    wait_until(WITHIN, "a refusal", async || {
        harness.shows("larkfire_receiver_broken{receiver=\"default\"} 1").then_some(()).ok_or("none")
    })
    .await;
    let begun = said(&harness, 1).await;
    for _ in 0..3 {
        look().await;
    }
    assert_eq!(trouble(&harness).len(), 1, "once");
    let firing = decode(&begun[0].body).unwrap().into_owned();
    assert_eq!((&*firing.receiver, firing.alerts[0].status), ("other", Status::Firing));
    let tag = harness.queue.deliver(begun[0].body.clone(), Headers::default());
    harness.fate(tag).await;
    let card = harness.sim.accepted().last().cloned().unwrap();
    let text = card.message().unwrap().to_string();
    assert!(title(&card).contains("LarkfireTrouble"), "{text}");
    assert!(
        text.contains("The receiver default refuses everything") && text.contains("webhook_url anew"),
        "{text}"
    );
    assert!(!text.contains(TOKEN), "{text}");
    // Whoever has mended it sends a test.
    harness.sim.clear_faults(TOKEN).unwrap();
    let now = Clock::system().now();
    let id = EnvelopeId::new(now, [9; 10]);
    let tag = harness.deliver(&test_alert::envelope("default", "ann", Locale::En, id, now));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    let over = said(&harness, 2).await;
    let resolved = decode(&over[1].body).unwrap().into_owned();
    assert_eq!((&*resolved.receiver, resolved.alerts[0].status), ("other", Status::Resolved));
    assert_eq!(resolved.alerts[0].fingerprint, firing.alerts[0].fingerprint);
    assert_eq!(resolved.alerts[0].starts_at, firing.alerts[0].starts_at);
}

async fn trouble_of_whoever_is_told_of_trouble_is_told_nobody(own: OwnDatabase) {
    let mut harness = harness(&own).await;
    for token in [TOKEN, OTHER_TOKEN] {
        harness.sim.fault(token, &Fault::ServerError { status: 503 }, Lasting::UntilCleared).unwrap();
    }
    harness.deliver(&envelope("other", 1));
    harness.deliver(&envelope("default", 2));
    wait_until(WITHIN, "failures", async || {
        let faulted = harness.sim.totals().faulted;
        if faulted >= 4 { Ok(()) } else { Err(faulted) }
    })
    .await;
    let said = said(&harness, 1).await;
    for _ in 0..3 {
        look().await;
    }
    assert_eq!(trouble(&harness).len(), 1);
    let alerts: Vec<_> = decode(&said[0].body).unwrap().into_owned().alerts;
    assert_eq!(
        alerts.iter().map(|alert| alert.labels.get("trouble").unwrap()).collect::<Vec<_>>(),
        ["receiver default"]
    );
}
