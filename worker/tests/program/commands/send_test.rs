//! `send-test` between the roles: a command puts the alert on RabbitMQ, a worker of its own tells it, and MariaDB is
//! where the command sees what became of it.

use feishu_sim::{BotSettings, FeishuSim, SimSettings};
use queue::rabbitmq::topology::Names;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::Process;
use testkit::rabbitmq::{Leftovers, amqp_url};
use testkit::wait_until::wait_until;

use super::harness::{Harness, WITHIN};

const SECRETS: [&str; 4] = ["token-of-default", "token-of-ops", "secret-of-ops", "/hook/"];

/// A broker's corner, a database, the bots `default` and `ops`, and a configuration that names them.
struct Fleet {
    sim: FeishuSim,
    harness: Harness,
    admin: String,
    _leftovers: Leftovers,
    _database: TestDatabase,
}

impl Fleet {
    /// With this secret for the bot `ops`, which really has `secret-of-ops`.
    async fn with(secret: &str) -> Self {
        let bots = [
            BotSettings::new("token-of-default"),
            BotSettings::new("token-of-ops").secret("secret-of-ops").keyword("测试"),
        ];
        let sim = FeishuSim::start(SimSettings::new(bots)).await.unwrap();
        let prefix = unique_prefix();
        let database = TestDatabase::create().await;
        let admin = free_address();
        let topology = Names::new(prefix.clone(), 1).topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.iter().map(|queue| queue.name.clone()))
            .exchanges(topology.exchanges.iter().map(|exchange| exchange.name.clone()));
        let [default, ops] = ["token-of-default", "token-of-ops"].map(|token| sim.webhook_url(token));
        let config = format!(
            "admin_listen: {admin}
queue: {{ url: '{}', prefix: {prefix} }}
database: {{ url: '{}' }}
receivers:
  default: {{ webhook_url: '{default}' }}
  ops: {{ webhook_url: '{ops}', secret: {secret} }}
routes: [{{ receiver: default }}]
",
            amqp_url(),
            database.url()
        );
        let harness = Harness::with(&config, &SECRETS);
        Self { sim, harness, admin: admin.to_string(), _leftovers: leftovers, _database: database }
    }

    async fn run(&self) -> Process {
        let process = self.harness.launch(&[]);
        wait_until(WITHIN, "readiness", async || match http::get(&self.page("/readyz")).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        process
    }

    fn page(&self, path: &str) -> String {
        format!("http://{}{path}", self.admin)
    }
}

#[tokio::test]
async fn a_test_alert_takes_the_way_of_every_alert_and_the_command_says_that_it_was_delivered() {
    let fleet = Fleet::with("secret-of-ops").await;
    let _worker = fleet.run().await;
    let (code, printed) = fleet.harness.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(0), "{printed}");
    assert!(
        printed.contains("sent a test alert to ops (envelope ") && printed.contains("delivered to ops in ")
    );

    // The strict bot takes what is signed and has its keyword; no route leads to it.
    let cards = fleet.sim.accepted();
    let [card] = &cards[..] else { panic!("{} cards", cards.len()) };
    assert!(card.message().unwrap().to_string().contains("测试：接收者 ops 能收到告警"));
    assert!(fleet.sim.records("token-of-default").is_empty());
    let metrics = http::get(&fleet.page("/metrics")).await.unwrap();
    assert!(metrics.text().contains("larkfire_alerts_total{outcome=\"delivered\"} 1"), "{}", metrics.text());

    let (code, told) = fleet.harness.json(&["send-test", "ops"]).await;
    let test = &told["tests"][0];
    assert_eq!((code, &told["receiver"], &test["name"]), (Some(0), &"ops".into(), &"ops".into()), "{told}");
    assert_eq!((&test["outcome"], test["code"].is_null()), (&"delivered".into(), true), "{told}");
    let (code, trace) = fleet.harness.command(&["trace", test["envelope"].as_str().unwrap()]).await;
    assert!(code == Some(0) && trace.contains("delivered"), "{trace}");
}

#[tokio::test]
async fn a_receiver_nobody_has_configured_is_sent_nothing() {
    let fleet = Fleet::with("secret-of-ops").await;
    let (code, printed) = fleet.harness.command(&["send-test", "shop"]).await;
    assert_eq!(code, Some(64), "{printed}");
    assert!(printed.contains("no receiver shop is configured here; there are: default, ops"), "{printed}");
}

#[tokio::test]
async fn what_feishu_refuses_is_said_with_its_code_and_what_to_do_and_is_not_kept() {
    let fleet = Fleet::with("a-wrong-secret").await;
    let _worker = fleet.run().await;
    let (code, printed) = fleet.harness.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("not delivered to ops, dead-lettered: code 19021: "), "{printed}");
    assert!(printed.contains("secret") && !printed.contains("a-wrong-secret"), "{printed}");
    assert_eq!(fleet.sim.totals().accepted, 0);
    let (code, told) = fleet.harness.json(&["send-test", "ops"]).await;
    let test = &told["tests"][0];
    assert_eq!((code, &test["outcome"]), (Some(1), &"dead_lettered".into()), "{told}");
    assert_eq!((&test["code"], &test["name"]), (&19_021.into(), &"ops".into()), "{told}");
    assert!(test["advice"].as_str().unwrap().contains("secret"), "{told}");

    // Nobody is called for a test that was read about.
    let (_, waiting) = fleet.harness.command(&["dead-letters", "list"]).await;
    let (_, discarded) = fleet.harness.command(&["dead-letters", "list", "--state", "discarded"]).await;
    assert!(waiting.contains("no such dead letters"), "{waiting}");
    assert!(discarded.contains("LarkfireTest") && discarded.contains("19021"), "{discarded}");
}

#[tokio::test]
async fn without_a_worker_the_command_says_that_nobody_takes_it_and_a_worker_that_comes_tells_it() {
    let fleet = Fleet::with("secret-of-ops").await;
    let (code, printed) = fleet.harness.command(&["send-test", "ops", "--wait", "1s"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("no worker has taken it within 1s: does one run"), "{printed}");
    let (code, told) = fleet.harness.json(&["send-test", "default", "--wait", "1s"]).await;
    let test = &told["tests"][0];
    assert_eq!(
        (code, &test["outcome"], &test["waited_s"]),
        (Some(1), &"waiting".into(), &1.0.into()),
        "{told}"
    );

    let _worker = fleet.run().await;
    wait_until(WITHIN, "both cards", async || {
        let accepted = fleet.sim.totals().accepted;
        if accepted == 2 { Ok(()) } else { Err(accepted) }
    })
    .await;
}

#[tokio::test]
async fn without_a_broker_nothing_is_sent_and_the_command_says_so() {
    let database = TestDatabase::create().await;
    let config = format!(
        "queue: {{ url: 'amqp://guest:hunter2@{}' }}\ndatabase: {{ url: '{}' }}\nreceivers: {{ ops: {{ webhook_url: \
         'https://h/token-of-ops' }} }}",
        free_address(),
        database.url()
    );
    let harness = Harness::with(&config, &["hunter2", "token-of-ops"]);
    let (code, printed) = harness.command(&["send-test", "ops"]).await;
    assert_eq!(code, Some(1), "{printed}");
    assert!(printed.contains("nothing was sent: "), "{printed}");
}
