//! Somebody presses buttons in Feishu: from the card, over the signed callback and the queue, to Alertmanager, back onto
//! the card and into the thread.

use std::net::SocketAddr;
use std::time::Duration;

use feishu_sim::{AppSettings, Call, ChatSettings, FeishuSim, Record, SimSettings, UserSettings};
use queue::rabbitmq::topology::Names;
use runtime::clock::Clock;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use testkit::alertmanager::Alertmanager;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{Leftovers, amqp_url};
use testkit::wait_until::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
const APP: &str = "cli_e2e0001";
const APP_SECRET: &str = "app-secret-0001";
const CHAT: &str = "oc_e2e0001";
const PERSON: &str = "ou_ann";
/// What Feishu signs its callbacks with.
const ENCRYPT_KEY: &str = "e2e-encrypt-key";

/// A Larkfire whose receiver is a chat of the app's, and the Alertmanager it silences in, which sends to it.
struct Harness {
    sim: FeishuSim,
    listen: SocketAddr,
    alertmanager: Alertmanager,
    processes: Vec<(Launch, Process)>,
    _kept: (TempDir, Option<(TestDatabase, Leftovers)>),
}

impl Harness {
    async fn embedded() -> Self {
        Self::start(&["larkfire"], |launch| launch, None).await
    }

