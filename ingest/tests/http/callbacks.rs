//! Feishu's calls: what is believed, what events are answered with, and what the queue got.

use std::io;
use std::sync::{Arc, Mutex};

use config::Secret;
use model::interaction::Act;
use queue::PublishError;
use serde_json::json;
use tokio::time::Instant;
use tracing_subscriber::fmt::MakeWriter;

use crate::client::{CUSTOM, post};
use crate::harness::{Behaviour, Harness};
use crate::lark::{
    CARD, CHALLENGE, ENCRYPTED_CHALLENGE, ENCRYPTED_EVENT, EVENT, KEY, NEW_PRESS, SEED_PRESS, TOKEN,
    as_event, as_old_card, call, counted, harness, recorded, seal,
};

#[tokio::test]
async fn a_challenge_is_answered_plain_whether_it_came_plain_or_encrypted() {
    for (harness, body) in [
        (harness(None, Some(TOKEN)), CHALLENGE),
        (harness(Some(KEY), Some(TOKEN)), ENCRYPTED_CHALLENGE),
        (harness(Some(KEY), None), ENCRYPTED_CHALLENGE),
    ] {
        for line in [EVENT, CARD] {
            let reply = call(&harness, line, &[], body).await;
            assert_eq!((reply.status, reply.json()), (200, json!({ "challenge": "c0ffee00-1234" })));
        }
        assert!((counted(&harness, "card_action", "challenge") - 1.0).abs() < f64::EPSILON);
        assert!(harness.queue.stored().is_empty());
    }
}

#[tokio::test]
async fn whoever_cannot_prove_to_be_feishu_gets_a_401_and_no_reason() {
    let both = harness(Some(KEY), Some(TOKEN));
    let token = harness(None, Some("another-token"));
    let garbage = r#"{"encrypt":"AAAA"}"#;
    let seed = r#"{"type":"event_callback","event":{"message":{"content":"{\"text\":\"@ai_fixer /help\"}","sender":{"sender_id":{"open_id":"ou_xxxxxxxx"}}}}}"#;
    let table = [
        (&both, EVENT, vec![], ENCRYPTED_EVENT, "signature"),
        (&both, EVENT, seal("test_signature"), ENCRYPTED_EVENT, "signature"),
        (&both, EVENT, vec!["X-Lark-Signature: test_signature".to_owned()], seed, "signature"),
        (&both, EVENT, as_event(garbage), garbage, "encryption"),
        (&both, EVENT, as_event(seed), seed, "token"),
        (&both, EVENT, vec![], "{", "signature"),
        (&both, EVENT, vec![], garbage, "encryption"),
        (&token, EVENT, vec![], CHALLENGE, "token"),
        (&token, EVENT, vec![], ENCRYPTED_EVENT, "encryption"),
        (&token, EVENT, vec![], seed, "token"),
        (&both, CARD, vec![], SEED_PRESS, "signature"),
        (&both, CARD, as_old_card("{}"), SEED_PRESS, "signature"),
        (&both, CARD, as_old_card(NEW_PRESS), NEW_PRESS, "signature"),
        (&token, CARD, vec![], NEW_PRESS, "token"),
    ];
    for (harness, line, headers, body, reason) in table {
        let address = if line == EVENT { "event" } else { "card_action" };
        let before = counted(harness, address, reason);
        let reply = call(harness, line, &headers, body).await;
        let said = json!({ "error": "unauthorized", "code": "unauthorized" });
        assert_eq!((reply.status, reply.json()), (401, said), "{body} {headers:?}");
        assert!((counted(harness, address, reason) - before - 1.0).abs() < f64::EPSILON, "{body} {reason}");
    }
    assert!(both.queue.stored().is_empty() && token.queue.stored().is_empty());
}

