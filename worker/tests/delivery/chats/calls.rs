//! Each way in which somebody is called: by a custom bot, at another receiver, by a program; and what keeps them from being called:
//! a silence that was made in Alertmanager itself, and another configuration.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex as SharedMutex};
use std::time::Duration;

use config::{Callee, Config, Environment, EscalationStep, Reloads, Secret, StepMethod, Urgency, parse};
use feishu_sim::{BotSettings, Call, Fault, FeishuSim, Lasting, SimSettings, Verdict};
use model::envelope::Source;
use queue::Settlement;
use runtime::clock::Clock;
use serde_json::{Value, json};
use testkit::alertmanager::Alertmanager;
use testkit::http;
use testkit::wait_until::wait_until;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;
use worker::Settings;

use super::escalations::{called, escalates, step};
use super::harness::{APP, OTHER_CHAT, Tenant, WorkerHandle, firing};
use super::silences::{configured, state};
use crate::harness::{EAGER, TOKEN, WITHIN, Worker, envelope, line, receiver, settings, title};
use crate::logs;

/// What nobody may read anywhere.
const PATH: &str = "/hook/s3cret-path-0001";
const KEY: &str = "k3y-of-the-program";

/// A program that is told, and answers each as it is told to.
struct Program {
    url: String,
    heard: Arc<SharedMutex<Vec<String>>>,
    _serving: JoinSet<()>,
}

impl Program {
    /// The last of these answers is for everything that comes after it; `None` answers nothing.
    async fn answering(answers: &'static [Option<&'static str>]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}{PATH}", listener.local_addr().unwrap());
        let heard = Arc::<SharedMutex<Vec<String>>>::default();
        let ear = Arc::clone(&heard);
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            let mut open = Vec::new();
            while let Ok((mut stream, _)) = listener.accept().await {
                let mut request = Vec::new();
                while !is_whole(&request) && stream.read_buf(&mut request).await.unwrap_or(0) > 0 {}
                let heard = {
                    let mut heard = ear.lock().unwrap();
                    heard.push(String::from_utf8_lossy(&request).into_owned());
                    heard.len()
                };
                match answers[(heard - 1).min(answers.len() - 1)] {
                    Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                    None => open.push(stream),
                }
            }
        });
        Self { url, heard, _serving: serving }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }

    async fn hears(&self, times: usize) -> Vec<String> {
        wait_until(WITHIN, "a request", async || {
            let heard = self.heard();
            if heard.len() >= times { Ok(heard) } else { Err(heard) }
        })
        .await
    }

    /// Tells it first, and then calls ann.
    fn first(&self, settings: &mut Settings) {
        let told = StepMethod::Webhook { url: Secret::new(&*self.url), secret: Some(Secret::new(KEY)) };
        let told = EscalationStep { who: vec![Callee::Owners], ..step(100, "", told) };
        escalates(settings, vec![told, step(3_600_000, "ou_ann", StepMethod::Urgent(Urgency::App))]);
    }
}

/// Whether a request is there with its body.
fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
    length.and_then(|length| length.parse().ok()).is_none_or(|length: usize| body.len() >= length)
}

fn header<'r>(request: &'r str, name: &str) -> &'r str {
    let is_it = |line: &&str| line.to_lowercase().starts_with(name);
    let line = request.lines().find(is_it).unwrap_or_default();
    line.split_once(": ").map_or("", |(_, value)| value)
}

/// What a program was told.
fn body(request: &str) -> Value {
    serde_json::from_str(request.split_once("\r\n\r\n").unwrap().1).unwrap()
}

