//! Log in to the console with Feishu, against the simulator.

use config::{AppConfig, ConsoleConfig, ConsoleFeishuConfig, ResolvedNews, Secret};
use feishu_sim::{AppSettings, BotSettings, ChatSettings, FeishuSim, SimSettings, UserSettings};
use hyper::Method;
use runtime::clock::Clock;
use runtime::telemetry::admin::{Admin, AdminHosts};
use tempfile::TempDir;
use testkit::http::{self, Answer, send};
use tokio::net::TcpListener;
use worker::{ConsoleSettings, Settings};

use crate::harness::{EAGER, TOKEN, Worker, receiver, settings};

const APP: &str = "cli_console01";

struct LoginHarness {
    sim: FeishuSim,
    base: String,
    _worker: Worker,
    _folder: TempDir,
}

/// What a browser keeps of a log-in.
struct Login {
    cookie: String,
    location: String,
}

impl LoginHarness {
    async fn new() -> Self {
        Self::with_secret("app-secret").await
    }

    async fn with_secret(secret: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let admin_listen = listener.local_addr().unwrap();
        let base = format!("http://{admin_listen}");
        let app = AppSettings::new(APP, "app-secret").redirect_url(format!("{base}/login/feishu/callback"));
        let sim = SimSettings::new([BotSettings::new(TOKEN).no_limits()])
            .app(app)
            .chat(ChatSettings::new("oc_ops").app(APP).member("ou_member"))
            .user(UserSettings::new("ou_op").name("张三"))
            .user(UserSettings::new("ou_member").name("Li"))
            .user(UserSettings::new("ou_nobody"))
            .user(UserSettings::new("ou_outside").outside_app())
            .user(UserSettings::new("ou_stranger").tenant_key("t-other"));
        let sim = FeishuSim::start(sim).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let config = ConsoleConfig {
            url: Some(base.parse().unwrap()),
            feishu: Some(ConsoleFeishuConfig {
                tenant_key: Some("sim-tenant".to_owned()),
                operators: vec!["ou_op".to_owned(), "ou_stranger".to_owned(), "ou_outside".to_owned()],
                viewers: Vec::new(),
                operator_chats: Vec::new(),
                viewer_chats: vec!["oc_ops".to_owned()],
            }),
            ..ConsoleConfig::default()
        };
        let settings = Settings {
            app: Some(AppConfig {
                id: APP.to_owned(),
                secret: Secret::new(secret.to_owned()),
                base_url: sim.base_url(),
                chats_allowed: Vec::new(),
                resolved: ResolvedNews::default(),
                urgent: config::UrgentLimits::default(),
            }),
            console: Some(ConsoleSettings { admin_listen, is_tls: false, config, explains: None }),
            ..settings(vec![receiver(&sim, "ops", TOKEN, None)], EAGER, folder.path())
        };
        let mut worker = Worker::start(settings, Clock::system());
        let pages = std::mem::take(&mut worker.pages);
        let registry = worker.registry.clone();
        Admin { registry, pages, tls: None, hosts: AdminHosts::default() }
            .spawn(listener, &worker.lifecycle)
            .unwrap();
        Self { sim, base, _worker: worker, _folder: folder }
    }

    async fn get(&self, url: &str, cookie: &str) -> Answer {
        send(Method::GET, url, &[("cookie", cookie)], bytes::Bytes::new()).await.unwrap()
    }

    /// The browser is at Feishu, and Feishu sends it back.
    async fn agreed(&self, open_id: Option<&str>) -> Login {
        self.sim.sits_at_browser(open_id);
        let begun = self.get(&format!("{}/login/feishu", self.base), "").await;
        assert_eq!(begun.status, 303, "{}", begun.text());
        let at_feishu = http::get(begun.header("location").unwrap()).await.unwrap();
        assert_eq!(at_feishu.status, 302, "{}", at_feishu.text());
        Login { cookie: cookie(&begun), location: at_feishu.header("location").unwrap().to_owned() }
    }

    async fn logged_in(&self, open_id: Option<&str>) -> Answer {
        let login = self.agreed(open_id).await;
        self.get(&login.location, &login.cookie).await
    }
}

/// The first cookie that an answer sets.
fn cookie(answer: &Answer) -> String {
    answer.header("set-cookie").unwrap().split(';').next().unwrap().to_owned()
}

fn told(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.text());
    assert!(answer.text().contains(words), "{words} is not in {}", answer.text());
}

#[tokio::test]
async fn people_of_the_list_and_of_the_chat_log_in_with_feishu() {
    let harness = LoginHarness::new().await;
    for (open_id, name, may_act) in [("ou_op", "张三 (ou_op)", true), ("ou_member", "Li (ou_member)", false)]
    {
        let let_in = harness.logged_in(Some(open_id)).await;
        assert_eq!((let_in.status, let_in.header("location")), (303, Some("/")), "{}", let_in.text());
        let page = harness.get(&format!("{}/", harness.base), &cookie(&let_in)).await;
        told(&page, 200, name);
        assert_eq!(!page.text().contains("may look only"), may_act, "{open_id}");
    }
}

#[tokio::test]
async fn whoever_may_not_stays_out_and_is_told_what_to_do() {
    let harness = LoginHarness::new().await;
    told(&harness.logged_in(Some("ou_stranger")).await, 403, "t-other");
    told(&harness.logged_in(Some("ou_nobody")).await, 403, "ou_nobody");
    told(&harness.logged_in(Some("ou_outside")).await, 403, "availability");
    told(&harness.logged_in(None).await, 403, "You refused in Feishu");
}

#[tokio::test]
async fn a_code_of_another_log_in_and_another_verifier_are_refused() {
    let harness = LoginHarness::new().await;
    let first = harness.agreed(Some("ou_op")).await;
    let second = harness.agreed(Some("ou_op")).await;
    let code = |login: &Login| {
        let (_, rest) = login.location.split_once("code=").unwrap();
        rest.split('&').next().unwrap().to_owned()
    };
    let stolen = second.location.replace(&code(&second), &code(&first));
    told(&harness.get(&stolen, &second.cookie).await, 400, "20049");
    told(&harness.get(&first.location, &second.cookie).await, 400, "not begun here");
    assert_eq!(harness.get(&first.location, &first.cookie).await.status, 303, "nobody has used it up");
    told(&harness.get(&first.location, &first.cookie).await, 400, "used already");
    let third = harness.agreed(Some("ou_op")).await;
    let again = third.location.replace(&code(&third), &code(&first));
    told(&harness.get(&again, &third.cookie).await, 400, "20065");
}

#[tokio::test]
async fn an_app_that_is_set_up_wrongly_and_a_feishu_that_is_away_are_told_apart() {
    let harness = LoginHarness::with_secret("wrong").await;
    told(&harness.logged_in(Some("ou_op")).await, 502, "app.secret");
    let harness = LoginHarness::new().await;
    let login = harness.agreed(Some("ou_op")).await;
    harness.sim.away().await.unwrap();
    told(&harness.get(&login.location, &login.cookie).await, 503, "Try again in a moment");
}
