//! When a token is asked for, and when not.

use std::time::Duration;

use feishu_sim::{AppSettings, Call, Fault, Lasting, Verdict as Became};
use futures_util::future::join_all;
use worker::feishu::verdict::Verdict;

use super::harness::{APP, Harness, SECRET, content_of, harness, harness_with, roomy, settings};

async fn send_at_once(harness: &Harness, count: usize) -> Vec<Verdict> {
    let content = content_of("hello");
    let keys = (0..count).map(|number| number.to_string()).collect::<Vec<_>>();
    let sent = join_all(keys.iter().map(|key| harness.send(&content, key))).await;
    sent.into_iter().map(|sent| sent.verdict).collect()
}

#[tokio::test]
async fn everybody_who_needs_a_token_waits_for_the_same_one() {
    let harness = harness(roomy()).await;
    assert_eq!(send_at_once(&harness, 20).await, vec![Verdict::Ok; 20]);
    assert_eq!(harness.calls(Call::Token).len(), 1);
}

#[tokio::test]
async fn a_token_is_renewed_five_minutes_before_its_end_and_not_earlier() {
    let harness = harness(settings()).await;
    for (advance_seconds, tokens) in [(0, 1), (6899, 1), (1, 2), (1, 2)] {
        harness.clock.advance(Duration::from_secs(advance_seconds));
        assert_eq!(send_at_once(&harness, 1).await, [Verdict::Ok]);
        assert_eq!(harness.calls(Call::Token).len(), tokens, "at {}", harness.clock.now());
    }
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_for_everybody_and_nothing_is_lost() {
    let harness = harness(roomy()).await;
    assert_eq!(send_at_once(&harness, 1).await, [Verdict::Ok]);
    harness.sim.expire_tokens(APP).unwrap();
    let content = content_of("hello");
    let keys: Vec<_> = (0..10).map(|number| format!("later {number}")).collect();
    let sent = join_all(keys.iter().map(|key| harness.send(&content, key))).await;
    assert!(sent.iter().all(|sent| sent.verdict == Verdict::Ok), "{sent:?}");
    assert_eq!(harness.calls(Call::Token).len(), 2);
    assert_eq!(harness.sim.totals().accepted, 11);
}

#[tokio::test]
async fn a_token_that_is_refused_again_breaks_the_receiver_after_one_repeat() {
    let harness = harness(settings()).await;
    for code in [99_991_661, 99_991_663, 99_991_664, 99_991_671] {
        harness.sim.clear();
        let refusal = Fault::Refusal { code, msg: "Invalid access token".to_owned() };
        harness.sim.fault_call(APP, Call::Send, &refusal, Lasting::Times(2)).unwrap();
        let [verdict] = send_at_once(&harness, 1).await.try_into().unwrap();
        assert!(matches!(verdict, Verdict::Broken(_)), "{code}: {verdict:?}");
        assert_eq!(harness.calls(Call::Send), [Became::Faulted, Became::Faulted], "{code}");
    }
}

#[tokio::test]
async fn a_wrong_secret_and_a_disabled_app_break_the_receiver_and_nothing_is_sent() {
    let disabled = settings().app(AppSettings::new(APP, SECRET).disabled());
    for (harness, code) in
        [(harness_with(settings(), "wrong").await, 10015), (harness_with(disabled, SECRET).await, 10014)]
    {
        let [verdict] = send_at_once(&harness, 1).await.try_into().unwrap();
        let Verdict::Broken(trouble) = verdict else { panic!("{verdict:?}") };
        assert_eq!(trouble.code, Some(code));
        assert_eq!(harness.calls(Call::Send), []);
    }
}

#[tokio::test]
async fn where_tokens_cannot_be_had_one_asks_for_all_who_wait_and_the_next_asks_again() {
    let harness = harness(roomy()).await;
    harness.sim.fault_call(APP, Call::Token, &Fault::ServerError { status: 503 }, Lasting::Times(1)).unwrap();
    for verdict in send_at_once(&harness, 10).await {
        assert!(matches!(verdict, Verdict::TryAgain { .. }), "{verdict:?}");
    }
    assert_eq!(harness.calls(Call::Token), [Became::Faulted]);
    assert_eq!(send_at_once(&harness, 1).await, [Verdict::Ok]);
}

#[tokio::test]
async fn a_throttled_request_for_a_token_slows_down_and_breaks_nothing() {
    let harness = harness(settings()).await;
    let fault = Fault::TooManyRequests { reset_seconds: Some(7) };
    harness.sim.fault_call(APP, Call::Token, &fault, Lasting::Times(1)).unwrap();
    let [verdict] = send_at_once(&harness, 1).await.try_into().unwrap();
    let Verdict::SlowDown { hint, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(hint, Some(Duration::from_secs(7)));
}
