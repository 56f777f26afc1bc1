//! A worker is killed in the middle of calling people: everybody is called once, and nobody is forgotten.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use feishu_sim::{
    AppSettings, Call, ChatSettings, Fault, FeishuSim, Lasting, Record, SimSettings, UserSettings,
};
use queue::rabbitmq::topology::Names;
use serde_json::json;
use sqlx::Connection;
use sqlx::mysql::MySqlConnection;
use tempfile::TempDir;
use testkit::http;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{Leftovers, amqp_url};
use testkit::wait_until::wait_until;

const PATIENCE: Duration = Duration::from_mins(1);
const APP: &str = "cli_e2e0002";
const APP_SECRET: &str = "app-secret-0002";
/// Chats, each with one person in it; one call is for one chat.
const CHATS: usize = 24;
/// Those whose alerts come before anything goes wrong.
const CALM: usize = 6;

/// Workers, an ingest, and a tenant with a person in each chat.
struct OnCallFleet {
    sim: FeishuSim,
    database: TestDatabase,
    listen: SocketAddr,
    launch: Launch,
    _ingest: Process,
    _kept: (TempDir, Leftovers),
}

impl OnCallFleet {
    /// Without a worker yet.
    async fn start() -> Self {
        let chats = (0..CHATS).map(|number| ChatSettings::new(chat(number)).app(APP).member(person(number)));
        let tenant = SimSettings::new([]).app(AppSettings::new(APP, APP_SECRET));
        let tenant =
            (0..CHATS).map(|number| UserSettings::new(person(number))).fold(tenant, SimSettings::user);
        let sim = FeishuSim::start(chats.fold(tenant, SimSettings::chat)).await.unwrap();
        let database = TestDatabase::create().await;
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("larkfire.yaml");
        std::fs::write(&config, configuration(&sim).to_string()).unwrap();
        let prefix = unique_prefix();
        let topology = Names::new(prefix.clone(), 1).topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.into_iter().map(|queue| queue.name))
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let listen = free_address();
        let common = |binary: &str| {
            Launch::binary(binary)
                .directory(folder.path())
                .variable("LARKFIRE_CONFIG", &config)
                .variable("LARKFIRE_LISTEN", listen.to_string())
                .variable("AMQP_URL", amqp_url())
                .variable("LARKFIRE_QUEUE_PREFIX", &prefix)
                .variable("DATABASE_URL", database.url())
        };
        let ingest = started(&common("larkfire-ingest")).await;
        let launch = common("larkfire-worker");
        Self { sim, database, listen, launch, _ingest: ingest, _kept: (folder, leftovers) }
    }

    async fn worker(&self) -> Process {
        started(&self.launch).await
    }

    /// An alert for each of these chats, in one body.
    async fn alert(&self, numbers: std::ops::Range<usize>) {
        let alerts: Vec<_> = numbers
            .map(|number| {
                let labels = json!({
                    "alertname": "DiskFull", "severity": "critical", "team": number.to_string(), "owner": person(number),
                });
                json!({ "status": "firing", "labels": labels, "startsAt": "2026-01-15T10:30:00Z" })
            })
            .collect();
        let body = json!({ "version": "4", "status": "firing", "groupKey": "{}", "alerts": alerts });
        let answer = http::post_json(&format!("http://{}/api/alert", self.listen), &body).await.unwrap();
        assert_eq!(answer.status, 202, "{}", answer.text());
    }

    fn pushes(&self) -> Vec<Record> {
        let pushes = self.sim.records(APP).into_iter();
        pushes.filter(|record| record.call == Some(Call::UrgentApp)).collect()
    }

    /// How often each person was called.
    fn called(&self) -> BTreeMap<String, usize> {
        let mut called = BTreeMap::new();
        for person in self.pushes().into_iter().flat_map(|push| push.mentioned) {
            *called.entry(person).or_default() += 1;
        }
        called
    }

    async fn calls(&self, people: usize) {
        wait_until(PATIENCE, "the calls", async || {
            let called = self.called();
            if called.len() >= people { Ok(()) } else { Err(called) }
        })
        .await;
    }

    /// Those who have claimed something, by how much that is.
    async fn holders(&self) -> BTreeMap<i64, i64> {
        let select =
            "SELECT holder, COUNT(*) FROM larkfire_escalations WHERE lease_until_ms > 0 GROUP BY holder";
        let mut connection = MySqlConnection::connect(&self.database.url()).await.unwrap();
        let found: Vec<(i64, i64)> = sqlx::query_as(select).fetch_all(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        found.into_iter().collect()
    }

    /// As much time passes as their leases have.
    async fn outlast(&self, holders: &BTreeMap<i64, i64>) {
        let mut connection = MySqlConnection::connect(&self.database.url()).await.unwrap();
        for holder in holders.keys() {
            let update = "UPDATE larkfire_escalations SET lease_until_ms = 1 WHERE holder = ?";
            sqlx::query(update).bind(holder).execute(&mut connection).await.unwrap();
        }
        connection.close().await.unwrap();
    }
}

