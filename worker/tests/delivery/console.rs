//! The console of a worker: what it shows of what happened.

use config::{AlertmanagerConfig, ClientTls, ConsoleConfig, DatabaseConfig, Secret};
use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use model::envelope::Envelope;
use queue::{Failure, FailureMarks, Headers, Reason};
use runtime::clock::Clock;
use runtime::telemetry::admin::{Admin, AdminHosts};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::alertmanager::Alertmanager;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::wait_until::wait_until;
use tokio::net::TcpListener;
use worker::{ConsoleSettings, Settings};

use crate::harness::{EAGER, TOKEN, WITHIN, Worker, envelope, line, receiver, settings};

/// A worker whose console can be looked at.
pub(crate) struct ConsoleHarness {
    pub(crate) worker: Worker,
    base: String,
    kept: (FeishuSim, TempDir),
}

impl ConsoleHarness {
    pub(crate) async fn new() -> Self {
        let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
        let receivers = vec![receiver(&sim, "ops", TOKEN, None)];
        let folder = tempfile::tempdir().unwrap();
        let mut settings = settings(receivers, EAGER, folder.path());
        settings.style.timezone = TimeZone::UTC;
        settings.style.links.grafana_url = "https://grafana.example/".parse().ok();
        settings.style.links.loki.datasource_uid = Some("loki-1".to_owned());
        Self::on(sim, settings, folder).await
    }

    /// One that silences in this Alertmanager.
    async fn silencing_in(url: &str) -> Self {
        let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let receivers = vec![receiver(&sim, "ops", TOKEN, None)];
        let alertmanager = AlertmanagerConfig {
            name: "default".to_owned(),
            url: url.parse().unwrap(),
            external_url: None,
            basic_auth: None,
            bearer_token: None,
        };
        let settings =
            Settings { alertmanagers: vec![alertmanager], ..settings(receivers, EAGER, folder.path()) };
        Self::on(sim, settings, folder).await
    }

    fn sim(&self) -> &FeishuSim {
        &self.kept.0
    }

    /// The same on a server.
    async fn on_mariadb(database: &TestDatabase) -> Self {
        let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
        let receivers = vec![receiver(&sim, "ops", TOKEN, None)];
        let folder = tempfile::tempdir().unwrap();
        let url = Some(Secret::new(database.url()));
        let server = DatabaseConfig { url, tls: ClientTls::default(), connections: 2, timeout: WITHIN };
        let settings = Settings { database: server, ..settings(receivers, EAGER, folder.path()) };
        Self::on(sim, settings, folder).await
    }

