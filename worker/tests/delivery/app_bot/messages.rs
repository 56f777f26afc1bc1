//! Sending, replying, updating.

use std::time::Duration;

use feishu_sim::{Call, ChatSettings, Fault, Lasting, Verdict as Became};
use worker::feishu::verdict::{Repair, Verdict};
use worker::feishu::{CardContent, MessageId, OnceKey, ReplyTo};

use super::harness::{APP, CHAT, card, content_of, harness, settings};

#[tokio::test]
async fn a_message_is_shown_and_then_its_updates() {
    let harness = harness(settings()).await;
    let sent = harness.send(&content_of("disk full <at id=ou_ann></at>"), "k1").await;
    assert_eq!(sent.verdict, Verdict::Ok);
    let message_id = sent.message_id.unwrap();
    assert_eq!(harness.bot.update(&message_id, &card("resolved"), harness.clock.now()).await, Verdict::Ok);

    let shown = harness.sim.shown(message_id.as_str());
    let texts: Vec<_> = shown
        .iter()
        .map(|record| record.card().unwrap()["elements"][0]["text"]["content"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(texts, ["disk full <at id=ou_ann></at>", "resolved"]);
    assert_eq!(shown[0].mentioned, ["ou_ann"]);
}

#[tokio::test]
async fn a_text_is_sent_as_text() {
    let harness = harness(settings()).await;
    let sent = harness.send(&CardContent::Text("\"disk\" full\n{}".to_owned()), "k1").await;
    assert_eq!(sent.verdict, Verdict::Ok);
    let message = harness.sim.accepted()[0].message().unwrap();
    assert_eq!(message["msg_type"], "text");
    assert_eq!(message["content"], r#"{"text":"\"disk\" full\n{}"}"#);
}

#[tokio::test]
async fn after_a_lost_answer_the_same_key_shows_nothing_twice_and_finds_the_message() {
    let harness = harness(settings()).await;
    harness.sim.fault_call(APP, Call::Send, &Fault::LostAnswer, Lasting::Times(1)).unwrap();
    let lost = harness.send(&content_of("disk full"), "k1").await;
    assert!(matches!(lost.verdict, Verdict::MayHaveArrived { .. }), "{lost:?}");

    let again = harness.send(&content_of("disk full"), "k1").await;
    assert_eq!(again.verdict, Verdict::Ok);
    assert_eq!(harness.calls(Call::Send), [Became::Accepted, Became::Repeated]);
    assert_eq!(harness.sim.shown(again.message_id.unwrap().as_str()).len(), 1);
}

#[tokio::test]
async fn a_reply_hangs_on_its_message_and_opens_a_thread_if_asked() {
    let harness = harness(settings()).await;
    let root = harness.send(&content_of("disk full"), "k1").await.message_id.unwrap();
    let to = ReplyTo { message_id: &root, in_thread: true };
    let reply =
        harness.bot.reply(to, &content_of("still full"), &OnceKey::of(["k2"]), harness.clock.now()).await;
    assert_eq!(reply.verdict, Verdict::Ok);
    let record = harness.sim.accepted().pop().unwrap();
    assert_eq!(record.parent_id.as_deref(), Some(root.as_str()));
    assert_eq!(record.message_id.as_deref(), reply.message_id.as_ref().map(MessageId::as_str));
    assert_eq!(record.message().unwrap()["reply_in_thread"], true);
}

#[tokio::test]
async fn what_cannot_be_replied_to_or_updated_any_more_says_so() {
    let without_threads = ChatSettings::new(CHAT).app(APP).forbid_threads();
    let harness = harness(settings().chat(without_threads)).await;
    let root = harness.send(&content_of("disk full"), "k1").await.message_id.unwrap();
    let to = ReplyTo { message_id: &root, in_thread: true };
    let reply = harness.bot.reply(to, &content_of("still"), &OnceKey::of(["k2"]), harness.clock.now()).await;
    assert!(matches!(reply.verdict, Verdict::GiveUp(_)), "{reply:?}");

    let unknown = harness.bot.update(&MessageId::new("om_unknown"), &card("new"), harness.clock.now()).await;
    assert!(matches!(unknown, Verdict::GiveUp(_)), "{unknown:?}");
    harness.clock.advance(Duration::from_hours(14 * 24) + Duration::from_secs(1));
    let too_old = harness.bot.update(&root, &card("new"), harness.clock.now()).await;
    assert!(matches!(too_old, Verdict::GiveUp(_)), "{too_old:?}");
}

#[tokio::test]
async fn an_id_leads_to_no_other_call() {
    let harness = harness(settings()).await;
    let sly = MessageId::new("../../contact/v3/users/batch_get_id?x=");
    let verdict = harness.bot.update(&sly, &card("new"), harness.clock.now()).await;
    assert!(!matches!(verdict, Verdict::Ok), "{verdict:?}");
    assert_eq!(harness.calls(Call::LookUp), []);
    assert_eq!(harness.calls(Call::Update).len(), 1, "the id stays one segment of the path");
}

#[tokio::test]
async fn refusals_say_what_can_be_done() {
    let harness = harness(settings()).await;
    let elsewhere = harness
        .bot
        .send("oc_without_us", &content_of("hello"), &OnceKey::of(["k1"]), harness.clock.now())
        .await;
    assert!(matches!(elsewhere.verdict, Verdict::Broken(_)), "{elsewhere:?}");
    let nowhere =
        harness.bot.send("oc_nowhere", &content_of("hello"), &OnceKey::of(["k1"]), harness.clock.now()).await;
    assert!(matches!(nowhere.verdict, Verdict::Broken(_)), "{nowhere:?}");

    let stranger = harness.send(&content_of("<at id=ou_stranger></at>"), "k2").await;
    assert!(matches!(stranger.verdict, Verdict::Repair(Repair::Mention, _)), "{stranger:?}");
    let large = harness.send(&content_of(&"x".repeat(30_000)), "k3").await;
    assert!(matches!(large.verdict, Verdict::Repair(Repair::TooLarge, _)), "{large:?}");
}

#[tokio::test]
async fn too_much_at_once_slows_down_with_the_gateways_hint() {
    let harness = harness(settings()).await;
    let content = content_of("hello");
    for number in 0..5 {
        assert_eq!(harness.send(&content, &number.to_string()).await.verdict, Verdict::Ok);
    }
    let sixth = harness.send(&content, "5").await;
    assert!(matches!(sixth.verdict, Verdict::SlowDown { hint: None, .. }), "{sixth:?}");

    let fault = Fault::TooManyRequests { reset_seconds: Some(3) };
    harness.sim.fault_call(APP, Call::Send, &fault, Lasting::Times(1)).unwrap();
    let throttled = harness.send(&content, "6").await.verdict;
    let Verdict::SlowDown { hint, .. } = throttled else { panic!("{throttled:?}") };
    assert_eq!(hint, Some(Duration::from_secs(3)));
}
