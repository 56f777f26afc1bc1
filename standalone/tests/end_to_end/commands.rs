//! `larkfire` with a file of receivers and routes: checked, sent a test, and changed while it runs.
#![expect(clippy::unwrap_used, reason = "code of tests: what goes wrong ends the test")]

use std::time::Duration;

use feishu_sim::{BotSettings, Fault, FeishuSim, Lasting, SimSettings};
use tempfile::TempDir;
use testkit::http;
use testkit::ports::free_address;
use testkit::process::{Launch, Process};
use testkit::wait_until::wait_until;

const PATIENCE: Duration = Duration::from_secs(30);
const TOKENS: [&str; 2] = ["token-of-default", "token-of-ops"];

/// A folder with a configuration for the receivers `default` and `ops`, and the bots behind them.
struct Harness {
    sim: FeishuSim,
    folder: TempDir,
    listen: String,
    admin: String,
}

impl Harness {
    async fn with(routes: &str) -> Self {
        let bots = TOKENS.map(|token| BotSettings::new(token).no_limits());
        let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
        let [listen, admin] = [free_address(), free_address()].map(|address| address.to_string());
        let house = Self { sim, folder: tempfile::tempdir().unwrap(), listen, admin };
        house.write(routes);
        house
    }

    fn write(&self, routes: &str) {
        let [default, ops] = TOKENS.map(|token| self.sim.webhook_url(token));
        let [default, ops] = [default, ops].map(|url| format!("{{ webhook_url: '{url}' }}"));
        self.write_all(&format!("{{ default: {default}, ops: {ops} }}"), routes);
    }

    /// The receiver `ops` only, by both bots.
    fn write_group(&self, mode: &str) {
        let bots = TOKENS.map(|token| format!("{{ webhook_url: '{}' }}", self.sim.webhook_url(token)));
        let receivers = format!("{{ ops: {{ mode: {mode}, bots: [{}] }} }}", bots.join(", "));
        self.write_all(&receivers, "[{ match: team=a, receiver: ops }]");
    }

    fn write_all(&self, receivers: &str, routes: &str) {
        let listen = &self.listen;
        let admin = &self.admin;
        let text =
            format!("listen: {listen}\nadmin_listen: {admin}\nreceivers: {receivers}\nroutes: {routes}\n");
        std::fs::write(self.folder.path().join("larkfire.yaml"), text).unwrap();
    }

    fn launch(&self, words: &[&str]) -> Process {
        let launch = Launch::program(env!("CARGO_BIN_EXE_larkfire"))
            .argument("--config")
            .argument(self.folder.path().join("larkfire.yaml"))
            .directory(self.folder.path());
        words.iter().fold(launch, Launch::argument).start()
    }