    async fn on(sim: FeishuSim, settings: Settings, folder: TempDir) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin_listen = listener.local_addr().unwrap();
        let config = ConsoleConfig::default();
        let console = Some(ConsoleSettings { admin_listen, is_tls: false, config, explains: None });
        let mut worker = Worker::start(Settings { console, ..settings }, Clock::system());
        let pages = std::mem::take(&mut worker.pages);
        let registry = worker.registry.clone();
        Admin { registry, pages, tls: None, hosts: AdminHosts::default() }
            .spawn(listener, &worker.lifecycle)
            .unwrap();
        Self { worker, base: format!("http://{admin_listen}"), kept: (sim, folder) }
    }

    pub(crate) async fn page(&self, path: &str) -> String {
        let answer = http::get(&format!("{}{path}", self.base)).await.unwrap();
        assert_eq!(answer.status, 200, "{path}: {}", answer.text());
        answer.text().to_owned()
    }

    pub(crate) async fn json(&self, path: &str) -> Value {
        let separator = if path.contains('?') { '&' } else { '?' };
        let text = self.page(&format!("{path}{separator}format=json")).await;
        serde_json::from_str(&text).unwrap()
    }

    /// Posts a form; returns the number of what was begun.
    async fn act(&self, path: &str, form: &str) -> (u16, Value) {
        let headers = [("content-type", "application/x-www-form-urlencoded")];
        let url = format!("{}{path}?format=json", self.base);
        let answer = http::post(&url, &headers, form.to_owned()).await.unwrap();
        (answer.status, answer.json())
    }

    /// So many dead letters, as the mover has put them into the database.
    async fn with_dead_letters(&mut self, letters: u8) {
        for index in 1..=letters {
            let failed_at = Timestamp::from_second(1_700_000_000 + i64::from(index)).unwrap();
            let failure = Failure {
                reason: Reason::Refused,
                receiver: "ops".to_owned(),
                code: Some(19001),
                message: format!("refused <b>{index}</b>"),
                attempts: 2,
                first_failed_at: failed_at,
                last_failed_at: failed_at,
                marks: FailureMarks::default(),
            };
            let headers = Headers { failure: Some(failure), ..Headers::default() };
            self.worker.dead.deliver(line(&envelope("ops", index)), headers);
        }
        wait_until(WITHIN, "the letters in the database", async || {
            let page = self.json("/dead-letters").await;
            (page["matching"]["count"] == letters).then_some(()).ok_or("not yet")
        })
        .await;
    }

    /// The only entry of the history for a reason that has these words, and what fires for which that is the reason.
    async fn finds_by_reason(&self, words: &str, reason: &Value) {
        let because = self.json(&format!("/alerts?q=@reason=%22{words}%22")).await;
        assert_eq!(&because["events"][0]["reason"], reason, "{because}");
        assert_eq!(self.json("/alerts?q=@reason=nothing").await["events"], serde_json::json!([]));
        let by_words = format!("@reason=%22{words}%22");
        for (query, total) in [(by_words.as_str(), 1), ("@outcome=silenced", 1), ("@reason=nothing", 0)] {
            assert_eq!(self.json(&format!("/firing?q={query}")).await["total"], total, "{query}");
        }
    }

    /// The only entry of the history with this outcome.
    async fn noted(&self, outcome: &str) -> Value {
        let path = format!("/alerts?q=@outcome={outcome}");
        wait_until(WITHIN, "the entry in the history", async || {
            let mut found = self.json(&path).await;
            let events = found["events"].as_array_mut().unwrap();
            if events.len() == 1 { Ok(events.remove(0)) } else { Err(events.len()) }
        })
        .await
    }

    /// The action, once it has come to its end.
    async fn ended(&self, action: &Value) -> Value {
        let path = format!("/actions/{action}");
        wait_until(WITHIN, "the end of the action", async || {
            let detail = self.json(&path).await;
            if detail["is_running"] == false { Ok(detail) } else { Err("going on") }
        })
        .await
    }
}

#[tokio::test]
async fn the_overview_says_what_became_of_alerts() {
    let mut harness = ConsoleHarness::new().await;
    let before = harness.json("/").await;
    assert_eq!(before["receivers"][0]["name"], "ops");
    assert_eq!(before["end_to_end"], Value::Null, "nothing was delivered yet");
    let tag = harness.worker.queue.deliver(line(&envelope("ops", 1)), Headers::default());
    wait_until(WITHIN, "a settlement", async || harness.worker.queue.fate(tag).ok_or("in hand")).await;
    let counted = wait_until(WITHIN, "the alerts on the page", async || {
        let overview = harness.json("/").await;
        let minutes = overview["minutes"].as_array().unwrap();
        let delivered: u64 = minutes.iter().map(|minute| minute["delivered"].as_u64().unwrap()).sum();
        if delivered == 1 { Ok(overview) } else { Err("not counted yet") }
    })
    .await;
    assert_eq!(counted["end_to_end"]["alerts"], 1);
    assert_eq!(counted["is_database_up"], true);
    let html = harness.page("/").await;
    assert!(html.contains("All is well") && html.contains("ops"), "{html}");
}

