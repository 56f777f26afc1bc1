//! Whatever people do is done once: by whichever worker, after whatever fault.

use feishu_sim::{Call, Fault, Lasting, Verdict};
use queue::Settlement;
use testkit::alertmanager::Alertmanager;
use testkit::chaos_proxy::{ChaosProxy, Direction};
use testkit::mariadb::mysql_address;
use testkit::wait_until::wait_until;

use super::harness::{APP, Tenant, firing};
use super::people::{answered, press};
use super::silences::configured;
use crate::harness::{EAGER, WITHIN};

async fn shared(alertmanager: &Alertmanager) -> Tenant {
    let mut tenant = Tenant::shared(EAGER).await;
    tenant.interactions.buttons = true;
    tenant.alertmanagers = vec![configured(&alertmanager.url("/"))];
    tenant
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_press_that_reaches_every_worker_and_comes_again_after_a_restart_is_one_silence_and_one_answer() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let tenant = shared(&alertmanager).await;
    let mut first = tenant.hand();
    let mut second = tenant.hand();
    first.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let pressed = press("event:1", &sent, &sent.card().unwrap(), "Silence 1h");
    let tags = (first.hears(&pressed), second.hears(&pressed));
    first.heard(tags.0).await;
    second.heard(tags.1).await;
    first.stop().await;
    second.stop().await;
    let mut third = tenant.hand();
    third.done(&pressed).await;
    assert!(third.metric("larkfire_interactions_total{kind=\"button\",outcome=\"repeated\"} 1"));
    assert!(answered(&tenant, 1).await.contains("Silenced 1 alert until "));
    assert_eq!(alertmanager.silences().await.len(), 1);
    assert_eq!(tenant.trail().await.len(), 1);
    assert_eq!(tenant.count(Call::Reply, &Verdict::Accepted), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_pressed_while_the_database_is_away_waits_and_is_done_once_it_is_back() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let mut tenant = shared(&alertmanager).await;
    let proxy = ChaosProxy::start(mysql_address()).await;
    tenant.through = Some(proxy.address());
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    proxy.cut();
    let tag = hand.hears(&press("event:1", &sent, &sent.card().unwrap(), "Silence 1h"));
    assert_eq!(hand.fate_of_deed(tag).await, Settlement::GivenBack { tag });
    assert!(alertmanager.silences().await.is_empty(), "what cannot be written down is not done");
    proxy.restore();
    hand.heard(tag).await;
    assert!(answered(&tenant, 1).await.contains("Silenced 1 alert until "));
    assert_eq!(alertmanager.silences().await.len(), 1);
    assert_eq!(tenant.trail().await.len(), 1);
}

#[tokio::test]
async fn an_answer_that_came_too_fast_for_the_chat_is_given_a_moment_later() {
    let tenant = super::people::tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    let limited = Fault::Refusal { code: 230_020, msg: "frequency limit".to_owned() };
    tenant.sim.fault_call(APP, Call::Reply, &limited, Lasting::Times(2)).unwrap();
    hand.done(&press("event:1", &sent, &sent.card().unwrap(), "Acknowledge")).await;
    assert!(answered(&tenant, 1).await.contains("Acknowledged 1 alert"));
}

#[tokio::test]
async fn an_answer_is_in_a_thread_or_where_there_can_be_none_an_ordinary_reply() {
    let tenant = super::people::tenant().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    hand.done(&press("event:1", &sent, &sent.card().unwrap(), "Acknowledge")).await;
    answered(&tenant, 1).await;
    let no_threads = Fault::Refusal { code: 230_071, msg: "no reply in thread here".to_owned() };
    tenant.sim.fault_call(APP, Call::Reply, &no_threads, Lasting::Times(1)).unwrap();
    hand.done(&press("event:2", &sent, &sent.card().unwrap(), "Acknowledge")).await;
    answered(&tenant, 2).await;
    let replies = tenant.sim.accepted().into_iter().filter(|record| record.parent_id.is_some());
    let in_thread: Vec<_> =
        replies.map(|reply| reply.message().unwrap()["reply_in_thread"].clone()).collect();
    assert_eq!(in_thread, [true, false]);
    hand.counts("larkfire_interaction_answers_total{outcome=\"sent\"} 2").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_that_could_not_be_written_down_is_ended_and_made_anew_as_soon_as_the_database_is_back() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let slow = ChaosProxy::start(alertmanager.address()).await;
    let mut tenant = shared(&alertmanager).await;
    tenant.alertmanagers = vec![configured(&format!("http://{}/", slow.address()))];
    let proxy = ChaosProxy::start(mysql_address()).await;
    tenant.through = Some(proxy.address());
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    let sent = tenant.sent().remove(0);
    slow.stall(Direction::ToClient);
    let tag = hand.hears(&press("event:1", &sent, &sent.card().unwrap(), "Silence 1h"));
    let silences = async |count: usize| {
        wait_until(WITHIN, "a number of silences", async || {
            let found = alertmanager.silences().await.len();
            if found == count { Ok(()) } else { Err(found) }
        })
        .await;
    };
    silences(1).await;
    proxy.cut();
    slow.restore();
    silences(0).await;
    proxy.restore();
    hand.heard(tag).await;
    assert!(answered(&tenant, 1).await.contains("Silenced 1 alert until "));
    silences(1).await;
    assert_eq!(tenant.trail().await.len(), 1);
}