    async fn run(&self) -> Process {
        let process = self.launch(&[]);
        let url = format!("http://{}/readyz", self.admin);
        wait_until(PATIENCE, "readiness", async || match http::get(&url).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        process
    }

    /// A command's exit code, and what it printed.
    async fn command(&self, words: &[&str]) -> (Option<i32>, String) {
        let (status, printed) = self.launch(words).finish(PATIENCE).await;
        assert!(!printed.contains("token-of") && !printed.contains("/hook/"), "a secret in:\n{printed}");
        (status.code(), printed)
    }

    async fn post(&self, message: &str) {
        let body = format!(r#"{{"message":"{message}","sender_id":"me","metadata":{{"team":"a"}}}}"#);
        let url = format!("http://{}/api/alert", self.listen);
        assert_eq!(http::post(&url, &[], body).await.unwrap().status, 202);
    }

    async fn waits_for_delivered(&self, token: &str, what: &str) {
        wait_until(PATIENCE, "a card", async || {
            let cards: Vec<_> =
                self.sim.records(token).iter().filter_map(feishu_sim::Record::message).collect();
            cards.iter().any(|card| card.to_string().contains(what)).then_some(()).ok_or(cards.len())
        })
        .await;
    }
}

#[tokio::test]
async fn routes_change_while_it_runs_and_bad_ones_change_nothing() {
    let house = Harness::with("[]").await;
    let process = house.run().await;
    house.post("before").await;
    house.waits_for_delivered(TOKENS[0], "before").await;

    house.write("[{ match: team=a, receiver: ops }]");
    process.wait_for_line("the routes go by the new configuration", PATIENCE).await;
    house.post("after").await;
    house.waits_for_delivered(TOKENS[1], "after").await;

    house.write("[{ match: team=a, receiver: nobody }]");
    process.wait_for_line("must be the name of a receiver: default, ops", PATIENCE).await;
    house.post("as-it-was").await;
    house.waits_for_delivered(TOKENS[1], "as-it-was").await;
    assert_eq!(house.sim.records(TOKENS[0]).len(), 1);
}

/// What follows the routes in the file: a template of every receiver, with this title.
fn titled(title: &str) -> String {
    format!("[]\ntemplate: ours\ntemplates:\n  ours:\n    title: |\n      {title}\n")
}

#[tokio::test]
async fn templates_change_while_it_runs_and_bad_ones_change_nothing() {
    let house = Harness::with(&titled("first {{ name }}")).await;
    let process = house.run().await;
    house.post("one").await;
    house.waits_for_delivered(TOKENS[0], r#""content":"first one""#).await;

    house.write(&titled("second {{ name }}"));
    process.wait_for_line("the templates go by the new configuration", PATIENCE).await;
    let (code, printed) = house.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(0), "{printed}");
    house.waits_for_delivered(TOKENS[1], r#""content":"second "#).await;

    house.write(&titled("third {{ name | shout }}"));
    let refused = "templates.ours.title: line 1 of the template: there is no filter `shout`";
    process.wait_for_line(refused, PATIENCE).await;
    house.post("two").await;
    house.waits_for_delivered(TOKENS[0], r#""content":"second two""#).await;

    let (code, printed) = house.command(&["check"]).await;
    assert_eq!(code, Some(64), "{printed}");
    assert!(printed.contains(refused), "{printed}");
    house.write(&titled("{{ name }}"));
    let (code, printed) = house.command(&["check"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("5 a second; template ours"), "{printed}");
}

#[tokio::test]
async fn a_test_alert_is_delivered_by_the_running_process_or_says_why_not() {
    let house = Harness::with("[{ receiver: default }]").await;
    let (code, printed) = house.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(1));
    assert!(printed.contains("nothing was sent: no larkfire works on this data directory"), "{printed}");

    let _process = house.run().await;
    let (code, printed) = house.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(printed.contains("delivered to ops in "), "{printed}");
    assert_eq!((house.sim.records(TOKENS[0]).len(), house.sim.records(TOKENS[1]).len()), (0, 1));

    let refusal = Fault::Refusal { code: 19024, msg: "Key Words Not Found".to_owned() };
    house.sim.fault(TOKENS[1], &refusal, Lasting::Times(1)).unwrap();
    let (code, printed) = house.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(
        printed.contains(
            "not delivered to ops, dead-lettered: code 19024: Key Words Not Found; the bot insists"
        ),
        "{printed}"
    );
    let (_, letters) = house.command(&["dead-letters", "list"]).await;
    assert!(!letters.contains("LarkfireTest"), "a test that was read about waits for nobody:\n{letters}");

    let (code, printed) = house.command(&["send-test", "nobody"]).await;
    assert_eq!(code, Some(64));
    assert!(printed.contains("no receiver nobody is configured here; there are: default, ops"), "{printed}");
}

#[tokio::test]
async fn bots_that_share_cards_are_tested_one_by_one_and_share_them_until_the_next_start() {
    let house = Harness::with("[]").await;
    house.write_group("spread");
    let process = house.run().await;
    let (code, printed) = house.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("delivered to ops/1 in ") && printed.contains("delivered to ops/2 in "),
        "{printed}"
    );
    assert_eq!(TOKENS.map(|token| house.sim.records(token).len()), [1, 1]);

    let refusal = Fault::Refusal { code: 19001, msg: "token invalid".to_owned() };
    house.sim.fault(TOKENS[1], &refusal, Lasting::Times(1)).unwrap();
    let (code, printed) = house.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("delivered to ops/1 in "), "{printed}");
    assert!(
        printed.contains("not delivered to ops/2, dead-lettered: code 19001: token invalid; the webhook URL"),
        "{printed}"
    );
    let (_, letters) = house.command(&["dead-letters", "list", "--receiver", "ops"]).await;
    assert!(!letters.contains("LarkfireTest"), "{letters}");

    // What the file says meanwhile is for the next start; check and explain say what it will be.
    house.write_group("copy");
    process.wait_for_line("receivers do from the next start on", PATIENCE).await;
    house.sim.clear();
    house.post("shared").await;
    house.waits_for_delivered(TOKENS[0], "shared").await;
    house.post("still-shared").await;
    house.waits_for_delivered(TOKENS[0], "still-shared").await;
    assert_eq!(house.sim.totals().accepted, 2, "the second bot is left alone, and neither gets a copy");
    let (_, printed) = house.command(&["check", "--online"]).await;
    assert!(printed.contains("ops: 2 custom bots at 127.0.0.1:"), "{printed}");
    assert!(printed.contains("each is sent every card"), "{printed}");
}

#[tokio::test]
async fn check_says_what_is_wrong_or_what_it_comes_to() {
    let house = Harness::with("[{ match: severity=critical, receiver: ops }]").await;
    let (code, printed) = house.command(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{printed}");
    for part in [
        "1 severity=\"critical\" → ops",
        "whatever no route takes: default",
        "ok: database: ",
        "ok: http://127.0.0.1:",
        "warning: receiver ops does not sign",
        "the configuration is right; 2 warnings",
    ] {
        assert!(printed.contains(part), "{part:?} is missing in:\n{printed}");
    }

    house.write("[{ match: severity, receiver: ops }, { receiver: shop }]");
    let (code, printed) = house.command(&["check"]).await;
    assert_eq!(code, Some(64), "{printed}");
    for part in [
        "routes.1.match: must be a matcher",
        "routes.2.receiver: must be the name of a receiver: default, ops",
    ] {
        assert!(printed.contains(part), "{part:?} is missing in:\n{printed}");
    }
}

#[tokio::test]
async fn the_log_level_changes_at_the_admin_port_for_a_while_and_the_log_says_so() {
    let house = Harness::with("[]").await;
    let process = house.run().await;
    let url = format!("http://{}/log-level", house.admin);
    let shown = async || http::get(&url).await.unwrap().text().to_owned();
    assert!(shown().await.starts_with("filter: warn,"), "{}", shown().await);
    let answer = http::put(&format!("{url}?minutes=5"), "larkfire=debug").await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.text().starts_with("filter: larkfire=debug\n"), "{}", answer.text());
    process.wait_for_line("the log level was changed at the admin port", PATIENCE).await;
    house.post("in-detail").await;
    process.wait_for_line("DEBUG", PATIENCE).await;
    assert_eq!(http::put(&url, "larkfire=loud").await.unwrap().status, 400);
    assert_eq!(http::put(&url, "").await.unwrap().status, 200);
    process.wait_for_line("the log level is as configured again", PATIENCE).await;
    assert!(!shown().await.contains("seconds_left"));
}