#[tokio::test]
async fn the_life_of_an_alert_is_found_by_its_label_and_by_its_receiver() {
    let mut harness = ConsoleHarness::new().await;
    let tag = harness.worker.queue.deliver(line(&envelope("ops", 1)), Headers::default());
    wait_until(WITHIN, "a settlement", async || harness.worker.queue.fate(tag).ok_or("in hand")).await;
    let list = wait_until(WITHIN, "the alert in the history", async || {
        let list = harness.json("/alerts?q=alertname%3D%22Alert1%22,@receiver=ops,@outcome=delivered").await;
        if list["events"].as_array().unwrap().is_empty() { Err("not written yet") } else { Ok(list) }
    })
    .await;
    let identity = list["events"][0]["identity"].as_str().unwrap();
    let life = harness.json(&format!("/alerts/{identity}")).await;
    assert_eq!(life["events"][0]["outcome"], "delivered");
    assert_eq!(life["events"][0]["labels"]["pod"], "<at id=all></at>");
    let html = harness.page(&format!("/alerts/{identity}")).await;
    assert!(html.contains("&lt;at id=all&gt;") && !html.contains("<at "), "{html}");
    let now = wait_until(WITHIN, "what fires", async || {
        let now = harness.json("/firing?q=severity%3Dcritical,@receiver=ops").await;
        if now["total"] == 1 { Ok(now) } else { Err("not kept yet") }
    })
    .await;
    assert_eq!(
        (&now["groups"][0]["name"], &now["groups"][0]["common"]["severity"]),
        (&"Alert1".into(), &"critical".into())
    );
    assert_eq!(harness.json("/firing?q=severity%3Dwarning").await["total"], 0);
    assert_eq!(harness.json("/firing?q=@outcome=delivered,@receiver=ops").await["total"], 1);
    assert_eq!(harness.json("/firing?q=@outcome=deferred").await["total"], 0);
    assert_eq!(harness.json("/firing?q=@code=19001").await["total"], 0);
    assert_eq!(harness.json("/firing?q=@reason=signature").await["total"], 0);
    let none = harness.json("/alerts?q=alertname%3D%22Alert2%22").await;
    assert!(none["events"].as_array().unwrap().is_empty(), "{none}");
}

async fn letters_are_acted_on_as_they_were_counted(mut harness: ConsoleHarness) {
    harness.with_dead_letters(3).await;
    let all = harness.json("/dead-letters?q=@code=19001,@receiver=ops").await;
    assert_eq!((all["letters"].as_array().unwrap().len(), &all["matching"]["count"]), (3, &Value::from(3)));
    let none = harness.json("/dead-letters?q=alertname%3D%22Alert9%22").await;
    assert_eq!(none["matching"]["count"], 0);
    let id = &all["letters"][2]["id"];
    let letter = harness.json(&format!("/dead-letters/{id}")).await;
    assert_eq!(letter["contents"][0]["name"], "Alert1");
    assert!(letter["advice"]["en"].as_str().unwrap().contains("webhook URL"), "{letter}");
    let until = all["matching"]["until"].as_str().unwrap();

    let (status, refused) =
        harness.act("/dead-letters/discard", &format!("all=1&until={until}&count=2&reason=r")).await;
    assert_eq!((status, &refused["code"]), (409, &Value::from("changed")), "another number than was counted");

    let (status, begun) = harness.act("/dead-letters/discard", &format!("id={id}&reason=old+news")).await;
    assert_eq!(status, 202, "{begun}");
    let discarded = harness.ended(&begun["action"]).await;
    assert_eq!(
        (&discarded["action"]["reason"], &discarded["outcomes"]["discarded"]),
        (&"old news".into(), &1.into())
    );
    assert_eq!((&discarded["action"]["done"], discarded["failure"].is_null()), (&1.into(), true));

    let query = "q=alertname%3D~%22Alert.%22";
    let form = format!("all=1&{query}&until={until}&count=2&reason=the+bot+is+back");
    let (status, begun) = harness.act("/dead-letters/replay", &form).await;
    assert_eq!(status, 202, "{begun}");
    let sent = harness.ended(&begun["action"]).await;
    assert_eq!((&sent["action"]["meant"], &sent["action"]["done"]), (&2.into(), &2.into()), "{sent}");
    assert_eq!(sent["outcomes"]["replaying"], 2);
    let replayed: Vec<_> =
        harness.worker.queue.published().into_iter().filter_map(|message| message.headers.replay).collect();
    assert_eq!(replayed.len(), 2);
    assert!(replayed.iter().all(|replay| !replay.forced));
    let html = harness.page(&format!("/dead-letters/{id}")).await;
    assert!(html.contains("refused &lt;b&gt;1&lt;/b&gt;") && html.contains("old news"), "{html}");
}