    async fn roles() -> Self {
        let prefix = unique_prefix();
        let database = TestDatabase::create().await;
        let topology = Names::new(prefix.clone(), 1).topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.into_iter().map(|queue| queue.name))
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let url = database.url();
        let with_broker = |launch: Launch| {
            launch
                .variable("AMQP_URL", amqp_url())
                .variable("LARKFIRE_QUEUE_PREFIX", &prefix)
                .variable("DATABASE_URL", &url)
        };
        let kept = Some((database, leftovers));
        Self::start(&["larkfire-ingest", "larkfire-worker"], with_broker, kept).await
    }

    async fn start(
        binaries: &[&str],
        with: impl Fn(Launch) -> Launch,
        kept: Option<(TestDatabase, Leftovers)>,
    ) -> Self {
        let tenant = SimSettings::new([])
            .app(AppSettings::new(APP, APP_SECRET))
            .user(UserSettings::new(PERSON))
            .chat(ChatSettings::new(CHAT).app(APP).member(PERSON));
        let sim = FeishuSim::start(tenant).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let listen = free_address();
        let alertmanager = Alertmanager::alone(&format!("http://{listen}/api/alert"), "4h").await;
        let mut processes = Vec::new();
        for binary in binaries {
            let admin = free_address();
            let launch = Launch::binary(binary)
                .directory(folder.path())
                .variable("LARKFIRE_LISTEN", listen.to_string())
                .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
                .variable("LOCALE", "en")
                .variable("FEISHU_BASE_URL", sim.base_url())
                .variable("FEISHU_APP_ID", APP)
                .variable("FEISHU_APP_SECRET", APP_SECRET)
                .variable("FEISHU_CHAT_ID", CHAT)
                .variable("LARK_ENCRYPT_KEY", ENCRYPT_KEY)
                .variable("ALERTMANAGER_URL", alertmanager.url(""));
            let launch = with(launch);
            let process = launch.start();
            let url = format!("http://{admin}/readyz");
            wait_until(PATIENCE, "a process to be ready", async || match http::get(&url).await {
                Ok(answer) if answer.status == 200 => Ok(()),
                other => Err(format!("{other:?} {}", process.output())),
            })
            .await;
            processes.push((launch, process));
        }
        Self { sim, listen, alertmanager, processes, _kept: (folder, kept) }
    }

    /// Presses a button of a card, as Feishu reports it; returns what the person sees.
    async fn press(&self, sent: &Record, words: &str, event: &str) -> Value {
        let card = self.shown(sent);
        let rows = card["elements"].as_array().unwrap().iter().filter_map(|row| row["actions"].as_array());
        let button = rows.flatten().find(|button| button["text"]["content"] == words);
        assert!(button.is_some(), "no button {words} on {card}");
        let body = json!({
            "schema": "2.0",
            "header": { "event_id": event, "event_type": "card.action.trigger", "app_id": APP },
            "event": {
                "operator": { "open_id": PERSON },
                "token": format!("c-{event}"),
                "action": { "value": button.unwrap()["value"], "tag": "button" },
                "context": { "open_message_id": sent.message_id, "open_chat_id": CHAT },
            },
        })
        .to_string();
        let stamp = Clock::system().now().as_second().to_string();
        let signature = hex::encode(Sha256::digest(format!("{stamp}nonce{ENCRYPT_KEY}{body}")));
        let headers = [
            ("content-type", "application/json"),
            ("x-lark-request-timestamp", stamp.as_str()),
            ("x-lark-request-nonce", "nonce"),
            ("x-lark-signature", signature.as_str()),
        ];
        let url = format!("http://{}/lark/card/action", self.listen);
        let answer = http::post(&url, &headers, body).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// The card in a message, as it is now.
    fn shown(&self, sent: &Record) -> Value {
        let shown = self.sim.shown(sent.message_id.as_deref().unwrap());
        shown.last().unwrap().card().unwrap()
    }

    async fn shows(&self, sent: &Record, text: &str) {
        wait_until(PATIENCE, text, async || {
            let card = self.shown(sent).to_string();
            if card.contains(text) { Ok(()) } else { Err(format!("{card}\n{}", self.output())) }
        })
        .await;
    }

    async fn replies(&self, text: &str) {
        wait_until(PATIENCE, text, async || {
            let replies = self.sim.accepted().into_iter().filter(|record| record.parent_id.is_some());
            let replies: Vec<_> = replies.filter_map(|record| record.message()).collect();
            let has_it = replies.iter().any(|reply| reply["content"].to_string().contains(text));
            if has_it { Ok(()) } else { Err(format!("{replies:?}\n{}", self.output())) }
        })
        .await;
    }

    async fn alert_is(&self, state: &str) {
        wait_until(PATIENCE, state, async || {
            let found = self.alertmanager.state("HighErrorRate").await;
            if found == state { Ok(()) } else { Err(found) }
        })
        .await;
    }

    fn output(&self) -> String {
        self.processes.iter().map(|(_, process)| process.output()).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn buttons_work_through_one_process() {
    buttons_work(&Harness::embedded().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn buttons_work_through_the_roles() {
    buttons_work(&Harness::roles().await).await;
}

async fn buttons_work(house: &Harness) {
    let labels = json!({ "alertname": "HighErrorRate", "severity": "critical", "namespace": "shop" });
    let alert = json!([{ "labels": labels, "startsAt": "2026-01-15T10:30:00Z" }]);
    house.alertmanager.post(&alert).await;
    let sent = wait_until(PATIENCE, "a card in the chat", async || {
        let mut sent = house.sim.accepted().into_iter().filter(|record| record.call == Some(Call::Send));
        sent.next().ok_or_else(|| house.output())
    })
    .await;

    let toast = house.press(&sent, "Acknowledge", "ev_1").await;
    assert_eq!(toast["toast"]["type"], "success", "{toast}");
    house.shows(&sent, "Acknowledged by <at id=ou_ann></at>").await;
    house.replies("Acknowledged 1 alert; no reminders until it is over.").await;

    house.press(&sent, "Silence 1h", "ev_2").await;
    house.alert_is("suppressed").await;
    house.shows(&sent, "Silenced by <at id=ou_ann></at> until").await;
    house.replies("Silenced 1 alert until").await;

    house.press(&sent, "End silence", "ev_3").await;
    house.alert_is("active").await;
    house.shows(&sent, "Silence 24h").await;

    let (launch, _) = house.processes.last().unwrap();
    let (status, printed) = launch.clone().argument("audit").start().finish(PATIENCE).await;
    assert!(status.success(), "{printed}");
    for word in ["ack", "silence_1h", "unsilence", PERSON, "default/"] {
        assert!(printed.contains(word), "{word} is not in the trail:\n{printed}");
    }
    let output = house.output();
    assert!(!output.contains(APP_SECRET) && !output.contains("c-ev_"), "a secret in:\n{output}");
}
