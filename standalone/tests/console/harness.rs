//! A `larkfire` with a receiver, people who log in, and a browser that looks at its console.

use std::net::SocketAddr;
use std::time::Duration;

use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::alertmanager::Alertmanager;
use testkit::browser::Browser;
use testkit::http;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::wait_until::wait_until;

/// How long a part may take to be ready; a debug build on a busy machine needs seconds.
pub(crate) const PATIENCE: Duration = Duration::from_mins(2);
const TOKEN: &str = "console-token";
/// What would be seen in the title if any of it were run.
pub(crate) const HOSTILE: &str =
    "<img src=x onerror=\"document.title='run'\"><script>document.title='run'</script>";
/// Their password is `correct horse battery`.
const HASH: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$hJJ89j4fiq8wj5aJ7FEpzw$q0bL17QrAgbR05v//f6XyN3qf+APJnjIA34VH50iPBg";

/// The process, and what is around it.
pub(crate) struct Larkfire {
    pub(crate) sim: FeishuSim,
    listen: SocketAddr,
    admin: SocketAddr,
    _process: Process,
    _alertmanager: Alertmanager,
    _folder: TempDir,
}

impl Larkfire {
    /// With the receiver `ops`, the operator `ann` and the viewer `bob`, and an Alertmanager.
    pub(crate) async fn start() -> Self {
        let sim = FeishuSim::start(SimSettings::new([BotSettings::new(TOKEN).no_limits()])).await.unwrap();
        let alertmanager = Alertmanager::alone("http://127.0.0.1:9/", "4h").await;
        let folder = tempfile::tempdir().unwrap();
        let [listen, admin] = [free_address(), free_address()];
        let config = format!(
            "listen: {listen}\nadmin_listen: {admin}\nlocale: en\ntimezone: UTC\n\
             console:\n  url: http://{admin}\n  users:\n  \
             - {{ name: ann, role: operator, password_hash: '{HASH}' }}\n  \
             - {{ name: bob, role: viewer, password_hash: '{HASH}' }}\n\
             receivers: {{ ops: {{ webhook_url: '{}', cards_per_minute: 100000, cards_per_second: 10000 }} }}\n\
             delivery: {{ broken_receiver: dead_letter }}\n\
             links: {{ grafana_url: https://grafana.example, loki: {{ datasource_uid: loki-1 }} }}\n\
             alertmanagers: {{ default: {{ url: '{}' }} }}\n",
            sim.webhook_url(TOKEN),
            alertmanager.url("/")
        );
        std::fs::write(folder.path().join("larkfire.yaml"), config).unwrap();
        let process =
            Launch::binary("larkfire").directory(folder.path()).argument("--config=larkfire.yaml").start();
        let ready = format!("http://{admin}/readyz");
        wait_until(PATIENCE, "larkfire to be ready", async || match http::get(&ready).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        Self { sim, listen, admin, _process: process, _alertmanager: alertmanager, _folder: folder }
    }

    /// Where a page is.
    pub(crate) fn page(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin)
    }

    /// Takes a group of alerts in.
    pub(crate) async fn tell(&self, key: &str, alerts: &[Value]) {
        let body = json!({
            "version": "4", "groupKey": key, "receiver": "ops", "groupLabels": {}, "alerts": alerts,
            "externalURL": "http://alertmanager.example",
        });
        let answer = http::post_json(&format!("http://{}/api/alert", self.listen), &body).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
    }

    /// From now on Feishu refuses all cards; what comes is a dead letter at once.
    pub(crate) fn refuse(&self) {
        let refusal = Fault::Refusal { code: 11248, msg: HOSTILE.to_owned() };
        self.sim.fault(TOKEN, &refusal, Lasting::UntilCleared).unwrap();
    }

    /// From now on it takes them.
    pub(crate) fn accept(&self) {
        self.sim.clear_faults(TOKEN).unwrap();
    }
}

/// An alert of this name, as Alertmanager sends it.
pub(crate) fn alert(name: &str, labels: &[(&str, &str)]) -> Value {
    let mut all = json!({ "alertname": name, "severity": "critical" });
    for (label, value) in labels {
        all[*label] = json!(value);
    }
    json!({
        "status": "firing", "labels": all, "startsAt": "2026-01-15T10:30:00Z",
        "annotations": { "summary": format!("{name} fires") },
    })
}

/// A browser in which this person has logged in, on the first page.
pub(crate) async fn logged_in(larkfire: &Larkfire, name: &str) -> Browser {
    let browser = Browser::start().await;
    browser.open(&larkfire.page("/")).await;
    browser.wait_for("the form to log in", "return document.querySelector('#password') !== null;").await;
    browser.type_into("#name", name).await;
    browser.type_into("#password", "correct horse battery").await;
    browser.click("form button").await;
    browser
        .wait_for("the first page", "return document.querySelector('nav [aria-current=page]') !== null;")
        .await;
    browser
}

/// Nothing was written to the console of the browser: no script failed, and the policy let everything happen that was tried.
pub(crate) async fn assert_clean(browser: &Browser) {
    assert_eq!(browser.console().await, [""; 0]);
}