#[tokio::test]
async fn the_page_of_a_card_shows_it_as_it_was_sent() {
    let mut harness = ConsoleHarness::new().await;
    let tag = harness.worker.queue.deliver(line(&envelope("ops", 1)), Headers::default());
    wait_until(WITHIN, "a settlement", async || harness.worker.queue.fate(tag).ok_or("in hand")).await;
    let card = wait_until(WITHIN, "the alert in the history", async || {
        let list = harness.json("/alerts?q=@outcome=delivered").await;
        list["events"][0]["card"].as_str().map(str::to_owned).ok_or("not written yet")
    })
    .await;
    let path = format!("/cards/{card}");
    let content = wait_until(WITHIN, "the card itself", async || {
        let detail = harness.json(&path).await;
        detail["content"].as_str().map(str::to_owned).ok_or("not written yet")
    })
    .await;
    let sent = harness.sim().accepted().remove(0).card().unwrap();
    assert_eq!(serde_json::from_str::<Value>(&content).unwrap(), sent);
    assert!(harness.page(&path).await.contains("data-card=\"{&quot;"));
}

#[tokio::test]
async fn letters_are_acted_on_as_they_were_counted_in_a_file() {
    letters_are_acted_on_as_they_were_counted(ConsoleHarness::new().await).await;
}

#[tokio::test]
async fn letters_are_acted_on_as_they_were_counted_on_a_server() {
    let database = TestDatabase::create().await;
    letters_are_acted_on_as_they_were_counted(ConsoleHarness::on_mariadb(&database).await).await;
}

#[tokio::test]
async fn a_receiver_is_tested_from_its_page_and_the_page_says_what_became_of_it() {
    let mut harness = ConsoleHarness::new().await;
    let (status, sent) = harness.act("/receivers/ops/test", "").await;
    assert_eq!(status, 202, "{sent}");
    let envelope = sent["envelopes"][0].as_str().unwrap().to_owned();
    let path = format!("/receivers/ops/tests/{envelope}");
    assert_eq!(harness.json(&path).await["tests"][0]["state"], "waiting");
    let message = harness.worker.queue.published().remove(0);
    let tag = harness.worker.queue.deliver(message.body.clone(), Headers::default());
    wait_until(WITHIN, "a settlement", async || harness.worker.queue.fate(tag).ok_or("in hand")).await;
    wait_until(WITHIN, "the result", async || {
        let state = harness.json(&path).await["tests"][0]["state"].take();
        if state == "delivered" { Ok(()) } else { Err(state) }
    })
    .await;
    let card = harness.sim().accepted().remove(0).message().unwrap().to_string();
    assert!(card.contains("A test by console on this machine"), "{card}");
    assert_eq!(harness.json("/firing").await["total"], 0, "nothing is wrong");
    wait_until(WITHIN, "the end of the line in the trail", async || {
        let line = harness.json("/audit").await["actions"][0].take();
        if line["action"] == "test" && line["done"] == 1 { Ok(()) } else { Err(line) }
    })
    .await;
    let (status, refused) = harness.act("/receivers/nobody/test", "").await;
    assert_eq!((status, &refused["code"]), (400, &Value::from("refused")));
}