#[tokio::test]
async fn callbacks_are_off_until_there_is_something_to_check_them_with() {
    let harness = harness(None, None);
    for line in [EVENT, CARD] {
        for body in [CHALLENGE, SEED_PRESS, NEW_PRESS, ENCRYPTED_EVENT] {
            assert_eq!(call(&harness, line, &[], body).await.outcome(), (404, "callbacks_off".to_owned()));
        }
    }
    assert!((counted(&harness, "event", "off") - 4.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn an_event_is_on_the_queue_before_the_200() {
    let harness = harness(Some(KEY), Some(TOKEN));
    let reply = call(&harness, EVENT, &as_event(ENCRYPTED_EVENT), ENCRYPTED_EVENT).await;
    assert_eq!((reply.status, reply.json()), (200, json!({})));
    let [interaction] = recorded(&harness).try_into().unwrap();
    assert_eq!(interaction.dedup_key, "message:om_test0001");
    assert_eq!((&*interaction.event_id, &*interaction.operator.open_id), ("ev_test_0001", "ou_test0001"));
    assert!(matches!(interaction.act, Act::Message { text, .. } if text == "@_user_1 你好"));
    assert!((counted(&harness, "event", "recorded") - 1.0).abs() < f64::EPSILON);
    assert_eq!(post(harness.address, CUSTOM).await.status, 403);
}

#[tokio::test]
async fn a_plain_event_of_schema_1_is_taken_with_the_token_or_with_a_signature() {
    let with_token = r#"{"uuid":"uu-1","token":"test-verification-token-01","type":"event_callback","event":{"message":{"content":"{\"text\":\"@bot /help\"}"},"sender":{"sender_id":{"open_id":"ou_1"}}}}"#;
    let without = r#"{"type":"event_callback","event":{"message":{"content":"{\"text\":\"@bot /help\"}","sender":{"sender_id":{"open_id":"ou_1"}}}}}"#;
    for (harness, headers, body) in [
        (harness(None, Some(TOKEN)), vec![], with_token),
        (harness(Some(KEY), None), as_event(without), without),
    ] {
        assert_eq!(call(&harness, EVENT, &headers, body).await.status, 200);
        let [interaction] = recorded(&harness).try_into().unwrap();
        assert!(matches!(interaction.act, Act::Message { text, .. } if text == "@bot /help"));
    }
}

#[tokio::test]
async fn what_is_of_no_use_is_acknowledged_and_counted_and_not_queued() {
    let harness = harness(None, Some(TOKEN));
    let unknown = r#"{"schema":"2.0","header":{"event_type":"im.chat.disbanded_v1","token":"test-verification-token-01"},"event":{}}"#;
    let poison = r#"{"schema":"2.0","header":{"event_type":"im.message.receive_v1","token":"test-verification-token-01"},"event":{}}"#;
    for (body, code) in [(unknown, "ignored"), (poison, "unusable")] {
        let reply = call(&harness, EVENT, &[], body).await;
        assert_eq!((reply.status, reply.json()), (200, json!({})), "{body}");
        assert!((counted(&harness, "event", code) - 1.0).abs() < f64::EPSILON, "{code}");
    }
    assert!(harness.queue.stored().is_empty());
}

#[tokio::test]
async fn an_event_the_queue_does_not_confirm_is_a_503_so_that_feishu_sends_it_again() {
    let harness = harness(Some(KEY), Some(TOKEN));
    let headers = as_event(ENCRYPTED_EVENT);
    harness.queue.will(Behaviour::Fail(|| PublishError::Unreachable));
    let reply = call(&harness, EVENT, &headers, ENCRYPTED_EVENT).await;
    assert_eq!(reply.outcome(), (503, "queue_unreachable".to_owned()));
    harness.queue.will(Behaviour::Confirm);
    assert_eq!(call(&harness, EVENT, &headers, ENCRYPTED_EVENT).await.status, 200);
    assert_eq!(recorded(&harness).len(), 1);
}

#[tokio::test]
async fn an_event_does_not_wait_for_ever_for_a_queue_that_hangs() {
    let harness = harness(Some(KEY), None);
    harness.queue.will(Behaviour::Hold);
    let begun = Instant::now();
    let reply = call(&harness, EVENT, &as_event(ENCRYPTED_EVENT), ENCRYPTED_EVENT).await;
    assert_eq!(reply.outcome(), (503, "queue_timed_out".to_owned()));
    assert!(begun.elapsed().as_millis() < 2900, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn no_log_line_shows_a_secret_or_a_word_of_a_message() {
    let lines = Lines::default();
    // The runtime of this test has one thread, so what the server logs comes here too.
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(lines.clone());
    let _logging = tracing::subscriber::set_default(subscriber.finish());
    let harness = harness(Some(KEY), Some(TOKEN));
    let unusable = SEED_PRESS.replace("open_id", "x");
    for behaviour in [Behaviour::Confirm, Behaviour::Fail(|| PublishError::Unreachable)] {
        harness.queue.will(behaviour);
        for (headers, body) in [
            (vec![], CHALLENGE),
            (as_event(ENCRYPTED_EVENT), ENCRYPTED_EVENT),
            (seal("test_signature"), ENCRYPTED_EVENT),
            (as_event(NEW_PRESS), NEW_PRESS),
            (as_old_card(SEED_PRESS), SEED_PRESS),
            (as_old_card(&unusable), &unusable),
            (vec![], NEW_PRESS),
            (vec![], "{"),
        ] {
            call(&harness, EVENT, &headers, body).await;
        }
    }
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    for said in ["recorded an interaction", "its signature is missing or wrong", "the queue is not reachable"]
    {
        assert!(text.contains(said), "{said:?} is missing in\n{text}");
    }
    for kept in [KEY, TOKEN, "c0ffee00", "c-1", "xxxxxxxx", "你好", "INC-20240115", "test_signature", "ou_"]
    {
        assert!(!text.contains(kept), "{kept:?} is in\n{text}");
    }
}

/// Log lines, for a look at them.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn callbacks_have_a_size_limit_of_their_own_and_the_refusals_of_all_requests() {
    let harness = Harness::with(|settings| settings.lark.verification_token = Some(Secret::new(TOKEN)));
    let large = " ".repeat((1 << 20) + 1);
    assert_eq!(call(&harness, EVENT, &[], &large).await.outcome(), (413, "body_too_large".to_owned()));
    assert_eq!(call(&harness, EVENT, &[], "{").await.outcome(), (400, "not_json".to_owned()));
    assert_eq!(call(&harness, "GET /lark/event", &[], "").await.outcome(), (405, "method".to_owned()));
    let gzip = ["Content-Encoding: gzip".to_owned()];
    assert_eq!(call(&harness, CARD, &gzip, "{}").await.outcome(), (415, "compressed".to_owned()));
}
