//! Buttons pressed: what the person sees, whatever the queue does.

use config::{Locale, Secret};
use model::interaction::Act;
use queue::PublishError;
use tokio::time::Instant;

use crate::harness::{Behaviour, Harness};
use crate::lark::{
    CARD, CHALLENGE, EVENT, KEY, NEW_PRESS, SEED_PRESS, TOKEN, as_event, as_old_card, call, counted, harness,
    is_toast, recorded,
};

#[tokio::test]
async fn a_press_is_recorded_and_thanked_for_by_the_old_callback_and_the_new() {
    let harness = harness(Some(KEY), Some(TOKEN));
    for (headers, body, kind, action) in [
        (as_old_card(SEED_PRESS), SEED_PRESS, "ou_xxxxxxxx", "confirm_diagnosis"),
        (as_event(NEW_PRESS), NEW_PRESS, "ou_1", "ack"),
    ] {
        let reply = call(&harness, CARD, &headers, body).await;
        assert!(is_toast(&reply, "success"), "{reply:?}");
        let last = recorded(&harness).pop().unwrap();
        assert_eq!(last.operator.open_id, kind);
        assert!(matches!(last.act, Act::Button { action: found, .. } if found == action));
    }
    assert!((counted(&harness, "card_action", "recorded") - 2.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn whatever_the_queue_does_a_press_is_answered_within_3_seconds() {
    let harness = harness(None, Some(TOKEN));
    for (behaviour, code) in [
        (Behaviour::Fail(|| PublishError::Refused("disk alarm".to_owned())), "queue_refused"),
        (Behaviour::Hold, "queue_timed_out"),
    ] {
        harness.queue.will(behaviour);
        let begun = Instant::now();
        let reply = call(&harness, CARD, &as_old_card(SEED_PRESS), SEED_PRESS).await;
        assert!(is_toast(&reply, "error"), "{reply:?}");
        assert!(begun.elapsed().as_millis() < 2900, "{:?}", begun.elapsed());
        assert!((counted(&harness, "card_action", code) - 1.0).abs() < f64::EPSILON, "{code}");
    }
    let unusable = SEED_PRESS.replace("open_id", "x");
    assert!(is_toast(&call(&harness, CARD, &as_old_card(&unusable), &unusable).await, "warning"));
}

#[tokio::test]
async fn a_toast_is_in_the_configured_language_where_the_client_has_none() {
    let harness = Harness::with(|settings| {
        settings.lark.verification_token = Some(Secret::new(TOKEN));
        settings.locale = Locale::ZhCn;
    });
    let toast = call(&harness, CARD, &as_old_card(SEED_PRESS), SEED_PRESS).await.json()["toast"].clone();
    assert_eq!(toast["content"], toast["i18n"]["zh_cn"]);
    assert_ne!(toast["content"], toast["i18n"]["en_us"]);
}

#[tokio::test]
async fn a_press_is_told_to_come_back_when_memory_is_full() {
    let harness = Harness::with(|settings| {
        settings.lark.verification_token = Some(Secret::new(TOKEN));
        settings.limits.bodies_bytes = 10;
    });
    let reply = call(&harness, CARD, &as_old_card(SEED_PRESS), SEED_PRESS).await;
    assert!(is_toast(&reply, "error"), "{reply:?}");
    assert_eq!(call(&harness, EVENT, &[], CHALLENGE).await.outcome(), (503, "memory_full".to_owned()));
}