#[tokio::test]
async fn a_test_that_feishu_refuses_is_explained_and_its_letter_calls_nobody() {
    let mut harness = ConsoleHarness::new().await;
    let wrong = Fault::Refusal { code: 19001, msg: "token".to_owned() };
    harness.sim().fault(TOKEN, &wrong, Lasting::UntilCleared).unwrap();
    let (_, sent) = harness.act("/receivers/ops/test", "").await;
    let envelope = sent["envelopes"][0].as_str().unwrap().to_owned();
    let message = harness.worker.queue.published().remove(0);
    let tag = harness.worker.queue.deliver(message.body.clone(), Headers::default());
    wait_until(WITHIN, "a settlement", async || harness.worker.queue.fate(tag).ok_or("in hand")).await;
    let dead = harness.worker.queue.published().pop().unwrap();
    harness.worker.dead.deliver(dead.body.clone(), dead.headers.clone());
    let test = wait_until(WITHIN, "the result", async || {
        let test = harness.json(&format!("/receivers/ops/tests/{envelope}")).await["tests"][0].take();
        if test["state"] == "dead_lettered" { Ok(test) } else { Err(test) }
    })
    .await;
    assert_eq!(test["code"], 19001);
    assert!(test["advice"]["en"].as_str().unwrap().contains("webhook URL"), "{test}");
    wait_until(WITHIN, "the letter to be discarded", async || {
        let page = harness.json("/dead-letters?q=@state=discarded").await;
        (page["letters"].as_array().unwrap().len() == 1).then_some(()).ok_or(page)
    })
    .await;
}

/// An alert of this Alertmanager.
fn disk_full(alertmanager: &str) -> Envelope<'static> {
    let mut envelope = envelope("ops", 1);
    envelope.external_url = alertmanager.to_owned().into();
    envelope.alerts[0].labels = [("alertname", "DiskFull"), ("severity", "critical"), ("pod", "a")]
        .into_iter()
        .map(|(name, value)| (name.to_owned().into(), value.to_owned().into()))
        .collect();
    envelope
}

