//! How late people are called when many are to be: ingest and workers as processes, and a simulator that keeps Feishu's limits.

use std::collections::HashMap;
use std::time::Duration;

use feishu_sim::{AppSettings, Call, ChatSettings, FeishuSim, SimSettings, UserSettings};
use queue::rabbitmq::topology::Names;
use serde_json::{Map, Value, json};
use sqlx::Connection;
use sqlx::mysql::MySqlConnection;
use tempfile::TempDir;
use testkit::mariadb::TestDatabase;
use testkit::ports::free_address;
use testkit::prefix::unique_prefix;
use testkit::process::{Launch, Process};
use testkit::rabbitmq::{Leftovers, amqp_url};
use thiserror::Error;
use tokio::time::{Instant, sleep, sleep_until};

use crate::client::{Client, ClientError};
use crate::deployment::Programs;
use crate::figure::{Figures, Goal, float, percentile};
use crate::harness::{HarnessError, ready};
use crate::machine::Machine;
use crate::progress;
use crate::report::{Report, note};
use crate::scenario::EscalationLoad;

const APP: &str = "cli_loadtest";
const APP_SECRET: &str = "loadtest-app-secret";
/// How often it is looked whether all are called.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Lines of the workers that are shown where a promise was not held.
const SAID_MAX: usize = 20;
/// What is remembered of calls, so that every one of them can be looked at in the end.
const JOURNAL_BYTES: usize = 1 << 30;

