//! Nobody takes an alert on: people are called, step by step, each once.

use std::time::Duration;

use config::{Callee, EscalationConfig, EscalationStep, Rotation, RotationTurn, StepMethod, Urgency};
use feishu_sim::{Call, Fault, Lasting, Record, Verdict};
use jiff::tz::TimeZone;
use testkit::wait_until::wait_until;
use worker::Settings;
use worker::history::HistoryOutcome;

use super::harness::{APP, Tenant, firing, over};
use crate::harness::{EAGER, WITHIN};

pub(super) fn step(after_ms: u64, who: &str, method: StepMethod) -> EscalationStep {
    let who = vec![Callee::Person(who.to_owned())];
    EscalationStep { after: Duration::from_millis(after_ms), who, method, quiet_hours: None }
}

pub(super) fn escalates(settings: &mut Settings, steps: Vec<EscalationStep>) {
    settings.receivers[0].escalation = Some("night".to_owned());
    let name = "night".to_owned();
    settings.escalations =
        vec![EscalationConfig { name, matchers: Vec::new(), severities: Vec::new(), steps }];
}

/// Mentions ann, then calls bob by telephone.
fn by_mention_and_phone(settings: &mut Settings) {
    let steps = vec![
        step(100, "ou_ann", StepMethod::Mention),
        step(1_500, "ou_bob", StepMethod::Urgent(Urgency::Phone)),
    ];
    escalates(settings, steps);
}

/// Calls somebody who is not in the chat, and then whoever is on call.
fn by_stranger_and_on_call(settings: &mut Settings) {
    settings.rotations = vec![Rotation {
        name: "primary".to_owned(),
        people: vec!["ou_bob".to_owned()],
        every: RotationTurn::Week,
        starts: "2024-01-15T10:00".parse().unwrap(),
        timezone: Some(TimeZone::UTC),
        overrides: Vec::new(),
        calendar_token: None,
    }];
    let mut last = step(3_600_000, "ou_bob", StepMethod::Urgent(Urgency::App));
    last.who = vec![Callee::OnCall("primary".to_owned())];
    escalates(settings, vec![step(100, "ou_stranger", StepMethod::Urgent(Urgency::Sms)), last]);
}

/// Calls nobody before a minute.
fn late(settings: &mut Settings) {
    escalates(settings, vec![step(60_000, "ou_ann", StepMethod::Urgent(Urgency::App))]);
}

fn soon(settings: &mut Settings) {
    escalates(settings, vec![step(2_000, "ou_ann", StepMethod::Urgent(Urgency::App))]);
}

pub(super) async fn called(tenant: &Tenant, call: Call, times: usize) -> Vec<Record> {
    wait_until(WITHIN, "a call", async || {
        let records = tenant.sim.records(APP);
        let found: Vec<_> = records.into_iter().filter(|record| record.call == Some(call)).collect();
        if found.len() >= times { Ok(found) } else { Err(found) }
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_answer_is_mentioned_and_then_somebody_else_is_rung() {
    let tenant = Tenant::new(EAGER).await.adjusted(by_mention_and_phone);
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    let replies = called(&tenant, Call::Reply, 1).await;
    assert_eq!(replies[0].mentioned, ["ou_ann"]);
    let card = replies[0].card().unwrap().to_string();
    assert!(card.contains("escalation night, step 1") && card.contains("DiskFull"), "{card}");
    let rung = called(&tenant, Call::UrgentPhone, 1).await;
    assert_eq!((rung.len(), &rung[0].mentioned), (1, &vec!["ou_bob".to_owned()]));
    let sent = tenant.sent();
    assert_eq!(rung[0].message_id, sent[0].message_id, "about the card that was delivered");
    let shown = tenant.shows(&sent[0], "called by telephone").await.to_string();
    assert!(shown.contains("called by another mention"), "{shown}");
    hand.counts("larkfire_escalation_calls_total{how=\"urgent_phone\",outcome=\"made\"} 1").await;
    hand.counts("larkfire_escalations_total{event=\"finished\"} 1").await;
    let history = tenant.history("DiskFull", 3).await;
    let calls: Vec<_> = history.iter().filter(|entry| entry.outcome == HistoryOutcome::Escalated).collect();
    assert_eq!(calls.len(), 2, "{history:?}");
    let trail = tenant.trail().await;
    assert_eq!(trail.iter().filter(|entry| entry.action == "escalate").count(), 2, "{trail:?}");
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_nobody_can_be_called_the_next_step_comes_at_once() {
    let tenant = Tenant::new(EAGER).await.adjusted(by_stranger_and_on_call);
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    let rung = called(&tenant, Call::UrgentApp, 1).await;
    assert_eq!(rung[0].mentioned, ["ou_bob"], "an hour early");
    hand.counts("larkfire_escalation_calls_total{how=\"urgent_sms\",outcome=\"refused\"} 1").await;
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_called_about_what_is_over() {
    let tenant = Tenant::new(EAGER).await.adjusted(soon);
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    hand.tell(&[&over(2, &["DiskFull"])]).await;
    hand.counts("larkfire_escalations_total{event=\"ended\"} 1").await;
    assert_eq!(tenant.count(Call::UrgentApp, &Verdict::Answered), 0);
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_workers_make_each_call_once() {
    let tenant = Tenant::shared(EAGER).await.adjusted(by_mention_and_phone);
    let mut first = tenant.hand();
    let second = tenant.hand();
    first.tell(&[&firing(1, &["DiskFull"])]).await;
    called(&tenant, Call::UrgentPhone, 1).await;
    let finished = "larkfire_escalations_total{event=\"finished\"} ";
    wait_until(WITHIN, "the end", async || {
        let ends = [&first, &second].map(|hand| hand.count(finished)).iter().sum::<usize>();
        if ends > 0 { Ok(()) } else { Err(ends) }
    })
    .await;
    assert_eq!(tenant.count(Call::UrgentPhone, &Verdict::Answered), 1);
    assert_eq!(tenant.count(Call::Reply, &Verdict::Accepted), 1);
    first.stop().await;
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_for_its_step_when_a_worker_dies_is_done_by_another() {
    let tenant = Tenant::shared(EAGER).await.adjusted(soon);
    let mut first = tenant.hand();
    first.tell(&[&firing(1, &["DiskFull"])]).await;
    drop(first);
    let second = tenant.hand();
    let rung = called(&tenant, Call::UrgentApp, 1).await;
    assert_eq!(rung[0].mentioned, ["ou_ann"]);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_feishu_does_not_take_now_is_made_later() {
    let tenant = Tenant::new(EAGER).await.adjusted(soon);
    let throttled = Fault::TooManyRequests { reset_seconds: Some(1) };
    tenant.sim.fault_call(APP, Call::UrgentApp, &throttled, Lasting::Times(1)).unwrap();
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    let rung = called(&tenant, Call::UrgentApp, 2).await;
    assert_eq!(rung[1].mentioned, ["ou_ann"]);
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_step_that_is_not_due_calls_nobody() {
    let tenant = Tenant::new(EAGER).await.adjusted(late);
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    hand.counts("larkfire_escalations_total{event=\"begun\"} 1").await;
    assert_eq!(tenant.count(Call::UrgentApp, &Verdict::Answered), 0);
    hand.stop().await;
}