#[tokio::test]
async fn alerts_are_silenced_in_alertmanager_as_they_were_counted_and_once() {
    let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
    let alert = |pod: &str| {
        let labels = json!({ "alertname": "DiskFull", "severity": "critical", "pod": pod });
        json!({ "labels": labels, "startsAt": "2026-01-15T10:30:00Z" })
    };
    alertmanager.post(&json!([alert("a"), alert("b")])).await;
    let mut harness = ConsoleHarness::silencing_in(&alertmanager.url("/")).await;
    let delivered = disk_full(&alertmanager.url("/"));
    let tag = harness.worker.queue.deliver(line(&delivered), Headers::default());
    wait_until(WITHIN, "a settlement", async || harness.worker.queue.fate(tag).ok_or("in hand")).await;
    let question = "/silences/new?matchers=alertname%3D%22DiskFull%22&length=4h";
    let plan = wait_until(WITHIN, "the alerts in Alertmanager", async || {
        let plan = harness.json(question).await;
        if plan["count"] == 2 { Ok(plan) } else { Err(plan) }
    })
    .await;
    assert_eq!(plan["hits"][0]["name"], "DiskFull");
    let until = plan["until"].as_str().unwrap();
    let form = |count: u8| {
        format!(
            "alertmanager=default&matchers=alertname%3D%22DiskFull%22&until={until}&count={count}&reason=known"
        )
    };
    let (status, made) = harness.act("/silences/new", &form(2)).await;
    assert_eq!(status, 202, "{made}");
    let (status, again) = harness.act("/silences/new", &form(2)).await;
    assert_eq!((status, &again["silence"]), (202, &made["silence"]), "the same press twice is one silence");
    let [silence] = <[_; 1]>::try_from(alertmanager.silences().await).unwrap();
    assert_eq!(
        (&silence["createdBy"], &silence["comment"]),
        (&"console on this machine".into(), &"known".into())
    );

    let silenced = harness.noted("silenced").await;
    let identity = delivered.alerts[0].fingerprint.as_str();
    assert_eq!((&silenced["identity"], &silenced["until"]), (&identity.into(), &plan["until"]));
    assert_eq!(silenced["reason"], "by console on this machine: known");
    let life = harness.json(&format!("/alerts/{identity}")).await;
    assert_eq!(life["standings"][0]["silenced_by"], silenced["reason"], "{life}");
    harness.finds_by_reason("THIS+machine", &silenced["reason"]).await;

    wait_until(WITHIN, "both alerts to be silenced", async || {
        let listed = harness.json("/silences").await["alertmanagers"][0]["silences"][0].take();
        if listed["alerts"] == 2 { Ok(()) } else { Err(listed) }
    })
    .await;
    let id = made["silence"].as_str().unwrap();
    let (status, ended) = harness.act("/silences/end", &format!("alertmanager=default&id={id}")).await;
    assert_eq!(status, 200, "{ended}");
    assert!(alertmanager.silences().await.is_empty());
    let ended = harness.noted("unsilenced").await;
    assert_eq!(
        (&ended["identity"], &ended["reason"]),
        (&identity.into(), &"by console on this machine".into())
    );
    let trail = harness.json("/audit").await;
    let actions: Vec<_> = trail["actions"].as_array().unwrap().iter().map(|line| &line["action"]).collect();
    assert_eq!(actions, ["unsilence", "silence"]);
    assert_eq!(trail["actions"][1]["reason"], "known");

    alertmanager.post(&Value::Array((0..9).map(|pod| alert(&pod.to_string())).collect())).await;
    wait_until(WITHIN, "more alerts", async || {
        let (status, refused) = harness.act("/silences/new", &form(2)).await;
        if status == 409 { Ok(()) } else { Err((status, refused)) }
    })
    .await;
    let (status, _) = harness.act("/silences/new", &form(2).replace("DiskFull%22", "%22")).await;
    assert_eq!(status, 400, "that would be everything");
}

#[tokio::test]
async fn the_page_of_an_alert_says_what_it_waits_for_and_where_its_logs_are() {
    let mut harness = ConsoleHarness::new().await;
    let away = Fault::ServerError { status: 503 };
    harness.sim().fault(TOKEN, &away, Lasting::UntilCleared).unwrap();
    let envelope = envelope("ops", 1);
    let identity = envelope.alerts[0].fingerprint.to_string();
    harness.worker.queue.deliver(line(&envelope), Headers::default());
    let path = format!("/alerts/{identity}");
    let waits = wait_until(WITHIN, "that it waits", async || {
        let standing = harness.json(&path).await["standings"][0].take();
        if standing["waits"].is_object() { Ok(standing) } else { Err(standing) }
    })
    .await;
    assert_eq!((&waits["receiver"], waits["delivered_at"].is_null()), (&"ops".into(), true));
    assert!(waits["waits"]["reason"].as_str().unwrap().contains("in hand"), "{waits}");
    harness.sim().clear_faults(TOKEN).unwrap();
    let told = wait_until(WITHIN, "that it was delivered", async || {
        let life = harness.json(&path).await;
        let is_delivered =
            life["standings"][0]["delivered_status"] == "firing" && !life["events"][0].is_null();
        if is_delivered { Ok(life) } else { Err(life) }
    })
    .await;
    assert!(told["standings"][0]["waits"].is_null(), "{told}");
    assert_eq!(told["log_links"].as_array().unwrap().len(), 2, "{told}");
    assert!(told["log_links"][0]["url"].as_str().unwrap().starts_with("https://grafana.example/explore"));
}