/// Neither the log nor metrics nor what is written down says where it is, and with which key.
async fn nobody_reads_the_address(tenant: &Tenant, hand: &WorkerHandle) {
    let metrics = hand.metrics();
    let history = format!("{:?} {:?}", tenant.history("DiskFull", 2).await, tenant.trail().await);
    let cards: String =
        tenant.sim.accepted().iter().filter_map(feishu_sim::Record::message).map(|m| m.to_string()).collect();
    for text in [logs::so_far(), metrics, history, cards] {
        assert!(!text.contains("s3cret-path") && !text.contains(KEY), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_is_told_once_with_a_signature_and_nobody_reads_where_it_is() {
    let program =
        Arc::new(Program::answering(&[Some("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")]).await);
    let told = Arc::clone(&program);
    let tenant = Tenant::new(EAGER).await.adjusted(move |settings| told.first(settings));
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull", "CpuHigh"])]).await;
    let request = program.hears(1).await.remove(0);
    let said = body(&request);
    assert_eq!((&said["v"], &said["escalation"], &said["step"]), (&json!(1), &json!("night"), &json!(1)));
    let names: Vec<_> = said["alerts"].as_array().unwrap().iter().map(|alert| &alert["name"]).collect();
    assert_eq!((names.len(), said["receiver"].as_str()), (2, Some("default")));
    let stamp = header(&request, "x-timestamp").parse::<i64>().unwrap();
    assert!((Clock::system().now().as_second() - stamp).abs() < 3_600);
    assert!(header(&request, "x-signature").starts_with("sha256="), "{request}");
    hand.counts("larkfire_escalation_calls_total{how=\"webhook\",outcome=\"made\"} 1").await;
    nobody_reads_the_address(&tenant, &hand).await;
    assert_eq!((program.heard().len(), tenant.count(Call::UrgentApp, &Verdict::Answered)), (1, 0));
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_redirects_is_refused_and_the_next_step_comes_at_once() {
    let elsewhere = "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n";
    let program = Arc::new(Program::answering(Box::leak(Box::new([Some(elsewhere)]))).await);
    let told = Arc::clone(&program);
    let tenant = Tenant::new(EAGER).await.adjusted(move |settings| told.first(settings));
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    called(&tenant, Call::UrgentApp, 1).await;
    hand.counts("larkfire_escalation_calls_total{how=\"webhook\",outcome=\"refused\"} 1").await;
    assert_eq!(program.heard().len(), 1, "it is not followed: what it is told would go to somebody else");
    nobody_reads_the_address(&tenant, &hand).await;
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_that_does_not_answer_or_fails_is_told_again_under_the_same_id() {
    let program = Program::answering(&[
        None,
        Some("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"),
        Some("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
    ]);
    let program = Arc::new(program.await);
    let told = Arc::clone(&program);
    let mut delivery = EAGER;
    delivery.request_timeout = Duration::from_millis(500);
    let tenant = Tenant::new(delivery).await.adjusted(move |settings| told.first(settings));
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    let requests = program.hears(3).await;
    hand.counts("larkfire_escalation_calls_total{how=\"webhook\",outcome=\"made\"} 1").await;
    hand.counts("larkfire_escalation_calls_total{how=\"webhook\",outcome=\"failed\"} 2").await;
    let ids: Vec<_> = requests.iter().map(|request| body(request)["id"].clone()).collect();
    assert!(ids.iter().all(|id| *id == ids[0] && id.is_string()), "{ids:?}");
    nobody_reads_the_address(&tenant, &hand).await;
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_receiver_is_told_on_a_card_that_says_why_and_mentions_whom_the_step_names() {
    let tenant = Tenant::new(EAGER).await.adjusted(|settings| {
        escalates(settings, vec![step(100, "ou_ann", StepMethod::Receiver("other".to_owned()))]);
    });
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    let sent = wait_until(WITHIN, "a card in the other chat", async || {
        let sent = tenant.sent();
        sent.into_iter().find(|record| record.chat_id.as_deref() == Some(OTHER_CHAT)).ok_or("none")
    })
    .await;
    let card = sent.card().unwrap().to_string();
    assert!(card.contains("escalation night, step 1") && card.contains("DiskFull"), "{card}");
    hand.counts("larkfire_escalation_calls_total{how=\"receiver\",outcome=\"made\"} 1").await;
    let trail = wait_until(WITHIN, "the audit trail", async || {
        let trail = tenant.trail().await;
        if trail.is_empty() { Err("nothing") } else { Ok(trail) }
    })
    .await;
    assert!(trail[0].outcome.as_ref().unwrap().ends_with("step 1: receiver other to ou_ann"), "{trail:?}");
    // Whoever reads it there is told once, and has no escalation of their own.
    hand.counts("larkfire_escalations_total{event=\"begun\"} 1").await;
    assert_eq!(tenant.sent().len(), 2);
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_custom_bot_mentions_people_on_another_card_and_cannot_push() {
    let bot = BotSettings::new(TOKEN).no_limits().known_id("ou_ann");
    let sim = FeishuSim::start(SimSettings::new([bot])).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings(vec![receiver(&sim, "default", TOKEN, None)], EAGER, folder.path());
    let steps = vec![
        step(100, "ou_ann", StepMethod::Urgent(Urgency::App)),
        step(3_600_000, "ou_ann", StepMethod::Mention),
    ];
    escalates(&mut settings, steps);
    let mut worker = Worker::start(settings, Clock::system());
    let tag = worker.queue.deliver(line(&envelope("default", 1)), queue::Headers::default());
    wait_until(WITHIN, "a settlement", async || worker.queue.fate(tag).ok_or("still in hand")).await;
    let cards = sim.wait_for_accepted(2, WITHIN).await.unwrap();
    assert!(title(&cards[1]).contains("Alert1"), "{cards:?}");
    let again = cards[1].message().unwrap().to_string();
    assert!(again.contains("escalation night, step 2") && again.contains("<at id=ou_ann></at>"), "{again}");
    assert_eq!(worker.queue.fate(tag), Some(Settlement::Done { tag }));
    worker.lifecycle.stop.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_silenced_in_alertmanager_itself_is_not_called_about() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let labels = json!({ "alertname": "A", "severity": "critical" });
    alertmanager.post(&json!([{ "labels": labels, "startsAt": "2026-01-15T10:30:00Z" }])).await;
    state(&alertmanager, "active").await;
    let silence = json!({
        "matchers": [{ "name": "alertname", "value": "A", "isRegex": false, "isEqual": true }],
        "startsAt": "2026-01-15T10:30:00Z", "endsAt": "2099-01-15T10:30:00Z", "createdBy": "amtool", "comment": "c",
    });
    let made = http::post_json(&alertmanager.url("/api/v2/silences"), &silence).await.unwrap();
    assert_eq!(made.status, 200, "{}", made.text());
    state(&alertmanager, "suppressed").await;
    let mut tenant = Tenant::new(EAGER).await.adjusted(soon);
    tenant.alertmanagers = vec![configured(&alertmanager.url("/"))];
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["A"])]).await;
    hand.counts("larkfire_escalations_total{event=\"silenced\"} 1").await;
    // Of another card one alert is not, and that is called about.
    hand.tell(&[&firing(2, &["A2", "B"])]).await;
    let rung = called(&tenant, Call::UrgentApp, 1).await;
    assert_eq!((rung.len(), &rung[0].mentioned), (1, &vec!["ou_ann".to_owned()]));
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_alertmanager_that_is_away_and_alerts_of_others_spare_nobody_a_call() {
    let mut tenant = Tenant::new(EAGER).await.adjusted(soon);
    tenant.alertmanagers = vec![configured(&format!("http://{}/", testkit::ports::free_address()))];
    let mut hand = tenant.hand();
    let mut of_grafana = firing(1, &["A"]);
    of_grafana.source = Source::Grafana;
    hand.tell(&[&of_grafana]).await;
    hand.tell(&[&firing(2, &["B"])]).await;
    hand.counts("larkfire_escalations_total{event=\"finished\"} 2").await;
    assert!(tenant.count(Call::UrgentApp, &Verdict::Answered) > 0);
    hand.stop().await;
}

fn soon(settings: &mut Settings) {
    escalates(settings, vec![step(100, "ou_ann", StepMethod::Urgent(Urgency::App))]);
}

/// A configuration with this receiver and these escalations, and with bob on call.
fn newer(escalation: &str, escalations: &str) -> Arc<Config> {
    let app = "{ id: cli_1, secret: s }";
    let receivers = format!("{{ default: {{ chat_id: oc_1{escalation} }} }}");
    let rotations = "{ primary: { people: [ou_bob], start: 2024-01-15 } }";
    let text = format!(
        "{{ app: {app}, receivers: {receivers}, rotations: {rotations}, escalations: {escalations} }}"
    );
    Arc::new(parse("test.yaml", &text, Environment::default()).unwrap())
}

/// Of the tests of this process one at a time: that it goes by another configuration, a worker says in its log.
static RELOADING: Mutex<()> = Mutex::const_new(());

/// A tenant whose configuration changes whenever the test wants it to.
struct Reloaded {
    tenant: Tenant,
    publish: watch::Sender<Option<Arc<Config>>>,
}

impl Reloaded {
    /// It begins with these steps.
    async fn with(steps: Vec<EscalationStep>) -> Self {
        let publish = watch::Sender::new(None);
        let published = publish.subscribe();
        let tenant = Tenant::new(EAGER).await.adjusted(move |settings| {
            settings.reloads = Reloads::of(published.clone());
            if !steps.is_empty() {
                escalates(settings, steps.clone());
            }
        });
        Self { tenant, publish }
    }

    /// Everybody goes by another one from here on.
    async fn reload(&self, config: Arc<Config>) {
        let _alone = RELOADING.lock().await;
        let said = ["escalations", "rotations"].map(|what| format!("the {what} go by the new configuration"));
        let counted = || said.each_ref().map(|said| logs::so_far().matches(said).count());
        let before = counted();
        self.publish.send_replace(Some(config));
        wait_until(WITHIN, "the new configuration", async || {
            let now = counted();
            if now.iter().zip(before).all(|(now, before)| *now > before) { Ok(()) } else { Err(now) }
        })
        .await;
    }

    /// The next step of every escalation is due.
    async fn all_due(&self) {
        self.tenant.execute("UPDATE larkfire_escalations SET due_ms = 1 WHERE due_ms IS NOT NULL").await;
    }
}

/// Mentions ann at once, and calls bob an hour later.
fn two_steps() -> Vec<EscalationStep> {
    vec![
        step(100, "ou_ann", StepMethod::Mention),
        step(3_600_000, "ou_bob", StepMethod::Urgent(Urgency::Phone)),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_escalation_goes_on_by_the_steps_it_has_now_and_is_over_where_there_is_none_of_its_number() {
    let reloaded = Reloaded::with(two_steps()).await;
    let mut hand = reloaded.tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    hand.counts("larkfire_escalation_calls_total{how=\"mention\",outcome=\"made\"} 1").await;
    reloaded.reload(newer(", escalation: night", "{ night: { steps: [{ after: 1m, who: ou_ann }] } }")).await;
    reloaded.all_due().await;
    hand.counts("larkfire_escalations_total{event=\"finished\"} 1").await;
    assert_eq!(reloaded.tenant.count(Call::UrgentPhone, &Verdict::Answered), 0);
    // What begins now has the new steps alone.
    hand.tell(&[&firing(2, &["CpuHigh"])]).await;
    hand.counts("larkfire_escalations_total{event=\"begun\"} 2").await;
    reloaded.all_due().await;
    hand.counts("larkfire_escalations_total{event=\"finished\"} 2").await;
    assert_eq!(called(&reloaded.tenant, Call::Reply, 2).await.len(), 2);
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_escalation_that_is_configured_no_more_calls_nobody_any_more() {
    let reloaded = Reloaded::with(two_steps()).await;
    let mut hand = reloaded.tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    hand.counts("larkfire_escalation_calls_total{how=\"mention\",outcome=\"made\"} 1").await;
    reloaded.reload(newer("", "{}")).await;
    reloaded.all_due().await;
    hand.counts("larkfire_escalations_total{event=\"unconfigured\"} 1").await;
    hand.tell(&[&firing(2, &["CpuHigh"])]).await;
    hand.counts("larkfire_escalations_total{event=\"begun\"} 1").await;
    assert_eq!(reloaded.tenant.count(Call::UrgentPhone, &Verdict::Answered), 0);
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_escalation_and_the_first_rotation_need_no_restart() {
    let reloaded = Reloaded::with(Vec::new()).await;
    let mut hand = reloaded.tenant.hand();
    hand.tell(&[&firing(1, &["DiskFull"])]).await;
    let steps = "{ night: { steps: [{ after: 1s, rotation: primary, urgent: app }] } }";
    reloaded.reload(newer(", escalation: night", steps)).await;
    hand.tell(&[&firing(2, &["CpuHigh"])]).await;
    let rung = called(&reloaded.tenant, Call::UrgentApp, 1).await;
    assert_eq!(rung[0].mentioned, ["ou_bob"]);
    hand.counts("larkfire_escalations_total{event=\"begun\"} 1").await;
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_begins_while_the_database_is_away_is_called_about_once_when_it_is_back() {
    let mut tenant = Tenant::shared(EAGER).await.adjusted(soon);
    let proxy = tenant.proxied().await;
    let mut hand = tenant.hand();
    hand.tell(&[&firing(1, &["Before"])]).await;
    called(&tenant, Call::UrgentApp, 1).await;
    proxy.cut();
    hand.tell(&[&firing(2, &["During"])]).await;
    hand.counts("larkfire_escalations_unwritten 1").await;
    assert_eq!(tenant.count(Call::UrgentApp, &Verdict::Answered), 1);
    proxy.restore();
    called(&tenant, Call::UrgentApp, 2).await;
    hand.counts("larkfire_escalations_unwritten 0").await;
    hand.counts("larkfire_escalations_total{event=\"finished\"} 2").await;
    assert_eq!(tenant.count(Call::UrgentApp, &Verdict::Answered), 2);
    assert_eq!(tenant.sim.records(APP).iter().filter(|record| record.call == Some(Call::Send)).count(), 2);
    hand.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_that_is_answered_while_the_database_is_away_is_not_made_again() {
    let mut tenant = Tenant::shared(EAGER).await.adjusted(soon);
    let proxy = tenant.proxied().await;
    let mut hands = [tenant.hand(), tenant.hand()];
    // The answer comes when the database is gone: whoever made the call writes down late what came of it.
    let slow = Fault::SlowAnswer { after_ms: 1_000 };
    tenant.sim.fault_call(APP, Call::UrgentApp, &slow, Lasting::Times(1)).unwrap();
    hands[0].tell(&[&firing(1, &["DiskFull"])]).await;
    called(&tenant, Call::UrgentApp, 1).await;
    proxy.cut();
    let made = "larkfire_escalation_calls_total{how=\"urgent_app\",outcome=\"made\"} ";
    wait_until(WITHIN, "its answer", async || {
        let made: usize = hands.iter().map(|hand| hand.count(made)).sum();
        if made == 1 { Ok(()) } else { Err(made) }
    })
    .await;
    proxy.restore();
    wait_until(WITHIN, "the end of it", async || {
        let waiting = tenant.steps_waiting().await;
        if waiting == 0 { Ok(()) } else { Err(waiting) }
    })
    .await;
    assert_eq!(called(&tenant, Call::UrgentApp, 1).await.len(), 1);
    for hand in hands {
        hand.stop().await;
    }
}
