//! What is tried again, and what is sent again in another form.

use std::time::Duration;

use feishu_sim::{Fault, Lasting};
use queue::Settlement;
use tokio::time::Instant;

use crate::harness::{EAGER, Harness, TOKEN, envelope, title};

fn refusal(code: i64, msg: &str) -> Fault {
    Fault::Refusal { code, msg: msg.to_owned() }
}

/// Delivers an envelope past one fault and expects that it is delivered once.
async fn delivered_once_past(fault: Fault) -> Harness {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &fault, Lasting::Times(1)).unwrap();
    let tag = harness.deliver(&envelope("default", 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag }, "{fault:?}");
    assert_eq!(harness.sim.totals().accepted, 1, "{fault:?}");
    assert_eq!(harness.queue.published().len(), 0, "{fault:?}");
    harness
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    for fault in [
        Fault::ServerError { status: 503 },
        refusal(11246, "create message content fail: Service Internal Error"),
        refusal(18121, "same create request is being processed"),
    ] {
        let harness = delivered_once_past(fault).await;
        assert!(
            harness.shows("larkfire_feishu_requests_total{receiver=\"default\",verdict=\"try_again\"} 1")
        );
    }
}

#[tokio::test]
async fn what_may_have_arrived_is_tried_again() {
    for fault in [
        Fault::ServerError { status: 502 },
        Fault::Reset,
        Fault::EndlessBody,
        Fault::SlowHeaders,
        Fault::NeverAnswer,
    ] {
        let harness = delivered_once_past(fault).await;
        assert!(
            harness
                .shows("larkfire_feishu_requests_total{receiver=\"default\",verdict=\"may_have_arrived\"} 1")
        );
        assert!(harness.shows("larkfire_cards_sent_again_total 1"));
    }
}

#[tokio::test]
async fn a_throttled_message_is_delivered_once_it_may() {
    for fault in [
        refusal(11232, "frequency limited psm[lark.oapi.app_platform_runtime]appID[1500]"),
        refusal(9499, "too many request"),
        Fault::TooManyRequests { reset_seconds: None },
    ] {
        let harness = delivered_once_past(fault).await;
        assert!(
            harness.shows("larkfire_feishu_requests_total{receiver=\"default\",verdict=\"slow_down\"} 1")
        );
    }
}

#[tokio::test]
async fn the_reset_time_of_the_gateway_is_obeyed_by_all_envelopes_of_the_receiver() {
    let mut harness = Harness::set(EAGER).await;
    harness.sim.fault(TOKEN, &Fault::TooManyRequests { reset_seconds: Some(2) }, Lasting::Times(1)).unwrap();
    let began = Instant::now();
    let tags = [1, 2].map(|index| harness.deliver(&envelope("default", index)));
    for tag in tags {
        assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    }
    assert!(began.elapsed() >= Duration::from_secs(2), "after {:?}", began.elapsed());
    assert_eq!(harness.sim.totals().faulted, 1, "nothing was sent meanwhile");
}

#[tokio::test]
async fn throttling_does_not_use_up_attempts() {
    let mut harness = Harness::set(EAGER).await;
    harness
        .sim
        .fault(TOKEN, &refusal(11233, "chat rate limit"), Lasting::Times(EAGER.attempts_in_place))
        .unwrap();
    let tag = harness.deliver(&envelope("default", 1));
    assert_eq!(harness.fate(tag).await, Settlement::Done { tag });
    assert_eq!(harness.queue.published().len(), 0, "it was not parked");
}

#[tokio::test]
async fn a_refused_card_is_delivered_as_plain_text() {
    for (code, msg, kind) in [
        (11246, "create message content fail, ErrCode: 200621; ErrMsg: parse card json err", "card"),
        (11246, "create message content fail, ErrCode: 100290; ErrMsg: invalid user", "mention"),
        (11235, "only admin can mention @All", "mention"),
    ] {
        let harness = delivered_once_past(refusal(code, msg)).await;
        let delivered = &harness.sim.accepted()[0];
        assert_eq!(delivered.message().unwrap()["msg_type"], "text");
        assert!(title(delivered).starts_with("[CRITICAL] Alert1"), "{}", title(delivered));
        assert!(delivered.mentioned.is_empty());
        assert!(harness.shows(&format!("larkfire_card_repairs_total{{kind=\"{kind}\"}} 1")));
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_sent_shorter() {
    let harness = delivered_once_past(refusal(19036, "message exceeds size limit of 30KB")).await;
    assert_eq!(harness.sim.accepted()[0].message().unwrap()["msg_type"], "interactive");
    assert!(harness.shows("larkfire_card_repairs_total{kind=\"too_large\"} 1"));
}

#[tokio::test]
async fn a_signature_that_does_not_match_is_made_anew_once() {
    let harness =
        delivered_once_past(refusal(19021, "sign match fail or timestamp is not within one hour")).await;
    assert_eq!(harness.sim.accepted()[0].message().unwrap()["msg_type"], "interactive");
    assert!(harness.shows("larkfire_card_repairs_total{kind=\"signature\"} 1"));
}