fn chat(number: usize) -> String {
    format!("oc_e2e{number:04}")
}

fn person(number: usize) -> String {
    format!("ou_e2e{number:04}")
}

/// Each chat has its team's alerts, and a step that pushes the owner after a second.
fn configuration(sim: &FeishuSim) -> serde_json::Value {
    let name = |number: usize| format!("team{number}");
    let receivers: serde_json::Map<_, _> = (0..CHATS)
        .map(|number| (name(number), json!({ "chat_id": chat(number), "escalation": "night" })))
        .collect();
    let routes: Vec<_> = (0..CHATS)
        .map(|number| json!({ "match": format!("team=\"{number}\""), "receiver": name(number) }))
        .collect();
    let urgent = json!({ "per_hour": 1_000 });
    json!({
        "app": { "id": APP, "secret": APP_SECRET, "base_url": sim.base_url(), "urgent": urgent },
        "receivers": receivers,
        "routes": routes,
        "escalations": { "night": { "steps": [{ "after": "1s", "who": "owners", "urgent": "app" }] } },
    })
}

async fn started(launch: &Launch) -> Process {
    let admin = free_address();
    let process = launch.clone().variable("LARKFIRE_ADMIN_LISTEN", admin.to_string()).start();
    let url = format!("http://{admin}/readyz");
    wait_until(PATIENCE, "a process to be ready", async || match http::get(&url).await {
        Ok(answer) if answer.status == 200 => Ok(()),
        other => Err(format!("{other:?} {}", process.output())),
    })
    .await;
    process
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_was_to_be_called_by_a_worker_that_is_killed_is_called_once_by_another() {
    let fleet = OnCallFleet::start().await;
    let mut first = fleet.worker().await;
    fleet.alert(0..CALM).await;
    fleet.calls(CALM).await;
    wait_until(PATIENCE, "what came of them to be written down", async || {
        let holders = fleet.holders().await;
        if holders.is_empty() { Ok(()) } else { Err(holders) }
    })
    .await;

    // From here on Feishu does not answer, and the worker hangs in the middle of its calls.
    fleet.sim.fault_call(APP, Call::UrgentApp, &Fault::NeverAnswer, Lasting::UntilCleared).unwrap();
    fleet.alert(CALM..CHATS).await;
    let held = wait_until(PATIENCE, "calls that nobody answers", async || {
        let hanging = fleet.pushes().iter().filter(|push| push.fault.is_some()).count();
        let holders = fleet.holders().await;
        let held: i64 = holders.values().sum();
        if hanging > 0 && held > 1 { Ok(holders) } else { Err(format!("{hanging} hang, {holders:?}")) }
    })
    .await;
    first.kill().await;
    let held_by_dead = fleet.holders().await;
    assert!(held.keys().any(|holder| held_by_dead.contains_key(holder)), "{held:?} {held_by_dead:?}");
    fleet.sim.clear_call_faults(APP).unwrap();

    // Others leave alone what the dead one holds, as long as it may be at it.
    let others = [fleet.worker().await, fleet.worker().await];
    let in_hand = usize::try_from(held_by_dead.values().sum::<i64>()).unwrap();
    fleet.calls(CHATS - in_hand).await;
    assert_eq!(fleet.called().len(), CHATS - in_hand);
    fleet.outlast(&held_by_dead).await;
    fleet.calls(CHATS).await;
    wait_until(PATIENCE, "all of it to be written down", async || {
        let holders = fleet.holders().await;
        if holders.is_empty() { Ok(()) } else { Err(holders) }
    })
    .await;
    let expected: BTreeMap<_, _> = (0..CHATS).map(|number| (person(number), 1)).collect();
    let output = || others.iter().map(Process::output).collect::<String>();
    assert_eq!(fleet.called(), expected, "{}", output());
}