/// Why nothing was measured, or what was promised and not held.
#[derive(Debug, Error)]
pub(crate) enum EscalationsError {
    #[error(transparent)]
    Stage(#[from] HarnessError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error("cannot measure: {0}")]
    Io(#[from] std::io::Error),
    #[error("the database cannot be read: {0}")]
    Database(#[from] sqlx::Error),
    #[error("cannot write the scenario down: {0}")]
    Json(#[from] serde_json::Error),
    #[error("an alert was answered {0}")]
    Answer(u16),
    #[error(
        "of {wanted} people {called} were called, {doubled} of them more than once; the workers said:\n{said}"
    )]
    Called { wanted: usize, called: usize, doubled: usize, said: String },
    #[error("{0} calls were more than Feishu allows, and refused")]
    Throttled(u64),
}

/// What runs in a round; processes go before what they use.
struct CallDeployment {
    processes: Vec<Process>,
    sim: FeishuSim,
    database: TestDatabase,
    sender: Client,
    host: String,
    _kept: (TempDir, Leftovers),
}

/// Calls as many people as are asked for.
pub(crate) async fn run(
    name: &str,
    scenario: EscalationLoad,
    programs: &Programs,
) -> Result<Report, EscalationsError> {
    let machine = Machine::describe();
    let mut figures = Figures::default();
    for round in 1..=scenario.rounds {
        progress(&format!("round {round} of {}", scenario.rounds));
        let mut stage = CallDeployment::start(&scenario, programs).await?;
        stage.send(&scenario).await?;
        stage.wait_for_calls(&scenario).await?;
        stage.judge(&scenario, &mut figures).await?;
    }
    let about = format!(
        "How late people are called: {} escalations due in {} s, {} workers",
        scenario.count, scenario.seconds, scenario.workers
    );
    let scenario = serde_json::to_value(scenario)?;
    Ok(Report { name: name.to_owned(), about, machine, scenario, figures, rounds: Vec::new() })
}

fn chat(number: u32) -> String {
    format!("oc_load{number:05}")
}

fn person(number: u32) -> String {
    format!("ou_load{number:05}")
}

/// Each chat has the alerts of its team, and a step that pushes their owner.
fn configuration(scenario: &EscalationLoad, sim: &FeishuSim) -> Value {
    let name = |number: u32| format!("team{number}");
    let receivers: Map<String, Value> = (0..scenario.count)
        .map(|number| (name(number), json!({ "chat_id": chat(number), "escalation": "night" })))
        .collect();
    let routes: Vec<Value> = (0..scenario.count)
        .map(|number| json!({ "match": format!("team=\"{number}\""), "receiver": name(number) }))
        .collect();
    let after = format!("{}s", scenario.after_seconds);
    json!({
        "app": {
            "id": APP, "secret": APP_SECRET, "base_url": sim.base_url(),
            "urgent": { "per_hour": scenario.count },
        },
        "receivers": receivers,
        "routes": routes,
        "escalations": { "night": { "steps": [{ "after": after, "who": "owners", "urgent": "app" }] } },
    })
}

impl CallDeployment {
    async fn start(scenario: &EscalationLoad, programs: &Programs) -> Result<Self, EscalationsError> {
        let tenant =
            SimSettings::new([]).journal_limit_bytes(JOURNAL_BYTES).app(AppSettings::new(APP, APP_SECRET));
        let tenant = (0..scenario.count)
            .map(|number| UserSettings::new(person(number)))
            .fold(tenant, SimSettings::user);
        let chats =
            (0..scenario.count).map(|number| ChatSettings::new(chat(number)).app(APP).member(person(number)));
        let sim = FeishuSim::start(chats.fold(tenant, SimSettings::chat)).await?;
        let database = TestDatabase::create().await;
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("larkfire.yaml");
        std::fs::write(&config, configuration(scenario, &sim).to_string())?;
        let prefix = unique_prefix();
        let topology = Names::new(prefix.clone(), 1).topology();
        let leftovers = Leftovers::new()
            .queues(topology.queues.into_iter().map(|queue| queue.name))
            .exchanges(topology.exchanges.into_iter().map(|exchange| exchange.name));
        let listen = free_address();
        let mut processes = Vec::new();
        let workers = (0..scenario.workers).map(|_| ("larkfire-worker", &programs.worker));
        for (name, program) in [("larkfire-ingest", &programs.ingest)].into_iter().chain(workers) {
            let admin = free_address();
            let launch = Launch::program(program)
                // Where no `.env` of somebody's changes what is measured.
                .directory(folder.path())
                .argument("--config")
                .argument(&config)
                .variable("LARKFIRE_LISTEN", listen.to_string())
                .variable("LARKFIRE_ADMIN_LISTEN", admin.to_string())
                .variable("AMQP_URL", amqp_url())
                .variable("LARKFIRE_QUEUE_PREFIX", &prefix)
                .variable("DATABASE_URL", database.url());
            let process = launch.start();
            ready(&process, name, admin, "/readyz").await?;
            processes.push(process);
        }
        let sender = Client::connect(listen).await?;
        let kept = (folder, leftovers);
        Ok(Self { processes, sim, database, sender, host: listen.to_string(), _kept: kept })
    }

    /// Sends the alerts, as far apart as they are to come due.
    async fn send(&mut self, scenario: &EscalationLoad) -> Result<(), EscalationsError> {
        let begun = Instant::now();
        let apart = Duration::from_secs_f64(scenario.seconds / float(u64::from(scenario.count)));
        for number in 0..scenario.count {
            sleep_until(begun + apart * number).await;
            let labels = json!({
                "alertname": "DiskFull", "severity": "critical", "team": number.to_string(), "owner": person(number),
            });
            let alert = json!({ "status": "firing", "labels": labels, "startsAt": "2026-01-15T10:30:00Z" });
            let body = json!({ "version": "4", "status": "firing", "groupKey": "{}", "alerts": [alert] })
                .to_string();
            let request = format!(
                "POST /api/alert HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                self.host,
                body.len()
            );
            let status = self.sender.exchange(request.as_bytes()).await?;
            if status != 202 {
                return Err(EscalationsError::Answer(status));
            }
        }
        Ok(())
    }

    /// Whether somebody is still to be called.
    async fn wait_for_calls(&self, scenario: &EscalationLoad) -> Result<(), EscalationsError> {
        let patience = Duration::from_secs((scenario.after_seconds + scenario.settle_seconds).into());
        let deadline = Instant::now() + patience;
        let wanted = i64::from(scenario.count);
        while Instant::now() < deadline {
            let mut connection = MySqlConnection::connect(&self.database.url()).await?;
            let select = "SELECT COUNT(*) FROM larkfire_escalations WHERE due_ms IS NULL";
            let over: i64 = sqlx::query_scalar(select).fetch_one(&mut connection).await?;
            connection.close().await?;
            progress(&format!("  {over} of {wanted} called"));
            if over >= wanted {
                break;
            }
            sleep(LOOK_EVERY).await;
        }
        Ok(())
    }

    /// What was no ordinary outcome.
    fn said(&self) -> String {
        let output: String = self.processes.iter().map(Process::output).collect();
        let lines = output.lines().filter(|line| line.contains(" WARN ") || line.contains(" ERROR "));
        lines.take(SAID_MAX).collect::<Vec<_>>().join("\n")
    }

    /// Everybody was called once, and how late; by the simulator's records and the times that stand in the database.
    async fn judge(&self, scenario: &EscalationLoad, figures: &mut Figures) -> Result<(), EscalationsError> {
        let mut connection = MySqlConnection::connect(&self.database.url()).await?;
        let select =
            "SELECT CAST(message AS CHAR), begun_ms FROM larkfire_escalations WHERE message IS NOT NULL";
        let begun: HashMap<String, i64> =
            sqlx::query_as(select).fetch_all(&mut connection).await?.into_iter().collect();
        connection.close().await?;
        let after_ms = i64::from(scenario.after_seconds) * 1_000;
        let mut calls: HashMap<String, Vec<i64>> = HashMap::new();
        for record in self.sim.records(APP).into_iter().filter(|record| record.call == Some(Call::UrgentApp))
        {
            let message = record.message_id.unwrap_or_default();
            if !record.mentioned.is_empty() {
                calls.entry(message).or_default().push(record.at.as_millisecond());
            }
        }
        let doubled = calls.values().filter(|times| times.len() > 1).count();
        let wanted = usize::try_from(scenario.count).unwrap_or(usize::MAX);
        if calls.len() != wanted || doubled > 0 {
            return Err(EscalationsError::Called { wanted, called: calls.len(), doubled, said: self.said() });
        }
        let totals = self.sim.totals();
        if totals.throttled > 0 {
            return Err(EscalationsError::Throttled(totals.throttled));
        }
        let due = |message: &String| begun.get(message).map(|begun_ms| begun_ms + after_ms);
        let mut late: Vec<i64> = calls
            .iter()
            .filter_map(|(message, times)| Some(times.first()? - due(message)?))
            .map(|late_ms| late_ms.max(0))
            .collect();
        late.sort_unstable();
        let goal = Some(Goal::AtMost(scenario.p50_ms_max));
        for (percent, goal) in [(50, goal), (95, None), (99, None), (100, None)] {
            let late_ms = percentile(&late, percent).unwrap_or_default();
            let name = if percent == 100 { "max".to_owned() } else { format!("p{percent}") };
            let name = format!("due to push, {name}, ms");
            note(figures, name, goal, float(late_ms.unsigned_abs()));
        }
        note(figures, "people called once", None, float(calls.len() as u64));
        note(figures, "refused by Feishu's limits", None, float(totals.throttled));
        Ok(())
    }
}
